"""Scenario files: what is taken, what is refused and in which words."""

import re
import string
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boards.virtual import faults as board_faults
from host.cli.refused import RefusedError
from host.stimulus import faults, keys, kinds, scenario
from openkh.model import Model

EXAMPLE = """\
model = "MDNCT-1SC"          # optional, as --model
service = "60Hz"
seed = 7

[board]
ct1 = {ratio_percent = 0.3, phase_minutes = 20.0}
ct2 = {}
chip1 = {v_gain_percent = 1.5, i_gain_percent = -0.8, noise = true}
chip2 = {}
memory = "fram"
display = "pcf85176"
holdup_ms = 80.0
counter_ma = 8.0
start_delivered_wh = 0
seal = "open"

[[step]]
at = 0.0
l1 = {volts = 120.0, amps = 10.0, degrees = 0.0}
l2 = {volts = 120.0, amps = 5.0, degrees = 60.0, volts_degrees = 180.0}
hz = 60.0

[[step]]
at = 60.0
ramp = true
l1 = {amps = 20.0}
[[step]]
at = 120.0
power = false
[[step]]
at = 130.0
fault = {part = "chip1", kind = "bit_error", rate = 1e-5, for_s = 10.0}
[[step]]
at = 150.0
load12v_ma = 60.0
"""


def refused(text):
    with pytest.raises(RefusedError) as caught:
        scenario.parse(text, "storm.toml")
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith("scenario storm.toml")
    return said


def test_the_example_of_the_interface():
    plan = scenario.parse(EXAMPLE, "storm.toml")
    assert (plan.model, plan.service, plan.seed) == ("MDNCT-1SC", "60Hz", 7)
    assert plan.board["chip1"] == {"v_gain_percent": 1.5, "i_gain_percent": -0.8, "noise": True}
    assert plan.end_s == 150
    assert plan.events() == [
        ["power", 120_000_000, 0],
        ["fault", 130_000_000, "chip1", "bit_error", {"rate": 1e-5}, 10_000_000],
        ["load12v", 150_000_000, 60.0],
    ]


def test_steps_hold_what_they_do_not_name():
    source = scenario.parse(EXAMPLE, "").source(Model("MDNCT-1SC", "60Hz"))
    segments = list(source.segments())
    assert [s.start_us for s in segments] == [0, 60_000_000, 120_000_000, 130_000_000, 150_000_000]
    assert segments[0].first[0].amps == 10 and segments[0].last[0].amps == 20
    assert segments[1].first == segments[1].last == segments[-1].last
    assert segments[-1].first[0] == (120.0, 20.0, 0.0, 0.0)
    assert segments[-1].first[1] == (120.0, 5.0, 60.0, 180.0)


@pytest.mark.parametrize(("code", "service", "volts"), [("MDNCT-1SC", "60Hz", 120), ("MSNCT-1SC", "50Hz", 240)])
def test_what_no_step_names_is_nominal_and_without_current(code, service, volts):
    source = scenario.parse("[[step]]\nat = 5\nl1 = {amps = 3}", "").source(Model(code, service))
    one, two = list(source.segments())
    assert one.first[0] == (volts, 0, 0, 0) and one.first_hz == int(service[:2])
    assert two.first[0] == (volts, 3, 0, 0) and two.first[1].amps == 0


def test_defaults_of_a_file_that_says_nothing():
    plan = scenario.parse("", "")
    assert plan.seed == 1 and plan.model is None and plan.end_s is None
    assert plan.board["memory"] == "fram" and plan.board["display"] == "pcf85176" and plan.board["seal"] == "open"
    assert len(list(plan.source(Model("MDNCT-1SC", "60Hz")).segments())) == 1


BAD = [
    ("colour = 1", ":1: colour: unknown key; allowed: model, service, seed, board, step"),
    ("[board]\nct3 = {}", ":2: board.ct3: unknown key; allowed: ct1, ct2"),
    ("[board]\n\nct1 = {ratio = 1}", ":3: board.ct1.ratio: unknown key; allowed: ratio_percent, phase_minutes"),
    ("[board.ct1]\nratio = 1", ":2: board.ct1.ratio: unknown key"),
    ("[board]\nct1 = 0.3", ":2: board.ct1: is 0.3; allowed: a table {...} with ratio_percent"),
    ('[board]\nmemory = "eeprom"', ':2: board.memory: is "eeprom"; allowed: "fram" or "flash"'),
    ("[board]\nchip1 = {noise = 1}", ":2: board.chip1.noise: is 1; allowed: true or false"),
    ("[board]\nstart_delivered_wh = 1.5", "start_delivered_wh: is 1.5; allowed: a whole number from 0 to 999999999"),
    ("[board]\nholdup_ms = -1", "holdup_ms: is -1; allowed: a number from 0 to 60000"),
    ("seed = 1.5", ":1: seed: is 1.5; allowed: a whole number"),
    ("seed = true", ":1: seed: is true; allowed: a whole number"),
    ("service = '55Hz'", ':1: service: is "55Hz"; allowed: "60Hz" or "50Hz"'),
    ("model = 5", ":1: model: is 5; allowed: a text in quotes"),
    ("[step]\nat = 1", ":1: step: wrong type; allowed: steps, each under its own line [[step]]"),
    ("step = 3", ":1: step: wrong type; allowed: steps, each under its own line [[step]]"),
    ("[[step]]\nl1 = {amps = 1}", ":1: step 1: has no time; allowed: at = simulated seconds"),
    ("[[step]]\nat = -1", ":2: step 1, at: is -1; allowed: a number from 0"),
    ("[[step]]\nat = nan", ":2: step 1, at: is nan; allowed: a number from 0"),
    ("[[step]]\nat = '1'", ':2: step 1, at: is "1"; allowed: a number'),
    ("[[step]]\nat = 1979-05-27", ":2: step 1, at: is 1979-05-27; allowed: a number"),
    ("[[step]]\nat = 5\n[[step]]\nat = 4", ":4: step 2, at: 4 s is out of order; allowed: steps in order of time"),
    ("[[step]]\nat = 0\nramp = true", ":2: step 1, at: a ramp to 0 s has no time; allowed: a ramp that ends later"),
    ("[[step]]\nat = 1\nramp = 1", ":3: step 1, ramp: is 1; allowed: true or false"),
    ("[[step]]\nat = 1\nl1 = {amps = -1}", ":3: step 1, l1.amps: is -1; allowed: a number from 0 to 10000"),
    ("[[step]]\nat = 1\n[step.l1]\namp = 1", ":4: step 1, l1.amp: unknown key; allowed: volts, amps, degrees"),
    ("[[step]]\nat = 1\nl1.amp = 1", ":3: step 1, l1.amp: unknown key; allowed: volts, amps, degrees"),
    ("[[step]]\nat = 1\n\nl3 = {}", ":4: step 1, l3: unknown key; allowed: at, ramp, l1, l2, hz, power, fault"),
    ("[[step]]\nat = 1\nl1 = 3", ":3: step 1, l1: is 3; allowed: a table"),
    ("[[step]]\nat = 1\nhz = 600", ":3: step 1, hz: is 600; allowed: a number from 40 to 70"),
    ("[[step]]\nat = 1\npower = 'off'", ':3: step 1, power: is "off"; allowed: true or false'),
    ("[[step]]\nat = 1\nload12v_ma = [1]", ":3: step 1, load12v_ma: is a list; allowed: a number"),
    ("[[step]]\nat = 1\nfault = 1", ":3: step 1, fault: wrong type; allowed: a table"),
    ("[[step]]\nat = 1\nfault = {kind = 'reset'}", ":3: step 1, fault.part: is missing; allowed: chip1, chip2, lcd"),
    ("[[step]]\nat = 1\nfault = {part = []}", ":3: step 1, fault.part: is a list; allowed: chip1"),
    ("[[step]]\nat = 1\nfault = {part = 'lcd'}", ":3: step 1, fault.kind: is missing; allowed: silent, corrupt"),
    (
        "[[step]]\nat = 1\nfault = {part = 'lcd', kind = 'hang'}",
        ':3: step 1, fault.kind: is "hang"; allowed: silent, corrupt',
    ),
    (
        "[[step]]\nat = 1\nfault = {part = 'chip1', kind = 'bit_error'}",
        ":3: step 1, fault: chip1 bit_error does not name rate",
    ),
    (
        "[[step]]\nat = 1\nfault = {part = 'chip1', kind = 'bit_error', rate = 2}",
        ":3: step 1, fault.rate: is 2; allowed: a number from 0 to 1",
    ),
    (
        "[[step]]\nat = 1\nfault = {part = 'chip1', kind = 'reset', rate = 0.1}",
        ":3: step 1, fault.rate: unknown key; allowed: part, kind, for_s",
    ),
    *(
        (
            f"[[step]]\nat = 1\nfault = {{part = 'chip1', kind = 'register', address = {address}, value = 1}}",
            f":3: step 1, fault.address: is {said}; allowed: registers that the chip stores, 0x000 to 0x001, 0x004, ",
        )
        for address, said in {"0xFFF": "0xFFF", "0x31E": "0x31E", "0x37F": "0x37F", "270": "0x10E", "-1": "-1"}.items()
    ),
    (
        "[[step]]\nat = 1\nfault = {part = 'chip1', kind = 'register', address = true, value = 1}",
        ":3: step 1, fault.address: is true; allowed: a whole number such as 0x282",
    ),
    ("a = 1\nb = [", ":2: not valid TOML: "),
    ("a = ", ": not valid TOML: "),
    ("a = 1\na = 2", "not valid TOML: Cannot overwrite a value"),
    ("seed = " + "9" * 5000, "not valid TOML: "),
    ("seed = " + "9" * 300, "seed: is a number of very many digits; allowed: a whole number"),
    ("a = " + "[" * 100_000, "not valid TOML: "),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=lambda p: p[:40] if len(p) < 500 else "long")
def test_refused_with_line_key_and_what_is_allowed(text, said):
    assert said in refused(text)


def test_every_fault_of_the_interface_is_taken():
    for part, rows in faults.PARTS.items():
        for kind, needs in rows.items():
            halves = {key for key, spec in needs.items() if isinstance(spec, kinds.Number) and not spec.whole}
            more = "".join(f", {key} = {0.5 if key in halves else 1}" for key in needs)
            text = f'[[step]]\nat = 1\nfault = {{part = "{part}", kind = "{kind}"{more}, for_s = 2}}'
            assert scenario.parse(text, "").events()[0][:4] == ["fault", 1_000_000, part, kind]


def test_the_virtual_board_has_the_same_faults():
    assert {part: set(kinds) for part, kinds in board_faults.PARTS.items()} == {
        part: set(rows) for part, rows in faults.PARTS.items()
    }


def test_the_guide_names_every_fault():
    page = (Path(__file__).resolve().parents[3] / "docs" / "run.md").read_text()
    told = {}
    for parts, names in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (`.*) \|$", page, re.M):
        for part in re.findall(r"`(\w+)`", parts):
            told[part] = set(re.findall(r"`(\w+)`", names))
    for part, rows in faults.PARTS.items():
        named = set(rows).union(*rows.values())
        assert named == told.get(part), f"docs/run.md, faults of {part}"


def test_a_register_may_go_by_either_of_its_addresses():
    for address in (0x282, 0x382):
        fault = f'fault = {{part = "chip2", kind = "register", address = {address}, value = 5}}'
        assert scenario.parse("[[step]]\nat = 1\n" + fault, "").events()[0][4] == {"address": address, "value": 5}


def test_a_file_without_end_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("host.cli.refused.MOST_MB", 1)
    (tmp_path / "long.toml").write_text("#" * 1_000_001)
    for path in (tmp_path / "long.toml", "/dev/zero"):
        with pytest.raises(RefusedError, match="too long: allowed: 1 MB"):
            scenario.load(str(path))


def test_an_unreadable_file(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b'model = "\xff"')
    for path, said in (
        (tmp_path / "missing.toml", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "latin.toml", "not a UTF-8 text file (byte 9)"),
    ):
        with pytest.raises(RefusedError, match="scenario .*" + said.replace("(", r"\(").replace(")", r"\)")):
            scenario.load(str(path))


WORDS = st.sampled_from(
    (*keys.TOP.keys, *keys.STEP.keys, *keys.BOARD.keys, *keys.LINE.keys, *keys.CHIP.keys)
    + ("step", "part", "kind", "rate", "for_s", "address", "value", "ma", "ms", "ratio_percent")
)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(["fram", "chip1", "chip2", "bit_error", "register", "cpu", "stall", "silent", "50Hz", "MDNCT-1SC"]),
    st.text(string.printable, max_size=5),
)


def toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\u{ord(c):04x}" for c in value) + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value)


VALUES = st.recursive(SCALARS, lambda inner: st.one_of(st.dictionaries(WORDS, inner), st.lists(inner, max_size=3)))
TABLES = st.dictionaries(WORDS, VALUES, max_size=6)


def used_or_refused(text):
    """Never anything but a scenario that can be driven, or one line."""
    try:
        plan = scenario.parse(text, "f.toml")
    except RefusedError as e:
        assert "\n" not in str(e) and str(e).isprintable()
        return
    source = plan.source(Model("MDNCT-1SC", "60Hz"))
    assert list(source.segments())
    plan.events()


@given(TABLES, st.lists(TABLES, max_size=3))
def test_no_values_bring_it_down(top, steps):
    text = "\n".join(f"{k} = {toml(v)}" for k, v in top.items() if k != "step")
    for step in steps:
        text += "\n[[step]]\n" + "\n".join(f"{k} = {toml(v)}" for k, v in step.items())
    tomllib.loads(text)
    used_or_refused(text)


@given(st.one_of(st.text(max_size=80), st.text(st.sampled_from(EXAMPLE + "[]{}='\"#"), max_size=120)))
def test_no_text_brings_it_down(text):
    used_or_refused(text)


@given(st.integers(0, len(EXAMPLE)), st.integers(0, 40), st.text(st.sampled_from("[]{}=\"'.,0-ae\n#"), max_size=4))
def test_no_slip_of_the_pen_brings_it_down(at, gone, put):
    used_or_refused(EXAMPLE[:at] + put + EXAMPLE[at + gone :])
