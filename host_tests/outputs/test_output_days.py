"""The whole meter over an hour of random load with export; 30 days are in ./scripts/bench."""

from host.campaigns import output_days


def test_PO_1_PO_2_CO_1_register_pulses_led_and_counter_agree_at_every_check():
    figures = output_days.run(1 / 24, seed=3)
    assert figures["checks, all exact"] >= 20
    assert float(figures["received, Wh"]) > 1000
    assert figures["counts of the front ends not in the register"] == 0
    assert figures["shortest on or off, ms"] >= 30
