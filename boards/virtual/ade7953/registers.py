"""ADE7953 register map, reset values and checksum, as the data sheet (Rev. C) has them; DS p.59-67.

The high nibble of an address is its width: 0x0xx 8 bits, 0x1xx 16, 0x2xx 24, 0x3xx the same storage as 32 bits with
the top byte sign-extended. 0x702 and 0x800 are 8-bit, 0x37F (the checksum) exists in 32 bits only.
"""

from binascii import crc32

from boards.virtual.rng import Rng

# 8 and 16 bits: address -> (reset value, bits that can be written)
NARROW = {
    0x000: (0x00, 0xFF),  # SAGCYC
    0x001: (0x00, 0x07),  # DISNOLOAD
    0x004: (0x40, 0x7F),  # LCYCMODE
    0x007: (0x00, 0x07),  # PGA_V
    0x008: (0x00, 0x07),  # PGA_IA
    0x009: (0x00, 0x07),  # PGA_IB
    0x040: (0x00, 0x07),  # WRITE_PROTECT
    0x800: (0x00, 0x01),  # EX_REF
    0x100: (0xFFFF, 0xFFFF),  # ZXTOUT
    0x101: (0x0000, 0xFFFF),  # LINECYC
    0x102: (0x8004, 0xFFFF),  # CONFIG
    0x103: (0x003F, 0xFFFF),  # CF1DEN
    0x104: (0x003F, 0xFFFF),  # CF2DEN
    0x107: (0x0300, 0xFFFF),  # CFMODE
    0x108: (0x0000, 0x03FF),  # PHCALA
    0x109: (0x0000, 0x03FF),  # PHCALB
    0x110: (0x0000, 0xFFFF),  # ALT_OUTPUT
    0x120: (0x0000, 0xFFFF),  # optimum setting, behind the key
}

# 24 bits, at 0x2xx and 0x3xx: address -> (reset value, bits that can be written)
WIDE = {
    0x200: (0, 0xFFFFFF),  # SAGLVL
    0x201: (0, 0x0003FF),  # ACCMODE, status bits apart
    0x203: (0x00E419, 0xFFFFFF),  # AP_NOLOAD
    0x204: (0x00E419, 0xFFFFFF),  # VAR_NOLOAD
    0x205: (0, 0xFFFFFF),  # VA_NOLOAD
    0x224: (0xFFFFFF, 0xFFFFFF),  # OVLVL
    0x225: (0xFFFFFF, 0xFFFFFF),  # OILVL
    0x22C: (0x100000, 0x3FFFFF),  # IRQENA
    0x22F: (0, 0x3FFFFF),  # IRQENB
}
for _address in range(0x280, 0x298):  # gains and offsets of both channels, reserved ones among them
    WIDE[_address] = (0, 0xFFFFFF)
for _address in (0x280, 0x281, 0x282, 0x283, 0x284, 0x28C, 0x28D, 0x28E, 0x28F, 0x290):
    WIDE[_address] = (0x400000, 0xFFFFFF)

# Channel B results that stay 0 without an input: energies, angle and peaks.
ZERO = (0x10D, 0x21F, 0x221, 0x223, 0x22A, 0x22B)

# The registers that the checksum runs over, in this order, each with its least significant bit first; DS p.58.
CHECKSUM_ORDER = (
    0x004,
    0x007,
    0x008,
    0x009,
    0x040,
    0x102,
    0x103,
    0x104,
    0x107,
    0x108,
    0x109,
    0x110,
    0x201,
    0x22C,
    0x22F,
) + tuple(range(0x280, 0x298))
CHECKSUM_COVERED = set(CHECKSUM_ORDER)
# No measurement of channel A and no interrupt of it depends on these: protection, outputs, what is channel B's.
APART = {0x009, 0x040, 0x103, 0x104, 0x107, 0x109, 0x110, 0x800, 0x22F, 0x285, 0x287}
APART.update(range(0x28C, 0x298))
# Nothing depends on these but the time of an interrupt: ZXTOUT and LINECYC.
TIMING = (0x100, 0x101)
# The chip adds eight bytes that nobody can read; these values give the documented checksum of the reset values.
HIDDEN = (0x6A, 0x10, 0x01, 0xBC, 0, 0, 0, 0)
_CHECKSUM_BYTES = 128


def hidden_bytes(seed):
    """The bytes of a chip that nobody can read: those above for seed 0, random ones for another seed."""
    if not seed:
        return HIDDEN
    rng = Rng(seed, 7)
    return tuple([rng.below(256) for _ in HIDDEN])


def checksum(regs, live=0, hidden=HIDDEN):
    """The checksum register (32 bits) for a register image {address: value} with 24-bit registers at 0x2xx; DS p.58.

    live: the read-only bits of ACCMODE, where a chip's checksum covers them, else 0.
    """
    data = bytearray(_CHECKSUM_BYTES)
    k = 0
    for address in CHECKSUM_ORDER:
        value = regs[address]
        if address == 0x201:
            value |= live
        data[k] = value & 0xFF
        k += 1
        if address >= 0x100:
            data[k] = value >> 8 & 0xFF
            k += 1
        if address >= 0x200:
            data[k] = value >> 16
            k += 1
    data[k : k + len(hidden)] = bytes(hidden)
    # The polynomial, the start value and the order of a byte's bits are those of Ethernet's CRC-32, which ends inverted
    # and has its first bit lowest, while the register gives its highest bit first.
    return _mirrored(crc32(data) ^ 0xFFFFFFFF)


def _mirrored(value):
    """32 bits in the opposite order."""
    for shift, mask in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF), (16, 0x0000FFFF)):
        value = value >> shift & mask | (value & mask) << shift
    return value


def reset_values():
    """A register image {address: value} as after a reset, with 24-bit registers under both of their addresses."""
    regs = {}
    for address in NARROW:
        regs[address] = NARROW[address][0]
    for address in WIDE:
        store(regs, address, WIDE[address][0])
    for address in ZERO:
        regs[address] = 0
        if address >= 0x200:
            regs[address + 0x100] = 0
    return regs


def store(regs, address, value):
    """Put a value into a register image, where a register has two addresses under both."""
    if address < 0x200 or address >= 0x400:
        regs[address] = value
        return
    value &= 0xFFFFFF
    address = 0x200 | address & 0xFF
    regs[address] = value
    regs[address + 0x100] = value | 0xFF000000 if value & 0x800000 else value


def signed24(value):
    """A 24-bit register value as a signed number."""
    return value - 0x1000000 if value & 0x800000 else value
