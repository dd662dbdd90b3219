"""The engine behind its link: one script, the same answers on CPython, MicroPython unix and 32-bit MicroPython.

A dummy firmware stands in for the meter (host_tests/mp/dummy_app.py), so that what is tested is the virtual board.
"""

import base64
import shutil
import time
from pathlib import Path

import pytest

from boards.virtual.engine import engine as engine_module
from host.sim.link import EngineError, Link

TOP = Path(__file__).resolve().parents[2]
ENGINES = ("cpython", "micropython", "wasm")
CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 7, "board": {}}
LOAD = ["mains", 0, 0, [120.0, 100.0, 0.0, 0.0], [120.0, 5.0, 60.0, 180.0], 60.0]


@pytest.fixture(scope="module")
def dummy(tmp_path_factory):
    """The firmware with the dummy in the place of its app."""
    folder = tmp_path_factory.mktemp("dummy") / "firmware"
    shutil.copytree(TOP / "firmware", folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "host_tests" / "mp" / "dummy_app.py", folder / "openkh" / "app.py")
    return folder


def play(engine, dummy, script, seconds, config=None):
    """Every answer that a run of `seconds` gives, in windows of a third."""
    items, snaps = [], []
    with Link(engine, {**CONFIG, **(config or {})}, firmware_dir=dummy) as link:
        start_us = 0
        for n in (1, 2, 3):
            end_us = seconds * 1_000_000 * n // 3
            reply = link.run(end_us, [item for item in script if start_us <= item[1] < end_us])
            items += reply["out"]
            snaps.append(reply["snap"])
            start_us = end_us
        return items, snaps, link.finish()


SCRIPT = [
    LOAD,
    ["load12v", 500_000, 20.0],
    ["fault", 2_000_000, "cpu", "stall", {"ms": 730.0}, 0],
    ["mains", 3_000_000, 0, [120.0, 20.0, 0.0, 0.0], [120.0, 5.0, 60.0, 180.0], 60.0],
    ["mains", 6_000_000, 1, [120.0, 80.0, 30.0, 0.0], [120.0, 5.0, 60.0, 180.0], 60.0],
    ["power", 7_000_000, 0],
    ["power", 8_500_000, 1],
    ["fault", 11_000_000, "chip1", "bit_error", {"rate": 0.001}, 500_000],
    ["fault", 12_000_000, "cpu", "hang", {}, 0],
    ["fault", 15_000_000, "cpu", "reset", {}, 0],
    ["fault", 16_000_000, "lcd", "silent", {}, 1_000_000],
    ["fault", 16_500_000, "cpu", "exception", {}, 0],
    ["fault", 17_000_000, "lcd", "corrupt", {}, 0],
    ["power", 17_500_000, 0],
    ["power", 17_550_000, 1],  # within the hold-up
]


@pytest.mark.parametrize("modes", [{}, {"interleave": True, "jitter_us": 3000}], ids=str)
def test_the_same_on_every_engine(dummy, modes):
    ticks = {"ticks_offset_us": (1 << 30) - 4_000_000}
    first = play("cpython", dummy, SCRIPT, 18, {**modes, **ticks})
    assert len(first[0]) > 20
    for engine in ENGINES[1:]:
        other = play(engine, dummy, SCRIPT, 18, {**modes, **ticks})
        for item in first[0] + other[0]:
            if item[0] == "error":
                item[2] = item[2].strip().split(": ")[-1]  # tracebacks look different
        assert other[0] == first[0]
        assert other[1] == first[1]
        assert other[2] == first[2]


def test_what_the_script_did(dummy):
    items, snaps, final = play("cpython", dummy, SCRIPT, 18)
    boots = [item[1:] for item in items if item[0] == "boot"]
    hold_up_us, start_us, boot_us, dog_us = 80_000, 50_000, 20_000, 1_000_000
    assert [cause for _, cause in boots] == ["power", "power", "watchdog", "reset"]
    assert boots[0][0] == start_us + boot_us
    assert boots[1][0] == 8_500_000 + start_us + boot_us
    assert 12_000_000 < boots[2][0] <= 12_000_000 + dog_us + boot_us
    assert boots[3][0] == 15_000_000 + boot_us
    blank = [item[1] for item in items if item[0] == "lcd" and item[2]["screen"] == ""]
    assert 7_000_000 + hold_up_us in blank
    errors = [item for item in items if item[0] == "error"]
    assert len(errors) == 1 and "InjectedError" in errors[0][2] and 16_500_000 <= errors[0][1] < 16_700_000
    assert [snap["powered"] for snap in snaps] == [True, True, True]
    assert snaps[0]["t_us"] == 6_000_000
    assert final["led"] == sum(1 for item in items if item[0] == "edge" and item[2] == "led" and item[3])
    assert final["counted"][0]["counts"] > final["counted"][1]["counts"] > 0
    assert final["firmware"]["cycles"] > 130  # those of all four lives


@pytest.mark.parametrize("kind", ["hang", "reset", "exception", "stall"])
def test_without_supply_nothing_runs_that_could_fail(dummy, kind):
    cut = [LOAD, ["power", 1_000_000, 0], ["power", 3_000_000, 1]]
    fault = ["fault", 2_000_000, "cpu", kind, {"ms": 2_000.0}, 0]
    assert play("cpython", dummy, [*cut[:2], fault, cut[2]], 6) == play("cpython", dummy, cut, 6)


def test_skipping_hard_timers_changes_nothing(dummy):
    exact = play("micropython", dummy, SCRIPT, 18, {"exact": True})
    assert play("micropython", dummy, SCRIPT, 18) == exact


@pytest.mark.parametrize("engine", ["cpython", "micropython"])
def test_windows_of_the_host_change_nothing(engine, dummy):
    """However often the host looks (the live view does so five times a second), the run is the same."""
    script = [item for item in SCRIPT if item[2] != 1 or item[0] == "power"]  # a host cuts ramps at its windows
    items, _, final = play(engine, dummy, script, 18)
    looked = []
    with Link(engine, CONFIG, firmware_dir=dummy) as link:
        for n in range(90):
            window = [item for item in script if n * 200_000 <= item[1] < (n + 1) * 200_000]
            looked += link.run((n + 1) * 200_000, window)["out"]
        again = link.finish()
    assert sorted(looked + again.pop("out"), key=str) == sorted(items + final.pop("out"), key=str)
    assert again == final


@pytest.mark.parametrize("engine", ENGINES)
def test_memory_is_kept_and_taken_up_again(engine, dummy):
    _, _, final = play(engine, dummy, [LOAD], 6)
    image = base64.b64decode(final["memory"]["fram"])
    assert len(image) == 32_768
    assert image[0x4000:0x4004] == (50).to_bytes(4, "big")  # saved by the dummy in its 50th cycle
    _, _, again = play(engine, dummy, [LOAD], 1, {"memory": final["memory"]})
    assert base64.b64decode(again["memory"]["fram"]) == image


def test_a_memory_of_another_size_is_refused(dummy):
    with pytest.raises(EngineError, match="32768 bytes"):
        Link("cpython", {**CONFIG, "memory": {"fram": "AAAA"}}, firmware_dir=dummy)


def with_app(dummy, tmp_path, text):
    """The dummy firmware with other code at its end."""
    folder = tmp_path / "firmware"
    shutil.copytree(dummy, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with open(folder / "openkh" / "app.py", "a") as app:
        app.write(text)
    return folder


@pytest.mark.parametrize("engine", ENGINES)
def test_a_firmware_that_fails_to_start_is_told_with_its_traceback(engine, dummy, tmp_path):
    """With its lines where the sources run; machine code has none (host/sim/compiled.py)."""
    broken = with_app(dummy, tmp_path, "\n\ndef start(_asked, _watchdog, seal):\n    missing()\n")
    with Link(engine, CONFIG, firmware_dir=broken, plain=True) as link:
        reply = link.run(1_000_000, [LOAD])
    errors = [item for item in reply["out"] if item[0] == "error"]
    assert len(errors) == 1 and "missing" in errors[0][2] and "app.py" in errors[0][2]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_that_dies_says_why(engine, dummy):
    """Also in the middle of a callback, whose firmware catches every Exception."""
    with Link(engine, CONFIG, firmware_dir=dummy) as link:
        with pytest.raises(EngineError, match="no stimulus earthquake"):
            link.run(1_000_000, [LOAD, ["earthquake", 370_065]])
        with pytest.raises(EngineError):
            link.run(2_000_000)


def test_what_the_model_refuses_the_engine_refuses(dummy):
    with pytest.raises(EngineError, match="position"):
        Link("cpython", {**CONFIG, "model": "XDNCT-1SC"}, firmware_dir=dummy)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_ends_when_the_host_goes(engine, dummy, tmp_path):
    """Also while a sealed meter's main program never returns."""
    app = "\n\ndef start(_asked, _watchdog, seal):\n    while True:\n        machine.lightsleep(50)\n"
    started = time.monotonic()
    with Link(engine, CONFIG, firmware_dir=with_app(dummy, tmp_path, app)) as link:
        link.run(1_000_000, [LOAD])
        before_s = time.monotonic() - started
    assert time.monotonic() - started - before_s < 4.0


@pytest.mark.parametrize("engine", ["cpython", "micropython"])
def test_what_the_firmware_prints_is_no_message(engine, dummy):
    with Link(engine, CONFIG, firmware_dir=dummy) as link:
        link.run(1_000_000, [LOAD])
        assert link.console == ["dummy started"]


@pytest.mark.parametrize("display", ["ht1621", "none"])
def test_other_displays(display, dummy):
    items, snaps, _ = play("cpython", dummy, [LOAD], 3, {"board": {"display": display}})
    assert not [item for item in items if item[0] == "lcd" and item[2]["screen"]]
    assert snaps[-1]["lcd"]["lit"] == []


def test_ID_3_a_single_element_board_has_one_front_end(dummy):
    _, _, final = play("cpython", dummy, [LOAD], 3, {"model": "MSNCT-1SC"})
    assert len(final["counted"]) == 1


def test_a_flash_board_keeps_its_image(dummy):
    _, _, final = play("micropython", dummy, [LOAD], 1, {"board": {"memory": "flash", "start_delivered_wh": 123_456}})
    image = base64.b64decode(final["memory"]["flash"])
    assert len(image) == 352 * 4096 and image.strip(b"\xff")


@pytest.mark.parametrize("engine", ["cpython", "micropython"])
def test_the_seal_is_a_switch_to_ground_with_a_capacitor(dummy, tmp_path, engine):
    """Which the RP2040's pull-up charges: at first an open seal reads low as well."""
    app = "\n\ndef start(_asked, _watchdog, seal):\n    print('seal', seal.pin(), seal.is_closed(), seal.pin())\n"
    folder = with_app(dummy, tmp_path, app)
    for seal, said in (("closed", "seal 0 True 0"), ("open", "seal 0 False 1")):
        with Link(engine, {**CONFIG, "board": {"seal": seal}}, firmware_dir=folder) as link:
            link.run(1_000_000, [LOAD])
            assert link.console == [said]


def test_garbage_of_many_lives_is_collected_before_it_is_strewn_over_the_heap(monkeypatch):
    """After 138 power-ups on a flash the unix port had no room left for its content in one piece."""
    collected: list[int] = []
    monkeypatch.setattr(engine_module.gc, "collect", lambda: collected.append(len(one._lives)))
    one = engine_module.Engine(None)
    one._lives = []
    for n in range(2 * engine_module.SWEEP_EACH):
        one._lives.append((n, 0))
        one._sweep()
    assert collected == [engine_module.SWEEP_EACH, 2 * engine_module.SWEEP_EACH]
