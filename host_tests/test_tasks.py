"""The guard of the 12 V and of the supply, which a timer calls every GUARD_MS (CO-3, ST-1)."""

from types import SimpleNamespace

import pytest

from boards.virtual.board import Board

_board = Board(1)
_board.install()
try:
    from openkh import bound, tasks
    from openkh.outputs.rail12 import Rail12
    from openkh.supply import Supply
finally:
    _board.uninstall()


def watched(bulk_raw: int, raw: int):
    """The guard on real parts, what they are, and what they have called."""
    calls: list[str] = []
    log = SimpleNamespace(add=lambda *_event: None)
    supply = Supply(SimpleNamespace(read_u16=lambda: bulk_raw), 6, 120_000, log)
    rail12 = Rail12(SimpleNamespace(read_u16=lambda: raw), SimpleNamespace(value=lambda _level: None), log)
    supply.at_once = lambda: calls.append("cycle")
    judge, sample = rail12.judge, supply.sample
    rail12.judge = lambda: (calls.append("judge"), judge())
    supply.sample = lambda: (calls.append("sample"), sample())
    return tasks.guard_of(rail12, supply), rail12, supply, calls


LOW = 10_000 * 65_535 // (3_300 * 6)
GOOD = 10_600 * 65_535 // (3_300 * 6)


@pytest.mark.parametrize(
    ("raw", "low_before", "believed", "asked", "cycle"),
    [
        (LOW - 1, False, True, True, True),  # below, and believed
        (LOW - 1, False, False, True, False),  # below, and not believed
        (GOOD, True, True, True, False),  # good again
        (LOW + 1, True, True, True, False),  # not yet
        (LOW, False, True, False, False),  # good as before: nothing is asked
    ],
)
def test_ST_1_the_cycle_runs_at_once_when_the_supply_begins_to_fail(raw, low_before, believed, asked, cycle):
    guard, rail12, supply, calls = watched(raw, 50)
    supply.bulk.out = not believed
    if low_before:
        supply.bulk_raw = LOW - 1
        supply.sample()
        calls.clear()
    guard(None)
    assert (supply.bulk_raw, rail12.current_raw) == (raw, 50)
    assert calls == ["sample"] * asked + ["cycle"] * cycle
    assert supply.bulk_low == (raw < LOW or raw == LOW + 1)
    calls.clear()
    guard(None)
    assert calls == ["sample"] * supply.bulk_low  # as long as it is low each reading is judged


@pytest.mark.parametrize(("above", "over", "judged"), [(0, 0, False), (1, 0, True), (-50, 1, True)])
def test_CO_3_an_overload_of_the_12_V_is_judged_at_once(above, over, judged):
    limit = watched(GOOD, 0)[1].limit
    guard, rail12, _, calls = watched(GOOD, limit + above)
    rail12.on = True
    if over:
        rail12.current_raw = limit + 1
        rail12.judge()
        calls.clear()
    guard(None)
    assert calls == ["judge"] * judged


def test_DR_7b_the_tables_that_the_guard_asks_do_not_grow_once_it_runs():
    """What a start puts off is made up for while the guard's interrupt may come at any moment."""
    bound.later()
    try:
        _, rail12, supply, _ = watched(GOOD, 50)
        assert "step" in vars(rail12) and "step" in vars(supply)
    finally:
        bound.now()
