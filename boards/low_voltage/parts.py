"""The analogue parts of the low-voltage build. What it shares with the reference board is in that board's parts.py.

The divider hardly loads the 9 V AC adapter, which then gives more than 9 V. Calibration takes out its ratio and its
phase, but bears no more than 10 % of gain (CA-3): so measure your adapter and choose the chain by `chain_ohm`. Both
elements take their voltage from the one adapter, as of two loads on one phase.
"""

from boards.reference.parts import DIVIDER_FOOT_OHM

FULL_SCALE_V = {"60Hz": 200.0, "50Hz": 400.0}  # rms of the mains at the adapter's plug, at the chip's full scale (EN-6)
PEAK_V = 0.5  # at the chip's input at full scale (ADE7953 data sheet p. 4)
IDLE_RATIO = {"60Hz": 10.5 / 120.0, "50Hz": 10.5 / 240.0}  # volts of an idle adapter per volt of the mains
DIVIDER_CHAIN_OHM = (47_000, 1_500)  # in series, from the adapter to VP


def chain_ohm(idle_v, mains_v, service):
    """The resistance in ohms that the chain should have in all, for an adapter that gives `idle_v` volts (rms) without
    a load at `mains_v` volts of the mains. `service` is "60Hz" or "50Hz"."""
    peak_v = idle_v / mains_v * FULL_SCALE_V[service] * 2**0.5
    return (peak_v / PEAK_V - 1) * DIVIDER_FOOT_OHM
