"""The order in which a device takes up the firmware's names, and who may be in it.

MicroPython looks first where it found a name last, and keeps that for 64 numbers of names. The order decides which
names share such a place: `./scripts/bench names` finds a good one, and docs/performance.md says what it gives. They are
the first names of `openkh.app` (joined.py), before which launcher/slot.py takes up `fillers` until the next number is
the first one of a row.
"""

import ast
import functools
import re
from pathlib import Path

from host.flash import board_files

PLACES_FILE = Path(__file__).with_name("name_places.txt")
PLACES = 64  # as in launcher/slot.py
NUMBER_SHIFT = 3  # id() of a name is its number and three more bits
LAUNCHER = Path(__file__).resolve().parent / "launcher"


def listed() -> list[str]:
    """The names in their order; each PLACES of them are a row."""
    lines = PLACES_FILE.read_text().splitlines()
    return [name for line in lines if not line.startswith("#") for name in line.split()]


@functools.cache
def before() -> frozenset[str]:
    """Names that a device has before it takes up the listed ones: of the launcher, of a board, and of what the firmware
    loads before `openkh.app`."""
    firmware = board_files.TOP / "firmware"
    first = [firmware / name for name in ("boot.py", "main.py", "openkh/__init__.py", "openkh/startup/restart.py")]
    found = set()
    for path in (*LAUNCHER.glob("*.py"), *board_files.BOARDS.glob("*/board.py"), *first):
        found |= _names_in(path.read_text())
    return frozenset(part for name in found for part in name.split("."))


def _names_in(text: str, fields: tuple[str, ...] = ("id", "attr", "name", "arg", "module", "value")) -> set[str]:
    found = {getattr(node, field, None) for node in ast.walk(ast.parse(text)) for field in fields}
    return {name for name in found if isinstance(name, str)}


def fillers(text: str) -> list[str]:
    """Names that a module has in any case, and that neither MicroPython has nor the launcher, as far as one can tell:
    small words joined by "_". PLACES of them would do; a few may be there."""
    names = _names_in(text, ("attr", "name")) - set(listed()) - before()
    chosen = sorted(name for name in names if re.fullmatch("_?[a-z]+_[a-z_0-9]+", name))
    return chosen[: PLACES * 5 // 4]
