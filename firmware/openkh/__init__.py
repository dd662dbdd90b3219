"""OpenKh: firmware of a current-transformer-rated kWh meter (RP2040, ADE7953, MicroPython)."""

REVISION = "0.10"
"""Software revision `N.nn`, a constant of the firmware (ID-5); shown on startup screen `r`."""
