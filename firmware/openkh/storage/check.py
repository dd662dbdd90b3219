"""The check at the end of every stored record: CRC-30/CDMA (3GPP2 C.S0002), in the reflected form, whose values stay
within 30 bits and so are small integers on the RP2040 (DR-3).

It finds every error of up to five bits in a record of up to 140 bytes (tested) and every burst of up to 30 bits. Of
random bytes one block in 2^30 passes.
"""

from array import array

START = 0x3FFFFFFF
_POLYNOMIAL = 0x38E74301  # 0x2030B9C7 reflected


def _table() -> "array[int]":
    table = array("i", [0] * 256)
    value = 1
    power = 128
    while power:
        value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        for i in range(0, 256, 2 * power):
            table[i + power] = table[i] ^ value
        power >>= 1
    return table


_TABLE = _table()


def check(buf: "bytearray | memoryview", count: int, crc: int = START) -> int:
    """The check of the first `count` bytes of `buf`, 0 .. 2^30 - 1; `crc` is that of what comes before them. Allocates
    nothing."""
    return checked(_TABLE, buf, count, crc)


def checked(table: "array[int]", buf: "bytearray | memoryview", count: int, crc: int) -> int:
    """`check`, with its table. On the RP2040 this is machine code (scripts/host/flash/machine_code.py)."""
    i = 0
    while i < count:  # not `for`, with which this function's frame would come from the heap (DR-7)
        crc = (crc >> 8) ^ table[(crc ^ buf[i]) & 255]
        i += 1
    return crc


def blank(buf: "bytearray | memoryview") -> bool:
    """Whether `buf`, a whole slot, was never written: all ones or all zeros. Allocates nothing."""
    first = buf[0]
    if first not in (0, 255):
        return False
    for byte in buf:  # noqa: SIM110  all() takes a generator from the heap
        if byte != first:
            return False
    return True
