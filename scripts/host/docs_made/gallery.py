"""The gallery of the glass. Writes docs/display.md and docs/img/lcd_*.png:

    PYTHONPATH=scripts:.:firmware:boards/reference .venv/bin/python -m host.docs_made.gallery

The whole firmware runs on the virtual board, is brought into each situation, and what its LCD controller then drives is
drawn. A second of four looks each: a picture that moves or blinks is a moving PNG.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import board

from boards.virtual.parts.glass import IMAGE_BYTES, Glass
from host.docs_made import glass_svg
from host.sim.link import TOP, Link
from openkh.display import screens
from openkh.storage.layout import FRAM_FACTORY

STEP_US = screens.STEP_MS * 1000
LOOKS = 4  # a second: a whole blink, a whole arrow
MINUTE_US = 60_000_000
ALTER_US = 250  # several times within a cycle

_GLASS = Glass(board.GLASS)

Look = frozenset[str]


@dataclass
class Picture:
    """One picture of the gallery: file name without `lcd_`, its looks, and what a person reads."""

    name: str
    looks: list[Look]
    screen: str
    text: str


@dataclass
class Gallery:
    """Pictures by name, in the order in which they came."""

    pictures: dict[str, Picture] = field(default_factory=dict)

    def add(self, name: str, looks: list[Look]) -> None:
        looks = _turned(looks)
        if all(look == looks[0] for look in looks):
            looks = looks[:1]
        screen, text = read(looks[0])
        self.pictures[name] = Picture(name, looks, screen, text)


def read(look: Look) -> tuple[str, str]:
    """Screen ID and main text of one look."""
    image = bytearray(IMAGE_BYTES)
    for name in look:
        index, bit = _GLASS.places[name]
        image[index] |= bit
    found = _GLASS.read(image)
    return found["screen"], found["text"]


def _turned(looks: list[Look]) -> list[Look]:
    """The same second, beginning where the ID shows and most is lit: that look stands where pictures do not move."""
    turns = [looks[k:] + looks[:k] for k in range(len(looks))]
    return max(turns, key=lambda turn: (read(turn[0])[0] != "F", len(turn[0]), len(turn[1 % len(turn)])))


class Meter:
    """A whole meter on the virtual board, looked at every 250 ms."""

    def __init__(self, model: str, memory: dict[str, str] | None = None, start_wh: int = 0) -> None:
        board = {"start_delivered_wh": start_wh}
        config = {"model": model, "service": "60Hz", "seed": 1, "memory": memory or {}, "board": board}
        self.link = Link("micropython", config)
        self.t_us = 0
        self.look: Look = frozenset()
        self.condition = ""
        self.altering = False  # a register of chip 2 is altered again as soon as it is mended
        self._items: list[list[Any]] = []

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def lines(self, one: tuple[float, float, float], two: tuple[float, float, float] = (120.0, 5.0, 0.0)) -> None:
        """Volts, amps and degrees of either line from now on."""
        self._items.append(["mains", self.t_us, 0, [*one, 0.0], [*two, 180.0], 60.0])

    def fault(self, part: str, kind: str, for_s: float, **parameters: float) -> None:
        """A fault from now on."""
        self._items.append(["fault", self.t_us, part, kind, parameters, round(for_s * 1e6)])

    def run(self, duration_us: int = STEP_US) -> None:
        if self.altering:
            change: dict[str, int] = {"address": 0x280, "value": 0x55}
            times = range(self.t_us, self.t_us + duration_us, ALTER_US)
            self._items += [["fault", t_us, "chip2", "register", change, 0] for t_us in times]
        self.t_us += duration_us
        snap = self.link.run(self.t_us, self._items)["snap"]
        self._items = []
        self.look = frozenset(snap["lcd"]["lit"])
        self.condition = snap["status"]["condition"]

    def second(self) -> list[Look]:
        """The looks of a second, this one first."""
        looks = [self.look]
        while len(looks) < LOOKS:
            self.run()
            looks.append(self.look)
        return looks

    def until(self, wanted: Callable[[], bool], limit_s: float = 40.0) -> None:
        end_us = self.t_us + round(limit_s * 1e6)
        while not wanted():
            if self.t_us > end_us:
                raise RuntimeError(f"the glass stays at {read(self.look)}, status {self.condition}")
            self.run()

    def screen(self, wanted: str, begins: str = "") -> list[Look]:
        """A second of this screen with a text that begins like this, from the second refresh after it came on."""
        self.until(lambda: read(self.look)[0] not in (wanted, "F"))
        self.until(lambda: read(self.look)[0] == wanted and read(self.look)[1].startswith(begins))
        self.run()
        return self.second()


WELL = (120.0, 10.0, 0.0)  # volts, amps, degrees

# Readings that bring a line into each condition, and how screen 4 then begins.
CONDITIONS = {
    "reverse": ((120.0, 10.0, 180.0), "reverse_energy", "Err rC"),
    "power_factor": ((120.0, 5.0, 85.0), "bad_power_factor", "Err PF"),
    "low_voltage": ((95.0, 5.0, 0.0), "low_voltage", "Err LU"),
    "over_voltage": ((140.0, 5.0, 0.0), "over_voltage", "Err HU"),
    "over_current": ((120.0, 112.0, 0.0), "over_current", "Err HC"),
    "low_current": ((120.0, 0.1, 0.0), "low_current", ""),
}
STARTUP = "dEoCSnr8"


def make() -> Gallery:
    """Run the meters and take every picture."""
    gallery = Gallery()
    with Meter("MDNCT-1SC", start_wh=12_345_670) as meter:
        _startup(gallery, meter, STARTUP, "")
        _normal(gallery, meter)
        _failures(gallery, meter)
    with Meter("MDNCT-1SC") as meter:
        meter.lines(WELL)
        meter.screen("1")
        for name in CONDITIONS:
            _condition(gallery, meter, name)
    with Meter("MSTCT-2SP", start_wh=123_456_780) as meter:
        _startup(gallery, meter, "EoC", "_other")
        gallery.add("energy_high", meter.screen("1"))
    with Meter("MDNCT-1SC", memory={"fram": _damaged_factory_data()}) as meter:
        meter.lines(WELL)
        gallery.add("fail_03", meter.screen("4", "FAIL 03"))
    return gallery


def _startup(gallery: Gallery, meter: Meter, letters: str, suffix: str) -> None:
    meter.lines((120.0, 1.0, 0.0), (120.0, 1.0, 0.0))
    for letter in letters:
        name = letter if letter != "8" else "all"
        gallery.add(f"startup_{name}{suffix}", meter.screen(letter))


def _normal(gallery: Gallery, meter: Meter) -> None:
    meter.until(lambda: meter.condition == "normal")
    gallery.add("normal_1", meter.screen("1"))
    meter.lines(WELL)
    meter.run(21 * MINUTE_US)  # an interval demand of this load alone
    gallery.add("normal_2", meter.screen("2"))
    gallery.add("normal_3", meter.screen("3"))
    meter.fault("chip1", "silent", 60.0)
    gallery.add("dashes", meter.screen("3", "-"))
    meter.until(lambda: meter.condition == "normal", 90.0)


def _condition(gallery: Gallery, meter: Meter, name: str) -> None:
    readings, condition, text = CONDITIONS[name]
    for suffix, one, two in (("1", readings, WELL), ("2", WELL, readings), ("both", readings, readings)):
        meter.lines(one, two)
        meter.run(6_000_000)  # also the other line's former condition is gone
        meter.until(lambda: meter.condition == condition)
        gallery.add(f"{name}_{suffix}", meter.screen("4", text) if text else meter.screen("2"))
    meter.lines(WELL, WELL)
    meter.until(lambda: meter.condition == "normal")


def _failures(gallery: Gallery, meter: Meter) -> None:
    """Each failure by the fault that brings it about; 05 last, it stands."""
    meter.fault("chip1", "silent", 30.0)
    gallery.add("fail_01", meter.screen("4", "FAIL 01"))
    meter.until(lambda: meter.condition == "normal", 60.0)
    meter.screen("2")
    meter.altering = True
    gallery.add("fail_02", meter.screen("4", "FAIL 02"))
    meter.altering = False
    meter.until(lambda: meter.condition == "normal", 60.0)
    meter.fault("fram", "silent", 30.0)
    gallery.add("fail_04", meter.screen("4", "FAIL 04"))
    meter.until(lambda: meter.condition == "normal", 60.0)
    for _ in range(3):  # one that strikes in the display's task is no failure
        meter.fault("cpu", "exception", 0.0)
        meter.run(60_000)
    meter.run(70_000)
    gallery.add("fail_05", meter.screen("4", "FAIL 05"))


def _damaged_factory_data() -> str:
    """The memory of a meter whose factory data are damaged in every copy."""
    with Link("micropython", {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}}) as link:
        memory = bytearray(base64.b64decode(link.finish()["memory"]["fram"]))
    start, slots, stride = FRAM_FACTORY
    for slot in range(slots):
        memory[start + slot * stride + 30] ^= 0x10
    return base64.b64encode(bytes(memory)).decode()


# The page

_LINES = {"1": "line 1", "2": "line 2", "both": "both lines"}
_TITLES = {
    "reverse": "Reverse energy: power below -15 W",
    "power_factor": "Bad power factor: more than 80 and less than 90 degrees, above the starting current",
    "low_voltage": "Low voltage: below 102 V (204 V at 240 V service)",
    "over_voltage": "Over voltage: above 138 V (276 V at 240 V service)",
    "over_current": "Over current: above 110 A (220 A with 200 A CTs)",
    "low_current": "Low current, a warning: from -15 W up to, but not, +15 W",
}
_STARTUP_SAYS = {
    "d": "date of manufacture, YYMMDD",
    "E": "elements",
    "o": "counter, kWh per count",
    "C": "CT ratio",
    "S": "serial number, first six digits",
    "n": "serial number, last six digits",
    "r": "software revision",
    "8": "every segment on",
}
_FAILURES = {
    "01": "A front end does not answer. Its line is not judged, the other one is metered, screen 3 shows dashes.",
    "02": "A front end's configuration was found altered and cannot be restored.",
    "03": "Stored calibration or factory data are damaged, no copy is good. Metering goes on, with nominal constants.",
    "04": "The storage of the energy register failed. Metering goes on in memory that does not outlive the supply.",
    "05": "Internal error: an exception in the measuring loop, or a restart by the watchdog.",
}


def page(gallery: Gallery) -> str:
    """docs/display.md."""
    pictures = gallery.pictures

    def cell(name: str) -> str:
        p = pictures[name]
        return f'<img src="img/lcd_{name}.png" width="400" alt="{p.screen} {p.text}">'

    def rows(names: list[tuple[str, str]]) -> list[str]:
        return ["| glass | reads | |", "| --- | --- | --- |"] + [
            f"| {cell(name)} | `{pictures[name].screen}` `{pictures[name].text}` | {says} |" for name, says in names
        ]

    startup = [(f"startup_{'all' if c == '8' else c}", _STARTUP_SAYS[c]) for c in STARTUP]
    startup += [(f"startup_{c}_other", f"{_STARTUP_SAYS[c]}, of a `MSTCT-2SP`") for c in "EoC"]
    parts = [
        _HEAD.format(
            startup=screens.STARTUP_MS // 1000,
            runtime=screens.RUNTIME_MS // 1000,
            blink=screens.BLINK_MS / 1000,
            arrow=screens.ARROW_MS / 1000,
            step=screens.STEP_MS / 1000,
        ),
        "## Startup screens\n",
        f"Once after power-up, {screens.STARTUP_MS // 1000} s each, in this order.\n",
        *rows(startup),
        _RUNTIME,
        *rows(
            [
                ("normal_1", "energy delivered; two decimals below 100,000 kWh"),
                ("energy_high", "one decimal from there; at 1,000,000 kWh it goes on at 0.00"),
                ("normal_2", "maximum demand of 15 minutes"),
                ("normal_3", "power of this second, both lines together; reverse has a minus"),
                ("dashes", "the same while a front end does not answer"),
            ]
        ),
        _STATUS,
    ]
    for name, title in _TITLES.items():
        parts += [f"\n### {title}\n", *rows([(f"{name}_{s}", _LINES[s]) for s in _LINES])]
    parts += ["\n### Failures\n", _FAILURE, *rows([(f"fail_{n}", says) for n, says in _FAILURES.items()]), _FOOT]
    return "\n".join(parts)


_HEAD = """# What the glass says

*Made by [scripts/host/docs_made/gallery.py](../scripts/host/docs_made/gallery.py) from the firmware as it runs on the
virtual board; do not edit.*

A segment LCD: the screen ID at the far left, eight digits with decimal points and a colon, at the lower left a bar with
an arrow head at either end, then the symbols `L1`, `L2`, `MAX`, `SUM`, `kWh` (`k`, `W` and `h` light apart) and `Hz`.
The bar is etched in four pieces, so that the arrow can grow.

Startup screens stand for {startup} s, runtime screens for {runtime} s. What blinks is on for {blink} s and off for
{blink} s; the moving arrow steps every {arrow} s. The glass is refreshed every {step} s and is never blank while the
meter has its supply. All times stand in one place, `firmware/openkh/display/screens.py`.

The pictures below move and blink as the glass does, where your viewer shows it.
"""

_RUNTIME = """
## Runtime screens

In order, for ever:

| | screens |
| --- | --- |
| normal, first 24 hours after power-up | 1, 2, 3 |
| normal, later | 1, 2 |
| an error or a failure, at any time | 1, 4, 2, 4, 3, 4 |

A new error waits for the running screen to end. When it ends while screen 4 shows, the next screen comes at once.
Power is the mean of one second, a new value each second; energy and demand are cut off, never rounded up.
"""

_STATUS = """
## Bar, arrow, L1 and L2

On every screen but `8`, startup screens included, they say how the meter is. A condition shows when it has stood for
2 s and goes when it has been gone for 2 s; until the first judgement bar and symbols are off.

| bar | L1, L2 | meaning |
| --- | --- | --- |
| arrow moves to the right | off | normal: no line has any condition |
| off | of that line, blinking | low current, a warning |
| steady arrow to the left | of that line, blinking | reverse energy |
| solid, no arrow | of that line, blinking | another error |
| blinking, no arrow | off | failure |

Where several meet, the highest shows alone: failure (the lowest number first), reverse energy, bad power factor, low
voltage, over voltage, over current, low current. So with reverse energy on line 1 and low voltage on line 2 it is
`Err rC1` and L1 blinks; a line at 85 degrees and below 15 W has a bad power factor, not a low current; a line without
voltage has low voltage. The same error on both lines names line 1, and both symbols blink. One line low and the other
normal: the bar is off, that line's symbol blinks. A single-element meter says nothing of line 2.
"""

_FAILURE = """While a failure stands the screen ID changes with `F` every half second, on every screen. The error screen
shows the lowest number. 01, 02, 04 go when mended, 05 by service or power-up, 03 when the data are written anew.
"""

_FOOT = """
## The controllers

The reference board has a PCF85176 on I2C, each refresh sends it everything anew; one that does not answer, or whose
memory was disturbed, is right again with the next refresh, and metering never waits for it. An HT1621B on three wires
drives the same glass (`DISPLAY` in the board's file). Which segment line drives which dot is data of the board:
[boards/reference/glass.py](../boards/reference/glass.py). All dots by name: [img/lcd_dots.svg](img/lcd_dots.svg).
"""


def seen(path: Path) -> list[Look]:
    """The dots that a picture file shows lit, look by look, from its pixels."""
    from PIL import Image

    looks = []
    with Image.open(path) as picture:
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            looks.append(glass_svg.lit_in(picture.convert("RGB")))
    return looks


def write(gallery: Gallery, folder: Path) -> None:
    """Page and pictures into `folder` (docs)."""
    images = folder / "img"
    images.mkdir(parents=True, exist_ok=True)
    for old in images.glob("lcd_*.png"):
        old.unlink()
    for picture in gallery.pictures.values():
        glass_svg.save(picture.looks, images / f"lcd_{picture.name}.png", screens.STEP_MS)
    (images / "lcd_dots.svg").write_text(glass_svg.svg(board.GLASS))
    (folder / "display.md").write_text(page(gallery))


def names_in(text: str) -> set[str]:
    """Pictures of the glass that a page shows."""
    return set(re.findall(r"img/lcd_(\w+)\.png", text))


if __name__ == "__main__":
    write(make(), TOP / "docs")
