"""What timers run: the measuring cycle, the guard of 12 V and supply, the display's task, the thermometer.

Only the guard is a hard interrupt; it touches converters and pins, and nothing that the cycle owns. A bound method that
is made in a callback would take heap; those that are needed there are made once, beforehand.
"""

import micropython
from machine import Pin, Timer

from openkh.cycle import PERIOD_MS
from openkh.outputs.rail12 import GUARD_MS
from openkh.ticks import ticks_diff, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from openkh.cycle import Cycle
    from openkh.display.display import Display
    from openkh.metrology.corrected_lines import CorrectedLines
    from openkh.metrology.thermometer import Thermometer
    from openkh.outputs.rail12 import Rail12
    from openkh.supply import Supply

TEMPERATURE_MS = 1_000


def guard_of(rail12: "Rail12", supply: "Supply") -> "Callable[[object], None]":
    """Make the guard, which its timer calls: it looks at the 12 V's current and at the bulk voltage, and has each
    judged where there is something to judge.

    The guard runs in its interrupt every GUARD_MS. What it needs are variables of this function, and attributes
    whose names nobody else asks for, which MicroPython finds at once. With more than four such variables it would take
    heap at each call, which is locked in an interrupt: the first call would be the guard's last.
    """
    amps = rail12.read
    volts = supply.read

    def guard(_timer: object) -> None:
        raw = rail12.current_raw = amps()
        if raw > rail12.judged_above:
            rail12.judge()
        raw = supply.bulk_raw = volts()
        if raw < supply.judged_below:
            supply.sample()

    return guard


class Tasks:
    """Sets the timers going. `timers`: those of cycle, display, guard and thermometer. `display_errors`: how many
    exceptions the display's task has let out."""

    def __init__(self, cycle: "Cycle", rail12: "Rail12", supply: "Supply") -> None:
        self._cycle = cycle
        self._rail12 = rail12
        self._supply = supply
        self._run = cycle.run
        self._look_after = cycle.look_after
        cycle.aside = self._aside
        supply.at_once = self._at_once
        self._display: Display | None = None
        self._shown_us = 0
        self.timers = (Timer(-1), Timer(-1), Timer(-1), Timer(-1))
        self.display_errors = 0

    def start_metering(self, irqs: "tuple[Pin, ...]") -> None:
        """Run the guard from now on, and the cycle: every PERIOD_MS, and at once where a front end's interrupt line
        (`irqs`) falls."""
        cycle, _, guard, _ = self.timers
        guard.init(
            mode=Timer.PERIODIC,
            period=GUARD_MS,
            callback=guard_of(self._rail12, self._supply),
            hard=True,
        )
        cycle.init(mode=Timer.PERIODIC, period=PERIOD_MS, callback=self._run, hard=False)
        for irq in irqs:
            irq.irq(self._run, Pin.IRQ_FALLING)

    def start_display(self, display: "Display", step_ms: int) -> None:
        """Refresh the display now, and every `step_ms` from now on."""
        self._display = display
        self._shown_us = ticks_us()
        self.refresh()
        self.timers[1].init(mode=Timer.PERIODIC, period=step_ms, callback=self.refresh, hard=False)

    def _at_once(self) -> None:
        """Run the cycle as soon as the interrupt is over."""
        try:
            micropython.schedule(self._run, None)
        except RuntimeError:
            pass  # the queue of callbacks is full, and the cycle is among them

    def _aside(self) -> None:
        """Have what the cycle leaves for later done as soon as it has returned."""
        try:
            micropython.schedule(self._look_after, None)
        except RuntimeError:
            pass  # the queue of callbacks is full: the next cycle asks again

    def refresh(self, _timer: object = None) -> None:
        """The display's task. Whatever goes wrong in it, metering goes on (LC-6)."""
        now_us = ticks_us()
        self._cycle.display_us = now_us
        dt_us = ticks_diff(now_us, self._shown_us)
        self._shown_us = now_us
        self._show(dt_us)

    def _show(self, dt_us: int) -> None:
        with self:  # `except ... as` needs a frame from the heap (DR-7)
            self._display.refresh(dt_us, self._cycle.state)  # type: ignore[union-attr]

    def __enter__(self) -> None:
        """`__exit__` catches what is raised in the display's task, and counts it."""

    def __exit__(self, kind: "type[BaseException] | None", error: BaseException | None, _trace: object) -> bool:
        if kind is None or not issubclass(kind, Exception):
            return False
        self.display_errors += 1
        self._cycle.last_error = error
        return True

    def start_thermometer(self, read: "Callable[[], int]", thermometer: "Thermometer", lines: "CorrectedLines") -> None:
        """Read the board's temperature now and every second from now on. `read` gives it in 0.01 degC, or
        thermometer.NONE; `thermometer` smooths it, and `lines` get the corrections that follow from it."""
        self._read_temperature = read
        self._thermometer = thermometer
        self._lines = lines
        self.warm()
        self.timers[3].init(mode=Timer.PERIODIC, period=TEMPERATURE_MS, callback=self.warm, hard=False)

    def warm(self, _timer: object = None) -> None:
        """Take one reading of the temperature. Runs between two cycles."""
        self._thermometer.take(self._read_temperature())
        self._lines.warm(self._thermometer.centi)
