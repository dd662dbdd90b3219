"""Load profiles: the CSV and the default household's day."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.cli.refused import RefusedError
from host.stimulus import profile
from host.stimulus.windows import Stimulus, watts
from openkh.model import Model

DUAL = Model("MDNCT-1SC", "60Hz")
SINGLE = Model("MSNCT-1SC", "60Hz")


def load(tmp_path, text):
    path = tmp_path / "load.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return profile.load_csv(str(path))


def test_rows_hold_until_the_next_and_nothing_flows_before_the_first(tmp_path):
    rows = load(tmp_path, "time_s,watts\n10,1200\n\n20.5,-600\n")
    segments = list(profile.csv_source(DUAL, rows, "").segments())
    assert [s.start_us for s in segments] == [0, 10_000_000, 20_500_000]
    assert segments[-1].end_us is None
    assert [sum(map(watts, s.first)) for s in segments] == pytest.approx([0, 1200, -600])
    assert segments[1].first == segments[1].last


def test_power_is_split_evenly_over_the_lines_of_the_model():
    one, two = profile.lines_of(DUAL, 1200, 1)
    assert one == pytest.approx((120, 5, 0, 0)) and two == pytest.approx((120, 5, 0, 180))
    one, two = profile.lines_of(SINGLE, 1200, 1)
    assert one.amps == pytest.approx(10) and two.amps == 0


@pytest.mark.parametrize(("pf", "sign"), [(0.5, 1), (-0.5, -1), (1, 0), (-1, 0)])
@pytest.mark.parametrize("power", [1000, -1000])
def test_the_power_factor_is_signed_and_holds_for_export_too(power, pf, sign):
    one, two = profile.lines_of(DUAL, power, pf)
    assert watts(one) + watts(two) == pytest.approx(power)
    assert one.amps * one.volts == pytest.approx(abs(500 / pf))
    reactive = one.volts * one.amps * math.sin(math.radians(one.degrees))
    assert reactive == pytest.approx(sign * 500 * math.sqrt(3), abs=1e-6)


BAD = [
    ("", ":1: no rows"),
    ("time_s,watts\n", ":1: no rows"),
    ("1,2\n", ":1: the first line must be time_s,watts or time_s,watts,power_factor"),
    ("time_s;watts\n", ":1: the first line must be"),
    ("time_s,watts\n1\n", ":2: 1 values where time_s,watts are 2"),
    ("time_s,watts\n1,2,3\n", ":2: 3 values where time_s,watts are 2"),
    ("time_s,watts\n0,1\n\n5,x\n", ':4: watts is "x"; allowed: a number'),
    ("time_s,watts\n0,nan\n", ':2: watts is "nan"; allowed: a number'),
    ("time_s,watts\n0,inf\n", ':2: watts is "inf"; allowed: a number'),
    ("time_s,watts\n0,1_000\n", ':2: watts is "1_000"; allowed: a number'),
    ("time_s,watts\n0,\n", ':2: watts is ""; allowed: a number'),
    ("time_s,watts\n0,1e400\n", ":2: watts is 1e400; allowed: -1000000 to 1000000"),
    ("time_s,watts\n-1,5\n", ":2: time_s is -1; allowed: 0 to"),
    ("time_s,watts\n5,5\n5,6\n", ":3: time_s is 5; allowed: times later than the row before"),
    ("time_s,watts,power_factor\n0,5,0\n", ":2: power_factor is 0; allowed: 0.01 to 1 (lagging)"),
    ("time_s,watts,power_factor\n0,5,1.1\n", ":2: power_factor is 1.1; allowed"),
    ("time_s,watts\n0,5\n1,\x00\n", ":3: "),
    ('time_s,watts\n0,"5\n', ":2: "),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=[b[1][:40] for b in BAD])
def test_a_malformed_row_is_refused_with_its_line_number(tmp_path, text, said):
    with pytest.raises(RefusedError) as caught:
        load(tmp_path, text)
    assert f"load.csv{said}" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(RefusedError, match="cannot be read"):
            profile.load_csv(str(path))
    with pytest.raises(RefusedError, match="not a UTF-8"):
        load(tmp_path, b"time_s,watts\n0,\xff\n")


def test_spreadsheets_spelling_is_taken(tmp_path):
    assert load(tmp_path, "\ufefftime_s, watts\r\n0, +5.5\r\n1,.5e1\r\n") == [(0, 5.5, 1.0), (1_000_000, 5.0, 1.0)]


@given(
    st.one_of(st.binary(max_size=60), st.text(st.sampled_from('time_s,watts\n\r"0123456789.-e,pfx \x00'), max_size=80))
)
def test_no_file_brings_it_down(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    for head in (b"", b"time_s,watts\n", b"time_s,watts,power_factor\n"):
        try:
            rows = load(folder, head + (data if isinstance(data, bytes) else data.encode()))
        except RefusedError as e:
            assert "\n" not in str(e)
        else:
            assert rows and list(profile.csv_source(DUAL, rows, "").segments())


@pytest.mark.parametrize(("model", "kwh"), [(DUAL, (30, 36)), (Model("MSNCT-1SC", "50Hz"), (10, 12))])
def test_the_default_is_a_plausible_day_of_a_household(model, kwh):
    source = profile.household_source(model)
    assert source.end_s == 86_400
    quarters = list(itertools.islice(source.segments(), 96))
    powers = [sum(watts(line) for line in s.first[: model.elements]) for s in quarters]
    assert kwh[0] < sum(powers) / 4000 < kwh[1]
    assert min(powers) == min(powers[:24]), "least in the small hours"
    assert powers.index(max(powers)) in range(68, 84), "most in the evening"
    stimulus = Stimulus(model, source)
    stimulus.window(86_400_000_000)
    assert stimulus.truth.net.delivered_ws / 3.6e6 == pytest.approx(sum(powers) / 4000, rel=1e-12)


def test_the_default_goes_on_after_the_day():
    segments = itertools.islice(profile.household_source(DUAL).segments(), 366 * 96)
    before = None
    for number, segment in enumerate(segments):
        assert segment.start_us == number * 900_000_000
        assert before is None or before.end_us == segment.start_us
        before = segment
