"""A pytest plugin: a test that does not end within LONGEST_TEST_S fails, because a changed code may loop for ever."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

LONGEST_TEST_S = 20  # of processor time


def _late(_number: int, _frame: Any) -> None:
    pytest.fail(f"no end after {LONGEST_TEST_S} s")  # no Exception: what is tested cannot take it for its own


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[Any]:
    """Each test in its own time."""
    signal.signal(signal.SIGPROF, _late)
    signal.setitimer(signal.ITIMER_PROF, LONGEST_TEST_S)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
