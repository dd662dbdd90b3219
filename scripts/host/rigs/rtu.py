"""Modbus RTU frames as a master makes them, for tests and campaigns of the port."""

from host.remote import registers
from host.remote.bus import crc


def frame(*body: int) -> bytes:
    """A frame with its checksum."""
    return bytes(body) + crc(bytes(body))


def read(address: int, count: int, unit: int = 1, function: int = 3) -> bytes:
    """A request for registers."""
    return frame(unit, function, address >> 8, address & 255, count >> 8, count & 255)


def words(answer: bytes, unit: int = 1, function: int = 3) -> list[int]:
    """The registers in a good answer."""
    assert crc(answer[:-2]) == answer[-2:] and answer[:2] == bytes([unit, function]), answer.hex(" ")
    assert answer[2] == len(answer) - 5
    return [answer[i] << 8 | answer[i + 1] for i in range(3, len(answer) - 2, 2)]


def value(register: registers.Register, found: list[int], first: int = 0) -> int | str | bytes:
    """What a register of the table says in `found`, the words from address `first` on."""
    part = found[register.address - first :][: register.words]
    data = b"".join(bytes([word >> 8, word & 255]) for word in part)
    if register.kind.startswith("raw"):
        return data
    if register.kind not in registers.WORDS:
        return data.rstrip(b"\0").decode()
    return int.from_bytes(data, "big", signed=register.kind.startswith("i"))
