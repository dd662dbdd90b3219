"""The measuring cycle of the whole meter in this process: exceptions, restarts, FAIL 04."""

import sys

import engine_here
import pytest

from boards.virtual.standins import machine
from openkh.metrology.correction import TOTAL
from openkh.startup.scratch_registers import GIVEN
from openkh.startup.sealed_word import opened

SECOND_US = 1_000_000
FAIL_NOT_STORED = 4
FAIL_INTERNAL = 5


@pytest.fixture
def prompt(prompt_here):
    with prompt_here(amps=50.0) as running:
        yield running


def failing_once(part, name, times=1):
    """Have a method of a part raise as often as `times`; what it was called with then."""
    inner = getattr(part, name)
    calls = []

    def outer(*given):
        if len(calls) < times:
            calls.append(given)
            raise ValueError("one of those")
        return inner(*given)

    setattr(part, name, outer)
    return calls


def logged(prompt):
    return [one["event"] for one in prompt.json("s.events(99)")["events"]]


# Exceptions


def test_DX_6_after_an_exception_in_a_cycle_metering_goes_on_and_FAIL_05_tells(prompt):
    meter = engine_here.meter()
    assert failing_once(meter.demand, "step", 3) == []
    prompt.go(2.0)
    faults = prompt.json("s.faults()")
    assert (faults["errors"], faults["last_error"]) == (3, "ValueError('one of those')")
    assert prompt.json("s.status()")["failures"] == [FAIL_INTERNAL]
    assert logged(prompt).count("internal_error") == 3
    assert prompt.boots() == ["power"] and prompt.errors() == []
    prompt.assert_nothing_lost()


def test_PO_4_edges_counted_in_a_cycle_that_failed_afterwards_are_kept_by_the_next_one(prompt):
    """A reset then would give them again: the scratch registers tell how many were given."""
    meter = engine_here.meter()
    plan, keep = meter.pulses.plan, meter.registers.keep
    failed, kept = [], []

    def planned(state, *times):
        plan(state, *times)
        if meter.pulses.edges_changed and state.edges_10 not in failed:
            failed.append(state.edges_10)
            raise ValueError("one of those")

    def seen(state, *given):
        keep(state, *given)
        kept.append((state.edges_10 & 63, opened(machine.mem32[GIVEN]) & 63))

    meter.pulses.plan, meter.registers.keep = planned, seen
    prompt.load(100.0)
    prompt.go(8.0)
    assert len(failed) > 3 and prompt.json("s.faults()")["errors"] == len(failed)
    assert all(edges == in_register for edges, in_register in kept)


@pytest.mark.parametrize("seen", [(False, False), (True, False), (False, True)])
def test_AM_6_a_recorder_that_is_loaded_late_is_told_what_the_cycles_before_it_saw(prompt, seen):
    """A failure that stood, or counts that were lost, only before it was there."""
    cycle, recorder = engine_here.meter().cycle, engine_here.meter().intervals
    flags = engine_here.module("storage.interval_ring")
    cycle._intervals = None  # as in the first cycles of a start
    status = cycle._status
    status.set_failure(FAIL_INTERNAL, seen[0])
    poll = cycle._poll

    def lost(*given):
        """As where a front end was reset: for this cycle alone its counter was taken anew."""
        counts = poll(*given)
        cycle._rebased = True
        cycle._poll = poll
        return counts

    if seen[1]:
        cycle._poll = lost
    prompt.go(0.3)
    status.set_failure(FAIL_INTERNAL, False)
    prompt.go(0.3)
    recorder.flags = 0
    cycle.record(recorder)
    assert recorder.flags == (flags.FAILURE if seen[0] else 0) | (flags.GAP if seen[1] else 0)
    prompt.go(1.0)
    assert cycle._intervals is recorder and prompt.errors() == []


def test_LC_6_an_exception_in_the_displays_task_is_counted_and_metering_goes_on(prompt):
    meter = engine_here.meter()
    failing_once(meter.tasks._display, "refresh", 2)
    prompt.go(4.0)
    faults = prompt.json("s.faults()")
    assert (faults["display_errors"], faults["errors"], faults["last_error"]) == (2, 0, "ValueError('one of those')")
    assert prompt.boots() == ["power"] and prompt.errors() == []
    prompt.assert_nothing_lost()


def test_CA_1a_counts_of_a_cycle_that_failed_are_corrected_once(prompt):
    """They come again with the next one."""
    meter = engine_here.meter()
    assert prompt.json("s.cal_set(1, tempco=-12000, reference=600)")["ok"]
    prompt.go(1.0)
    terms = meter.corrected.lines[0].terms
    before = terms[TOTAL]
    prompt.go(1.0)
    in_a_second = terms[TOTAL] - before
    assert abs(in_a_second) > 100  # 0.24 % of 53,333 counts
    totals = []
    step = meter.demand.step

    def fails_for_a_second(*given):
        totals.append(terms[TOTAL])
        if len(totals) <= 10:
            raise ValueError
        step(*given)

    meter.demand.step = fails_for_a_second
    prompt.go(2.0)
    assert meter.cycle.errors == 10
    steps = [after - before for before, after in zip(totals, totals[1:], strict=False)]
    assert max(abs(10 * one - in_a_second) for one in steps) <= 20


# What is left for after a cycle


def watched(meter):
    """What runs from now on, in order: "cycle", "1" or "2" for a register taken down, "note"."""
    order = []

    def noting(part, method, what):
        inner = getattr(part, method)

        def outer(*given):
            order.append(what)
            return inner(*given)

        setattr(part, method, outer)

    noting(meter.cycle, "_measure", "cycle")
    noting(meter.notes, "write", "note")
    for n, element in enumerate(meter.elements):
        noting(element, "take_down", str(n + 1))
    return order


def test_ST_1_a_cycle_that_the_supply_asks_for_waits_for_one_thing_at_most(prompt):
    meter = engine_here.meter()
    order = watched(meter)
    take_down = meter.elements[0].take_down

    def supply_fails_meanwhile():
        take_down()
        meter.tasks._at_once()

    meter.elements[0].take_down = supply_fails_meanwhile
    meter.elements[0].high = meter.elements[1].high = True
    prompt.go(0.25)
    assert order[:4] == ["cycle", "1", "cycle", "2"]
    assert meter.cycle.errors == 0 and not meter.elements[1].high
    prompt.assert_nothing_lost()


def test_ST_1_what_finds_the_queue_of_callbacks_full_comes_after_the_next_cycle(prompt, monkeypatch):
    meter = engine_here.meter()
    order = watched(meter)
    micropython = sys.modules["micropython"]
    schedule = micropython.schedule
    refused = []

    def full_at_first(*given):
        if not refused:
            refused.append(given)
            raise RuntimeError("schedule queue full")
        schedule(*given)

    monkeypatch.setattr(micropython, "schedule", full_at_first)
    meter.elements[1].high = True
    prompt.go(0.35)
    assert refused and order[:3] == ["cycle", "cycle", "2"]
    prompt.assert_nothing_lost()


def test_DX_6_after_an_exception_in_what_is_left_for_later_metering_goes_on(prompt):
    meter = engine_here.meter()
    failing_once(meter.notes, "write", 2)
    prompt.go(5.0)
    assert prompt.json("s.faults()")["errors"] == 2
    assert prompt.json("s.status()")["failures"] == [FAIL_INTERNAL]
    assert prompt.boots() == ["power"] and prompt.errors() == []
    prompt.assert_nothing_lost()


# Restarts


def test_EN_1_a_restart_asked_for_goes_on_where_it_was(prompt):
    meter = engine_here.meter()
    given = []
    keep = meter.registers.keep

    def seen(*values):
        given.append(values[2:])
        keep(*values)

    meter.registers.keep = seen
    run_s = prompt.json("s.status()")["run_s"]
    prompt.execute("restart()")
    prompt.restarted()
    prompt.go(4.0)
    assert prompt.boots() == ["power", "reset"]
    assert given[-2:] == [(0, True)] * 2  # nothing queued is given any more, and the watchdog was being fed
    assert run_s + 3 <= prompt.json("s.status()")["run_s"] <= run_s + 6
    assert logged(prompt) == ["power_up", "seal_opened", "restart"]
    assert prompt.json("s.events(1)")["events"][0]["a"] == 3  # at the prompt
    prompt.assert_nothing_lost()


def test_EN_1_a_reset_between_two_records_books_each_count_once(prompt_here):
    """In flash the newest record is some time old; the register is known by the scratch registers."""
    with prompt_here(amps=50.0, board={"memory": "flash"}) as prompt:
        prompt.go(4.0)
        prompt.stimulus([["fault", None, "cpu", "reset", {}, 0]])
        prompt.go(4.0)
        prompt.restarted()
        assert prompt.boots() == ["power", "reset"]
        assert "demand_lost" not in logged(prompt)
        prompt.assert_nothing_lost()


def test_CA_2_the_seal_restarts_the_meter_as_it_moves_and_a_change_not_stored_is_gone(prompt):
    assert prompt.json("s.cal_set(1, wgain=4300000)")["ok"]
    prompt.seal(True)
    prompt.go(5.0)
    assert prompt.boots() == ["power", "reset"]
    meter = engine_here.meter()
    nominal = meter.stored.lines[0].wgain
    assert meter.calibration[0].wgain == nominal != 4_300_000
    prompt.seal(False)
    prompt.go(5.0)
    assert prompt.boots() == ["power", "reset", "reset"]
    prompt.assert_nothing_lost()


def test_DX_6_a_display_task_that_is_dead_ends_in_a_restart_and_FAIL_05(prompt):
    meter = engine_here.meter()
    fed = []
    meter.cycle._watchdog.feed = lambda: fed.append(meter.cycle.cycles)
    meter.tasks.timers[1].deinit()
    prompt.go(2.2)
    before = meter.cycle.cycles
    assert 1.5 < (before - fed[0]) / 10 < 2.5 and fed[-1] < before  # no longer fed, and no restart yet
    assert prompt.boots() == ["power"]
    prompt.go(10.0)
    assert prompt.boots() == ["power", "reset"]
    assert prompt.json("s.status()")["failures"] == [FAIL_INTERNAL]
    reasons = [one["a"] for one in prompt.json("s.events(9)")["events"] if one["event"] == "restart"]
    assert reasons == [7]
    prompt.assert_nothing_lost()


def test_EN_1_a_counter_that_does_not_reach_back_to_the_record_is_stored_in_the_same_cycle(prompt):
    meter = engine_here.meter()
    cycle = meter.cycle
    saved = []
    save = meter.journal.save

    def seen(*given):
        saved.append(cycle.cycles)
        return save(*given)

    meter.journal.save = seen
    for torn in (False, True):
        prompt.go(0.35)
        del saved[:]
        meter.resuming.waiting, meter.resuming.torn = 3, torn
        at = cycle.cycles + 1
        prompt.go(0.11)
        assert (at in saved) == torn


# The memory


def test_DX_6_FAIL_04_tells_a_register_that_is_not_stored_and_ends_with_it(prompt):
    meter = engine_here.meter()
    meter.journal._commit = lambda _slot: False
    prompt.go(5)
    assert prompt.json("s.status()")["failures"] == [FAIL_NOT_STORED]
    del meter.journal._commit
    prompt.go(2)
    assert prompt.json("s.status()")["failures"] == []
