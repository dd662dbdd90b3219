"""The status table of the requirements on the glass, row by row: just below and just above each threshold, on each line
and on both, for both CT ratings and both services (DX table, DX-1, DX-3, DX-4, LC-3)."""

import math

import pytest

from host_tests.display.glass_rig import GlassRig

METERS = [
    ("MDNCT-1SC", "60Hz", 120.0, 100),
    ("MDNCT-2SC", "60Hz", 120.0, 200),
    ("MSNCT-1SC", "60Hz", 120.0, 100),
    ("MSNCT-1SC", "50Hz", 240.0, 100),
    ("MSNCT-2SC", "50Hz", 240.0, 200),
]
CASES = [(*m, lines) for m in METERS for lines in ((1,), (2,), (1, 2)) if m[0][1] == "D" or lines == (1,)]
IDS = [f"{c[0]}-{c[1]}-line{''.join(str(n) for n in c[4])}" for c in CASES]

BAR = {"BAR1", "BAR2", "BAR3", "BAR4"}


def settle(rig, lines, **readings):
    """Everything in order, then these readings on these lines, for 16 s: at least one screen 4 in an error."""
    rig.normal().run(6)
    for number in lines:
        rig.line(number).set(**readings)
    rig.run(4)
    rig.reader.finish(rig.t_us)
    del rig.records[:-1]
    rig.run(16)
    rig.said()
    return rig


def shows(rig, text, bar, lines):
    """The exact glass: error screen (none where `text` is empty), bar, and which line symbols blink."""
    records = [r for _, r in rig.records[1:]]
    assert records
    errors = {r["text"] for r in records if r["screen"] == "4"}
    assert errors == ({text} if text else set())
    assert {r["bar"] for r in records} == {bar}
    assert all(r["blinking"] == [f"L{n}" for n in lines] for r in records)
    assert all(set(r["symbols"]) & {"L1", "L2"} == {f"L{n}" for n in lines} for r in records)
    steady(rig, bar, lines)


def steady(rig, bar, lines):
    """Over 2 s of single looks: what blinks is lit for 0.5 s and dark for 0.5 s, what is steady stays."""
    looks = rig.looks(2)
    for number in (1, 2):
        lit = [f"L{number}" in look for look in looks]
        if number in lines:
            assert lit in ([(i + k) % 4 < 2 for i in range(8)] for k in range(4))
        else:
            assert not any(lit)
    if bar == "solid":
        assert all(look & (BAR | {"LEFT", "RIGHT"}) == BAR for look in looks)
    elif bar == "left":
        assert all(look & (BAR | {"LEFT", "RIGHT"}) == BAR | {"LEFT"} for look in looks)
    elif bar == "off":
        assert not any(look & (BAR | {"LEFT", "RIGHT"}) for look in looks)
    else:
        assert len({look & (BAR | {"RIGHT"}) for look in looks}) == 4


def normal(rig):
    shows(rig, "", "right", ())


@pytest.fixture(params=CASES, ids=IDS)
def case(request):
    return request.param


class TestRows:
    def test_DX_reverse_energy(self, case):
        code, service, _, _, lines = case
        rig = settle(GlassRig(code, service), lines, watts=-15.5)
        shows(rig, f"Err rC{lines[0]}", "left", lines)
        rig = settle(GlassRig(code, service), lines, watts=-14.5)
        shows(rig, "", "off", lines)

    def test_DX_low_current(self, case):
        code, service, _, _, lines = case
        rig = settle(GlassRig(code, service), lines, watts=14.5)
        shows(rig, "", "off", lines)
        normal(settle(GlassRig(code, service), lines, watts=15.5))

    def test_DX_bad_power_factor(self, case):
        code, service, volts, _, lines = case
        for degrees, bad in ((79.5, False), (80.5, True), (-80.5, True), (-79.5, False), (89.5, True)):
            va = volts * 5.0
            angle = math.radians(degrees)
            readings = {"amps": 5.0, "watts": va * math.cos(angle), "var": va * math.sin(angle)}
            rig = settle(GlassRig(code, service), lines, **readings)
            if bad:
                shows(rig, f"Err PF{lines[0]}", "solid", lines)
            else:
                normal(rig)

    def test_DX_low_voltage(self, case):
        code, service, volts, _, lines = case
        rig = settle(GlassRig(code, service), lines, volts=102.0 * volts / 120 - 0.5)
        shows(rig, f"Err LU{lines[0]}", "solid", lines)
        normal(settle(GlassRig(code, service), lines, volts=102.0 * volts / 120 + 0.5))

    def test_DX_over_voltage(self, case):
        code, service, volts, _, lines = case
        rig = settle(GlassRig(code, service), lines, volts=138.0 * volts / 120 + 0.5)
        shows(rig, f"Err HU{lines[0]}", "solid", lines)
        normal(settle(GlassRig(code, service), lines, volts=138.0 * volts / 120 - 0.5))

    def test_DX_over_current(self, case):
        code, service, volts, rating, lines = case
        amps = 1.1 * rating
        rig = settle(GlassRig(code, service), lines, amps=amps + 0.5, watts=volts * amps)
        shows(rig, f"Err HC{lines[0]}", "solid", lines)
        normal(settle(GlassRig(code, service), lines, amps=amps - 0.5, watts=volts * amps))


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_DX_failure(number):
    """Bar blinks without an arrow, L1 and L2 off, F by turns with the ID (DX-2)."""
    rig = GlassRig().normal()
    rig.run(6)
    if number == 1:
        rig.two.silent = True
        rig.two.fresh = False
    elif number == 2:
        rig.one.altered = True
    else:
        rig.status.set_failure(number, True)
    rig.run(2)
    rig.reader.finish(rig.t_us)
    rig.records.clear()
    rig.run(24)
    rig.said()
    records = [r for _, r in rig.records]
    assert {r["text"] for r in records if r["screen"] == "4"} == {f"FAIL 0{number}"}
    assert all((r["bar"], r["blinking"]) == ("blink", ["id", "bar"]) for r in records)
    looks = rig.looks(2)
    lit = [look >= BAR for look in looks]
    assert lit in ([(i + k) % 4 < 2 for i in range(8)] for k in range(4))
    assert all(not look & {"L1", "L2", "LEFT", "RIGHT"} for look in looks)


def test_DX_1_reverse_on_line_1_and_low_voltage_on_line_2():
    rig = GlassRig()
    rig.normal().run(4)
    rig.one.set(watts=-500.0)
    rig.two.set(volts=95.0)
    rig.run(8)
    rig.reader.finish(rig.t_us)
    del rig.records[:-1]
    rig.run(12)
    rig.said()
    shows(rig, "Err rC1", "left", (1,))


def test_DX_1_low_current_on_one_line_switches_the_bar_off():
    rig = settle(GlassRig(), (2,), watts=0.0, amps=0.0)
    shows(rig, "", "off", (2,))
    assert {r["screen"] for _, r in rig.records} <= {"1", "2", "3"}


def test_DX_5_bar_and_symbols_are_off_until_the_first_judgement():
    rig = GlassRig(startup=True)
    rig.one.set(watts=-500.0)
    rig.two.set(volts=95.0)
    rig.run(2.1)
    rig.said()
    assert all((r["bar"], r["blinking"]) == ("off", []) for _, r in rig.records)
    rig.run(2)
    assert rig.said()["bar"] == "left"


def test_a_reader_tells_the_change_of_what_blinks_at_its_moment():
    """Errors that come and go at every phase of the blinking: each change is told once, none half-true between.

    The lines are judged in turn: one may lose its error a cycle before the other has it, or after.
    """
    for phase in range(0, 1000, 50):
        rig = GlassRig().normal()
        rig.run(6 + phase / 1000)
        rig.one.set(volts=95.0)
        rig.run(6)
        rig.one.set(volts=120.0)
        rig.two.set(volts=95.0)
        rig.run(6)
        rig.two.set(volts=120.0)
        rig.run(6)
        rig.said()
        said = []
        for _, r in rig.records:
            now = (r["bar"], tuple(r["blinking"]))
            if not said or said[-1] != now:
                said.append(now)
        both = [("solid", ("L1", "L2"))]
        none = [("right", ())]
        assert said in (
            [("off", ()), ("right", ()), ("solid", ("L1",)), *extra, ("solid", ("L2",)), ("right", ())]
            for extra in ([], both, none)
        ), phase
