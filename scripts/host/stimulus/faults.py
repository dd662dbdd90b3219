"""The faults of a scenario, a row each: what a fault of a part must name. `for_s` may always stand beside it.

boards/virtual/faults.py has the same rows with what each does to the board; a test holds the two together.
"""

from host.stimulus.kinds import Number, Register

Needs = dict[str, Number | Register]

RATE = Number(0, 1)

_CHIP: dict[str, Needs] = {
    "reset": {},
    "silent": {},
    "stuck_ones": {},
    "stuck_zeros": {},
    "bit_error": {"rate": RATE},
    "drop_cs": {"rate": RATE},
    "register": {"address": Register(), "value": Number(-(2**31), 2**32 - 1, whole=True)},
}
_MEMORY: dict[str, Needs] = {"silent": {}, "stuck": {}, "bit_error": {"rate": RATE}}
_IRQ: dict[str, Needs] = {"stuck": {"level": Number(0, 1, whole=True)}}

# part -> kind -> the keys that this fault must name
PARTS: dict[str, dict[str, Needs]] = {
    "chip1": _CHIP,
    "chip2": _CHIP,
    "lcd": {"silent": {}, "corrupt": {}},
    "fram": _MEMORY,
    "flash": _MEMORY,
    "rail_sense": {"stuck": {"ma": Number(0, 1000)}},
    "temperature": {"broken": {}, "jump": {"kelvin": Number(-200, 200)}},
    "bulk_sense": {"stuck": {"mv": Number(0, 100_000)}, "drift": {"percent": Number(-100, 100)}},
    "irq1": _IRQ,
    "irq2": _IRQ,
    "seal": {"rattle": {"hertz": Number(0.01, 1000)}},
    "cpu": {"hang": {}, "exception": {}, "reset": {}, "run_reset": {}, "stall": {"ms": Number(0, 3_600_000)}},
}
