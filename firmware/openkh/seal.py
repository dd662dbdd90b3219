"""The service seal: a switch that is closed on a sealed meter (CA-2).

It is read once at the start, which decides for good: a prompt that is open cannot be closed from a callback, and one
that was never opened must not be. A change while the meter runs is answered by a restart.
"""

from openkh import event_codes
from openkh.bound import bind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import Pin

    from openkh.storage.events import EventLog

STEADY = 3  # readings in a row, one a cycle, that tell a change from a bounce


class Seal:
    """`closed`: how it was at the start. `moved`: that has changed since, and nothing may be changed any more.

    `pin` reads low while the seal is closed.
    """

    def __init__(self, pin: "Pin") -> None:
        self._pin = pin
        self.closed = True  # until it has been looked at
        self.moved = False
        self._differs = 0
        bind(self, "step")

    def look(self) -> None:
        """Read the switch at the start, before anything else; what it says stands until the restart."""
        self.closed = self._pin() == 0

    @property
    def open(self) -> bool:
        """Changes are allowed."""
        return not self.closed and not self.moved

    def note(self, log: "EventLog") -> None:
        """Log the seal at a start, where it is not as it was left; before the cycle starts."""
        newest = log.newest_of_seal()
        was_closed = newest in (0, event_codes.SEAL_CLOSED)  # the last entry of a service, or a meter never served
        if was_closed != self.closed:
            log.add(event_codes.SEAL_CLOSED if self.closed else event_codes.SEAL_OPENED)

    def step(self) -> bool:
        """Look at the switch, once a cycle; True when it has been moved. Allocates nothing."""
        if (self._pin() == 0) == self.closed:
            if self._differs:
                self._differs = 0
        else:
            self._differs += 1
            if self._differs >= STEADY:
                self.moved = True
        return self.moved
