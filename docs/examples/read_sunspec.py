"""SunSpec through pysunspec2 1.3.7: python read_sunspec.py PORT"""

import sys

import sunspec2.modbus.client as client

# Without timeout= pysunspec2 has none that fits RTU; without baudrate= it takes 9600.
meter = client.SunSpecModbusClientDeviceRTU(slave_id=1, name=sys.argv[1], baudrate=19200, timeout=1.0)
meter.scan()
number = 202 if 202 in meter.models else 201
model = meter.models[number][0]
model.read()
print("model", number, "of", meter.models[1][0].Md.cvalue, "serial", meter.models[1][0].SN.cvalue)
print("imported (delivered)", model.TotWhImp.cvalue, "Wh")  # None stands for 0 Wh: SunSpec cannot tell them apart
print("power", model.W.cvalue, "W", "frequency", model.Hz.cvalue, "Hz")
meter.close()
