"""Analogue parts of the bread-board build: extra-low voltage only, with a 9 V AC adapter in place of the mains.

A plug-in transformer gives the voltage, CTs the currents: both isolate, so nothing on the board is at mains
potential. Idle, such an adapter gives about 10.5 V at 120 V; that and its phase are taken out by the calibration, and
both elements are fed from it (two loads on one phase). The CT inputs are those of the reference board.
"""

ADAPTER_RATIO = 10.5 / 120.0  # idle, volts per volt of the mains
DIVIDER_CHAIN_OHM = (47_000, 1_500)  # 200 V of the mains, 17.5 V of the adapter, give 0.5 V peak
DIVIDER_FOOT_OHM = 1_000
BURDEN_HALF_OHM = 1.5
FILTER_OHM = 1_000
FILTER_NF = 33
