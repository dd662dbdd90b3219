"""Wiring pictures for docs/hardware.md, drawn from the boards' own files, so that they cannot differ from the firmware.

python -m host.docs_made.wiring            writes docs/img/wiring_*.svg
"""

import importlib.util
import sys
from types import ModuleType
from xml.sax.saxutils import escape

from host.flash.deploy import BOARDS, TOP

IMG = TOP / "docs" / "img"
FONT = 'font-family="DejaVu Sans, Arial, sans-serif"'
ROW = 22
COLOURS = {
    "line 1": "#1f4e9c",
    "line 2": "#b3261e",
    "memory": "#2e7d32",
    "display": "#6a1b9a",
    "outputs": "#b26a00",
    "12 V": "#455a64",
    "inputs": "#00695c",
}
# A Raspberry Pi Pico's pins 1 to 40 as they lie on the board: GPIO, or what else it is.
PICO = (
    *(0, 1, "GND", 2, 3, 4, 5, "GND", 6, 7, 8, 9, "GND", 10, 11, 12, 13, "GND", 14, 15),
    *(
        16,
        17,
        "GND",
        18,
        19,
        20,
        21,
        "GND",
        22,
        "RUN",
        26,
        27,
        "AGND",
        28,
        "ADC_VREF",
        "3V3",
        "3V3_EN",
        "GND",
        "VSYS",
        "VBUS",
    ),
)


def load(board: str, part: str = "board") -> ModuleType:
    """A board's own file."""
    for folder in (BOARDS / board, BOARDS / "reference"):  # the reference board's glass serves both
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    path = BOARDS / board / f"{part}.py"
    spec = importlib.util.spec_from_file_location(f"{part}_of_{board}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    found[board.PIN_SEAL] = ("inputs", "seal switch to GND (closed = sealed)")
    strap = found.get(board.PIN_SERVICE_STRAP)
    text = "service strap to GND"
    found[board.PIN_SERVICE_STRAP] = (strap[0], f"{strap[1]}, or {text}") if strap else ("inputs", text)
    return found


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "#111", size: int = 13) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">{escape(text)}</text>'


def _svg(width: int, height: int, body: list[str], title: str) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'{FONT} role="img" aria-label="{escape(title)}">'
    )
    back = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", back, *body, "</svg>\n"])


def _pin(x: float, y: float, left: bool, label: str, net: tuple[str, str] | None) -> list[str]:
    """One pin at the edge of the module, its label inside, its wire and where that goes outside."""
    way = -1 if left else 1
    inside, outside = ("start", "end") if left else ("end", "start")
    out = [
        f'<circle cx="{x}" cy="{y}" r="5" fill="{COLOURS[net[0]] if net else "#bbb"}"/>',
        _text(x - way * 12, y + 4, label, inside, "#fff", 12),
    ]
    if net:
        colour = COLOURS[net[0]]
        out.append(f'<line x1="{x}" y1="{y}" x2="{x + way * 60}" y2="{y}" stroke="{colour}" stroke-width="2.5"/>')
        out.append(_text(x + way * 66, y + 4, net[1], outside, colour))
    return out


def pico_picture(board: ModuleType) -> str:
    """A Pico from above, its USB socket at the top, with a wire at each pin in use."""
    wires = nets(board)
    width, left, right, top = 980, 400, 580, 70
    height = top + 20 * ROW + 50
    body = [
        _text(width / 2, 28, "Bread-board build: Raspberry Pi Pico seen from above", "middle", "#111", 17),
        f'<rect x="{left}" y="{top - 20}" width="{right - left}" height="{20 * ROW + 16}" rx="8" fill="#1b5e20"/>',
        f'<rect x="{(left + right) / 2 - 28}" y="{top - 30}" width="56" height="26" rx="3" fill="#b0bec5"/>',
        _text((left + right) / 2, top - 12, "USB", "middle", "#111", 11),
    ]
    for index, what in enumerate(PICO):
        on_left = index < 20
        y = top + 8 + (index if on_left else 39 - index) * ROW
        label = f"GP{what}" if isinstance(what, int) else what
        net = wires.get(what) if isinstance(what, int) else None
        if what == "3V3":
            net = ("inputs", "3.3 V of both ADE7953, FRAM, pull-ups")
        body += _pin(left if on_left else right, y, on_left, label, net)
    body.append(_text(width / 2, height - 14, "All GND pins together; wires of the SPI at most 15 cm.", "middle"))
    return _svg(width, height, body, "Wiring of the bread-board build")


def board_picture(board: ModuleType) -> str:
    """The RP2040 of the reference board: its GPIOs in order, and where each goes."""
    wires = nets(board)
    width, left, right, top = 980, 420, 560, 60
    height = top + 15 * ROW + 40
    body = [
        _text(width / 2, 28, "Reference board: GPIOs of the RP2040", "middle", "#111", 17),
        f'<rect x="{left}" y="{top - 14}" width="{right - left}" height="{15 * ROW + 10}" rx="8" fill="#263238"/>',
    ]
    for gpio in range(30):
        on_left = gpio < 15
        y = top + 4 + (gpio if on_left else 29 - gpio) * ROW
        body += _pin(left if on_left else right, y, on_left, f"GPIO{gpio}", wires.get(gpio))
    return _svg(width, height, body, "GPIOs of the reference board")


def pictures() -> dict[str, str]:
    """File name in docs/img -> its contents."""
    return {
        "wiring_breadboard.svg": pico_picture(load("breadboard")),
        "wiring_reference.svg": board_picture(load("reference")),
    }


def main() -> int:
    for name, text in pictures().items():
        (IMG / name).write_text(text)
        print(IMG / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
