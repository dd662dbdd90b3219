"""Noise, fragments, other units and floods at the port: each request is answered, all else is silence, and the meter is
as one that is left alone. The campaign at its size for every day; `./scripts/bench --port-noise N` for any other."""

import pytest

from host.campaigns import serial_noise


@pytest.mark.parametrize("seed", [1, 2], ids=["sealed", "open"])
def test_AM_2_AM_5_nothing_on_the_port_changes_anything(seed):
    counts = serial_noise.run(seed, 150, "cpython")
    assert counts["answered"] > 20 and counts["silent"] > 40 and counts["refused"] > 3
