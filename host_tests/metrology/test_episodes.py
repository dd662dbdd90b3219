"""Conditions in the event log: each with its beginning and its end, at most once a minute (DX-8)."""

import random

import pytest

from openkh import event_codes
from openkh.metrology.episodes import Episodes

CYCLE_US = 100_000
BEGUN, ENDED = event_codes.OVER_CURRENT, event_codes.OVER_CURRENT_ENDED


class Log:
    def __init__(self):
        self.at_s = 0.0
        self.events = []

    def add(self, code, a=0, b=0):
        self.events.append((round(self.at_s, 1), code, a, b))


class Rig:
    def __init__(self):
        self.log = Log()
        self.episodes = Episodes(self.log, tuple(range(BEGUN, BEGUN + 5)), tuple(range(ENDED, ENDED + 5)), 2, 0)

    def run(self, seconds, mask):
        for _ in range(round(seconds * 1_000_000 / CYCLE_US)):
            self.log.at_s += CYCLE_US / 1e6
            self.episodes.step(mask, CYCLE_US)


def test_DX_8_begin_and_end_are_logged_at_once_with_the_line():
    rig = Rig()
    rig.run(5, 0)
    rig.run(540, 0b00100)
    rig.run(5, 0)
    assert rig.log.events == [(5.1, BEGUN + 2, 2, 1), (545.1, ENDED + 2, 2, 0)]


def test_DX_8_what_comes_and_goes_is_logged_once_a_minute_with_the_number_of_times():
    rig = Rig()
    for _ in range(40):  # 3 s on, 3 s off, for 4 minutes
        rig.run(3, 1)
        rig.run(3, 0)
    rig.run(120, 0)
    begun = [event for event in rig.log.events if event[1] == BEGUN]
    assert all(b[0] - a[0] >= 59.9 for a, b in zip(begun, begun[1:], strict=False)) and len(begun) <= 6
    assert sum(times for *_, times in begun) == 40
    ended = [event for event in rig.log.events if event[1] == ENDED]
    assert len(ended) == len(begun)
    assert ended[-1][0] >= begun[-1][0]  # the log's last word is that it is over


@pytest.mark.parametrize("seed", range(5))
def test_DX_8_the_log_ends_with_the_truth_whatever_comes(seed):
    rng = random.Random(seed)
    rig = Rig()
    times = [0] * 5
    mask = 0
    for _ in range(60):
        new = rng.randrange(32)
        for i in range(5):
            times[i] += (new & ~mask) >> i & 1
        mask = new
        rig.run(rng.choice((0.1, 1.0, 7.0, 30.0)), mask)
    rig.run(65, mask)
    for i in range(5):
        own = [event for event in rig.log.events if event[1] in (BEGUN + i, ENDED + i)]
        assert [code - i for _, code, *_ in own] == [BEGUN, ENDED] * (len(own) // 2) + [BEGUN] * (len(own) % 2)
        assert len(own) % 2 == mask >> i & 1
        assert sum(b for _, code, _, b in own if code == BEGUN + i) == times[i]
