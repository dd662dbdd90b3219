"""The live run: pace, changes by hand, and the terminal view, with an ideal meter in place of the engine."""

import asyncio

import pytest
from fake_engine import LIT, FakeEngine
from glass import GLASS

from host.run.glass_cells import GlassCells
from host.run.live import Live
from host.run.readings import EVENTS, event_text, rail, shortened, unmetered_w, wheels
from host.run.view import MeterView
from host.sim.session import FirmwareError, Session, Setup
from host.sim.terminals import Terminals
from host.stimulus.lines import Line
from host.stimulus.profiles import profile
from host.stimulus.profiles.profile import Profile, Span
from openkh.event_codes import NAMES
from openkh.model import Model

DUAL = Model("MDNCT-1SC", "60Hz")
SINGLE = Model("MSTCT-1SC", "50Hz")
CONSTANT = Profile("", [Span(0, 1, (2400.0,))], values=1)


def session(model=DUAL, **setup):
    return Session(Setup(model, profile.source(model, CONSTANT, "2400 W"), **setup), FakeEngine)


def engine(of):
    return of._engine


def test_the_pace_is_the_one_asked_for():
    live = Live(session(), 10.0)
    wait_s = sum(live.step() for _ in range(20))
    assert live.session.now_us == pytest.approx(20 * 0.05 * 10e6, rel=0.6)
    assert wait_s == pytest.approx(live.session.now_us / 10e6, rel=0.2)


def test_as_fast_as_it_goes_never_waits():
    live = Live(session(), None)
    assert sum(live.step() for _ in range(30)) == 0
    assert live.pace > 1


def test_pause_stops_simulated_time():
    live = Live(session(), 1.0)
    live.step()
    live.pause()
    before = live.session.now_us
    live.step()
    assert live.session.now_us == before
    live.pause()
    live.step()
    assert live.session.now_us > before


def test_it_ends_where_it_is_to_end():
    live = Live(session(duration_us=1_000_000), None)
    for _ in range(1000):
        live.step()
    assert live.ended and live.session.now_us == 1_000_000


def test_speeds_go_up_and_down_to_the_ends():
    live = Live(session(), 60.0)
    live.faster(1)
    assert live.speed == 100
    live.faster(-1)
    assert live.speed == 50
    for _ in range(20):
        live.faster(1)
    assert live.speed is None
    for _ in range(20):
        live.faster(-1)
    assert live.speed == 0.1


def test_load_by_hand_holds_until_released_and_is_said():
    live = Live(session(), 1.0)
    live.step()
    live.load(1)
    live.step()
    assert engine(live.session).lines[0][1] == pytest.approx(12.5)
    assert engine(live.session).lines[1][1] == pytest.approx(10)
    assert "L1 taken over by hand" in live.notes[-1][1]
    live.release()
    live.step()
    assert engine(live.session).lines[0][1] == pytest.approx(10)


def test_both_lines_at_once_and_back_to_one():
    live = Live(session(), 1.0)
    assert live.chosen == (0,)
    live.select()
    live.select()
    assert live.chosen == (0, 1)
    live.volts(-1)
    live.power_factor(3)
    live.step()
    assert [line[:3] for line in engine(live.session).lines] == [pytest.approx((118.8, 10, 30))] * 2
    live.select()
    assert live.chosen == (0,)


def test_no_load_can_be_reached_and_left():
    live = Live(session(), 1.0)
    for _ in range(60):
        live.load(-1)
    assert live.session.stimulus.manual[0].amps == 0
    live.load(-1)
    live.load(1)
    assert live.session.stimulus.manual[0].amps == 1


def test_ID_3_a_single_element_has_no_second_line_to_choose():
    live = Live(session(SINGLE), 1.0)
    live.select()
    assert live.chosen == (0,)


def test_mains_cut_and_back_and_the_12_v_load():
    live = Live(session(), 1.0)
    live.step()
    live.mains()
    live.load_12v()
    live.step()
    assert [item[0] for item in engine(live.session).calls[-1][1]][:2] == ["power", "load12v"]
    before = live.session.stimulus.truth.net.delivered_ws
    live.step()
    assert live.session.stimulus.truth.net.delivered_ws == before
    live.mains()
    live.step()
    assert live.session.stimulus.truth.net.delivered_ws > before


def test_a_turned_ct_is_what_the_meter_sees():
    live = Live(session(), 1.0)
    live.turn_ct()
    live.step()
    assert engine(live.session).lines[0][2] == 180
    live.turn_ct()
    live.step()
    assert engine(live.session).lines[0][2] == 0


@pytest.mark.parametrize("large", [True, False])
def test_every_dot_of_the_glass_has_its_place(large):
    cells = GlassCells(large)
    dark, lit = cells.lines(set()), cells.lines(set(GLASS))
    assert all(sum(len(s.text) for s in line) == cells.width for line in dark + lit)
    seen = set()
    for dot in GLASS:
        picture = str(cells.lines({dot}))
        assert picture != str(dark), dot
        assert picture not in seen, dot
        seen.add(picture)


def test_CO_1_the_last_wheel_is_red_where_it_counts_tenths():
    tenths, whole = session(), session(SINGLE, board={"start_delivered_wh": 1_234_567_890})
    for one, counts in ((tenths, 123), (whole, 1)):
        one.snap = {"counter": counts}
    assert "a02820" in str(wheels(tenths).spans) and wheels(tenths).plain == " 0  0  0  1  2  3 "
    assert "a02820" not in str(wheels(whole).spans) and wheels(whole).plain == " 2  3  4  5  6  8 "


def test_the_wheels_go_on_where_an_earlier_run_left_them():
    one = session()
    one.setup.begin_wh = None
    snap = engine(one).snap()
    engine(one).snap = lambda: {**snap, "counter_given": 4012}
    one.advance(100_000)
    assert wheels(one).plain == " 0  0  4  0  1  2 "


def test_events_say_what_their_values_mean():
    assert event_text(["log", 5, "rail12_off", 61, 1]) == "12 V output shut down at 61 mA"
    assert event_text(["log", 5, "chip_repaired", 2, 0x282]) == "front end 2 put right, register 0x282"
    assert event_text(["log", 5, "seal_opened", 0, 0]) == "seal opened"
    assert event_text(["log", 5, "calibration", 17, 0]) == "calibration 17"
    assert set(EVENTS) <= set(NAMES.values())


@pytest.mark.parametrize("state, said", [("on", "12 V on   8 mA"), ("waiting", "shut down"), ("latched", "locked out")])
def test_CO_3_the_12_v_output_says_why_it_is_off(state, said):
    snap = engine(session()).snap()
    snap["status"]["rail12v"] = state
    assert said in rail(snap).plain
    assert rail({**snap, "powered": False}).plain == "● 12 V off"


def shown(app):
    return "\n".join("".join(s.text for s in strip) for strip in app.screen._compositor.render_strips())


def drive(of, size, keys, then, speed=20.0):
    """Run the view headless, press the keys, hand app and picture to `then`; returns the app after its end."""
    app = MeterView(of, speed)

    async def go():
        async with app.run_test(size=size) as pilot:
            for _ in range(100):
                await pilot.pause(0.02)
                if of.now_us > 1_000_000 or app.failure:
                    break
            for key in keys:
                await pilot.press(key)
            await pilot.pause(0.3)
            then(app, shown(app))
            await pilot.press("q")
            for _ in range(100):
                await pilot.pause(0.02)
                if app._exit:
                    break

    asyncio.run(go())
    return app


@pytest.mark.parametrize("size", [(100, 30), (80, 24), (140, 50)])
def test_the_view_shows_what_the_meter_is(size):
    def look(_, picture):
        for part in ("MDNCT-1SC 60Hz", "delivered", "true", "L1 input", "L2 input", "measured", "120.00", "10.000"):
            assert part in picture, part
        for part in (
            "LED",
            "1000",
            " 0  0  0  0  1  2 ",
            "12 V on",
            "normal",
            "0.100 max 0.200",
            "2.400",
            "board starts (power)",
            "MAX",
            "Hz",
        ):
            assert part in picture, part
        for part in ("load", "PF", "volts", "line", "CT", "mains", "speed", "pause", "help", "quit"):
            assert part in picture.splitlines()[-1], part

    drive(session(), size, (), look)


def test_the_names_of_the_ports_stay_in_sight():
    of = session()
    of.setup.terminals = Terminals(serial=False, prompt=True)

    def look(_, picture):
        assert of.setup.terminals.names()[0] in picture

    drive(of, (80, 24), (), look)


def test_keys_change_what_the_meter_is_given():
    def look(app, picture):
        live = app.live
        assert live.session.stimulus.manual[0].amps == pytest.approx(15.625)
        assert live.session.stimulus.manual[0].degrees == 10
        assert live.session.stimulus.manual[0].volts == pytest.approx(121.2)
        assert live.session.stimulus.reversed == [False, True]
        assert not live.session.stimulus.power
        assert live.speed == 50
        assert "L1 hand" in picture and "⇄ turned" in picture and "mains off" in picture
        assert "L1 taken over by hand" in picture and picture.count("taken over") == 1
        assert "no supply" in picture
        assert "-- Hz" in picture and "60.00 Hz" not in picture

    drive(session(), (100, 30), ("up", "up", "right", "v", "l", "c", "m", "plus"), look)


def test_a_small_terminal_says_what_the_glass_says():
    def look(_, picture):
        for part in ("glass", "0.00", "bar off", "delivered", "L1 input", "12 V on", "normal"):
            assert part in picture, part
        assert "▛" not in picture

    drive(session(), (80, 15), (), look)
    drive(session(), (60, 24), (), look)


def test_a_front_end_that_is_silent_has_no_values():
    def look(_, picture):
        assert picture.count("no answer") == 1 and picture.count("measured") == 2

    of = session()
    engine(of).silent = 1
    drive(of, (80, 24), (), look)


def test_the_help_key_names_every_key():
    def look(_, picture):
        for part in ("less load", "fewer volts", "slower"):
            assert part in picture, part

    drive(session(), (120, 40), ("question_mark",), look)


def test_a_change_of_the_condition_is_among_the_events():
    of = session()
    snap = engine(of).snap

    def reversed_later():
        now = snap()
        if of.now_us > 500_000:
            now["status"] = {"condition": "reverse_energy", "lines": [1], "failures": [], "rail12v": "on"}
        return now

    engine(of).snap = reversed_later
    drive(of, (100, 30), (), lambda _, picture: picture.index("condition: reverse energy L1"))


def test_a_path_is_shortened_to_its_name():
    assert shortened("scenario docs/scenarios/ct1_reversed.toml", 20) == "…/ct1_reversed.toml"
    assert shortened("a household's day", 10) == "a househo…"
    assert shortened("short", 10) == "short"


def test_the_load_behind_an_open_fuse_is_told():
    assert unmetered_w(Line(0.0, 5.0, 0.0, 180.0), 120.0) == pytest.approx(600)
    assert unmetered_w(Line(110.0, 5.0, 0.0, 180.0), 120.0) == 0
    assert unmetered_w(Line(0.0, 0.0, 0.0, 180.0), 120.0) == 0


def test_a_very_small_terminal_brings_nothing_down():
    drive(session(), (30, 8), ("up", "space"), lambda *_: None)


def test_a_failing_firmware_ends_the_view_with_its_reason():
    of = session()
    engine(of).fail_at_us = 2_000_000
    app = drive(of, (80, 24), (), lambda *_: None, speed=None)
    assert isinstance(app.failure, FirmwareError)
    assert "MemoryError: no more of it" in str(app.failure)


def test_the_dots_of_the_snap_are_lit():
    def look(app, _):
        assert app.query_one("#glass")._lit == set(LIT)

    drive(session(), (100, 30), (), look)
