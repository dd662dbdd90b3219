"""The accuracy campaign over temperature, in small (./scripts/bench --accuracy-drift N for more) (ID-4a)."""

import pytest

from host.campaigns.accuracy import drift as accuracy_drift
from host.campaigns.accuracy.direct_meter import EXACT, BenchErrors
from host.campaigns.accuracy.drift import BEFORE, BOTH, CURVE


@pytest.mark.parametrize("core", ["solid", "split"])
def test_ID_4a_CA_1a_random_boards_are_in_class_at_every_temperature(core):
    """A bench that errs, parts at their limits: class 0.2 with solid cores, class 0.5 with split cores."""
    results = [accuracy_drift.board(seed, core) for seed in range(1, 9)]
    assert accuracy_drift.complaints(results) == []
    for result in results:
        assert max(result.worst[BOTH].values()) <= (0.5 if core == "solid" else 1.0)
        assert result.worst[CURVE]["23"] < result.worst[BEFORE]["23"]


def test_ID_4a_without_the_second_temperature_the_drift_stays():
    results = [accuracy_drift.board(seed, "solid") for seed in range(1, 9)]
    assert any(result.worst[CURVE]["-20"] > 1.0 for result in results)
    assert all(result.worst[CURVE]["50"] <= 1.0 for result in results)


def test_what_a_bench_does_wrong_shows():
    exact, erring = (accuracy_drift.board(3, "solid", bench) for bench in (EXACT, BenchErrors(gain_percent=0.5)))
    at_100 = "23/0/1"
    assert max(abs(e) for e in exact.errors[BOTH][at_100]) < 0.02
    moved = [b - a for a, b in zip(exact.errors[BOTH][at_100], erring.errors[BOTH][at_100], strict=True)]
    assert 0.03 < abs(moved[0]) < 0.5


def test_a_board_against_the_requirement_is_complained_about():
    result = accuracy_drift.board(1, "solid")
    result.worst[BOTH]["-20"] = 0.6
    result.bench_s = 700.0
    assert len(accuracy_drift.complaints([result])) == 2
