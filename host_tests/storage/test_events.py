"""The event log: bounded, never torn, calibration entries apart (ST-1, CA-2)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.rigs.memory_rig import Cut, Rig
from openkh import event_codes
from openkh.storage import layout
from openkh.storage.events import CODES

MEDIA = ["fram", "flash"]
both = pytest.mark.parametrize("medium", MEDIA)


def loaded(rig):
    log = rig.log()
    assert log.load()
    return log


def write(log, *events, tidy=True):
    for run_s, code, a, b in events:
        log.run_s = run_s
        log.add(code, a, b)
        log.step()
        if tidy:
            log.tidy()


def texts(log):
    return [entry[1:] for entry in log.entries()]


@both
def test_ST_1_events_survive_in_their_order(medium):
    rig = Rig(medium)
    events = [(n, 1 + n % 60, n - 500, (1 << 30) - 1 - n) for n in range(60)]
    log = loaded(rig)
    write(log, *events[:30])
    log = loaded(rig)
    write(log, *events[30:])
    assert texts(log) == events
    assert texts(loaded(rig)) == events
    assert sum(ring.damaged for ring in log._rings) == 0


@both
def test_ST_1_the_oldest_make_room(medium):
    rig = Rig(medium)
    slots = rig.memory().logs[0].slots
    kept = slots if medium == "fram" else slots - 192 - 16
    log = loaded(rig)
    for n in range(3 * slots):
        write(log, (60 * n, 1 + n % 30, n, 0))
        if n % 37 == 0:
            log = loaded(rig)
    seen = [entry[3] for entry in loaded(rig).entries()]
    assert len(seen) >= kept
    assert seen == list(range(3 * slots - len(seen), 3 * slots))


@pytest.mark.parametrize("wiped", [(0,), (1,), (127,), (0, 1), (0, 127), (0, 1, 2, 3)])
def test_ST_2_a_ring_whose_ends_read_blank_is_not_taken_for_a_new_one(wiped):
    """Blank means that the first two slots and the last one are: where any of them holds an entry the others count."""
    rig = Rig("fram")
    log = loaded(rig)
    events = [(60 * n, 1 + n % 30, n, 0) for n in range(128)]
    write(log, *events)
    region = rig.memory().logs[0]
    for slot in wiped:
        view = region.view(slot)
        view[:] = bytes(len(view))
        assert region.commit(slot)
    log = loaded(rig)
    write(log, (9_000, 31, 500, 0))
    seen = [entry[3] for entry in loaded(rig).entries()]
    kept = [n for n in range(128) if n not in wiped]
    assert seen[-1] == 500 and len(seen) >= len(kept) and set(seen) <= {*kept, 500}


def test_ST_2_the_next_block_of_flash_is_erased_before_the_one_in_use_is_full():
    rig = Rig("flash")
    log = loaded(rig)
    group = rig.memory().logs[0].group
    done = []
    for n in range(group - 1):
        write(log, (60 * n, 1 + n % 30, n, 0), tidy=False)
        if log.tidy():
            done.append(n)
    assert group - 20 <= done[-1] <= group - 16 and [n for n in done[:-1] if n] == []


@both
def test_CA_2_other_events_never_displace_calibration_entries(medium):
    rig = Rig(medium)
    log = loaded(rig)
    service = [(5, event_codes.SEAL_OPENED, 0, 0), (6, event_codes.CALIBRATION, 17, 4_234_704)]
    write(log, *service)
    for n in range(2000):
        write(log, (100 + 60 * n, 1 + n % 30, n, 0))
    assert [text for text in texts(loaded(rig)) if text[1] >= event_codes.SEAL_OPENED] == service


@both
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_ST_1_no_entry_is_ever_torn(medium, data):
    """Cut anywhere, any number of times: what is read is a run of what was added, in order, nothing else."""
    rig = Rig(medium, seed=data.draw(st.integers(1, 999)))
    added = []
    log = loaded(rig)
    for _ in range(data.draw(st.integers(1, 12))):
        rig.chip.cut_in = data.draw(st.integers(0, 400 if medium == "fram" else 12))
        rig.chip.cut_fraction = data.draw(st.floats(0, 1))
        log.run_s = 0
        try:
            while True:
                event = (60 * len(added), 1 + len(added) % 30, len(added), -len(added))
                added.append(event)
                write(log, event)
        except Cut:
            pass
        rig.power(True)
        log = loaded(rig)
    seen = texts(log)
    numbers = [event[2] for event in seen]
    assert numbers == sorted(set(numbers))
    assert all(event == added[event[2]] for event in seen)
    # Only the one in progress at each cut may be missing.
    assert len(seen) >= min(len(added), 100) - 12


@both
def test_ST_3_an_endless_repetition_is_held_back_and_others_get_through(medium):
    rig = Rig(medium)
    log = loaded(rig)
    for n in range(36_000):  # an hour of one event a cycle
        log.run_s = n // 10
        log.add(event_codes.READING_REJECTED, 1, n)
        if n == 35_000:
            log.add(event_codes.DISPLAY_BACK, 7)
        log.step()
        log.tidy()
    entries = log.entries()
    assert len(entries) <= 32 + 60 + 1
    assert any(entry[2] == event_codes.DISPLAY_BACK for entry in entries)
    assert log.held_back == 36_001 - len(entries) - log.lost


def test_the_queue_is_bounded_and_what_it_loses_is_counted():
    log = loaded(Rig("fram"))
    for n in range(50):
        log.add(1 + n % 50, n)
    assert log.pending == 32
    assert (log.added, log.lost) == (50, 18)
    for _ in range(40):
        log.step()
    assert [entry[3] for entry in log.entries()] == list(range(32))


def test_ST_2_every_event_there_is_has_its_place():
    log = loaded(Rig("fram"))
    for n, code in enumerate(sorted(event_codes.NAMES)):
        write(log, (60 * n, code, n, 0))
    assert sorted(entry[2] for entry in log.entries()) == sorted(event_codes.NAMES)


def test_CA_3a_an_entry_that_is_taken_back_is_not_written_and_no_other_goes_with_it():
    log = loaded(Rig("fram"))
    for a in (1, 2, 1, 3):
        log.add(7 if a != 3 else 8, a)
    log.withdraw(7, 1)
    log.withdraw(8, 2)
    for _ in range(5):
        log.step()
    assert [entry[2:4] for entry in log.entries()] == [(7, 2), (8, 3)] and log.pending == 0


def test_events_wait_while_the_memory_is_silent():
    rig = Rig("fram")
    rig.chip.silent = True
    log = rig.log()
    assert not log.load()
    log.add(1, 5)
    for n in range(50):
        log.run_s = n // 10
        log.step()
    assert log.pending == 1
    rig.chip.silent = False
    for n in range(50, 70):
        log.run_s = n // 10
        log.step()
    assert log.pending == 0
    assert texts(log) == [(0, 1, 5, 0)]


@both
def test_a_write_that_does_not_hold_is_done_again(medium):
    rig = Rig(medium)
    log = loaded(rig)
    write(log, (1, 1, 1, 1))
    rig.chip.stuck = True
    write(log, (2, 2, 2, 2), tidy=False)
    assert log.errors >= 1
    assert log.pending == 1
    rig.chip.stuck = False
    for n in range(3, 20):
        log.run_s = n
        log.step()
    assert texts(loaded(rig)) == [(1, 1, 1, 1), (2, 2, 2, 2)]


@both
def test_a_damaged_entry_costs_only_itself(medium):
    rig = Rig(medium)
    log = loaded(rig)
    write(log, *[(n, 1 + n % 60, n, 0) for n in range(60)])
    region = rig.memory().logs[0]
    for slot in (10, 30, 58):
        at = (
            layout.FRAM_EVENTS[0] + slot * layout.FRAM_EVENTS[2]
            if medium == "fram"
            else region.blocks[0] * 4096 + slot // 12 * 256 + slot % 12 * 20
        )
        rig.chip.memory[at + 9] ^= 4
    log = loaded(rig)
    assert len(texts(log)) >= 56
    write(log, (99, 9, 9, 9))
    assert texts(loaded(rig))[-1] == (99, 9, 9, 9)


def test_ST_2_where_the_end_of_the_ring_is_not_found_by_halving_each_damaged_slot_is_counted():
    rig = Rig("fram")
    write(loaded(rig), *[(n, 1 + n % 60, n, 0) for n in range(60)])
    first, _, size = layout.FRAM_EVENTS
    for slot in (0, 10, 30, 63):
        rig.chip.memory[first + slot * size + 9] ^= 4
    log = loaded(rig)
    assert log._rings[0].damaged == 4
    assert len(texts(log)) == 57


@both
def test_CA_2_the_newest_entry_of_the_seal_is_known_at_a_start(medium):
    """So that a seal that has moved while the power was off is told."""
    rig = Rig(medium)
    log = loaded(rig)
    assert log.newest_of_seal() == 0
    for code in (event_codes.SEAL_OPENED, event_codes.SEAL_CLOSED):
        write(log, (5, code, 0, 0), (6, event_codes.POWER_UP, 0, 0))
        log = loaded(rig)
        assert log.newest_of_seal() == code


@both
def test_the_prompt_gets_the_log_over_many_cycles(medium):
    rig = Rig(medium)
    log = loaded(rig)
    write(log, *[(n, 1 + n % 60, n, 0) for n in range(100)])
    found = log.collect()
    steps = 0
    while log.wanted is not None:
        log.step()
        steps += 1
    assert steps < 60  # a block of flash is left at its first erased slot
    assert log.sorted(found) == log.entries()


def test_order_numbers_wrap():
    rig = Rig("fram")
    log = loaded(rig)
    log.order = 0xFFFFFF - 50
    write(log, *[(n, 1 + n % 60, n, 0) for n in range(100)])
    log = loaded(rig)
    assert [entry[3] for entry in log.entries()] == list(range(100))
    write(log, (5, 5, 5, 5))
    assert texts(loaded(rig))[-1] == (5, 5, 5, 5)


def test_every_event_has_a_number_of_its_own_that_the_log_can_count_and_a_name():
    numbers = {name: value for name, value in vars(event_codes).items() if name.isupper() and isinstance(value, int)}
    assert len(set(numbers.values())) == len(numbers)
    assert set(event_codes.NAMES) == set(numbers.values())
    assert all(event_codes.NAMES[value] == name.lower() for name, value in numbers.items())
    assert min(numbers.values()) > 0 and max(numbers.values()) < CODES
