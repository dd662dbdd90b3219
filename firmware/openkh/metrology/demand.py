"""Maximum demand: a 15-minute sliding window of three 5-minute sub-intervals (MD-1 to MD-4).

What a front end has counted while it did not answer comes with a single reading. These counts are shared out, in
proportion to time, over the sub-intervals in which they were counted, and the interval demand that has ended meanwhile
is corrected (MD-3a).
"""

from openkh import event_codes
from openkh.bound import bind
from openkh.fixed import muldiv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from openkh.model import Model
    from openkh.state import State

    class Log(Protocol):
        """Where events go; never allocates."""

        def add(self, code: int, a: int = 0, b: int = 0) -> None: ...


SUB_INTERVAL_S = 300
SUB_INTERVALS_PER_PERIOD = 288  # 24 h
_FIRST_DEMAND = 3  # after so many sub-intervals the window is full, and there is an interval demand
_SUB_4US = SUB_INTERVAL_S * 250_000  # a sub-interval in units of 4 us


class Demand:
    """Ends sub-intervals and keeps the largest interval demand of each 24-hour period, all in `State`."""

    def __init__(self, model: "Model", log: "Log") -> None:
        self._counts_per_wh = model.counts_per_wh
        self._log = log
        # mW = counts * 3.6e12 / counts_per_wh / us. Times are kept in units of 4 us, so that they stay below 2^28.
        self._mw_counts = 900_000_000 // model.counts_per_wh * 1000
        bind(self, "step")

    def step(self, state: "State", dt_us: int) -> None:
        """Add `dt_us` to the run time, and end the sub-interval with the first cycle at or after k * 300 s (MD-3).

        `state` already has the cycle's energy in `sub_counts`. `dt_us` is below 2^29.
        """
        us = state.run_us + dt_us
        # The units of 4 us that the clock has passed are counted, so that nothing is rounded away.
        state.sub_4us += (us >> 2) - (state.run_us >> 2)
        if us >= 1_000_000:
            state.run_s += us // 1_000_000
            us %= 1_000_000
        state.run_us = us
        if state.run_s >= (state.sub_k + 1) * SUB_INTERVAL_S:
            self._end(state)

    def share(self, state: "State", counts: int, span_us: int, dt_us: int) -> None:
        """Move counts that belong into earlier sub-intervals out of the running one. `counts`, which `sub_counts`
        contains already, were counted in `span_us`, which is longer than the cycle's `dt_us`. Call before `step`."""
        older = (span_us >> 2) - state.sub_4us - (dt_us >> 2)  # time before the running sub-interval, in 4 us
        if counts <= 0 or older <= 0:
            return
        counts = muldiv(counts, older, span_us >> 2)
        if counts > state.sub_counts:
            counts = state.sub_counts
        state.sub_counts -= counts
        self._place(state, counts, older)

    def _place(self, state: "State", left: int, older: int) -> None:
        """Give `left` counts to the sub-intervals of the time `older` (in 4 us) before the running one."""
        newest = left
        if older > _SUB_4US:
            newest = muldiv(left, _SUB_4US, older)
        left -= newest
        before = left if older <= 2 * _SUB_4US else newest
        left -= before
        newest = self._mean_mw(newest)
        before = self._mean_mw(before)
        self._correct(state, newest, before)
        if left:  # they belong into sub-intervals that no coming window contains
            self._log.add(event_codes.DEMAND_LEFT_OUT, left // self._counts_per_wh)

    def _mean_mw(self, counts: int) -> int:
        """The mean power of `counts` over a sub-interval."""
        return muldiv(counts, self._mw_counts, _SUB_4US)

    def _correct(self, state: "State", newest_mw: int, before_mw: int) -> None:
        """Add to the averages of the two newest finished sub-intervals, and to the interval demand made of them."""
        state.sub_1_mw += newest_mw
        state.sub_2_mw += before_mw
        if state.sub_k < _FIRST_DEMAND:
            return
        state.interval_mw += (newest_mw + before_mw) // 3
        if state.sub_k % SUB_INTERVALS_PER_PERIOD:
            state.max_mw = max(state.max_mw, state.interval_mw)
        else:  # the interval ended together with the period before
            state.last_max_mw = max(state.last_max_mw, state.interval_mw)

    def _end(self, state: "State") -> None:
        """End the running sub-interval, and with it an interval demand."""
        average_mw = muldiv(state.sub_counts, self._mw_counts, state.sub_4us)
        state.sub_counts = 0
        state.sub_4us = 0
        # A late cycle may have passed more than one boundary. Then one sub-interval ends, which was as long as it was.
        ended = state.sub_k
        state.sub_k = state.run_s // SUB_INTERVAL_S
        if ended + 1 >= _FIRST_DEMAND:
            # The mean of three averages, each of which is below 2^28 mW.
            state.interval_mw = (average_mw + state.sub_1_mw + state.sub_2_mw) // 3
            if state.interval_mw > state.max_mw:
                state.max_mw = state.interval_mw
        state.sub_2_mw = state.sub_1_mw
        state.sub_1_mw = average_mw
        if state.sub_k // SUB_INTERVALS_PER_PERIOD > state.periods:
            # A demand belongs to the period in which it ends, that at 24 h 00 to the first; windows go on over the
            # boundary (MD-3).
            state.periods = state.sub_k // SUB_INTERVALS_PER_PERIOD
            state.last_max_mw = state.max_mw
            state.max_mw = 0
