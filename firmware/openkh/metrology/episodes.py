"""Puts the beginnings and ends of conditions into the event log (DX-8).

Each of up to eight conditions is logged when it begins and when it ends. If it comes again within a minute of a
beginning that was logged, this is not logged each time: when the minute is over, one entry says how often it came.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Log(Protocol):
        """Where events go; never allocates."""

        def add(self, code: int, a: int = 0, b: int = 0) -> None: ...


MINUTE_US = 60_000_000


class Episodes:
    """Follows as many conditions as `begun` has events; each is a bit of a mask.

    At the beginning of condition i the event `begun`[i] is logged, with b = how often it has begun since it was logged
    last; at its end `ended`[i], with b = 0. In both a is `a` + i * `each_a`.
    """

    def __init__(self, log: "Log", begun: "tuple[int, ...]", ended: "tuple[int, ...]", a: int, each_a: int) -> None:
        count = len(begun)
        self._log = log
        self._begun = begun
        self._ended = ended
        self._a = a
        self._each_a = each_a
        self._count = count
        self._times = [0] * count  # how often each has begun without being logged
        self._left_us = [0] * count  # what is left of the minute since its newest logged beginning
        self._now = 0  # mask of those that stood at the last step
        self._shown = 0  # mask of those whose beginning is logged and whose end is not
        self._calm = False  # whether the last step had nothing to follow

    def step(self, now: int, passed_us: int) -> None:
        """Log what has begun or ended. `now`: mask of the conditions that stand; `passed_us`: time since the last step.
        Called in each cycle in which `now` changes, and about once a second. Takes no heap."""
        if self._calm and not now:
            return
        if passed_us > MINUTE_US:
            passed_us = MINUTE_US
        self._calm = True
        i = 0
        while i < self._count:
            if self._left_us[i] or (now | self._now | self._shown) >> i & 1:
                self._calm = False
                self._follow(i, now >> i & 1, passed_us)
            i += 1
        self._now = now

    def _follow(self, i: int, stands: int, passed_us: int) -> None:
        """`step` for condition i; `stands` is its bit."""
        self._left_us[i] = max(0, self._left_us[i] - passed_us)
        if stands and not self._now >> i & 1:
            self._times[i] += 1
        if self._shown >> i & 1:
            if not stands:
                self._end(i)
        elif self._times[i] and not self._left_us[i]:
            self._begin(i)
            if not stands:
                self._end(i)

    def _begin(self, i: int) -> None:
        self._log.add(self._begun[i], self._a + i * self._each_a, self._times[i])
        self._times[i] = 0
        self._left_us[i] = MINUTE_US
        self._shown |= 1 << i

    def _end(self, i: int) -> None:
        self._log.add(self._ended[i], self._a + i * self._each_a)
        self._shown &= ~(1 << i)
