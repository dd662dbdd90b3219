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

# 12 V side
RAIL12_SHUNT_OHM = 3.0
RAIL12_GAIN = 10
BULK_DIVIDER_OHM = (50_000, 10_000)

# part, what, how many on a dual-element board
BILL = (
    ("RP2040 (or Raspberry Pi Pico)", "controller, 2 MiB flash", 1),
    ("ADE7953ACPZ", "metering front end, 3.579545 MHz crystal each", 2),
    ("MB85RC256V", "FRAM 32 KiB on I2C, the register's memory", 1),
    ("PCF85176 or HT1621", "LCD controller, with the glass of glass.py", 1),
    ("1.5 ohm 0.1 % 15 ppm 0.25 W", "CT burden, two per CT", 4),
    ("187 k, 187 k, 191 k, 1 %, 400 V each", "mains divider chain (twice in series at 240 V)", 2),
    ("1.0 k 0.1 % 15 ppm", "foot of the mains divider", 2),
    ("1 k 1 % and 33 nF C0G", "anti-aliasing filter, one per measuring input", 8),
    ("10 k", "pull-ups of CS, RESET, SCLK", 6),
    ("opto-coupler 40 V 50 mA, 3750 V isolation, 8 mm creepage", "outputs 10, 100, 1000", 3),
    ("NPN switch with free-wheel diode", "counter coil 12 V 10 mA", 1),
    ("P-channel switch, 3 ohm shunt, amplifier x 10", "+12VDC with current sense", 1),
    ("isolated or non-isolated 12 V 100 mA supply, 80 ms hold-up", "fed from L1 and N", 1),
    ("UL 2808 CT 100:0.1 A or 200:0.1 A", "one per line", 2),
)
