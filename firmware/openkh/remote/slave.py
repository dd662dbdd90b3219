"""The Modbus slave: what it answers to a frame (AM-2). This is pure logic: bytes in, bytes out, no heap.

Sources: Modbus application protocol 1.1b3, Modbus over serial line 1.02. The slave can only be read: no function here
changes anything, and none that does may ever be added.
"""

from openkh.remote.crc16 import crc16
from openkh.remote.registers import MARGIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.remote.registers import Registers

READ_HOLDING = 3
READ_INPUT = 4
REPORT_ID = 17
READ_DEVICE_ID = 43
_MEI_DEVICE_ID = 14

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3

MOST = 125  # an answer has at most so many registers,
LONGEST = 256  # and a frame so many bytes,
_SHORTEST = 4  # at least so many
_READ_BYTES = 8  # a request with function 3 or 4 has so many
_ERROR = 0x80  # added to the function in an exception
_FIRST = MARGIN  # where the answer begins in the buffer
_RUNNING = 0xFF  # of function 17: the device is on

# Objects of function 43/14 (6.21): basic 0 to 2, regular up to 6, extended from 0x80 on.
_BASIC = 2
_REGULAR = 6
_SERIAL = 0x80
_CONFORMITY = 0x83  # objects of all three categories, as a stream or one by one


def _number(frame: bytearray, at: int) -> int:
    return frame[at] << 8 | frame[at + 1]


def new_buffer() -> bytearray:
    """A buffer with room for an answer, and for MARGIN bytes before and after it."""
    return bytearray(MARGIN + LONGEST + MARGIN)


class Slave:
    """Answers requests. After `answer` the bytes to send are `length` bytes of `buf` from `first` on."""

    def __init__(self, registers: "Registers", buf: bytearray, unit: int) -> None:
        """`buf`: new_buffer(), into which `registers` write; `unit`: the address of this slave."""
        self._registers = registers
        self.unit = unit
        self.buf = buf
        self.first = _FIRST
        self.length = 0
        self.answered = 0  # requests that were answered with what they asked for,
        self.refused = 0  # and with an exception
        self.spoilt = 0  # frames with a wrong checksum, and fragments

    def answer(self, request: bytearray, count: int) -> bool:
        """Answer the frame in the first `count` bytes of `request`. True where there is an answer to send.

        Bytes that come directly before a request to read, as when a driver is switched on, are passed over.
        """
        start = 0
        if count < _SHORTEST or count > len(request) or not self._whole(request, 0, count):
            start = count - _READ_BYTES
            if start <= 0 or count > len(request) or not self._whole(request, start, count):
                self.spoilt += 1
                return False
            if not READ_HOLDING <= request[start + 1] <= READ_INPUT:
                return False
        if request[start] != self.unit:
            return False
        function = request[start + 1]
        if READ_HOLDING <= function <= READ_INPUT:
            return count - start == _READ_BYTES and self._read(request, start + 2, function)
        # Answers of this meter that come back as an echo must not be taken for requests in any of what follows.
        if function == REPORT_ID:
            return count == _SHORTEST and self._report_id()
        if function == READ_DEVICE_ID and request[2] == _MEI_DEVICE_ID:
            return count == _SHORTEST + 3 and self._device_id(request[3], request[4])
        return function < _ERROR and self._refuse(function, ILLEGAL_FUNCTION)

    def _whole(self, request: bytearray, start: int, count: int) -> bool:
        """Whether the bytes from `start` to before `count` end with their check."""
        crc = crc16(request, start, count - 2)
        return request[count - 2] == crc & 255 and request[count - 1] == crc >> 8

    def _read(self, request: bytearray, at: int, function: int) -> bool:
        count = _number(request, at + 2)
        if count == 0 or count > MOST:
            return self._refuse(function, ILLEGAL_VALUE)
        return self._give(function, _number(request, at), count)

    def _give(self, function: int, address: int, count: int) -> bool:
        if not self._registers.has(address, count):
            return self._refuse(function, ILLEGAL_ADDRESS)
        self._registers.put(address, count, _FIRST + 3)
        self.buf[_FIRST + 1] = function
        self.buf[_FIRST + 2] = 2 * count
        return self._send(3 + 2 * count)

    def _refuse(self, function: int, why: int) -> bool:
        self.refused += 1
        self.answered -= 1
        self.buf[_FIRST + 1] = function | _ERROR
        self.buf[_FIRST + 2] = why
        return self._send(3)

    def _report_id(self) -> bool:
        """Answer function 17: number of bytes, server ID (the unit), running, and a text."""
        reading = self._registers.reading
        buf = self.buf
        buf[_FIRST + 1] = REPORT_ID
        buf[_FIRST + 3] = self.unit
        buf[_FIRST + 4] = _RUNNING
        end = self._text(reading.maker, _FIRST + 5)
        end = self._word(reading.model_code, end)
        end = self._word(reading.serial, end)
        end = self._word(reading.revision, end)
        buf[_FIRST + 2] = end - _FIRST - 3
        return self._send(end - _FIRST)

    def _word(self, text: bytes, at: int) -> int:
        self.buf[at] = 32
        return self._text(text, at + 1)

    def _text(self, text: bytes, at: int) -> int:
        i = 0
        while i < len(text):
            self.buf[at] = text[i]
            at += 1
            i += 1
        return at

    def _device_id(self, code: int, wanted: int) -> bool:
        """Answer function 43/14. Codes 1 to 3 ask for the objects of a category from `wanted` on, 4 for a single
        one."""
        if not 1 <= code <= 4:
            return self._refuse(READ_DEVICE_ID, ILLEGAL_VALUE)
        last = _BASIC if code == 1 else _REGULAR if code == 2 else _SERIAL
        if code == 4:
            if self._object(wanted) is None:
                return self._refuse(READ_DEVICE_ID, ILLEGAL_ADDRESS)
            last = wanted
        elif wanted > last or self._object(wanted) is None:
            wanted = 0  # where that object does not exist, the answer begins with the first one (6.21)
        buf = self.buf
        buf[_FIRST + 1] = READ_DEVICE_ID
        buf[_FIRST + 2] = _MEI_DEVICE_ID
        buf[_FIRST + 3] = code
        buf[_FIRST + 4] = _CONFORMITY
        buf[_FIRST + 5] = 0  # nothing more follows
        buf[_FIRST + 6] = 0
        buf[_FIRST + 7] = 0
        return self._send(self._objects(wanted, last) - _FIRST)

    def _objects(self, wanted: int, last: int) -> int:
        buf = self.buf
        at = _FIRST + 8
        while wanted <= last:
            text = self._object(wanted)
            if text is not None:
                buf[at] = wanted
                buf[at + 1] = len(text)
                at = self._text(text, at + 2)
                buf[_FIRST + 7] += 1
            wanted += 1
        return at

    def _object(self, number: int) -> "bytes | None":
        reading = self._registers.reading
        if number == 0:
            return reading.maker
        if number in (1, 5):  # product code, model name
            return reading.model_code
        if number == 2:
            return reading.revision
        if number == 4:  # product name
            return b"OpenKh kWh meter"
        if number == 6:  # application: which service it is for
            return reading.service
        return reading.serial if number == _SERIAL else b"" if number == 3 else None

    def _send(self, length: int) -> bool:
        buf = self.buf
        buf[_FIRST] = self.unit
        crc = crc16(buf, _FIRST, _FIRST + length)
        buf[_FIRST + length] = crc & 255
        buf[_FIRST + length + 1] = crc >> 8
        self.length = length + 2
        self.answered += 1
        return True
