"""The reader of the glass, which every `lcd` report rests on, against what the firmware means at that moment."""

import random

import pytest

from host_tests.display.glass_bench import Bench
from openkh.metrology import status as dx

BARS = {dx.UNJUDGED: "off", dx.NORMAL: "right", dx.LOW_CURRENT: "off", dx.REVERSE: "left", dx.FAILURE: "blink"}


def meant(bench):
    """(screen, text, symbols, bar, blinking) by the firmware's own state (DX table, LC-1)."""
    status = bench.status
    look = bench.reader.glass.read(bench.controller.lit())
    screen = chr(bench.screens.screen)
    lines = [f"L{n}" for n in (1, 2) if status.lines >> (n - 1) & 1]
    failure = ["id"] if status.failures else []
    if screen == "8":
        return screen, look["text"], set(look["symbols"]), "solid", failure
    bar = BARS.get(status.condition, "solid")
    blinking = lines + failure + (["bar"] if bar == "blink" else [])
    return screen, look["text"], {*look["symbols"], *lines}, bar, blinking


def happen(choice, bench):
    """Something at random on one of the lines, or a failure."""
    e = choice.choice((bench.one, bench.two))
    what = choice.randrange(9)
    if what < 6:
        e.set(
            *(
                (95.0,),
                (140.0,),
                (120.0, 10.0, 1200.0),
                (None, None, -500.0),
                (None, None, 5.0),
                (None, 5.0, 50.0, 590.0),
            )[what]
        )
    elif what == 6:
        bench.status.set_failure(choice.choice((3, 4, 5)), choice.random() < 0.4)
    elif what == 7:
        e.silent = not e.silent
        e.fresh = not e.silent
    else:
        bench.normal()
        for n in (3, 4, 5):
            bench.status.set_failure(n, False)


@pytest.mark.parametrize("seed", range(12))
def test_what_stands_for_a_while_is_told_as_it_is_meant(seed):
    """Forty changes at random moments: whatever stood for 1.5 s or more was told, for its middle, exactly."""
    choice = random.Random(seed)
    bench = Bench(startup=seed % 3 == 0).normal()
    states = []
    refreshed = bench.controller.on_refresh

    def watch():
        refreshed()
        now = meant(bench)
        if not states or states[-1][1] != now:
            states.append((bench.t_us / 1e6, now))

    bench.controller.on_refresh = watch
    for _ in range(40):
        happen(choice, bench)
        bench.run(choice.choice((0.3, 1.1, 2.7, 5, 9)) + choice.random())
    bench.said()
    for (start, state), (end, _) in zip(states, states[1:]):
        if end - start < 1.5:
            continue
        middle = (start + end) / 2
        told = [r for t, r in bench.records if t <= middle][-1]
        assert (told["screen"], told["text"], set(told["symbols"]), told["bar"], told["blinking"]) == state, start


def test_a_power_cut_tells_what_was_held_back_and_then_a_blank_glass():
    bench = Bench().normal()
    bench.run(6)
    bench.one.set(volts=95.0)
    bench.run(2.4)
    bench.reader.off(bench.t_us)
    bench.reader.finish(bench.t_us)
    times = [t for t, _ in bench.records]
    assert times == sorted(times)
    assert bench.records[-1] == (8.4, {"screen": "", "text": "", "symbols": [], "bar": "off", "blinking": []})
    assert bench.records[-2][1]["bar"] == "solid"


def test_unreadable_shapes_are_told_as_such():
    bench = Bench()
    image = bytearray(20)
    for name in ("3a", "3d", "0a", "0b"):
        index, bit = bench.reader.glass.places[name]
        image[index] |= bit
    assert bench.reader.glass.read(image)["text"] == "?"
    assert bench.reader.glass.read(image)["screen"] == "?"
