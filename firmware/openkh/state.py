"""The state of the meter: every integer that one measuring cycle hands on to the next.

The cycle copies the current state into a spare one, works there, and publishes the spare by one assignment; a cycle
that is interrupted therefore changes nothing. The journal stores exactly these fields (ST-1, MD-4).
"""

FIELDS = (
    "delivered_wh",  # energy delivered, whole Wh, 0 .. 999,999,999 (EN-1, EN-3)
    "delivered_counts",  # and its remainder, 0 .. counts per Wh - 1
    "rolls",  # how often the register of delivered energy has rolled over at 1e9 Wh
    "received_wh",  # energy received, the same way
    "received_counts",
    "raw_1",  # the chips' active energy registers as last booked, 24 bits; -1 = unknown
    "raw_2",
    "edges_10",  # off-to-on edges given on each output, modulo 1e9 Wh / weight (PO-4)
    "edges_100",
    "edges_1000",
    "counter_given",  # counts given to the mechanical counter, modulo likewise (CO-2)
    "run_s",  # run time since power-up (MD-3)
    "run_us",  # and its remainder, 0 .. 999,999
    "sub_k",  # demand: sub-intervals ended since power-up
    "sub_counts",  # energy delivered in the running sub-interval, counts
    "sub_4us",  # and its length so far, units of 4 us
    "sub_1_mw",  # averages of the newest two finished sub-intervals, mW, newest first
    "sub_2_mw",
    "interval_mw",  # newest interval demand, mW; 0 before the third sub-interval ends
    "max_mw",  # largest interval demand of the running 24 h period
    "last_max_mw",  # largest of the period just finished
    "periods",  # finished 24 h periods
)


class State:
    """One set of the integers above. All stay below 2^30, because larger ones take heap on the RP2040 (DR-3)."""

    def __init__(self) -> None:
        self.delivered_wh = 0
        self.delivered_counts = 0
        self.rolls = 0
        self.received_wh = 0
        self.received_counts = 0
        self.raw_1 = -1
        self.raw_2 = -1
        self.edges_10 = 0
        self.edges_100 = 0
        self.edges_1000 = 0
        self.counter_given = 0
        self.run_s = 0
        self.run_us = 0
        self.sub_k = 0
        self.sub_counts = 0
        self.sub_4us = 0
        self.sub_1_mw = 0
        self.sub_2_mw = 0
        self.interval_mw = 0
        self.max_mw = 0
        self.last_max_mw = 0
        self.periods = 0
        self.at_us = 0  # when the cycle that made this state began, in ticks_us; not stored

    def shown_mw(self) -> int:
        """The maximum demand that is shown, in mW: in the first 24 h the largest so far, from then on that of the
        newest finished period of 24 h (MD-2)."""
        return self.last_max_mw if self.periods else self.max_mw

    def copy(self, other: "State") -> None:
        """Take over every field of `other`."""
        self.delivered_wh = other.delivered_wh
        self.delivered_counts = other.delivered_counts
        self.rolls = other.rolls
        self.received_wh = other.received_wh
        self.received_counts = other.received_counts
        self.raw_1 = other.raw_1
        self.raw_2 = other.raw_2
        self.edges_10 = other.edges_10
        self.edges_100 = other.edges_100
        self.edges_1000 = other.edges_1000
        self.counter_given = other.counter_given
        self.run_s = other.run_s
        self.run_us = other.run_us
        self.sub_k = other.sub_k
        self.sub_counts = other.sub_counts
        self.sub_4us = other.sub_4us
        self.sub_1_mw = other.sub_1_mw
        self.sub_2_mw = other.sub_2_mw
        self.interval_mw = other.interval_mw
        self.max_mw = other.max_mw
        self.last_max_mw = other.last_max_mw
        self.periods = other.periods
        self.at_us = other.at_us

    def power_up(self) -> None:
        """Start run time and demand anew, because the supply was lost (MD-4). Energy, pulse edges and counts stay."""
        self.run_s = 0
        self.run_us = 0
        self.sub_k = 0
        self.sub_counts = 0
        self.sub_4us = 0
        self.sub_1_mw = 0
        self.sub_2_mw = 0
        self.interval_mw = 0
        self.max_mw = 0
        self.last_max_mw = 0
        self.periods = 0
