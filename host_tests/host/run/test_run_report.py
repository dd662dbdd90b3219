"""The report of a run: what JSON and page say, and what makes up the difference between register and true energy."""

import json
import os
import re
import shutil
from decimal import Decimal

import pytest
from fake_engine import FakeEngine

from host.run import command as run
from host.run import headless, readings, report
from host.sim import link
from host.sim.history import COLUMNS, MOST_ROWS, History, rise_wh
from host.sim.session import Session, Setup
from host.stimulus import scenario
from host.stimulus.profiles import profile
from host.stimulus.profiles.profile import Profile, Span
from host.stimulus.windows import Stimulus
from openkh.model import Model

DUAL = Model("MDNCT-1SC", "60Hz")


@pytest.fixture
def ideal(monkeypatch):
    """An ideal meter in place of the engine."""
    monkeypatch.setattr(link, "Link", FakeEngine)


@pytest.fixture
def load(tmp_path):
    path = tmp_path / "load.csv"
    path.write_text("time_s,watts\n0,1200\n1000,2400\n2000,-600\n3000,0\n")
    return str(path)


@pytest.mark.usefixtures("ideal")
def test_json_says_what_was_run(tmp_path, load):
    path = tmp_path / "r.json"
    assert run.main(["--headless", "--load", load, "--report", str(path)]) == 0
    said = json.loads(path.read_text())
    assert said["identity"] == {"serial": "000000000042", "date": "260131"} and said["revision"] == "0.10"
    assert said["seed"] == 1
    assert said["input"]["what"] == f"load profile {load}" and said["input"]["kind"].startswith("table")
    assert [(i["from_s"], i["to_s"]) for i in said["intervals"]] == [(0, 900), (900, 1800), (1800, 2700), (2700, 3000)]
    for name in ("delivered_wh", "received_wh"):
        total = sum(float(i[name]) for i in said["intervals"])
        assert total == pytest.approx(float(said["register"][name]), abs=1e-9)
    rows = [line for line in path.read_text().splitlines() if line.startswith('  {"t_s"')]
    assert len(rows) == len(said["lcd"]) + len(said["events"]), "a row for each change"


@pytest.mark.parametrize(("speed", "fine"), [(None, True), (31.7, False)])
def test_interval_data_are_of_quarters_whatever_the_steps(monkeypatch, speed, fine):
    """Those of a plotted run are 1.3 s long, those of a paced one a fifth of a second of the wall."""
    monkeypatch.setattr(headless.time, "sleep", lambda _s: None)
    source = profile.source(DUAL, Profile("", [Span(0, 1, (2400.0,))], values=1), "2400 W")
    session = Session(Setup(DUAL, source), FakeEngine)
    headless.run(session, 1_320_000_000, speed, fine)
    found = session.report()["intervals"]
    assert [(i["from_s"], i["to_s"]) for i in found] == [(0, 900), (900, 1320)]
    for interval in found:
        assert float(interval["delivered_wh"]) == pytest.approx(
            (interval["to_s"] - interval["from_s"]) * 2 / 3, abs=1e-5
        )


@pytest.mark.usefixtures("ideal")
@pytest.mark.parametrize("name", ["r.json", "r.html"])
def test_an_input_whose_name_is_no_utf_8_is_in_the_report(tmp_path, load, name):
    odd = os.path.join(os.fsencode(tmp_path), b"caf\xe9.csv")
    shutil.copy(load, odd)
    path = tmp_path / name
    assert run.main(["--headless", "--load", os.fsdecode(odd), "--for", "10s", "--report", str(path)]) == 0
    assert r"caf\udce9.csv" in path.read_text(encoding="utf-8")


@pytest.mark.usefixtures("ideal")
def test_a_dash_is_standard_output(load, capsys):
    assert run.main(["--headless", "--load", load, "--for", "10s", "--report", "-"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["simulated_s"] == 10
    assert "simulated     00:00:10" in err


def page(tmp_path, load):
    path = tmp_path / "r.html"
    assert run.main(["--headless", "--load", load, "--report", str(path)]) == 0
    return path


@pytest.mark.usefixtures("ideal")
def test_the_page_holds_all_in_one_file(tmp_path, load):
    text = page(tmp_path, load).read_text()
    assert not re.search(r"(src|href)=|url\((?!#)|@import", text.split("<script")[0]), "nothing is fetched"
    for said in (
        "000000000042",
        "0.10",
        load,
        "register",
        "Interval data",
        "Event log",
        "What the glass said",
        "power up",
    ):
        assert said in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    assert data["columns"] == list(COLUMNS) and data["rows"][-1][0] == 3000
    assert data["rows"][0][1:3] == [600, 600] and data["rows"][-1][1:3] == [-300, -300]


@pytest.mark.usefixtures("ideal")
def test_names_from_files_are_text_on_the_page(tmp_path):
    path = tmp_path / "a<script>alert(1)</script>.csv".replace("/", "_")
    path.write_text("time_s,watts\n0,1200\n9,0\n")
    text = page(tmp_path, str(path)).read_text()
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text


@pytest.mark.usefixtures("ideal")
def test_plots_are_drawn_and_zoomed(tmp_path, load):
    """In a browser: as many plots as there are, a drag looks closer, a double click shows the whole run."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no browser: install the package chromium to run this test")
    from playwright.sync_api import sync_playwright

    path = page(tmp_path, load)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        shown = browser.new_page()
        errors = []
        shown.on("pageerror", lambda error: errors.append(str(error)))
        shown.goto(path.as_uri())
        plots = shown.locator("#plots svg")
        assert plots.count() == 6
        plots.first.scroll_into_view_if_needed()
        labels = plots.first.locator("text")
        whole = labels.all_text_contents()
        box = plots.first.bounding_box()
        shown.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
        shown.mouse.down()
        shown.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=3)
        shown.mouse.up()
        assert labels.all_text_contents() != whole
        assert "W; register" in shown.locator("#cursor").text_content()
        plots.first.dblclick(position={"x": box["width"] / 2, "y": 60})
        assert labels.all_text_contents() == whole
        assert errors == []
        browser.close()


def test_the_difference_is_told_apart():
    """Lost while the front ends started, under way at the end, and the error of what was metered."""
    source = profile.source(DUAL, Profile("", [Span(0, 1, (2400.0,))], values=1), "2400 W")
    session = Session(Setup(DUAL, source), link.Link)
    session.advance(9_950_000)
    found = session.report()
    session.close()
    parts = found["difference"]
    lost_wh = sum(1200 * chip["gap_s"] / 3600 for chip in found["counted"])
    assert 0 < lost_wh == pytest.approx(-parts["not_measured_wh"], abs=1e-6)
    assert -0.1 * 2400 / 3600 <= parts["under_way_wh"] <= 0
    assert abs(parts["metering_percent"]) < 0.01
    whole = parts["not_measured_wh"] + parts["under_way_wh"] + parts["metering_wh"]
    true_wh = found["true"]["delivered_wh"]
    assert whole == pytest.approx(float(found["register"]["delivered_wh"]) - true_wh, abs=3e-6)
    text = headless.summary(found, source, 0.0)
    assert re.search(r"not measured -0\.\d+ Wh \(front ends starting or reset for 0\.\d+ s\)", text)
    assert re.search(r"metering     [+-]0\.\d+ Wh, error [+-]0\.00\d\d %", text)


CUT = """[[step]]
at = 0
l1 = {amps = 10}
l2 = {amps = 10}
[[step]]
at = 80
%s
[[step]]
at = 90
%s
[[step]]
at = %s
l1 = {amps = 100}
l2 = {amps = 100}
[[step]]
at = 120
"""
GONE = ("power = false", "power = true")
LOW = ("l1 = {volts = 0.0}", "l1 = {volts = 120.0}")
RAMP = ('fault = {part = "chip1", kind = "reset"}', "ramp = true\nl1 = {amps = 90}")
RESET = ("load12v_ma = 5", 'fault = {part = "chip1", kind = "reset"}')


@pytest.mark.parametrize("fine", [False, True], ids=["a minute", "plotted"])
@pytest.mark.parametrize(
    ("kinds", "again_s"),
    [(GONE, 100), (GONE, 93), (LOW, 93), (RESET, 91), (RAMP, 91)],
    ids=["late", "soon", "low", "reset", "ramp"],
)
def test_what_flowed_unmeasured_is_told_by_the_load_of_that_time(kinds, again_s, fine):
    """A cut and a change of the load in one step, and the meter was said to be 0.5 % wrong."""
    plan = scenario.parse(CUT % (*kinds, again_s), "cut")
    session = Session(Setup(DUAL, plan.source(DUAL)), link.Link)
    headless.run(session, 120_000_000, None, fine)
    found = session.report()
    session.close()
    assert sum(chip["gap_s"] for chip in found["counted"]) > 0.3
    assert found["difference"]["not_measured_wh"] < -0.1
    assert abs(found["difference"]["metering_percent"]) < 0.01


def steps_of(session, duration_us):
    """Into how many steps a run would be cut."""
    count = 0
    while session.now_us < duration_us:
        session.stimulus.window(session.stop_us(session.now_us + headless.WINDOW_US))
        count += 1
    return count


def test_a_long_profile_makes_no_more_steps():
    """Of values each second the steps are short only where front ends may start."""
    spans = [Span(n * 10**6, (n + 1) * 10**6, (float(n % 7),)) for n in range(3600)]
    source = profile.source(DUAL, Profile("", spans, values=3600), "")
    assert steps_of(Session(Setup(DUAL, source), FakeEngine), 3_600_000_000) < 60 + 12
    source.events.append(["power", 1_000_000_000, 0])
    assert 12 + 10 < steps_of(Session(Setup(DUAL, source), FakeEngine), 3_600_000_000) < 60 + 12 + 13


def test_EN_3_what_a_run_adds_is_told_over_the_roll_over_too():
    source = profile.source(DUAL, Profile("", [Span(0, 1, (24_000.0,))], values=1), "24 kW")
    session = Session(Setup(DUAL, source, board={"start_delivered_wh": 999_999_990}), link.Link)
    headless.run(session, 960_000_000, None)
    found = session.report()
    session.close()
    assert float(found["register"]["delivered_wh"]) < 6400
    assert abs(found["difference"]["under_way_wh"]) < 1
    assert [float(i["delivered_wh"]) for i in found["intervals"]] == [pytest.approx(6000, abs=3), pytest.approx(400)]
    rows = [row[COLUMNS.index("register_wh")] for row in session.history.rows]
    assert rows == sorted(rows) and rows[-1] == pytest.approx(6400, abs=3)
    seen = readings.energy(session, session.snap).plain
    assert re.search(r"true +6390\.0000", seen)


def test_a_register_that_a_cut_has_taken_back_has_fallen():
    assert rise_wh("400.485593", "485.152281") == Decimal("-84.666688")
    assert rise_wh("3.250000", "999999990.000001") == Decimal("13.249999")


def test_history_stays_small_and_keeps_the_energy():
    source = profile.source(
        DUAL, Profile("", [Span(0, 10**9, (1200.0,)), Span(10**9, 2 * 10**9, (0.0,))], values=2), ""
    )
    stimulus, history = Stimulus(DUAL, source), History(DUAL, source)
    snap = {**FakeEngine("", {"model": "MDNCT-1SC"}).snap(), "delivered": "0", "received": "0"}
    for n in range(1, 3 * MOST_ROWS):
        stimulus.window(n * 200_000)
        history.add(stimulus, snap, n)
    assert MOST_ROWS / 2 <= len(history.rows) <= MOST_ROWS
    times = [0.0, *(row[0] for row in history.rows)]
    energy_ws = sum((b - a) * (row[1] + row[2]) for a, b, row in zip(times, times[1:], history.rows))
    assert energy_ws == pytest.approx(1200 * min(times[-1], 1000), rel=1e-6)


def test_a_step_of_a_plotted_run():
    assert [headless.window_us(s * 10**6, True) for s in (5, 300, 86_400, 864_000)] == [
        100_000,
        300_000,
        60_000_000,
        60_000_000,
    ]
    assert headless.window_us(5 * 10**6, False) == headless.WINDOW_US
    assert report.is_page("a.HTML") and not report.is_page("-")
