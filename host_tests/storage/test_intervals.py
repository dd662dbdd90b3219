"""Interval data on simulated memories: exact sums through cuts, roll-over, wraps and lost records (AM-6)."""

import random

import pytest

from boards.virtual.parts.fram import Fram as FramChip
from boards.virtual.rp2040.flash import Flash
from openkh.drivers.flash import Flash as FlashDriver
from openkh.metrology.energy import ROLL_WH, book
from openkh.metrology.intervals import Intervals
from openkh.model import Model
from openkh.state import State
from openkh.storage import interval_ring
from openkh.storage.interval_pages import PAGE_BYTES, SLOTS, FlashPages, FramPages

MODEL = Model("MDNCT-1SC", "60Hz")
WHOSE = 0xABCDEF
PER_TENTH = MODEL.counts_per_wh // 10


class CutError(Exception):
    pass


class Fram:
    """A driver on bare bytes, which can be cut off after a number of bytes written."""

    def __init__(self, pages):
        self.memory = bytearray(pages * PAGE_BYTES)
        self.left = None  # bytes until the cut
        self.silent = False

    def write(self, at, buf):
        if self.silent:
            return False
        for i in range(len(buf) - 2):
            if self.left is not None:
                if self.left == 0:
                    raise CutError
                self.left -= 1
            self.memory[at + i] = buf[2 + i]
        return True

    def read(self, at, buf):
        if self.silent:
            return False
        buf[:] = self.memory[at : at + len(buf)]
        return True


class Meter:
    """Register, journal and recorder in steps of five minutes; a record is saved `lag` steps late at most."""

    def __init__(self, pages):
        self.pages = pages
        self.state = State()
        self.saved = State()
        self.start()

    def start(self):
        """Power-up from what the journal holds."""
        self.state = State()
        self.state.copy(self.saved)
        record = State()
        record.copy(self.saved)
        self.intervals = Intervals(self.pages, WHOSE, MODEL, record, False)
        self.state.power_up()
        while not self.intervals._ready:
            self.intervals.step(self.state, False, False, False)

    def cut(self):
        self.start()

    def step(self, counts, save=True, seconds=300, cycles=3, failure=False, gap=False):
        """Time passes; the last cycles see its end."""
        state = self.state
        book(state, counts, MODEL.counts_per_wh)
        state.run_s += seconds
        state.sub_k = state.run_s // 300
        for _ in range(cycles):
            if save:
                self.saved.copy(state)
            self.intervals.step(state, save, failure, gap)

    # What a reader sees

    def entries(self):
        """(number, power_up, flags, end_s, delivered, received) of every slot with an interval, in their order."""
        found = []
        for slot in range(self.intervals.slots):
            buf = bytearray(18)
            self.intervals.encode(slot, buf, 0)
            words = [buf[i] << 8 | buf[i + 1] for i in range(0, 18, 2)]
            if words[2] & 0xC000:
                continue
            number = words[0]
            found.append(
                (
                    number,
                    words[1],
                    words[2],
                    words[3] << 16 | words[4],
                    words[5] << 16 | words[6],
                    words[7] << 16 | words[8],
                )
            )
        first = self.intervals.ring.oldest & 0xFFFF
        return sorted(found, key=lambda entry: entry[0] - first & 0xFFFF)

    def check(self, base=(0, 0)):
        """All intervals and the running one are the register, to the count; `base`: counts before the oldest one."""
        ring = self.intervals.ring
        delivered = sum(entry[4] for entry in self.entries()) * PER_TENTH + base[0]
        received = sum(entry[5] for entry in self.entries()) * PER_TENTH + base[1]
        assert delivered == (ring.wh * 10 + ring.tenths) * PER_TENTH
        assert received == (ring.received_wh * 10 + ring.received_tenths) * PER_TENTH


def fram(pages=8):
    driver = Fram(pages)
    return driver, FramPages(driver, 0, pages)


def flash(blocks=3):
    chip = Flash(blocks)
    return chip, FlashPages(FlashDriver(chip), tuple(range(blocks)))


@pytest.mark.parametrize("memory", [fram, flash], ids=["fram", "flash"])
def test_AM_6_intervals_have_energy_run_time_power_up_and_flags(memory):
    meter = Meter(memory()[1])
    for n in range(12):
        meter.step(PER_TENTH * (100 + n) + 1, failure=n == 4, gap=n == 7)
    for _ in range(2):
        meter.step(-PER_TENTH * 5)
    meter.cut()
    for _ in range(3):
        meter.step(PER_TENTH * 7)
    entries = [entry[1:] for entry in meter.entries()]
    assert entries == [
        (1, 0, 900, 303, 0),
        (1, interval_ring.FAILURE, 1800, 312, 0),
        (1, interval_ring.GAP, 2700, 321, 0),
        (1, 0, 3600, 330, 0),
        (1, interval_ring.POWER_LOST, 4200, 0, 10),
        (2, 0, 900, 21, 0),
    ]
    meter.check()


@pytest.mark.parametrize("memory", [fram, flash], ids=["fram", "flash"])
@pytest.mark.parametrize("seed", range(4))
def test_AM_6_sums_are_the_register_through_wraps_cuts_and_roll_over(memory, seed):
    rng = random.Random(seed)
    meter = Meter(memory()[1])
    meter.saved.delivered_wh = ROLL_WH - 3_000
    meter.start()
    for _ in range(10 * 3 * SLOTS * 8):
        power = rng.choice((0, 3, 1000, 5000, -2000))
        meter.step(power * PER_TENTH // 7, save=rng.random() < 0.9, seconds=rng.choice((300, 300, 299, 301, 20)))
        if rng.random() < 0.02:
            meter.cut()
    ring = meter.intervals.ring
    entries = meter.entries()
    assert len(entries) > 3 * SLOTS
    # The page before the oldest one is gone: its header's mark is what the slots from there on count from.
    page = ring.oldest // SLOTS % meter.pages.count
    buf = bytearray(28)
    assert meter.pages.read(page, buf)
    wh = int.from_bytes(buf[14:18], "little")
    received = int.from_bytes(buf[19:23], "little")
    base = ((wh * 10 + buf[18]) * PER_TENTH, (received * 10 + buf[23]) * PER_TENTH)
    delivered = sum(entry[4] for entry in entries) * PER_TENTH
    assert (base[0] + delivered) % (ROLL_WH * 10 * PER_TENTH) == (ring.wh * 10 + ring.tenths) * PER_TENTH
    assert base[1] + sum(entry[5] for entry in entries) * PER_TENTH == (
        (ring.received_wh * 10 + ring.received_tenths) * PER_TENTH
    )


def test_AM_6_ST_1_a_cut_at_any_byte_loses_nothing_of_the_sum():
    """Each byte of the writes around a new page, a power-up's slots and an interval."""
    for cut_at in range(0, 700, 3):
        driver, pages = fram(3)
        meter = Meter(pages)
        for _ in range(3 * (SLOTS - 2)):
            meter.step(PER_TENTH * 11)
        driver.left = cut_at
        try:
            meter.step(PER_TENTH * 13)
            meter.step(PER_TENTH * 13)
            meter.cut()
            for _ in range(20):
                meter.step(PER_TENTH * 17)
        except CutError:
            pass
        driver.left = None
        meter.cut()
        for _ in range(9):
            meter.step(PER_TENTH * 19)
        ring = meter.intervals.ring
        register = (meter.state.delivered_wh * 10) * PER_TENTH + meter.state.delivered_counts
        running = register - (ring.wh * 10 + ring.tenths) * PER_TENTH
        assert 0 <= running <= 3 * 19 * PER_TENTH, cut_at
        meter.check()


@pytest.mark.parametrize("operation", range(6))
@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_AM_6_ST_1_a_cut_in_a_flash_operation_loses_nothing_of_the_sum(operation, fraction):
    chip, pages = flash(2)
    meter = Meter(pages)
    for _ in range(3 * (16 * SLOTS - 3)):
        meter.step(PER_TENTH * 11, cycles=4)
        meter.intervals.tidy() if meter.intervals.ring.number < 16 * SLOTS - 30 else None

    def cut():
        raise CutError

    chip.cut_in, chip.cut_fraction, chip.on_cut = operation, fraction, cut
    try:
        for _ in range(12):
            meter.step(PER_TENTH * 13, cycles=4)
            meter.intervals.tidy()
    except CutError:
        pass
    chip.cut_in = -1
    meter.cut()
    for _ in range(12):
        meter.step(PER_TENTH * 19, cycles=6)
    ring = meter.intervals.ring
    register = (meter.state.delivered_wh * 10) * PER_TENTH + meter.state.delivered_counts
    running = register - (ring.wh * 10 + ring.tenths) * PER_TENTH
    assert 0 <= running <= 3 * 19 * PER_TENTH


def test_AM_6_a_memory_that_is_silent_for_hours_leaves_one_long_interval():
    driver, pages = fram()
    meter = Meter(pages)
    for _ in range(3):
        meter.step(PER_TENTH * 10)
    driver.silent = True
    for _ in range(30):
        meter.step(PER_TENTH * 10)
    driver.silent = False
    for _ in range(6):
        meter.step(PER_TENTH * 10)
    entries = meter.entries()
    assert [entry[3] for entry in entries][:2] == [900, 9900]
    assert entries[1][2] & interval_ring.GAP
    assert sum(entry[4] for entry in entries) == 10 * 39
    meter.check()


@pytest.mark.parametrize("memory", [fram, flash], ids=["fram", "flash"])
def test_AM_6_an_interval_waits_for_the_journal_to_hold_its_end(memory):
    """Written before, a cut would take the register back behind what the intervals add up to."""
    meter = Meter(memory()[1])
    for _ in range(3):
        meter.step(PER_TENTH * 10, save=False, cycles=1)
    for _ in range(5):
        meter.intervals.step(meter.state, False, False, False)
    assert meter.entries() == []
    meter.intervals.step(meter.state, True, False, False)
    assert [entry[3:5] for entry in meter.entries()] == [(900, 30)]


def test_AM_6_a_block_of_flash_is_erased_ahead_in_the_last_page_of_the_one_before_and_once():
    _, pages = flash()
    meter = Meter(pages)
    erased = []
    block = 16 * SLOTS
    for n in range(3 * (3 * block + 2)):
        meter.step(PER_TENTH * 11)
        if meter.intervals.tidy():
            erased.append(n // 3)
    assert [n // block for n in erased] == [0, 1, 2]
    assert all(n % block >= 15 * SLOTS - 6 for n in erased)


def test_AM_6_FRAM_has_nothing_to_erase():
    meter = Meter(fram()[1])
    for _ in range(3 * 2 * SLOTS):
        meter.step(PER_TENTH * 11)
        assert not meter.intervals.tidy()


def test_AM_6_a_register_that_a_lost_record_took_back_catches_up():
    _, pages = fram()
    meter = Meter(pages)
    for _ in range(6):
        meter.step(PER_TENTH * 100)
    meter.saved.delivered_wh -= 5
    meter.cut()
    for _ in range(6):
        meter.step(PER_TENTH * 100)
    assert sum(entry[4] for entry in meter.entries()) == 10 * (meter.state.delivered_wh)
    meter.check()


def test_AM_6_damage_is_told_and_its_energy_is_not_made_up():
    driver, pages = fram()
    meter = Meter(pages)
    for _ in range(9):
        meter.step(PER_TENTH * 100)
    driver.memory[28 + 2 * 6 + 2] ^= 4
    meter.intervals.ring._cached = -1
    buf = bytearray(18)
    meter.intervals.encode(2, buf, 0)
    assert buf[4] << 8 | buf[5] == interval_ring.DAMAGED and buf[10:] == bytes(8)
    assert len(meter.entries()) == 2


def test_AM_6_short_power_ups_do_not_use_the_memory_up():
    _, pages = fram()
    meter = Meter(pages)
    for _ in range(500):
        meter.step(PER_TENTH, seconds=20)
        meter.cut()
    assert meter.intervals.ring.number == 1
    for _ in range(3):
        meter.step(PER_TENTH)
    [(_, _, flags, end_s, delivered, _)] = meter.entries()
    assert flags == interval_ring.POWER_LOST and end_s == 900 and delivered == 503


@pytest.mark.parametrize(("seconds", "entries"), [(59, 0), (60, 1)])
def test_AM_6_a_loss_of_power_ends_an_interval_of_a_minute_or_more(seconds, entries):
    _, pages = fram()
    meter = Meter(pages)
    meter.step(PER_TENTH * 5, seconds=seconds)
    meter.cut()
    meter.step(PER_TENTH, seconds=10)
    assert len(meter.entries()) == entries


def test_AM_6_what_is_stored_stays_readable():
    """The kinds of slots as they lie in memories that are in use."""
    assert (interval_ring.POWER_UP, interval_ring.JUMP, interval_ring.PARTIAL) == (9, 11, 8)


def test_AM_6_another_meter_s_memory_is_begun_anew():
    _, pages = fram()
    meter = Meter(pages)
    for _ in range(9):
        meter.step(PER_TENTH * 100)
    other = Intervals(pages, WHOSE ^ 1, MODEL, State(), False)
    for _ in range(3):
        other.step(State(), False, False, False)
    assert other._ready and not other.ring.found and other.ring.number <= 1


def test_AM_6_ST_3_35_days_and_their_wear():
    """FRAM: 90 pages; a page is written once in 9.5 h. Flash: 7 blocks, each erased once in 44 days."""
    from openkh.storage import layout

    pages = layout.FRAM_INTERVALS[1]
    power_ups = 11  # of a minute and more, two slots each
    assert (pages - 1) * SLOTS - 2 * power_ups >= 35 * 96
    blocks = layout.FLASH_INTERVAL_BLOCKS
    assert (blocks - 1) * 16 * SLOTS - 2 * power_ups >= 35 * 96
    erases = 20 * 365 * 96 / (16 * SLOTS * blocks)
    assert erases < 100_000 / 100


def test_a_real_fram_model_takes_the_same(tmp_path):
    """The pages on the simulated chip behind the real driver."""
    del tmp_path
    from openkh.drivers.fram import Fram as Driver

    chip = FramChip(32768, 1)

    class Bus:
        def writeto(self, _address, buf, stop=True):
            acked = chip.write(bytes(buf))
            if stop:
                chip.stop()
            return acked

        def readfrom_into(self, _address, buf):
            chip.read(buf)
            chip.stop()

    chip.power(True)
    meter = Meter(FramPages(Driver(Bus(), 0x50, 32768), 0x2000, 94))
    for _ in range(3 * 60):
        meter.step(PER_TENTH * 3)
    assert len(meter.entries()) == 60
    meter.check()
