"""Each pad of the RP2040 has the function that the board wants of it, once all parts are built."""

import pytest

from host.rigs import trial


@pytest.mark.parametrize("engine", ["cpython", "micropython", "wasm"])
def test_ST_1_the_memory_is_reached_beside_the_port(engine: str) -> None:
    """UART 1 has GPIO4 and 5 as its usual pins, on which the reference board's memory is."""
    run = trial.run(trial.steps(trial.load(0.0, 100.0)), 12.0, engine, serial={})
    assert run.logged() == ["power_up", "seal_opened"]
    assert not any("FAIL" in screen for screen in run.said())
