"""Interval data through power cuts, a roll-over and a change of firmware; a thousand cuts are in
`./scripts/bench --interval-cuts 1000`."""

import pytest

from host.campaigns.remote import interval_cuts
from host.campaigns.remote.interval_cuts import Books
from host.rigs.later_firmware import later_firmware


def test_AM_6_EN_4_all_intervals_are_the_register_through_cuts_and_a_roll_over():
    figures = interval_cuts.run(2, 2, "flash")
    assert figures["comparisons, all exact"] >= 3 and figures["slots"] >= 3 and figures["roll-overs"] == 1


def test_AM_6_ST_1_all_intervals_are_the_register_through_an_older_and_a_later_firmware(tmp_path):
    figures = interval_cuts.run(3, 2, "fram", folder=later_firmware(tmp_path))
    assert figures["comparisons, all exact"] >= 4 and figures["slots"] >= 3


def test_AM_6_a_tenth_of_a_watt_hour_too_much_is_seen():
    said = {"intervals_end_wh": 7, "intervals_end_tenths": 3, "delivered_wh": 8, "delivered_counts": 0, "rolls": 0}
    said |= {"intervals_end_received_wh": 0, "intervals_end_received_tenths": 0, "received_wh": 0, "received_counts": 0}
    said |= {"counts_per_wh": 32_000}
    books = Books(7, 0)
    slot = {"number": 0, "flags": 0, "delivered": 3, "received": 0}
    books._add(slot)
    books._compare(said)
    for changed in ({"intervals_end_tenths": 2}, {"delivered_wh": 7}, {"intervals_end_received_tenths": 1}):
        with pytest.raises(AssertionError):
            books._compare(said | changed)
    with pytest.raises(AssertionError):
        books._add(slot)  # the same again
