"""The guard of the 12 V and of the supply in its hard interrupt, on the emulated RP2040: there the heap is locked."""

import pytest

from host.rp2040.engine import Rp2040Link

pytestmark = pytest.mark.rp2040

SECOND_US = 1_000_000
CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}}
LOAD = ["mains", 0, 0, [120.0, 50.0, 0.0, 0.0], [120.0, 50.0, 0.0, 180.0], 60.0]


def test_CO_3_an_overload_of_the_12_V_is_off_within_9_ms_on_the_chip():
    with Rp2040Link(CONFIG) as link:
        link.run(3 * SECOND_US, [LOAD])
        short_us = link.engine.clock.now_us + 1_000
        out = link.run(short_us + 100_000, [["load12v", short_us, 120.0]])["out"]
        off_us = next(item[1] for item in out if item[0] == "edge" and item[2] == "rail12" and not item[3])
        assert 6_000 <= off_us - short_us <= 9_100


def test_ST_1_a_low_bulk_voltage_is_seen_within_3_ms_on_the_chip():
    """Well before the cycle that would come by itself: nothing moves any longer, and the 12 V is off."""
    with Rp2040Link(CONFIG) as link:
        link.run(3 * SECOND_US, [LOAD])
        low_us = link.engine.clock.now_us + 1_000
        fault = ["fault", low_us, "bulk_sense", "stuck", {"mv": 5_000}, 2 * SECOND_US]
        out = link.run(low_us + 100_000, [fault])["out"]
        off_us = next(item[1] for item in out if item[0] == "edge" and item[2] == "rail12" and not item[3])
        assert off_us - low_us <= 7_000  # the guard within 3 ms, then a cycle up to its outputs
