"""What is drawn for the RS-485 port: noise, fragments, wrong checksums, other units, floods, and requests among them.

`expected` says what a plain reading of the Modbus specification has for an answer (AM-2). `Reference` says what
pymodbus' own slave makes of the same bytes.
"""

import logging
from collections.abc import Callable
from random import Random
from typing import Any

from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.simulator.simcore import SimCore

from host.remote import registers
from host.remote.bus import crc
from openkh.remote.layout import SUNSPEC_WORDS

UNIT = 1
MOST = 25  # registers in a request that is good


def read_request(rng: Random) -> bytes:
    """A read that may be good or not."""
    first = rng.choice((0, 0, 0, registers.OWN_WORDS - MOST, registers.INTERVALS_FIRST, registers.SUNSPEC_FIRST))
    address = first + rng.randrange(40) if rng.random() < 0.9 else rng.randrange(0x10000)
    count = rng.randrange(1, MOST + 1) if rng.random() < 0.9 else rng.choice((0, 126, 0xFFFF, 0x8000))
    body = bytes((UNIT, rng.choice((3, 3, 4)), address >> 8, address & 255, count >> 8, count & 255))
    return body + crc(body)


def burst(rng: Random) -> bytes:
    """What is sent without a pause."""
    kind = rng.randrange(10)
    whole = read_request(rng)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 40))
    if kind == 1:  # a request that is broken off
        return whole[: rng.randrange(1, len(whole))]
    if kind == 2:  # a wrong checksum
        return whole[:-1] + bytes([whole[-1] ^ 1 << rng.randrange(8)])
    if kind == 3:  # another unit, or a broadcast
        body = bytes([rng.choice((0, 2, 7, 247, 255))]) + whole[1:-2]
        return body + crc(body)
    if kind == 4:  # another function
        body = bytes([UNIT, rng.randrange(256)]) + rng.randbytes(rng.randrange(0, 12))
        return body + crc(body)
    if kind == 5:  # another unit's answer
        body = bytes([2, 3, 20]) + rng.randbytes(20)
        return body + crc(body)
    if kind == 6:  # identification
        body = bytes([UNIT]) + rng.choice((b"\x11", b"\x2b\x0e" + bytes([rng.randrange(6), rng.choice((0, 2, 0x80))])))
        return body + crc(body)
    return whole


def flood(rng: Random) -> bytes:
    """Far more than any frame."""
    return b"".join(burst(rng) for _ in range(rng.randrange(20, 60)))


def blocks(slots: int) -> tuple[tuple[int, int], ...]:
    """First register and size of each block, with an interval memory of so many slots."""
    return (
        (registers.OWN_FIRST, registers.OWN_WORDS),
        (registers.INTERVALS_FIRST, slots * registers.INTERVAL_WORDS),
        (registers.SUNSPEC_FIRST, SUNSPEC_WORDS),
    )


def expected(sent: bytes, slots: int) -> bytes | None:
    """The first bytes of the answer: unit, function, and number of bytes or exception; None: silence."""
    if len(sent) < 4 or crc(sent[:-2]) != sent[-2:]:
        tail = sent[-8:]
        if len(sent) <= 8 or crc(tail[:-2]) != tail[-2:] or tail[1] not in (3, 4):
            return None
        sent = tail
    if sent[0] != UNIT or sent[1] >= 0x80:
        return None
    function = sent[1]
    if function in (3, 4):
        if len(sent) != 8:
            return None
        address, count = sent[2] << 8 | sent[3], sent[4] << 8 | sent[5]
        if not 1 <= count <= registers.MOST_REGISTERS:
            return bytes((UNIT, function | 0x80, 3))
        there = any(first <= address and address + count <= first + size for first, size in blocks(slots))
        return bytes((UNIT, function, 2 * count)) if there else bytes((UNIT, function | 0x80, 2))
    if function == 17:
        return bytes((UNIT, 17)) if len(sent) == 4 else None
    if function == 43 and sent[2] == 14 and len(sent) > 4:
        return bytes((UNIT,)) if len(sent) == 7 else None
    return bytes((UNIT, function | 0x80, 1))


class Reference:
    """pymodbus' server, framer and data store, with the same registers: `image` is {first register: words}."""

    def __init__(self, image: dict[int, list[int]]) -> None:
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # it tells each frame that it cannot make out
        self._framer = FramerRTU(DecodePDU(True))
        data = [SimData(first, values=list(words), datatype=DataType.REGISTERS) for first, words in image.items()]
        self._context = SimCore(SimDevice(id=UNIT, simdata=data))

    def answer(self, sent: bytes) -> bytes | None:
        """Its answer to a read of registers that it makes out in `sent`, None for silence."""
        request = self._request(sent)
        if request is None or request.function_code not in (3, 4) or request.dev_id != UNIT:
            return None
        try:
            request.datastore_update(self._context, UNIT).send(None)
        except StopIteration as done:
            answer = done.value
            answer.dev_id = request.dev_id
            answer.transaction_id = 0
            return self._framer.buildFrame(answer)
        raise AssertionError("pymodbus' data store waits")

    def _request(self, sent: bytes) -> Any:
        try:
            return self._framer.handleFrame(sent, 0, 0)[1]
        except ModbusIOException:
            return None


def image_of(read: Callable[[int, int], list[int]], slots: int) -> dict[int, list[int]]:
    """Every register of a meter that stands still, by block; `read(address, count)` gives words."""
    image: dict[int, list[int]] = {}
    for first, size in blocks(slots):
        image[first] = []
        for at in range(first, first + size, registers.MOST_REGISTERS):
            image[first] += read(at, min(registers.MOST_REGISTERS, first + size - at))
    return image
