"""The ring of slots under the interval data: a slot that the memory does not take (AM-6, ST-2)."""

from host_tests.storage.test_intervals import PER_TENTH, Meter, flash, fram
from openkh.storage.interval_pages import SLOTS
from openkh.storage.interval_ring import GAP, MOST, POWER_LOST


def test_AM_6_ST_2_a_slot_of_flash_that_does_not_read_back_is_passed_over():
    """Flash takes nothing more there; in FRAM the slot is written again."""
    for memory, passed_over in ((fram, 0), (flash, 1)):
        meter = Meter(memory()[1])
        for _ in range(9):
            meter.step(PER_TENTH * 100)
        ring = meter.intervals.ring
        number, fill = ring.number, ring._fill
        ring._fill = lambda slot, kind, a, b, fill=fill: fill(slot, kind, a ^ 1, b)
        assert not ring.append(1, 10, 0)
        del ring._fill
        assert ring.number == number + passed_over
        assert ring.append(1, 10, 0) and ring.number == number + passed_over + 1
        assert ring.decode(number + passed_over) == 1 and ring.a == 10


def test_AM_6_energy_that_does_not_fit_a_slot_is_left_to_the_next_interval():
    meter = Meter(fram()[1])
    for tenths in (MOST + 1_000, 0, 0, 5, 0, 0, -MOST - 1_000, 0, 0, 0, 0, 0):
        meter.step(PER_TENTH * tenths)
    assert [(entry[2], entry[4], entry[5]) for entry in meter.entries()] == [
        (GAP, MOST, 0),
        (0, 1_005, 0),
        (GAP, 0, MOST),
        (0, 0, 1_000),
    ]
    meter.check()


def test_AM_6_a_block_whose_erase_did_not_succeed_is_erased_again():
    meter = Meter(flash()[1])
    ring = meter.intervals.ring
    while ring.number % (16 * SLOTS) < 15 * SLOTS:
        meter.step(PER_TENTH * 11)
    erase, erased = ring._pages.erase, []
    ring._pages.erase = lambda page: bool(erased.append(page))
    assert meter.intervals.tidy() and erased == [16]
    ring._pages.erase = lambda page: erased.append(page) or erase(page)
    assert [meter.intervals.tidy() for _ in range(3)] == [True, False, False] and erased == [16, 16]


def test_AM_6_the_interval_after_a_power_up_of_seconds_is_written_with_its_flag():
    meter = Meter(fram()[1])
    meter.step(PER_TENTH * 3, seconds=30)
    meter.cut()
    for _ in range(3):
        meter.step(PER_TENTH * 5, save=False)  # the record with its end comes some cycles later
    meter.intervals.step(meter.state, True, False, False)
    assert [(entry[2], entry[4]) for entry in meter.entries()] == [(POWER_LOST, 18)]
