#!/bin/sh
# pysunspec2 takes the answer of another unit for the one it asked for
#
# Versions: pysunspec2==1.3.7 pyserial==3.5
# Expected: unit 1 is asked; a frame that comes from unit 2 is no answer to it (Modbus over serial line 1.02, 2.4.1), so
#   the read fails.
# Seen: the registers of unit 2 are returned as those of unit 1, without an error; neither unit nor function nor the
#   number of bytes of an answer is compared with the request.
# Matters: on a pair with several meters a late answer, or one of two masters' answers, books another meter's energy. A
#   reader has to check the serial number of the common model in each round, or use a client that compares.
# Source: Modbus over serial line specification 1.02, section 2.4.1; sunspec2/modbus/modbus.py of the version above.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pysunspec2==1.3.7 pyserial==3.5 2>"$folder/pip" || { cat "$folder/pip"; exit 1; }
cat >"$folder/try.py" <<'PY'
import os, pty, threading, tty
import sunspec2.modbus.client as client

def check(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return data + bytes([crc & 255, crc >> 8])

master, slave = pty.openpty()
tty.setraw(slave)

def other_unit():
    while True:
        request = os.read(master, 64)
        count = request[5]
        os.write(master, check(bytes([2, 3, 2 * count]) + b"\x00\x63" * count))

threading.Thread(target=other_unit, daemon=True).start()
device = client.SunSpecModbusClientDeviceRTU(slave_id=1, name=os.ttyname(slave), baudrate=19200, timeout=1.0)
print("asked unit 1, unit 2 answered:", device.read(40000, 2).hex())
PY
seen=$("$folder/venv/bin/python" "$folder/try.py" 2>&1 | tail -1)
echo "$seen"
[ "$seen" = "asked unit 1, unit 2 answered: 00630063" ]
