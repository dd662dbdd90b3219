"""The pulse outputs: which edges the delivered energy asks for, and when they come (PO-1 to PO-4, EN-3).

An output is switched on at each full weight of delivered energy and off half a weight later. The energy is known at
each reading of the front ends. When a half weight was crossed between two readings is interpolated, and the edge is
placed exactly DELAY_US after the crossing. The edges of the coming half second are therefore in the hardware's queue
before they are due: they stand at even distances, do not depend on what the processor does, and never come before the
register has the energy.

Mostly there is nothing to do, which is found out in few steps. Placing an edge and queueing it take two cycles, so that
one in which edges of all outputs are due is not much longer than another.

Edges that are due closer to each other than even the highest load would bring them, or that are late, are put off and
never dropped; a backlog drains at twice the rate of the highest load, whatever has piled it up. In any case two edges
of an output are at least SPACING_US apart (PO-3, field bugs 31 and 32).

An edge is "given" when it is on the pin. This is known from the words that the hardware has taken, not from the clock.
Nothing here takes heap. The weights divide the register's 1e9 Wh, so pulses are counted modulo 1e9 Wh / weight, and the
roll-over makes no edge.

Long because an output's edges, its chain of segments and the fine pulses on it are one state, which two modules would
both have to reach into, as Pulses does: in each cycle it reads what its outputs have, without a call.
"""

from openkh.bound import bind
from openkh.drivers.pulse_port import DEPTH, MIN_US, WORDS_MASK
from openkh.fixed import muldiv
from openkh.metrology.energy import ROLL_WH
from openkh.ticks import ticks_add, ticks_diff, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.drivers.pulse_port import PulsePort
    from openkh.model import Model
    from openkh.state import State

DELAY_US = 500_000
SPACING_US = 31_000  # PO-3 asks for 30 ms
_LEAST_WH = 5  # half of the smallest weight; the others are multiples of it

SLOTS = 32  # room for edges on their way; in 500 ms there are 16 at the shortest spacing
_SLOTS_MASK = SLOTS - 1
_BILLED_SLOTS = 8  # of these for edges of energy: a longer queue would drain for more than half of the ticks' round

# The kind of an edge: the level after it in bit 0, and
_BILLED = 2  # it is an off-to-on edge that counts as a pulse
_FINE = 4  # it belongs to the fine pulses

_FIRST_US = 20_000  # length of the first segment of a new chain
_CLOSE_US = 5_000  # a chain that ends sooner than this is not prolonged but begun anew
_AFTER_US = 20_000  # the segment behind an edge is at least so long
_EARLY_US = 2_000  # an edge comes so much before its time at most, where an interrupt delayed the look at the clock
_LOOK_US = 60_000_000  # outputs are looked at so often in any case, before the ticks wrap
_OLD_US = 1_000_000  # an edge older than this keeps no other one away
_HALF_WORDS = (WORDS_MASK + 1) // 2
_FAR_WH = 8_000  # a step of the energy beyond this is not interpolated, so that counts stay below 2^28,
_LONG_US = 1 << 28  # nor is one over a longer time than this
_SHORT_US = 1 << 18  # for times below this and counts below the next a quicker division serves
_FEW_COUNTS = 1 << 20

# Results of `fine_pulses`, and reasons why the fine pulses have ended (a of the event FINE_PULSES_OFF).
FINE_STARTED = 0
FINE_TIME_OVER = 1
FINE_LOAD_TOO_HIGH = 2
FINE_COMMAND = 3
FINE_SEALED = 4
FINE_REFUSED = 5  # there is no such weight or time
FINE_LONGEST_S = 36_000

# The highest power for each weight of the fine pulses, in W. 3 % more are let pass, because power pulsates and so do
# the steps between two readings.
FINE_1000_MWH_W = 55_000
FINE_100_MWH_W = 5_000


class Reading:
    """The newest reading of the delivered energy, `wh` and `counts` at `t_us`, and its step from the reading before."""

    def __init__(self, counts_per_wh: int) -> None:
        self.counts_per_wh = counts_per_wh
        self.wh = 0
        self.counts = 0
        self.t_us = 0
        self._before_wh = 0  # the reading before
        self._before_counts = 0
        self._before_us = 0
        self.step_counts = 0  # counts since the reading before, and the time; both 0 where they are too large to be
        self.step_us = 0  # interpolated
        bind(self, "take", "work_out", "back_us")

    def take(self, wh: int, counts: int, t_us: int) -> None:
        """Take the reading of a register of `wh` and `counts` at `t_us` (ticks_us)."""
        self._before_wh = self.wh
        self._before_counts = self.counts
        self._before_us = self.t_us
        self.wh = wh
        self.counts = counts
        self.t_us = t_us

    def work_out(self) -> None:
        """Bring `step_counts` and `step_us` up to date, which few cycles need."""
        step_wh = self.wh - self._before_wh
        if step_wh < 0:
            step_wh += ROLL_WH
        step_us = ticks_diff(self.t_us, self._before_us)
        if step_wh > _FAR_WH or step_us <= 0 or step_us >= _LONG_US:
            self.step_counts = 0
            self.step_us = 0
        else:
            self.step_counts = step_wh * self.counts_per_wh + self.counts - self._before_counts
            self.step_us = step_us

    def back_us(self, counts: int) -> int:
        """How many us before this reading the energy was `counts` less, rounded down; at most `step_us`."""
        step = self.step_counts
        if counts >= step:
            return self.step_us
        us = self.step_us
        if us < _SHORT_US and step < _FEW_COUNTS:
            # A division in two digits of base 256, whose products stay below 2^30.
            high = (us >> 8) * counts
            whole = high // step
            return (whole << 8) + (((high - whole * step) << 8) + (us & 255) * counts) // step
        return muldiv(us, counts, step)


class Output:
    """One output. Edges are placed into a ring of slots, and from there they are fed into the hardware, where the
    output is a chain of segments, each with a length and a level (drivers/pulse_port.py).

    Every edge up to `known_us`, which is DELAY_US after the newest reading, is known. The chain ends with the level
    after the newest edge, up to there, and the next edge begins a new one where it has run out. Edges of energy are at
    least `pace_us` apart. `at_once`: they are fed in the cycle that places them.
    """

    def __init__(self, port: "PulsePort", weight_wh: int, pace_us: int, at_once: bool) -> None:
        self._port = port
        self._at_once = at_once
        self._pace_us = pace_us
        self._weight_wh = weight_wh
        self.half_wh = weight_wh // 2
        self._halves = ROLL_WH // self.half_wh  # half weights in a round of the register
        self._pulses = ROLL_WH // weight_wh  # and pulses
        self.moving = True  # whether edges may have been given since the last commit, so that it is worth asking,
        self.first_us = 0  # from this time on
        self.asked = True  # whether there is more to do in the next cycle
        self.all_given = False  # whether the last `edges_given` has found every edge given
        self._next = 2  # number of the half weight whose edge is placed next, modulo `_halves`; even ones are off-to-on
        self.seen = -1  # half weights in a register for which every edge is placed; -1: none is known
        self._level = 0  # at the end of the chain
        # The ring: edges that are placed and not known to be given.
        self._first = 0  # slot of the first of them
        self._placed = 0  # how many there are
        self._fed = 0  # how many of them, from the first on, are in the chain already
        self._last = 0  # 1: a pulse's edge is at the very end of the chain, and comes only if a word follows it
        self.handed = 0  # pulses given or sure to be given even if the processor stops; only the low bits are used
        self._due_us = [0] * SLOTS
        self._kind = [0] * SLOTS
        self._word = [0] * SLOTS  # words put when the edge was fed: it is given when the hardware has taken another
        self._live = False  # whether the chain is running
        self._frozen = False
        self._recent = True  # whether the newest edge in the chain is so new that SPACING_US has to be kept from it
        self._last_us = 0  # when that edge is, was, or may have been
        self._paced = False  # whether the newest edge known to be given is so new that `pace_us` has to be kept
        self._edge_us = 0  # when that edge was
        self._fine_counts = 0  # half a weight of the fine pulses, in counts; 0: there are none
        self._fine_sum = 0  # counts since their last crossing; -1: edges of energy are still on their way before them
        self._fine_level = 0  # after the newest edge of the fine pulses
        bind(self, "edges_given", "follow", "feed", "_pending", "_retire")

    def start(self, edges: int, now_us: int) -> None:
        """Go on from `edges` pulses given so far (modulo), with the output off; pulses that are owed beyond them will
        be given (PO-4).

        Where this is called in a running meter, because a better state was found, the output is switched off first.
        """
        self._placed = self._fed
        for n in range(SLOTS):
            self._kind[n] &= 1  # what is in the chain already is counted in `edges`
        self.handed = edges
        self._last = 0
        if self._planned_level():
            self._push(now_us, 0)
        self._next = 2 * (edges + 1) % self._halves
        self.moving = True
        self.first_us = now_us
        self.all_given = False
        self.seen = -1
        self._last_us = now_us
        self._recent = True

    def edges_given(self, wh: int) -> int:
        """Pulses (off-to-on edges) given so far, modulo, where the register stands at `wh`."""
        edges = (self._next - 1) // 2
        if self._fine_counts and self._ahead(wh) >= 0:
            edges = wh // self._weight_wh
        self.all_given = True
        if self._placed:
            edges -= self._pending()
        if edges < 0:
            edges += self._pulses
        return edges

    def settle(self) -> None:
        """Call after the commit where it has counted every edge as given: nothing is to be counted until the next one
        is placed."""
        self.all_given = False
        if self._placed:
            self._paced = True
            self._edge_us = self._due_us[(self._first + self._placed - 1) & _SLOTS_MASK]
            self._first = (self._first + self._placed) & _SLOTS_MASK
            self._placed = 0
            self._fed = 0
        self.moving = self._fine_counts > 0

    def follow(self, reading: Reading, known_us: int, now_us: int) -> None:
        """Place the edges that the newest reading asks for, and feed those that were placed before. Call after a
        commit where `asked` is set or `seen` is not up to date. `now_us`: ticks_us; `known_us`: as above."""
        rests = not self.moving
        if not rests:
            # From the first edge on that this cycle's commit has not counted; one that is taken out of the ring below
            # may be among them. Fine pulses come and go without such a time.
            self.first_us = now_us
            if self._placed and self.seen >= 0:
                self.first_us = ticks_add(self._due_us[self._first], -_EARLY_US)
        if reading.wh // self.half_wh != self.seen:
            waits = self._fed != self._placed
            self.place(reading)
            if rests and self._placed:
                self.first_us = ticks_add(self._due_us[self._first], -_EARLY_US)
            if self._fed != self._placed and not (waits or self._at_once or self._fine_counts):
                self.asked = True
                return
        if self.moving or self._live or self._recent or self._paced:
            self.feed(known_us, now_us)
        self.asked = self._fed != self._placed or self._last_us == self._port.end_us or self.seen < 0

    def place(self, reading: Reading) -> None:
        """Place the edges that the newest reading asks for."""
        if self._fine_counts:
            self._place_fine(reading)
            return
        while self._placed < _BILLED_SLOTS:
            ahead = self._ahead(reading.wh)
            if ahead < 0:
                self.seen = reading.wh // self.half_wh
                break
            beyond = reading.wh % self.half_wh + ahead * self.half_wh
            if beyond < _FAR_WH:
                beyond = beyond * reading.counts_per_wh + reading.counts
            else:
                beyond = reading.step_counts
            self._append(reading, beyond, 0 if self._next & 1 else 1 | _BILLED)
            self._next += 1
            if self._next == self._halves:
                self._next = 0

    def feed(self, known_us: int, now_us: int) -> None:
        """Feed edges into the chain as far as it has room, and prolong the level after the last one up to
        `known_us`."""
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
                return  # an edge at the chain's end is still to come: the chain is left to run out
        # An edge at the end of the chain comes only if a word follows it.
        if self._fed == self._placed and self._last_us != port.end_us:
            return
        if self._live and left_us < _CLOSE_US:
            port.stop()
            port.drop()
            self._live = False
        if not self._live:
            self._live = True
            self._last_us = now_us
            self._recent = True
            port.start(_FIRST_US, self._level)
            self._followed()
        while self._fed < self._placed and port.room():
            if not self._feed_edge(known_us):
                break
        if self._last_us == port.end_us:
            left_us = ticks_diff(known_us, port.end_us)
            if left_us >= _AFTER_US and port.room() > 1:
                port.put(left_us, self._level)
                self._followed()

    def _followed(self) -> None:
        """A word was put behind what had been the end of the chain."""
        self.handed += self._last
        self._last = 0

    def freeze(self) -> None:
        """Stand still: no edge is given from now on, and the pin keeps its level."""
        self._port.stop()
        self._frozen = True
        self._live = False

    def thaw(self, now_us: int) -> None:
        """Go on: edges that fell due meanwhile follow, each of them once; later ones come at their own times."""
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
        """Give an edge for each `half_counts` of energy, half a fine weight, from now on. The output goes off first."""
        if self._next & 1:
            self._push(t_us, 0)
            self._next = (self._next + 1) % self._halves
        self._fine_counts = half_counts
        self.moving = True
        self.first_us = t_us
        self._fine_sum = -1
        self.seen = -1
        self._fine_level = 0

    def fine_stop(self, wh: int, t_us: int) -> None:
        """Follow the register again. The output stays off until the first full weight after `wh`."""
        self._fine_counts = 0
        self.moving = True
        while self._placed > self._fed and self._kind[(self._first + self._placed - 1) & _SLOTS_MASK] & _FINE:
            self._placed -= 1
        if self._planned_level():
            self._push(t_us, 0)
        if self._ahead(wh) >= 0:
            self._skip(wh)

    def _ahead(self, wh: int) -> int:
        """By how many half weights a register of `wh` has passed that of the next edge; -1: it is still below it."""
        ahead = wh // self.half_wh - self._next
        if ahead < 0:
            ahead += self._halves
        return ahead if ahead < self._halves // 2 else -1

    def _skip(self, wh: int) -> None:
        """Count every full weight up to `wh` as given. The next edge is the off-to-on edge of the one after them."""
        self.handed = wh // self._weight_wh
        self._next = 2 * (wh // self._weight_wh + 1) % self._halves

    def _place_fine(self, reading: Reading) -> None:
        """`place` for the fine pulses, which begin when every edge of energy has been given."""
        half = self._fine_counts
        if self._fine_sum >= 0:
            self._fine_sum += reading.step_counts
        elif not self._placed:
            self._fine_sum = 0
        while self._fine_sum >= half and self._placed < SLOTS:
            self._fine_level = 1 - self._fine_level
            self._fine_sum -= half
            self._append(reading, self._fine_sum, self._fine_level | _FINE)
        # Full weights that the energy passes meanwhile count as given.
        if self._ahead(reading.wh) >= 0:
            self._skip(reading.wh)

    def _append(self, reading: Reading, beyond_counts: int, kind: int) -> None:
        """Place the edge of a crossing; when the energy was read, it was `beyond_counts` past it."""
        delay_us = DELAY_US - reading.back_us(beyond_counts)
        self._push(ticks_add(reading.t_us, delay_us), kind)

    def _push(self, due_us: int, kind: int) -> None:
        """Place an edge that is due at `due_us`, of a kind as above."""
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
        """Pulses whose edges are placed and not given yet."""
        taken = self._port.pulled()
        pending = 0
        for n in range(self._placed):
            slot = (self._first + n) & _SLOTS_MASK
            if n >= self._fed or (self._word[slot] - taken) & WORDS_MASK < _HALF_WORDS:
                self.all_given = False
                pending += self._kind[slot] >> 1 & 1
        return pending

    def _retire(self) -> None:
        """Take edges that have been given out of the ring."""
        taken = self._port.pulled()
        while self._fed and (self._word[self._first] - taken) & WORDS_MASK >= _HALF_WORDS:
            self._paced = True
            self._edge_us = self._due_us[self._first]
            self._first = (self._first + 1) & _SLOTS_MASK
            self._placed -= 1
            self._fed -= 1

    def _feed_edge(self, known_us: int) -> bool:
        """Put the segment that ends with the next edge into the chain; False if that is beyond `known_us`."""
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
        """While the output stands still, let overdue edges be due now, so that the ticks do not wrap past them."""
        for n in range(self._placed):
            slot = (self._first + n) & _SLOTS_MASK
            if ticks_diff(self._due_us[slot], now_us) < 0:
                self._due_us[slot] = now_us


class Pulses:
    """The 10 Wh output with the load LED, the 100 Wh and the 1000 Wh output.

    In each cycle `write_given` writes into the state in the making and changes nothing else, and after the commit
    `plan` follows the committed state. `freeze` and `thaw` begin and end the time in which the supply is failing. All
    times are ticks_us; register and edges are those of `State`.
    """

    def __init__(
        self, port_10: "PulsePort", port_100: "PulsePort", port_1000: "PulsePort", model: "Model", at_once: bool = False
    ) -> None:
        """`at_once`: edges are queued in the cycle that places them, because it may erase flash afterwards (DR-12)."""
        pace_us = 5 * 3_600_000_000 // (2 * model.most_w)  # time of 5 Wh, half a weight, at twice the highest load
        self.out_10 = Output(port_10, 10, pace_us, at_once)
        self.out_100 = Output(port_100, 100, 10 * pace_us, at_once)
        self.out_1000 = Output(port_1000, 1000, 100 * pace_us, at_once)
        self.reading = Reading(model.counts_per_wh)
        self.frozen = False
        self.queued = 0  # pulses that come even if the processor hangs: 3, 2 and 1 bits for the three outputs
        self.fine_mwh = 0  # weight of the running fine pulses; 0: there are none
        self.fine_left_ms = 0  # how long they go on
        self.fine_ended = 0  # why they have ended; the cycle logs this and clears it
        self._fine_limit = 0  # the highest load for their weight, in counts per 10 ms
        self._fine_now_us = 0  # up to when their time has been counted
        self._asked = True  # whether an output has more to do in the coming `plan`
        self._seen = -1  # half weights of 10 Wh in the register when the outputs were looked at last,
        self._look_us = 0  # and when they are to be looked at in any case
        self.edges_changed = True  # whether this cycle's numbers of edges may be others than the last one's
        bind(self, "write_given", "plan", "_follow")

    def start(self, state: "State", now_us: int) -> None:
        """Go on from `state`, as the start has found it; every output is off."""
        self._ask()
        self.edges_changed = True
        self.reading.take(state.delivered_wh, state.delivered_counts, now_us)
        self.reading.step_counts = 0
        self.reading.step_us = 0
        self.out_10.start(state.edges_10, now_us)
        self.out_100.start(state.edges_100, now_us)
        self.out_1000.start(state.edges_1000, now_us)

    def write_given(self, state: "State") -> None:
        """Bring the numbers of edges given so far up to date in `state`, which is in the making and has this cycle's
        register already."""
        now_us = ticks_us()
        self.edges_changed = False
        one = self.out_10
        if one.moving and ticks_diff(now_us, one.first_us) >= 0:
            self.edges_changed = True
            state.edges_10 = one.edges_given(state.delivered_wh)
        one = self.out_100
        if one.moving and ticks_diff(now_us, one.first_us) >= 0:
            self.edges_changed = True
            state.edges_100 = one.edges_given(state.delivered_wh)
        one = self.out_1000
        if one.moving and ticks_diff(now_us, one.first_us) >= 0:
            self.edges_changed = True
            state.edges_1000 = one.edges_given(state.delivered_wh)

    def plan(self, state: "State", t_us: int, now_us: int) -> None:
        """Place and feed edges. Call after the commit of `state`.

        `t_us` is when the energy in `state` was read. A cycle without a good reading gives the `t_us` of the last good
        one again: its energy comes with the next reading, and is spread over the time of both.
        """
        self.reading.take(state.delivered_wh, state.delivered_counts, t_us)
        if self.edges_changed:
            self._settle()
        if self.fine_mwh:
            self._fine_step(now_us)
        halves = state.delivered_wh // _LEAST_WH
        if ticks_diff(now_us, self._look_us) >= 0:
            self._look_us = ticks_add(now_us, _LOOK_US)
            self._ask()
        if self._asked or halves != self._seen:
            self._seen = halves
            self._follow(ticks_add(t_us, DELAY_US), now_us)
        elif not self.edges_changed:
            return
        if not self.frozen:
            # A whole round of each output's edges is a multiple of 8, 4 or 2, so the low bits are right over its end.
            # More edges than fit these bits wait only while a backlog drains.
            self.queued = (
                self.out_10.handed - state.edges_10 & 7
                | (self.out_100.handed - state.edges_100 & 3) << 3
                | (self.out_1000.handed - state.edges_1000 & 1) << 5
            )

    def _settle(self) -> None:
        """The commit has counted edges: see which outputs have none on their way."""
        if self.out_10.all_given:
            self.out_10.settle()
        if self.out_100.all_given:
            self.out_100.settle()
        if self.out_1000.all_given:
            self.out_1000.settle()

    def _follow(self, known_us: int, now_us: int) -> None:
        """Let each output follow the newest reading."""
        reading = self.reading
        reading.work_out()
        self.out_10.follow(reading, known_us, now_us)
        one = self.out_100
        if one.asked or reading.wh // one.half_wh != one.seen:
            one.follow(reading, known_us, now_us)
        one = self.out_1000
        if one.asked or reading.wh // one.half_wh != one.seen:
            one.follow(reading, known_us, now_us)
        self._asked = self.out_10.asked or self.out_100.asked or one.asked

    def _ask(self) -> None:
        """Have each output looked at by the coming `plan`."""
        self._asked = self.out_10.asked = self.out_100.asked = self.out_1000.asked = True

    def freeze(self) -> None:
        """Give no further edge, because the supply is failing, so that what is saved stays true (PO-4). The pins keep
        their levels."""
        if self.frozen:
            return
        self.frozen = True
        self.queued = 0
        self.out_10.freeze()
        self.out_100.freeze()
        self.out_1000.freeze()

    def thaw(self, now_us: int) -> None:
        """Go on, because the supply is back."""
        if not self.frozen:
            return
        self.frozen = False
        self._ask()
        self.out_10.thaw(now_us)
        self.out_100.thaw(now_us)
        self.out_1000.thaw(now_us)

    def fine_pulses(self, weight_mwh: int, seconds: int, now_us: int) -> int:
        """Let the 10 Wh output and the LED give a pulse for each `weight_mwh` for some time. Whether the seal allows it
        is for the prompt to see to.

        1000 mWh at up to 55 kW, 100 mWh at up to 5 kW, for 1 to FINE_LONGEST_S seconds. Returns FINE_STARTED, or why
        they were not started. Called from the cycle, after `plan`.
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
        self._ask()
        self.fine_mwh = weight_mwh
        self.fine_left_ms = seconds * 1000
        self._fine_now_us = now_us
        self.out_10.fine_start(reading.counts_per_wh // (2000 // weight_mwh), reading.t_us)
        return FINE_STARTED

    def fine_stop(self, reason: int) -> None:
        """End the fine pulses, where they run, for `reason` (FINE_COMMAND, FINE_SEALED and so on)."""
        if self.fine_mwh:
            self._ask()
            self.fine_mwh = 0
            self.fine_left_ms = 0
            self.fine_ended = reason
            self.out_10.fine_stop(self.reading.wh, self.reading.t_us)

    def _fine_step(self, now_us: int) -> None:
        """Count the time of the fine pulses, and end them when it is over or the load is too high."""
        passed_ms = ticks_diff(now_us, self._fine_now_us) // 1000
        self._fine_now_us = ticks_add(self._fine_now_us, passed_ms * 1000)
        self.fine_left_ms -= passed_ms
        if self.fine_left_ms <= 0:
            self.fine_stop(FINE_TIME_OVER)
        elif self._fine_too_high():
            self.fine_stop(FINE_LOAD_TOO_HIGH)

    def _fine_too_high(self) -> bool:
        """Whether the load is above the limit, by the step between the newest two readings."""
        reading = self.reading
        reading.work_out()
        if reading.step_us > _OLD_US:
            return False  # a step over a long gap does not tell how high the load is now
        return reading.step_counts > (reading.step_us // 1000 + 1) * self._fine_limit // 10
