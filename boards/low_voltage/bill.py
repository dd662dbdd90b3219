"""What the parts of the low-voltage build are. The table is as boards/reference/bill.py explains it."""

from boards.reference import bill as reference

KINDS = {
    "PICO": ("controller", "Raspberry Pi Pico, with headers", "any RP2040 board of a Pico's shape", "data sheet"),
    "BREAKOUT": (
        "ADE7953, crystal, filters, pull-ups",
        "Pfannex v1.00, open files",
        "EVAL-ADE7953EBZ",
        "both circuits",
    ),
    "ADAPTER": ("AC adapter, 9 V AC out", "any approved one for your mains", "-", "-"),
    "CT": ("split-core CT of the model's ratio", "any 100:0.1 A", "YHDC SCT-013-000, as a 200 A model", "not read"),
    "R 47k 1%": ("divider chain", "any", "-", "-"),
    "R 1.5k 1%": ("divider chain", "any", "-", "-"),
    "R 1.5 0.1%": reference.KINDS["R 1.5 0.1%"],
    "OPTO": reference.KINDS["OPTO"],
    "R 470": reference.KINDS["R 470"],
    "R 10k": reference.KINDS["R 10k"],
    "LED": reference.KINDS["LED"],
}


def bill(circuit):
    """The bill of materials of a netlist, as boards/reference/bill.py makes it, with this build's parts."""
    return reference.bill(circuit, KINDS)
