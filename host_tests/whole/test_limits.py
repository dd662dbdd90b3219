"""Two faults at once, of which a restart of the RP2040 alone, or a power-up, is one."""

import pytest

from host.rigs.trial import load, run, steps
from host.sim.link import Link

START_COUNTS = 20_000  # what the chips count before they are set up, and the restart must not add to it


def fault(at, part, kind, for_s=None):
    more = "" if for_s is None else f", for_s = {for_s}"
    return f'at = {at}\nfault = {{part = "{part}", kind = "{kind}"{more}}}'


def missing(result):
    """Counts of the chips that are not in the register."""
    net = result.delivered_counts - received_counts(result)
    return sum(chip["counts"] for chip in result.report["counted"]) - net


def received_counts(result):
    whole, part = result.report["register"]["received_wh"].split(".")
    return int(whole) * 32_000 + -(-int(part) * 32_000 // 1_000_000)


def outputs_equal_the_register(result):
    wh = float(result.report["register"]["delivered_wh"])
    return result.report["pulses"]["10"] == wh // 10 and result.report["counter"]["counts"] == wh // 100


@pytest.mark.parametrize(
    ("model", "chips", "from_s", "for_s", "memory", "kind"),
    [
        ("MDNCT-1SC", (1,), 19.3, 6.0, "flash", "reset"),
        ("MDNCT-1SC", (2,), 19.3, 31.0, "fram", "hang"),
        ("MDNCT-1SC", (1, 2), 19.9, 11.0, "flash", "hang"),
        ("MSNCT-1SC", (1,), 18.0, 23.0, "fram", "reset"),
    ],
)
def test_EN_2_what_a_front_end_counts_while_it_is_silent_through_a_restart_is_booked(
    model, chips, from_s, for_s, memory, kind
):
    text = steps(
        load(amps=20.0),
        *(fault(from_s, f"chip{n}", "silent", for_s + n) for n in chips),
        fault(20.0, "cpu", kind),
        load(at=70.0, amps=0.0),
        model=model,
        board=f'memory = "{memory}"',
    )
    result = run(text, 80.0)
    assert 0 <= missing(result) < START_COUNTS
    assert result.report["register"]["received_wh"] == "0.000000"
    assert outputs_equal_the_register(result)
    assert "chip_reset" not in result.logged()
    assert result.report["status"]["failures"] == ([5] if kind == "hang" else [])


def test_DX_6_a_second_front_end_that_a_meter_of_unknown_model_has_is_missed():
    """The memory is silent at power-up, and then the front end that has answered before."""
    text = steps(
        load(amps=20.0),
        fault(0.01, "fram", "silent", 40.0),
        fault(8.0, "chip2", "silent", 10.0),
    )
    result = run(text, 16.0)
    assert result.report["status"]["failures"] == [1, 4]


@pytest.mark.parametrize(("kind", "for_s"), [("hang", 12.0), ("reset", 2.5), ("reset", 40.0)])
def test_DX_6_a_memory_that_is_silent_as_the_rp2040_restarts_costs_no_count_and_no_pulse(kind, for_s):
    """What was counted and given since the record is known by front ends and scratch registers."""
    text = steps(
        load(amps=93.0),
        fault(19.6, "fram", "silent", for_s + 1),
        fault(20.3, "cpu", kind),
        load(at=75.0, amps=0.0),
    )
    result = run(text, 85.0)
    assert 0 <= missing(result) < START_COUNTS
    assert result.report["register"]["received_wh"] == "0.000000"
    assert outputs_equal_the_register(result)
    assert 4 not in result.report["status"]["failures"]


@pytest.mark.parametrize("hang_us", range(20_350_000, 20_600_000, 50_000))
def test_PO_4_a_hang_while_a_closing_seal_restarts_the_meter_loses_no_pulse(hang_us):
    """The outputs stand still before that restart: what was queued is not given (chaos seed 14109)."""
    config = {"model": "MSTCT-2NC", "service": "50Hz", "seed": 1, "board": {"memory": "flash"}}
    volts = [240.0, 0.0, 0.0, 180.0]
    stimulus = [
        ["seal", 0, 0],
        ["mains", 0, 0, [240.0, 230.0, 0.0, 0.0], volts, 50.0],
        ["seal", 20_000_000, 1],
        ["fault", hang_us, "cpu", "hang", {}, 0],
        ["mains", 45_000_000, 0, [240.0, 0.0, 0.0, 0.0], volts, 50.0],
    ]
    with Link("micropython", config) as link:
        link.run(60_000_000, stimulus)
        final = link.finish()
    assert final["pulses"]["10"] == float(final["register"]["delivered_wh"]) // 10
