"""A blank board gets its factory data (ID-5, CA-4): on flash its blocks are laid out first, in a real littlefs."""

import pytest

from host.rigs.prompt_rig import started
from openkh.storage.layout import FLASH_BLOCKS

PROVISION = "s.provision('MSNCT-1SC', '60Hz', '000000000077', '260203')"


def restarted(prompt):
    """Wait for the restart that a command asked for."""
    starts = len(prompt.boots())
    for _ in range(20):
        prompt.go(1.0)
        if len(prompt.boots()) > starts:
            break
    prompt.go(3.0)
    prompt.restarted()


def power_cycle(prompt):
    prompt.stimulus([["power", None, 0]])
    prompt.go(1.5)
    prompt.stimulus([["power", None, 1]])
    prompt.restarted()
    prompt.go(3.0)


@pytest.mark.parametrize("cut_s", [2.3, 10.6])  # among the files; while their blocks are erased
def test_CA_4_a_blank_flash_board_whole_with_a_power_cut_and_a_ctrl_c_in_the_middle(cut_s):
    with started("micropython", board={"memory": "flash", "blank": True}) as prompt:
        assert prompt.json("s.identity()")["memory"] == "flash"
        assert not prompt.json("s.provisioned()")["provisioned"]
        prompt.type(PROVISION + "\x04")
        assert f"laying out the flash once, {FLASH_BLOCKS} blocks" in prompt.go(cut_s)
        power_cycle(prompt)
        assert not prompt.json("s.provisioned()")["provisioned"]
        prompt.type(PROVISION + "\x04")
        prompt.go(1.0)
        prompt.type("\x03")
        prompt.go(0.5)
        assert "KeyboardInterrupt" in prompt.said
        cycles = prompt.json("s.status()")["cycles"]
        begun_us = prompt.now_us
        said = prompt.execute(PROVISION)
        assert f"\n  100 of {FLASH_BLOCKS}\n" in said
        assert said.endswith("NOT PROVISIONED YET: give provision(...) again then\n")
        due = (prompt.now_us - begun_us) / 1e5
        status = prompt.json("s.status()")
        assert 0.9 * due < status["cycles"] - cycles and status["errors"] == 0  # it went on metering
        restarted(prompt)
        assert prompt.json(PROVISION)["provisioned"]
        restarted(prompt)
        prompt.load(0.0)
        prompt.go(2.0)
        earlier = prompt.delivered_counts - prompt.snap["counted"][0]
        prompt.load(20.0)
        prompt.go(5.0)
        prompt.settle()
        assert prompt.delivered_counts - prompt.snap["counted"][0] == earlier
        register = prompt.snap["delivered"]
        power_cycle(prompt)
        status = prompt.json("s.status()")
        assert (status["model"], status["serial"], status["failures"]) == ("MSNCT-1SC", "000000000077", [])
        assert status["delivered_wh"] == register and float(register) > 0
        assert status["configuration_count"] == 1
        assert "identity" in [event["event"] for event in prompt.json("s.events(20)")["events"]]
        assert "there already" in prompt.json(PROVISION)["error"]
        assert prompt.errors() == []


def test_CA_4_json_is_one_line_while_the_flash_is_laid_out():
    with started("micropython", board={"memory": "flash", "blank": True}) as prompt:
        answer = prompt.json(PROVISION)
        assert answer["ok"] and not answer["provisioned"]
