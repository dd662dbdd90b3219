"""The values that the port shows: units, signs, sums, and what does not exist (AM-3, AM-4, DX-6)."""

import pytest

from host.rigs.port_rig import Line, element, still_meter
from openkh.metrology import status
from openkh.remote import reading
from openkh.remote.reading import Reading


def taken(of):
    found = Reading(of)
    found.take()
    return found


@pytest.fixture
def meter():
    """Two lines with nothing alike: 1,200 W in and 300 W out."""
    of = still_meter()
    of.elements = [element(121_000, 10_000), element(119_000, 2_500)]
    of.status.line_1 = Line(1_200_000, 500_000, reported=0)
    of.status.line_2 = Line(-300_000, -40_000, reported=0)
    return of


def test_AM_3_the_sums_of_both_lines(meter):
    found = taken(meter)
    assert found.power_mw == 900_000
    assert (found.sun_a_sf, found.sun_w_sf) == (-2, 1)
    assert (found.sun_a, found.sun_v, found.sun_hz) == (1_250, 1_200, 6_000)
    assert (found.sun_w, found.sun_va, found.sun_var) == (90, 151, 46)  # 1,210 + 297.5 VA
    assert found.sun_pf == 900_000 * 1000 // 1_507_500


def test_AM_3_each_line_in_the_units_of_the_sums(meter):
    found = taken(meter)
    one, two = found.line_1, found.line_2
    assert (one.sun_a, one.sun_v, one.sun_w, one.sun_va, one.sun_var) == (1_000, 1_210, 120, 121, 50)
    assert (two.sun_a, two.sun_v, two.sun_w, two.sun_va, two.sun_var) == (250, 1_190, -30, 30, -4)
    assert (one.pf_milli, two.pf_milli) == (991, -1000)  # no more than 1, whatever is spoilt


def test_AM_3_the_sum_of_one_line_is_that_line():
    of = still_meter("MSNCT-1SC")
    of.elements = [element(121_000, 10_000)]
    of.status.line_1 = Line(1_200_000, 500_000)
    found = taken(of)
    assert (found.sun_a_sf, found.sun_w_sf) == (-2, 0)
    assert (found.sun_a, found.sun_v) == (1_000, 1_210)
    assert (found.sun_w, found.sun_va, found.sun_var, found.sun_pf) == (1_200, 1_210, 500, 991)


@pytest.mark.parametrize("silent", [0, 1])
def test_DX_6_AM_3_no_sum_with_a_line_that_is_not_known(meter, silent):
    meter.elements[silent].silent = True
    found = taken(meter)
    assert found.power_mw == reading.NO_I32
    sums = (found.sun_a, found.sun_v, found.sun_hz, found.sun_w, found.sun_va, found.sun_var, found.sun_pf)
    assert sums == (reading.NO_I16,) * 7
    assert (found.line_1.known, found.line_2.known) == (silent == 1, silent == 0)


@pytest.mark.parametrize("line", [1, 2])
@pytest.mark.parametrize(
    ("condition", "event"),
    [("over_current", 5), ("over_voltage", 6), ("low_voltage", 3), ("bad_power_factor", 4), ("reverse_energy", 16)],
)
def test_AM_3_each_condition_of_either_line_is_its_event_and_no_other(meter, line, condition, event):
    setattr(meter.status, f"line_{line}", Line(reported=1 << status.NAMES.index(condition)))
    assert taken(meter).sun_events == 1 << event


def test_AM_3_conditions_without_an_event_and_failures(meter):
    meter.status.line_1 = Line(reported=0x707)
    assert taken(meter).sun_events == 0
    for failures, event in ((1, reading._SENSOR_MISSING), (2, reading._OTHER_FAILURE), (16, reading._OTHER_FAILURE)):
        meter.status.failures = failures
        assert taken(meter).sun_events == event


def test_AM_3_values_stand_still_until_a_cycle_has_run(meter):
    found = taken(meter)
    meter.elements[0].v_mv = 100_000
    found.take()
    assert found.line_1.mv == 121_000
    meter.cycle.cycles += 1
    found.take()
    assert found.line_1.mv == 100_000


def test_CA_2_AM_4_counts_of_changes_that_are_not_known_are_not_said(meter):
    for count, said in ((0, 0), (3, 3), (-1, reading.NO_U16)):
        meter.stored.count = meter.factory.identity.count = count
        found = taken(meter)
        assert (found.calibration_count, found.configuration_count) == (said, said)


@pytest.mark.parametrize(("value", "unit", "said"), [(149, 100, 1), (150, 100, 2), (-149, 100, -1), (-150, 100, -2)])
def test_AM_3_whole_units_to_the_nearest(value, unit, said):
    assert reading.whole(value, unit) == said
