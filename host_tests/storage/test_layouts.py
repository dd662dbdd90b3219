"""Records that can change: memories written by the first published firmware are taken up exactly, by this firmware and
by one with another layout; a firmware that is too old leaves the memory alone and says so (ST-1, ST-2, EN-4).

`images/` holds the FRAM and the flash of two meters that revision 270a398 has run on the virtual board (loads, export,
a power cut, two saved calibrations), and what that revision itself read from them.
"""

import base64
import gzip
import json
from pathlib import Path

import pytest

from boards.virtual.engine import image
from boards.virtual.parts import fram
from boards.virtual.rp2040 import flash
from host.rigs.later_firmware import later_firmware
from host.rigs.prompt_rig import Prompt
from host.sim.link import TOP
from openkh import calibration, identity
from openkh.calibration import Calibration
from openkh.state import State
from openkh.storage import layout, records, verdict
from openkh.storage.journal import Journal
from openkh.storage.vault import Vault

IMAGES = Path(__file__).parent / "images"
both = pytest.mark.parametrize("medium", ["fram", "flash"])
engines = pytest.mark.parametrize("engine", ["cpython", "micropython"])


def written(medium):
    """The image's bytes, and what the firmware that wrote it has read from it."""
    return gzip.decompress((IMAGES / f"{medium}.bin.gz").read_bytes()), json.loads(
        (IMAGES / f"{medium}.json").read_text()
    )


def regions(medium, content):
    chip = fram.Fram(len(content)) if medium == "fram" else flash.Flash(len(content) // 4096)
    chip.memory[:] = content
    return chip, image.regions_of(medium, chip)


def calibrations(data):
    lines = (Calibration(), Calibration())
    count, date = calibration.unpack(data, lines, 60)
    return {"count": count, "date": date, "lines": [{n: getattr(line, n) for n in calibration.ITEMS} for line in lines]}


@both
def test_ST_1_an_image_of_the_first_firmware_is_read_exactly(medium):
    """Every field of the state, every entry of the log, both versions of the calibration, the factory data."""
    content, want = written(medium)
    chip, parts = regions(medium, content)
    board = bytes.fromhex(want["board"])
    journal = Journal(parts.journal, records.identity(board, want["model"], want["service"]), parts.older_journals)
    state = State()
    assert journal.load(state) == verdict.GOOD
    assert {name: getattr(state, name) for name in want["state"]} == want["state"]
    assert (journal.sequence, journal.life, journal.damaged, journal.foreign) == (want["sequence"], want["life"], 0, 0)
    assert [list(entry) for entry in image.events(medium, chip)] == want["log"]
    vault = Vault(parts.calibration, records.identity(board, "", ""))
    assert vault.load() == verdict.GOOD
    assert (calibrations(vault.data), calibrations(vault.previous)) == (want["calibration"], want["previous"])
    assert (vault.version, vault.layout) == (want["version"], 0)
    factory = Vault(parts.factory, records.identity(board, "", ""))
    assert factory.load() == verdict.GOOD
    assert vars(identity.unpack(factory.data)) == want["identity"]


def start(medium, content, engine="cpython", firmware=None):
    """The whole meter on that memory, without load."""
    more = {} if firmware is None else {"firmware_dir": firmware}
    code = written(medium)[1]["model"]
    memory = {medium: base64.b64encode(content).decode()}
    prompt = Prompt(engine, code, board={"memory": medium}, memory=memory, **more)
    prompt.load(0.0)
    prompt.go(4.0)
    return prompt


def end(prompt, medium):
    prompt.stimulus([["power", None, 0]])
    prompt.go(1.0)
    return base64.b64decode(prompt.finish()["memory"][medium])


def check_taken_up(prompt, want):
    """Register, counts given, calibration, identity and log are the image's."""
    status = prompt.json("s.status()")
    assert (status["delivered_wh"], status["received_wh"]) == (want["delivered_wh"], want["received_wh"])
    assert status["counter"] == want["state"]["counter_given"]
    assert status["failures"] == []
    assert (status["serial"], status["date"]) == (want["identity"]["serial"], want["identity"]["date"])
    assert status["configuration_count"] == want["identity"]["count"]
    cal = prompt.json("s.cal()")
    assert (cal["calibration_count"], int(cal["date"])) == (want["calibration"]["count"], want["calibration"]["date"])
    for line, stored in zip(cal["lines"], want["calibration"]["lines"], strict=False):
        expected = stored | {"phcal": calibration.phase_steps(stored["phcal"])}
        assert {name: line[name] for name in calibration.ITEMS} == expected
    log = prompt.json("s.events(99)")["events"]
    assert [(e["order"], e["run_s"], e["a"], e["b"]) for e in log][: len(want["log"])] == [
        (order, run_s, a, b) for order, run_s, _, a, b in want["log"]
    ]
    assert not {"state_lost", "record_damaged", "record_foreign", "calibration_damaged"} & {e["event"] for e in log}


@engines
@both
def test_ST_1_a_meter_goes_on_from_an_image_of_the_first_firmware(medium, engine):
    content, want = written(medium)
    with start(medium, content, engine) as prompt:
        check_taken_up(prompt, want)
        for weight in (10, 100, 1000):
            assert field(prompt, f"edges_{weight}") == want["state"][f"edges_{weight}"]


def field(prompt, name):
    return int(prompt.execute(f"from openkh import app; print(app.meter.state.{name})"))


@pytest.mark.parametrize(("medium", "engine"), [("fram", "cpython"), ("flash", "micropython")])
def test_ST_1_a_new_field_of_the_state_and_a_downgrade(medium, engine, tmp_path):
    """Up: everything of the old records, and the field's default; on: the field is stored. Down: refused, said, not a
    byte changed. Up again: as if nothing had been."""
    content, want = written(medium)
    newer = later_firmware(tmp_path)
    with start(medium, content, engine, newer) as prompt:
        check_taken_up(prompt, want)
        assert field(prompt, "starts") == 77
        prompt.execute("app.meter.cycle._even.starts = app.meter.cycle._odd.starts = 78")
        prompt.load(60.0)
        prompt.go(30.0)
        later_wh = prompt.json("s.status()")["delivered_wh"]
        content = end(prompt, medium)
    assert float(later_wh) > float(want["delivered_wh"]) + 100 * (1 if want["model"][1] == "D" else 0.4)

    with start(medium, content, engine) as prompt:
        status = prompt.json("s.status()")
        layout_found = layout.LAYOUT + 1
        assert (status["failures"], status["memory_layout"], status["delivered_wh"]) == ([4], layout_found, "0.000000")
        assert status["serial"] == want["identity"]["serial"]
        assert f"newer software has laid out this memory (layout {layout_found})" in prompt.execute("s.status()")
        assert "newer software" in prompt.execute("s.cal_set(1, wgain=4290000); s.save('260301')")
        assert "allowed on blank memory only" in prompt.execute(
            "s.provision('MDNCT-1SC', '60Hz', '000000000043', '260301')"
        )
        prompt.load(60.0)
        prompt.go(30.0)
        assert end(prompt, medium) == content

    with start(medium, content, engine, newer) as prompt:
        status = prompt.json("s.status()")
        assert float(status["delivered_wh"]) == pytest.approx(float(later_wh), abs=2)
        assert float(status["delivered_wh"]) >= float(later_wh)
        assert status["failures"] == [] and field(prompt, "starts") == 78


@both
def test_ST_1_a_power_cut_on_the_way_up_costs_nothing(medium, tmp_path):
    """The supply goes at any moment of the first second on a new firmware: the next start is on the same register."""
    content, want = written(medium)
    newer = later_firmware(tmp_path)
    for cut_ms in (230, 300, 420, 700):
        memory = {medium: base64.b64encode(content).decode()}
        with Prompt(
            "cpython", want["model"], board={"memory": medium, "holdup_ms": 10.0}, memory=memory, firmware_dir=newer
        ) as prompt:
            prompt.load(0.0)
            prompt.go(cut_ms / 1000)
            cut = end(prompt, medium)
        with start(medium, cut, firmware=newer) as prompt:
            status = prompt.json("s.status()")
            assert (status["delivered_wh"], status["failures"]) == (want["delivered_wh"], []), cut_ms


def test_CA_2_a_calibration_of_an_unknown_format_is_refused():
    lines = (Calibration(), Calibration())
    data = bytearray(calibration.pack(lines, 3, 260301))
    data[0] += 1
    with pytest.raises(ValueError, match="format 2"):
        calibration.unpack(bytes(data), lines, 60)


def test_ID_5_factory_data_with_more_fields_than_known_are_read_as_far_as_known():
    known = identity.Identity("260131", "000000000042", "MDNCT-1SC", "60Hz", 2)
    assert vars(identity.unpack(known.pack() + b",anything")) == vars(known)
    with pytest.raises(ValueError, match="4 fields"):
        identity.unpack(b"260131,000000000042,MDNCT-1SC,60Hz")


def test_the_documented_places_are_those_of_the_layout():
    text = (TOP / "docs" / "memory.md").read_text()
    places = {
        "journal": (layout.FRAM_JOURNAL, layout.RECORD_BYTES, 4),
        "calibration": (layout.FRAM_CALIBRATION, layout.VAULT_BYTES, 0),
        "events": (layout.FRAM_EVENTS, layout.EVENT_BYTES, 2),
        "service events": (layout.FRAM_SERVICE_EVENTS, layout.EVENT_BYTES, 3),
        "factory": (layout.FRAM_FACTORY, layout.VAULT_BYTES, 1),
    }
    first, slots, _ = layout.FRAM_SEAL_EVENTS
    seal = f"| {slots} slots of {layout.EVENT_BYTES} bytes at 0x{first:04X} | {layout.FLASH_SEAL_BLOCKS} blocks"
    assert seal in next(line for line in text.splitlines() if line.startswith("| seal events |"))
    assert f"the {layout.FLASH_BLOCKS} blocks of a new board and their map" in text
    for name, ((first, slots, _), size, use) in places.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
        assert f"| {slots} slots of {size} bytes at 0x{first:04X} |" in row
        assert f"| {layout.FLASH_USES[use][0]} blocks" in row
