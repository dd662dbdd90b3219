"""What the incidents of a random scenario may cost, in counts of the front ends: the bounds that rules.py uses.

The register is compared with what the simulated chips have counted themselves, so the bounds are about gaps and losses
alone: the start of a chip, its reset, a cut without warning, a fault that covers a cut. Without such an incident
nothing may be missing at all.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from host.stimulus.lines import Segment
from host.stimulus.source import Source
from openkh.model import Model

if TYPE_CHECKING:
    from host.campaigns.chaos.cases import Case

MEMORY_ASKED_S = 1.1
START_S = 0.4  # a chip counts so long at most before it is set up after the power came
GAP_S = 0.35  # the same for a chip that was reset
SILENT_S = 0.04  # of this each is silent after its reset, the likeliest chip
STOPS_S = 28.0  # a counter that stops at its end does so at full scale after this, at the soonest
SCRUB_S = 1.2  # an altered register that the checksum leaves out
CYCLE_S = 0.11
WARNED_MS = 40.0  # a hold-up from which on a cut loses nothing
FRAM_S = 1.15  # lost by a cut without warning
FLASH_S, FLASH_WH = 61.0, 130.0
ERASE_S = 0.1  # a cut in an erase of the flash
MEMORY_BACK_S = 12.0  # a memory that failed is looked at each 10 s
CHIP_BACK_S = 3.0
WATCHDOG_S = 10.0
FOR_EVER_S = 1e9
SPOILS_WRITES = 1e-2
TRUSTED_RATE = 1e-4  # of wrong bits, up to which the checks on the bus let no wrong value pass
FULL_SCALE = 1.05  # a chip counts no more than this part of its full scale
CLIPPED = 1.3  # a current far beyond the range becomes a square wave of its peak: 4 / pi of the range's rms, and noise
SLACK = 0.01  # noise; the phase of a frequency that is not the nominal one
HALF_TURNS = (-360.0, -180.0, 0.0, 180.0, 360.0)  # degrees at which the power of a current is largest, one way or other
LASTING = ("silent", "stuck", "stuck_ones", "stuck_zeros", "bit_error", "hang", "stall")


class Counts(NamedTuple):
    """At most so many counts forward (delivered), and so many back (received)."""

    forward: float = 0.0
    back: float = 0.0

    def plus(self, other: "Counts") -> "Counts":
        return Counts(self.forward + other.forward, self.back + other.back)

    def times(self, part: float) -> "Counts":
        return Counts(self.forward * part, self.back * part)

    def either_way(self) -> "Counts":
        most = max(self)
        return Counts(most, most)


Cost = tuple[float, Counts]  # time in s from which it may be missing


@dataclass
class Seen:
    """What a run gave: its report, every edge, a look at the end of each window with the edges counted so far, the
    starts of the firmware (time in s, cause), and the stimulus."""

    report: dict[str, Any]
    edges: list[tuple[int, str, int]]
    looks: list[tuple[dict[str, Any], dict[str, int]]]
    boots: list[tuple[float, str]]
    source: Source


@dataclass
class Fault:
    """A fault and the time in which it may matter."""

    part: str
    kind: str
    start_s: float
    end_s: float
    rate: float = 0.0

    @property
    def line(self) -> int | None:
        """Index of the line whose front end it breaks."""
        return int(self.part[4]) - 1 if self.part.startswith("chip") else None

    @property
    def in_memory(self) -> bool:
        return self.part in ("fram", "flash")

    def covers(self, at_s: float) -> bool:
        return self.start_s - 0.2 <= at_s <= self.end_s + 0.2


def faults_of(case: "Case", boots: list[tuple[float, str]]) -> list[Fault]:
    """The faults of a case; a hang lasts until the firmware starts again."""
    found = []
    for at, keys in (step for incident in case.incidents for step in incident.steps):
        fault = keys.get("fault")
        if fault is None:
            continue
        end_s = at + fault.get("for_s", 0.0) + fault.get("ms", 0.0) / 1000
        if fault["kind"] == "hang":
            end_s = min((boot for boot, _ in boots if boot > at), default=FOR_EVER_S)
        found.append(Fault(fault["part"], fault["kind"], at, end_s, fault.get("rate", 0.0)))
    return found


class Allowance:
    """The bounds of one run. Times in simulated seconds, energy in counts of the front ends."""

    def __init__(self, case: "Case", seen: Seen) -> None:
        self.model = Model(case.model, case.service)
        self.boots = seen.boots
        self.faults = faults_of(case, seen.boots)
        self.cuts = _cuts(case)
        self.jitter_s = case.config["jitter_us"] / 1e6
        self.memory = case.board.get("memory", "fram")
        self.holdup_s = case.board.get("holdup_ms", 80.0) / 1000
        self.warned = self.holdup_s >= WARNED_MS / 1000 + 2 * self.jitter_s
        chips = [case.board.get(f"chip{n}", {}) for n in (1, 2)]
        self.more_s = max(0.0, *(chip.get("silent_ms", 40.0) / 1000 - SILENT_S for chip in chips))
        self._stops = [chip.get("counter_end") == "stop" for chip in chips]
        self._segments = list(seen.source.segments())
        self._costs = sorted(self._each_cost())

    # -- bounds ------------------------------------------------------------------------------------------------

    @property
    def without_program(self) -> bool:
        """The flash did not answer at a start, or spoilt a bit in a thousand. On the RP2040 nothing starts then, as the
        program lies in it; on the virtual board it does, and takes the blocks that it cannot read for a memory never
        laid out."""
        flash = [fault for fault in self.faults if fault.part == "flash"]
        spoilt = [fault for fault in flash if fault.kind == "silent" or fault.rate >= 1e-3]
        return any(fault.start_s <= boot + 0.5 and boot <= fault.end_s for fault in spoilt for boot, _ in self.boots)

    def lost(self, at_s: float) -> Counts:
        """Counts that may be missing for good at a time."""
        return _sum(counts for start_s, counts in self._costs if start_s <= at_s)

    def losses(self, at_s: float) -> int:
        """In how many pieces at most."""
        return sum(start_s <= at_s for start_s, _ in self._costs)

    def wrong(self, at_s: float) -> Counts:
        """Counts that may have been booked up to a time without having been measured."""
        lines = [(fault, fault.line) for fault in self.faults if fault.line is not None]
        costs = [cost for fault, line in lines for cost in self._wrong(fault, line)]
        return _sum(counts for start_s, counts in costs if start_s <= at_s)

    def misread(self, at_s: float) -> Counts:
        """Counts by which a wrong reading may be off, in any direction, until the next one brings them back: with one
        bit in a hundred spoilt."""
        spoilt = any(f.line is not None and f.rate >= SPOILS_WRITES and f.covers(at_s) for f in self.faults)
        return self.at_full_scale(CYCLE_S + self.jitter_s if spoilt else 0.0)

    def under_way(self, at_s: float) -> Counts:
        """Counts that may be on their way into the register: those of the cycle that runs, and what is held up."""
        return _sum(self._under_way(at_s))

    def _under_way(self, at_s: float) -> Iterator[Counts]:
        yield self.counts(at_s - CYCLE_S - self.jitter_s - 0.4, at_s)
        for fault in self.faults:
            if fault.start_s <= at_s <= fault.end_s + CHIP_BACK_S + 0.5:
                # What was not read when it began has waited since then.
                back_s = CHIP_BACK_S + 0.5
                began = [
                    other.start_s for other in self.faults if other.start_s <= fault.start_s <= other.end_s + back_s
                ]
                yield self.counts(min(began) - 0.5, at_s)
        for boot, _ in self.boots:
            if boot - WATCHDOG_S <= at_s <= boot + 2:
                yield self.counts(boot - 1, at_s)
        for cut in self.cuts:
            if cut <= at_s <= cut + 20:
                yield self.counts(cut - 0.3, cut + 0.3)

    def in_ram_only(self, at_s: float) -> bool:
        """The meter may have started without its memory: what it shows is only what came since (DX-6)."""
        return any(
            fault.in_memory
            and fault.start_s - 0.2 <= at_s <= self._memory_out_until(fault.end_s) + MEMORY_BACK_S + 3
            and any(fault.covers(boot) or fault.covers(boot + 1) for boot, _ in self.boots)
            for fault in self.faults
        )

    def _unread_at(self, fault: Fault, at: float) -> bool:
        """Whether the meter runs without its memory, because of `fault`, and has not looked at it again until `at`."""
        without = any(boot < at and (fault.covers(boot) or fault.covers(boot + 1)) for boot, _ in self.boots)
        return without and at <= self._memory_out_until(fault.end_s) + MEMORY_BACK_S

    def _memory_out_until(self, at: float) -> float:
        """The end of the faults of the memory that, one after another, go on from `at`: it is not looked at between."""
        end_s = at
        for fault in sorted(self.faults, key=lambda fault: fault.start_s):
            if fault.in_memory and fault.kind in LASTING and fault.start_s <= end_s + MEMORY_BACK_S:
                end_s = max(end_s, fault.end_s)
        return end_s

    def counts(self, from_s: float, to_s: float, line: int | None = None) -> Counts:
        """The most that the lines (or one of them) may have counted between two times."""
        lines = range(self.model.elements) if line is None else range(line, min(line + 1, self.model.elements))
        near = [segment for segment in self._segments if _meets(segment, from_s, to_s)]
        most = _sum(_most(_watts(segment, n, self.model) for segment in near) for n in lines)
        return most.times(max(0.0, to_s - from_s) * self.model.counts_per_wh / 3600)

    def at_full_scale(self, seconds: float) -> Counts:
        """What a chip may count in a time at most, whatever its registers say."""
        counts = FULL_SCALE * self.model.full_scale_w * seconds * self.model.counts_per_wh / 3600
        return Counts(counts, counts)

    # -- what each incident may cost ---------------------------------------------------------------------------

    def _each_cost(self) -> Iterator[Cost]:
        for at, cause in self.boots:
            yield from self._start(at, cause)
        for fault in self.faults:
            if fault.line is not None and fault.line < self.model.elements:
                yield from self._chip(fault, fault.line)
        for at in self.cuts:
            yield from self._cut(at)

    def _start(self, at: float, cause: str) -> Iterator[Cost]:
        for line in range(self.model.elements):
            yield from self._written_wrong(line, at)
        if cause == "power":
            # A processor that stands still before the chips are set up begins that much later.
            held = [f.end_s for f in self.faults if f.part == "cpu" and at - 0.1 <= f.start_s <= at + START_S]
            # A memory that does not answer is asked again for a second, before the chips are set up.
            silent = any(
                f.in_memory and f.kind in LASTING and f.start_s <= at + START_S <= f.end_s for f in self.faults
            )
            asked_s = MEMORY_ASKED_S if silent else 0.0
            yield at - 0.1, self.counts(at - 0.1, max([at, *held]) + START_S + asked_s + self.more_s)
            for line in range(self.model.elements):
                # A chip that cannot be reached after the power came cannot be set up, and what it counts until then
                # is of an unknown scale: it is missing until the fault is over (FAIL 01).
                silent_s = self._unreachable_until(line, at)
                if silent_s > at:
                    yield at - 0.1, self.counts(at, silent_s + CHIP_BACK_S, line)
            return
        if cause == "run":
            # What was counted since the record is netted once more over all that time (EN-1, a late cycle).
            wh = FLASH_WH * self.model.counts_per_wh
            netted = self.counts(max(0.0, at - FLASH_S), at)
            yield at, Counts(min(netted.forward, wh), min(netted.back, wh))
        for fault in self.faults:
            if cause == "run" and fault.covers(at) and fault.line is not None:
                # The same where the scratch registers are cleared as well, back to the last cycle: no note is within
                # reach that tells of the chip's counts, so it is set up anew.
                silent_s = self._unreachable_until(fault.line, at)
                yield at - WATCHDOG_S, self.counts(at - WATCHDOG_S, max(at, silent_s) + CHIP_BACK_S, fault.line)
            if fault.in_memory and (fault.covers(at) or self._unread_at(fault, at)):
                yield at - WATCHDOG_S, self.counts(fault.start_s - FLASH_S, at + START_S)

    def _unreachable_until(self, line: int, at: float) -> float:
        """The end of the faults of a line's chip that, one after another, go on from `at`."""
        end_s = at
        for fault in sorted(self.faults, key=lambda fault: fault.start_s):
            if fault.line == line and fault.kind in LASTING and fault.start_s <= end_s + CHIP_BACK_S:
                end_s = max(end_s, fault.end_s)
        return end_s

    def _chip(self, fault: Fault, line: int) -> Iterator[Cost]:
        yield from self._wrong(fault, line)
        back_s = self._unreachable_until(line, fault.start_s)
        if self._stops[line] and back_s - fault.start_s > STOPS_S:
            yield fault.start_s, self.counts(fault.start_s, back_s + CHIP_BACK_S, line)
        if fault.kind in ("reset", "register"):
            back_s = self._back_s(fault, line)
            yield from self._written_wrong(line, fault.start_s)
            yield fault.start_s, self.counts(fault.start_s, back_s + GAP_S + self.more_s + self.jitter_s, line)
            for other in self.faults:  # what was not booked when the chip lost it
                if other is not fault and other.covers(fault.start_s):
                    held_s = other.end_s + START_S if other.part == "cpu" else fault.start_s
                    # After a hang the start knows of both lines' sum alone, and the other line's counts go too.
                    lost = None if other.kind == "hang" else line
                    yield fault.start_s, self.counts(other.start_s - 0.2, held_s, lost)

    def _written_wrong(self, line: int, at: float) -> Iterator[Cost]:
        """With one bit in a hundred spoilt a register that is written can come out wrong. It is mended, and what the
        chip has counted with it, in any direction, is dropped and logged."""
        for fault in self.faults:
            if fault.line == line and fault.rate >= SPOILS_WRITES and fault.start_s - START_S <= at <= fault.end_s:
                yield at, self.at_full_scale(SCRUB_S + self.jitter_s)

    def _back_s(self, fault: Fault, line: int) -> float:
        """When a chip that lost its settings can be set up again."""
        silent_s = self._unreachable_until(line, fault.start_s)
        return silent_s + CHIP_BACK_S if silent_s > fault.start_s else fault.start_s

    def _wrong(self, fault: Fault, line: int) -> Iterator[Cost]:
        """What may be booked and has not been: with wrong gains, or where a wrong value passes the checks."""
        if fault.kind == "register":
            yield fault.start_s, self.at_full_scale(self._back_s(fault, line) - fault.start_s + SCRUB_S + self.jitter_s)
        elif fault.rate > TRUSTED_RATE:
            part = 0.02 if fault.rate < SPOILS_WRITES else 1.0
            yield fault.start_s, self.counts(fault.start_s - 1, fault.end_s + 2, line).either_way().times(part)

    def unwarned(self, at: float) -> bool:
        """Nothing may tell of a cut in time: no hold-up, or a witness of the supply is out of use."""
        return not self.warned or any(
            fault.part in ("bulk_sense", "irq1", "chip1") and fault.start_s <= at + 0.3 and at <= fault.end_s + 2.0
            for fault in self.faults
        )

    def _cut(self, at: float) -> Iterator[Cost]:
        if self.unwarned(at) and self.memory == "fram":
            unsaved_s = at - FRAM_S - self.jitter_s
            yield at, self.counts(unsaved_s, at)
            for fault in self.faults:  # what a chip counted while it was silent comes at once when it is back
                if fault.line is not None and fault.kind in LASTING and unsaved_s <= fault.end_s + 0.5 <= at + 0.5:
                    yield at, self.counts(fault.start_s - 0.2, at, fault.line)
        elif self.unwarned(at):
            wh = FLASH_WH * self.model.counts_per_wh
            lost = self.counts(max(0.0, at - FLASH_S), at)
            yield at, Counts(min(lost.forward, wh), min(lost.back, wh))
        yield at, self.counts(at, at + self.holdup_s, 1)  # line 2 may be there still
        if self.memory == "flash":
            yield at, self.counts(at - ERASE_S, at)
        for fault in self.faults:
            # A memory that has failed is asked again each 10 s, not in the time that a failing supply leaves: until
            # then FAIL 04 stands, and what is counted is in RAM (DX-6).
            unread = fault.in_memory and fault.start_s <= at <= fault.end_s + MEMORY_BACK_S
            if fault.kind in LASTING and (unread or fault.covers(at) or fault.covers(at + self.holdup_s)):
                yield at, self.counts(max(0.0, fault.start_s - FLASH_S), at + self.holdup_s)


def _cuts(case: "Case") -> list[float]:
    """When the supply went, or may have gone."""
    steps = [step for incident in case.incidents for step in incident.steps]
    return [at for at, keys in steps if keys.get("power") is False or keys.get("l1", {}).get("volts", 99.0) < 60.0]


def _sum(parts: Iterable[Counts]) -> Counts:
    total = Counts()
    for part in parts:
        total = total.plus(part)
    return total


def _most(parts: Iterable[Counts]) -> Counts:
    found = [Counts(), *parts]
    return Counts(max(part.forward for part in found), max(part.back for part in found))


def _meets(segment: Segment, from_s: float, to_s: float) -> bool:
    """Whether a segment has to do with a time, the supply's start and the filters' tails allowed for."""
    return segment.start_us / 1e6 <= to_s + 0.7 and (segment.end_us is None or segment.end_us / 1e6 >= from_s - 0.7)


def _watts(segment: Segment, line: int, model: Model) -> Counts:
    """The most watts of a line in a segment, each way. A ramp goes through all angles between its ends."""
    ends = (segment.first[line], segment.last[line])
    amps = min(max(end.amps for end in ends), CLIPPED * model.full_scale_ma / 1000)
    most = min(max(end.volts for end in ends) * amps * (1 + SLACK), FULL_SCALE * model.full_scale_w)
    low, high = sorted(end.degrees for end in ends)
    cosines = [math.cos(math.radians(angle)) for angle in (low, high, *(a for a in HALF_TURNS if low < a < high))]
    return Counts(max(0.0, most * (max(cosines) + SLACK)), max(0.0, -most * (min(cosines) - SLACK)))
