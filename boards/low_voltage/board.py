"""The low-voltage build: the bread-board build as a whole meter without mains on it, for the bench.

A 9 V AC adapter gives the voltage and CTs give the currents: both isolate. The pins are the bread-board's; what stands
around the breakouts is in parts.py and circuit.py.
"""

from boards.breadboard.board import *  # noqa: F403  what is not set here is as it is there

NAME = "low_voltage"
