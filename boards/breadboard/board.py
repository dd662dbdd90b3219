"""The bread-board build: a Raspberry Pi Pico and two ADE7953 breakouts, the same pins as the reference board.

A Pico brings out GP0 to GP22 and GP26 to GP28. The segment map is the reference board's glass.py.
"""

from glass import GLASS  # noqa: F401  the segment map is part of the board

NAME = "breadboard"

# Front ends, line 1 first: SPI controller, SCK, MOSI, MISO, CS, IRQ, RESET.
FRONT_ENDS = (
    (0, 18, 19, 16, 17, 20, 21),
    (1, 10, 11, 12, 13, 14, 15),
)
SPI_HZ = 4_000_000  # ADE7953: 5 MHz at most, DS p.6; wires of 15 cm at most

# Isolated pulse outputs; the load LED is the GPIO after the 10 Wh output (one state machine drives both).
PIN_OPTO_10 = 0
PIN_LED = 1
PIN_OPTO_100 = 2
PIN_OPTO_1000 = 3

# Memory of the register: "flash" (one-block files in the Pico's own flash), or "fram" with an FRAM breakout on I2C0,
# which loses less energy in a power cut.
MEMORY = "flash"
I2C_MEMORY = (0, 5, 4)  # controller, SCL, SDA
I2C_MEMORY_HZ = 400_000
FRAM_ADDRESS = 0x50
FRAM_BYTES = 32768

# Display: "none", "pcf85176" on I2C1, or "ht1621" on three pins.
DISPLAY = "none"
I2C_DISPLAY = (1, 7, 6)  # controller, SCL, SDA
I2C_DISPLAY_HZ = 400_000
PCF85176_ADDRESS = 0x38
HT1621_PINS = (6, 7, 8)  # CS, WR, DATA

# 12 V side: coil of the mechanical counter, enable of the +12VDC output, sensed current and bulk voltage.
PIN_COUNTER = 9
PIN_RAIL12_ENABLE = 22
ADC_RAIL12 = 26
RAIL12_UV_PER_MA = 30_000  # 3 ohm shunt, gain 10: 110 mA reads 3.3 V
ADC_BULK = 27
BULK_DIVIDER = 6  # 12 V reads 2.0 V

# Every pin that drives something, by the name of its signal: boot.py switches them off before anything else, and the
# virtual board records each.
OUTPUTS = (
    ("opto10", PIN_OPTO_10),
    ("led", PIN_LED),
    ("opto100", PIN_OPTO_100),
    ("opto1000", PIN_OPTO_1000),
    ("counter", PIN_COUNTER),
    ("rail12", PIN_RAIL12_ENABLE),
)

# RS-485 port: UART, TX, RX, driver enable (None: the transceiver turns itself round). None: no port. With the register
# in flash and no display it can be (1, 4, 5, 6): these pins are the FRAM's and the display's otherwise.
RS485: "tuple[int, int, int, int | None] | None" = None

# Sensor of the board's temperature, for the correction of energy: "rp2040" (its own), or "none".
TEMPERATURE = "rp2040"

PIN_SEAL = 28  # closed switch = low = sealed
PIN_SERVICE_STRAP = 8  # low at start = service mode; not with an HT1621, whose DATA it is
