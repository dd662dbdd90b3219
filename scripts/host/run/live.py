"""The live run behind the terminal view: its pace, and what a person changes by hand."""

import math
import time
from collections import deque
from collections.abc import Callable

from host.sim.session import Session
from host.stimulus.lines import Event, Line

STEP_S = 0.05  # wall time of one step: keys and picture keep up with it
SPEEDS = (0.1, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, None)  # simulated seconds per second; None: all it can
LOAD_STEP = 1.25
FIRST_AMPS = 1.0
LEAST_AMPS = 0.02
DEGREES_STEP = 10.0
VOLTS_STEP = 0.01  # of the nominal voltage
LOADS_12V_MA = (0, 10, 60)
SETTLED_S = 1.0  # the pace shown is that of the last second


class Live:
    """Advances a session in small steps. All methods belong to one thread, the one that calls `step`."""

    def __init__(self, session: Session, speed: float | None) -> None:
        self.session = session
        self.speed = speed
        self.paused = False
        self.ended = False
        self.selected = 0
        self.load12v_ma = 0
        self.notes: list[tuple[int, str]] = []  # (t_us, what was done by hand)
        self._pending: list[Event] = []
        self._rate = 1.0  # simulated seconds per second that the engine manages
        self._past: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self._nominal_volts = session.setup.model.nominal_mv / 1000
        self._elements = session.setup.model.elements

    def step(self) -> float:
        """Run for about STEP_S of wall time; returns the seconds to wait before the next step."""
        began = time.monotonic()
        if self.paused or self.ended:
            self._past = deque([(began, self.session.now_us)])
            return STEP_S
        reach = max(self._rate * STEP_S, 0.01)
        want_s = reach if self.speed is None else min(self.speed * STEP_S, 2 * reach)
        until_us = self.session.now_us + max(1, round(want_s * 1e6))
        end_us = self.session.setup.duration_us
        if end_us is not None and until_us >= end_us:
            until_us = end_us
        until_us = self.session.stop_us(until_us)
        self.ended = until_us == end_us
        want_s = (until_us - self.session.now_us) / 1e6
        first, self._pending = self._pending, []
        if self.session.setup.terminals:
            self.session.pace(until_us, self.speed or self._rate, first)
        else:
            self.session.advance(until_us, first)
        now = time.monotonic()
        spent_s = max(now - began, 1e-4)
        self._rate += 0.2 * (want_s / spent_s - self._rate)
        self._past.append((now, self.session.now_us))
        while now - self._past[0][0] > SETTLED_S and len(self._past) > 2:
            self._past.popleft()
        return 0.0 if self.speed is None else max(0.0, want_s / self.speed - spent_s)

    @property
    def pace(self) -> float:
        """Simulated seconds per second, as measured."""
        (t0, us0), (t1, us1) = self._past[0], self._past[-1]
        return (us1 - us0) / 1e6 / (t1 - t0) if t1 > t0 else 0.0

    def faster(self, steps: int) -> None:
        """Take the next speed, or with -1 the one before."""
        ranks = [math.inf if speed is None else speed for speed in SPEEDS]
        now = math.inf if self.speed is None else self.speed
        others = [rank for rank in ranks if (rank > now if steps > 0 else rank < now)]
        if others:
            rank = min(others) if steps > 0 else max(others)
            self.speed = None if rank == math.inf else rank

    def select(self) -> None:
        """Take the next line, then both, then the first again."""
        if self._elements == 2:
            self.selected = (self.selected + 1) % 3

    @property
    def chosen(self) -> tuple[int, ...]:
        """The indexes of the lines that are selected."""
        return (0, 1) if self.selected == 2 else (self.selected,)

    def load(self, steps: int) -> None:
        """More or less current on the lines selected."""

        def change(line: Line) -> Line:
            amps = line.amps * LOAD_STEP**steps if line.amps else (FIRST_AMPS if steps > 0 else 0.0)
            return line._replace(amps=0.0 if amps < LEAST_AMPS else min(amps, 10_000.0))

        self._change(change)

    def power_factor(self, steps: int) -> None:
        """Turn the current against the voltage, more lagging with positive steps."""
        self._change(lambda line: line._replace(degrees=(line.degrees + steps * DEGREES_STEP + 180) % 360 - 180))

    def volts(self, steps: int) -> None:
        """Raise or lower the voltage."""
        step = self._nominal_volts * VOLTS_STEP * steps
        self._change(lambda line: line._replace(volts=min(max(0.0, line.volts + step), 1000.0)))

    def release(self) -> None:
        """Give the lines selected back to the input."""
        for index in self.chosen:
            if self.session.stimulus.manual[index] is not None:
                self.session.stimulus.manual[index] = None
                self._note(f"L{index + 1} given back to the input")

    def turn_ct(self) -> None:
        """Turn the CT of each line selected round, or back."""
        for index in self.chosen:
            turned = self.session.stimulus.reversed
            turned[index] = not turned[index]
            self._note(f"CT{index + 1} turned {'the wrong way round' if turned[index] else 'right again'}")

    def mains(self) -> None:
        """Cut the mains, or bring them back."""
        on = not self.session.stimulus.power
        self._pending.append(self.session.stimulus.set_power(on))
        self._note("mains back" if on else "mains cut")

    def load_12v(self) -> None:
        """Change the load on +12VDC."""
        after = (LOADS_12V_MA.index(self.load12v_ma) + 1) % len(LOADS_12V_MA)
        self.load12v_ma = LOADS_12V_MA[after]
        self._pending.append(["load12v", self.session.now_us, self.load12v_ma])
        self._note(f"+12VDC loaded with {self.load12v_ma} mA")

    def pause(self) -> None:
        """Stop simulated time, or let it go on."""
        self.paused = not self.paused

    def _change(self, change: Callable[[Line], Line]) -> None:
        stimulus = self.session.stimulus
        lines, _ = stimulus.lines_now()
        for index in self.chosen:
            if stimulus.manual[index] is None:
                self._note(f"L{index + 1} taken over by hand (r gives it back to the input)")
            stimulus.manual[index] = change(lines[index])

    def _note(self, text: str) -> None:
        self.notes.append((self.session.now_us, text))
