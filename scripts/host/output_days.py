"""Days of random load on the register and its outputs: pulses, LED, counter and register must agree at every check.

The firmware's energy, pulses and counter run on the virtual board's PIO and coil, in MicroPython (the probe beside).
"""

import subprocess
from pathlib import Path
from typing import Any

from host.link import TOP, command

PROBE = Path(__file__).with_name("output_days_probe.py")
ROOTS = (TOP, TOP / "firmware", TOP / "boards" / "reference")


def run(days: int, seed: int = 1) -> dict[str, Any]:
    """Figures of `days` simulated days; AssertionError, with what disagreed, where something did."""
    call = [*command("micropython"), str(PROBE), str(days), str(seed), *map(str, ROOTS)]
    done = subprocess.run(call, capture_output=True, text=True, cwd=TOP)
    assert done.returncode == 0, done.stdout + done.stderr
    checks, delivered_wh, received_wh, counts, shortest_us = map(int, done.stdout.split())
    return {
        "days": days,
        "checks, all exact": checks,
        "delivered, Wh": delivered_wh,
        "received, Wh": received_wh,
        "counts": counts,
        "shortest on or off, ms": shortest_us / 1000,
    }


def rows(days: int) -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench."""
    return [(name, value, "") for name, value in run(days).items()]
