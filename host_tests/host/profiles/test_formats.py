"""Each format that a load profile comes in: real structure, made-up numbers, the energy of the file."""

import itertools
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from host.campaigns.inputs import malformed
from host.campaigns.inputs.profile_samples import Sample, green_button, nem12, samples
from host.cli.refused import RefusedError
from host.sim import link
from host.stimulus.lines import Segment
from host.stimulus.profiles import profile, reader
from host.stimulus.profiles.household import household_source
from host.stimulus.profiles.profile import Options
from host.stimulus.source import Source
from host.stimulus.windows import Stimulus, watts
from openkh.model import Model

METER = Model("MDNCT-2SC", "60Hz")
SAMPLES = samples()


def loaded(sample: Sample, **options: object) -> profile.Profile:
    return reader.read(sample.text, Options(**{**vars(sample.options), **options}))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_energy_is_the_files(name: str) -> None:
    sample = SAMPLES[name]
    found = loaded(sample)
    assert found.energy_wh() == pytest.approx((sample.delivered_wh, sample.received_wh), rel=1e-9, abs=1e-9)
    stimulus = Stimulus(METER, profile.source(METER, found, name))
    stimulus.window(found.end_us)
    net = stimulus.truth.net
    assert net.delivered_ws / 3600 == pytest.approx(sample.delivered_wh, rel=1e-9)
    assert net.received_ws / 3600 == pytest.approx(sample.received_wh, rel=1e-9, abs=1e-9)
    assert all(a.end_us <= b.start_us for a, b in itertools.pairwise(found.spans))


def test_EN_1_a_meter_registers_what_each_file_says() -> None:
    """One after the other on one meter: of each, the register is the sum within one count of each front end. (Net: in a
    cycle in which the direction changes both are netted, as they are in any meter.)"""
    segments: list[Segment] = []
    marks: list[tuple[int, str, float]] = []
    begin_us = 5_000_000
    for name, sample in SAMPLES.items():
        part = loaded(sample).cut(0, 40_000_000)
        for segment in profile.source(METER, part, name).segments():
            if segment.end_us is not None:
                times = (segment.start_us + begin_us, segment.end_us + begin_us)
                segments.append(segment._replace(start_us=times[0], end_us=times[1]))
        begin_us += part.end_us
        delivered_wh, received_wh = part.energy_wh()
        marks.append((begin_us, name, delivered_wh - received_wh))
        begin_us += 2_000_000

    def run() -> list[Segment]:
        none = segments[0]._replace(first=profile.lines_of(METER, 0, 1), last=profile.lines_of(METER, 0, 1))
        filled, now_us = [], 0
        for segment in segments:
            if segment.start_us > now_us:
                filled.append(none._replace(start_us=now_us, end_us=segment.start_us))
            filled.append(segment)
            now_us = segment.end_us or now_us
        return [*filled, none._replace(start_us=now_us, end_us=None)]

    stimulus = Stimulus(METER, Source(lambda: iter(run())))
    count_wh = 1 / METER.counts_per_wh
    with link.Link("micropython", {"model": METER.code, "service": METER.service, "seed": 1, "board": {}}) as meter:
        before_wh = 0.0
        for mark_us, name, sum_wh in marks:
            at_us = mark_us + 1_000_000  # what was under way is booked
            reply = meter.run(at_us, stimulus.window(at_us))
            register = reply["snap"]["register"]
            found_wh = float(register["delivered_wh"]) - float(register["received_wh"])
            assert found_wh - before_wh == pytest.approx(sum_wh, abs=METER.elements * 1.05 * count_wh), name
            before_wh = found_wh


@pytest.mark.parametrize("name", malformed.formats())
def test_damaged_files_are_refused_in_one_line(name: str) -> None:
    """`./scripts/bench --malformed N` takes more of each format."""
    assert [said for said in malformed.trials(name, 25) if said] == []


# -- Green Button ---------------------------------------------------------------------------------------------------


def refusal(text: str, **options: object) -> str:
    with pytest.raises(profile.ProfileError) as caught:
        reader.read(text, Options(**options))
    return str(caught.value)


def test_green_button_says_what_it_is_made_of() -> None:
    found = loaded(green_button())
    assert found.kind == "Green Button" and found.values == 192
    assert "to the customer: 1 of 96 values are estimated or edited, by their quality" in found.notes


def test_green_button_in_any_encoding() -> None:
    text = green_button().text.replace('encoding="UTF-8"', 'encoding="utf-16"')
    assert (
        reader.read(reader.decoded(text.encode("utf-16")), Options()).energy_wh() == loaded(green_button()).energy_wh()
    )


def test_green_button_net_readings_stand_alone_or_are_left_out() -> None:
    text = green_button().text
    alone = text.replace("<flowDirection>19<", "<flowDirection>4<")
    found = reader.read(alone, Options())
    assert "the net readings beside those of each direction are left out" in found.notes
    assert found.energy_wh()[1] == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<uom>72</uom>", "<uom>169</uom>", "no interval readings of electric energy or power"),
        ("<value>2500</value>", "<value>x</value>", 'value is "x"; allowed: a whole number'),
        ("<powerOfTenMultiplier>-1<", "<powerOfTenMultiplier>99<", 'powerOfTenMultiplier is "99"'),
        ("<duration>900</duration><start>1735689600", "<duration>1900</duration><start>1735689600", "begins before"),
        ("</feed>", "", "not XML: "),
        ("<feed", '<!DOCTYPE x [<!ENTITY a "b">]><feed', "a document type of its own"),
    ],
)
def test_green_button_refusals(old: str, new: str, said: str) -> None:
    assert said in refusal(green_button().text.replace(old, new))


def test_a_value_that_comes_twice_and_differs_is_refused() -> None:
    text = green_button().text
    at = text.rindex("<value>2503</value>")
    assert "is there with" in refusal(text[:at] + "<value>1</value>" + text[at + len("<value>2503</value>") :])


# -- NEM12 ----------------------------------------------------------------------------------------------------------


def test_nem12_says_what_it_is_made_of() -> None:
    notes = loaded(nem12()).notes
    assert notes[0] == "channels E1 (to the customer, 30 min), B1 (from the customer, 30 min); 2 days"
    assert "E1: 20250101 is there twice (lines 3 and 4): the later version counts" in notes
    assert "left out: Q1 (kVArh)" in notes
    assert "E1: 10 of 96 values are estimated or substituted" in notes
    assert "E1: 1 of 96 values are missing: nothing flows there" in notes


def test_nem12_intervals_without_data_are_gaps_by_their_400_row() -> None:
    text = nem12().text.replace("400,11,20,E52,,", "400,11,20,N,,")
    assert reader.read(text, Options()).energy_wh()[0] == pytest.approx(nem12().delivered_wh - 10 * 250)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("300,20250102", "300,20251399", '5: the date is "20251399"; allowed: YYYYMMDD'),
        (",kWh,30,", ",kWh,7,", '2: the interval length is "7"'),
        ("0.500,", "x,", '4: a value is "x"; allowed: a number'),
        ("300,20250102,0.250", "300,20250102", "5: "),
        ("400,1,10,A", "400,1,99,A", "6: intervals 1 to 99; allowed: 1 to 48"),
        ("200,NMI0000001,B1E1Q1,,B1", "200,NMI2,B1E1Q1,,B1", "2 connection points: NMI0000001, NMI2; allowed: one"),
        ("500,O", "700,O", '13: record "700"; allowed: 100, 200'),
    ],
)
def test_nem12_refusals(old: str, new: str, said: str) -> None:
    assert said in refusal(nem12().text.replace(old, new))


# -- the rest -------------------------------------------------------------------------------------------------------


def test_a_part_by_the_files_own_clock_or_from_its_start() -> None:
    sample = nem12()
    for begin, end in (
        ("2025-01-01T10:00", "2025-01-01T15:00"),
        ("10h", "15h"),
        ("2025-01-01T00:00Z", "2025-01-01T05:00Z"),
    ):
        part = loaded(sample, begin=begin, end=end)
        assert part.end_us == 5 * 3_600_000_000
        assert part.energy_wh()[1] == pytest.approx(2700)
    assert "nothing flows between --from and --to; the file goes from" in refusal(sample.text, begin="2026-01-01T00:00")
    assert "--from x: allowed: a time such as" in refusal(sample.text, begin="x")
    assert "the file's times are no clock's" in refusal("time_s,watts\n0,1\n9,1\n", end="2025-01-01T00:00")


@pytest.mark.parametrize("name", ["Green Button", "channel of UK-DALE", "Home Assistant energy dashboard", "emoncms"])
def test_the_clock_is_in_the_zone_that_was_asked_for(name: str) -> None:
    """The samples begin with 2025 in Greenwich, an hour after midnight in Berlin."""
    sample, berlin = SAMPLES[name], ZoneInfo("Europe/Berlin")
    assert loaded(sample).clock(0) == "2025-01-01 00:00:00 UTC"
    assert loaded(sample, zone=berlin).clock(0) == "2025-01-01 01:00:00 CET"
    part = loaded(sample, zone=berlin, begin="2025-01-01T01:00:12", end="2025-01-01T01:00:48")
    assert part.clock(0) == "2025-01-01 01:00:12 CET" and part.end_us == 36_000_000


def test_market_time_is_the_zone_of_nem12() -> None:
    said = refusal(nem12().text, zone=ZoneInfo("Australia/Sydney"))
    assert said == "--timezone: a NEM12 file's clock is market time, UTC+10 all year"


def test_a_factor() -> None:
    found = loaded(SAMPLES["emoncms"], scale=0.5)
    assert found.energy_wh()[0] == pytest.approx(SAMPLES["emoncms"].delivered_wh / 2) and "scaled by 0.5" in found.notes


def test_a_file_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("wb") as f:
        f.truncate(10**9)
    with pytest.raises(RefusedError, match="too long: allowed: 64 MB"):
        reader.source(str(path), Options(), METER)


@pytest.mark.parametrize(("model", "kwh"), [("MDNCT-1SC 60Hz", (30, 36)), ("MSNCT-1SC 50Hz", (10, 12))])
def test_the_default_is_a_plausible_day_of_a_household(model: str, kwh: tuple[int, int]) -> None:
    meter = Model(*model.split())
    source = household_source(meter)
    assert source.end_s == 86_400
    quarters = list(itertools.islice(source.segments(), 96))
    powers = [sum(watts(line) for line in s.first[: meter.elements]) for s in quarters]
    assert kwh[0] < sum(powers) / 4000 < kwh[1]
    assert min(powers) == min(powers[:24]), "least in the small hours"
    assert powers.index(max(powers)) in range(68, 84), "most in the evening"
    stimulus = Stimulus(meter, source)
    stimulus.window(86_400_000_000)
    assert stimulus.truth.net.delivered_ws / 3.6e6 == pytest.approx(sum(powers) / 4000, rel=1e-12)


def test_the_default_goes_on_after_the_day() -> None:
    segments = itertools.islice(household_source(METER).segments(), 366 * 96)
    before = None
    for number, segment in enumerate(segments):
        assert segment.start_us == number * 900_000_000
        assert before is None or before.end_us == segment.start_us
        before = segment
