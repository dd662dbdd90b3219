"""Analogue parts of the low-voltage build; what it shares with the reference board is in that one's parts.py.

Idle, as the divider leaves it, a 9 V AC adapter gives more than 9 V. Its ratio and its phase are taken out by the
calibration, which bears 10 % (CA-3): measure yours, and choose the chain by `chain_ohm`. Both elements are fed from it
(two loads on one phase).
"""

from boards.reference.parts import DIVIDER_FOOT_OHM

FULL_SCALE_V = {"60Hz": 200.0, "50Hz": 400.0}  # of the mains at the adapter's plug (EN-6)
PEAK_V = 0.5  # at the chip's input (data sheet p. 4)
IDLE_RATIO = {"60Hz": 10.5 / 120.0, "50Hz": 10.5 / 240.0}  # volts of the adapter, per volt of the mains
DIVIDER_CHAIN_OHM = (47_000, 1_500)


def chain_ohm(idle_v, mains_v, service):
    """What the chain has to be for an adapter that gives `idle_v` volts idle at `mains_v` volts of the mains."""
    peak_v = idle_v / mains_v * FULL_SCALE_V[service] * 2**0.5
    return (peak_v / PEAK_V - 1) * DIVIDER_FOOT_OHM
