"""What a run was like over time: power, register, demand, pulses, condition, sampled at the end of each step.

`rows` are columns in the order of COLUMNS, at most MOST_ROWS: when there are more, neighbours are drawn together.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from host.stimulus.source import Source
from host.stimulus.windows import Energy, Stimulus, watts
from openkh.metrology.energy import ROLL_WH
from openkh.model import Model

COLUMNS = (
    "t_s",
    "l1_w",  # true mean power of each line since the row before
    "l2_w",
    "true_wh",  # net
    "register_wh",  # net, of this run
    "delivered_wh",
    "received_wh",
    "interval_w",
    "max_w",
    "pulses",  # edges of 10 Wh
    "counts",
    "condition",
)
MOST_ROWS = 3000
INTERVAL_US = 900_000_000


@dataclass
class History:
    """Rows of the run so far, interval data, and the energy that the front ends could not measure (net, Ws)."""

    model: Model
    source: Source
    rows: list[list[Any]] = field(default_factory=list)
    intervals: list[dict[str, Any]] = field(default_factory=list)
    not_measured_ws: float = 0.0
    counted: list[int] = field(default_factory=list)  # the front ends' running totals at the end
    _lines_ws: list[float] = field(default_factory=list)  # net energy of each line at the last row
    _gap_us: list[int] = field(default_factory=list)
    _now_us: int = 0
    _every: int = 1  # samples to a row
    _taken: int = 0
    _begin: tuple[str, str] = ("0", "0")
    _row_ws: list[float] = field(default_factory=list)  # as _lines_ws, at the last row
    _interval: tuple[int, str, str] = (0, "0", "0")  # where the running one began, and the register then

    def begin(self, delivered: str, received: str) -> None:
        """What the register held before this run; known once the firmware runs."""
        self._interval = (self._interval[0], delivered, received)
        self._begin = (delivered, received)

    def add(self, stimulus: Stimulus, snap: dict[str, Any], pulses: int) -> None:
        """The state at the end of a step. `pulses`: edges of 10 Wh so far."""
        lines_ws = [_net(line) for line in stimulus.truth.lines]
        before_ws = self._lines_ws or [0.0] * len(lines_ws)
        gap_us = snap.get("gap_us") or [0] * len(lines_ws)
        step_us = stimulus.now_us - self._now_us
        for line, gap in enumerate(gap_us[: len(lines_ws)]):
            gap -= self._gap_us[line] if self._gap_us else 0
            if gap > 0 and step_us > 0:
                mean_w = (lines_ws[line] - before_ws[line]) / step_us * 1e6
                self.not_measured_ws += self._lost_ws(stimulus, line, gap, mean_w)
        self._gap_us = list(gap_us)
        self.counted = list(snap.get("counted") or [])
        self._intervals(stimulus.now_us, snap)
        self._taken += 1
        if self._taken % self._every == 0 and step_us > 0:
            self._row(stimulus, snap, pulses, lines_ws)
        self._lines_ws, self._now_us = lines_ws, stimulus.now_us

    def _lost_ws(self, stimulus: Stimulus, line: int, gap_us: int, mean_w: float) -> float:
        """What a line's front end did not see: at the start exactly, later by the power at the end of the step, which
        is that after a supply has come back; by the mean power where it is gone by then."""
        if self._now_us > 0:
            power_w = watts(stimulus.lines_now()[0][line]) if stimulus.power else mean_w
            return power_w * gap_us / 1e6
        start = Stimulus(self.model, self.source)
        start.window(gap_us)
        return _net(start.truth.lines[line])

    def _row(self, stimulus: Stimulus, snap: dict[str, Any], pulses: int, lines_ws: list[float]) -> None:
        seconds = stimulus.now_us / 1e6
        last = self.rows[-1] if self.rows else None
        span_s = seconds - (last[0] if last else 0.0)
        begin_ws = self._row_ws if last else [0.0] * len(lines_ws)
        powers = [round((now - then) / span_s, 3) for now, then in zip(lines_ws, begin_ws)]
        delivered, received = float(snap["delivered"]), float(snap["received"])
        row = [
            round(seconds, 6),
            powers[0],
            powers[1] if len(powers) > 1 else None,
            round(_net(stimulus.truth.net) / 3600, 6),
            round(float(rise_wh(snap["delivered"], self._begin[0]) - rise_wh(snap["received"], self._begin[1])), 6),
            delivered,
            received,
            snap["demand"]["interval_w"],
            snap["demand"]["max_w"],
            pulses,
            snap["counter"],
            snap["status"]["condition"] if snap["powered"] else "no supply",
        ]
        self.rows.append(row)
        self._row_ws = lines_ws
        if len(self.rows) > MOST_ROWS:
            self._thin()

    def _thin(self) -> None:
        """Every second row goes; its power is in the mean of the next."""
        kept = []
        begin_s = 0.0
        for first, second in zip(self.rows[::2], self.rows[1::2]):
            parts = (first[0] - begin_s, second[0] - first[0])
            row = list(second)
            for column in (1, 2):
                if row[column] is not None:
                    row[column] = round((first[column] * parts[0] + second[column] * parts[1]) / sum(parts), 3)
            kept.append(row)
            begin_s = second[0]
        self.rows = kept + self.rows[2 * len(kept) :]
        self._every *= 2

    def _intervals(self, now_us: int, snap: dict[str, Any]) -> None:
        """Energy of each quarter of an hour of simulated time, of the register as it stood at its end."""
        began_us, delivered, received = self._interval
        if now_us // INTERVAL_US > began_us // INTERVAL_US:
            self._close(now_us, snap)

    def finish(self, snap: dict[str, Any]) -> None:
        """The last, incomplete interval."""
        if self._now_us > self._interval[0]:
            self._close(self._now_us, snap)

    def _close(self, now_us: int, snap: dict[str, Any]) -> None:
        began_us, delivered, received = self._interval
        self.intervals.append(
            {
                "from_s": began_us / 1e6,
                "to_s": now_us / 1e6,
                "delivered_wh": str(rise_wh(snap["delivered"], delivered)),
                "received_wh": str(rise_wh(snap["received"], received)),
                "interval_w": snap["demand"]["interval_w"],
            }
        )
        self._interval = (now_us, snap["delivered"], snap["received"])


def rise_wh(now: str, before: str) -> Decimal:
    """By how much a register has risen, over its roll-over too. Less than nothing where a cut without warning has taken
    it back."""
    return (Decimal(now) - Decimal(before) + ROLL_WH // 2 + ROLL_WH) % ROLL_WH - ROLL_WH // 2


def _net(energy: Energy) -> float:
    return energy.delivered_ws - energy.received_ws
