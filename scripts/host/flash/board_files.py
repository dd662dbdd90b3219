"""The files of the real boards: boards/NAME/board.py, its pins and parts for the firmware, and what lies beside it.

A board's file may build on another's (`from boards.reference.board import *`) and say only what differs; a device gets
one file with all of it.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from host.cli.refused import FailedError, RefusedError

TOP = Path(__file__).resolve().parents[3]
BOARDS = TOP / "boards"
# What a board's file leaves to choose, and what it may be.
CHOICES = {"MEMORY": ("fram", "flash"), "DISPLAY": ("pcf85176", "ht1621", "none"), "RS485": ("port", "none")}
GLASS = "GLASS"  # the map of the glass, in a file of its own
PORT_PINS = "RS485_PINS"  # of RS485 "port"; a device gets them as RS485, or None


def boards() -> list[str]:
    """Names of the real boards there are."""
    return sorted(path.parent.name for path in BOARDS.glob("*/board.py") if path.parent.name != "virtual")


def load(board: str, part: str = "board") -> ModuleType:
    """A board's own file as a module; another is made at each call."""
    for folder in (TOP, BOARDS / board, BOARDS / "reference"):  # the reference board's glass serves all
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    path = BOARDS / board / f"{part}.py"
    spec = importlib.util.spec_from_file_location(f"{part}_of_{board}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FailedError(f"no {part}.py of board {board!r}; there are {', '.join(boards())}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _check_port(board: str, values: dict[str, Any]) -> None:
    """RefusedError where memory or display are on pins of the RS-485 port."""
    fitted = {
        "MEMORY": {"fram": values["I2C_MEMORY"][1:]},
        "DISPLAY": {"pcf85176": values["I2C_DISPLAY"][1:], "ht1621": values["HT1621_PINS"]},
    }
    for name, pins in fitted.items():
        taken = sorted(set(values["RS485"][1:]) & set(pins.get(values[name], ())))
        if taken:
            where = ", ".join(f"GP{pin}" for pin in taken)
            option = name.lower()
            allowed = " or ".join(f"--{option} {value}" for value in CHOICES[name] if value not in pins)
            raise RefusedError(
                f"--rs485 port: the {board}'s port and --{option} {values[name]} are on the same pins ({where}): "
                f"allowed: {allowed}, or --rs485 none"
            )


TMP117_HZ = 400_000


def check_sensor(board: str, values: dict[str, Any]) -> None:
    """FailedError where TEMPERATURE is no sensor that the firmware reads, or its wires are something else's."""
    sensor = values["TEMPERATURE"]
    if sensor in ("rp2040", "none"):
        return
    allowed = '"rp2040", "none" or ("tmp117", (controller, SCL, SDA), address 0x48 to 0x4B)'
    match sensor:
        case ("tmp117", (0 | 1, int(), int()) as wires, int(address)) if 0x48 <= address <= 0x4B:
            pass
        case _:
            raise FailedError(f"board {board}: TEMPERATURE is {sensor!r}: allowed: {allowed}")
    memory = values["I2C_MEMORY"] if values["MEMORY"] == "fram" else ()
    display = values["I2C_DISPLAY"] if values["DISPLAY"] == "pcf85176" else ()
    for bus, hertz in ((memory, values["I2C_MEMORY_HZ"]), (display, values["I2C_DISPLAY_HZ"])):
        if bus and bus[0] == wires[0] and (bus != wires or hertz > TMP117_HZ):
            raise FailedError(
                f"board {board}: the TMP117 is on I2C{wires[0]} as {bus} at {hertz} Hz: allowed there: the same pins, "
                f"and {TMP117_HZ} Hz at most"
            )


def text(board: str, chosen: dict[str, str]) -> str:
    """A board's file for a device, with what was chosen in it: CHOICES' name -> value."""
    values = {name: value for name, value in vars(load(board)).items() if name.isupper() and name != GLASS}
    port_pins = values.pop(PORT_PINS)
    for name, value in chosen.items():
        if name not in values or value not in CHOICES[name]:
            raise FailedError(f"board {board} has no {name} {value!r}")
        values[name] = value if name != "RS485" else port_pins if value == "port" else None
    check_sensor(board, values)
    if values["RS485"] is not None:
        _check_port(board, values)
    return "\n".join([f"from glass import {GLASS}", *(f"{name} = {value!r}" for name, value in values.items()), ""])
