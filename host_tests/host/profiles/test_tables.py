"""Load profiles as tables: the plain one of seconds and watts, and every other shape."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.cli.refused import RefusedError
from host.stimulus.profiles import cells, profile, reader
from host.stimulus.profiles.profile import Options
from host.stimulus.windows import watts
from openkh.model import Model

DUAL = Model("MDNCT-1SC", "60Hz")
SINGLE = Model("MSNCT-1SC", "60Hz")


def source(tmp_path, text, model=DUAL, **options):
    path = tmp_path / "load.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return reader.source(str(path), Options(**options), model)


def spans(text, **options):
    """(start in s, end in s, watts...) of each stretch."""
    return [(s.start_us / 1e6, s.end_us / 1e6, *s.watts) for s in reader.read(text, Options(**options)).spans]


def notes(text, **options):
    return "; ".join(profile.source(DUAL, reader.read(text, Options(**options)), "").told.lines)


def kwh(text, **options):
    return reader.read(text, Options(**options)).energy_wh()[0] / 1000


def refusal(text, **options):
    with pytest.raises(profile.ProfileError) as caught:
        profile.source(DUAL, reader.read(text, Options(**options)), "")
    return str(caught.value)


def test_rows_hold_until_the_next_and_nothing_flows_before_the_first(tmp_path):
    played = source(tmp_path, "time_s,watts\n10,1200\n\n20.5,-600\n")
    segments = list(played.segments())
    assert [s.start_us for s in segments] == [0, 10_000_000, 20_500_000, 31_000_000]
    assert segments[-1].end_us is None and played.end_s == 31
    assert [sum(map(watts, s.first)) for s in segments] == pytest.approx([0, 1200, -600, -600])
    assert segments[1].first == segments[1].last


def test_the_last_values_interval_is_not_lost(tmp_path):
    """It lasts as long as the others; a last 0 ends the file, and a lone row holds for ever."""
    for text, end_s in (
        ("time_s,watts\n0,1\n90,1\n180,1\n", 270),
        ("time_s,watts\n0,1\n90,0\n", 90),
        ("time_s,watts\n0,1\n", None),
        ("time,watts\n2025-01-01 00:00,100\n2025-01-01 00:15,0\n", 1800),
    ):
        assert source(tmp_path, text).end_s == end_s


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
    ("", ":1: no row with a time and a value"),
    ("time_s,watts\n", ":1: no row with a time and a value"),
    ("time_s,watts\n1,2\n1\n", ":3: 1 values where time_s,watts are 2"),
    ("time_s,watts\n1,2,3\n", ":2: 3 values where time_s,watts are 2"),
    ("time_s,watts\n0,1\n\n5,x\n", ':4: watts is "x"; allowed: a number'),
    ("time_s,watts\n0,1\n5,inf\n", ':3: watts is "inf"; allowed: a number'),
    ("time_s,watts\n0,1\n5,1_000\n", ':3: watts is "1_000"; allowed: a number'),
    ("time_s,watts\n0,1e400\n", ":1: no row"),
    ("time_s,watts\n0,1\n-1,5\n", ":3: time_s is -1; allowed: 0 to"),
    ("time_s,watts\n5,5\n5,6\n", ":3: the time 5 is not later than that of the row before"),
    ("time_s,watts,power_factor\n0,5,0\n", ":2: power_factor is 0; allowed: 0.01 to 1 (lagging)"),
    ("time_s,watts,power_factor\n0,5,1.1\n", ":2: power_factor is 1.1; allowed"),
    ("time,watts\n2025-01-01 00:00,1\n2025-01-0x 00:00,1\n", ':3: the time is "2025-01-0x 00:00"'),
    ("time,watts\n17356898256898400,1\n17356898256899400,1\n", ":2: time is 17356898256898400; allowed: Unix time"),
    ("time,watts\n2025-01-01 00:00,1\n2025-19-32 00:00,1\n", ": dates in no order that fits all of them"),
    ('time_s,watts\n0,5\n1,"5\n', ":3: not delimited text"),
    (
        "time,volts,hertz\n0,5,50\n",
        ": no column says that it is power or energy; name it with --map kWh=COLUMN; columns: ",
    ),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=[b[1][:40] for b in BAD])
def test_a_malformed_row_is_refused_with_its_line_number(tmp_path, text, said):
    with pytest.raises(RefusedError) as caught:
        source(tmp_path, text)
    assert f"load.csv{said}" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(RefusedError, match="cannot be read"):
            reader.source(str(path), Options(), DUAL)


def test_code_pages_do_not_matter():
    for codec in ("utf-8", "utf-8-sig", "latin-1", "utf-16"):
        assert reader.decoded("Zeit,Größe".encode(codec)) == "Zeit,Größe"


def test_spreadsheets_spelling_is_taken(tmp_path):
    del tmp_path
    assert spans("\ufefftime_s, watts\r\n0, +5.5\r\n1,.5e1\r\n".lstrip("\ufeff")) == [(0, 1, 5.5), (1, 2, 5.0)]


@given(
    st.one_of(st.binary(max_size=60), st.text(st.sampled_from('time_s,watts\n\r"0123456789.-e,pfx \x00'), max_size=80))
)
def test_no_file_brings_it_down(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    for head in (b"", b"time_s,watts\n", b"time_s,watts,power_factor\n"):
        try:
            played = source(folder, head + (data if isinstance(data, bytes) else data.encode()))
        except RefusedError as e:
            assert "\n" not in str(e)
        else:
            assert list(played.segments())


# -- columns --------------------------------------------------------------------------------------------------------


def test_columns_are_chosen_by_map():
    text = "when,house,car,volts\n" + "".join(f"2025-01-01 00:{n:02d},{n},2,230\n" for n in range(3))
    assert [w for *_, w in spans(text, mapping="W=house")] == [0, 1, 2]
    assert [w for *_, w in spans(text, mapping="kW=3")] == [2000, 2000, 2000]
    assert [w for *_, w in spans(text, mapping="Wh=car,export_Wh=house")] == [120, 60, 0]
    assert spans(text, mapping="W1=house,W2=car")[1][2:] == (1, 2)
    assert spans(text, mapping="A=car", volts=240.0)[0][2] == 480
    for mapping, said in (
        ("W=garage", "--map: no column 'garage'; columns: when, house, car, volts"),
        ("VA=house", "--map: 'VA=house'; allowed: KEY=COLUMN with the keys W, kW"),
        ("W=house,W1=car", "--map: columns of one line beside some of both"),
        ("", "--map: nothing is named"),
    ):
        assert said in refusal(text, mapping=mapping)


@pytest.mark.parametrize(
    ("header", "taken", "total"),
    [
        (
            "Energy kWh Phase A,Energy kWh Phase B",
            "Energy kWh Phase A (kWh, line 1), Energy kWh Phase B (kWh, line 2)",
            1.65,
        ),
        ("Energy kWh A,Energy kWh B", "Energy kWh A (kWh, line 1), Energy kWh B (kWh, line 2)", 1.65),
        ("Energy (A) kWh,Energy (B) kWh", "Energy (A) kWh (kWh, line 1), Energy (B) kWh (kWh, line 2)", 1.65),
        ("Power Phase A,Power Phase B", "Power Phase A (W, line 1), Power Phase B (W, line 2)", 0.0004125),
        ("Power A,Power B", "Power A (W, line 1), Power B (W, line 2)", 0.0004125),
        ("kW A,kW B", "kW A (kW, line 1), kW B (kW, line 2)", 0.4125),
        ("Phase A A,Phase B A", "Phase A A (A, line 1), Phase B A (A, line 2)", 0.0495),
        ("Current A (A),Current B (A)", "Current A (A) (A, line 1), Current B (A) (A, line 2)", 0.0495),
        ("Current A,Temperature B", "Current A (A)", 0.0225),
    ],
)
def test_a_letter_that_names_a_line_is_no_ampere(header, taken, total):
    text = f"time,{header}\n2025-01-01 00:00,.25,.30\n2025-01-01 00:15,.26,.31\n2025-01-01 00:30,.24,.29\n"
    assert f"taken: {taken};" in notes(text) + ";" and kwh(text) == pytest.approx(total)


def test_what_a_unit_might_have_meant_is_said():
    """kW given as W, W given as kW, Unix time as seconds of the run, a column without a unit."""
    assert "never more than 5.2 W: if its values are kW, --map kW=COLUMN says so" in notes("time_s,watts\n0,5.2\n9,1\n")
    said = refusal("time_s,kW\n0,1200\n9,1000\n")
    assert (
        "1200 kW at 0 s are 5000 A a line, 42.4 times the meter's full scale of 117.85 A; --scale 0.012 makes it"
        in said
    )
    text = "time_s,watts\n1735689600,1200\n1735689606,0\n"
    assert spans(text)[0][:2] == (0, 6) and "time_s is Unix time: the first row is at 0 s" in notes(text)
    assert "column value gives no unit: taken as W" in notes("time_s,value\n0,100\n9,200\n")


def test_gaps_carry_nothing_and_are_said():
    text = "time,watts\n" + "".join(f"2025-01-01 00:{n:02d},60\n" for n in range(30) if n not in (10, 11))
    assert sum(e - s for s, e, _ in spans(text)) == 28 * 60
    assert "values are once further apart than usual: nothing flows between" in notes(text)
    text = "time_s,watts\n0,60\n1,\n2,NaN\n3,unavailable\n4,60\n"
    assert [(s, e) for s, e, _ in spans(text)] == [(0, 1), (4, 5)]
    assert "3 of 5 values are missing" in notes(text)


def test_a_running_total_is_known_by_name_or_by_never_falling():
    rows = "".join(f"2025-01-01 00:{n:02d},{500 + n / 10}\n" for n in range(20))
    assert spans("time,total kWh\n" + rows)[0][2] == pytest.approx(6000)
    text = "time,energy (kWh)\n" + rows
    assert spans(text)[0][2] == pytest.approx(6000) and "never falls: taken as a running total" in notes(text)
    ramp = "time,energy (Wh)\n" + "".join(f"2025-01-01 00:{n:02d},{n}\n" for n in range(20))
    assert spans(ramp)[10][2] == 600
    reset = "time,total kWh\n0,10\n3600,11\n7200,0.5\n10800,1\n"
    assert "the running total falls 1 times" in notes(reset) and [w for *_, w in spans(reset)] == [1000, 500]


def test_a_running_total_goes_on_over_a_missing_value_and_nothing_else_is_said():
    text = "time,total kWh\n" + "".join(f"2025-01-01 0{n}:00,{v}\n" for n, v in enumerate(("1", "2", "", "4", "5")))
    assert kwh(text) == pytest.approx(4) and spans(text)[1] == (3600, 10800, 1000)
    assert "total kWh: 1 of 5 values are missing: what flowed between two others is spread evenly" in notes(text)
    assert "nothing flows" not in notes(text)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2025-01-31T23:59:30Z", "2025-02-01T00:00:00Z"),
        ("2025-01-31 23:59:30", "2025-02-01 00:00:00"),
        ("31.01.2025 23:59:30", "01.02.2025 00:00:00"),
        ("31/01/2025 23:59:30", "01/02/2025 00:00:00"),
        ("01/31/2025 11:59:30 PM", "02/01/2025 12:00:00 AM"),
        ("2025-01-31T23:59:30+01:00", "2025-02-01T00:00:00+01:00"),
        ("2025-01-31T18:59:30-05:00", "2025-02-01T00:00:00Z"),
        ("1738364370", "1738364400"),
        ("1738364370000", "1738364400000"),
    ],
)
def test_times_of_the_world(first, second):
    assert spans(f"time,watts\n{first},100\n{second},100\n") == [(0, 30, 100), (30, 60, 100)]


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("1200,5", ".,", 1200.5),
        ("1.200,5", ".,", 1200.5),
        ("1,200.5", ".", 1200.5),
        ("1 200,5", ".,", 1200.5),
        ("2,071", ".", 2071),
        ("2,071", ".,", 2.071),
        ("0,071", ".", 0.071),
        ("2.071", ",", 2071),
        ("2.071", ".", 2.071),
        ("1.234.567", ".,", 1234567),
        ("-.5e3", ".", -500),
        ("1_000", ".", None),
        ("inf", ".", None),
        ("0x10", ".", None),
        ("1,23,456.5", ".", None),
    ],
)
def test_numbers_of_the_world(cell, decimal, value):
    assert cells.number(cell, decimal) == value


@pytest.mark.parametrize(
    ("separator", "column", "wh", "said"),
    [
        ("\t", "999.5 1,234.5 1,234 1,500", 1242, ""),
        ("\t", "999.5 1,234 1,500", 933.375, ""),
        (";", "999,5 1.234,5 1.234 1.500", 1242, ""),
        (";", "1.234.567,5 1.234", 308950.375, ""),
        (";", "12,5 1.234", 311.625, ""),
        (",", '1234.5 "1,234" "1,500"', 992.125, ""),
        (",", '"12,5" "1,234"', 3.4335, ""),
        ("\t", "950 1,234 1,500 875", 1139.75, "1,234 is taken for one that parts thousands"),
        (";", "950 1.234 1.500 875", 1139.75, "1.234 is taken for one that parts thousands"),
        ("\t", "1,234 1,500", 0.6835, "1,234 is taken for a decimal one"),
        ("\t", "1.234 0 1.500", 0.6835, "1.234 is taken for a decimal one"),
        ("\t", "500 250,125", 187.53125, "250,125 is taken for a decimal one"),
        ("\t", "1750 1,500", 437.875, ""),
        (",", "1.234 950 1.500", 238.1835, ""),
        (",", '"1,234" "1,500"', 683.5, "1,234 is taken for one that parts thousands"),
    ],
)
def test_a_mark_means_the_same_throughout_a_column(separator, column, wh, said):
    rows = enumerate(column.split())
    text = f"time{separator}Watts\n" + "".join(f"2025-01-01 00:{15 * n:02d}{separator}{cell}\n" for n, cell in rows)
    assert kwh(text, scale=0.01) == pytest.approx(wh / 1e5)
    found = notes(text, scale=0.01)
    assert f"Watts: the mark in {said}: no other value tells" in found if said else "the mark in" not in found


def test_entities_of_home_assistant():
    head = "entity_id,state,last_changed\n"
    rows = "".join(
        f"{name},{n},2025-01-01T00:0{n}:00Z\n" for n in range(3) for name in ("sensor.a_power", "sensor.b_power")
    )
    assert "2 entities; take one with --map W=ENTITY" in refusal(head + rows)
    assert [w for *_, w in spans(head + rows, mapping="kW=sensor.b_power")] == [0, 1000, 2000]
    assert spans(head + rows, mapping="W1=sensor.a_power,W2=sensor.b_power")[2][2:] == (2, 2)
    assert "--map: no entity 'x'" in refusal(head + rows, mapping="W=x")


# -- the newest row first -------------------------------------------------------------------------------------------

NEW_YORK = ZoneInfo("America/New_York")


def test_a_running_total_with_the_newest_row_first_is_one():
    rows = [f"2025-01-01 0{n}:00,{value}\n" for n, value in enumerate((0.0, 0.4, 0.9, 1.5, 2.1))]
    for ordered in (rows, rows[::-1]):
        text = "time,Total energy kWh\n" + "".join(ordered)
        assert kwh(text) == pytest.approx(2.1) and "taken as the energy of each interval" not in notes(text)
    rows = [f"2025-01-01 00:{n:02d},{500 + n / 10}\n" for n in range(20)]
    text = "time,energy (kWh)\n" + "".join(rows[::-1])
    assert kwh(text) == pytest.approx(1.9) and notes(text).count("the newest row comes first") == 1


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_the_hour_that_comes_twice_is_read_from_either_end(minutes):
    begin = datetime(2025, 11, 2, 4, tzinfo=UTC)
    rows = []
    for n in range(6 * 60 // minutes):
        moment = (begin + timedelta(minutes=minutes * n)).astimezone(NEW_YORK)
        rows.append(f"{moment:%Y-%m-%d %H:%M},{n}\n")
    up, down = ("time,watts\n" + "".join(part) for part in (rows, rows[::-1]))
    expected = [(60 * minutes * n, 60 * minutes * (n + 1), n) for n in range(len(rows))]
    assert spans(up, zone=NEW_YORK) == spans(down, zone=NEW_YORK) == expected


def test_a_row_out_of_order_is_named_by_its_line_in_the_file():
    for text, said in (
        ("2025-01-01 03:00,3 2025-01-01 02:00,2 2025-01-01 02:00,2 2025-01-01 01:00,1", "4: the time 2025-01-01 02:00"),
        ("2025-01-01 05:00,3 2025-01-01 04:00,2 2025-01-01 06:00,2 2025-01-01 01:00,1", "4: the time 2025-01-01 06:00"),
        ("2025-01-01 01:00,3 2025-01-01 02:00,2 2025-01-01 01:30,2 2025-01-01 04:00,1", "4: the time 2025-01-01 01:30"),
    ):
        said_of = refusal("time,watts\n" + text.replace(" 2025", "\n2025") + "\n")
        assert said_of.startswith(said + " is not ") and ("as the newest comes first" in said_of) == (
            "01:30" not in said
        )


def test_entities_have_an_order_each():
    rows = [(f"sensor.{name}_power", n) for name in "ab" for n in (2, 1, 0)]
    text = "entity_id,state,last_changed\n" + "".join(f"{name},{n},2025-11-02 01:{20 * n:02d}\n" for name, n in rows)
    found = spans(text, mapping="W1=sensor.a_power,W2=sensor.b_power", zone=NEW_YORK)
    assert found == [(1200 * n, 1200 * (n + 1), n, n) for n in range(3)]


def test_seconds_from_the_start_are_in_no_zone():
    assert "its times are seconds from the start, and no clock's" in refusal("time_s,watts\n0,1\n60,2\n", zone=NEW_YORK)
