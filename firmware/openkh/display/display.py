"""The display's task: every 250 ms it steps the screens, has the glass drawn and sends the image to the LCD controller.

Metering never waits for it (LC-6).
"""

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
        """The driver of an LCD controller: `show` sends the whole image, returns whether it was taken, never raises."""

        def show(self, image: bytearray) -> bool: ...


_STEP_US = STEP_MS * 1000


class Display:
    """Steps `screens`, draws their frame with `glass`, and shows it on `lcd`.

    `lcd` is None on a board that declares that it has no display: then nothing is done, and that is no fault (LC-6).
    """

    def __init__(
        self, lcd: "Controller | None", screens: "Screens", glass: "Glass", status: "Status", log: "Log"
    ) -> None:
        self._lcd = lcd
        self._screens = screens
        self._glass = glass
        self._status = status
        self._log = log
        # Time that has passed less the steps that the screens have made, within half a step of 0: it is carried over,
        # so that a timer that jitters neither adds a step nor loses one.
        self._late_us = 0
        self.answering = True
        self.lost = 0  # refreshes that the controller did not acknowledge

    def refresh(self, dt_us: int, state: "State") -> None:
        """Make one refresh, `dt_us` after the last one (0 at the first). Allocates nothing, raises nothing.

        The whole image goes out each time: a controller that was away, or whose memory was disturbed, is right again
        with the next refresh. That the controller is lost, or back, is logged, and changes nothing else.
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
