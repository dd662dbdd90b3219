"""Jobs for test_spread.py; each writes down that it ran."""

import os
import signal
import sys
import time
from pathlib import Path


def _note(folder, number):
    with Path(folder, "ran").open("a") as f:
        f.write(f"{number}\n")


def square(folder, number, seconds=0.0):
    """Takes so long."""
    _note(folder, number)
    time.sleep(seconds)
    return number * number


def broken(folder, number, seconds):
    _note(folder, number)
    time.sleep(seconds)
    raise AssertionError(f"a bound of {number} is broken")


def dies(folder, number, times, whose="own"):
    """Kills its own process, or the worker's that started it, the first `times` times that it runs."""
    _note(folder, number)
    if ran(folder).count(number) <= times:
        print("something on the way out", file=sys.stderr, flush=True)
        os.kill(os.getpid() if whose == "own" else os.getppid(), signal.SIGKILL)
        os._exit(1)
    return number


def prints(folder, number):
    """What it prints is for nobody."""
    _note(folder, number)
    print("no answer")
    os.write(1, b"none\n")
    return number


def ran(folder):
    """The numbers of the jobs that ran, in order of time."""
    return [int(line) for line in Path(folder, "ran").read_text().split()]
