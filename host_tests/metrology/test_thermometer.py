"""The board's temperature: smoothed, and only while its sensor can be believed (ID-4a)."""

import pytest

from openkh import event_codes
from openkh.metrology.thermometer import BACK_READINGS, FAILED_READINGS, NONE, Thermometer


class Log:
    def __init__(self) -> None:
        self.entries: list[tuple[int, int, int]] = []

    def add(self, code: int, a: int = 0, b: int = 0) -> None:
        self.entries.append((code, a, b))


@pytest.fixture
def thermometer() -> Thermometer:
    return Thermometer(Log())


def steady(thermometer: Thermometer, centi: int = 2300, readings: int = 30) -> None:
    for n in range(readings):
        thermometer.take(centi + (47 if n % 2 else -47))


def codes(thermometer: Thermometer) -> list[int]:
    return [entry[0] for entry in thermometer._log.entries]


def test_ID_4a_a_sensor_that_flickers_by_a_step_reads_to_a_tenth(thermometer):
    steady(thermometer)
    assert thermometer.centi == pytest.approx(2300, abs=10)
    assert codes(thermometer) == [] and thermometer.odd == 0


def test_ID_4a_nothing_is_known_before_two_readings_agree(thermometer):
    assert thermometer.centi is None
    for centi in (NONE, 9000, 2300):
        thermometer.take(centi)
        assert thermometer.centi is None
    thermometer.take(2320)
    assert thermometer.centi == pytest.approx(2310, abs=11)


def test_ID_4a_it_follows_a_board_that_warms_up(thermometer):
    for second in range(900):
        thermometer.take(-2000 + 5 * second)  # 3 K a minute
    assert thermometer.centi == pytest.approx(-2000 + 5 * 899, abs=100)
    assert not thermometer.failed


def test_ID_4a_a_single_odd_reading_is_left_out(thermometer):
    steady(thermometer)
    for odd in (2900, NONE, 20_000, -2300):
        thermometer.take(odd)
        assert thermometer.centi == pytest.approx(2300, abs=10)
        steady(thermometer, readings=2)
    assert thermometer.odd == 4 and not thermometer.failed


@pytest.mark.parametrize("wrong", [NONE, 3500, -4600, 13_000])
def test_ID_4a_a_sensor_that_fails_or_jumps_is_noticed_and_logged(thermometer, wrong):
    steady(thermometer)
    for _ in range(FAILED_READINGS):
        assert not thermometer.failed
        thermometer.take(wrong)
    assert thermometer.failed and thermometer.centi is None
    assert codes(thermometer) == [event_codes.TEMPERATURE_LOST]
    assert thermometer._log.entries[0][1] == wrong
    steady(thermometer, wrong, 1000)  # where it stays is no temperature
    assert thermometer.centi is None and len(thermometer._log.entries) == 1


def test_ID_4a_it_is_believed_again_when_it_reads_what_it_read_before(thermometer):
    steady(thermometer)
    steady(thermometer, 4000, 50)
    steady(thermometer, 2400, BACK_READINGS - 1)
    assert thermometer.centi is None
    thermometer.take(2400)
    assert thermometer.centi == pytest.approx(2300, abs=20)
    assert codes(thermometer) == [event_codes.TEMPERATURE_LOST, event_codes.TEMPERATURE_BACK]


def test_ID_4a_a_sensor_that_is_dead_from_the_start_is_logged_once(thermometer):
    for _ in range(1000):
        thermometer.take(NONE)
    assert thermometer.failed and thermometer.centi is None
    assert codes(thermometer) == [event_codes.TEMPERATURE_LOST]
