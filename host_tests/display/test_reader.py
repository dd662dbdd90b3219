"""The reader of the glass, which every `lcd` report rests on, against what the firmware means at that moment."""

import random

import pytest

from host_tests.display.glass_rig import GlassRig
from openkh.metrology import status as dx

BARS = {dx.UNJUDGED: "off", dx.NORMAL: "right", dx.LOW_CURRENT: "off", dx.REVERSE: "left", dx.FAILURE: "blink"}


def meant(rig):
    """(screen, text, symbols, bar, blinking) by the firmware's own state (DX table, LC-1)."""
    status = rig.status
    look = rig.reader.glass.read(rig.controller.lit())
    screen = chr(rig.screens.screen)
    lines = [f"L{n}" for n in (1, 2) if status.lines >> (n - 1) & 1]
    failure = ["id"] if status.failures else []
    if screen == "8":
        return screen, look["text"], set(look["symbols"]), "solid", failure
    bar = BARS.get(status.condition, "solid")
    blinking = lines + failure + (["bar"] if bar == "blink" else [])
    return screen, look["text"], {*look["symbols"], *lines}, bar, blinking


def happen(choice, rig):
    """Something at random on one of the lines, or a failure."""
    e = choice.choice((rig.one, rig.two))
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
        rig.status.set_failure(choice.choice((3, 4, 5)), choice.random() < 0.4)
    elif what == 7:
        e.silent = not e.silent
        e.fresh = not e.silent
    else:
        rig.normal()
        for n in (3, 4, 5):
            rig.status.set_failure(n, False)


@pytest.mark.parametrize("seed", range(12))
def test_what_stands_for_a_while_is_told_as_it_is_meant(seed):
    """Forty changes at random moments: whatever stood for 1.5 s or more was told, for its middle, exactly."""
    choice = random.Random(seed)
    rig = GlassRig(startup=seed % 3 == 0).normal()
    states = []
    refreshed = rig.controller.on_refresh

    def watch():
        refreshed()
        now = meant(rig)
        if not states or states[-1][1] != now:
            states.append((rig.t_us / 1e6, now))

    rig.controller.on_refresh = watch
    for _ in range(40):
        happen(choice, rig)
        rig.run(choice.choice((0.3, 1.1, 2.7, 5, 9)) + choice.random())
    rig.said()
    for (start, state), (end, _) in zip(states, states[1:]):
        if end - start < 1.5:
            continue
        middle = (start + end) / 2
        told = [r for t, r in rig.records if t <= middle][-1]
        assert (told["screen"], told["text"], set(told["symbols"]), told["bar"], told["blinking"]) == state, start


def test_a_power_cut_tells_what_was_held_back_and_then_a_blank_glass():
    rig = GlassRig().normal()
    rig.run(6)
    rig.one.set(volts=95.0)
    rig.run(2.4)
    rig.reader.off(rig.t_us)
    rig.reader.finish(rig.t_us)
    times = [t for t, _ in rig.records]
    assert times == sorted(times)
    assert rig.records[-1] == (8.4, {"screen": "", "text": "", "symbols": [], "bar": "off", "blinking": []})
    assert rig.records[-2][1]["bar"] == "solid"


def test_unreadable_shapes_are_told_as_such():
    rig = GlassRig()
    image = bytearray(20)
    for name in ("3a", "3d", "0a", "0b"):
        index, bit = rig.reader.glass.places[name]
        image[index] |= bit
    assert rig.reader.glass.read(image)["text"] == "?"
    assert rig.reader.glass.read(image)["screen"] == "?"
