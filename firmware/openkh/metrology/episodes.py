"""Beginnings and ends of what comes and goes, for the event log (DX-8).

Each of up to eight conditions is logged when it begins and when it ends. One that comes again within a minute of its
logged beginning is not logged each time: when the minute is over, one entry says how often it came.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Log(Protocol):
        """Where events go; never allocates."""

        def add(self, code: int, a: int = 0, b: int = 0) -> None: ...


MINUTE_US = 60_000_000


class Episodes:
    """Follows as many conditions as `begun` has events, a bit each.

    The event of condition i is `begun`[i], at its end `ended`[i]; its a is `a` + i * `each_a`, its b how often it has
    come since it was logged last.
    """

    def __init__(self, log: "Log", begun: "tuple[int, ...]", ended: "tuple[int, ...]", a: int, each_a: int) -> None:
        count = len(begun)
        self._log = log
        self._begun = begun
        self._ended = ended
        self._a = a
        self._each_a = each_a
        self._count = count
        self._times = [0] * count  # begun and not logged
        self._left_us = [0] * count  # of the minute since the newest logged beginning
        self._now = 0
        self._shown = 0  # whose beginning is logged and whose end is not

    def step(self, now: int, passed_us: int) -> None:
        """`now` is the mask of what stands, `passed_us` the time since the step before. Called in the cycle in which
        `now` changes, and about once a second. Allocates nothing."""
        if passed_us > MINUTE_US:
            passed_us = MINUTE_US
        i = 0
        while i < self._count:
            if self._left_us[i] or (now | self._now | self._shown) >> i & 1:
                self._follow(i, now >> i & 1, passed_us)
            i += 1
        self._now = now

    def _follow(self, i: int, stands: int, passed_us: int) -> None:
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
