"""Damaged calibration and factory data on the whole meter; power cuts at every step of save() (DX-6, CA-3, ST-2)."""

import base64

import pytest

from boards.virtual.engine import image
from boards.virtual.parts import fram
from boards.virtual.rp2040 import flash
from host.campaigns import port_abuse
from host.port.prompt import CodeError
from host.rigs.prompt_rig import Prompt, started

both = pytest.mark.parametrize("medium", ["fram", "flash"])
MARK = 0x5A  # first byte of a record
SAVED = {"wgain": 4300000, "phcal": 11, "wattos": 300, "vgain": 4200000, "igain": 4180000}


def saved_once(medium, saves=1):
    """The memory of a meter that was calibrated, switched off afterwards."""
    with started(board={"memory": medium}) as prompt:
        for n in range(saves):
            given = ", ".join(f"{name}={value + n}" for name, value in SAVED.items())
            assert prompt.json(f"s.cal_set(1, {given})")["ok"]
            assert prompt.json(f"s.save('26020{n + 1}')")["ok"]
        return switched_off(prompt)


def switched_off(prompt):
    """What stays in the memory."""
    prompt.load(0.0)
    prompt.go(2.0)
    prompt.stimulus([["power", None, 0]])
    prompt.go(1.0)
    return prompt.finish()["memory"]


def damaged(memory, medium, what, copies, version=None):
    """The memory with so many copies of each record in region `what` (or of one version) spoilt, the first ones."""
    content = bytearray(base64.b64decode(memory[medium]))
    chip = fram.Fram(len(content)) if medium == "fram" else flash.Flash(len(content) // 4096)
    chip.memory[:] = content
    region = getattr(image.regions_of(medium, chip), what)
    for slot in range(region.slots // 2 if copies == 1 else region.slots):
        if medium == "fram":
            at = region._first + slot * region._stride
        else:
            at = region.blocks[slot // 32] * 4096 + slot % 32 // 2 * 256 + slot % 2 * 108
        if content[at] == MARK and version in (None, content[at + 4]):
            content[at + 20] ^= 8
    return {medium: base64.b64encode(content).decode()}


def again(memory, medium):
    prompt = Prompt("cpython", board={"memory": medium}, memory=memory)
    prompt.load(0.0)
    prompt.go(4.0)
    return prompt


def names(prompt):
    return [event["event"] for event in prompt.json("s.events(99)")["events"]]


def in_force(prompt):
    line = prompt.json("s.cal()")["lines"][0]
    return {name: line[name] for name in SAVED}


@both
def test_DX_6_with_one_copy_of_the_calibration_damaged_the_other_is_used_and_mends_it(medium):
    memory = damaged(saved_once(medium), medium, "calibration", 1)
    for _ in range(2):
        with again(memory, medium) as prompt:
            assert in_force(prompt) == SAVED
            status = prompt.json("s.status()")
            assert status["failures"] == [] and status["calibrated"] and status["calibration_count"] == 1
            memory = prompt.finish()["memory"]
        memory = damaged(memory, medium, "calibration", 1)  # the first copy again: the second one was whole


@both
def test_DX_6_FAIL_03_with_both_damaged_it_meters_on_nominal_constants_until_it_is_calibrated_anew(medium):
    memory = damaged(saved_once(medium, 2), medium, "calibration", 2)
    with again(memory, medium) as prompt:
        status = prompt.json("s.status()")
        assert status["failures"] == [3] and not status["calibrated"] and status["calibration_count"] is None
        assert in_force(prompt)["wgain"] == 4234704
        assert "NOT CALIBRATED" in prompt.execute("s.status()") and "FAIL 03" in prompt.execute("s.status()")
        assert "calibration_damaged" in names(prompt)
        earlier = prompt.delivered_counts
        prompt.load(50.0)
        prompt.go(3.0)
        prompt.settle()
        assert prompt.delivered_counts - earlier == sum(prompt.snap["counted"]) > 0
        assert prompt.json("s.cal_set(1, wgain=4250000)")["ok"]
        assert prompt.json("s.save('260209')")["calibration_count"] == 3  # as the log knows
        assert prompt.json("s.status()")["failures"] == []
        memory = prompt.finish()["memory"]
    with again(memory, medium) as prompt:
        status = prompt.json("s.status()")
        assert status["failures"] == [] and status["calibrated"] and status["calibration_count"] == 3
        assert in_force(prompt)["wgain"] == 4250000


@both
def test_CA_2_where_only_the_version_before_is_left_it_is_used_reported_and_the_count_does_not_go_back(medium):
    newest = 2 if medium == "fram" else 3  # on flash the first place after a start is left out
    with again(damaged(saved_once(medium, 2), medium, "calibration", 2, version=newest), medium) as prompt:
        assert in_force(prompt) == SAVED
        assert prompt.json("s.faults()")["calibration_damaged"] == 2
        assert "calibration_damaged" in names(prompt)
        assert prompt.json("s.cal_set(1, wgain=4250000)")["ok"]
        assert prompt.json("s.save('260209')")["calibration_count"] == 3


@both
def test_ID_5_with_one_copy_of_the_factory_data_damaged_the_other_is_used(medium):
    with again(damaged(saved_once(medium), medium, "factory", 1), medium) as prompt:
        assert prompt.json("s.identity()")["serial"] == "000000000042"
        assert prompt.json("s.status()")["failures"] == []


@both
def test_DX_6_FAIL_03_with_both_damaged_it_is_the_model_of_its_journal_until_provisioned_anew(medium):
    with started(model="MSTCT-2SC", board={"memory": medium}) as prompt:
        prompt.go(5.0)
        prompt.settle()
        register = prompt.snap["delivered"]
        memory = switched_off(prompt)
    memory = damaged(memory, medium, "factory", 2)
    with again(memory, medium) as prompt:
        found = prompt.json("s.status()")
        assert (found["model"], found["serial"], found["failures"]) == ("MSTCT-2SC", "", [3])
        assert found["delivered_wh"] == register and found["configuration_count"] is None
        assert "no factory data" in prompt.json("s.save('260209')")["error"]
        refused = prompt.json("s.provision('MDNCT-1SC', '60Hz', '000000000042', '260131')")
        assert "the register in this memory is that of MSTCT-2SC 60Hz" in refused["error"]
        assert prompt.json("s.provision('MSTCT-2SC', '60Hz', '000000000042', '260131')")["ok"]
        prompt.restarted()
        prompt.go(4.0)
        found = prompt.json("s.status()")
        assert (found["serial"], found["failures"], found["configuration_count"]) == ("000000000042", [], 1)
        assert found["delivered_wh"] == register


@both
def test_CA_3_a_power_cut_at_every_step_of_save_leaves_the_old_or_the_new_calibration(medium):
    """At bytes of the FRAM's bus, at operations of the flash; every single one in ./scripts/bench save_cuts."""
    cuts = port_abuse.save_cuts(medium, 29 if medium == "fram" else 2)
    assert cuts >= (9 if medium == "fram" else 6)


def test_the_prompt_says_what_it_could_not_run():
    with started() as prompt, pytest.raises(CodeError, match="NameError"):
        prompt.execute("stats()")
