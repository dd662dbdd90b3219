"""A change of stored data is made by its entry in the log: before it the old state, from it on the new one (CA-3a)."""

import pytest

from host.rigs.memory_rig import Cut, Rig
from openkh import event_codes
from openkh.storage.events import EventLog

both = pytest.mark.parametrize("medium", ["fram", "flash"])
SAVED = event_codes.CALIBRATION_SAVED


def parts(rig):
    memory = rig.memory()
    log = EventLog(memory.logs)
    assert log.load()
    vault = rig.vault()
    vault.load()
    return vault, log


def save(vault, log, count):
    """As requests.Store does it, a step at a time."""
    vault.begin(b"%d" % count)
    told = False
    while True:
        if vault.before_last and not told:
            log.add(SAVED, count)
            while log.pending:
                log.step()
                log.tidy()
            told = True
            yield
        yield
        if not vault.step():
            return


def after_start(rig):
    """(data, whether its entry is in the log) as a start finds them."""
    vault, log = parts(rig)
    if vault.unconfirmed:
        vault.settle(log, SAVED, int)
    count = int(vault.data)
    return count, log.holds(SAVED, count), log.holds(SAVED, count + 1)


@both
@pytest.mark.parametrize("fraction", [0.0, 0.4, 1.0])
def test_CA_3a_a_cut_at_any_moment_leaves_the_old_state_without_an_entry_or_the_new_one_with_it(medium, fraction):
    rig = Rig(medium)
    vault, log = parts(rig)
    for _ in save(vault, log, 1):
        pass
    count = 1
    for cut_in in range(0, 420, 9) if medium == "fram" else range(8):
        vault, log = parts(rig)
        rig.chip.cut_in, rig.chip.cut_fraction = cut_in, fraction
        try:
            for _ in save(vault, log, count + 1):
                pass
        except Cut:
            pass
        rig.chip.cut_in = -1
        rig.power(True)
        found, entry, next_entry = after_start(rig)
        assert found in (count, count + 1)
        assert entry and not next_entry, (cut_in, found, count)
        assert after_start(rig) == (found, entry, next_entry)
        count = found


@both
def test_CA_3a_a_version_that_lost_a_copy_to_damage_is_still_in_force(medium):
    rig = Rig(medium)
    vault, log = parts(rig)
    for count in (1, 2):
        for _ in save(vault, log, count):
            pass
    for n in range(200):  # the entry is displaced in the log
        log.add(event_codes.CALIBRATION, n)
        while log.pending:
            log.step()
            log.tidy()
    head = bytes((vault.version & 255, vault.version >> 8))
    copies = [
        at
        for at in range(len(rig.chip.memory) - 8)
        if rig.chip.memory[at] == 0x5A and rig.chip.memory[at + 4 : at + 6] == head
    ]
    at = copies[-1]
    rig.chip.memory[at + 20] ^= 8
    vault, _ = parts(rig)
    assert not vault.unconfirmed and vault.data == b"2"


@both
def test_CA_3a_no_number_of_seal_and_bench_entries_displaces_a_calibration_entry(medium):
    rig = Rig(medium)
    _, log = parts(rig)
    service = [(event_codes.CALIBRATION_OLD, 17), (event_codes.CALIBRATION, 17), (SAVED, 1), (event_codes.IDENTITY, 1)]
    others = (event_codes.FINE_PULSES_ON, event_codes.FINE_PULSES_OFF, event_codes.SEAL_CLOSED, event_codes.SEAL_OPENED)
    for code, a in service + [(code, 0) for code in others] * 130:
        log.add(code, a)
        while log.pending:
            log.step()
            log.tidy()
    found = [(entry[2], entry[3]) for entry in parts(rig)[1].entries()]
    assert found[: len(service)] == service
    assert len(found) >= len(service) + 20
