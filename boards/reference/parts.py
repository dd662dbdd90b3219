"""The reference board's analogue parts, by which its circuit is drawn and with which the tests calculate.

The chips' full scale is 0.5 V peak at an input, 0.35355 V rms of a sine (ADE7953 data sheet, DS, p.4). It stands for
200 V or 400 V rms and for 117.85 A or 235.7 A rms (EN-6). Calibration takes out the parts' tolerances (CA-3: gains
within 10 %).
"""

# Mains dividers: a chain from the line to VP, and a foot from VP to neutral, which is AGND. The chain's resistors in
# series share the voltage and the surges.
DIVIDER_CHAIN_OHM = {
    "60Hz": (187_000, 187_000, 191_000),
    "50Hz": (187_000, 187_000, 191_000, 187_000, 187_000, 191_000),
}
DIVIDER_FOOT_OHM = 1_000

# CT burden: two halves about ground, because each pin of the chip may only be up to 250 mV from ground (DS p.19).
BURDEN_HALF_OHM = 1.5
CT_RATIO = {100: 1000, 200: 2000}  # by the CT's rating in A: primary amperes per secondary ampere

HOLDUP_5V_MA = 75  # what the board takes from the 5 V; the RS-485 port is not in it, being fed ahead of the hold-up

# 12 V side
RAIL12_SHUNT_OHM = 3.0
RAIL12_GAIN = 10  # of the amplifier behind the shunt
BULK_DIVIDER_OHM = (5_000, 1_000)  # chain and foot
