"""The ADE7953's frames on SPI: chip select, whole frames that read, and what the chip notes of each access.

All but a few frames are whole ones that read a register: 17 million in a simulated day, and a good part of its work. So
what the functions here know is in variables of the function that makes them, or in their own defaults, where
MicroPython has both at hand; for an attribute it searches a table. What else comes over the interface the chip takes
byte by byte (chip.py).
"""

from struct import pack_into

READ = 0x35  # LAST_OP codes, DS p.57
WRITE = 0xCA
FULL = 1 << 32  # marks a value of 32 bits that is not to be sign-extended

# How many bytes of a frame have come, or:
SELECTED = 0  # none yet
NOT_SELECTED = -1
DISTURBED = -2  # none yet, and the chip is in a state in which it takes frames byte by byte alone
WHOLE = 1 << 20  # a whole frame; the bytes after it mean nothing

_ANSWERS = {4: ">I", 5: ">xI", 6: ">xxI", 7: ">xxxI"}  # what comes out in a frame of so many bytes, data last


def reading(address, reader, after, noted):
    """What `exchange` needs to read a register.

    reader: a function for its value; None: it is in the register image. after: what to call once it has been read, or
    None. noted: whether LAST_* tell of it.
    """
    width = (address >> 8) + 1 if address < 0x400 else 1
    size = width + 3
    return (address, READ, size, min(width, 3), width == 4, reader, after, noted, _ANSWERS[size])


def make(chip, readings):
    """The functions (cs, exchange, fit, note, forget), and the readers of LAST_* {address: function}.

    readings: address -> `reading` of it. The chip has `regs`, `released()`, which is called as CS rises unless the
    frame was a whole one that reads, and `take(tx, rx, position, frame)`, which takes bytes one by one and returns
    (whether the chip drives MISO, position, frame): bytes into the frame, and the frame's number.

    Long because these functions share their variables.
    """
    position = NOT_SELECTED
    frame = 0
    fresh = DISTURBED  # the position as a frame begins
    noted = (0, 0)  # address and code of the last access
    values = [0, 0, 0, 0]  # LAST_RWDATA of 8, 16 and 24 bits, from index 1 on

    def cs(level, _t_us=0, released=chip.released):
        """Set the level of the CS pin. Where it rises before the end of a frame, the frame has no effect."""
        nonlocal position, frame
        if level:
            if position != WHOLE:
                released()
            position = NOT_SELECTED
        elif position == NOT_SELECTED:
            position = fresh
            frame += 1

    def exchange(tx, rx, find=readings.get, regs=chip.regs, values=values, pack_into=pack_into):
        """Clock bytes while the chip is selected: `tx` goes in, and `rx` (of the same length, or None) is filled with
        what comes out. Returns False where the chip does not drive MISO at all."""
        nonlocal position, noted
        size = len(tx)
        if position or size < 4:
            return in_pieces(tx, rx)
        found = find(tx[0] << 8 | tx[1])
        if found is None:
            return in_pieces(tx, rx)
        address, _, whole, kind, extends, reader, after, notes, answer = found
        if size != whole or not tx[2] & 0x80:
            return in_pieces(tx, rx)
        position = WHOLE
        value = regs[address] if reader is None else reader()
        if extends and value & 0x800000 and value < 0x1000000:
            value |= 0xFF000000
        if rx is not None:
            pack_into(answer, rx, 0, value & 0xFFFFFFFF)
        if notes:
            noted = found
            values[kind] = value
            if after is not None:
                after()
        return True

    def in_pieces(tx, rx):
        nonlocal position, frame
        if position == NOT_SELECTED:
            return False
        driven, position, frame = chip.take(tx, rx, max(SELECTED, position), frame)
        return driven

    def fit(fine):
        """Say whether the chip runs and nothing is wrong with its bus, so that whole frames may go the quick way."""
        nonlocal position, fresh
        fresh = SELECTED if fine else DISTURBED
        if position in (SELECTED, DISTURBED):
            position = fresh

    def note(operation, address, width, value):
        """Note an access in LAST_OP, LAST_ADD and the LAST_RWDATA of its width; DS p.57."""
        nonlocal noted
        noted = (address, operation)
        values[min(width, 3)] = value

    def forget():
        """Note nothing: the chip was reset."""
        nonlocal noted
        noted = (0, 0)
        values[:] = [0, 0, 0, 0]

    readers = {
        0x0FD: lambda: noted[1],
        0x0FF: lambda: values[1],
        0x1FE: lambda: noted[0],
        0x1FF: lambda: values[2],
        0x2FF: lambda: values[3] & 0xFFFFFF,
        0x3FF: lambda: values[3] | FULL,
    }
    return cs, exchange, fit, note, forget, readers
