"""A memory that does not answer at the start: what is metered in RAM, and what becomes of it (DX-6)."""

from types import SimpleNamespace

import engine_here
import pytest

from host.rigs.prompt_rig import Prompt
from host.sim import link

SILENT_US = 4_000_000


@pytest.fixture
def late(monkeypatch):
    """A single-element meter whose memory is silent for the first seconds."""
    monkeypatch.setattr(link, "_Process", engine_here.Here)
    with Prompt("cpython", "MSTCT-2NC", "50Hz") as prompt:
        prompt.load(0.0)
        prompt.stimulus([["fault", 10_000, "fram", "silent", {}, SILENT_US]])
        yield prompt


def reasons(prompt):
    return [one["a"] for one in prompt.json("s.events(99)")["events"] if one["event"] == "restart"]


def test_DX_6_what_is_counted_while_the_memory_is_silent_is_added_to_its_register(late):
    late.go(3.0)
    late.load(100.0)
    late.go(5.0)  # it answers again, but is asked every 10 s only
    status = late.json("s.status()")
    assert (status["model"], status["failures"], status["errors"]) == ("MDNCT-1SC", [4], 0)
    assert not engine_here.meter().elements[1].fitted  # and so it is not missed
    assert late.boots() == ["power"]
    meter = engine_here.meter()
    stood = []  # whether the outputs stood still, so that it was known what they had given
    go_on = meter.cycle.request._go_on
    meter.cycle.request._go_on = lambda: (stood.append(meter.pulses.frozen), go_on())
    assert not meter.pulses.frozen
    late.go(7.0)
    assert stood == [True]
    late.restarted()
    assert late.boots() == ["power", "reset"]
    status = late.json("s.status()")
    assert (status["model"], status["failures"]) == ("MSTCT-2NC", [])
    assert reasons(late) == [6]
    late.assert_nothing_lost()
    late.go(3.0)
    wh = float(late.snap["delivered"])
    assert late.finish()["pulses"]["10"] == wh // 10 > 5


def late_memory(**parts):
    """The request of a running meter, with parts of it replaced."""
    meter = engine_here.meter()
    shown = {name: getattr(meter, name) for name in ("elements", "state", "supply", "factory_vault", "pulses")}
    return engine_here.module("startup.late_memory").LateMemory(SimpleNamespace(**{**shown, **parts}), 0)


def test_DX_6_the_counters_of_the_first_cycle_in_which_they_were_read_are_kept(late):
    late.go(2.0)
    state = SimpleNamespace(raw_1=-1, raw_2=-1, run_s=0)
    request = late_memory(state=state, elements=[SimpleNamespace(), SimpleNamespace()])
    for raw_1, raw_2 in ((-1, -1), (0, -1), (700, 0), (1_400, 700)):
        state.raw_1, state.raw_2 = raw_1, raw_2
        assert request.carry_out()
    assert (request._first.raw_1, request._first.raw_2) == (0, 0)


def test_DX_6_counts_since_the_record_only_of_a_counter_that_ran_on(late):
    late.go(2.0)
    for ran_on, recorded, first, counts in (
        (True, 100, 500, 400),
        (True, 0xFFFFFF, 3, 4),
        (False, 100, 500, 0),
        (True, -1, 500, 0),
        (True, 100, -1, 0),
    ):
        request = late_memory(elements=[SimpleNamespace(ran_on=ran_on)])
        assert request._since(0, recorded, first) == counts
        assert request._since(1, recorded, first) == 0  # there is no second front end
