"""Interval data as the host sees them: slots of the meter's memory, and their clock time from this computer's clock."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

INTERVAL_S = 900
POWER_LOST, GAP, FAILURE, DAMAGED, NONE = 1, 2, 4, 0x4000, 0x8000
_WORDS = ((POWER_LOST, "power_lost"), (GAP, "gap"), (FAILURE, "failure"), (DAMAGED, "damaged"))
COLUMNS = (
    "number", "power_up", "start_s", "end_s", "delivered_wh", "received_wh", "quality", "start_utc", "end_utc",
    "start_local", "end_local",
)  # fmt: skip


@dataclass(frozen=True)
class Slot:
    """A slot; energies in tenths of a Wh, `end_s` in s of run time of its power-up."""

    number: int
    power_up: int
    flags: int
    end_s: int
    delivered: int
    received: int

    @staticmethod
    def gone(number: int) -> "Slot":
        """A slot that was written over while the others were read."""
        return Slot(number, 0, NONE, 0, 0, 0)

    @property
    def is_interval(self) -> bool:
        """Whether it has energy in it."""
        return not self.flags & (NONE | DAMAGED)


@dataclass(frozen=True)
class Interval:
    """An interval with its times; clock times are None where the power-up it belongs to is not the running one."""

    slot: Slot
    start_s: int
    start: datetime | None
    end: datetime | None


def placed(slots: Iterable[Slot], power_up: int, run_s: float, now: datetime) -> list[Interval]:
    """Intervals of `slots` (in order of their numbers) with their times.

    `power_up` and `run_s`: of the meter at the moment `now` of this computer's clock. The meter has no clock: only
    intervals of the running power-up can be given a time, because nobody knows how long the meter was off before it.
    """
    zero = now - timedelta(seconds=run_s)
    found = []
    before: Slot | None = None
    for slot in slots:
        if not slot.is_interval:
            continue
        start_s = before.end_s if before is not None and before.power_up == slot.power_up else 0
        if start_s == 0 and slot.end_s > INTERVAL_S:
            start_s = slot.end_s - INTERVAL_S  # the one before is not there any more
        before = slot
        start = end = None
        if slot.power_up == power_up and slot.end_s <= run_s:
            start, end = zero + timedelta(seconds=start_s), zero + timedelta(seconds=slot.end_s)
        found.append(Interval(slot, start_s, start, end))
    return found


def csv_text(found: Iterable[Interval]) -> str:
    """The intervals as CSV, a header line first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for interval in found:
        slot = interval.slot
        quality = "+".join(name for bit, name in _WORDS if slot.flags & bit) or "good"
        writer.writerow(
            [
                slot.number,
                slot.power_up,
                interval.start_s,
                slot.end_s,
                f"{slot.delivered / 10:.1f}",
                f"{slot.received / 10:.1f}",
                quality,
                *(_text(time, True) for time in (interval.start, interval.end)),
                *(_text(time, False) for time in (interval.start, interval.end)),
            ]
        )
    return out.getvalue()


def _text(time: datetime | None, utc: bool) -> str:
    if time is None:
        return ""
    return (time.astimezone(UTC) if utc else time.astimezone()).isoformat(timespec="seconds")
