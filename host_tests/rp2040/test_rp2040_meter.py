"""The deployed firmware on the emulated RP2040: the same reports as the other engines, and what only a chip shows."""

import pytest

from host.rp2040.engine import Rp2040Link
from host.sim.link import Link

pytestmark = pytest.mark.rp2040

SECOND_US = 1_000_000
CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}}
TIME_S = 0.3  # how far times may differ: there code takes time


def mains(t_us: int, amps_1: float, amps_2: float, degrees: float = 0.0, volts_2: float = 120.0) -> list:
    return ["mains", t_us, 0, [120.0, amps_1, degrees, 0.0], [volts_2, amps_2, degrees, 180.0], 60.0]


# A start without load (what the start costs does not count), load, other power factor, low voltage on line 2.
STORY = [
    mains(0, 0.0, 0.0),
    mains(2 * SECOND_US, 100.0, 100.0),  # before a meter that has started says of a line that it has no load
    mains(9 * SECOND_US, 100.0, 40.0, 60.0),
    mains(14 * SECOND_US, 5.0, 3.0, 0.0, 98.0),
]
STORY_S = 24


def run(link: Link, stimulus: list, seconds: int) -> dict:
    """Everything the engine says, with the output of the whole run under `out`."""
    out = link.run(seconds * SECOND_US, stimulus)["out"]
    final = link.finish()
    final["out"] = out + final["out"]
    return final


def started_us(out: list) -> int:
    """When the meter switched its 12 V on: the last thing of its start."""
    return next(item[1] for item in out if item[0] == "edge" and item[2] == "rail12" and item[3])


@pytest.fixture(scope="module")
def both() -> tuple[dict, dict]:
    """The story on the emulated chip and on CPython.

    On the chip the start takes its time, elsewhere code takes none: there the mains come later by the difference, so
    that both meters start at the same moment of the story.
    """
    with Rp2040Link(CONFIG) as link:
        chip = run(link, STORY, STORY_S)
    with Link("cpython", CONFIG) as link:
        later_us = started_us(chip["out"]) - started_us(run(link, STORY, 3)["out"])
    dark = ["mains", 0, 0, [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 180.0], 60.0]
    first = [STORY[0][0], later_us, *STORY[0][2:]]
    with Link("cpython", CONFIG) as link:
        return chip, run(link, [dark, first, *STORY[1:]], STORY_S)


def lit(final: dict) -> list:
    """What the glass said and kept saying for longer than times may differ."""
    items = [item for item in final["out"] if item[0] == "lcd" and item[2]["screen"]]
    ends_us = [*(item[1] for item in items[1:]), STORY_S * SECOND_US]
    return [item for item, end_us in zip(items, ends_us, strict=True) if end_us - item[1] > TIME_S * SECOND_US]


def screens(final: dict) -> list[tuple]:
    return [
        (item[2]["screen"], item[2]["text"], tuple(item[2]["symbols"]), item[2]["bar"], tuple(item[2]["blinking"]))
        for item in lit(final)
    ]


def test_register_is_within_one_cycles_energy(both: tuple[dict, dict]) -> None:
    """EN-2: 24 kW for 100 ms are 0.67 Wh."""
    chip, other = both
    for name in ("delivered_wh", "received_wh"):
        assert abs(float(chip["register"][name]) - float(other["register"][name])) <= 24_000 / 36_000


def test_PO_1_the_same_pulses_at_the_same_times(both: tuple[dict, dict]) -> None:
    chip, other = both
    edges = [[item for item in final["out"] if item[0] == "edge" and item[2] != "rail12"] for final in both]
    assert [item[2:] for item in edges[0]] == [item[2:] for item in edges[1]]
    assert max(abs(a[1] - b[1]) for a, b in zip(*edges, strict=True)) <= TIME_S * SECOND_US
    assert chip["pulses"] == other["pulses"]
    assert chip["counter"]["counts"] == other["counter"]["counts"]


def test_LC_the_glass_says_the_same(both: tuple[dict, dict]) -> None:
    chip, other = both
    assert screens(chip) == screens(other)
    times = [[item[1] for item in lit(final)] for final in both]
    assert max(abs(a - b) for a, b in zip(*times, strict=True)) <= TIME_S * SECOND_US


def test_events_and_status_are_the_same(both: tuple[dict, dict]) -> None:
    chip, other = both
    names = [[(event["event"], event["a"], event["b"]) for event in final["events"]] for final in both]
    assert names[0] == names[1]
    assert chip["status"] == other["status"]
    assert chip["firmware"]["faults"] == other["firmware"]["faults"]


def test_a_hang_ends_by_the_watchdog_and_no_energy_is_lost() -> None:
    """EN-2, MD-4, PO-4: the chips count on, the register takes it up, no pulse is given twice."""
    with Rp2040Link(CONFIG) as link:
        hang = ["fault", 5 * SECOND_US, "cpu", "hang", {}, 0]
        final = run(link, [mains(0, 100.0, 100.0), hang], 20)
    boots = [item for item in final["out"] if item[0] == "boot"]
    assert [item[2] for item in boots] == ["power", "watchdog"]
    assert 12.9 * SECOND_US <= boots[1][1] <= 13.2 * SECOND_US  # 8 s after the last cycle
    counts = sum(chip["counts"] for chip in final["counted"])
    register = float(final["register"]["delivered_wh"])
    assert 0 <= counts / 32_000 - register <= 24_000 / 36_000 + 24_000 / 3600 * 1.4  # and what the start left out
    assert final["pulses"]["10"] == int((register - 24_000 / 3600 * 0.5) // 10)
    assert "restart" in [event["event"] for event in final["events"]]
