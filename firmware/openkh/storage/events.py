"""The event log. It has room for so many entries, of which the oldest makes room for the next; no cut tears one (ST-1).

An entry is 20 bytes: code (1), order (3), run time in s (4), numbers a (4) and b (4), check (4). `order` numbers the
entries as they come. Entries of calibration, identity and port lie in a region of their own, those of seal and fine
pulses in another, so that no number of others displaces them (CA-2, CA-3a).

`add` may be called at any time in the cycle and only puts the entry into a queue; `step` writes one entry in a cycle. A
code that repeats without end is held back to one entry a minute after the first 32, so that it can neither wear flash
out nor push everything else out of the log; what was held back is counted.

Long because the ring of one region in a module of its own would take more of the device's heap than it makes plainer.
"""

from array import array
from struct import pack_into, unpack_from

from openkh import event_codes
from openkh.bound import bind
from openkh.storage.check import check
from openkh.storage.layout import EVENT_BYTES
from openkh.storage.verdict import BLANK, DAMAGED, GOOD, SILENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.storage.flash_regions import FlashRegion
    from openkh.storage.regions import FramRegion

_QUEUE = 32
_WORDS = 4  # of a queued entry: code, run_s, a, b
CODES = 64  # numbers of events that there can be (event_codes.py)
_WITHDRAWN = 0  # no event's code
_BURST = 32  # so many entries of one code may come in a row before it is held back,
_REFILL_S = 60  # and one more after each such time
_CHECK_AT = 16
_START = 0x15A5A5A5  # the check begins with this, so that no blank memory passes for an entry
_ORDER_MASK = 0xFFFFFF  # entries are numbered in 24 bits, round and round:
_NEWER = 0x7FFFFF  # a number up to this much ahead of another one is the newer
_ERASED = b"\xff" * EVENT_BYTES
_ZEROS = bytes(EVENT_BYTES)
_TRIES = 3
_ROOM = 16  # flash: the next block is erased when the one in use has so few free slots left

SERVICE_CODES = (
    event_codes.CALIBRATION,
    event_codes.CALIBRATION_OLD,
    event_codes.IDENTITY,
    event_codes.PORT,
    event_codes.PORT_OLD,
    event_codes.CALIBRATION_SAVED,
)
SEAL_CODES = (
    event_codes.SEAL_OPENED,
    event_codes.SEAL_CLOSED,
    event_codes.FINE_PULSES_ON,
    event_codes.FINE_PULSES_OFF,
)
_OTHERS, _SERVICE, _SEAL = 0, 1, 2  # rings


def _pack(view: memoryview, order: int, queue: "array[int]", at: int) -> None:
    """Write the entry that lies in the queue from `at` on into `view`, with its order and its check."""
    pack_into("<i", view, 1, order)
    view[0] = queue[at]
    to = 4
    while to < _CHECK_AT:
        at += 1
        pack_into("<i", view, to, queue[at])
        to += 4
    to = check(view, _CHECK_AT, _START)
    pack_into("<i", view, _CHECK_AT, to)


class _Ring:
    """The entries of one region, written round and round."""

    def __init__(self, region: "FramRegion | FlashRegion") -> None:
        self.region = region
        self.slot = -1  # where the next entry goes; -1: not known yet, or no block is erased for it
        self.newest = -1  # slot of the newest entry; -1: there is none
        self.order = -1  # of the newest entry
        self._erased = -1  # flash: first slot of the block ahead that is erased; -1: none
        # Flash: slots from _spoil up to _spoil_end, behind the newest entry, may hold what a cut has left half written.
        # They do not count, and are made unreadable before the first write.
        self._spoil = 0
        self._spoil_end = 0
        self._buf = bytearray(EVENT_BYTES)
        self.order_read = 0  # order of the entry that is in the buffer
        self.damaged = 0

    def look(self, slot: int) -> int:
        """Read a slot into the buffer and judge it: GOOD, BLANK, DAMAGED or SILENT. Sets `order_read` where it is
        GOOD."""
        buf = self._buf
        for _ in range(_TRIES):
            if not self.region.read(slot, buf):
                return SILENT
            if buf == _ERASED or buf == _ZEROS:  # noqa: SIM109  a tuple would be allocated
                return BLANK
            crc = check(buf, _CHECK_AT, _START)
            if (
                buf[16] == crc & 255
                and buf[17] == crc >> 8 & 255
                and buf[18] == crc >> 16 & 255
                and buf[19] == crc >> 24
            ):
                self.order_read = buf[1] | buf[2] << 8 | buf[3] << 16
                return GOOD
        return DAMAGED

    def holds(self, slot: int) -> bool:
        """Whether a slot has a good entry that counts; it is in the buffer then."""
        return not self._spoil <= slot < self._spoil_end and self.look(slot) == GOOD

    def after(self, slot: int) -> int:
        """The slot to look at after `slot`, which was just read: in flash nothing follows an erased one in its
        block."""
        group = self.region.group
        if group and self._buf == _ERASED:
            return slot - slot % group + group
        return slot + 1

    def find(self) -> bool:
        """Find the newest entry and the slot for the next one; False if the memory does not answer."""
        if not self.region.slots:
            return False
        if self.region.group:
            return self._find_in_blocks()
        low = 0
        high = self.region.slots - 1
        found = self.look(0)
        first = self.order_read
        if found == SILENT:
            return False
        if found == BLANK and self.look(1) == BLANK and self.look(high) == BLANK:
            self.slot = 0  # nothing logged yet
            return True
        if found != GOOD:
            return self._find_one_by_one()
        # From slot 0 on the orders rise up to the newest entry; behind it lies the oldest one, or nothing.
        while low < high:
            middle = (low + high + 1) // 2
            found = self.look(middle)
            if found in (SILENT, DAMAGED):
                return found == DAMAGED and self._find_one_by_one()
            if found == GOOD and self._later(first):
                low = middle
            else:
                high = middle - 1
        if self.look(low) != GOOD:
            return False
        self.order = self.order_read
        self.newest = low
        self.slot = (low + 1) % self.region.slots
        return True

    def _later(self, order: int) -> bool:
        """Whether the entry read last is not older than the one of `order` (-1: there is none), where 0 follows on the
        highest number."""
        return order < 0 or (self.order_read - order) & _ORDER_MASK <= _NEWER

    def _find_one_by_one(self) -> bool:
        """`find` where a damaged slot makes halving impossible: read every slot."""
        for slot in range(self.region.slots):
            found = self.look(slot)
            if found == SILENT:
                return False
            if found == DAMAGED:
                self.damaged += 1
            elif found == GOOD and self._later(self.order):
                self.order = self.order_read
                self.newest = slot
        self.slot = (self.newest + 1) % self.region.slots
        return True

    def _find_in_blocks(self) -> bool:
        """`find` in flash: the first good entry of a block tells how new it is; of the newest block the end is read."""
        group = self.region.group
        for start in range(0, self.region.slots, group):
            for slot in range(start, start + group):
                if self.look(slot) == GOOD:
                    if self._later(self.order):
                        self.order = self.order_read
                        self.newest = slot
                    break
                if self._buf == _ERASED:
                    break
        start = max(0, self.newest)
        start -= start % group
        slot = start + group
        while slot > start and self.region.blank(slot - 1):
            slot -= 1
        # The first blank slot is passed over: an entry may have begun in it, although it reads as blank.
        self.slot = slot + 1 if slot + 1 < start + group else -1
        self._spoil_end = min(slot + 1, start + group)
        while slot > start:
            slot -= 1
            found = self.look(slot)
            if found == GOOD:
                self.order = self.order_read
                self.newest = slot
                break
            if found == DAMAGED:
                self.damaged += 1
        self._spoil = self.newest + 1 if self.newest >= start else start
        return True

    def write(self, order: int, queue: "array[int]", at: int) -> bool:
        """Write the entry that lies in the queue from `at` on; False where it does not read back."""
        done = self._put(order, queue, at)
        if done:
            self.newest = self.slot
            self.order = order
        self._go_on(done)
        return done

    def _go_on(self, done: bool) -> None:
        """Go on to the next slot where this one holds its entry (`done`), or, in flash, can take none any more."""
        slot = self.slot
        region = self.region
        if region.group:
            if not done and not region.blank(slot):
                region.spoil(slot)  # or it might read as an entry one day, beside the one that is written next
            slot += 1
            if slot % region.group == 0:
                slot = self._erased
                self._erased = -1
            self.slot = slot
        elif done:
            self.slot = (slot + 1) % region.slots

    def _put(self, order: int, queue: "array[int]", at: int) -> bool:
        """Write an entry into the next slot and read it back."""
        slot = self.slot
        region = self.region
        while self._spoil < self._spoil_end:
            region.spoil(self._spoil)
            self._spoil += 1
        _pack(region.view(slot), order, queue, at)
        return region.commit(slot) and region.holds(slot)

    def wants_erase(self) -> bool:
        """Flash: whether the block in use is nearly full and the next one is not erased yet."""
        group = self.region.group
        return group > 0 and self._erased < 0 and (self.slot < 0 or self.slot % group >= group - _ROOM)

    def erase(self) -> None:
        """Erase the block after the one in use."""
        group = self.region.group
        at = self.slot if self.slot >= 0 else max(0, self.newest)
        at = (at - at % group + group) % self.region.slots
        if self.region.erase(at):
            if self.slot < 0:
                self.slot = at
            else:
                self._erased = at

    def newest_code(self) -> int:
        """The code of the newest entry; 0 if there is none or it cannot be read."""
        return self._buf[0] if self.newest >= 0 and self.look(self.newest) == GOOD else 0

    def entry(self) -> "tuple[int, int, int, int, int]":
        """The entry in the buffer: order, run time in s, code, a, b."""
        run_s, a, b = unpack_from("<iii", self._buf, 4)
        return (self._buf[1] | self._buf[2] << 8 | self._buf[3] << 16, run_s, self._buf[0], a, b)


class EventLog:
    """The log over its three regions: of events, of the service's entries, of the seal's. A flash that was laid out
    without the third has the seal's entries with the service's.

    Call `load` once before the cycle starts. The cycle keeps `run_s`, the run time in s, up to date.
    """

    def __init__(self, regions: "tuple[FramRegion | FlashRegion, ...]") -> None:
        self._rings = tuple([_Ring(region) for region in regions])
        if not regions[_SEAL].slots:
            self._rings = self._rings[:_SEAL]
        self._queue = array("i", [0] * (_QUEUE * _WORDS))
        self._first = 0  # the oldest entry of the queue
        self.pending = 0  # entries in the queue, which are not written yet
        self.order = 0  # number of the newest entry that was written
        self._tokens = bytearray([_BURST] * CODES)  # entries of each code that may still come before it is held back
        self._refill_s = 0  # run time at which each code got one more
        self._misses = 0  # writes in a row that did not read back
        self._tried_s = 0  # run time at which a memory that takes nothing was tried last
        self._ready = False  # whether `load` has found where each region goes on
        self._off = False  # whether nothing may be written
        self.run_s = 0
        self.added = 0  # entries that `add` was called for
        self.held_back = 0  # of these, repetitions that were not logged
        self.lost = 0  # of these, entries that came while the queue was full
        self.errors = 0  # writes that did not read back
        self.wanted: list[tuple[int, int, int, int, int]] | None = None  # see collect()
        self._collect_ring = 0
        self._collect_slot = 0
        bind(self, "step")

    def load(self) -> bool:
        """Find where each region goes on; False if the memory does not answer: entries wait in the queue then."""
        self._ready = True
        for ring in self._rings:
            self._ready = ring.find() and self._ready
            if ring.order >= 0 and (ring.order - self.order) & _ORDER_MASK <= _NEWER:
                self.order = ring.order
        return self._ready

    def leave_off(self) -> None:
        """Write nothing from now on, because the memory has the layout of a newer firmware."""
        self._off = True

    def add(self, code: int, a: int = 0, b: int = 0) -> None:
        """Queue an event; `a` and `b` are integers within +-2^30. Allocates nothing."""
        self.added += 1
        if self._ring_of(code) == _OTHERS:  # the rest come from a person at work, and each of them is kept (CA-2)
            if self._tokens[code] == 0:
                self.held_back += 1
                return
            self._tokens[code] -= 1
        if self.pending == _QUEUE:
            self.lost += 1
            return
        at = (self._first + self.pending) % _QUEUE * _WORDS
        queue = self._queue
        queue[at] = code
        queue[at + 1] = self.run_s
        queue[at + 2] = a
        queue[at + 3] = b
        self.pending += 1

    def step(self) -> None:
        """Write the oldest queued entry, if there is one, which takes 2 ms on FRAM; otherwise go on with `collect`.
        Allocates nothing but for `collect`."""
        if self.run_s - self._refill_s >= _REFILL_S or self.run_s < self._refill_s:
            self._refill()
        if not self._ready or self._misses >= _TRIES:
            # A memory that does not take entries is tried once a second.
            if self.run_s == self._tried_s:
                return
            self._tried_s = self.run_s
            if not self._ready and not self.load():
                return
        if self.pending and not self._off:
            self._write()
        elif self.wanted is not None:
            self._collect(self.wanted)

    def _refill(self) -> None:
        """A minute has passed: each code that is held back may come once more."""
        self._refill_s = self.run_s
        tokens = self._tokens
        for code in range(CODES):
            if tokens[code] < _BURST:
                tokens[code] += 1

    def _write(self) -> None:
        at = self._first * _WORDS
        ring = self._rings[self._ring_of(self._queue[at])]
        order = (self.order + 1) & _ORDER_MASK
        if self._queue[at] == _WITHDRAWN:
            self._first = (self._first + 1) % _QUEUE
            self.pending -= 1
            return
        if ring.slot < 0:
            return  # there is no erased block until tidy() has been called
        if ring.write(order, self._queue, at):
            self.order = order
            self._first = (self._first + 1) % _QUEUE
            self.pending -= 1
            self._misses = 0
        else:
            self.errors += 1
            self._misses += 1

    def _ring_of(self, code: int) -> int:
        if code in SERVICE_CODES:
            return _SERVICE
        if code in SEAL_CODES:
            return len(self._rings) - 1
        return _OTHERS

    def holds(self, code: int, a: int) -> bool:
        """Whether the service's region has an entry of `code` with this `a`. Not in the cycle."""
        ring = self._rings[_SERVICE]
        for slot in range(ring.region.slots):
            if ring.holds(slot):
                entry = ring.entry()
                if entry[2] == code and entry[3] == a:
                    return True
        return False

    def withdraw(self, code: int, a: int) -> None:
        """Take an entry that is still queued out again, because what it tells has not come about."""
        queue = self._queue
        for n in range(self.pending):
            at = (self._first + n) % _QUEUE * _WORDS
            if queue[at] == code and queue[at + 2] == a:
                queue[at] = _WITHDRAWN

    def room(self) -> int:
        """How many entries can be added before one is lost."""
        return _QUEUE - self.pending

    def newest_of_seal(self) -> int:
        """The code of the newest entry in the seal's region, 0 if there is none. Call it before the cycle starts."""
        return self._rings[-1].newest_code()

    def tidy(self) -> bool:
        """Flash: erase a block if one is needed soon; True if it did. Call it where Journal.tidy() may be called."""
        for ring in self._rings:
            if ring.wants_erase():
                ring.erase()
                return True
        return False

    # Reading

    def entries(self) -> "list[tuple[int, int, int, int, int]]":
        """Every good entry, oldest first, as (order, run time in s, code, a, b). Not in the cycle: takes 0.2 s."""
        found: list[tuple[int, int, int, int, int]] = []
        for ring in self._rings:
            for slot in range(ring.region.slots):
                if ring.holds(slot):
                    found.append(ring.entry())
        return self.sorted(found)

    def sorted(self, found: "list[tuple[int, int, int, int, int]]") -> "list[tuple[int, int, int, int, int]]":
        """These entries in the order in which they came, where 0 follows on the highest order."""
        newest = self.order
        return sorted(found, key=lambda entry: (entry[0] - newest - 1) & _ORDER_MASK)

    def collect(self) -> "list[tuple[int, int, int, int, int]]":
        """For the prompt: return a list that fills over the next seconds, as each cycle reads four slots. It is
        complete once `wanted` is None again."""
        found: list[tuple[int, int, int, int, int]] = []
        self._collect_ring = 0
        self._collect_slot = 0
        self.wanted = found
        return found

    def _collect(self, found: "list[tuple[int, int, int, int, int]]") -> None:
        """Read the next four slots for `collect`."""
        ring = self._rings[self._collect_ring]
        for _ in range(4):
            if ring.holds(self._collect_slot):
                found.append(ring.entry())
            self._collect_slot = ring.after(self._collect_slot)
            if self._collect_slot == ring.region.slots:
                self._collect_slot = 0
                self._collect_ring += 1
                if self._collect_ring == len(self._rings):
                    self.wanted = None
                return
