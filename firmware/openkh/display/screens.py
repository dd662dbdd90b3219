"""The screens: what the glass says at each moment (LC-1 to LC-8, DX-1, DX-2).

`Screens` is stepped every 250 ms and told how many steps have gone by. It reads the meter's state and status and writes
a Frame; it touches nothing else, and takes nothing from the heap once it is made.
"""

from openkh.display import glass
from openkh.metrology import status as dx

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.metrology.status import Status
    from openkh.model import Model
    from openkh.state import State

# All times of the display (LC-8), each a whole number of steps.
STEP_MS = 250  # from one refresh to the next
STARTUP_MS = 2000  # how long each startup screen shows
RUNTIME_MS = 4000  # how long each runtime screen shows
BLINK_MS = 500  # what blinks is on for so long, then off for as long
ARROW_MS = 250  # how long each picture of the animated arrow shows
POWER_MS = 1000  # screen 3 shows a new power this often

_STARTUP_STEPS = STARTUP_MS // STEP_MS
_RUNTIME_STEPS = RUNTIME_MS // STEP_MS
_BLINK_STEPS = BLINK_MS // STEP_MS
_ARROW_STEPS = ARROW_MS // STEP_MS
_POWER_STEPS = POWER_MS // STEP_MS

# The pictures of the animated arrow, which grows from the left and gets its head last. The whole bar without a head is
# none of them, because it means an error (DX).
_ARROW = bytes(
    (
        glass.BAR_1,
        glass.BAR_1 | glass.BAR_2,
        glass.BAR_1 | glass.BAR_2 | glass.BAR_3,
        glass.BAR | glass.RIGHT,
    )
)
_LAMP_CYCLE = 2 * _BLINK_STEPS * len(_ARROW) * _ARROW_STEPS  # steps: whole periods of both the blinking and the arrow

_STARTUP = b"dEoCSnr8"  # screen IDs of the startup screens, in their order (LC-1)
_ENERGY = 49  # "1"
_DEMAND = 50  # "2"
_POWER = 51  # "3"
_ERROR = 52  # "4"
_TEST = 56  # "8"
_F = 70

_DASHES = b"--------"
_ONE_DECIMAL_FROM_WH = 100_000_000  # LC-4

_ERRORS = {
    dx.REVERSE: (b"Err rC1", b"Err rC2"),
    dx.BAD_POWER_FACTOR: (b"Err PF1", b"Err PF2"),
    dx.LOW_VOLTAGE: (b"Err LU1", b"Err LU2"),
    dx.OVER_VOLTAGE: (b"Err HU1", b"Err HU2"),
    dx.OVER_CURRENT: (b"Err HC1", b"Err HC2"),
    dx.FAILURE: (b"FAIL 01", b"FAIL 02", b"FAIL 03", b"FAIL 04", b"FAIL 05"),
}

_SYMBOLS = {
    _ENERGY: glass.K | glass.W | glass.H,
    _DEMAND: glass.MAX | glass.K | glass.W,
    _POWER: glass.K | glass.W,
}  # the symbols of each screen (LC-7); the others have none


class Screens:
    """The sequence of screens; `frame` is what the glass shows, `screen` the character code of the screen's ID.

    `date` is YYMMDD and `serial` 12 digits; either is empty, and shows as dashes, where there are no factory data.
    `revision` is as `0.10`. With `startup` False, after a restart with the supply on, it begins with screen 1.
    """

    def __init__(self, model: "Model", date: str, serial: str, revision: str, startup: bool = True) -> None:
        date = date or "------"
        serial = serial or "------------"
        self._startup = (
            date.encode(),
            b"%d ELt" % model.elements,
            b"cnt 0.1" if model.counter_wh == 100 else b"cnt 1.0",
            b"%d:0.1" % model.rating_a,
            serial[:6].encode(),
            serial[6:].encode(),
            revision.encode(),
            b"",
        )
        self.frame = glass.Frame()
        self.screen = _STARTUP[0] if startup else _ENERGY
        self._index = 0 if startup else len(_STARTUP)  # of the startup screen that shows; from there on they are over
        self._runtime = _ENERGY  # the one of screens 1, 2 and 3 that was shown last
        self._steps = 0  # since the running screen began
        self._lamp = 0  # steps since bar and symbols last changed what they say: phase of the blinking and of the arrow
        self._said = -1  # condition and lines that bar and symbols show, in one number; -1: nothing yet
        self._letter = 0  # steps, modulo a period of blinking: in its first half the ID shows, in its second half the F
        self._failed = False  # whether a failure stood at the last step
        self._power_w = 0  # what screen 3 shows
        self._power_age = _POWER_STEPS  # steps since that was taken from the status; so many: a new one is due

    def step(self, steps: int, state: "State", status: "Status") -> None:
        """Go on by `steps` of 250 ms (0 to write the same moment again) and write the frame."""
        self._steps += steps
        self._lamp = (self._lamp + steps) % _LAMP_CYCLE
        self._letter = (self._letter + steps) % (2 * _BLINK_STEPS)
        self._power_age += steps

        said = status.condition * 4 + status.lines
        if said != self._said:
            self._said = said
            self._lamp = 0  # what blinks begins lit, so that it is seen at once
        self._turn(state, status)
        failed = status.failures != 0
        if failed and not self._failed:
            self._letter = _BLINK_STEPS  # a new failure begins with the F, so that it is seen at once
        self._failed = failed
        self._write(state, status)

    def _turn(self, state: "State", status: "Status") -> None:
        """Go to the next screen where the running one is over, or screen 4 has nothing to say any more (LC-3, LC-8)."""
        if self._index < len(_STARTUP):
            if self._steps >= _STARTUP_STEPS:
                self._index += 1
                self._show(_STARTUP[self._index] if self._index < len(_STARTUP) else _ENERGY)
            return
        over = self._steps >= _RUNTIME_STEPS
        if self.screen == _ERROR:
            if over or not status.error():
                self._show(self._next(state, status))
        elif over:
            self._show(_ERROR if status.error() else self._next(state, status))

    def _next(self, state: "State", status: "Status") -> int:
        """The screen after the last one of 1, 2 and 3. In the first 24 h and while there is an error all three take
        their turn, otherwise 1 and 2 alone."""
        last = _POWER if status.error() or state.periods == 0 else _DEMAND
        return self._runtime + 1 if self._runtime < last else _ENERGY

    def _show(self, screen: int) -> None:
        self.screen = screen
        self._steps = 0
        self._letter = 0  # a new screen begins with its ID, so that it is read before the F
        if self._failed:
            self._lamp = 0  # the bar blinks in step with the ID
        self._power_age = _POWER_STEPS
        if screen != _ERROR:
            self._runtime = screen

    def _write(self, state: "State", status: "Status") -> None:
        """Write the frame of the running screen."""
        frame = self.frame
        frame.clear()
        screen = self.screen
        if self._index < len(_STARTUP):
            frame.all = screen == _TEST
            frame.text(self._startup[self._index])
        elif screen == _ENERGY:
            self._energy(state.delivered_wh)
        elif screen == _DEMAND:
            frame.number(state.shown_mw() // 1000, 3)
        elif screen == _POWER:
            self._power(status)
        elif status.error():
            errors = _ERRORS[status.condition]
            frame.text(errors[status.failure() - 1 if status.failures else (status.lines & 1) ^ 1])
        frame.characters[0] = _F if self._failed and self._letter >= _BLINK_STEPS else screen
        frame.symbols = _SYMBOLS.get(screen, 0)
        self._lamps(status)

    def _energy(self, wh: int) -> None:
        """Energy in kWh, truncated to two decimals below 100,000 kWh and to one from there on (LC-4)."""
        if wh < _ONE_DECIMAL_FROM_WH:
            self.frame.number(wh // 10, 2)
        else:
            self.frame.number(wh // 100, 1)

    def _power(self, status: "Status") -> None:
        """Power in kW with three decimals, a new one each second (LC-5); dashes while a front end is silent (DX-6)."""
        if not status.measured():
            self._power_age = _POWER_STEPS
            self.frame.text(_DASHES)
            return
        if self._power_age >= _POWER_STEPS:
            self._power_age = 0
            self._power_w = status.power_w()
        self.frame.number(self._power_w, 3)

    def _lamps(self, status: "Status") -> None:
        """Set bar, arrow and the symbols L1 and L2 by the condition that the status reports (the table of DX, DX-1)."""
        condition = status.condition
        lit = self._lamp // _BLINK_STEPS % 2 == 0
        if condition == dx.NORMAL:
            self.frame.bar = _ARROW[self._lamp // _ARROW_STEPS % len(_ARROW)]
        elif condition == dx.REVERSE:
            self.frame.bar = glass.BAR | glass.LEFT
        elif condition >= dx.FIRST_ERROR and (condition != dx.FAILURE or lit):
            self.frame.bar = glass.BAR
        if lit:
            self.frame.symbols |= status.lines  # whose bits 1 and 2 are L1 and L2, as in the frame
