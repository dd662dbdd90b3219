"""A calibration's values: their limits, how they are stored, and their numbers in the log (CA-1, CA-1a, CA-2, CA-3)."""

import pytest

from openkh import calibration
from openkh.calibration import Calibration


def line(**values):
    found = Calibration()
    for name, value in values.items():
        setattr(found, name, value)
    return found


CORRECTED = {
    "wgain": 4_300_001,
    "phcal": 0x3 | calibration.VAR_REVERSED,
    "wattos": -1_234,
    "vgain": 4_200_002,
    "igain": 4_100_003,
    "tempco": -5_000,
    "lead_tempco": -700,
    "reference": -2_345,
    "curve": ((100, -2_000, 1_700), (2_000, 0, -300), (12_000, 300, 5)),
}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({}, {"wattos": -7, "phcal": 5}),
        (CORRECTED, {}),
        ({}, CORRECTED),
        ({**CORRECTED, "wattos": 1_235}, {**CORRECTED, "wgain": 4_300_009}),
    ],
    ids=["plain", "line 1", "line 2", "both"],
)
def test_CA_1_what_is_stored_is_what_is_read(one, two):
    lines = (line(**one), line(**two))
    data = calibration.pack(lines, 300, 261_231)
    found = (Calibration(), Calibration())
    assert calibration.unpack(data, found, 60) == (300, 261_231)
    assert calibration.count_of(data) == 300
    assert [a.equals(b) for a, b in zip(found, lines, strict=True)] == [True, True]
    for broken in (data[:-1], data + b"\0", bytes([data[0] + 77]) + data[1:], b""):
        with pytest.raises(ValueError, match="calibration:"):
            calibration.unpack(broken, found, 60)


def test_CA_2_each_value_has_its_number_in_the_log():
    of = line(**CORRECTED)
    first = [of.wgain, of.phcal, of.wattos, of.vgain, of.igain]
    assert sorted(of.item(n) for n in range(5)) == sorted(first)
    assert (of.item(calibration.TEMPCO_ITEM), of.item(calibration.LEAD_TEMPCO_ITEM)) == (-5_000, -700)
    points = [of.item(calibration.CURVE_ITEM + n) for n in range(8)]
    assert points[:6] == [100 << 16 | -2_000 & 0xFFFF, 1_700, 2_000 << 16, -300, 12_000 << 16 | 300, 5]
    assert points[6:] == [0, 0]


@pytest.mark.parametrize("name", [*calibration.ITEMS, "tempco", "lead_tempco", "reference"])
def test_CA_2_a_value_that_differs_is_a_difference(name):
    one, two = line(**CORRECTED), line(**CORRECTED)
    assert one.equals(two) and one.same_registers(two)
    setattr(two, name, getattr(two, name) + 1)
    assert not one.equals(two) and one.same_registers(two) == (name not in calibration.ITEMS)
    one.take(two)
    assert one.equals(two)


def limits():
    low, high = calibration.phase_limits(60)
    gain = {name: getattr(Calibration(), name) for name in ("wgain", "vgain", "igain")}
    for name, nominal in gain.items():
        margin = nominal // 100 * calibration.GAIN_PERCENT
        yield {}, name, (nominal - margin, nominal + margin)
    yield {}, "wattos", (-calibration.OFFSET_MOST, calibration.OFFSET_MOST)
    yield {"reference": 2_500}, "tempco", (-calibration.TEMPCO_MOST, calibration.TEMPCO_MOST)
    yield {"reference": 2_500}, "lead_tempco", (-calibration.LEAD_TEMPCO_MOST, calibration.LEAD_TEMPCO_MOST)


@pytest.mark.parametrize(
    ("beside", "name", "ends"), list(limits()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_CA_3_each_limit_is_allowed_and_what_is_beyond_is_not(beside, name, ends):
    for end, beyond in ((ends[0], -1), (ends[1], 1)):
        calibration.check(line(**beside, **{name: end}), 60)
        with pytest.raises(ValueError, match="allowed"):
            calibration.check(line(**beside, **{name: end + beyond}), 60)


def test_CA_3_the_phase_goes_from_1_degree_ahead_to_4_behind():
    low, high = calibration.phase_limits(60)
    for ways in (0, calibration.PHCAL_REVERSED):
        for steps in (low, high):
            assert calibration.phase_steps(calibration.phase_register(steps, ways)) == steps
            calibration.check(line(phcal=calibration.phase_register(steps, ways)), 60)
        for steps in (low - 1, high + 1):
            with pytest.raises(ValueError, match="phase"):
                calibration.check(line(phcal=calibration.phase_register(steps, ways)), 60)


@pytest.mark.parametrize("name", ["tempco", "lead_tempco"])
def test_CA_1a_no_temperature_coefficient_without_its_reference(name):
    with pytest.raises(ValueError, match="allowed after cal_gain"):
        calibration.check(line(**{name: 1}), 60)


@pytest.mark.parametrize(
    ("curve", "allowed"),
    [
        ((), True),
        (((1, 0, 0),), True),
        (((12_000, 20_000, 18_000),), True),
        (((12_000, -20_000, -18_000),), True),
        (((0, 0, 0),), False),
        (((12_001, 0, 0),), False),
        (((100, 0, 0), (100, 0, 0)), False),
        (((100, 20_001, 0),), False),
        (((100, -20_001, 0),), False),
        (((100, 0, 18_001),), False),
        (((100, 0, -18_001),), False),
        (tuple((n + 1, 0, 0) for n in range(calibration.POINTS_MOST)), True),
        (tuple((n + 1, 0, 0) for n in range(calibration.POINTS_MOST + 1)), False),
    ],
)
def test_CA_1a_a_curve_rises_and_stays_within_two_percent_and_three_degrees(curve, allowed):
    if allowed:
        calibration.check_curve(curve)
    else:
        with pytest.raises(ValueError, match="allowed"):
            calibration.check_curve(curve)


@pytest.mark.parametrize(
    ("values", "corrected"),
    [
        ({"wgain": 4_300_000, "phcal": 3, "wattos": 5}, False),
        ({"tempco": -1}, True),
        ({"lead_tempco": 1}, True),
        ({"reference": 2_300}, True),
        ({"curve": ((100, 0, 0),)}, True),
    ],
)
def test_CA_1a_each_correction_alone_asks_for_the_format_with_room_for_it(values, corrected):
    assert line(**values).corrected == corrected
