"""Maximum demand: a 15-minute sliding window of three 5-minute sub-intervals (MD-1 to MD-4)."""

from openkh.fixed import muldiv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.model import Model
    from openkh.state import State

SUB_INTERVAL_S = 300
SUB_INTERVALS_PER_PERIOD = 288  # 24 h
_FIRST_DEMAND = 3  # sub-intervals until the window is full


class Demand:
    """Ends sub-intervals and keeps the largest interval demand of each 24-hour period, all in `State`."""

    def __init__(self, model: "Model") -> None:
        # mW = counts * 3.6e12 / counts_per_wh / us; lengths are kept in units of 4 us to stay below 2^28
        self._mw_counts = 900_000_000 // model.counts_per_wh * 1000

    def step(self, state: "State", dt_us: int) -> None:
        """Add `dt_us` of run time, and end the sub-interval at the first cycle at or after k * 300 s (MD-3).

        `state` already holds the cycle's energy in `sub_counts`. `dt_us` below 2^29.
        """
        us = state.run_us + dt_us
        # lengths add up without loss: count the 4 us units that the clock has passed
        state.sub_4us += (us >> 2) - (state.run_us >> 2)
        if us >= 1_000_000:
            state.run_s += us // 1_000_000
            us %= 1_000_000
        state.run_us = us
        if state.run_s >= (state.sub_k + 1) * SUB_INTERVAL_S:
            self._end(state)

    def _end(self, state: "State") -> None:
        average_mw = muldiv(state.sub_counts, self._mw_counts, state.sub_4us)
        state.sub_counts = 0
        state.sub_4us = 0
        # a late cycle may have passed more than one boundary: they end as one sub-interval of the real length
        ended = state.sub_k
        state.sub_k = state.run_s // SUB_INTERVAL_S
        if ended + 1 >= _FIRST_DEMAND:
            # mean of three, each below 2^28 mW
            state.interval_mw = (average_mw + state.sub_1_mw + state.sub_2_mw) // 3
            if state.interval_mw > state.max_mw:
                state.max_mw = state.interval_mw
        state.sub_2_mw = state.sub_1_mw
        state.sub_1_mw = average_mw
        if state.sub_k // SUB_INTERVALS_PER_PERIOD > state.periods:
            # a demand belongs to the period in which it ends, 24 h 00 included; windows run on (MD-3)
            state.periods = state.sub_k // SUB_INTERVALS_PER_PERIOD
            state.last_max_mw = state.max_mw
            state.max_mw = 0

    def shown_mw(self, state: "State") -> int:
        """What the screen shows: the largest so far in the first 24 h, then that of the last finished period (MD-2)."""
        if state.periods == 0:
            return state.max_mw
        return state.last_max_mw
