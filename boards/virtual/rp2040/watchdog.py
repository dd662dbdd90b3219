"""The RP2040's watchdog. Once it was started it cannot be stopped, and it goes on through a soft reset."""


class Watchdog:
    """Calls `bite()` when it has not been fed in time."""

    def __init__(self, clock, bite):
        self._clock = clock
        self._bite = bite
        self._event = None
        self._timeout_us = 0
        self._due_us = 0

    def start(self, timeout_us):
        """Run with this time-out from now on, also where it runs with another one."""
        self.stop()
        self._timeout_us = timeout_us
        self.feed()
        self._event = self._clock.at(self._due_us, self._look)

    def feed(self):
        """Start its time anew. The planned event stays where it is; when it comes it sees that the time is not over."""
        self._due_us = self._clock.now_us + self._timeout_us

    def stop(self):
        """Stop it, as a reset of the chip does."""
        if self._event is not None:
            self._clock.cancel(self._event)
            self._event = None

    def _look(self):
        if self._due_us > self._clock.now_us:
            self._event = self._clock.at(self._due_us, self._look)
            return
        self._event = None
        self._bite()
