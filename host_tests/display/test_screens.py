"""Sequence, timing and formats of the screens (LC-1 to LC-8, DX-2), read off the virtual glass."""

import board
import pytest

from boards.virtual.parts.pcf85176 import Pcf85176 as VirtualPcf85176
from host_tests.display.glass_rig import GlassRig, I2c, Log
from openkh import event_codes
from openkh.display.display import Display
from openkh.display.glass import Glass
from openkh.display.screens import Screens
from openkh.drivers.pcf85176 import Pcf85176
from openkh.metrology.status import Status
from openkh.model import Model
from openkh.state import State


def screens_of(rig):
    """(time, screen) of each screen the reader told, in order."""
    rig.reader.finish(rig.t_us)
    order = []
    for t_s, record in rig.records:
        if not order or order[-1][1] != record["screen"]:
            order.append((t_s, record["screen"]))
    return order


def texts_of(rig):
    rig.reader.finish(rig.t_us)
    texts = {}
    for _, record in rig.records:
        texts.setdefault(record["screen"], (record["text"], record["symbols"]))
    return texts


@pytest.mark.parametrize(
    "code, service, elements, counter, ratio",
    [
        ("MDNCT-1SC", "60Hz", "2 ELt", "cnt 0.1", "100:0.1"),
        ("MSTCT-2SP", "60Hz", "1 ELt", "cnt 1.0", "200:0.1"),
        ("MSNCT-1NC", "50Hz", "1 ELt", "cnt 0.1", "100:0.1"),
    ],
)
def test_LC_1_startup_screens_in_order_2_s_each(code, service, elements, counter, ratio):
    rig = GlassRig(code, service, startup=True).normal()
    rig.run(17)
    assert screens_of(rig) == [(2.0 * i, c) for i, c in enumerate("dEoCSnr81")]
    texts = texts_of(rig)
    assert [texts[c][0] for c in "dEoCSnr"] == ["261121", elements, counter, ratio, "000012", "345678", "0.10"]
    assert all(texts[c][1] == [] for c in "dEoCSnr")  # LC-7


def test_LC_1_screen_8_lights_every_dot():
    rig = GlassRig(startup=True).normal()
    rig.run(13.9)
    looks = rig.looks(2)
    assert looks and all(lit == frozenset(board.GLASS) for lit in looks)


def test_LC_1_without_factory_data_dashes_stand_for_them():
    rig = GlassRig()
    rig.screens = Screens(rig.model, "", "", "0.10")
    rig.display = Display(Pcf85176(I2c(rig.controller)), rig.screens, Glass(board.GLASS), rig.status, rig.log)
    rig.run(13)
    texts = texts_of(rig)
    assert [texts[c][0] for c in "dSn"] == ["------"] * 3


def test_MD_4_after_a_restart_with_the_supply_on_no_startup_screens():
    rig = GlassRig(startup=False).normal()
    rig.run(9)
    assert screens_of(rig) == [(0.0, "1"), (4.0, "2"), (8.0, "3")]


def test_LC_3_normal_cycle_of_the_first_24_h_and_later():
    rig = GlassRig().normal()
    rig.run(25)
    assert [c for _, c in screens_of(rig)] == list("1231231")
    assert [t for t, _ in screens_of(rig)] == [4.0 * i for i in range(7)]
    rig.state.periods = 1
    rig.records.clear()
    rig.run(16)
    assert [c for _, c in screens_of(rig)] == list("2121")


def test_LC_3_when_the_24_h_end_on_screen_3_the_next_is_1():
    rig = GlassRig().normal()
    rig.run(9)
    rig.state.periods = 1
    rig.run(8)
    assert [c for _, c in screens_of(rig)] == list("12312")


@pytest.mark.parametrize("periods", [0, 3])
def test_LC_3_error_cycle_at_any_time(periods):
    rig = GlassRig().normal()
    rig.state.periods = periods
    rig.run(4)
    rig.one.set(volts=95.0)
    rig.run(4)
    rig.records.clear()
    rig.run(36)
    order = "".join(c for _, c in screens_of(rig))
    assert order == ("4341424341" if order[0] == "4" else "424341424")[: len(order)]
    assert all(b - a == 4.0 for (a, _), (b, _) in zip(screens_of(rig), screens_of(rig)[1:]))


def test_LC_3_a_warning_keeps_the_normal_cycle():
    rig = GlassRig().normal()
    rig.one.set(watts=0.0, amps=0.0)
    rig.run(24)
    assert [c for _, c in screens_of(rig)] == list("123123")
    assert rig.said()["blinking"] == ["L1"]


def test_LC_8_a_new_error_waits_for_the_running_screen_to_end():
    rig = GlassRig().normal()
    rig.run(5)
    rig.status.set_failure(4, True)  # at once, early on screen 2
    rig.run(4)
    assert screens_of(rig) == [(0.0, "1"), (4.0, "2"), (8.0, "4")]


@pytest.mark.parametrize("periods, following", [(0, "3"), (1, "1")])
def test_LC_8_when_an_error_ends_on_screen_4_the_next_comes_at_once(periods, following):
    """The one that would have come: after 2 it is 3 in the first 24 h, 1 later."""
    rig = GlassRig().normal()
    rig.state.periods = periods
    rig.run(5)
    rig.status.set_failure(4, True)
    rig.run(4.1)
    rig.status.set_failure(4, False)
    rig.run(5)
    assert screens_of(rig)[2:4] == [(8.0, "4"), (9.25, following)]


def test_LC_8_an_error_that_ends_on_another_screen_lets_it_run_out():
    rig = GlassRig().normal()
    rig.status.set_failure(4, True)
    rig.run(9)
    assert screens_of(rig)[-1] == (8.0, "2")
    rig.status.set_failure(4, False)
    rig.run(4)
    assert screens_of(rig)[-1] == (12.0, "3")


@pytest.mark.parametrize(
    "wh, text",
    [
        (0, "0.00"),
        (9, "0.00"),
        (10, "0.01"),
        (99_999_999, "99999.99"),
        (100_000_000, "100000.0"),
        (100_000_099, "100000.0"),
        (999_999_999, "999999.9"),
        (0, "0.00"),  # at 1,000,000 kWh the register is back at 0 (EN-3)
    ],
)
def test_LC_4_energy(wh, text):
    rig = GlassRig().normal()
    rig.state.delivered_wh = wh
    rig.run(1)
    record = rig.said()
    assert (record["screen"], record["text"], record["symbols"]) == ("1", text, ["k", "W", "h"])


@pytest.mark.parametrize("mw, text", [(0, "0.000"), (15_999, "0.015"), (999, "0.000"), (58_080_000, "58.080")])
def test_LC_5_demand_truncates_and_MD_2_shows_the_running_or_the_last_maximum(mw, text):
    rig = GlassRig().normal()
    rig.state.max_mw = mw
    rig.state.last_max_mw = 1_234_567
    rig.run(5)
    assert rig.said()["text"] == text
    assert rig.said()["symbols"] == ["MAX", "k", "W"]
    rig.state.periods = 1
    rig.run(1)
    assert rig.said()["text"] == "1.234"


@pytest.mark.parametrize(
    "watts, text", [(0.0, "0.000"), (-0.4, "0.000"), (-15.0, "-0.015"), (58_080.0, "58.080"), (0.9, "0.001")]
)
def test_LC_5_power_to_the_nearest_watt_with_its_sign(watts, text):
    rig = GlassRig("MDNCT-2SC")
    rig.one.set(watts=watts / 2)
    rig.two.set(watts=watts / 2)
    rig.run(2)
    rig.screens._show(ord("3"))
    rig.run(1)
    record = rig.said()
    assert (record["text"], record["symbols"][-2:]) == (text, ["k", "W"])


def test_LC_5_a_single_element_shows_its_one_line():
    rig = GlassRig("MSNCT-1SC").normal(10.0)
    rig.run(9)
    assert rig.said()["text"] == "1.200"


def test_LC_5_screen_3_shows_a_new_power_once_a_second():
    rig = GlassRig().normal()
    rig.run(8)
    for i in range(40):
        rig.one.set(watts=1000.0 + 100 * i)
        rig.run(0.1)
    rig.reader.finish(rig.t_us)
    times = [t for t, record in rig.records if record["screen"] == "3"]
    assert times == [8.0, 9.0, 10.0, 11.0]


def test_LC_8_arrow_steps_and_points_right():
    """Four pictures of 0.25 s; the bar grows to the right and the head comes last; none is dark or the plain bar."""
    rig = GlassRig().normal()
    rig.run(4)
    bar = {"BAR1", "BAR2", "BAR3", "BAR4", "LEFT", "RIGHT"}
    pictures = [frozenset(lit & bar) for lit in rig.looks(4)]
    growing = [frozenset(p) for p in (["BAR1"], ["BAR1", "BAR2"], ["BAR1", "BAR2", "BAR3"], [*sorted(bar - {"LEFT"})])]
    start = growing.index(pictures[0])
    assert pictures == [growing[(start + i) % 4] for i in range(16)]


def test_LC_8_blink_is_half_a_second_on_half_a_second_off():
    rig = GlassRig().normal()
    rig.one.set(volts=95.0)
    rig.run(8.1)
    lit = ["L1" in look for look in rig.looks(4)]
    start = lit.index(not lit[0])
    assert lit[start : start + 8] == [lit[start]] * 2 + [lit[0]] * 2 + [lit[start]] * 2 + [lit[0]] * 2
    assert all({"BAR1", "BAR2", "BAR3", "BAR4"} <= look for look in rig.looks(2))


def test_DX_2_the_ID_blinks_with_F_on_every_screen_while_a_failure_stands():
    rig = GlassRig(startup=True).normal()
    rig.status.set_failure(3, True)
    rig.run(16 + 24)
    rig.reader.finish(rig.t_us)
    shown = {}
    for _, record in rig.records:
        shown.setdefault(record["screen"], set()).update(record["blinking"])
    assert set(shown) == set("dEoCSnr81423")
    assert all("id" in blinking for blinking in shown.values())
    # F and the ID by turns of half a second, the ID first on each new screen
    rig.run(4 - 0.05)
    f = [{"0a", "0e", "0f", "0g"} <= look and "0c" not in look and "0d" not in look for look in rig.looks(4)]
    assert f == [False, False, True, True] * 4


def test_DX_2_F_ends_with_the_failure():
    rig = GlassRig().normal()
    rig.status.set_failure(4, True)
    rig.run(6)
    assert rig.said()["blinking"] == ["id", "bar"]
    rig.status.set_failure(4, False)
    rig.run(4)
    assert rig.said()["blinking"] == []


def test_DX_6_dashes_for_the_power_while_a_front_end_is_silent():
    rig = GlassRig().normal()
    rig.run(8.1)
    rig.two.silent = True
    rig.two.fresh = False
    rig.run(1)
    assert rig.said()["text"] == "--------"
    rig.two.silent = False
    rig.two.fresh = True
    rig.run(1.5)
    assert rig.said()["text"] == "2.400"


@pytest.mark.parametrize("off_ms", [(0, 100, 0, -100), (-60, 0, 60, 100), (100, 100, 100, 100), (-100,) * 4])
def test_LC_8_jitter_of_the_timer_moves_no_screen(off_ms):
    """Refreshes up to 100 ms early or late leave each screen its 16 refreshes."""
    rig = GlassRig().normal()
    seen = ""
    last_ms = 0
    for n in range(64):
        at_ms = 250 * n + off_ms[n % 4] if n else 0
        rig.display.refresh(1000 * (at_ms - last_ms), rig.state)
        last_ms = at_ms
        seen += chr(rig.screens.screen)
    assert seen == "1" * 16 + "2" * 16 + "3" * 16 + "1" * 16


def test_LC_8_a_slow_or_late_timer_keeps_the_screens_in_time():
    """At 270 ms a refresh a screen still stands for 4 s; a refresh 3 s late makes up for it."""
    rig = GlassRig().normal()
    times = []
    for n in range(200):
        before = rig.screens.screen
        rig.display.refresh(270_000 if n else 0, rig.state)
        if rig.screens.screen != before:
            times.append(n * 0.27)
    assert len(times) == 13
    assert all(abs(t - 4.0 * (k + 1)) < 0.3 * (k + 1) for k, t in enumerate(times))
    rig = GlassRig().normal()
    rig.run(0.1)
    rig.display.refresh(3_000_000, rig.state)
    for _ in range(3):
        rig.display.refresh(250_000, rig.state)
        assert rig.screens.screen == ord("1")
    rig.display.refresh(250_000, rig.state)
    assert rig.screens.screen == ord("2")


def test_DX_2_F_comes_at_once_with_the_failure():
    rig = GlassRig().normal()
    rig.run(5.3)
    rig.status.set_failure(4, True)
    looks = rig.looks(0.25)
    assert {"0a", "0e", "0f", "0g"} <= looks[0] and not {"0c", "0d"} & looks[0]


def test_LC_6_loss_and_return_of_the_controller_are_logged_once():
    rig = GlassRig().normal()
    rig.run(3)
    rig.controller.silent = True
    rig.run(10)
    rig.controller.silent = False
    rig.run(3)
    assert [e[0] for e in rig.log.entries] == [event_codes.DISPLAY_LOST, event_codes.DISPLAY_BACK]
    assert rig.display.answering and rig.display.lost == 40
    assert rig.said()["screen"] == "1"  # the sequence went on unseen: 16 s


def test_LC_6_a_corrupted_controller_is_right_again_with_the_next_refresh():
    rig = GlassRig().normal()
    rig.run(3.1)
    rig.controller.corrupt()
    looks = rig.looks(0.5)
    assert rig.reader.glass.read(rig.controller.lit())["text"] == "0.00"
    assert looks


def test_LC_6_a_board_that_declares_no_display_is_no_fault():
    model = Model("MDNCT-1SC", "60Hz")
    log = Log()
    status = Status(model, log)
    display = Display(None, Screens(model, "261121", "0" * 12, "0.10"), Glass(board.GLASS), status, log)
    for _ in range(10):
        display.refresh(250_000, State())
    assert log.entries == [] and display.answering and display.lost == 0


def test_LC_6_both_controllers_show_the_same():
    """The glass map stays board data: the same glass behind an HT1621B reads the same over all screens."""
    said = []
    for lcd in ("pcf85176", "ht1621"):
        rig = GlassRig(startup=True, lcd=lcd).normal()
        rig.run(30)
        rig.two.set(watts=-100.0)
        rig.run(30)
        rig.said()
        said.append(rig.records)
    assert said[0] == said[1]


def test_LC_the_glass_is_never_blank_while_powered():
    controller = VirtualPcf85176()
    assert controller.lit() == bytes(20)  # unpowered
    rig = GlassRig(startup=True).normal()
    rig.run(60)
    main = {f"{d}{s}" for d in range(1, 9) for s in "abcdefg"}
    identity = {f"0{s}" for s in "abcdefg"}
    assert len(rig.images) == 240
    assert all(lit & main and lit & identity for _, lit in rig.images)
