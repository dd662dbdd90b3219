"""The round robin over the registers that no checksum covers (DX-6)."""

import pytest

from host_tests.mp.front_end import ade7953_link, element_module
from openkh.drivers.ade7953_registers import IRQSTATA, PERIOD, UNCOVERED

Scrub = element_module.Scrub
AS_WANTED, NO_ANSWER = ade7953_link.AS_WANTED, ade7953_link.NO_ANSWER
PERIOD_STEP = 64
STUCK_TRIES = 3
STEPS = len(UNCOVERED) // 3 + 1  # of a round


class Chip:
    """Register `bad` is altered, and can be mended or not."""

    def __init__(self):
        self.bad = -1
        self.mends = True
        self.mute = False
        self.period = 3_700
        self.looks = 0

    def read(self, address):
        return {PERIOD: self.period, IRQSTATA: 0x40}[address]

    def three_hold(self, n):
        return not n <= self.bad < n + 3

    def holds_uncovered(self, n):
        self.looks += 1
        if self.mute:
            return NO_ANSWER
        return UNCOVERED[n] if n == self.bad else AS_WANTED

    def mend_uncovered(self):
        if self.mends:
            self.bad = -1
        return self.mends


@pytest.fixture
def chip():
    return Chip()


def rounds(scrub, count):
    for _ in range(count * STEPS):
        scrub.step()


@pytest.mark.parametrize("n", range(len(UNCOVERED)))
def test_DX_6_a_register_that_cannot_be_mended_is_told_in_the_third_round_and_no_sooner(chip, n):
    scrub = Scrub(chip)
    chip.bad, chip.mends = n, False
    rounds(scrub, STUCK_TRIES - 1)
    assert scrub.stuck == -1
    rounds(scrub, 1)
    assert scrub.stuck == UNCOVERED[n]
    chip.bad = -1
    rounds(scrub, 1)
    assert scrub.stuck == -1
    chip.bad = n  # again, and counted from the start
    rounds(scrub, STUCK_TRIES - 1)
    assert scrub.stuck == -1


def test_after_a_register_has_held_again_three_are_looked_at_at_once_as_before(chip):
    scrub = Scrub(chip)
    chip.bad, chip.mends = 1, False
    rounds(scrub, 2)
    chip.bad = -1
    rounds(scrub, 1)
    chip.looks = 0
    rounds(scrub, 2)
    assert chip.looks == 0


def test_DX_6_a_register_that_is_mended_is_told_in_that_step_alone(chip):
    scrub = Scrub(chip)
    chip.bad = 4
    seen = []
    for _ in range(2 * STEPS):
        scrub.step()
        seen.append(scrub.altered)
    assert [address for address in seen if address >= 0] == [UNCOVERED[4]] and scrub.stuck == -1


def test_DX_6_no_answer_is_no_altered_register(chip):
    scrub = Scrub(chip)
    chip.bad, chip.mends, chip.mute = 4, False, True
    rounds(scrub, STUCK_TRIES + 1)
    assert scrub.stuck == -1 and scrub.altered == -1


def test_a_spoilt_period_waits_for_the_next_to_agree(chip):
    scrub = Scrub(chip)
    rounds(scrub, 2)
    assert scrub.period == 3_700
    for value, taken in (
        (3_700 + PERIOD_STEP + 1, 3_700),
        (3_700, 3_700),
        (3_700, 3_700),
        (3_636, 3_636),
        (3_700, 3_700),
    ):
        chip.period = value
        rounds(scrub, 1)
        assert scrub.period == taken
