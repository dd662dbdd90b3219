"""The verification: limits, what it finds, its report; and random boards calibrated and verified (ID-4)."""

import re
import xml.etree.ElementTree
from html.parser import HTMLParser

import pytest
from fake_meter import FakeMeter

from host.calibration import command as calibrate
from host.calibration import raw_boards
from host.calibration.bench_source import Reading
from host.calibration.line_model import Errors
from host.campaigns.accuracy import boards as accuracy
from host.cli.refused import RefusedError
from host.cli.status import DONE, UNUSABLE, begun, reported, writing
from host.sim.memory import write_whole
from host.verification import command as verify
from host.verification import points, report
from host.verification.points import LAG, LEAD, PF1, limit_of
from host.verification.verifier import Scope, Verdict, Verifier
from host_tests.host.here import Here

SHORT = Scope(no_load_s=20.0, repeat_s=3.0, seconds=0.2)


def verified(meter: FakeMeter, **scope: object) -> Verdict:
    return Verifier(meter, meter, scope=Scope(no_load_s=60.0, repeat_s=60.0, **scope)).run()


def failed(meter: FakeMeter) -> set[str]:
    return {row.group if row.group != "other" else row.key for row in verified(meter).failed}


# -- points and limits -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "degrees", "limit"),
    [
        (0.01, PF1, 1.0),
        (0.02, PF1, 0.5),
        (1.1, PF1, 0.5),
        (0.01, LAG, None),
        (0.02, LAG, 1.0),
        (0.05, LAG, 1.0),
        (0.1, LAG, 0.6),
        (1.1, LAG, 0.6),
        (0.1, LEAD, 0.6),
        (1.1, LEAD, 0.6),
    ],
)
def test_ID_4_limits_are_those_of_the_system_with_ct(part, degrees, limit):
    assert limit_of(part, degrees) == limit


def test_ID_4_the_points_are_there():
    plan = points.points(2, waveforms=True)
    for degrees in (PF1, LAG, LEAD):
        loads = {p.part for p in plan if p.group == "load" and p.degrees == degrees}
        assert {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.1} <= loads
    assert {p.volts for p in plan if p.group == "voltage"} == {0.9, 1.1}
    assert {p.hz for p in plan if p.group == "frequency"} == {0.98, 1.02}
    assert {p.alone for p in plan if p.group == "elements"} == {1, 2}
    assert {p.wave for p in plan if p.group == "waveform"} == set(points.WAVES)
    keys = [p.key for p in plan]
    assert len(set(keys)) == len(keys)
    assert all(p.against in keys[: keys.index(p.key)] for p in plan if p.against)  # the base comes first
    assert not any(p.alone for p in points.points(1, waveforms=True))  # ID-3


# -- what it finds ---------------------------------------------------------------------------------------------------


def test_ID_4_a_right_meter_passes():
    verdict = verified(FakeMeter())
    assert verdict.word == "PASS" and verdict.passed and not verdict.failed


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"errors": (Errors(gain=0.0055), Errors())}, {"load"}),
        ({"errors": (Errors(), Errors(gain=-0.0055))}, {"load"}),
        ({"errors": (Errors(lead=0.25), Errors())}, {"load"}),
        ({"errors": (Errors(offset_w=1.5), Errors())}, {"load", "starting"}),
        ({"of_volts": 0.03}, {"voltage"}),
        ({"of_hz": 0.12}, {"frequency"}),
        ({"coupling": 0.003}, {"elements"}),
        ({"creep": 1}, {"no-load"}),
        ({"creep": -1}, {"no-load"}),
        ({"starts": False}, {"starting", "first-output"}),
        ({"drift_percent": 0.02}, {"repeatability"}),
    ],
)
def test_ID_4_EN_5_each_fault_of_a_meter_is_found_by_its_own_test(changes, where):
    of_construction = {key: changes[key] for key in ("errors", "drift_percent") if key in changes}
    meter = FakeMeter(**of_construction)
    for key, value in changes.items():
        if key not in of_construction:
            setattr(meter, key, value)
    found = failed(meter)
    assert where <= found
    if "drift_percent" not in changes:  # a meter that drifts on and on fails elsewhere too
        assert found == where


def test_a_failed_verification_may_stop_at_once_and_is_no_pass():
    meter = FakeMeter((Errors(gain=0.05), Errors()))
    verdict = verified(meter, first_failure=True)
    assert meter.windows == 1
    assert verdict.word == "FAIL" and not verdict.complete


def test_split_cores_are_reported_not_judged():
    verdict = verified(FakeMeter((Errors(gain=0.05), Errors()), code="MDNCT-1SP"))
    assert verdict.word == "REPORTED, NOT JUDGED"
    assert not verdict.failed and not verdict.passed
    assert "not judged" in report.page(verdict, "260131")


def test_a_reference_of_nothing_is_refused():
    meter = FakeMeter()
    meter.forged["pf1-1", 1] = Reading(120.0, 1.0, 0.0)
    with pytest.raises(RefusedError, match="line 1: reference 0 W: the load must draw power"):
        verified(meter)


# -- report ----------------------------------------------------------------------------------------------------------


class _Balanced(HTMLParser):
    """Every element that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            assert name not in ("src", "onload") and (name != "href" or value[0] == "#"), f"{tag} {name}={value}"
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_report_is_one_file_with_everything_in_it():
    meter = FakeMeter((Errors(gain=0.0055), Errors()))
    page = report.page(verified(meter), "260131")
    parser = _Balanced()
    parser.feed(page)
    assert not parser.open
    assert "http" not in page and "@import" not in page and not re.search(r"url\((?!#)", page)
    assert "2026-01-31" in page and "ab" * 32 in page and "0.10" in page and "FAIL" in page
    assert "<b>42</b>" not in page and "&lt;b&gt;42" in page  # what the meter says is text, not markup
    pictures = re.findall(r"<svg.*?</svg>", page, re.S)
    assert len(pictures) == 3
    for picture in pictures:
        root = xml.etree.ElementTree.fromstring(picture)
        names = [group.get("id", "") for group in root.iter("g")]
        assert len([name for name in names if "-band-" in name]) == 2  # class 0.5 and class 0.2
        assert len([name for name in names if "-curve-" in name]) == 2  # both lines
        assert {"line 1", "line 2"} <= {text.text for text in root.iter("text")}
    assert page.count('class="bad"') + page.count(' bad"') >= 5
    assert "never calibrated" in page


# -- whole boards ----------------------------------------------------------------------------------------------------


def test_random_boards_repeat_and_keep_to_their_tolerances():
    assert raw_boards.board(7) == raw_boards.board(7) != raw_boards.board(8)
    for seed in range(300):
        for line in "12":
            made = raw_boards.board(seed)
            chip, ct = made["chip" + line], made["ct" + line]
            assert abs(chip["v_gain_percent"]) <= 5 and abs(chip["i_gain_percent"]) <= 3 and chip["noise"]
            for percent, ratio, minutes in ct["table"]:
                if percent >= 1:
                    allowed = (0.4, 30.0) if percent < 5 else (0.2, 15.0)  # class 0.2, change with current
                    assert abs(ratio) <= allowed[0] and abs(minutes) <= allowed[1]


def test_boards_whose_parts_cancel_are_told_from_the_others():
    """Of 200 raw boards two are in class by chance; a verification that passes any other one would be no good."""
    lucky = [n for n in range(1, 201) if raw_boards.in_class_by_chance(raw_boards.board(n), 2 if n % 4 < 2 else 1)]
    assert lucky == [18, 126]
    perfect = {"ratio_percent": 0.0, "phase_minutes": 0.0, "table": [[1.0, 0.0, 0.0], [100.0, 0.0, 0.0]]}
    chip = {"v_gain_percent": 0.0, "i_gain_percent": 0.0, "phase_minutes": 0.0}
    assert raw_boards.in_class_by_chance({"ct1": perfect, "chip1": chip}, 1)
    assert not raw_boards.in_class_by_chance({"ct1": perfect, "chip1": {**chip, "i_gain_percent": 0.6}}, 1)
    assert not raw_boards.in_class_by_chance({"ct1": {**perfect, "phase_minutes": 13.0}, "chip1": chip}, 1)


def test_ID_4_CA_1_a_random_board_of_each_model():
    """As in ./scripts/bench --accuracy: raw they fail, calibrated they pass, within ten minutes of bench time."""
    count = len(accuracy.MODELS)
    results = accuracy.run(Here(), count, SHORT)
    assert accuracy.complaints(results) == []
    assert len(results) == count and {r.core for r in results} == {"solid"}
    assert len({r.model for r in results}) == count
    named = {what for what, _, _ in accuracy.rows_of(results)}
    assert {"raw boards that fail", "calibrated boards that pass"} <= named


def test_a_board_against_the_requirement_is_complained_about():
    good = accuracy.Result(1, "solid", "MDNCT-1SC", raw_failed=True, passed=True, bench_s=500.0)
    slow = accuracy.Result(2, "solid", "MDNCT-1SC", raw_failed=True, passed=True, bench_s=601.0)
    bad = accuracy.Result(3, "solid", "MDNCT-1SC", raw_failed=False, passed=False, bench_s=1.0, failures=["pf1-1"])
    odd = accuracy.Result(4, "solid", "MDNCT-1SC", raw_failed=True, passed=False, bench_s=1.0, refused="why")
    split = accuracy.Result(1, "split", "MDNCT-1SP", raw_failed=False, passed=False, bench_s=1.0)
    assert accuracy.complaints([good, split]) == []
    assert len(accuracy.complaints([slow, bad, odd])) == 4


def test_CA_1_ID_4_calibrate_then_verify_over_mpremote(tmp_path, capsys):
    state = ["--virtual", "--state", str(tmp_path / "bench"), "--date", "260131"]
    report = tmp_path / "report.html"
    assert calibrate.main([*state, "--windows", "2", "--new", "--seed", "5", "--model", "MSNCT-1SC"]) == DONE
    arguments = [*state, "--report", str(report), "--json", str(tmp_path / "f.json"), "--no-load", "30s"]
    arguments += ["--note", "caf\udce9"]  # typed in another encoding
    assert verify.main(arguments) == DONE
    said = capsys.readouterr().out
    assert "\nPASS\n" in said and "Report in" in said and "first 0.1 Wh" in said
    page = report.read_text()
    assert ">PASS<" in page and "000000000042" in page and "Shortened: no load 30 s" in page
    assert "line 2" not in page  # ID-3
    assert r"caf\udce9" in page
    assert (tmp_path / "f.json").read_text().startswith('{\n "verdict": "PASS"')


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--virtual", "--no-load", "0s"], "such as 90s"),
        (["--virtual", "--report", "/no/such/folder/r.html"], "existing folder"),
        (["--virtual", "--report", "/tmp"], "--report /tmp: cannot be written"),
        (["--virtual", "--report", "a\0b.html"], "cannot be written"),
        (["--virtual", "--report", ""], "cannot be written"),
        (["--virtual", "--json", "/tmp"], "--json /tmp: cannot be written"),
        (["--port", "/dev/null", "--report", f"/tmp/{'r' * 246}.html"], "cannot be written: name too long"),
        (["--port", "/dev/null", "--json", f"/tmp/{'r' * 252}.json"], "cannot be written: name too long"),
        (["--port", "/dev/null", "--report", f"/tmp/{'r' * 245}.html"], "no serial port, or another program"),
        (
            ["--port", "/dev/null", "--report", "/tmp/x", "--json", "/tmp/./x"],
            "--json /tmp/./x: the same file as --report",
        ),
        (["--port", "/dev/null", "--reference", "/tmp/x", "--json", "/tmp/x"], "the same file as --reference"),
        (
            ["--port", "/dev/null", "--report", "/tmp/meter.kept"],
            "readings are kept in files of that name: allowed: one without",
        ),
        (
            ["--port", "/dev/null", "--json", "/tmp/meter.kept"],
            "--json /tmp/meter.kept: readings are kept in files of that name",
        ),
        (["--virtual", "--no-load", "nan"], "such as 90s"),
        (["--port", "/dev/null", "--reference", "/dev/zero"], "too long"),
        (["--port", "/dev/null"], "no serial port, or another program"),
        (["--port", "/dev/no-such-port"], "there is no such port"),
        (["--virtual", "--port", "x"], "--port PORT"),
    ],
)
def test_unusable_arguments_end_with_one_line_and_status_2(capsys, arguments, reason):
    assert verify.main(arguments) == UNUSABLE
    said = capsys.readouterr().err
    assert reason in said and said.count("\n") == 1


def test_a_report_that_cannot_be_written_says_so_after_the_verdict(capsys):
    """A device that is full: found out only when written to."""

    @reported()
    def main(_argv):
        with begun(), writing("--report /dev/full"):
            write_whole("/dev/full", b"page")
        return DONE

    assert main([]) == UNUSABLE
    assert capsys.readouterr().err == "openkh: --report /dev/full: cannot be written: No space left on device\n"


def test_ctrl_c_gives_a_verification_up_and_ends_the_bench_mode(monkeypatch):
    meter = FakeMeter()
    read = meter.read

    def interrupted(point: str, line: int, window: int) -> Reading:
        if point == "starting":
            raise KeyboardInterrupt
        return read(point, line, window)

    monkeypatch.setattr(meter, "read", interrupted)
    monkeypatch.setattr(meter, "pulses", lambda: 0)
    with pytest.raises(KeyboardInterrupt):
        Verifier(meter, meter, scope=SHORT).run()
    assert meter.calls[-1] == "fine_pulses(0)"


def test_ID_4a_temperature_points_are_measured_and_judged_by_the_class_asked_for():
    """100 ppm/K uncorrected: 0.43 % at -20, within class 0.5 at unity and not within class 0.2."""
    found = {}
    for fine in (False, True):
        meter = FakeMeter()
        meter.tempco_ppm = 100.0
        scope = Scope(1.0, 1.0, temperatures=(-20.0, 50.0), fine=fine)
        verdict = Verifier(meter, meter, scope=scope).run()
        rows = [row for row in verdict.rows if row.group == "temperature" and row.line == 1]
        assert len(rows) == 2 * 12 and meter.celsius == 23.0
        found[fine] = {row.key for row in verdict.failed}
        cold = next(row for row in rows if row.key == "pf1-10@-20")
        assert cold.value == pytest.approx(-0.43, abs=0.01) and cold.limit == (0.25 if fine else 0.5)
        text = report.page(verdict, "260131")
        assert "Temperature, error at each load point" in text and "-20 degC, 10 % of class, PF 1.0" in text
    assert found[False] == set()
    assert {"pf1-2@-20", "pf1-100@50"} <= found[True]


@pytest.mark.parametrize("text", ["x", "-20,", "200", "nan"])
def test_unusable_temperatures_are_refused(capsys, text):
    assert verify.main(["--virtual", f"--temperatures={text}"]) == 2
    said = capsys.readouterr().err
    assert "-40 to 85" in said and said.count("\n") == 1
