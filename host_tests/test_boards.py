"""The real boards' pins can do what they are asked to, and their analogue parts give the full scale of EN-6."""

import math
import sys
from pathlib import Path
from types import ModuleType

import pytest

from host.cli.refused import RefusedError
from host.flash.board_files import CHOICES, boards, load, text

NAMES = boards()
PICO_PINS = set(range(23)) | {26, 27, 28}  # what a Raspberry Pi Pico brings out

# RP2040 data sheet 1.4.3: pins by controller.
SPI_RX = ((0, 4, 16, 20), (8, 12, 24, 28))  # CSn, SCK, TX are the three after
I2C_SDA = ((0, 4, 8, 12, 16, 20, 24, 28), (2, 6, 10, 14, 18, 22, 26))  # SCL is the one after
ADC_PINS = (26, 27, 28, 29)
FULL_SCALE_RMS_V = 0.5 / math.sqrt(2)  # ADE7953 DS p.4


def uses(board: ModuleType, display: str, memory: str, port: bool) -> list[tuple[str, int]]:
    """(what, pin) of everything on this variant of the board."""
    found = []
    for line, (_, sck, mosi, miso, cs, irq, reset) in enumerate(board.FRONT_ENDS, 1):
        for name, pin in (("SCK", sck), ("MOSI", mosi), ("MISO", miso), ("CS", cs), ("IRQ", irq), ("RESET", reset)):
            found.append((f"line {line} {name}", pin))
    for name in ("OPTO_10", "LED", "OPTO_100", "OPTO_1000", "COUNTER", "RAIL12_ENABLE", "SEAL", "SERVICE_STRAP"):
        found.append((name, getattr(board, "PIN_" + name)))
    found += [("ADC_RAIL12", board.ADC_RAIL12), ("ADC_BULK", board.ADC_BULK)]
    if memory == "fram":
        found += [("memory SCL", board.I2C_MEMORY[1]), ("memory SDA", board.I2C_MEMORY[2])]
    if display == "pcf85176":
        found += [("display SCL", board.I2C_DISPLAY[1]), ("display SDA", board.I2C_DISPLAY[2])]
    elif display == "ht1621":
        found += list(zip(("HT1621 CS", "HT1621 WR", "HT1621 DATA"), board.HT1621_PINS, strict=True))
    if port:
        found += list(zip(("RS-485 TX", "RS-485 RX", "RS-485 enable"), board.RS485_PINS[1:], strict=True))
    return found


@pytest.mark.parametrize("port", [True, False], ids=["rs485", "no rs485"])
@pytest.mark.parametrize("memory", ["fram", "flash"])
@pytest.mark.parametrize("display", ["pcf85176", "ht1621", "none"])
@pytest.mark.parametrize("name", NAMES)
def test_no_pin_is_used_twice(name: str, display: str, memory: str, port: bool) -> None:
    board = load(name)
    by_pin: dict[int, list[str]] = {}
    if port and name != "reference" and (display, memory) != ("none", "flash"):
        with pytest.raises(RefusedError, match="--rs485 port: .* on the same pins .* allowed: --(memory|display) "):
            text(name, {"DISPLAY": display, "MEMORY": memory, "RS485": "port"})
        return
    for what, pin in uses(board, display, memory, port):
        by_pin.setdefault(pin, []).append(what)
    if name != "reference" and display == "ht1621":
        by_pin[board.PIN_SERVICE_STRAP].remove("SERVICE_STRAP")  # the board file says so
    assert {pin: what for pin, what in by_pin.items() if len(what) > 1} == {}
    assert set(by_pin) <= (PICO_PINS if name != "reference" else set(range(30)))


@pytest.mark.parametrize("name", NAMES)
def test_pins_reach_their_controllers(name: str) -> None:
    board = load(name)
    for controller, sck, mosi, miso, *_ in board.FRONT_ENDS:
        assert miso in SPI_RX[controller]
        assert sck - 2 in SPI_RX[controller]
        assert mosi - 3 in SPI_RX[controller]
    for controller, scl, sda in (board.I2C_MEMORY, board.I2C_DISPLAY):
        assert sda in I2C_SDA[controller]
        assert scl - 1 in I2C_SDA[controller]
    number, tx, rx, _ = board.RS485_PINS
    assert tx & 3 == 0 and rx == tx + 1 and (tx + 4 & 8) >> 3 == number  # RP2040 data sheet 1.4.3
    assert board.I2C_MEMORY[0] != board.I2C_DISPLAY[0], "a stuck display must not reach the register's memory"
    assert len({front_end[0] for front_end in board.FRONT_ENDS}) == 2, "a stuck chip must not blind the other"
    assert board.ADC_RAIL12 in ADC_PINS
    assert board.ADC_BULK in ADC_PINS


@pytest.mark.parametrize("name", NAMES)
def test_PO_2_the_load_led_follows_the_10_wh_output(name: str) -> None:
    """One state machine drives both, so the LED's pin is the next one."""
    board = load(name)
    assert board.PIN_LED == board.PIN_OPTO_10 + 1


@pytest.mark.parametrize("name", NAMES)
def test_chips_are_within_their_ratings(name: str) -> None:
    board = load(name)
    assert board.SPI_HZ <= 5_000_000  # ADE7953 DS p.6
    assert board.I2C_MEMORY_HZ <= 1_000_000
    assert board.I2C_DISPLAY_HZ <= 400_000
    assert board.MEMORY in CHOICES["MEMORY"]
    assert board.DISPLAY in CHOICES["DISPLAY"]


def test_all_boards_have_the_same_constants() -> None:
    """Firmware and tools read every board alike."""
    names = [{name for name in vars(load(board)) if name.isupper()} for board in NAMES]
    assert all(constants == names[0] for constants in names)


@pytest.mark.parametrize(("service", "volts"), [("60Hz", 200.0), ("50Hz", 400.0)])
def test_EN_6_full_scale_voltage(service: str, volts: float) -> None:
    parts = load("reference", "parts")
    ratio = 1 + sum(parts.DIVIDER_CHAIN_OHM[service]) / parts.DIVIDER_FOOT_OHM
    assert math.isclose(FULL_SCALE_RMS_V * ratio, volts, rel_tol=0.005)


@pytest.mark.parametrize(("rating_a", "amps"), [(100, 117.85), (200, 235.7)])
def test_EN_6_full_scale_current_and_the_chips_limit_per_pin(rating_a: int, amps: float) -> None:
    parts = load("reference", "parts")
    secondary_a = FULL_SCALE_RMS_V / (2 * parts.BURDEN_HALF_OHM)
    assert math.isclose(secondary_a * parts.CT_RATIO[rating_a], amps, rel_tol=0.001)
    assert secondary_a >= 0.110  # ID-3: rated + 10 %
    assert secondary_a * math.sqrt(2) * parts.BURDEN_HALF_OHM <= 0.2501  # single-ended limit, DS p.19


def test_CO_3_rail_current_sense() -> None:
    board, parts = load("reference"), load("reference", "parts")
    assert board.RAIL12_UV_PER_MA == parts.RAIL12_SHUNT_OHM * parts.RAIL12_GAIN * 1000
    top, foot = parts.BULK_DIVIDER_OHM
    assert (top + foot) / foot == board.BULK_DIVIDER


def test_boards_import_like_on_the_device() -> None:
    """board.py needs glass.py beside it and nothing else of the project."""
    before = set(sys.modules)
    load("reference")
    assert not [name for name in set(sys.modules) - before if name.split(".")[0] in ("openkh", "host", "boards")]


def test_pictures_of_the_docs_are_current(tmp_path: Path) -> None:
    """docs/hardware.md shows what the board files say."""
    from host.docs_made import wiring  # brings Matplotlib, which no other test here needs

    for path in wiring.write(tmp_path):
        assert (wiring.IMG / path.name).read_text() == path.read_text(), f"{path.name}: python -m host.docs_made.wiring"
