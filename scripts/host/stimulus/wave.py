"""A recorded waveform as the engine plays it (end to end), and the true energy of it.

The engine's table holds what the chip's signal path makes of each step (recordings/signal_path.py); the true power is
the mean over one cycle of the recording itself.
"""

import math
from dataclasses import dataclass, field
from itertools import accumulate

from host.stimulus.lines import Event, Line, Lines
from openkh.model import Model


class _Periodic:
    """The integral of the positive and negative parts of a power that is constant in steps and repeats for ever."""

    def __init__(self, powers_w: list[float], step_us: int) -> None:
        self.powers_w = powers_w
        self.step_us = step_us
        self.sums = [
            list(accumulate((max(0.0, sign * p) * step_us for p in powers_w), initial=0.0)) for sign in (1, -1)
        ]

    def up_to(self, t_us: int, sign: int) -> float:
        """The integral from 0 to `t_us` of the part with this sign (0 positive, 1 negative), watt-microseconds."""
        sums = self.sums[sign]
        rounds, rest_us = divmod(t_us, self.step_us * len(self.powers_w))
        step, into_us = divmod(rest_us, self.step_us)
        power = self.powers_w[step] if sign == 0 else -self.powers_w[step]
        return rounds * sums[-1] + sums[step] + max(0.0, power) * into_us

    def energy_ws(self, start_us: int, end_us: int) -> tuple[float, float]:
        one, two = ((self.up_to(end_us, sign) - self.up_to(start_us, sign)) / 1e6 for sign in (0, 1))
        return one, two


@dataclass
class Wave:
    """One loop of a recording: `tables` [[volts, amps, watts, var, peak volts, peak amps], ...] of line 1 and line 2
    (None: not recorded)."""

    step_us: int
    tables: tuple[list[list[float]], list[list[float]] | None]
    hz: float
    true_step_us: int
    true_w: tuple[list[float], list[float] | None]  # mean power of each cycle
    _lines: list[_Periodic] = field(init=False)
    _net: _Periodic = field(init=False)

    def __post_init__(self) -> None:
        first = self.true_w[0]
        second = self.true_w[1] or [0.0] * len(first)
        self._lines = [_Periodic(first, self.true_step_us), _Periodic(second, self.true_step_us)]
        self._net = _Periodic([a + b for a, b in zip(first, second)], self.true_step_us)

    def item(self, t_us: int, turned: tuple[bool, ...]) -> Event:
        """The stimulus item that starts the recording at `t_us`; `turned`: CTs the wrong way round."""
        tables = [
            [[v, i, -p, -q, *peaks] for v, i, p, q, *peaks in table] if table and reverse else table
            for table, reverse in zip(self.tables, turned)
        ]
        return ["wave", t_us, self.step_us, tables[0], tables[1], self.hz]

    def line_energy_ws(self, index: int, start_us: int, end_us: int) -> tuple[float, float]:
        """Delivered and received energy of a line between two times since the start, watt-seconds."""
        return self._lines[index].energy_ws(start_us, end_us)

    def net_energy_ws(self, elements: int, start_us: int, end_us: int) -> tuple[float, float]:
        """The same for the sum of the meter's elements."""
        return (self._net if elements == 2 else self._lines[0]).energy_ws(start_us, end_us)

    def mean_lines(self, model: Model) -> Lines:
        """Sinusoidal stand-ins with the recording's mean rms values and angle, for manual changes and the view."""
        lines = []
        for index, table in enumerate(self.tables):
            if not table:
                lines.append(Line(model.nominal_mv / 1000, 0.0, 0.0, 180.0))
                continue
            volts, amps, watts, var = (sum(row[n] for row in table) / len(table) for n in range(4))
            degrees = math.degrees(math.atan2(var, watts)) if watts or var else 0.0
            lines.append(Line(volts, amps, degrees, 180.0 * index))
        return lines[0], lines[1]
