"""A PIO state machine of the RP2040 (data sheet 3.2 to 3.5): runs assembled opcodes cycle for cycle.

It runs ahead: as soon as a word comes, everything up to the next wait for a word is computed, and the pins' edges are
put on the clock as events. What is kept of each `pull` lets it go back when it is stopped in the middle. Loops of one
instruction (`jmp(x_dec, "here")`) are taken in one step.

Not modelled, and refused at the start: inputs (`wait`, `in_`, `jmp(pin, ..)`), interrupts, autopull and autopush.
"""

from boards.virtual.rp2040 import pio_asm

FIFO = 4
RUN_LIMIT = 10_000  # a program that runs so many instructions without waiting for a word cannot be run ahead
NEVER = 1 << 60  # a small integer on 64-bit MicroPython

# pull(block), out(pins, 2), out(x, 30), jmp(x_dec, itself): the pins change with the cycle after the pull, and the next
# pull comes x + 4 cycles after it.
SEGMENTS = [0x80A0, 0x6002, 0x603E, 0x0043]

_MASK32 = 0xFFFFFFFF


class StateMachine:
    """`pins[n].drive(level)` is called at each edge of pin n; `program` comes from `pio_asm.asm_pio`.

    Base pins are numbers or None. `freq` in Hz up to the RP2040's 125 MHz, which is also -1. The methods of
    MicroPython's rp2.StateMachine behave as there; `release` is the reset of the peripheral.
    """

    def __init__(self, clock, pins, program, freq=-1, out_base=None, set_base=None, sideset_base=None):
        for opcode in program.code:
            kind = opcode >> 13
            if kind in (1, 2, 6) or (kind == 0 and opcode >> 5 & 7 == 6):
                raise NotImplementedError("PIO instruction 0x%04x: inputs and interrupts are not modelled" % opcode)
        if program.autopull or program.autopush:
            raise NotImplementedError("autopull, autopush")
        self._clock = clock
        self._pins = pins
        self._code = program.code
        self._wrap = program.wrap
        self._wrap_target = program.wrap_target
        self._right = program.out_shiftdir == pio_asm.SHIFT_RIGHT
        self._hz = 125_000_000 if freq == -1 else freq
        self._depth = 2 * FIFO if program.fifo_join == pio_asm.JOIN_TX else FIFO
        self._out = (out_base, len(program.out_init))
        self._set = (set_base, len(program.set_init))
        self._side = (sideset_base, len(program.sideset_init))
        self._side_optional = program.side_optional
        self._side_bits = len(program.sideset_init) + (1 if program.side_optional else 0)
        self._due = self._edge_due
        self._segments = program.code == SEGMENTS and self._right and program.wrap_target == 0
        self._out_value = -1  # last value of `out(pins, ..)` in a program of SEGMENTS
        self._active = False
        self._fifo = []  # words that the run ahead has not come to
        self._pulls = []  # cycles of the pulls that are computed, and still to come in real time
        self._words = []  # the word that each of them takes
        self._before = []  # the registers before each of them; None: the first instruction, X counted down
        self._edges = []  # (cycle, pin, level) of the edges that are computed, and still to come
        self._event = None
        self._armed = NEVER  # cycle of the edge that the event stands for
        self._muted = False
        self._last_pull = 0  # the same of the last pull that has happened
        self._last_word = None  # None: it was the start
        self._last_before = (0, 0, 0, 0, 0)
        self._shown = {}  # level of each pin now
        self._planned = {}  # level of each pin after all of `_edges`
        self._pc = self._x = self._y = self._osr = self._isr = 0
        self._cycle = 0  # of the next instruction; while stopped, its distance from the stop
        for base, inits in (
            (out_base, program.out_init),
            (set_base, program.set_init),
            (sideset_base, program.sideset_init),
        ):
            if base is not None:
                for n, init in enumerate(inits):
                    self._shown[base + n] = self._planned[base + n] = init & 1
                    pins[base + n].drive(init & 1)

    def active(self, value=None):
        """Stop (0) or go on (1) now; without an argument: whether it runs."""
        if value is not None and bool(value) != self._active:
            now = self._now()
            if value:
                self._active = True
                self._cycle += now
                self._last_pull, self._last_word, self._last_before = self._cycle, None, self._registers()
                self._run(NEVER)
            else:
                self._back_to(now)
                self._active = False
                self._cycle = max(0, self._cycle - now)
        return self._active

    def put(self, value, shift=0):
        """Put a word into the FIFO; waits while that is full."""
        while self.tx_fifo() >= self._depth:
            if not self._active or not self._pulls:
                raise RuntimeError("put waits for ever: the FIFO is full and the state machine stands")
            self._clock.spend(max(1, self._us(self._pulls[0]) - self._clock.now_us))
        self._fifo.append(value << shift & _MASK32)
        if self._active:
            now = self._now()
            if self._cycle < now:
                self._cycle = now
            if self._segments and self._pc == 0:
                self._run_segments()
            else:
                self._run(NEVER)

    def tx_fifo(self):
        """How many words wait in the FIFO."""
        pulls = self._pulls
        if pulls:
            now = self._now()
            while pulls and pulls[0] <= now:
                self._last_pull = pulls.pop(0)
                self._last_word = self._words.pop(0)
                self._last_before = self._before.pop(0)
        return len(pulls) + len(self._fifo)

    def rx_fifo(self):
        """How many words can be read: none, because inputs are not modelled."""
        return 0

    def restart(self):
        """Start the program at its beginning; the FIFO keeps its words."""
        running = self._active
        self.active(0)
        self._pc = self._osr = self._isr = self._cycle = 0
        self.active(1 if running else 0)

    def exec(self, instruction):
        """Carry out one opcode now, outside the program. Modelled for a stopped machine."""
        if self._active:
            raise NotImplementedError("exec while running")
        pc, cycle = self._pc, self._cycle
        self._cycle = self._now()
        if not self._step(instruction):
            self._pc = pc
        self._cycle = cycle
        self._pulls, self._words, self._before = [], [], []
        self._arm()

    def release(self):
        """Stop and let go of the pins, because the peripheral is reset."""
        self.active(0)
        self._edges = []
        self._fifo = []
        self._arm()
        for pin in self._shown:
            self._pins[pin].drive(None)

    # Time: cycles of the machine's own clock, counted from the start of the simulation.

    def _now(self):
        now_us = self._clock.now_us
        return now_us if self._hz == 1_000_000 else now_us * self._hz // 1_000_000

    def _us(self, cycle):
        return cycle if self._hz == 1_000_000 else -(-cycle * 1_000_000 // self._hz)

    # Running ahead and going back

    def _registers(self):
        return (self._pc, self._x, self._y, self._osr, self._isr)

    def _back_to(self, now):
        """Undo what was computed beyond cycle `now`, by doing what came after the last real pull again."""
        self.tx_fifo()
        self._fifo = ([] if self._last_word is None else [self._last_word]) + self._words + self._fifo
        self._cycle = self._last_pull
        if self._last_before is None:
            self._pc, self._x = 0, _MASK32
        else:
            self._pc, self._x, self._y, self._osr, self._isr = self._last_before
        self._pulls, self._words, self._before = [], [], []
        self._edges = [edge for edge in self._edges if edge[0] <= now + 1]
        self._muted = True  # its edges have been given, or are in the list still
        self._run(now)
        self._muted = False
        self.tx_fifo()
        self._out_value = -1
        self._planned = dict(self._shown)
        for _, pin, level in self._edges:
            self._planned[pin] = level
        self._arm()

    def _run(self, limit):
        """Carry out what starts up to cycle `limit`, or until a word is missing."""
        code = self._code
        for _ in range(RUN_LIMIT):
            if self._cycle > limit:
                break
            pc = self._pc
            opcode = code[pc]
            kind = opcode >> 13
            if kind == 0 and opcode & 31 == pc and opcode >> 5 & 7 in (2, 4):
                if not self._count_down(opcode, limit):
                    break
            elif kind == 4 and not self._fifo and opcode & 0xA0 == 0xA0:
                break
            else:
                self._step(opcode)
        else:
            raise RuntimeError("a PIO program that never waits for a word cannot be run ahead")
        self._arm()

    def _run_segments(self):
        """The same as `_run` for a program that is SEGMENTS, a word at a time and without heap: a simulated day has
        millions of them.
        """
        fifo = self._fifo
        while fifo:
            word = fifo.pop(0)
            cycle = self._cycle
            self._pulls.append(cycle)
            self._words.append(word)
            self._before.append(None)
            if word & 3 != self._out_value:
                self._out_value = word & 3
                self._cycle = cycle + 1
                self._write(self._out, word & 3)
                self._arm()
            self._cycle = cycle + 4 + (word >> 2)
        self._x = _MASK32

    def _count_down(self, opcode, limit):
        """A jump to itself while X (or Y) counts down to zero. False if `limit` comes first."""
        y = opcode >> 5 & 7 == 4
        left = self._y if y else self._x
        step = 1 + self._delay(opcode)
        turns = left + 1
        if self._cycle + left * step > limit:
            turns = (limit - self._cycle) // step + 1
        self._cycle += turns * step
        left = left - turns & _MASK32
        if y:
            self._y = left
        else:
            self._x = left
        if left != _MASK32:
            return False
        self._next()
        return True

    def _next(self):
        self._pc = self._wrap_target if self._pc == self._wrap else self._pc + 1

    def _delay(self, opcode):
        return (opcode >> 8 & 31) & ((1 << (5 - self._side_bits)) - 1)

    def _step(self, opcode):
        """One instruction; True if it set the program counter itself."""
        jumped = False
        kind = opcode >> 13
        what = opcode >> 5 & 7
        number = opcode & 31
        if self._side_bits:
            side = (opcode >> 8 & 31) >> (5 - self._side_bits)
            width = self._side[1]
            if not self._side_optional:
                self._write(self._side, side)
            elif side >> width:
                self._write(self._side, side & ((1 << width) - 1))
        if kind == 0:
            jumped = self._condition(what)
            if jumped:
                self._pc = number
        elif kind == 3:
            self._put_to(what, self._shift_out(number or 32))
        elif kind == 4:
            self._pull(opcode)
        elif kind == 5:
            value = (self._levels, self._get_x, self._get_y, self._zero, None, None, self._get_isr, self._get_osr)[
                number & 7
            ]()
            if number >> 3 == 1:
                value ^= _MASK32
            elif number >> 3 == 2:
                value = int("".join([str(value >> n & 1) for n in range(32)]), 2)
            if what == 7:
                self._osr = value
            else:
                self._put_to(what, value)
        elif kind == 7:
            if what == 0:
                self._write(self._set, number)
            else:
                self._put_to(what, number)
        self._cycle += 1 + self._delay(opcode)
        if not jumped:
            self._next()
        return jumped

    def _condition(self, what):
        if what == 0:
            return True
        if what == 1:
            return self._x == 0
        if what == 2:
            self._x = self._x - 1 & _MASK32
            return self._x != _MASK32
        if what == 3:
            return self._y == 0
        if what == 4:
            self._y = self._y - 1 & _MASK32
            return self._y != _MASK32
        if what == 5:
            return self._x != self._y
        raise NotImplementedError("jmp(not_osre, ..)")

    def _pull(self, opcode):
        if not opcode & 0x80 or opcode & 0x40:
            raise NotImplementedError("push, pull(ifempty)")
        if self._fifo:
            word = self._fifo.pop(0)
            self._pulls.append(self._cycle)
            self._words.append(word)
            self._before.append(self._registers())
            self._osr = word
        else:
            self._osr = self._x

    def _shift_out(self, bits):
        osr = self._osr
        if self._right:
            self._osr = osr >> bits
            return osr & ((1 << bits) - 1)
        self._osr = osr << bits & _MASK32
        return osr >> (32 - bits)

    def _put_to(self, what, value):
        if what == 0:
            self._write(self._out, value)
        elif what == 1:
            self._x = value
        elif what == 2:
            self._y = value
        elif what == 6:
            self._isr = value
        elif what in (5, 7):
            raise NotImplementedError("PIO writes to pc and exec")

    def _get_x(self):
        return self._x

    def _get_y(self):
        return self._y

    def _get_isr(self):
        return self._isr

    def _get_osr(self):
        return self._osr

    def _zero(self):
        return 0

    def _levels(self):
        raise NotImplementedError("mov(.., pins)")

    # Edges: the pins change at the end of the instruction's first cycle.

    def _write(self, base_count, value):
        base, count = base_count
        if base is None:
            return
        for n in range(count):
            level = value >> n & 1
            if level != self._planned[base + n] and not self._muted:
                self._planned[base + n] = level
                self._edges.append((self._cycle + 1, base + n, level))

    def _arm(self):
        """One event stands for the next edge."""
        edges = self._edges
        cycle = edges[0][0] if edges else NEVER
        if cycle != self._armed:
            if self._event is not None:
                self._clock.cancel(self._event)
                self._event = None
            self._armed = cycle
            if edges:
                self._event = self._clock.at(self._us(cycle), self._due)

    def _edge_due(self):
        self._event = None
        self._armed = NEVER
        edges = self._edges
        now_us = self._clock.now_us
        while edges and self._us(edges[0][0]) <= now_us:
            _, pin, level = edges.pop(0)
            self._shown[pin] = level
            self._pins[pin].drive(level)
        self._arm()
