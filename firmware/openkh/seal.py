"""The service seal: a switch that is closed on a sealed meter (CA-2).

It is read once at the start, and this decides until the next one: a callback could not close a prompt that is open, and
must not open one. When the seal is moved while the meter runs, the meter restarts.
"""

from openkh import event_codes
from openkh.bound import bind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from machine import Pin

    from openkh.storage.events import EventLog

    class Switch(Protocol):
        """What main.py has of the seal's."""

        pin: Pin

        def is_closed(self) -> bool:
            """Whether it is closed, once the pin has settled."""


STEADY = 3  # so many readings in a row, one in each cycle, tell a change from a bounce


class Seal:
    """`closed`: whether it was closed at the start. `moved`: it has been moved since, so nothing may be changed now.

    `switch` is closed while the seal is.
    """

    def __init__(self, switch: "Switch") -> None:
        self._switch = switch
        self._pin = switch.pin
        self.closed = True  # until it has been looked at
        self.moved = False
        self._differs = 0  # readings in a row that differ from `closed`
        bind(self, "step")

    def look(self) -> None:
        """Read the switch at the start, before anything else. What it says holds until the restart."""
        self.closed = self._switch.is_closed()

    @property
    def open(self) -> bool:
        """Whether changes are allowed."""
        return not self.closed and not self.moved

    def note(self, log: "EventLog") -> None:
        """Log at the start, before the first cycle, if the seal is not as it was when the log was written last."""
        newest = log.newest_of_seal()
        was_closed = newest in (0, event_codes.SEAL_CLOSED)  # closed last, or never opened
        if was_closed != self.closed:
            log.add(event_codes.SEAL_CLOSED if self.closed else event_codes.SEAL_OPENED)

    def step(self) -> bool:
        """Look at the switch, once a cycle. True when it has been moved. Takes no heap."""
        if (self._pin() == 0) == self.closed:
            if self._differs:
                self._differs = 0
        else:
            self._differs += 1
            if self._differs >= STEADY:
                self.moved = True
        return self.moved
