"""The meter's own registers through pymodbus 3.16.1: python read_pymodbus.py PORT"""

import sys

from pymodbus.client import ModbusSerialClient

meter = ModbusSerialClient(sys.argv[1], baudrate=19200, timeout=1)
meter.connect()
words = meter.read_holding_registers(0, count=40, device_id=1).registers
delivered_mwh = words[10] << 48 | words[11] << 32 | words[12] << 16 | words[13]
power_mw = words[18] << 16 | words[19]
power_mw -= (power_mw & 0x80000000) << 1
print("delivered", delivered_mwh / 1e6, "kWh")
print("power", power_mw / 1000, "W")
meter.close()
