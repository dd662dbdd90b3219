"""The order in which a device takes up the firmware's names: what launcher/slot.py needs of it, and who may be in it.

MicroPython looks first where it found a name last, and keeps that for 64 numbers of names. The order decides which
names share such a place: `./scripts/bench names` finds a good one, and docs/performance.md says what it gives.
"""

import ast
from pathlib import Path

PLACES_FILE = Path(__file__).with_name("name_places.txt")
PLACES = 64  # as in launcher/slot.py
NUMBER_SHIFT = 3  # id() of a name is its number and three more bits
LAUNCHER = Path(__file__).resolve().parent / "launcher"


def listed() -> list[str]:
    """The names in their order; each PLACES of them are a row."""
    lines = PLACES_FILE.read_text().splitlines()
    return [name for line in lines if not line.startswith("#") for name in line.split()]


def of_launcher() -> set[str]:
    """Names that a device has before it takes up the listed ones, and others that its launcher uses."""
    found = set()
    for path in LAUNCHER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            for field in ("id", "attr", "name", "arg", "module", "value"):
                text = getattr(node, field, None)
                if isinstance(text, str):
                    found.add(text)
    return found
