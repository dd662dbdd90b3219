"""Register, pulses, LED and counter over a day of random load with export; 30 days are in ./scripts/bench."""

from host import output_days


def test_PO_1_CO_1_a_day_of_random_load_agrees_at_every_check():
    figures = output_days.run(1, seed=3)
    assert figures["checks, all exact"] > 100
    assert figures["received, Wh"] > 1000
    assert figures["shortest on or off, ms"] >= 30
