"""The OpenKh reference metering board: its pins and parts, which firmware, virtual board, documents and tests all read
here.

The RP2040 is on the board itself, with all 30 GPIOs. Each SPI controller has one ADE7953; the FRAM is on I2C0 and the
display on I2C1, so that a stuck display cannot reach the register's memory. Every CS, RESET and SCLK line has a pull-up
of 10 kohm, because the RP2040 pulls its pads down while it is in reset.
"""

from glass import GLASS  # noqa: F401  the segment map is part of the board

NAME = "reference"

# Front ends, line 1 first: number of the SPI controller, then the pins SCK, MOSI, MISO, CS, IRQ, RESET.
FRONT_ENDS = (
    (0, 18, 19, 16, 17, 20, 21),
    (1, 10, 11, 12, 13, 14, 15),
)
SPI_HZ = 4_000_000  # the ADE7953 takes 5 MHz at most (its data sheet p.6)

# Isolated pulse outputs. The load LED has to be the GPIO after the 10 Wh output, because one PIO state machine drives
# both.
PIN_OPTO_10 = 0
PIN_LED = 1
PIN_OPTO_100 = 2
PIN_OPTO_1000 = 3

# Memory of the register: "fram" (MB85RC256V on I2C0) or "flash" (one-block files in the RP2040's own flash).
MEMORY = "fram"
I2C_MEMORY = (0, 5, 4)  # controller, SCL, SDA
I2C_MEMORY_HZ = 1_000_000  # the FRAM's limit (DS501-00017 p.1); asks for tracks of less than 50 pF at 2.2 kohm
FRAM_ADDRESS = 0x50
FRAM_BYTES = 32768

# Display: "pcf85176" on I2C1, "ht1621" on three pins, or "none". The display connector carries either controller.
DISPLAY = "pcf85176"
I2C_DISPLAY = (1, 7, 6)  # controller, SCL, SDA
I2C_DISPLAY_HZ = 400_000
PCF85176_ADDRESS = 0x38
HT1621_PINS = (6, 7, 8)  # CS, WR, DATA

# 12 V side: coil of the mechanical counter, enable of the +12VDC output, sensed current and bulk voltage.
PIN_COUNTER = 9
PIN_RAIL12_ENABLE = 22
ADC_RAIL12 = 26
RAIL12_UV_PER_MA = 30_000  # 3 ohm shunt, gain 10: 110 mA are the 3.3 V at which the converter ends
ADC_BULK = 27
BULK_DIVIDER = 6  # 12 V are 2.0 V at the converter

# Every pin that drives something, with the name of its signal: boot.py switches them off before anything else happens,
# and the virtual board records each.
OUTPUTS = (
    ("opto10", PIN_OPTO_10),
    ("led", PIN_LED),
    ("opto100", PIN_OPTO_100),
    ("opto1000", PIN_OPTO_1000),
    ("counter", PIN_COUNTER),
    ("rail12", PIN_RAIL12_ENABLE),
)

# RS-485 port: number of the UART, then the pins TX, RX and driver enable (None where the transceiver turns itself
# round). RS485 is None where the board has no port.
RS485_PINS = (1, 24, 25, 29)
RS485: "tuple[int, int, int, int | None] | None" = RS485_PINS

# What measures the board's temperature, for the correction of energy: "rp2040", the sensor in the RP2040, "none", or a
# TMP117 with its wires (I2C controller, SCL, SDA) and its address, as ("tmp117", (1, 7, 6), 0x48): on the bus of the
# display, or on one of its own.
TEMPERATURE: "str | tuple[str, tuple[int, int, int], int]" = "rp2040"

PIN_SEAL = 28  # low: the switch is closed, and so is the seal
PIN_SERVICE_STRAP = 23  # low at the start: service mode
