"""What outlives a reset that clears the watchdog's scratch registers as well: a note in the front ends (ST-1a).

The RUN pin and the RP2040's own brown-out detector clear the scratch registers, while the front ends go on. The energy
counted since the journal's record is still in their counters; the pulses given for it would be given again. So the
low bits of what was given stand in LINECYC and ZXTOUT of each front end, which neither metering nor the checksum uses
(data sheet p.26, 44, 58).

    LINECYC   edges_10 (6), edges_100 (3), edges_1000 (2), of the newest record's sequence number the lowest 5 of 7
    ZXTOUT    its upper 2, run time in s (6); check (8), with the life (2 of 4) in it, which the values after a reset do
              not pass

A note that is there at all says that the supply has not been lost since. Where it is of another life than the record
that is found, the supply was lost after that record, and later ones cannot be read: it says nothing of the note's time.
Else what is in the note counts if it was made after the record, or with it; if not, the record has the same or more. A
count of the counter needs none: its record is written before the coil moves.
"""

from openkh.bound import bind
from openkh.drivers.ade7953_registers import LINECYC, ZXTOUT
from openkh.startup.scratch_registers import on_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.drivers.ade7953 import Ade7953
    from openkh.state import State
    from openkh.storage.journal import Journal

_HALF = 0xFFFF
_SALT = 0x5A
_PLAIN = 0xFFFFFF  # a note without the life, which
_LIFE_AT = 24  # stands above it here, and in the front ends' registers in the check
_LIFE_MASK = 3
_SEQUENCE_MASK = 127
_LATER = 63  # a sequence number up to so much ahead of another is the later one
_SECONDS_MASK = 63  # enough, because a record is never older than 60 s
LONGEST_S = 2  # the longest time between two notes where no record is made; on FRAM one is made each second
MOST_RECORDS = 20  # so many after a note it is made anew; twice as many, for two front ends in turn, are within _LATER
MEAN_AGE_US = 500_000  # how old the newest of note and record is, on the average


def _note_of(state: "State", journal: "Journal") -> int:
    return (
        state.edges_10 & 63
        | (state.edges_100 & 7) << 6
        | (state.edges_1000 & 3) << 9
        | (journal.sequence & _SEQUENCE_MASK) << 11
        | (state.run_s & _SECONDS_MASK) << 18
        | (journal.life & _LIFE_MASK) << _LIFE_AT
    )


def _high(note: int) -> int:
    """The upper half of a note, with its check."""
    return note >> 16 & 0xFF | ((note & _PLAIN) % 251 ^ _SALT ^ note >> _LIFE_AT) << 8


def _whole(low: int, high: int) -> int:
    """The note that the two registers hold, with its life; -1 where the check does not hold."""
    if low < 0 or high < 0:  # it does not answer
        return -1
    note = low | (high & 0xFF) << 16
    life = high >> 8 ^ note % 251 ^ _SALT
    return note | life << _LIFE_AT if life <= _LIFE_MASK else -1


def _later(note: int, other: int) -> bool:
    """Whether `note` was made after `other`: by the record's number, the second, the edges."""
    for shift, mask in ((11, _SEQUENCE_MASK), (18, _SECONDS_MASK), (0, 63)):
        step = (note >> shift) - (other >> shift) & mask
        if step:
            return step <= mask >> 1
    return False


class ChipNotes:
    """`keep` tells whether there is something to note; `write` notes it; `read` reads it once at a start, before the
    chips are set up.

    There is a note for each edge that no record has. To write one takes 2 ms of bus and checks, so it goes into one
    front end after this cycle and into the other after the next, and not at all where the journal has just taken the
    same. `wanted` tells whether `write` is to be called before the next cycle.
    """

    def __init__(self, chips: "tuple[Ade7953, ...]") -> None:
        self._chips = chips
        self._run_s = 0  # run time of the newest note or record
        self._sequence = -MOST_RECORDS  # that of the newest record at the time when the last note was written
        self._edges = -1
        self.due = 0  # front ends that have not got the newest note yet
        self._turn = 0
        self.wanted = False
        bind(self, "keep")

    def read(self) -> int:
        """The note that the front ends hold, of two the newer one; -1 if none does."""
        found = -1
        for chip in self._chips:
            low = chip.read_sure(LINECYC)
            high = chip.read_sure(ZXTOUT)
            note = _whole(low, high)
            if found < 0 or (note >= 0 and _later(note, found)):
                found = note
        return found

    def keep(self, state: "State", journal: "Journal", saved: bool) -> None:
        """Once a cycle, after the journal's step: see what is to be noted. `saved`: its newest record is of this
        `state`. Allocates nothing."""
        run_s = state.run_s
        edges = state.edges_10 + state.edges_100 + state.edges_1000  # changes with each of them
        # Many records have been made since the last note, or the numbers are others than they were.
        late = not 0 <= journal.sequence - self._sequence < MOST_RECORDS
        if late or (not saved and (edges != self._edges or run_s - self._run_s >= LONGEST_S)):
            self.due = len(self._chips)
        if saved or self.due:
            self._edges = edges
            self._run_s = run_s
        self.wanted = self.due > 0 and (late or not saved)

    def write(self, state: "State", journal: "Journal") -> None:
        """Write the note into one front end. One that does not take it keeps the older note, which the record's number
        tells from this one."""
        self.wanted = False
        self.due -= 1
        self._sequence = journal.sequence
        note = _note_of(state, journal)
        self._turn = (self._turn + 1) % len(self._chips)
        self._chips[self._turn].note(LINECYC, note & _HALF, ZXTOUT, _high(note))


def resume(note: int, state: "State", sequence: int, life: int) -> bool:
    """Bring the `state` of record `sequence`, of power-up `life`, up to the note; False where the supply was lost after
    the record: there is no note, or it is of another life."""
    if note < 0 or note >> _LIFE_AT != life & _LIFE_MASK:
        return False
    if (note >> 11) - sequence & _SEQUENCE_MASK > _LATER:
        return True
    state.edges_10 = on_from(state.edges_10, note & 63, 6, 2, 10)
    state.edges_100 = on_from(state.edges_100, note >> 6 & 7, 3, 1, 100)
    state.edges_1000 = on_from(state.edges_1000, note >> 9 & 3, 2, 1, 1000)
    seconds = (note >> 18) - state.run_s & _SECONDS_MASK
    state.run_s += seconds
    state.sub_4us += seconds * 250_000
    return True
