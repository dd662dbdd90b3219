"""Status and display of the whole meter, from volts and amps at the terminals to the glass (DX, LC), through simulated
front ends and controller: thresholds, times, angles, and both controllers; equal on the engines."""

import math

import pytest

from host_tests.display.whole_meter import said, watch

METERS = [
    ("MDNCT-1SC", "60Hz", 120.0, 100),
    ("MDNCT-2SC", "60Hz", 120.0, 200),
    ("MSNCT-1SC", "50Hz", 240.0, 100),
    ("MSNCT-2SC", "50Hz", 240.0, 200),
]
CASES = [(*m, lines) for m in METERS for lines in ((1,), (2,), (1, 2)) if m[0][1] == "D" or lines == (1,)]
IDS = [f"{c[0]}-{c[1]}-line{''.join(str(n) for n in c[4])}" for c in CASES]

FIRST_S = 18  # the startup screens are over
HOLD_S = 15  # one more than it takes to come to screen 4
REST_S = 5


def step(at, readings, lines, hz):
    values = ", ".join(f"{key} = {value!r}" for key, value in readings.items())
    return f"[[step]]\nat = {float(at)}\nhz = {hz}\n" + "".join(f"l{n} = {{{values}}}\n" for n in lines)


def rows(volts, rating):
    """(readings of the line, error text without the line, bar) just below and just above each threshold."""
    scale = volts / 120.0

    def load(watts):
        return {"volts": volts, "amps": abs(watts) / volts, "degrees": 0.0 if watts >= 0 else 180.0}

    def at(**changed):
        return {"volts": volts, "amps": 10.0, "degrees": 0.0, **changed}

    return [
        (load(15.5), "", "right"),
        (load(14.5), "", "off"),
        (load(-14.5), "", "off"),
        (load(-15.5), "Err rC", "left"),
        (at(amps=5.0, degrees=79.5), "", "right"),
        (at(amps=5.0, degrees=80.5), "Err PF", "solid"),
        (at(amps=5.0, degrees=-80.5), "Err PF", "solid"),
        (at(amps=5.0, degrees=89.5), "Err PF", "solid"),
        (at(amps=5.0 / scale, degrees=90.5), "", "off"),
        (at(amps=20.0, degrees=90.5), "Err rC", "left"),
        (at(volts=102.0 * scale + 0.5), "", "right"),
        (at(volts=102.0 * scale - 0.5), "Err LU", "solid"),
        (at(volts=138.0 * scale - 0.5), "", "right"),
        (at(volts=138.0 * scale + 0.5), "Err HU", "solid"),
        (at(amps=1.1 * rating - 0.5), "", "right"),
        (at(amps=1.1 * rating + 0.5), "Err HC", "solid"),
    ]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_DX_every_row_of_the_table_just_below_and_just_above(case):
    code, service, volts, rating, lines = case
    hz = float(service[:2])
    everywhere = (1, 2) if code[1] == "D" else (1,)
    well = {"volts": volts, "amps": 10.0, "degrees": 0.0}
    text = f'model = "{code}"\nservice = "{service}"\n' + step(0, well, everywhere, hz)
    table = rows(volts, rating)
    times = [FIRST_S + k * (HOLD_S + REST_S) for k in range(len(table))]
    for at, (readings, _, _) in zip(times, table):
        text += step(at, readings, lines, hz) + step(at + HOLD_S, well, lines, hz)
    report = watch(text, times[-1] + HOLD_S + REST_S)
    assert report["firmware"]["faults"]["errors"] == 0
    for at, (readings, error, bar) in zip(times, table):
        records = said(report, at + 3.6, at + HOLD_S)
        blinking = [] if bar == "right" else [f"L{n}" for n in lines]
        assert {(r["bar"], tuple(r["blinking"])) for r in records} == {(bar, tuple(blinking))}, readings
        texts = {r["text"] for r in records if r["screen"] == "4"}
        assert texts == ({f"{error}{lines[0]}"} if error else set()), readings
        back = said(report, at + HOLD_S + 3.6, at + HOLD_S + REST_S)
        assert {(r["bar"], tuple(r["blinking"])) for r in back} == {("right", ())}


@pytest.mark.parametrize("number, volts", [(1, 95.0), (2, 0.0)])
def test_DX_5_a_dip_of_1_9_s_shows_nothing_one_of_2_5_s_shows_LU(number, volts):
    text = step(0, {"volts": 120.0, "amps": 5.0}, (1, 2), 60.0)
    for at, seconds in ((20.0, 1.9), (30.0, 2.5)):
        text += step(at, {"volts": volts}, (number,), 60.0) + step(at + seconds, {"volts": 120.0}, (number,), 60.0)
    report = watch(text, 45)
    assert all((r["bar"], r["blinking"]) == ("right", []) for r in said(report, 18, 30))
    assert ("solid", [f"L{number}"]) in [(r["bar"], r["blinking"]) for r in said(report, 30, 45)]
    assert {r["text"] for r in report["lcd"] if r["screen"] == "4"} <= {f"Err LU{number}"}


def test_DX_5_reverse_for_1_s_in_every_3_s_for_5_minutes_shows_no_error():
    text = step(0, {"volts": 120.0, "amps": 10.0}, (1, 2), 60.0)
    for k in range(100):
        text += step(20 + 3 * k, {"degrees": 180.0}, (1,), 60.0) + step(21 + 3 * k, {"degrees": 0.0}, (1,), 60.0)
    report = watch(text, 325)
    assert {r["screen"] for r in report["lcd"]} == set("dEoCSnr8123")
    assert {r["bar"] for r in said(report, 18, 325)} == {"right"}


def test_DX_3_a_single_element_meter_says_nothing_of_line_2():
    text = 'model = "MSNCT-1SC"\n' + step(0, {"volts": 120.0, "amps": 5.0}, (1,), 60.0)
    text += step(10, {"volts": 0.0, "amps": 300.0, "degrees": 180.0}, (2,), 60.0)
    report = watch(text, 40)
    assert {(r["bar"], tuple(r["blinking"])) for r in said(report, 18, 40)} == {("right", ())}
    assert {r["text"] for r in said(report, 18, 40) if r["screen"] == "3"} == {"0.600"}


def test_LC_6_a_lost_and_a_disturbed_display_change_nothing_in_the_metering():
    """Field bug 34. Pulses, register and cycles are those of the undisturbed meter; loss and return are logged."""
    load = "[[step]]\nat = 0.0\nl1 = {volts = 120.0, amps = 100.0}\nl2 = {volts = 120.0, amps = 100.0}\n"
    off = "[[step]]\nat = 78.0\nl1 = {amps = 0.0}\nl2 = {amps = 0.0}\n"  # the end of the last cycle is told by nothing
    faults = '[[step]]\nat = 30.0\nfault = {part = "lcd", kind = "silent", for_s = 20.0}\n'
    faults += '[[step]]\nat = 60.0\nfault = {part = "lcd", kind = "corrupt"}\n'
    well, ill = watch(load + off, 80), watch(load + faults + off, 80)
    none = watch('[board]\ndisplay = "none"\n' + load + off, 80)
    for other in (ill, none):
        for key in ("register", "pulses", "demand", "counted", "status"):
            assert other[key] == well[key], key
        assert other["counter"]["counts"] == well["counter"]["counts"]
        assert other["firmware"] == well["firmware"]
    assert [e["event"] for e in ill["events"]] == ["power_up", "seal_opened", "display_lost", "display_back"]
    assert [e["event"] for e in none["events"]] == ["power_up", "seal_opened"]
    assert [r for r in ill["lcd"] if r["t_s"] > 62] == [r for r in well["lcd"] if r["t_s"] > 62]
    assert none["lcd"] == []


def test_LC_6_the_other_controller_shows_the_same():
    """The load changes while no power is on the glass: its mean depends on the millisecond of the start."""
    text = step(0, {"volts": 120.0, "amps": 5.0}, (1, 2), 60.0) + step(21, {"degrees": 180.0}, (2,), 60.0)
    reports = [watch(f'[board]\ndisplay = "{kind}"\n' + text, 50) for kind in ("pcf85176", "ht1621")]
    shown = [[{k: v for k, v in r.items() if k != "t_s"} for r in report["lcd"]] for report in reports]
    assert shown[0] == shown[1]


def test_DX_the_glass_says_the_same_on_every_engine():
    angle = math.degrees(math.acos(0.1))
    text = step(0, {"volts": 120.0, "amps": 5.0}, (1, 2), 60.0) + step(20, {"degrees": angle}, (1,), 60.0)
    text += step(30, {"volts": 90.0}, (2,), 60.0)
    text += '[[step]]\nat = 45.0\nfault = {part = "chip1", kind = "silent", for_s = 10.0}\n'
    reports = [watch(text, 70, engine) for engine in ("micropython", "cpython", "wasm")]
    assert reports[0]["lcd"] == reports[1]["lcd"] == reports[2]["lcd"]
    assert {r["text"] for r in reports[0]["lcd"] if r["screen"] == "4"} == {"Err PF1", "FAIL 01", "Err LU2"}
