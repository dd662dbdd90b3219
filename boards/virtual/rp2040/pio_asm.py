"""PIO assembler: turns a function decorated with `asm_pio` into opcodes (RP2040 data sheet 3.4).

The decorated function is run with the instruction names as its globals, as MicroPython's own `rp2` does it, so that the
same source assembles on the device and here. Argument names and defaults are MicroPython's.
"""

IN_LOW = 0
IN_HIGH = 1
OUT_LOW = 2
OUT_HIGH = 3
SHIFT_LEFT = 0
SHIFT_RIGHT = 1
JOIN_NONE = 0
JOIN_TX = 1
JOIN_RX = 2

_JMP = 0x0000
_WAIT = 0x2000
_IN = 0x4000
_OUT = 0x6000
_PUSH = 0x8000
_PULL = 0x8080
_MOV = 0xA000
_IRQ = 0xC000
_SET = 0xE000

_CONDITIONS = {"always": 0, "not_x": 1, "x_dec": 2, "not_y": 3, "y_dec": 4, "x_not_y": 5, "pin": 6, "not_osre": 7}
_WAIT_ON = {"gpio": 0, "pin": 1, "irq": 2}
_IN_FROM = {"pins": 0, "x": 1, "y": 2, "null": 3, "isr": 6, "osr": 7}
_OUT_TO = {"pins": 0, "x": 1, "y": 2, "null": 3, "pindirs": 4, "pc": 5, "isr": 6, "exec": 7}
_MOV_TO = {"pins": 0, "x": 1, "y": 2, "exec": 4, "pc": 5, "isr": 6, "osr": 7}
_MOV_FROM = {"pins": 0, "x": 1, "y": 2, "null": 3, "status": 5, "isr": 6, "osr": 7}
_SET_TO = {"pins": 0, "x": 1, "y": 2, "pindirs": 4}
_TABLES = (_CONDITIONS, _WAIT_ON, _IN_FROM, _OUT_TO, _MOV_TO, _MOV_FROM, _SET_TO)
_MODES = ("block", "noblock", "iffull", "ifempty")
_INSTRUCTIONS = ("jmp", "wait", "in_", "out", "push", "pull", "mov", "irq", "nop", "word")
_OTHERS = ("set", "label", "wrap_target", "wrap", "side", "delay")
_INVERT = "~"
_REVERSE = "::"


class PIOASMError(Exception):
    """A program that cannot be assembled."""


def _pick(table, name):
    try:
        return table[name]
    except KeyError as error:
        raise PIOASMError("no such operand here: %r" % (name,)) from error


def _bits(value, low, high):
    if not low <= value <= high:
        raise PIOASMError("%r is out of range %d to %d" % (value, low, high))
    return value & high


def _tuple(init):
    if init is None:
        return ()
    return init if isinstance(init, tuple) else (init,)


class Program:
    """An assembled program with everything that its state machine is configured with."""

    def __init__(
        self,
        out_init,
        set_init,
        sideset_init,
        side_pindir,
        in_shiftdir,
        out_shiftdir,
        autopush,
        autopull,
        push_thresh,
        pull_thresh,
        fifo_join,
    ):
        self.code = []  # opcodes, jumps relative to the first
        self.wrap_target = 0
        self.wrap = 0  # last instruction before going on at wrap_target
        self.out_init = _tuple(out_init)
        self.set_init = _tuple(set_init)
        self.sideset_init = _tuple(sideset_init)
        self.side_optional = False
        self.side_pindir = side_pindir
        self.in_shiftdir = in_shiftdir
        self.out_shiftdir = out_shiftdir
        self.autopush = autopush
        self.autopull = autopull
        self.push_thresh = push_thresh
        self.pull_thresh = pull_thresh
        self.fifo_join = fifo_join


class _Assembler:
    def __init__(self, program):
        self._program = program
        self._code = []
        self._labels = {}
        self._jumps = []
        self._sides = []
        self._side_bits = len(program.sideset_init)
        self._wrap_target = 0
        self._wrap = None

    def names(self):
        """What stands in the globals of the decorated function."""
        names = {word: word for word in _MODES}
        for table in _TABLES:
            for word in table:
                names[word] = word
        names["clear"] = 0x40
        for name in _INSTRUCTIONS + _OTHERS:
            names[name] = getattr(self, name)
        names["invert"] = lambda source: _INVERT + source
        names["reverse"] = lambda source: _REVERSE + source
        names["rel"] = lambda number: number | 0x10
        return names

    def finish(self):
        """Resolve labels and side-set; fill the program."""
        code = self._code
        for index, name in self._jumps:
            if name not in self._labels:
                raise PIOASMError("no label %r" % (name,))
            code[index] |= self._labels[name]
        if not 0 < len(code) <= 32:
            raise PIOASMError("a program has 1 to 32 instructions")
        used = [side is not None for side in self._sides]
        optional = bool(self._side_bits) and not all(used)
        bits = self._side_bits + (1 if optional else 0)
        if any(used) and not self._side_bits:
            raise PIOASMError("side without sideset_init")
        for index, side in enumerate(self._sides):
            if (code[index] >> 8 & 31) >= 1 << (5 - bits):
                raise PIOASMError("delay too long with this side-set")
            if side is not None:
                _bits(side, 0, (1 << self._side_bits) - 1)
                code[index] |= (side | ((1 << self._side_bits) if optional else 0)) << (13 - bits)
        program = self._program
        program.code = code
        program.side_optional = optional
        program.wrap_target = self._wrap_target
        program.wrap = len(code) - 1 if self._wrap is None else self._wrap

    def _emit(self, opcode):
        self._code.append(opcode)
        self._sides.append(None)
        return self

    # Directives

    def label(self, name):
        self._labels[name] = len(self._code)

    def wrap_target(self):
        self._wrap_target = len(self._code)

    def wrap(self):
        self._wrap = len(self._code) - 1

    def word(self, opcode, name=None):
        if name is not None:
            self._jumps.append((len(self._code), name))
        return self._emit(opcode)

    def delay(self, cycles):
        self._code[-1] |= _bits(cycles, 0, 31) << 8
        return self

    __getitem__ = delay

    def side(self, value):
        self._sides[-1] = value
        return self

    # Instructions

    def nop(self):
        return self._emit(_MOV | 0x42)

    def jmp(self, condition, name=None):
        if name is None:
            condition, name = "always", condition
        self._jumps.append((len(self._code), name))
        return self._emit(_JMP | _pick(_CONDITIONS, condition) << 5)

    def wait(self, polarity, source, index):
        return self._emit(_WAIT | _bits(polarity, 0, 1) << 7 | _pick(_WAIT_ON, source) << 5 | _bits(index, 0, 31))

    def in_(self, source, count):
        return self._emit(_IN | _pick(_IN_FROM, source) << 5 | self._count(count))

    def out(self, destination, count):
        return self._emit(_OUT | _pick(_OUT_TO, destination) << 5 | self._count(count))

    def push(self, *modes):
        return self._emit(_PUSH | (0x40 if "iffull" in modes else 0) | (0 if "noblock" in modes else 0x20))

    def pull(self, *modes):
        return self._emit(_PULL | (0x40 if "ifempty" in modes else 0) | (0 if "noblock" in modes else 0x20))

    def mov(self, destination, source):
        operation = 0
        if source.startswith(_INVERT):
            operation, source = 1, source[1:]
        elif source.startswith(_REVERSE):
            operation, source = 2, source[2:]
        return self._emit(_MOV | _pick(_MOV_TO, destination) << 5 | operation << 3 | _pick(_MOV_FROM, source))

    def irq(self, mode, index=None):
        if index is None:
            mode, index = 0, mode
        flags = {"block": 0x20}.get(mode, mode)
        return self._emit(_IRQ | flags | _bits(index, 0, 31))

    def set(self, destination, value):
        return self._emit(_SET | _pick(_SET_TO, destination) << 5 | _bits(value, 0, 31))

    @staticmethod
    def _count(count):
        if not 1 <= count <= 32:
            raise PIOASMError("1 to 32 bits")
        return count & 31


def asm_pio(
    *,
    out_init=None,
    set_init=None,
    sideset_init=None,
    side_pindir=False,
    in_shiftdir=SHIFT_LEFT,
    out_shiftdir=SHIFT_LEFT,
    autopush=False,
    autopull=False,
    push_thresh=32,
    pull_thresh=32,
    fifo_join=JOIN_NONE,
):
    """Decorator: the function becomes a `Program`. PIOASMError says what is wrong with it."""

    def assemble(function):
        program = Program(
            out_init,
            set_init,
            sideset_init,
            side_pindir,
            in_shiftdir,
            out_shiftdir,
            autopush,
            autopull,
            push_thresh,
            pull_thresh,
            fifo_join,
        )
        assembler = _Assembler(program)
        space = function.__globals__
        saved = space.copy()
        names = assembler.names()
        space.clear()
        space.update(names)
        try:
            function()
        finally:
            space.clear()
            space.update(saved)
        assembler.finish()
        return program

    return assemble
