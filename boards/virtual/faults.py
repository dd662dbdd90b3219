"""Faults of a scenario (interfaces.md): which part of the board each one breaks, and how it is mended again."""

from boards.virtual.halt import Reset


class InjectedError(RuntimeError):
    """What the fault `cpu exception` raises inside the firmware."""


class Faults:
    """Applies faults to the parts of a reference board."""

    def __init__(self, reference):
        self._reference = reference
        self._clock = reference.board.clock

    def start(self, part, kind, params, for_us):
        """Break `part` now; mend it after `for_us` (0: it lasts). ValueError for what cannot be broken like that."""
        if part == "cpu":
            self._cpu(kind, params)
            return
        mend = self._break(part, kind, params)
        if for_us and mend is not None:
            self._clock.at(self._clock.now_us + for_us, mend)

    def _break(self, part, kind, params):
        reference = self._reference
        if part in ("chip1", "chip2"):
            index = int(part[4]) - 1
            if index >= len(reference.chips):
                return None  # a single-element meter has no second front end
            chip = reference.chips[index]
            chip.fault(kind, params)
            return lambda: chip.unfault(kind)
        if part == "lcd":
            return self._lcd(kind)
        if part in ("fram", "flash"):
            return self._memory(part, kind, params)
        if part == "rail_sense" and kind == "stuck":
            reference.rail12.stuck_ma(params["ma"])
            return lambda: reference.rail12.stuck_ma(None)
        raise ValueError("no fault %s %s" % (part, kind))

    def _lcd(self, kind):
        lcd = self._reference.lcd
        if lcd is None:
            return None
        if kind == "corrupt":
            lcd.corrupt()
            return None
        if kind != "silent":
            raise ValueError("no fault lcd " + kind)
        lcd.silent = True

        def mend():
            lcd.silent = False

        return mend

    def _memory(self, part, kind, params):
        memory = self._reference.memory
        if part != self._reference.memory_kind:
            return None
        if kind == "bit_error":
            memory.bit_error_rate = params["rate"]

            def mend():
                memory.bit_error_rate = 0.0

        elif kind == "stuck" and part == "fram":
            bus = self._reference.memory_bus
            bus.stuck = True

            def mend():
                bus.stuck = False

        elif kind == "stuck":
            memory.stuck = True

            def mend():
                memory.stuck = False

        elif kind == "silent":
            memory.silent = True

            def mend():
                memory.silent = False

        else:
            raise ValueError("no fault %s %s" % (part, kind))
        return mend

    def _cpu(self, kind, params):
        board = self._reference.board
        if not self._reference.supply.on:
            return  # nothing runs that could fail
        if kind == "reset":
            raise Reset("reset")
        if kind == "hang":
            board.cpu.hang()
        elif kind == "stall":
            self._clock.stall(int(params["ms"] * 1000))
        elif kind == "exception":
            board.cpu.throw(InjectedError("injected fault"))
        else:
            raise ValueError("no fault cpu " + kind)
