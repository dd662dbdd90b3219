"""The wiring faults of docs/installation.md on the whole meter: what the installer would see (DX, ID-6)."""

import re

import pytest

from host.sim.link import TOP
from host_tests.display.whole_meter import said, watch

SCENARIOS = TOP / "docs" / "scenarios"

# Error text on screen 4 (empty: none), bar, what blinks.
SEEN = {
    "wired_right": ("", "right", []),
    "ct1_reversed": ("Err rC1", "left", ["L1"]),
    "ct2_reversed": ("Err rC2", "left", ["L2"]),
    "both_reversed": ("Err rC1", "left", ["L1", "L2"]),
    "crossed_180": ("Err rC1", "left", ["L1", "L2"]),
    "crossed_120": ("Err rC1", "left", ["L1", "L2"]),
    "crossed_120_motor": ("Err rC1", "left", ["L1"]),
    "crossed_120_one_load": ("Err PF2", "solid", ["L2"]),
    "both_cts_on_line1": ("Err rC2", "left", ["L2"]),
    "ct2_open": ("", "off", ["L2"]),
    "fuse_l2": ("Err LU2", "solid", ["L2"]),
    "fuse_l1": ("", "off", []),
    "single_reversed_240": ("Err rC1", "left", ["L1"]),
}


def test_every_wiring_fault_has_a_scenario_and_stands_in_the_manual():
    assert set(SEEN) <= {path.stem for path in SCENARIOS.glob("*.toml")}
    text = (TOP / "docs" / "installation.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.M)) == set(SEEN)


@pytest.mark.parametrize("name", SEEN)
def test_what_the_installer_sees(name):
    error, bar, blinking = SEEN[name]
    report = watch((SCENARIOS / f"{name}.toml").read_text(), 45)
    records = said(report, 20, 45)
    if name == "fuse_l1":
        assert (records[-1]["screen"], records[-1]["text"], records[-1]["bar"]) == ("", "", "off")
        return
    assert {r["text"] for r in records if r["screen"] == "4"} == ({error} if error else set())
    assert all((r["bar"], r["blinking"]) == (bar, blinking) for r in records)
