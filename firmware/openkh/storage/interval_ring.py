"""The interval data as they are stored: numbered slots in pages, written one after the other (AM-6, ST-1, ST-2).

    at  bytes of a page
     0      1  format
     1      3  identity: hash of board, model and service
     4      4  number of the page, which never starts again; it lies at this number modulo the number of pages
     8      2  number of the power-up that the first slot belongs to
    10      4  intervals of that power-up which had ended before the page began
    14      5  energy delivered that all slots before the page add up to: whole Wh (4), of the register, and tenths (1)
    19      5  energy received, the same way
    24      4  check of all bytes before it
    28      6  each of 38 slots: kind (4 bits), numbers a and b (18 bits each), check (8 bits, over its number too)

The check of a slot is short. But a slot counts only where it is the next one, and it never makes the register: the sums
in the header of the next page, and the register itself, are what all slots have to add up to.
"""

from struct import pack_into

from openkh.metrology.energy import ROLL_WH
from openkh.storage.check import START, check
from openkh.storage.interval_pages import HEADER_BYTES, PAGE_BYTES, SLOT_BYTES, SLOTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.state import State
    from openkh.storage.interval_pages import FlashPages, FramPages

FORMAT = 0x49

# Kinds of a slot. An interval's is 0 plus its flags, that of a part of one, which a loss of power ended, PARTIAL plus
# its flags; a is then the energy delivered and b the energy received, in tenths of a Wh.
POWER_LOST = 1
GAP = 2
FAILURE = 4
PARTIAL = 8
POWER_UP = 9  # a new power-up begins: a is its number, b the seconds that the partial interval before it has lasted
JUMP = 11  # a is how many intervals of this power-up have ended: some were passed over, or a page is filled up
MOST = 0x3FFFF  # the largest number that a slot can hold

# What the port's registers say of a slot that holds no interval, beside the flags above.
DAMAGED = 0x4000
NONE = 0x8000

_BLANK = b"\xff" * SLOT_BYTES
_FIRST = HEADER_BYTES
_CHECK_AT = 24
_TRIES = 3


def is_interval(kind: int) -> bool:
    """Whether a slot of this kind has energy in it."""
    return kind >= 0 and (kind < PARTIAL or kind & 1 == 0)


def long_at(buf: bytearray, at: int) -> int:
    """The four bytes from `at` on as a number, of which the highest two bits are left out (DR-3)."""
    return buf[at] | buf[at + 1] << 8 | buf[at + 2] << 16 | (buf[at + 3] & 63) << 24


class Ring:
    """`number` is that of the next slot, `oldest` that of the oldest one that can be read. `power_up` and `ended` are
    the newest slot's. `wh`, `tenths`, `received_wh` and `received_tenths` are what all slots add up to, modulo the
    register's range. `closed`: the newest slot is a partial interval. `lost`: damaged slots of the newest page."""

    def __init__(self, pages: "FramPages | FlashPages", identity: int) -> None:
        self._pages = pages
        self._identity = identity
        self._buf = bytearray(PAGE_BYTES)
        self._head = bytearray(HEADER_BYTES)
        self._scanned = 0  # pages whose headers were looked at
        self._newest = -1  # highest number of a page found
        self._oldest = -1  # lowest
        self.found = False  # whether there was something of this meter
        self._cached = -1  # the page that is in the buffer
        self._known = False  # whether it is a page of this meter
        self._at = 0  # slots of it that `seek` has gone through,
        self._at_power_up = 0  # and the power-up and its ended intervals after them
        self._at_ended = 0
        self._erased = -1  # flash: first page of the block that was erased ahead; -1: none
        self.number = 0
        self.oldest = 0
        self.power_up = 0
        self.ended = 0
        self.wh = 0
        self.tenths = 0
        self.received_wh = 0
        self.received_tenths = 0
        self.closed = False
        self.lost = 0
        self.a = 0  # the numbers of the slot that `decode` was called for last
        self.b = 0

    @property
    def slots(self) -> int:
        """How many slots all pages have."""
        return self._pages.count * SLOTS

    # After a start, within measuring cycles: takes no heap

    def scan(self, pages: int) -> bool:
        """Look at the headers of the next `pages` pages; True once all were looked at and the newest slot is known."""
        end = min(self._scanned + pages, self._pages.count)
        while self._scanned < end:
            number = self._header_number(self._scanned)
            if number >= 0:
                self._newest = max(self._newest, number)
                self._oldest = number if self._oldest < 0 else min(self._oldest, number)
            self._scanned += 1
        if end < self._pages.count:
            return False
        self.found = self._newest >= 0 and self._look(self._newest % self._pages.count)
        if self.found:
            self._take_page()
        return True

    def _header_number(self, page: int) -> int:
        """The number of a page, -1 where it is not one of this meter. What looks damaged is read again, because it
        would be written over."""
        header = self._head
        for _ in range(_TRIES):
            if not self._pages.read(page, header):
                continue
            if self._sound(header, page):
                return long_at(header, 4)
            if header[0] in (0, 0xFF):
                break
        return -1

    def _take_page(self) -> None:
        """Go through the newest page: where the next slot goes, and what all slots add up to."""
        self._take_header()
        used = SLOTS
        while used and self._is_blank(used - 1):
            used -= 1
        self.number = self._newest * SLOTS
        while used:
            kind = self.decode(self.number)
            if kind < 0:
                self.lost += 1
            else:
                self._take(kind, self.a, self.b)
            self.number += 1
            used -= 1
        self.oldest = max(self._oldest, self._newest - self._pages.count + self._pages.group) * SLOTS

    def begin(self, state: "State") -> None:
        """Begin with the register that `state` has, where the memory is blank or another meter's."""
        self.wh = state.delivered_wh
        self.received_wh = state.received_wh

    def _take_header(self) -> None:
        """Set what holds before the first slot of the page in the buffer."""
        buf = self._buf
        self.power_up = buf[8] | buf[9] << 8
        self.ended = long_at(buf, 10)
        self.wh = long_at(buf, 14)
        self.tenths = buf[18]
        self.received_wh = long_at(buf, 19)
        self.received_tenths = buf[23]

    # In the measuring cycle: takes no heap

    @property
    def last_of_page(self) -> bool:
        """Whether the next slot is the last one of its page."""
        return self.number % SLOTS == SLOTS - 1

    def append(self, kind: int, a: int, b: int) -> bool:
        """Write the next slot and read it back. False where it was not written: try again in a later cycle."""
        if self.number % SLOTS == 0 and not self._begin_page():
            return False
        self._fill(self._pages.slot, kind, a, b)
        if not self._write_slot():
            return False
        if self.decode(self.number) != kind or self.a != a or self.b != b:
            if self._pages.group > 1 and not self._is_blank(self.number % SLOTS):
                self.number += 1  # flash takes nothing more in this place
            return False
        self.number += 1
        self._take(kind, a, b)
        return True

    def _write_slot(self) -> bool:
        """Write what `_fill` has made, and read its page into the buffer."""
        page = self.number // SLOTS % self._pages.count
        self._cached = -1
        written = self._pages.write_slot(page, _FIRST + self.number % SLOTS * SLOT_BYTES)
        return written and self._look(page)

    def _fill(self, slot: "bytearray | memoryview", kind: int, a: int, b: int) -> None:
        slot[0] = kind << 4 | a >> 14
        slot[1] = a >> 6 & 255
        slot[2] = (a & 63) << 2 | b >> 16
        slot[3] = b >> 8 & 255
        slot[4] = b & 255
        slot[5] = check(slot, 5, START ^ self.number) & 255

    def _take(self, kind: int, a: int, b: int) -> None:
        """Bring what holds after the newest slot up to date for one more."""
        self.closed = False
        if kind == POWER_UP:
            self.power_up = a
            self.ended = 0
        elif kind == JUMP:
            self.ended = a
        else:
            if kind < PARTIAL:
                self.ended += 1
            else:
                self.closed = True
            tenths = self.tenths + a
            self.wh = (self.wh + tenths // 10) % ROLL_WH
            self.tenths = tenths % 10
            tenths = self.received_tenths + b
            self.received_wh = (self.received_wh + tenths // 10) % ROLL_WH
            self.received_tenths = tenths % 10

    def _begin_page(self) -> bool:
        """Erase a page (flash: it must have been erased ahead) and write its header."""
        pages = self._pages
        number = self.number // SLOTS
        page = number % pages.count
        if pages.group == 1:
            if not pages.erase(page):
                return False
            self.oldest = max(self.oldest, (number - pages.count + 1) * SLOTS)
        elif page % pages.group == 0:
            if self._erased != page:
                self._erased = page if self._erase(page) else -1
                return False  # go on in the next cycle, because the erase has made this one long
            self._erased = -1
        self._fill_header(number)
        self._cached = -1
        pages.write_header(page)
        if self._look(page) and self._page_number() == number:
            return True
        if pages.group > 1:
            self.number += SLOTS  # flash that a cut has spoilt takes nothing more: leave this page out
        return False

    def _fill_header(self, number: int) -> None:
        header = self._pages.header
        pack_into("<i", header, 0, FORMAT | (self._identity & 0x3FFFFF) << 8)
        header[3] = self._identity >> 16
        pack_into("<i", header, 4, number)
        pack_into("<H", header, 8, self.power_up)
        pack_into("<i", header, 10, self.ended)
        pack_into("<i", header, 14, self.wh)
        header[18] = self.tenths
        pack_into("<i", header, 19, self.received_wh)
        header[23] = self.received_tenths
        pack_into("<i", header, _CHECK_AT, check(header, _CHECK_AT))

    # Flash

    def tidy(self) -> bool:
        """Flash: erase the next block where it will be needed soon; True if it did, which stops everything for 45 ms,
        400 ms at worst. Call it where Journal.tidy() may be called."""
        pages = self._pages
        page = self.number // SLOTS % pages.count
        if pages.group == 1 or page % pages.group < pages.group - 1 or self._erased >= 0:
            return False
        ahead = (page + 1) % pages.count
        self._erased = ahead if self._erase(ahead) else -1
        return True

    def _erase(self, page: int) -> bool:
        """Erase the block that begins with `page`, whose slots are then no longer among those that can be read."""
        self._cached = -1
        ahead = self.number // SLOTS
        ahead += (page - ahead) % self._pages.count
        self.oldest = max(self.oldest, (ahead - self._pages.count + self._pages.group) * SLOTS)
        return self._pages.erase(page)

    # Reading

    def _look(self, page: int) -> bool:
        """Have a page in the buffer, and tell whether it is one of this meter."""
        if self._cached != page:
            self._known = self._pages.read(page, self._buf) and self._sound(self._buf, page)
            self._cached = page
            self._rewind()
        return self._known

    def _sound(self, buf: bytearray, page: int) -> bool:
        """Whether a header is undamaged, of this meter, and on the page where its number belongs."""
        whose = buf[1] | buf[2] << 8 | buf[3] << 16
        if buf[0] != FORMAT or whose != self._identity or buf[27] > 63 or buf[7] > 63:
            return False
        return long_at(buf, _CHECK_AT) == check(buf, _CHECK_AT) and long_at(buf, 4) % self._pages.count == page

    def _page_number(self) -> int:
        return long_at(self._buf, 4)

    def _rewind(self) -> None:
        self._at = 0
        self._at_power_up = self._buf[8] | self._buf[9] << 8
        self._at_ended = long_at(self._buf, 10)

    def decode(self, number: int) -> int:
        """The kind of slot `number`, whose page is in the buffer; -1 where it is damaged. Sets `a` and `b`."""
        buf = self._buf
        at = _FIRST + number % SLOTS * SLOT_BYTES
        crc = START ^ number
        end = at + 5
        crc = self._check(at, end, crc)
        if buf[end] != crc & 255:
            return -1
        self.a = (buf[at] & 15) << 14 | buf[at + 1] << 6 | buf[at + 2] >> 2
        self.b = (buf[at + 2] & 3) << 16 | buf[at + 3] << 8 | buf[at + 4]
        return buf[at] >> 4

    def _check(self, at: int, end: int, crc: int) -> int:
        slot = self._pages.slot
        i = 0
        while at < end:
            slot[i] = self._buf[at]
            i += 1
            at += 1
        return check(slot, 5, crc)

    def _is_blank(self, i: int) -> bool:
        at = _FIRST + i * SLOT_BYTES
        end = at + SLOT_BYTES
        while at < end:
            if self._buf[at] != 0xFF:
                return False
            at += 1
        return True

    def seek(self, slot: int) -> int:
        """The kind of the slot at place `slot`, 0 to `slots` - 1; -1 where it is damaged, NONE where there is none.
        Sets `a` and `b`, and what holds before the slot."""
        i = slot % SLOTS
        if not self._look(slot // SLOTS):
            return NONE
        number = self._page_number() * SLOTS + i
        if number >= self.number or number < self.oldest or self._is_blank(i):
            return NONE
        if i < self._at:
            self._rewind()
        while self._at < i:
            self._pass(self._page_number() * SLOTS + self._at)
            self._at += 1
        return self.decode(number)

    def _pass(self, number: int) -> None:
        kind = self.decode(number)
        if kind == POWER_UP:
            self._at_power_up = self.a
            self._at_ended = 0
        elif kind == JUMP:
            self._at_ended = self.a
        elif 0 <= kind < PARTIAL:
            self._at_ended += 1

    def encode(self, slot: int, buf: bytearray, at: int) -> None:
        """Write the port's registers of the slot at place `slot` into `buf` from `at` on (docs/modbus.md): number,
        power-up, flags, end, energy delivered and received."""
        kind = self.seek(slot)
        self._clear(buf, at, at + 18)
        if kind == NONE or kind == POWER_UP or kind == JUMP:  # noqa: SIM109, PLR1714  a tuple would take heap
            buf[at + 4] = NONE >> 8
        elif kind < 0:
            buf[at + 4] = DAMAGED >> 8
        else:
            self._encode(kind, buf, at)
        if kind != NONE:
            self._encode_place(self._page_number() * SLOTS + slot % SLOTS, buf, at)

    def _encode_place(self, number: int, buf: bytearray, at: int) -> None:
        buf[at] = number >> 8 & 255
        buf[at + 1] = number & 255
        buf[at + 2] = self._at_power_up >> 8
        buf[at + 3] = self._at_power_up & 255

    def _clear(self, buf: bytearray, at: int, end: int) -> None:
        while at < end:
            buf[at] = 0
            at += 1

    def _encode(self, kind: int, buf: bytearray, at: int) -> None:
        pack_into(">i", buf, at + 10, self.a)
        pack_into(">i", buf, at + 14, self.b)
        if kind < PARTIAL:
            buf[at + 5] = kind
            pack_into(">i", buf, at + 6, 900 * (self._at_ended + 1))
        else:
            buf[at + 5] = kind & (GAP | FAILURE) | POWER_LOST
            pack_into(">i", buf, at + 6, 900 * self._at_ended + self._seconds())

    def _seconds(self) -> int:
        """The length in s of the partial interval that was decoded last, which the next slot has; 0 if it is not
        there."""
        number = self._page_number() * SLOTS + self._at + 1
        return self.b if self._at + 1 < SLOTS and self.decode(number) == POWER_UP else 0
