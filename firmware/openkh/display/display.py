"""The display's task: every 250 ms the screens, the glass, the controller. Metering never waits for it (LC-6)."""

from openkh.display.screens import STEP_MS
from openkh.event_codes import DISPLAY_BACK, DISPLAY_LOST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from openkh.display.glass import Glass
    from openkh.display.screens import Screens
    from openkh.metrology.status import Log, Status
    from openkh.state import State

    class Controller(Protocol):
        """An LCD controller: takes the whole image, says whether it answered, never raises."""

        def show(self, image: bytearray) -> bool: ...


_STEP_US = STEP_MS * 1000


class Display:
    """`lcd` is None on a board that declares no display, which is no fault (LC-6)."""

    def __init__(
        self, lcd: "Controller | None", screens: "Screens", glass: "Glass", status: "Status", log: "Log"
    ) -> None:
        self._lcd = lcd
        self._screens = screens
        self._glass = glass
        self._status = status
        self._log = log
        self._late_us = 0  # time not yet given to the screens as whole steps; a jittering timer adds no step
        self.answering = True
        self.lost = 0  # refreshes the controller did not answer

    def refresh(self, dt_us: int, state: "State") -> None:
        """One refresh, `dt_us` after the last one (0 at the first). Allocates nothing, raises nothing.

        The whole image goes out each time, so that a controller that was away, or whose memory was disturbed, is
        right again with the next refresh. Loss and return of the controller are logged, and change nothing else.
        """
        if self._lcd is None:
            return
        late = self._late_us + dt_us
        steps = (late + _STEP_US // 2) // _STEP_US
        self._late_us = late - steps * _STEP_US
        self._screens.step(steps, state, self._status)
        answering = self._lcd.show(self._glass.draw(self._screens.frame))
        if not answering:
            self.lost += 1
        if answering != self.answering:
            self.answering = answering
            self._log.add(DISPLAY_BACK if answering else DISPLAY_LOST)
