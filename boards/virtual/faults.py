"""Faults of a scenario: which part of the board each one breaks, and how it is mended again.

A new fault is a row in PARTS and a function that breaks the part and returns what mends it, or None where nothing has
to be mended. What a fault has to name is checked before it gets here (scripts/host/stimulus/faults.py, the same rows).
"""

from boards.virtual.ade7953.outside import FAULTS as CHIP_FAULTS
from boards.virtual.halt import Reset


class InjectedError(RuntimeError):
    """What the fault `cpu exception` raises inside the firmware."""


def start(reference, part, kind, params, for_us):
    """Break `part` of a reference board now, and mend it after `for_us`; 0: never. ValueError where there is no such
    fault.

    `params` are what the fault names beside part and kind.
    """
    if part not in PARTS or kind not in PARTS[part]:
        raise ValueError("no fault %s %s" % (part, kind))
    mend = PARTS[part][kind](reference, params)
    if for_us and mend is not None:
        clock = reference.board.clock
        clock.at(clock.now_us + for_us, mend)


def _set(part, name, value, normal):
    """Set an attribute of a part, which has to have it already; returns a function that sets it to `normal` again."""
    if not hasattr(part, name):
        raise AttributeError("%s has no %s" % (part, name))
    setattr(part, name, value)
    return lambda: setattr(part, name, normal)


def _chip(index, kind):
    """The function that carries out fault `kind` on the front end `index`."""

    def breaks(reference, params):
        if index >= len(reference.chips):
            return None  # a single-element meter has no second front end
        chip = reference.chips[index]
        chip.fault(kind, params)
        return lambda: chip.unfault(kind)

    return breaks


def _lcd_silent(reference, _params):
    return None if reference.lcd is None else _set(reference.lcd, "silent", True, False)


def _lcd_corrupt(reference, _params):
    if reference.lcd is not None:
        reference.lcd.corrupt()


def _memory(name, breaks):
    """The function that carries out a fault of the memory `name`; it does nothing where the board has another one."""
    return lambda reference, params: breaks(reference, params) if reference.memory_kind == name else None


def _memory_silent(reference, _params):
    return _set(reference.memory, "silent", True, False)


def _memory_bit_error(reference, params):
    return _set(reference.memory, "bit_error_rate", params["rate"], 0.0)


def _bus_stuck(reference, _params):
    return _set(reference.memory_bus, "stuck", True, False)


def _flash_stuck(reference, _params):
    return _set(reference.memory, "stuck", True, False)


def _rail_stuck(reference, params):
    reference.rail12.stuck_ma(params["ma"])
    return lambda: reference.rail12.stuck_ma(None)


def _core_broken(reference, _params):
    return _set(reference.climate, "broken_uv", 0, None)


def _core_jump(reference, params):
    return _set(reference.climate, "jump_k", params["kelvin"], 0.0)


def _bulk(sense):
    """The function that carries out a fault of the bulk voltage's sensor: `sense(mv, params)` is what it makes of the
    true voltage, in mV."""

    def breaks(reference, params):
        def reads(reading):
            reference.bulk_sense = reading
            reference.board.cpu.stir()

        reads(lambda mv: sense(mv, params))
        return lambda: reads(None)

    return breaks


def _irq(index):
    """The function that holds the interrupt line of the front end `index` at a level, whatever the chip does."""

    def stuck(reference, params):
        if index >= len(reference.irqs):
            return None
        reference.irqs[index].hold(params["level"])
        return lambda: reference.irqs[index].hold(None)

    return {"stuck": stuck}


def _seal_rattle(reference, params):
    """The seal's switch opens and closes `hertz` times a second, evenly; at the end it is as it was before."""
    clock = reference.board.clock
    closed = reference.seal_closed
    half_us = max(1, int(500_000 / params["hertz"]))
    going = [True]

    def turn():
        if going:
            reference.seal(not reference.seal_closed)
            clock.at(clock.now_us + half_us, turn)

    def mend():
        going.pop()
        reference.seal(closed)

    turn()
    return mend


def _cpu(breaks):
    """The function that carries out a fault of the processor; it does nothing where no firmware runs that could bear
    it: while the board has no supply, and while MicroPython itself starts."""

    def carry_out(reference, params):
        if reference.supply.on and reference.board.cpu.runs_firmware:
            breaks(reference.board, params)

    return carry_out


def _reset(_board, _params):
    raise Reset("reset")


def _run_reset(_board, _params):
    raise Reset("run")


def _hang(board, _params):
    board.cpu.hang()


def _stall(board, params):
    board.clock.stall(int(params["ms"] * 1000))


def _exception(board, _params):
    board.cpu.throw(InjectedError("injected fault"))


# By part and kind: a function of the reference board and the fault's keys, which breaks the part and returns what mends
# it.
PARTS = {
    "chip1": {kind: _chip(0, kind) for kind in CHIP_FAULTS},
    "chip2": {kind: _chip(1, kind) for kind in CHIP_FAULTS},
    "lcd": {"silent": _lcd_silent, "corrupt": _lcd_corrupt},
    "fram": {
        "silent": _memory("fram", _memory_silent),
        "stuck": _memory("fram", _bus_stuck),
        "bit_error": _memory("fram", _memory_bit_error),
    },
    "flash": {
        "silent": _memory("flash", _memory_silent),
        "stuck": _memory("flash", _flash_stuck),
        "bit_error": _memory("flash", _memory_bit_error),
    },
    "rail_sense": {"stuck": _rail_stuck},
    "temperature": {"broken": _core_broken, "jump": _core_jump},
    "bulk_sense": {
        "stuck": _bulk(lambda _mv, params: params["mv"]),
        "drift": _bulk(lambda mv, params: mv * (1 + params["percent"] / 100)),
    },
    "irq1": _irq(0),
    "irq2": _irq(1),
    "seal": {"rattle": _seal_rattle},
    "cpu": {
        "hang": _cpu(_hang),
        "exception": _cpu(_exception),
        "reset": _cpu(_reset),
        "run_reset": _cpu(_run_reset),
        "stall": _cpu(_stall),
    },
}
