"""How the virtual hardware takes the CPU away from the firmware: exceptions that firmware cannot catch as Exception."""


class Halt(BaseException):
    """The firmware stops at this point, whatever it was doing."""


class PowerCut(Halt):
    """The 3.3 V supply is gone."""


class Reset(Halt):
    """The RP2040 restarts; `cause` is "watchdog", "reset", "run" or "soft"."""

    def __init__(self, cause):
        super().__init__(cause)
        self.cause = cause


class Finished(Halt):
    """The host has asked for the end of the simulation, or has gone away."""


class Broken(Halt):
    """The simulation itself has failed in the middle of the firmware, which must not take that for an error of its
    own."""
