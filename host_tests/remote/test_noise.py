"""Noise, fragments, other units and floods at the port: each request is answered, all else is silence, and the meter is
as one that is left alone. The campaigns at their size for every day; `./scripts/bench --port-noise N` for any other."""

import pytest

from host.campaigns.remote import direct_noise, noise


@pytest.mark.parametrize("seed", [1, 2], ids=["sealed", "open"])
def test_AM_2_AM_5_nothing_on_the_port_changes_anything(seed):
    counts = noise.run(seed, 150, "cpython")
    assert counts["answered"] > 20 and counts["silent"] > 40 and counts["refused"] > 3


@pytest.mark.parametrize("seed", [4, 5, 10, 11], ids=["115200", "9600 odd", "19200", "38400 odd"])
def test_AM_1_AM_2_each_burst_at_each_baud_rate_is_met_as_by_another_slave(seed):
    """Seeds 4 and 11 broke on a request after a flood, and on a pause within a frame."""
    counts = direct_noise.run(seed, 250)
    assert counts["equal to the reference"] > 50 and counts["silent"] > 90
