"""Tests marked rp2040 need a MicroPython image for the Pico; without one they are skipped and say so."""

import pytest

from host.rp2040 import emulator

REASON = "no MicroPython image: set OPENKH_RP2040_UF2 to a RPI_PICO firmware.uf2 (see docs/hardware.md)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if emulator.image():
        return
    skip = pytest.mark.skip(reason=REASON)
    for item in items:
        if item.get_closest_marker("rp2040"):
            item.add_marker(skip)
