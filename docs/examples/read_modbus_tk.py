"""The meter's own registers through modbus_tk 1.1.5: python read_modbus_tk.py PORT"""

import sys

import serial
from modbus_tk import defines, modbus_rtu

meter = modbus_rtu.RtuMaster(serial.Serial(sys.argv[1], 19200))
meter.set_timeout(0.5)  # its default of 3.5 characters is over before any slave answers
words = meter.execute(1, defines.READ_HOLDING_REGISTERS, 0, 40)
print("delivered", (words[2] << 16 | words[3]) / 1000, "kWh")
meter.close()
