"""The meter's own registers through minimalmodbus 2.1.1: python read_minimalmodbus.py PORT"""

import sys

import minimalmodbus

meter = minimalmodbus.Instrument(sys.argv[1], 1)
meter.serial.baudrate = 19200
meter.serial.timeout = 0.5  # for the whole answer: its default of 0.05 s ends long ones with a checksum error
print("delivered", meter.read_long(2) / 1000, "kWh")
print("power", meter.read_long(18, signed=True) / 1000, "W")
print("serial", meter.read_string(79, 6))
