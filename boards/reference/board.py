"""The OpenKh reference metering board: pins and parts, the one truth that firmware, docs and tests read.

RP2040 on the board itself (all 30 GPIOs), one ADE7953 per SPI controller, FRAM on I2C0, display on I2C1.
Every CS, RESET and SCLK line has a 10 kohm pull-up: the RP2040 pulls its pads down while in reset.
"""

from glass import GLASS  # noqa: F401  the segment map is part of the board

NAME = "reference"

# Front ends, line 1 first: SPI controller, SCK, MOSI, MISO, CS, IRQ, RESET.
FRONT_ENDS = (
    (0, 18, 19, 16, 17, 20, 21),
    (1, 10, 11, 12, 13, 14, 15),
)
SPI_HZ = 4_000_000  # ADE7953: 5 MHz at most, DS p.6

# Isolated pulse outputs; the load LED is the GPIO after the 10 Wh output (one state machine drives both).
PIN_OPTO_10 = 0
PIN_LED = 1
PIN_OPTO_100 = 2
PIN_OPTO_1000 = 3

# Memory of the register: "fram" (MB85RC256V on I2C0) or "flash" (one-block files in the RP2040's own flash).
MEMORY = "fram"
I2C_MEMORY = (0, 5, 4)  # controller, SCL, SDA
I2C_MEMORY_HZ = 1_000_000  # the FRAM's limit (DS501-00017 p.1); tracks below 50 pF at 2.2 k
FRAM_ADDRESS = 0x50
FRAM_BYTES = 32768

# Display: "pcf85176" on I2C1, "ht1621" on three pins, or "none".
DISPLAY = "pcf85176"
I2C_DISPLAY = (1, 7, 6)  # controller, SCL, SDA
I2C_DISPLAY_HZ = 400_000
PCF85176_ADDRESS = 0x38
HT1621_PINS = (6, 7, 8)  # CS, WR, DATA: the display connector carries either controller

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

# RS-485 port: UART, TX, RX, driver enable (None: the transceiver turns itself round). None: the board has no port.
RS485_PINS = (1, 24, 25, 29)
RS485: "tuple[int, int, int, int | None] | None" = RS485_PINS

# Sensor of the board's temperature, for the correction of energy: "rp2040" (its own), "none", or a TMP117 on the wires
# (controller, SCL, SDA) with its address, as ("tmp117", (1, 7, 6), 0x48): on the bus of a display or of its own.
TEMPERATURE: "str | tuple[str, tuple[int, int, int], int]" = "rp2040"

PIN_SEAL = 28  # closed switch = low = sealed
PIN_SERVICE_STRAP = 23  # low at start = service mode
