"""Power-cut campaign on the journal: random load, cut at every write position and at random times, reboot, compare.

    ./scripts/bench --power-cuts 100000

A cut without warning happens at any byte of a write (FRAM), anywhere in a program or an erase (flash), or between two
cycles. With warning the meter commits in each cycle that it still has before the cut. After each cut the journal is
loaded as at power-up (and cut again, at times, while that is going on) and must give a state that had been handed to
it, never one above what was measured, and less only by the bound.
"""

import random
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from host.rigs.memory_rig import Cut, Rig
from openkh.metrology.energy import ROLL_WH, book
from openkh.model import Model
from openkh.state import FIELDS, State
from openkh.storage.verdict import BLANK, GOOD

if TYPE_CHECKING:
    from host.campaigns.spread.spread import Spread

CYCLE_US = 100_000
SECOND = 10  # cycles
MEDIA = ("fram", "flash")
PART = 1000  # cuts in the life of one journal
HOLDUP = "firmware: smallest hold-up that loses nothing, ms"
BUSY_HOLDUP = "firmware: the same, RP2040 busy for 31 ms, ms"
LOST = "firmware: Wh lost by a cut without warning"
_fields = attrgetter(*FIELDS)  # of a state, as a tuple


class Campaign:
    """One memory, one load, cut after cut. `result` has what was seen."""

    def __init__(self, medium, seed, blocks=6):
        self.random = random.Random(f"{medium} {seed}")
        self.medium = medium
        self.model = Model("MDNCT-1SC", "60Hz")
        self.rig = Rig(medium, seed, blocks)
        self.full_counts = 2 * self.model.full_scale_w * self.model.counts_per_wh // 36_000  # both lines, one cycle
        self.state = State()
        # A register near its roll-over, so that cuts fall there too (EN-3).
        self.state.delivered_wh = ROLL_WH - self.random.randrange(1, 20_000)
        self.handed = {}  # sequence -> fields as handed to the journal
        self.recent = []  # gross counts of the last second's cycles
        self.result = {
            "cuts": 0,
            "cuts_in_write": 0,
            "cuts_in_erase": 0,
            "cuts_at_boot": 0,
            "cuts_with_warning": 0,
            "lost_wh_worst": 0.0,
            "lost_wh_worst_with_warning": 0.0,
            "lost_cycles_worst": 0,
            "damaged_records_seen": 0,
            "saves": 0,
            "roll_overs": 0,
        }
        self.journal = None
        self._boot()
        self.journal.save(self.state)
        self._note()

    def run(self, cuts):
        """So many power cuts."""
        for _ in range(cuts):
            self._live_and_die()
        return self.result

    def _live_and_die(self):
        rnd = self.random
        self.result["cuts"] += 1
        self.watts = rnd.choice((0, 1, 30, 3_000, 24_000, 47_000))
        self.mixed = rnd.random() < 0.3
        warning = rnd.random() < 0.25
        chip = self.rig.chip
        try:
            if not warning and rnd.random() < 0.75:
                # In the middle of a write or an erase, counted from here; in front of it any number of cycles.
                for _ in range(rnd.choice((0, 3, 30, 700))):
                    self._cycle(False)
                if self.medium == "fram":
                    chip.cut_in = rnd.randrange(0, 300)
                elif rnd.random() < 0.3:
                    self._until_block_ends()
                    chip.cut_in = 1  # the save, then the erase after it
                else:
                    chip.cut_in = rnd.randrange(0, 3)
                chip.cut_fraction = rnd.random()
                while True:
                    self._cycle(False)
            for _ in range(rnd.randrange(0, 200)):
                self._cycle(False)
            if warning:
                self.result["cuts_with_warning"] += 1
                # The first cycle after the sag reads all there was and commits; the load is off with the supply.
                self._cycle(True)
                self.watts = 0
                for _ in range(rnd.randrange(0, 3)):
                    self._cycle(True)
        except Cut:
            self.result["cuts_in_write"] += 1
        self._reboot(warning)

    def _until_block_ends(self):
        """On to where the next save is followed by an erase."""
        journal = self.journal
        for _ in range(60):
            if journal._slot % 48 == 47 or journal._next < 0:
                return
            self._save_now()

    def _save_now(self):
        if self.journal.save(self.state):
            self._note()
            self.journal.tidy()

    def _cycle(self, failing):
        """Measure, book, give, commit: what the firmware's cycle does."""
        state = self.state
        counts = self.full_counts * self.watts // 47_000
        if counts:
            counts = self.random.randrange(counts // 2, counts + 1)
        net = -counts if self.mixed and self.random.random() < 0.5 else counts
        book(state, net, self.model.counts_per_wh)
        state.run_us += CYCLE_US
        if state.run_us >= 1_000_000:
            state.run_us -= 1_000_000
            state.run_s += 1
            if state.run_s % 300 == 0:
                state.sub_k += 1
                state.sub_counts = 0
        state.raw_1 = (state.raw_1 + net) & 0xFFFFFF
        # What was given may never be ahead of the energy, nor of its record.
        inner_wh = state.delivered_wh
        state.edges_10 = inner_wh // 10
        state.edges_100 = inner_wh // 100
        state.edges_1000 = inner_wh // 1000
        state.counter_given = inner_wh // 100
        self.recent.append(counts)
        if len(self.recent) > SECOND:
            self.recent.pop(0)
        before = self.journal.sequence
        # Handed over from here on, whether the write is finished or not.
        self.handed[(before + 1) & 0x3FFFFFFF] = _fields(state)
        if self.journal.step(state, failing):
            self.result["saves"] += 1
            if not failing:
                self.journal.tidy()
        if len(self.handed) > 4000:
            for key in list(self.handed)[:1000]:
                del self.handed[key]

    def _note(self):
        self.handed[self.journal.sequence] = _fields(self.state)

    def _boot(self):
        while True:
            self.rig.power(True)
            journal = self.rig.journal()
            state = State()
            chip = self.rig.chip
            if self.result["cuts"] and self.medium == "flash" and self.random.random() < 0.1:
                chip.cut_in = 0
                chip.cut_fraction = self.random.random()
            try:
                code = journal.load(state)
            except Cut:
                self.result["cuts_at_boot"] += 1
                continue
            chip.cut_in = -1
            self.journal = journal
            return code, state

    def _reboot(self, warning):
        truth = self.state
        code, state = self._boot()
        result = self.result
        if code != GOOD:
            raise AssertionError(f"{self.medium}: load gave {code} ({BLANK} = new) after cut {result['cuts']}")
        sequence = self.journal.sequence
        fields = _fields(state)
        if self.handed.get(sequence) != fields:
            raise AssertionError(f"{self.medium}: record {sequence} misread after cut {result['cuts']}")
        lost = self._counts(truth.delivered_wh, truth.delivered_counts, state.delivered_wh, state.delivered_counts)
        lost_received = self._counts(truth.received_wh, truth.received_counts, state.received_wh, state.received_counts)
        if lost < 0 or lost_received < 0:
            raise AssertionError(f"{self.medium}: more energy than measured after cut {result['cuts']}")
        lost += lost_received
        lost_wh = lost / self.model.counts_per_wh
        cycles = (truth.run_s - state.run_s) * SECOND + (truth.run_us - state.run_us) // CYCLE_US
        bound = 0 if warning else sum(self.recent) if self.medium == "fram" else 100 * self.model.counts_per_wh
        if lost > bound:
            raise AssertionError(f"{self.medium}: {lost_wh} Wh lost after cut {result['cuts']}, warning: {warning}")
        key = "lost_wh_worst_with_warning" if warning else "lost_wh_worst"
        result[key] = max(result[key], lost_wh)
        if lost:
            result["lost_cycles_worst"] = max(result["lost_cycles_worst"], cycles)
        result["damaged_records_seen"] += self.journal.damaged
        result["roll_overs"] = state.rolls
        if self.medium == "flash":
            result["cuts_in_erase"] = self.rig.chip.half_erased
        self.journal.start_life()
        state.power_up()
        self.state = state
        self.recent = []

    def _counts(self, wh, counts, less_wh, less_counts):
        """Difference of two registers in counts, over a roll-over too."""
        half = ROLL_WH // 2
        return ((wh - less_wh + half) % ROLL_WH - half) * self.model.counts_per_wh + counts - less_counts


def run(medium: str, cuts: int, seed: int = 1) -> dict[str, Any]:
    """`cuts` power cuts in one life of a journal; AssertionError where a bound is broken."""
    return Campaign(medium, seed).run(cuts)


def rows(spread: "Spread", cuts: int) -> list[tuple[str, Any, str]]:
    """For ./scripts/bench: half of the cuts on each memory, in lives of PART; from 20,000 on whole meters, too."""
    few = min(FIRMWARE_CUTS, cuts // 1000)
    jobs: dict[str, tuple[Any, ...]] = {}
    if few >= FIRMWARE_CUTS // 2:  # the longest come first
        for medium in MEDIA:
            jobs[f"{medium}, {HOLDUP}"] = (smallest_holdup_ms, medium, few)
            jobs[f"{medium}, {BUSY_HOLDUP}"] = (smallest_holdup_ms, medium, few, BUSY_MS)
            jobs[f"{medium}, {LOST}"] = (whole_firmware, medium, NO_WARNING_MS, few)
    half = -(-cuts // len(MEDIA))
    for medium in MEDIA:
        for seed, first in enumerate(range(0, half, PART), 1):
            jobs[f"{medium}, seed {seed}"] = (run, medium, min(PART, half - first), seed)
    found = dict(zip(jobs, spread.each("power cuts", jobs), strict=True))
    told: list[tuple[str, Any, str]] = []
    for medium in MEDIA:
        lives = [figures for name, figures in found.items() if name.startswith(f"{medium}, seed")]
        for name in lives[0] if lives else ():
            whole = max if "worst" in name else sum
            told.append((f"{medium}: {name}", whole(life[name] for life in lives), ""))
        for name in (HOLDUP, BUSY_HOLDUP):
            if f"{medium}, {name}" in found:
                told.append((f"{medium}: {name}", found[f"{medium}, {name}"], ""))
        if f"{medium}, {LOST}" in found:
            told.append((f"{medium}: {LOST}, mean", round(found[f"{medium}, {LOST}"] / few, 2), ""))
    return told


# The whole firmware on the virtual board

FIRMWARE_CUTS = 40  # for each hold-up tried
AMPS = 100.0
HOLDUPS_MS = (
    200.0,
    120.0,
    80.0,
    60.0,
    50.0,
    45.0,
    40.0,
    35.0,
    30.0,
    25.0,
    20.0,
    15.0,
    10.0,
    8.0,
    6.0,
    5.0,
    4.0,
    3.0,
    2.0,
)
NO_WARNING_MS = 0.001
BUSY_MS = 31  # a callback of 10 ms, a garbage collection of 17 ms, and the 4 ms that the cycle's own code takes


def whole_firmware(
    medium: str, holdup_ms: float, cuts: int, seed: int = 1, busy_ms: int = 0, engine: str = "micropython"
) -> float:
    """Wh lost in all by `cuts` power cuts at random times under a load of 24 kW; exact to one count.

    The load is off while the chips start, so that what is missing is lost in the cuts. `busy_ms`: when the supply fails
    the RP2040 is taken up by something else for so long.
    """
    from host.sim.link import Link

    rnd = random.Random(f"{medium} {holdup_ms} {seed}")
    t_us = 0
    stimulus: list[list[Any]] = [_mains(0, 0.0)]
    for _ in range(cuts):
        t_us += 1_500_000
        stimulus.append(_mains(t_us, AMPS))
        t_us += rnd.randrange(2_000_000, 4_000_000)
        stimulus += [["power", t_us, 0], _mains(t_us, 0.0)]
        if busy_ms:
            stimulus.append(["fault", t_us, "cpu", "stall", {"ms": busy_ms}, 0])
        t_us += 1_000_000
        stimulus.append(["power", t_us, 1])
    board = {"memory": medium, "holdup_ms": holdup_ms}
    config = {"model": "MDNCT-1SC", "service": "60Hz", "seed": seed, "board": board}
    with Link(engine, config) as meter:
        meter.run(t_us + 3_000_000, stimulus)
        final = meter.finish()
    counted = sum(line["counts"] for line in final["counted"])
    return counted / 32_000 - float(Decimal(final["register"]["delivered_wh"]))


def _mains(t_us: int, amps: float) -> list[Any]:
    return ["mains", t_us, 0, [120.0, amps, 0.0, 0.0], [120.0, amps, 0.0, 180.0], 60.0]


def smallest_holdup_ms(medium: str, cuts: int, busy_ms: int = 0, seed: int = 1) -> float:
    """The shortest hold-up of HOLDUPS_MS down to which no cut loses anything."""
    smallest = 0.0
    for holdup_ms in HOLDUPS_MS:
        if whole_firmware(medium, holdup_ms, cuts, seed, busy_ms) > 1e-4:
            break
        smallest = holdup_ms
    return smallest
