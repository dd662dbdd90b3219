"""What starts, whatever is wrong with the files: a hang in the imports ends, a slot that cannot start is passed over, a
sealed meter never opens a prompt; and a power cut in the middle of a flash operation costs no register."""

import ast

import board
import pytest

from boards.virtual.reference import SEAL_RISE_US
from host.flash import deploy
from host.rp2040 import emulator, flash_cuts, wires
from host.rp2040.engine import Rp2040Link

pytestmark = pytest.mark.rp2040

SECOND_US = 1_000_000
CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}}
LOAD = ["mains", 0, 0, [120.0, 100.0, 0.0, 0.0], [120.0, 100.0, 0.0, 180.0], 60.0]
PIN_SEAL = 28
MODULES = {
    "boot.py": "VERSION = 'WHICH'\nprompt = {}\n",
    "main.py": "import boot\nprompt = {'running': boot.VERSION}\nprint('started', boot.VERSION)\n",
    "board.py": "",
    "openkh/__init__.py": "",
}


def test_a_hang_in_the_imports_is_ended_by_the_watchdog() -> None:
    """Reliability: the watchdog runs before the first long import."""
    with Rp2040Link(CONFIG) as link:
        hang = ["fault", 300_000, "cpu", "hang", {}, 0]
        out = link.run(SECOND_US, [LOAD, hang])["out"]
        for second in range(2, 12):  # one at a time: each may take 120 s of real time, and a hang is slow to emulate
            out += link.run(second * SECOND_US)["out"]
        boots = [item for item in out if item[0] == "boot"]
        assert [item[2] for item in boots] == ["power", "watchdog"]
        assert 8.0 * SECOND_US < boots[1][1] < 8.4 * SECOND_US
        assert float(link.finish()["register"]["delivered_wh"]) > 1.0


def slot(version: str) -> dict[str, bytes]:
    """A small firmware's two files."""
    modules = {
        name[:-3] + ".mpy": deploy.compile_text(text.replace("WHICH", version), name) for name, text in MODULES.items()
    }
    return deploy.slot_files(modules)


def start(files: dict[str, bytes], sealed: bool) -> emulator.Chip:
    """A chip with these files and the launcher, a second after power-up."""
    whole = {**files, **{"/" + name: data for name, data in deploy.launcher("reference").items()}}
    chip = emulator.Chip(fs=emulator.filesystem(whole), usb=True)
    clock = wires.Clock()
    clock.connect(chip)
    seal = wires.Net(clock, PIN_SEAL)
    seal.capacitor(SEAL_RISE_US)
    seal.drive(0 if sealed else None)
    seal.connect(chip)
    chip.run(1_000_000_000)
    return chip


def both_slots(a: dict[str, bytes], b: dict[str, bytes], named: str = "a") -> dict[str, bytes]:
    files = {f"/a/{name}": data for name, data in a.items()} | {f"/b/{name}": data for name, data in b.items()}
    return files | {"/slot": named.encode()}


def running(chip: emulator.Chip) -> str:
    chip.console.raw_repl()
    return chip.console.exec("print(running)").strip()


@pytest.mark.parametrize("damage", ["none", "no bundle", "loader cut short", "bundle inverted"])
def test_a_slot_that_cannot_start_is_passed_over(damage: str) -> None:
    """Every place of it: host_tests/host/test_launcher.py."""
    bad, good = slot("bad"), slot("good")
    if damage == "no bundle":
        del bad[deploy.BUNDLE]
    elif damage == "loader cut short":
        bad[deploy.LOADER] = bad[deploy.LOADER][:-160]
    elif damage == "bundle inverted":
        bad[deploy.BUNDLE] = (
            bad[deploy.BUNDLE][:-40] + bytes([bad[deploy.BUNDLE][-40] ^ 0xFF]) + bad[deploy.BUNDLE][-39:]
        )
    assert running(start(both_slots(bad, good), sealed=False)) == ("bad" if damage == "none" else "good")
    assert running(start(both_slots(good, bad, "b"), sealed=False)) == ("bad" if damage == "none" else "good")


@pytest.mark.parametrize("which", ["boot", "main", "nothing"])
def test_CA_2_a_sealed_meter_whose_firmware_cannot_start_resets_and_gives_no_prompt(which: str) -> None:
    modules = {
        "boot.mpy": deploy.compile_text("1 // 0\n" if which == "boot" else "", "boot.py"),
        "main.mpy": deploy.compile_text("import missing\n", "main.py"),
    }
    broken = deploy.slot_files(modules)
    files = {} if which == "nothing" else both_slots(broken, broken)
    chip = start(files, sealed=True)
    assert len(chip.resets) > 2
    assert b">>>" not in chip.console.received
    chip = start(files, sealed=False)
    assert not chip.resets
    chip.console.raw_repl()
    assert chip.console.exec("print(6 * 7)").strip() == "42"


def test_ST_1_power_cuts_in_the_middle_of_flash_operations() -> None:
    """Never above what was measured, never below what it was; more of them in ./scripts/bench rp2040."""
    figures = flash_cuts.sweep(4)
    assert figures["power cuts in an operation on the flash"] >= 2


def test_each_pad_has_the_function_that_the_board_wants() -> None:
    """With all parts built: a mere constructor takes its peripheral's usual pins, whatever they are in use for."""
    spi, uart, i2c, pio = 1, 2, 3, 6  # RP2040 data sheet 2.19.2
    wanted = dict.fromkeys((*board.I2C_MEMORY[1:], *board.I2C_DISPLAY[1:]), i2c)
    wanted |= dict.fromkeys(board.RS485[1:3], uart)
    wanted |= {pin: spi for front_end in board.FRONT_ENDS for pin in front_end[1:4]}
    wanted |= dict.fromkeys((board.PIN_OPTO_10, board.PIN_OPTO_100, board.PIN_OPTO_1000), pio)
    with Rp2040Link({**CONFIG, "serial": {}}) as link:
        link.run(4 * SECOND_US, [LOAD])
        console = link.engine.board.chip.console
        console.raw_repl()
        pads = "import machine\nprint([machine.mem32[0x40014004 + 8 * n] & 31 for n in range(30)])"
        found = ast.literal_eval(console.exec(pads))
    assert {pin: found[pin] for pin in wanted} == wanted
