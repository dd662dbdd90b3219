"""The low-voltage build's circuit as data, in the form of boards/reference/circuit.py: each part, its kind, and the net
of each of its pins.

AGND is one pole of the adapter and the ground of the Pico and of its USB. Nothing here is at mains potential.
"""

from boards.low_voltage import board, parts
from boards.reference import circuit as reference

BREAKOUT_PINS = ("CS", "MOSI", "MISO", "SCLK", "IRQ", "RESET")


def circuit(elements=2):
    """The build's parts for 1 or 2 elements: [(reference, kind, {pin: net})]."""
    net = reference.Netlist()
    net.add("PS", "ADAPTER", pole_1="AC_9V", pole_2="AGND")
    for number in range(1, elements + 1):
        front_end(net, number)
    pins = {"GP%d" % n: "GPIO%d" % n for n in [*range(23), 27, 28]}
    net.add("U", "PICO", GP26="AGND", GND="AGND", **{"3V3": "3V3"}, **pins)
    # The build has no 12 V. With its sensor at 3.3 V the firmware sees one that never fails.
    net.two("R", "R 10k", "3V3", "GPIO%d" % board.ADC_BULK)
    reference.outputs(net)
    return net.parts


def front_end(net, number):
    """Add one line: the divider's chain from the adapter, the CT with its burden, and the breakout, which has the foot
    of the divider on it."""
    chip = "U%d" % number
    _, sck, mosi, miso, cs, irq, reset = board.FRONT_ENDS[number - 1]
    net.add("CT", "CT", X1="CT%d_X1" % number, X2="CT%d_X2" % number)
    reference.divider(net, chip, "AC_9V", parts.DIVIDER_CHAIN_OHM)
    reference.burden(net, number)
    spi = dict(zip(BREAKOUT_PINS, ("GPIO%d" % pin for pin in (cs, mosi, miso, sck, irq, reset))))
    net.add(
        "U",
        "BREAKOUT",
        IAP="CT%d_X1" % number,
        IAN="CT%d_X2" % number,
        VP=chip + "_VP",
        AGND="AGND",
        DGND="AGND",
        VDD="3V3",
        **spi,
    )
