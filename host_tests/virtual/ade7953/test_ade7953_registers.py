"""The simulated ADE7953's registers: map, widths, access, key, protection, LAST_*, checksum (DS p.57-62)."""

import random

import pytest

from boards.virtual.ade7953 import registers
from host_tests.mp.chip_rig import IRQENA, IRQSTATA, RSTIRQSTATA, VRMS, Rig, load

LAST_ADD, LAST_OP = 0x1FE, 0x0FD
LAST_8, LAST_16, LAST_24, LAST_32 = 0x0FF, 0x1FF, 0x2FF, 0x3FF
CRC = 0x37F


@pytest.fixture
def raw() -> Rig:
    """A chip that has just started, untouched."""
    return Rig(tuned=False)


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize(
    ("address", "value"),
    [
        (0x000, 0x00),
        (0x001, 0x00),
        (0x004, 0x40),
        (0x040, 0x00),
        (0x100, 0xFFFF),
        (0x102, 0x8004),
        (0x103, 0x003F),
        (0x107, 0x0300),
        (0x120, 0x0000),
        (0x203, 0x00E419),
        (0x303, 0x0000E419),
        (0x304, 0x0000E419),
        (0x305, 0),
        (0x224, 0xFFFFFF),
        (0x324, 0xFFFFFFFF),
        (0x22C, 0x100000),
        (0x280, 0x400000),
        (0x382, 0x400000),
        (0x297, 0),
        (CRC, 0xFFFFFFFF),
        (0x800, 0),
        (0x27F, 0),  # the checksum exists in 32 bits only
        (0x206, 0),  # nothing there
    ],
)
def test_reset_values(raw: Rig, address: int, value: int) -> None:
    assert raw.read(address) == value


def test_version_is_no_other_register(raw: Rig) -> None:
    """Field bug 3: the version register is neither 0 nor LCYCMODE's reset value."""
    assert raw.read(0x702) not in (0, 0x40)


def test_both_addresses_are_one_register(rig: Rig) -> None:
    rig.write(0x282, 0x512345)
    assert rig.read(0x382) == 0x00512345
    rig.write(0x389, 0xFFFFFF00)
    assert rig.read(0x289) == 0xFFFF00
    assert rig.read(0x389) == 0xFFFFFF00


def test_field_bug_1_a_32_bit_frame_to_the_24_bit_address_loses_its_last_byte(rig: Rig) -> None:
    """The chip takes three bytes at 0x2xx: the fourth is stray, so the value lands shifted right by eight bits."""
    rig.frame(bytes([0x02, 0x82, 0x00, 0x00, 0x41, 0x23, 0x45]))
    assert rig.read(0x282) == 0x004123


def test_field_bug_4_rms_above_half_range_is_sign_extended_in_32_bits(rig: Rig) -> None:
    rig.chip.drive(1.0, 0.0, 0.0, 0.0, 60.0)
    rig.sleep(2)
    assert rig.read(0x21C) == 9_032_007
    assert rig.read(VRMS) == 0xFF000000 | 9_032_007


def test_read_only_registers_stay(rig: Rig) -> None:
    for address in (0x21C, 0x31E, 0x10E, CRC, 0x22D, 0x702, LAST_ADD):
        before = rig.read(address)
        rig.write(address, 0x5A)
        assert rig.read(address) == before
    rig.write(0x301, 0x3FFFFF)
    assert rig.read(0x301) & 0x3FF == 0x3FF
    rig.write(0x301, 0)
    assert rig.read(0x301) & 0x7 == 0


def test_unwritable_bits_read_back_as_zero(rig: Rig) -> None:
    rig.write(0x108, 0xFFFF)
    assert rig.read(0x108) == 0x03FF
    rig.write(0x001, 0xFF)
    assert rig.read(0x001) == 0x07


def test_absurd_gains_do_no_harm(rig: Rig) -> None:
    """Factory data of real products holds gains far outside the legal range (reference sheet 5.4)."""
    for address in range(0x280, 0x298):
        rig.write(address, 21_865_738 & 0xFFFFFF)
    for address in (0x007, 0x008, 0x009):
        rig.chip.poke(address, 0xFF)
    rig.chip.drive(1.0, 1.0, 1.0, 0.3, 50.0)
    rig.sleep(1)
    assert 0 <= rig.read(0x21C) <= 0xFFFFFF


# -- the key of 0x120, WRITE_PROTECT, CFxDEN ----------------------------------------------------------------------


def test_key_opens_exactly_the_next_transaction(raw: Rig) -> None:
    """DS p.18: 0xAD to 0x0FE, and nothing between it and the write to 0x120."""
    raw.write(0x120, 0x0030)
    assert raw.read(0x120) == 0
    raw.write(0x0FE, 0xAD)
    raw.read(0x102)
    raw.write(0x120, 0x0030)
    assert raw.read(0x120) == 0
    raw.write(0x0FE, 0xAC)
    raw.write(0x120, 0x0030)
    assert raw.read(0x120) == 0
    raw.write(0x0FE, 0xAD)
    raw.frame(b"\x01")  # an aborted frame is a transaction as well
    raw.write(0x120, 0x0030)
    assert raw.read(0x120) == 0
    raw.write(0x0FE, 0xAD)
    raw.write(0x120, 0x0030)
    assert raw.read(0x120) == 0x0030
    raw.write(0x120, 0x0031)
    assert raw.read(0x120) == 0x0030


@pytest.mark.parametrize(("bit", "kept", "open_"), [(0, 0x000, 0x101), (1, 0x101, 0x280), (2, 0x280, 0x000)])
def test_write_protect_blocks_its_group(rig: Rig, bit: int, kept: int, open_: int) -> None:
    before = rig.read(kept)
    rig.write(0x040, 1 << bit)
    rig.write(kept, 0x17)
    rig.write(open_, 0x17)
    assert rig.read(kept) == before
    assert rig.read(open_) == 0x17
    rig.write(0x040, 0)
    rig.write(kept, 0x17)
    assert rig.read(kept) == 0x17


def test_write_protect_blocks_32_bit_writes_and_the_key(rig: Rig) -> None:
    rig.write(0x040, 7)
    rig.write(0x380, 0x123456)
    rig.write(0x0FE, 0xAD)
    rig.write(0x120, 0x0000)
    assert (rig.read(0x380), rig.read(0x120)) == (0x400000, 0x0030)


def test_cf_divider_takes_the_second_write_in_a_row(rig: Rig) -> None:
    """DS p.33."""
    rig.write(0x103, 0x1234)
    assert rig.read(0x103) == 0x003F
    rig.write(0x103, 0x1234)
    assert rig.read(0x103) == 0x003F  # a read came between
    rig.write(0x103, 0x1234)
    rig.write(0x103, 0x1234)
    assert rig.read(0x103) == 0x1234


# -- LAST_* -------------------------------------------------------------------------------------------------------


def last(rig: Rig) -> tuple[int, int]:
    return rig.read(LAST_ADD), rig.read(LAST_OP)


def test_last_registers_follow_successful_transfers(rig: Rig) -> None:
    rig.write(0x000, 0x12)
    assert last(rig) == (0x000, 0xCA)
    assert rig.read(LAST_8) == 0x12
    rig.read(0x102)
    assert last(rig) == (0x102, 0x35)
    assert rig.read(LAST_16) == 0x0004
    rig.write(0x389, 0xFFFFFF00)
    assert last(rig) == (0x389, 0xCA)
    assert (rig.read(LAST_32), rig.read(LAST_24)) == (0xFFFFFF00, 0xFFFF00)
    assert (rig.read(LAST_16), rig.read(LAST_8)) == (0x0004, 0x12)  # each width keeps its own
    assert last(rig) == (0x389, 0xCA)  # a look at LAST_* does not change them


def test_last_registers_ignore_what_did_not_happen(rig: Rig) -> None:
    rig.read(0x102)
    rig.frame(bytes([0x00, 0x00, 0x00]))  # CS rises before the data
    rig.frame(bytes([0x02, 0x80, 0x80, 0, 0]))  # and before the last byte
    rig.write(0x21C, 5)  # read-only
    rig.read(0x2F0)  # nothing there
    rig.write(0x040, 7)
    rig.write(0x280, 5)  # protected
    assert last(rig) == (0x040, 0xCA)
    assert rig.read(LAST_16) == 0x0004


def test_a_spoilt_energy_read_is_found_in_last_rwdata(rig: Rig) -> None:
    """RSTREAD has cleared the register, LAST_RWDATA still holds what was cleared (reference sheet 12)."""
    rig.write(0x004, 0x40)
    rig.chip.drive(1.0, 1.0, 1.0, 0.0, 60.0)
    rig.read(0x31E)
    rig.sleep(1)
    assert rig.read(0x31E) == 207_512
    assert rig.read(0x31E) == 0
    assert rig.read(LAST_32) == 0
    rig.sleep(1)
    read = rig.read(0x31E)
    assert (rig.read(LAST_ADD), rig.read(LAST_32)) == (0x31E, read)


# -- checksum -----------------------------------------------------------------------------------------------------


def test_checksum_of_the_reset_values(raw: Rig) -> None:
    """0x48739163 with CONFIG = 0x8104 (DS p.59), 143 us after it is enabled."""
    raw.write(0x102, 0x8104)
    assert raw.read(CRC) == 0xFFFFFFFF
    raw.clock.sleep(143)
    assert raw.read(CRC) == 0x48739163


@pytest.mark.parametrize("seed", range(5))
def test_checksum_is_a_crc_32_over_the_bits_in_their_order(seed: int) -> None:
    """DS p.58, bit by bit: the registers in their order, the lowest bit of each first, and the hidden bytes."""
    draw, hidden = random.Random(seed), registers.hidden_bytes(seed)
    regs, bits = {}, []
    for address in registers.CHECKSUM_ORDER:
        width = 8 + 8 * (address >> 8)
        regs[address] = draw.getrandbits(width)
        bits += [regs[address] >> n & 1 for n in range(width)]
    bits += [byte >> n & 1 for byte in hidden for n in range(8)]
    bits += [0] * (128 * 8 - len(bits))
    crc = 0xFFFFFFFF
    for bit in bits:
        top = crc >> 31 ^ bit
        crc = crc << 1 & 0xFFFFFFFF ^ (0x04C11DB7 if top else 0)
    assert registers.checksum(regs, hidden=hidden) == crc


@pytest.mark.parametrize("address", sorted(registers.CHECKSUM_COVERED - {0x102, 0x22C}))
def test_checksum_sees_each_covered_register(rig: Rig, address: int) -> None:
    rig.write(0x102, 0x0104)
    rig.clock.sleep(200)
    before = rig.read(CRC)
    rig.write(IRQENA, 0x300000)
    rig.clock.sleep(200)
    assert not rig.read(IRQSTATA) >> 21 & 1
    assert rig.read(CRC) != before  # IRQENA itself is covered
    rig.chip.poke(address, rig.chip.regs[address] ^ 1)
    rig.clock.sleep(142)
    assert not rig.read(IRQSTATA) >> 21 & 1
    rig.edges.clear()
    rig.clock.sleep(1)
    assert rig.edges == [(rig.clock.now_us, 0)]
    assert rig.read(RSTIRQSTATA) >> 21 & 1


@pytest.mark.parametrize(
    "address", [0x000, 0x001, 0x100, 0x101, 0x120, 0x200, 0x203, 0x204, 0x205, 0x224, 0x225, 0x800]
)
def test_checksum_leaves_some_registers_out(rig: Rig, address: int) -> None:
    """DS p.58: these must be scrubbed by reading them back."""
    rig.write(0x102, 0x0104)
    rig.clock.sleep(200)
    before = rig.read(CRC)
    rig.chip.poke(address, rig.chip.regs[address] ^ 1)
    rig.clock.sleep(200)
    assert rig.read(CRC) == before


def test_poke_refuses_what_is_no_register(rig: Rig) -> None:
    with pytest.raises(ValueError, match="0x2F0"):
        rig.chip.poke(0x2F0, 1)


@pytest.mark.parametrize("address", sorted(registers.APART.union(registers.TIMING)))
def test_what_no_measurement_depends_on_needs_none_of_them_worked_out_anew(address: int) -> None:
    """Such a write goes a quicker way; a chip with everything worked out anew reads the same half a second on."""
    readings = []
    for anew in (False, True):
        rig = Rig()
        load(rig, degrees=30.0)
        rig.sleep(0.31)
        rig.write(0x004, 0x3F)  # line cycles are counted
        rig.write(IRQENA, 0x3FFFFF)
        for _ in range(2):  # CF1DEN and CF2DEN take the second of two writes
            rig.write(address, 0x0011)
        if anew:
            rig.chip._signals.update()
        rig.sleep(0.5)
        readings.append([rig.read(a) for a in range(0x200, 0x234) if a not in registers.ZERO] + [rig.edges])
    assert readings[0] == readings[1]
