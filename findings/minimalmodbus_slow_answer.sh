#!/bin/sh
# minimalmodbus: its time-out is for the whole answer, and what it then says is "checksum error"
#
# Versions: minimalmodbus==2.1.1 pyserial==3.5
# Expected: a whole, correct answer that begins 5 ms after the request and comes at the pace of 9600 baud, 40 registers in
#   89 ms, is read; a time-out is measured to the answer's begin or between its characters (Modbus over serial line 2.5.1).
# Seen: with the defaults the read ends after 0.05 s in the middle of the answer, and the part of it that was read is
#   reported as a checksum error, which sends people to look for noise on the wire.
# Matters: every meter with a map of more than some 20 registers; the cure is `instrument.serial.timeout = 0.5`.
# Source: minimalmodbus 2.1.1 documentation, "Timing of the serial communications"; Modbus over serial line 1.02, 2.5.1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check minimalmodbus==2.1.1 pyserial==3.5 2>"$folder/pip" || { cat "$folder/pip"; exit 1; }
cat >"$folder/try.py" <<'PY'
import os, pty, threading, time, tty
import minimalmodbus

def check(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return data + bytes([crc & 255, crc >> 8])

master, slave = pty.openpty()
tty.setraw(slave)

def meter():
    while True:
        request = os.read(master, 64)
        count = request[5]
        answer = check(bytes([1, 3, 2 * count]) + bytes(range(2 * count)))
        begin = time.monotonic() + 0.005
        for n, byte in enumerate(answer):
            time.sleep(max(0.0, begin + n * 10 / 9600 - time.monotonic()))
            os.write(master, bytes([byte]))

threading.Thread(target=meter, daemon=True).start()
port = minimalmodbus.Instrument(os.ttyname(slave), 1)
port.serial.baudrate = 9600
for timeout in (None, 0.5):
    if timeout:
        time.sleep(0.2)
        port.serial.reset_input_buffer()
        port.serial.timeout = timeout
    try:
        print("time-out %s: %d registers" % (timeout or "as it comes, %g" % port.serial.timeout, len(port.read_registers(0, 40))))
    except minimalmodbus.ModbusException as error:
        print("time-out %s: %s" % (timeout or "as it comes, %g" % port.serial.timeout, str(error).split(":")[0]))
PY
seen=$("$folder/venv/bin/python" "$folder/try.py" 2>&1)
echo "$seen"
[ "$seen" = "time-out as it comes, 0.05: Checksum error in rtu mode
time-out 0.5: 40 registers" ]
