"""A GPIO of the RP2040 with the wire that hangs on it: who drives it, which pulls it has, who listens.

In reset the pad is an input with its pull-down on (RP2040 data sheet 2.19.6.3); a 10 kohm pull-up of the board wins
over the pad's own 50 kohm pulls.
"""

IN = 0
OUT = 1
OPEN_DRAIN = 2
ALT = 3  # a peripheral has the pad: its level comes through `drive`

PULL_UP = 1
PULL_DOWN = 2


class Net:
    """One pin; `level` is what everybody sees on it, 0 or 1."""

    def __init__(self, clock, number, stir):
        self.number = number
        self.level = 0
        self.mode = IN
        self.configured = False  # since the last reset of the chip
        self.interrupt = None  # see on_interrupt
        self.user = None  # the peripheral that the pad's function select names
        self._clock = clock
        self._stir = stir
        self._board_pull = None
        self._rise_us = 0  # see capacitor
        self._rising_us = -1  # since when the pad's pull-up alone charges it; -1: it is discharged
        self._pull = PULL_DOWN
        self.latch = 0  # what the CPU last wrote, unless `_plain`: then that is `level`
        self._outside = None
        self._held = None  # fault: the level at which the wire is stuck; None: it is whole
        self._listeners = []
        self._plain = False  # it is a push-pull output that only the CPU drives
        # Of a plain bus line with one listener, that listener: its writes may go to `level` and to it without this
        # class, without their time, and where they change nothing. Chip selects change 20,000 times a simulated minute.
        self.quick = None

    def board_pull(self, level):
        """A resistor on the board pulls to `level` (None: there is none)."""
        self._board_pull = level
        self._settle()

    def capacitor(self, rise_us):
        """A capacitor at the pin: by the pad's pull-up alone it takes `rise_us` to a high level."""
        self._rise_us = rise_us
        self._settle()

    def quiet(self):
        """Say that this is a bus line, for whose changes no hard timer's callback looks. Its listener must bear to be
        told of a level that it knows already."""
        self._stir = None
        self._see_quick()

    def listen(self, fn):
        """Call `fn(level, t_us)` on every change from now on."""
        self._listeners.append(fn)
        self._see_quick()

    def _see_plain(self):
        if self._plain:
            self.latch = self.level
        self._plain = self.mode == OUT and self._held is None
        self._see_quick()

    def _see_quick(self):
        quick = self._plain and len(self._listeners) == 1 and self._stir is None and self.interrupt is None
        self.quick = self._listeners[0] if quick else None

    def drive(self, level):
        """Somebody other than the CPU drives the wire (0, 1) or lets go (None)."""
        if level != self._outside:
            self._outside = level
            if not self._plain:
                self._settle()

    def hold(self, level):
        """Fault: the wire is stuck at 0 or 1 whoever drives it (None: it is whole again)."""
        self._held = level
        self._see_plain()
        self._settle()

    def reset(self):
        """Put the pad into its reset state: input, pull-down on, no interrupt, output latch low."""
        self.on_interrupt(None)
        self.configure(IN, PULL_DOWN)
        self.latch = 0
        self.configured = False

    def configure(self, mode, pull, user=None):
        """Set direction and pull (None, PULL_UP, PULL_DOWN, or both). `user`: the peripheral that has it, with ALT."""
        self.mode = mode
        self.user = user
        self.configured = True
        self._pull = pull
        self._see_plain()
        self._settle()

    def hand_over(self, user):
        """Give the pad to a peripheral; its pulls stay."""
        self.configure(ALT, self._pull, user)

    def put(self, level):
        """Write the CPU's output latch."""
        if not self._plain:
            self.latch = level
            self._settle()
        elif level != self.level:
            self._change(level)

    def written(self):
        """What the CPU last wrote."""
        return self.level if self._plain else self.latch

    def on_interrupt(self, fn):
        """Set the CPU's interrupt of this pin: `fn(level)` is called after every change; None: it is off."""
        self.interrupt = fn
        self._see_quick()

    def _settle(self):
        level = None
        if self.mode == OUT:
            level = self.latch
        elif self.mode == OPEN_DRAIN and not self.latch:
            level = 0
        if level is None:
            level = self._outside
        if level is None:
            level = self._board_pull
        pulled_up = level is None and self._pull is not None and self._pull & PULL_UP
        if self._rise_us:
            pulled_up = self._charged(pulled_up)
        if level is None:
            level = 1 if pulled_up else 0
        if self._held is not None:
            level = self._held
        if level != self.level:
            self._change(level)

    def _charged(self, charging):
        """Whether the capacitor has come to a high level."""
        now_us = self._clock.now_us
        if not charging:
            self._rising_us = -1
        elif self._rising_us < 0:
            self._rising_us = now_us
            self._clock.at(now_us + self._rise_us, self._settle)
        return charging and now_us - self._rising_us >= self._rise_us

    def _change(self, level):
        self.level = level
        t_us = self._clock.now_us
        for fn in self._listeners:
            fn(level, t_us)
        if self.interrupt is not None:
            self.interrupt(level)
        if self._stir is not None:
            self._stir()
