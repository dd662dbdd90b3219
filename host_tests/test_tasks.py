"""The guard of the 12 V and of the supply, which a timer calls 500 times a second (CO-3, ST-1)."""

from types import SimpleNamespace

import pytest

from boards.virtual.board import Board

_board = Board(1)
_board.install()
try:
    from openkh import tasks
finally:
    _board.uninstall()


@pytest.mark.parametrize(
    ("raw", "low_before", "begins", "asked", "cycle"),
    [
        (900, False, True, True, True),  # below, and believed
        (900, False, False, True, False),  # below, and not believed yet
        (1_100, True, False, True, False),  # good again
        (1_100, False, True, False, False),  # good as before: nothing is asked
        (1_000, False, True, False, False),
    ],
)
def test_ST_1_the_cycle_runs_at_once_when_the_supply_begins_to_fail(raw, low_before, begins, asked, cycle):
    calls = []

    def sample():
        calls.append("sample")
        return begins

    supply = SimpleNamespace(read=lambda: raw, raw=0, low=1_000, bulk_low=low_before, sample=sample)
    rail12 = SimpleNamespace(read=lambda: 50, raw=0, limit=100, over=0, judge=lambda: calls.append("judge"))
    tasks.guard_of(rail12, supply, lambda: calls.append("cycle"))(None)
    assert (supply.raw, rail12.raw) == (raw, 50)
    assert calls == ["sample"] * asked + ["cycle"] * cycle


@pytest.mark.parametrize(("raw", "over", "judged"), [(100, 0, False), (101, 0, True), (50, 1, True)])
def test_CO_3_an_overload_of_the_12_V_is_judged_at_once(raw, over, judged):
    calls = []
    supply = SimpleNamespace(read=lambda: 2_000, raw=0, low=1_000, bulk_low=False)
    rail12 = SimpleNamespace(read=lambda: raw, raw=0, limit=100, over=over, judge=lambda: calls.append("judge"))
    tasks.guard_of(rail12, supply, lambda: calls.append("cycle"))(None)
    assert calls == ["judge"] * judged
