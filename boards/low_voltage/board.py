"""The low-voltage build: the bread-board build made into a whole meter for the bench, without mains on it.

A 9 V AC adapter gives the voltage and CTs give the currents; both isolate from the mains. The pins are the
bread-board's; what stands around the breakouts is in parts.py and circuit.py.
"""

from boards.breadboard.board import *  # noqa: F403  what is not set here is as it is there

NAME = "low_voltage"
