"""The reference board's parts that the firmware needs not know: read by docs/hardware.md's pictures and by the tests.

The chips measure 0.5 V peak (0.35355 V rms of a sine) as full scale (DS p.4); full scale is 200 V or 400 V rms and
117.85 A or 235.7 A (EN-6). Tolerances are calibrated out (CA-3: gains within 10 %).
"""

# Mains dividers: a chain from the line to VP, and the foot from VP to neutral (= AGND of that front end). Several
# resistors in series share the voltage and the surge.
DIVIDER_CHAIN_OHM = {
    "60Hz": (187_000, 187_000, 191_000),
    "50Hz": (187_000, 187_000, 191_000, 187_000, 187_000, 191_000),
}
DIVIDER_FOOT_OHM = 1_000

# CT burden: two halves about ground, because each pin of the chip may go to +-250 mV only against ground (DS p.19).
BURDEN_HALF_OHM = 1.5
CT_RATIO = {100: 1000, 200: 2000}  # primary amperes per secondary ampere

# Anti-aliasing filter in each of the chip's six inputs: corner 4.8 kHz, and equal in voltage and current so that both
# are late alike.
FILTER_OHM = 1_000
FILTER_NF = 33

PULL_UP_OHM = 10_000  # on CS, RESET and SCLK of each front end: the RP2040 pulls its pads down while in reset
I2C_PULL_UP_OHM = 2_200

HOLDUP_5V_MA = 75  # what the board takes of the 5 V, without the RS-485 port, which is fed before the hold-up

# 12 V side
RAIL12_SHUNT_OHM = 3.0
RAIL12_GAIN = 10
BULK_DIVIDER_OHM = (50_000, 10_000)
