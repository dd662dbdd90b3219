"""Wiring pictures for docs/hardware.md, drawn from the boards' own files, so that they cannot differ from the firmware.

python -m host.docs_made.wiring            writes docs/img/wiring_*.svg
"""

import sys
from pathlib import Path
from types import ModuleType

import schemdraw
from schemdraw import elements as elm

from host.flash.board_files import TOP, load

IMG = TOP / "docs" / "img"
ROW = 0.62  # between pins
Point = tuple[float, float]
COLOURS = {
    "line 1": "#1f4e9c",
    "line 2": "#b3261e",
    "memory": "#2e7d32",
    "display": "#6a1b9a",
    "outputs": "#b26a00",
    "12 V": "#455a64",
    "inputs": "#00695c",
    "port": "#4e342e",
}
# A Raspberry Pi Pico's pins 1 to 40 as they lie on the board: GPIO, or what else it is.
PICO = (
    *(0, 1, "GND", 2, 3, 4, 5, "GND", 6, 7, 8, 9, "GND", 10, 11, 12, 13, "GND", 14, 15),
    *(16, 17, "GND", 18, 19, 20, 21, "GND", 22, "RUN", 26, 27, "AGND", 28),
    *("ADC_VREF", "3V3", "3V3_EN", "GND", "VSYS", "VBUS"),
)


def nets(board: ModuleType) -> dict[int, tuple[str, str]]:
    """GPIO -> (group, where its wire goes)."""
    found: dict[int, tuple[str, str]] = {}
    for line, (_, sck, mosi, miso, cs, irq, reset) in enumerate(board.FRONT_ENDS, 1):
        group, chip = f"line {line}", f"ADE7953 #{line}"
        for name, pin, more in (
            ("SCLK", sck, "10 k to 3V3"),
            ("MOSI", mosi, ""),
            ("MISO", miso, ""),
            ("CS", cs, "10 k to 3V3"),
            ("IRQ", irq, "10 k to 3V3"),
            ("RESET", reset, "10 k to 3V3"),
        ):
            found[pin] = (group, f"{chip} {name}" + (f" ({more})" if more else ""))
    found[board.PIN_OPTO_10] = ("outputs", "opto 10 Wh, 470 ohm")
    found[board.PIN_LED] = ("outputs", "load LED, 470 ohm")
    found[board.PIN_OPTO_100] = ("outputs", "opto 100 Wh, 470 ohm")
    found[board.PIN_OPTO_1000] = ("outputs", "opto 1000 Wh, 470 ohm")
    _, scl, sda = board.I2C_MEMORY
    found[scl] = ("memory", f"FRAM SCL, 0x{board.FRAM_ADDRESS:02X} (2.2 k to 3V3)")
    found[sda] = ("memory", "FRAM SDA (2.2 k to 3V3)")
    for pin, name in zip(board.HT1621_PINS, ("HT1621 CS", "HT1621 WR", "HT1621 DATA"), strict=True):
        found[pin] = ("display", name)
    _, scl, sda = board.I2C_DISPLAY
    for pin, name in ((scl, "PCF85176 SCL"), (sda, "PCF85176 SDA")):
        other = found.get(pin, ("", ""))[1]
        found[pin] = ("display", f"{name} (2.2 k to 3V3)" + (f" or {other}" if other else ""))
    found[board.PIN_COUNTER] = ("12 V", "counter coil switch")
    found[board.PIN_RAIL12_ENABLE] = ("12 V", "+12VDC enable")
    found[board.ADC_RAIL12] = ("12 V", f"+12VDC current, {board.RAIL12_UV_PER_MA // 1000} mV per mA")
    found[board.ADC_BULK] = ("12 V", f"12 V bulk voltage / {board.BULK_DIVIDER}")
    if board.RS485:
        for pin, name in zip(board.RS485[1:], ("TX", "RX", "driver enable"), strict=True):
            found[pin] = ("port", f"RS-485 {name}")
    found[board.PIN_SEAL] = ("inputs", "seal switch to GND (closed = sealed)")
    strap = found.get(board.PIN_SERVICE_STRAP)
    text = "service strap to GND"
    found[board.PIN_SERVICE_STRAP] = (strap[0], f"{strap[1]}, or {text}") if strap else ("inputs", text)
    return found


def _words(drawing: schemdraw.Drawing, at: Point, text: str, side: str = "center", **look: object) -> None:
    drawing += elm.Label().at((at[0], at[1] - 0.08)).theta(0).label(text, halign=side, valign="center", ofst=0, **look)


def _pin(drawing: schemdraw.Drawing, at: Point, left: bool, label: str, net: tuple[str, str] | None) -> None:
    """One pin at the edge of the module, its label inside, its wire and where that goes outside."""
    x, y = at
    way = -1 if left else 1
    inside, outside = ("left", "right") if left else ("right", "left")
    colour = COLOURS[net[0]] if net else "#bbbbbb"
    drawing += elm.Dot(radius=0.13).at(at).color(colour).fill(colour)
    _words(drawing, (x - way * 0.35, y), label, inside, color="white", fontsize=10)
    if net:
        drawing += elm.Line().at((x + way * 0.13, y)).to((x + way * 1.7, y)).color(colour)
        _words(drawing, (x + way * 1.9, y), net[1], outside, color=colour)


def _module(title: str, middle: float, width: float, rows: int, fill: str) -> schemdraw.Drawing:
    """A drawing with the module's outline, its rows of pins from y = 0 down."""
    schemdraw.use("svg")
    drawing = schemdraw.Drawing(show=False, fontsize=11, margin=0.9)
    height = rows * ROW
    drawing += (
        elm.Rect(corner1=(0, 0), corner2=(width, -height), fill=fill, lw=0).at((middle - width / 2, ROW)).theta(0)
    )
    _words(drawing, (middle, ROW + 1.1), title, fontsize=14)
    return drawing


def pico_picture(board: ModuleType) -> schemdraw.Drawing:
    """A Pico from above, its USB socket at the top, with a wire at each pin in use."""
    wires = nets(board)
    drawing = _module("Raspberry Pi Pico seen from above", 0, 5, 20.6, "#1b5e20")
    drawing += elm.Rect(corner1=(-0.75, ROW + 0.3), corner2=(0.75, ROW - 0.4), fill="#b0bec5", lw=0).at((0, 0)).theta(0)
    _words(drawing, (0, ROW - 0.05), "USB", fontsize=9)
    for index, what in enumerate(PICO):
        on_left = index < 20
        y = -(index if on_left else 39 - index) * ROW
        label = f"GP{what}" if isinstance(what, int) else what
        net = wires.get(what) if isinstance(what, int) else None
        if what == "3V3":
            net = ("inputs", "3.3 V of both ADE7953, FRAM, pull-ups")
        _pin(drawing, (-2.5 if on_left else 2.5, y), on_left, label, net)
    _words(drawing, (0, -20.6 * ROW), "All GND pins together; wires of the SPI at most 15 cm.")
    return drawing


def board_picture(board: ModuleType) -> schemdraw.Drawing:
    """The RP2040 of the reference board: its GPIOs in order, and where each goes."""
    wires = nets(board)
    drawing = _module("Reference board: GPIOs of the RP2040", 0, 4, 15.8, "#263238")
    for gpio in range(30):
        on_left = gpio < 15
        y = -(gpio if on_left else 29 - gpio) * ROW
        _pin(drawing, (-2 if on_left else 2, y), on_left, f"GPIO{gpio}", wires.get(gpio))
    return drawing


def write(folder: Path) -> list[Path]:
    """Draw everything into `folder`; returns the files."""
    drawings = {"breadboard": pico_picture(load("breadboard")), "reference": board_picture(load("reference"))}
    made = []
    for name, drawing in drawings.items():
        made.append(folder / f"wiring_{name}.svg")
        drawing.save(str(made[-1]))
    return made


if __name__ == "__main__":
    for path in write(IMG):
        print(path.relative_to(TOP), file=sys.stderr)
