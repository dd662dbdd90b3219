"""The whole meter through power cycles and faults; the larger campaigns are in ./scripts/bench (EN-2, EN-4, PO-4)."""

import pytest

from host.campaigns import bus_faults, power_cycles
from host.rigs.trial import load, run, steps
from openkh.model import Model


@pytest.mark.parametrize("board", ['memory = "fram"', 'memory = "flash"', "holdup_ms = 200.0", "holdup_ms = 20.0"])
def test_EN_4_PO_4_CO_2_power_cycles_lose_nothing_and_double_nothing(board):
    figures = power_cycles.run(25, seed=11, board=board)
    assert figures["power-ups"] > 5


@pytest.mark.parametrize("name", list(bus_faults.TRIALS))
def test_EN_2_DX_6_the_register_is_what_the_chips_counted_through(name):
    bus_faults.run(name)


def test_EN_3_the_roll_over_with_a_power_cut_in_it():
    """Cut within the second in which the register passes 1,000,000 kWh; register, screen, outputs, counter agree."""
    for cut_s in (19.0, 19.5, 19.9, 20.1):
        text = steps(
            load(amps=100.0),
            f"at = {cut_s}\npower = false",
            f"at = {cut_s + 2}\npower = true",
            load(at=45.0, amps=0.0),
            board="start_delivered_wh = 999999872",
        )
        result = run(text, 60.0)
        register = float(result.report["register"]["delivered_wh"])
        assert 0 < register < 300, cut_s
        assert result.report["pulses"]["10"] == 13 + register // 10, cut_s
        assert result.report["counter"]["counts"] == 2 + register // 100, cut_s
        assert result.logged().count("roll_over") == 1, cut_s


def test_PO_4_a_dip_within_the_hold_up_goes_on_as_if_nothing_had_been():
    """60 ms without mains, hold-up 80 ms: no restart, no pulse too many or too few."""
    dips = []
    for n in range(10):
        dips += [f"at = {20 + 2 * n}.0\npower = false", f"at = {20 + 2 * n}.06\npower = true"]
    result = run(steps(load(amps=80.0), *dips, load(at=50.0, amps=0.0)), 60.0)
    wh = float(result.report["register"]["delivered_wh"])
    assert result.logged().count("power_up") == 1
    assert result.logged().count("power_fail") == 10
    assert result.report["pulses"]["10"] == wh // 10
    assert result.report["counter"]["counts"] == wh // 100


def test_a_hang_while_micropython_itself_starts_is_none_of_the_firmware_s():
    """No watchdog runs before its first statement: nothing could end it. 60 ms after power-up it has not begun."""
    text = steps(load(amps=50.0), 'at = 0.06\nfault = {part = "cpu", kind = "hang"}')
    assert run(text, 10.0).report["status"]["condition"] == "normal"


def test_field_bug_33_a_hang_is_ended_by_the_watchdog_and_told():
    """The watchdog is fed by the finished cycle only: FAIL 05 after the restart, energy goes on from the chips."""
    text = steps(load(amps=50.0), 'at = 30.0\nfault = {part = "cpu", kind = "hang"}')
    result = run(text, 80.0)
    plain = run(steps(load(amps=50.0)), 80.0)
    assert "restart" in result.logged()
    assert "FAIL 05" in [item["text"] for item in result.report["lcd"]]
    assert abs(result.delivered_counts - plain.delivered_counts) < 50 * 240 * 32_000 // 36_000
    assert result.report["pulses"]["10"] == plain.report["pulses"]["10"]


@pytest.mark.parametrize("fault", ["hang", "reset"])
@pytest.mark.parametrize("code", ["MSNCT-1SC", "MDNCT-1SC"])
def test_EN_1_a_reset_after_import_and_export_lowers_nothing(code, fault):
    """The record on flash is older than both: the register, already shown and pulsed, goes on from what it was."""
    rows = [load(amps=100.0), load(at=30.0, amps=95.0, degrees=180.0), load(at=62.0, amps=0.0)]
    board = 'memory = "flash"'
    plain = run(steps(*rows, model=code, board=board), 70.0)
    rows.insert(2, f'at = 38.0\nfault = {{part = "cpu", kind = "{fault}"}}')
    result = run(steps(*rows, model=code, board=board), 70.0)
    assert "restart" in result.logged() and "demand_lost" not in result.logged()
    assert result.report["register"] == plain.report["register"]
    assert result.report["pulses"] == plain.report["pulses"]


@pytest.mark.parametrize("memory", ["fram", "flash"])
def test_PO_4_a_cut_without_warning_while_a_backlog_drains_doubles_few_pulses(memory):
    """After a stall the edges come faster than the energy; they are stored as they come."""
    text = steps(
        load(amps=200.0),
        'at = 44.0\nfault = {part = "cpu", kind = "stall", ms = 7000.0}',
        "at = 52.0\npower = false",
        load(at=52.1, amps=0.0),
        "at = 60.0\npower = true",
        model="MDNCT-2SC",
        board=f'memory = "{memory}"\nholdup_ms = 0.001',
    )
    result = run(text, 75.0)
    assert result.report["pulses"]["10"] <= 52.0 * 48_000 / 36_000 + 3


def test_EN_2_a_restart_soon_after_a_chips_counter_passed_its_end_loses_nothing():
    """The overflow's flag had been cleared already; the record on flash is older than the overflow."""
    on = "l1 = {volts = 120.0, amps = 340.0}\nl2 = {volts = 120.0, amps = 0.0}"
    off = "l1 = {volts = 120.0, amps = 0.0}\nl2 = {volts = 120.0, amps = 0.0}"
    text = steps(
        f"at = 0.0\n{on}",
        'at = 53.0\nfault = {part = "cpu", kind = "hang"}',
        f"at = 62.5\n{off}",
        model="MDTCT-2SP",
        board='memory = "flash"',
    )
    result = run(text, 70.0)
    counted = sum(line["counts"] for line in result.report["counted"])
    assert counted > 1 << 23
    assert 0 <= counted - result.delivered_counts < 340 * 120 * 16_000 // 3600  # its start, less than a second
    assert "reading_rejected" not in result.logged()


@pytest.mark.parametrize("memory", ["fram", "flash"])
def test_EN_1_a_front_end_that_was_reset_in_a_hang_undoes_nothing(memory):
    """Its part of what the register went on from is lost with its counter: no energy received is made of it."""
    text = steps(
        load(amps=50.0),
        'at = 20.5\nfault = {part = "cpu", kind = "hang"}',
        'at = 22.0\nfault = {part = "chip1", kind = "reset"}',
        board=f'memory = "{memory}"',
    )
    result = run(text, 40.0)
    before = run(text, 20.4)
    assert result.report["register"]["received_wh"] == "0.000000"
    # Line 2 has missed nothing.
    most = before.delivered_counts + 20 * 12_000 * 32_000 // 3600
    assert before.delivered_counts + 19 * 6_000 * 32_000 // 3600 < result.delivered_counts < most


def test_PO_4_edges_that_the_pio_gives_during_a_hang_are_not_given_again():
    """A hang just after each of some crossings: the edge stands in the queue, half a second ahead."""
    for at_s in (30.1, 30.3, 30.5, 30.7):
        text = steps(
            load(amps=190.0, volts=240.0, hz=50.0),
            f'at = {at_s}\nfault = {{part = "cpu", kind = "hang"}}',
            load(at=50.0, amps=0.0, volts=240.0, hz=50.0),
            model="MSTCT-2NC",
            service="50Hz",
        )
        result = run(text, 60.0)
        wh = float(result.report["register"]["delivered_wh"])
        assert result.report["pulses"]["10"] == wh // 10, at_s
        assert result.report["pulses"]["100"] == wh // 100, at_s


def test_ST_1_a_cut_with_warning_after_a_brown_out_loses_nothing():
    """Line 1 stands below the sag level for longer than any cut; the 12 V falls at the end of it."""
    text = steps(
        load(amps=2.0),
        "at = 10.6\nl1 = {volts = 84.0, amps = 2.0}",
        "at = 60.0\npower = false",
        "at = 62.0\npower = true",
        load(at=62.0, amps=0.0),
        board='memory = "flash"',
    )
    result = run(text, 70.0)
    counted = sum(line["counts"] for line in result.report["counted"])
    assert abs(counted - result.delivered_counts) <= 2 * 84 * 2 * 32_000 // 3600 // 10


def test_field_bug_34_a_display_that_does_not_answer_changes_nothing_in_the_metering():
    for fault in ('part = "lcd", kind = "silent", for_s = 10.0', 'part = "lcd", kind = "corrupt", for_s = 10.0'):
        result = run(steps(load(amps=50.0), f"at = 20.0\nfault = {{{fault}}}"), 60.0)
        plain = run(steps(load(amps=50.0)), 60.0)
        assert result.report["register"] == plain.report["register"]
        assert result.report["pulses"] == plain.report["pulses"]


def test_DX_6_an_exception_in_the_cycle_is_fail_05_and_metering_goes_on():
    result = run(steps(load(amps=50.0), 'at = 30.0\nfault = {part = "cpu", kind = "exception"}'), 60.0)
    plain = run(steps(load(amps=50.0)), 60.0)
    assert result.report["status"]["failures"] == [5]
    assert result.report["register"] == plain.report["register"]


def test_DX_6_fail_04_when_the_memory_does_not_answer_and_back_by_itself():
    result = run(steps(load(amps=50.0), 'at = 20.0\nfault = {part = "fram", kind = "silent", for_s = 20.0}'), 70.0)
    assert "FAIL 04" in [item["text"] for item in result.report["lcd"]]
    assert result.report["status"]["condition"] == "normal"
    plain = run(steps(load(amps=50.0)), 70.0)
    assert result.report["register"] == plain.report["register"]


def test_EN_1_a_record_of_an_earlier_power_up_says_nothing_of_the_chips_counters():
    """A flash that takes no record for a whole power-up, then a watchdog restart: what was counted in RAM is lost, and
    no difference to a counter of an earlier time is booked."""
    text = steps(
        load(amps=50.0),
        'at = 60.0\nfault = {part = "flash", kind = "stuck"}',
        "at = 62.0\npower = false",
        "at = 64.0\npower = true",
        'at = 70.0\nfault = {part = "cpu", kind = "hang"}',
        board='memory = "flash"',
    )
    result = run(text, 100.0)
    report = result.report
    assert report["status"]["failures"][0] == 4
    assert float(report["register"]["received_wh"]) == 0
    counted = sum(line["counts"] for line in report["counted"])
    assert 0 <= result.delivered_counts < counted - 10 * 12_000 * 32_000 // 3600


@pytest.mark.parametrize("for_s", [0.4, 14.0])
@pytest.mark.parametrize(
    ("code", "service", "volts", "hz"), [("MSTCT-2NC", "50Hz", 240, 50), ("MDNCT-1SC", "60Hz", 120, 60)]
)
def test_DX_6_a_memory_that_is_silent_at_power_up_makes_no_other_meter(code, service, volts, hz, for_s):
    """Shortly: it is asked again. Longer: FAIL 04, metering in RAM; then all is added to the register."""
    text = steps(
        load(amps=100.0, volts=volts, hz=hz),
        "at = 20.0\npower = false",
        "at = 22.0\npower = true",
        f'at = 22.01\nfault = {{part = "fram", kind = "silent", for_s = {for_s}}}',
        load(at=60.0, amps=0.0, volts=volts, hz=hz),
        model=code,
        service=service,
    )
    result = run(text, 80.0)
    report = result.report
    counted = sum(line["counts"] for line in report["counted"])
    w_s = 100 * volts * len(report["counted"])
    start_s = 2.5 if for_s > 1 else 1.0  # the front ends are set up after the memory has been asked
    assert 0 <= counted - result.delivered_counts < start_s * w_s * Model(code, service).counts_per_wh / 3600
    wh = float(report["register"]["delivered_wh"])
    assert wh > 56 * w_s / 3600
    assert report["pulses"]["10"] == wh // 10
    assert report["counter"]["counts"] == wh // (1000 if "TC" in code else 100)
    assert report["status"]["failures"] == []
    failures = {item["text"] for item in report["lcd"] if "FAIL" in item["text"]}
    assert failures == (set() if for_s < 1 else {"FAIL 04"})  # whatever its second front end, which it may not have
    assert "chip_silent" not in result.logged()


def test_MD_4_a_restart_of_the_rp2040_alone_continues_the_demand():
    """A watchdog restart in a sub-interval: same demand as without it, within the reset's own time."""
    text = steps(load(amps=50.0), 'at = 700.0\nfault = {part = "cpu", kind = "reset"}')
    result, plain = run(text, 930.0, "micropython"), run(steps(load(amps=50.0)), 930.0, "micropython")
    shown = plain.report["demand"]["shown_kw"]
    assert shown > 11.9
    assert abs(result.report["demand"]["shown_kw"] - shown) < 0.02
    off = run(steps(load(amps=50.0), "at = 700.0\npower = false", "at = 702.0\npower = true"), 930.0, "micropython")
    assert off.report["demand"]["shown_kw"] == 0.0
