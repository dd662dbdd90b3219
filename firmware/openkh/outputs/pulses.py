"""The pulse outputs: which edges the delivered energy asks for, and when (PO-1 to PO-4, EN-3).

An output is on from each full weight of delivered energy to half a weight later. The energy is known at each reading of
the front ends; between two readings each crossing of a half weight is interpolated, and its edge is placed exactly
DELAY_US after it. The edges of the coming half second are therefore queued in the hardware before they are due: they
stand at even distances, do not depend on what the processor does, and never come before the register has the energy.

Edges that fall due closer to each other than the meter's highest load could bring them, or that came late, are moved
back, never dropped: a backlog drains at twice the rate of that load, whatever piled it up. Two edges of an output are
at least SPACING_US apart in any case (PO-3, field bugs 31 and 32).

"Given" is an edge that is on the pin. It is known from the words that the hardware has taken, not from the clock.
Nothing here allocates. Weights divide the register's 1e9 Wh: all counting is modulo and the roll-over is no edge.

Long because an output's edges, its chain of segments and the fine pulses on it are one state, which two modules would
both have to reach into.
"""

from openkh.bound import bind
from openkh.drivers.pulse_port import DEPTH, MIN_US, WORDS_MASK
from openkh.fixed import muldiv
from openkh.metrology.energy import ROLL_WH
from openkh.ticks import ticks_add, ticks_diff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.drivers.pulse_port import PulsePort
    from openkh.model import Model
    from openkh.state import State

DELAY_US = 500_000
SPACING_US = 31_000  # PO-3 asks for 30 ms

SLOTS = 32  # edges on their way: 500 ms hold 16 at the shortest spacing
_SLOTS_MASK = SLOTS - 1
_BILLED_SLOTS = 8  # of these for billing edges: a longer queue would outlast half the tick's wrap while it drains

# What a slot's edge is, besides its level in bit 0.
_BILLED = 2  # an off-to-on edge that counts
_FINE = 4  # belongs to the fine pulses

_FIRST_US = 20_000  # first segment of a new chain
_CLOSE_US = 5_000  # nearer than this to its end the chain is not prolonged but begun anew
_AFTER_US = 20_000  # least segment after an edge
_OLD_US = 1_000_000
_HALF_WORDS = (WORDS_MASK + 1) // 2
_FAR_WH = 8_000  # an energy step beyond this is not interpolated: counts stay below 2^28
_LONG_US = 1 << 28  # nor a span beyond this
_SHORT_US = 1 << 18  # spans and counts below these take the short way
_FEW_COUNTS = 1 << 20

# Results of `fine_pulses` and reasons why the fine pulses ended (FINE_PULSES_OFF in event_codes).
FINE_STARTED = 0
FINE_TIME_OVER = 1
FINE_LOAD_TOO_HIGH = 2
FINE_COMMAND = 3
FINE_SEALED = 4
FINE_REFUSED = 5  # no such weight or time
FINE_LONGEST_S = 36_000

# Highest mean power for each weight of the fine pulses, in W. 3 % more are let pass, as the step between two readings
# ripples.
FINE_1000_MWH_W = 55_000
FINE_100_MWH_W = 5_000


class Reading:
    """The newest reading of the energy and its step from the one before."""

    def __init__(self, counts_per_wh: int) -> None:
        self.counts_per_wh = counts_per_wh
        self.wh = 0
        self.counts = 0
        self.t_us = 0
        self.step_counts = 0  # 0 where it is too large, or the span too long, to be interpolated
        self.step_us = 0
        bind(self, "take back_us")

    def take(self, wh: int, counts: int, t_us: int) -> None:
        """Go on to a newer reading."""
        step_wh = wh - self.wh
        if step_wh < 0:
            step_wh += ROLL_WH
        step_us = ticks_diff(t_us, self.t_us)
        if step_wh > _FAR_WH or step_us <= 0 or step_us >= _LONG_US:
            self.step_counts = 0
            self.step_us = 0
        else:
            self.step_counts = step_wh * self.counts_per_wh + counts - self.counts
            self.step_us = step_us
        self.wh = wh
        self.counts = counts
        self.t_us = t_us

    def back_us(self, counts: int) -> int:
        """How long before this reading the energy was `counts` less; at most the step's length, rounded down."""
        step = self.step_counts
        if counts >= step:
            return self.step_us
        us = self.step_us
        if us < _SHORT_US and step < _FEW_COUNTS:
            # Two digits of base 256; each product stays below 2^30.
            high = (us >> 8) * counts
            whole = high // step
            return (whole << 8) + (((high - whole * step) << 8) + (us & 255) * counts) // step
        return muldiv(us, counts, step)


class Output:
    """One output: edges are placed in a ring of slots, and from there fed as segments into the chain in the hardware.

    Until `known_us`, which is DELAY_US after the newest reading, every edge is known. `hold_us`: the chain's last level
    is prolonged up to there when the chain ends this much earlier. `pace_us`: billing edges are at least so far apart.
    """

    def __init__(self, port: "PulsePort", weight_wh: int, hold_us: int, pace_us: int) -> None:
        self._port = port
        self._pace_us = pace_us
        self._hold_us = hold_us
        self._ample_us = DELAY_US - hold_us  # a chain that lasts longer than this from now on need not be looked at
        self._weight_wh = weight_wh
        self._half_wh = weight_wh // 2
        self._halves = ROLL_WH // self._half_wh
        self._pulses = ROLL_WH // weight_wh
        self.moving = True  # edges may have been given since the last commit, so that it is worth asking
        self._next = 2  # the half weight whose edge is to be placed next; even ones are off-to-on
        self._seen = -1  # half weight of a register for which every edge is placed; -1 = none is known
        self._level = 0  # at the end of the chain
        self._first = 0  # ring of edges placed and not known to be given
        self._placed = 0  # how many are in it
        self._fed = 0  # of these, whose segment is in the chain already
        self._last = 0  # 1: such an edge is at the very end of the chain: it comes only with a word after it
        self.handed = 0  # edges that count and are given, or will be whatever the processor does; its low bits are used
        self._due_us = [0] * SLOTS
        self._kind = [0] * SLOTS
        self._word = [0] * SLOTS  # words put when the edge was fed: it is given once a further one is taken
        self._live = False  # the chain is running
        self._frozen = False
        self._recent = True  # the last edge is so new that the next one has to keep its distance (SPACING_US)
        self._last_us = 0  # when it is, was, or may have been
        self._paced = False  # the same of the newest edge known to be given, and `pace_us`
        self._edge_us = 0  # when that one was
        self._fine_counts = 0  # half a weight of the fine pulses, in counts; 0: there are none
        self._fine_sum = 0  # energy since their last crossing; -1 while billing edges are still on their way
        self._fine_level = 0
        bind(self, "edges_given follow feed _pending _retire")

    def start(self, edges: int, now_us: int) -> None:
        """Output off, `edges` given so far (modulo); what is owed beyond them is given (PO-4).

        In a running meter, where a better state was found, the output goes off first.
        """
        self._placed = self._fed
        for n in range(SLOTS):
            self._kind[n] &= 1  # counted in `edges`
        self.handed = edges
        self._last = 0
        if self._planned_level():
            self._push(now_us, 0)
        self._next = 2 * (edges + 1) % self._halves
        self.moving = True
        self._seen = -1
        self._last_us = now_us
        self._recent = True

    def edges_given(self, wh: int) -> int:
        """Off-to-on edges given so far, modulo, for a register of `wh`."""
        edges = (self._next - 1) // 2
        if self._fine_counts and self._ahead(wh) >= 0:
            edges = wh // self._weight_wh
        if self._placed:
            edges -= self._pending()
        if edges < 0:
            edges += self._pulses
        return edges

    def follow(self, reading: Reading, known_us: int, now_us: int) -> None:
        """Place and queue the edges that the newest reading asks for; after a commit. Mostly there is nothing to do."""
        if self.moving:
            self.moving = self._placed > 0 or self._fine_counts > 0  # what the commit has of it is the last word
        if self._fine_counts or reading.wh // self._half_wh != self._seen:
            self.place(reading)
        idle = not self._placed and self._live and not self._recent
        if not idle or ticks_diff(self._port.end_us, now_us) <= self._ample_us:
            self.feed(known_us, now_us)

    def place(self, reading: Reading) -> None:
        """Place the edges that the newest reading asks for."""
        if self._fine_counts:
            self._place_fine(reading)
            return
        while self._placed < _BILLED_SLOTS:
            ahead = self._ahead(reading.wh)
            if ahead < 0:
                self._seen = reading.wh // self._half_wh
                break
            beyond = reading.wh % self._half_wh + ahead * self._half_wh
            if beyond < _FAR_WH:
                beyond = beyond * reading.counts_per_wh + reading.counts
            else:
                beyond = reading.step_counts
            self._append(reading, beyond, 0 if self._next & 1 else 1 | _BILLED)
            self._next += 1
            if self._next == self._halves:
                self._next = 0

    def feed(self, known_us: int, now_us: int) -> None:
        """Bring edges, and the level up to `known_us`, into the chain as far as it has room."""
        if self._placed:
            self._retire()
        if self._recent and ticks_diff(now_us, self._last_us) > _OLD_US:
            self._recent = False
        if self._paced and ticks_diff(now_us, self._edge_us) > self._pace_us:
            self._paced = False
        if self._frozen:
            self._age(now_us)
            return
        port = self._port
        left_us = ticks_diff(port.end_us, now_us)
        if self._live and left_us < _CLOSE_US:
            self._live = left_us > -MIN_US or port.room() < DEPTH
            if self._live and self._fed:
                return  # an edge stands at the end
            if self._live:
                port.stop()
                port.drop()
                self._live = False
        if not self._live:
            self._live = True
            self._last_us = now_us
            self._recent = True
            port.start(_FIRST_US, self._level)
            self._followed()
        waits = False
        while not waits and self._fed < self._placed and port.room():
            waits = not self._feed_edge(known_us)
        if waits or self._fed == self._placed:
            left_us = ticks_diff(known_us, port.end_us)
            # An edge at the end of the chain comes only with a word after it.
            least_us = _AFTER_US if self._last_us == port.end_us else self._hold_us
            if left_us >= least_us and port.room() > 1:
                port.put(left_us, self._level)
                self._followed()

    def _followed(self) -> None:
        """A word came after what was the end of the chain."""
        self.handed += self._last
        self._last = 0

    def freeze(self) -> None:
        """Stand still: from now on no edge is given."""
        self._port.stop()
        self._frozen = True
        self._live = False

    def thaw(self, now_us: int) -> None:
        """Go on: edges that fell due meanwhile follow, each once; later ones stand at their times."""
        self._retire()
        self._age(now_us)
        self._port.drop()
        self._followed()
        for n in range(self._fed):
            self.handed -= self._kind[(self._first + n) & _SLOTS_MASK] >> 1 & 1
        self._fed = 0
        if self._placed:
            self._level = 1 - (self._kind[self._first] & 1)
        self._live = False
        self._frozen = False

    def fine_start(self, half_counts: int, t_us: int) -> None:
        """From now on give an edge for each `half_counts` of energy, half a fine weight; the output goes off first."""
        if self._next & 1:
            self._push(t_us, 0)
            self._next = (self._next + 1) % self._halves
        self._fine_counts = half_counts
        self.moving = True
        self._fine_sum = -1
        self._seen = -1
        self._fine_level = 0

    def fine_stop(self, wh: int, t_us: int) -> None:
        """Follow the register again: off until the next full weight after `wh`."""
        self._fine_counts = 0
        self.moving = True
        while self._placed > self._fed and self._kind[(self._first + self._placed - 1) & _SLOTS_MASK] & _FINE:
            self._placed -= 1
        if self._planned_level():
            self._push(t_us, 0)
        if self._ahead(wh) >= 0:
            self._skip(wh)

    def _ahead(self, wh: int) -> int:
        """How many half weights a register of `wh` is beyond that of the next edge; -1: it has not come to it."""
        ahead = wh // self._half_wh - self._next
        if ahead < 0:
            ahead += self._halves
        return ahead if ahead < self._halves // 2 else -1

    def _skip(self, wh: int) -> None:
        """Take every full weight up to `wh` as given; the next edge is the off-to-on edge of the one after it."""
        self.handed = wh // self._weight_wh
        self._next = 2 * (wh // self._weight_wh + 1) % self._halves

    def _place_fine(self, reading: Reading) -> None:
        """`place` for the fine pulses, which begin once every billing edge has been given."""
        half = self._fine_counts
        if self._fine_sum >= 0:
            self._fine_sum += reading.step_counts
        elif not self._placed:
            self._fine_sum = 0
        while self._fine_sum >= half and self._placed < SLOTS:
            self._fine_level = 1 - self._fine_level
            self._fine_sum -= half
            self._append(reading, self._fine_sum, self._fine_level | _FINE)
        # Full weights passed meanwhile count as given.
        if self._ahead(reading.wh) >= 0:
            self._skip(reading.wh)

    def _append(self, reading: Reading, beyond_counts: int, kind: int) -> None:
        """Place the edge of a crossing that the energy had passed by `beyond_counts` when it was read."""
        delay_us = DELAY_US - reading.back_us(beyond_counts)
        self._push(ticks_add(reading.t_us, delay_us), kind)

    def _push(self, due_us: int, kind: int) -> None:
        """Place an edge; `kind`: the level after it in bit 0, and the bits above."""
        slot = (self._first + self._placed) & _SLOTS_MASK
        self._due_us[slot] = due_us
        self._kind[slot] = kind
        self._placed += 1
        self.moving = True

    def _planned_level(self) -> int:
        """The level after the last edge that is placed."""
        if self._placed:
            return self._kind[(self._first + self._placed - 1) & _SLOTS_MASK] & 1
        return self._level

    def _pending(self) -> int:
        """Off-to-on edges that count, placed and not given."""
        taken = self._port.pulled()
        pending = 0
        for n in range(self._placed):
            slot = (self._first + n) & _SLOTS_MASK
            if self._kind[slot] & _BILLED and (n >= self._fed or (self._word[slot] - taken) & WORDS_MASK < _HALF_WORDS):
                pending += 1
        return pending

    def _retire(self) -> None:
        """Forget edges that are given."""
        taken = self._port.pulled()
        while self._fed and (self._word[self._first] - taken) & WORDS_MASK >= _HALF_WORDS:
            self._paced = True
            self._edge_us = self._due_us[self._first]
            self._first = (self._first + 1) & _SLOTS_MASK
            self._placed -= 1
            self._fed -= 1

    def _feed_edge(self, known_us: int) -> bool:
        """Put the segment that ends at the next edge; False where that comes later than what is known."""
        port = self._port
        slot = (self._first + self._fed) & _SLOTS_MASK
        due_us = self._due_us[slot]
        if not self._kind[slot] & _FINE and (self._fed or self._paced):
            before_us = self._due_us[(slot - 1) & _SLOTS_MASK] if self._fed else self._edge_us
            if ticks_diff(due_us, before_us) < self._pace_us:
                due_us = ticks_add(before_us, self._pace_us)
                if ticks_diff(due_us, known_us) > 0:
                    return False
        if self._recent and ticks_diff(due_us, self._last_us) < SPACING_US:
            due_us = ticks_add(self._last_us, SPACING_US)
        us = ticks_diff(due_us, port.end_us)
        if us < MIN_US:
            us = MIN_US
        port.put(us, self._level)
        self._followed()
        self._last_us = port.end_us
        self._recent = True
        self._due_us[slot] = port.end_us
        self._level = self._kind[slot] & 1
        self._last = self._kind[slot] >> 1 & 1
        self._word[slot] = port.words
        self._fed += 1
        return True

    def _age(self, now_us: int) -> None:
        """While the output stands still, bring what fell due along with the time, before the ticks wrap behind it."""
        for n in range(self._placed):
            slot = (self._first + n) & _SLOTS_MASK
            if ticks_diff(self._due_us[slot], now_us) < 0:
                self._due_us[slot] = now_us


class Pulses:
    """The 10 Wh output with the load LED, the 100 Wh and the 1000 Wh output.

    In the cycle: `write_given` writes into the state in the making before the commit and changes nothing else; after
    the commit `plan` follows the committed state. `freeze` and `thaw` frame the time in which the supply is failing.
    All ticks are ticks_us; register and edges are those of `State`.
    """

    def __init__(self, port_10: "PulsePort", port_100: "PulsePort", port_1000: "PulsePort", model: "Model") -> None:
        pace_us = 5 * 3_600_000_000 // (2 * model.most_w)  # of half a weight of 10 Wh, at twice the highest load
        self.out_10 = Output(port_10, 10, 150_000, pace_us)
        self.out_100 = Output(port_100, 100, 300_000, 10 * pace_us)
        self.out_1000 = Output(port_1000, 1000, 300_000, 100 * pace_us)
        self.reading = Reading(model.counts_per_wh)
        self.frozen = False
        self.queued = 0  # edges that are given even if the processor hangs: 3, 2 and 1 bits for the three outputs
        self.fine_mwh = 0  # weight of the running fine pulses; 0 = none
        self.fine_left_ms = 0
        self.fine_ended = 0  # why the last one ended; the cycle logs and clears it
        self._fine_limit = 0  # counts per 10 ms
        self._fine_now_us = 0
        bind(self, "write_given plan")

    def start(self, state: "State", now_us: int) -> None:
        """Take up the state found at power-up; every output is off."""
        self.reading.take(state.delivered_wh, state.delivered_counts, now_us)
        self.reading.step_counts = 0
        self.reading.step_us = 0
        self.out_10.start(state.edges_10, now_us)
        self.out_100.start(state.edges_100, now_us)
        self.out_1000.start(state.edges_1000, now_us)

    def write_given(self, state: "State") -> None:
        """Bring the edges given so far up to date in `state`, which is in the making and has this cycle's register."""
        wh = state.delivered_wh
        if self.out_10.moving:
            state.edges_10 = self.out_10.edges_given(wh)
        if self.out_100.moving:
            state.edges_100 = self.out_100.edges_given(wh)
        if self.out_1000.moving:
            state.edges_1000 = self.out_1000.edges_given(wh)

    def plan(self, state: "State", t_us: int, now_us: int) -> None:
        """Place and queue edges after the commit of `state`.

        `t_us` is when the energy in `state` was read. A cycle that has no good reading gives the `t_us` of the last
        good one again: its energy comes with the next, and is spread over both.
        """
        reading = self.reading
        reading.take(state.delivered_wh, state.delivered_counts, t_us)
        if self.fine_mwh:
            self._fine_step(now_us)
        known_us = ticks_add(t_us, DELAY_US)
        self.out_10.follow(reading, known_us, now_us)
        self.out_100.follow(reading, known_us, now_us)
        self.out_1000.follow(reading, known_us, now_us)
        if not self.frozen:
            # The roll-overs of the edges divide by these bits; more than so many wait only while a backlog drains.
            self.queued = (
                self.out_10.handed - state.edges_10 & 7
                | (self.out_100.handed - state.edges_100 & 3) << 3
                | (self.out_1000.handed - state.edges_1000 & 1) << 5
            )

    def freeze(self) -> None:
        """The supply is failing: no further edge, so that what is saved stays true (PO-4). Levels stand."""
        if self.frozen:
            return
        self.frozen = True
        self.queued = 0
        self.out_10.freeze()
        self.out_100.freeze()
        self.out_1000.freeze()

    def thaw(self, now_us: int) -> None:
        """The supply is back: go on."""
        if not self.frozen:
            return
        self.frozen = False
        self.out_10.thaw(now_us)
        self.out_100.thaw(now_us)
        self.out_1000.thaw(now_us)

    def fine_pulses(self, weight_mwh: int, seconds: int, now_us: int) -> int:
        """Let the 10 output and the LED follow a finer constant for a time; the service sees to the seal.

        1000 mWh up to 55 kW, 100 mWh up to 5 kW, 1 to FINE_LONGEST_S seconds. Returns FINE_STARTED, or why not.
        Called from the cycle, after `plan`.
        """
        if weight_mwh == 1000:
            watts = FINE_1000_MWH_W
        elif weight_mwh == 100:
            watts = FINE_100_MWH_W
        else:
            return FINE_REFUSED
        if not 0 < seconds <= FINE_LONGEST_S:
            return FINE_REFUSED
        if self.fine_mwh:
            self.fine_stop(FINE_COMMAND)
        reading = self.reading
        self._fine_limit = watts * (reading.counts_per_wh // 100) // 3600 * 103 // 100 + 1
        if self._fine_too_high():
            return FINE_LOAD_TOO_HIGH
        self.fine_mwh = weight_mwh
        self.fine_left_ms = seconds * 1000
        self._fine_now_us = now_us
        self.out_10.fine_start(reading.counts_per_wh // (2000 // weight_mwh), reading.t_us)
        return FINE_STARTED

    def fine_stop(self, reason: int) -> None:
        """End the fine pulses (FINE_COMMAND, FINE_SEALED); nothing where there is none."""
        if self.fine_mwh:
            self.fine_mwh = 0
            self.fine_left_ms = 0
            self.fine_ended = reason
            self.out_10.fine_stop(self.reading.wh, self.reading.t_us)

    def _fine_step(self, now_us: int) -> None:
        """Let the time of the fine pulses run, and end them when it is over or the load is too high."""
        passed_ms = ticks_diff(now_us, self._fine_now_us) // 1000
        self._fine_now_us = ticks_add(self._fine_now_us, passed_ms * 1000)
        self.fine_left_ms -= passed_ms
        if self.fine_left_ms <= 0:
            self.fine_stop(FINE_TIME_OVER)
        elif self._fine_too_high():
            self.fine_stop(FINE_LOAD_TOO_HIGH)

    def _fine_too_high(self) -> bool:
        reading = self.reading
        if reading.step_us > _OLD_US:
            return False  # a long gap says nothing about the rate
        return reading.step_counts > (reading.step_us // 1000 + 1) * self._fine_limit // 10
