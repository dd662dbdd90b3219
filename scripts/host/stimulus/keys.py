"""The keys of a scenario file, a row each: a new key, chip setting or board option is a row here.

Board keys go to the virtual board under the same name (boards/virtual/reference.py; those of a chip are arguments of
boards/virtual/ade7953/chip.py). A step's keys that are no value of the mains become items of the stimulus by a row in
EVENTS, which boards/virtual/engine/engine.py carries out.
"""

from collections.abc import Callable
from typing import Any

from host.flash.board_files import CHOICES
from host.stimulus.faults import PARTS
from host.stimulus.kinds import Choice, Flag, Number, Sign, Table, Text
from host.stimulus.lines import Event

LATEST_S = 3.2e9  # a century; beyond it a time is a slip of the pen

CELSIUS = Number(-60, 120)

CT = Table(
    {
        "ratio_percent": Number(-50, 50),
        "phase_minutes": Number(-600, 600),
        "core": Choice(("solid", "split")),
        "ratio_tempco_ppm": Number(-1000, 1000),
        "phase_tempco_percent": Number(-10, 10),
    }
)

# What the data sheet or a part's tolerance leaves open in a front end; the default is that of the chip's model.
CHIP = Table(
    {
        "v_gain_percent": Number(-50, 50),
        "i_gain_percent": Number(-50, 50),
        "noise": Flag(),
        "tempco_ppm": Number(-1000, 1000),
        "tempco_curve_ppb": Number(-10_000, 10_000),
        "divider_tempco_ppm": Number(-1000, 1000),
        "burden_tempco_ppm": Number(-1000, 1000),
        "clkin_curve_ppb": Number(-1000, 1000),
        # CH-1; defaults and evidence: boards/virtual/ade7953/flaws.py, docs/chips.md
        "ripple": Flag(),
        "checksum_live_bits": Flag(),
        "checksum_delay_ms": Number(0, 10),
        "checksum_seed": Number(0, 2**31 - 1, whole=True),
        "counter_end": Choice(("wrap", "stop")),
        "phcal_sign": Sign(),
        "var_sign": Sign(),
        "version": Number(1, 254, whole=True),
        "last_changes": Flag(),
        "silent_ms": Number(0, 100),
        "flags_return": Flag(),
        "key_strict": Flag(),
        "period_settle_ms": Number(0, 40),
    }
)

# The RP2040's own temperature sensor.
SENSOR = Table(
    {"offset_k": Number(-50, 50), "slope_percent": Number(-20, 20), "noise_steps": Number(0, 100)},
)

# [board]: key -> kind, and what it is where the file does not say.
_BOARD: dict[str, tuple[Any, Any]] = {
    "ct1": (CT, {}),
    "ct2": (CT, {}),
    "chip1": (CHIP, {}),
    "chip2": (CHIP, {}),
    "temperature": (CELSIUS, 25.0),
    "sensor": (SENSOR, {}),
    "memory": (Choice(CHOICES["MEMORY"]), "fram"),
    "display": (Choice(CHOICES["DISPLAY"]), "pcf85176"),
    "holdup_ms": (Number(0, 60_000), 80.0),
    "counter_ma": (Number(0, 1000), 8.0),
    "start_delivered_wh": (Number(0, 999_999_999, whole=True), 0),
    "seal": (Choice(("open", "closed")), "open"),
}
BOARD = Table({key: kind for key, (kind, _) in _BOARD.items()})
BOARD_DEFAULTS: dict[str, Any] = {key: default for key, (_, default) in _BOARD.items()}

LINE = Table(
    {
        "volts": Number(0, 1000),
        "amps": Number(0, 10_000),
        "degrees": Number(-360, 360),
        "volts_degrees": Number(-360, 360),
    }
)
MAINS_KEYS = ("l1", "l2", "hz")  # they say what the lines carry

STEP = Table(
    {
        "at": Number(0, LATEST_S),
        "ramp": Flag(),
        "l1": LINE,
        "l2": LINE,
        "hz": Number(40, 70),
        "power": Flag(),
        "fault": Table({"part": Choice(tuple(PARTS)), "kind": Text()}),  # the rest depends on the part (checker.py)
        "load12v_ma": Number(0, 10_000),
        "temperature": CELSIUS,
    }
)
TOP = Table(
    {
        "model": Text(),
        "service": Choice(("60Hz", "50Hz")),
        "seed": Number(-(2**63), 2**63 - 1, whole=True),
        "board": BOARD,
    }
)


def _fault(_begin_us: int, at_us: int, value: Any) -> Event:
    fault = dict(value)
    for_us = round(fault.pop("for_s", 0) * 1e6)
    return ["fault", at_us, fault.pop("part"), fault.pop("kind"), fault, for_us]


# key -> (begin_us, at_us, value) -> stimulus item. With `ramp` a step begins at the time of the step before it,
# else at its own; what changes linearly is told at the beginning and where it ends.
EVENTS: dict[str, Callable[[int, int, Any], Event]] = {
    "power": lambda _, at_us, on: ["power", at_us, int(on)],
    "fault": _fault,
    "load12v_ma": lambda _, at_us, ma: ["load12v", at_us, ma],
    "temperature": lambda begin_us, at_us, celsius: ["temperature", begin_us, at_us, celsius],
}
