"""The check at the end of each Modbus RTU frame (Modbus over serial line 1.02, 6.2.2): CRC-16, reflected, that starts
with 0xFFFF."""

from array import array


def _table() -> "array[int]":
    table = array("H", [0] * 256)
    for i in range(256):
        value = i
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
        table[i] = value
    return table


_TABLE = _table()


def crc16(buf: "bytearray | memoryview", start: int, end: int) -> int:
    """The check of the bytes from `start` to before `end`, 16 bits; it is sent low byte first. Takes no heap."""
    table = _TABLE
    crc = 0xFFFF
    while start < end:
        crc = crc >> 8 ^ table[(crc ^ buf[start]) & 255]
        start += 1
    return crc
