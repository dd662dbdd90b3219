"""What the prompt wants done between two measurements (DR-10): it posts a request, and the cycle carries it out.

A Ctrl-C while the prompt waits ends the waiting and not the request: the cycle finishes what has begun.
"""

from time import sleep_ms, ticks_add, ticks_diff, ticks_ms

from openkh import event_codes
from openkh.calibration import LOGGED, Calibration
from openkh.metrology.correction import prepare
from openkh.outputs.pulses import FINE_COMMAND
from openkh.service.refused import RefusedError
from openkh.startup import restart
from openkh.ticks import ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.meter import Meter
    from openkh.storage.vault import Vault

POLL_MS = 10  # how often the prompt looks whether its request is done
LATE_MS = 5_000  # if the cycle, which runs every 100 ms, has done nothing in this time, it does not run any more
APPLY_TRIES = 30  # how often the cycle tries to change a front end's registers
ANSWER_CYCLES = 10  # between answer and restart, so that the answer gets out
LOG_CYCLES = 250  # the memory does not take an entry that is not stored within so many cycles
_LEAVING = "the meter is about to restart"
_NOT_TAKEN = "the memory does not take it; what was stored before stays"


class Request:
    """A request. `step` does a part of its work in each cycle; `failed` says why it came to nothing, or is empty."""

    def __init__(self, meter: "Meter") -> None:
        self.meter = meter
        self.sealed = False  # whether it may be carried out while the seal is closed
        self.committed = False  # whether its change is made, or being made, so that a restart waits for its end
        self.cancelled = False  # whether it took too long, and is to end if its change is not made yet
        self.done = False
        self.given_up = False  # whether the prompt waits no longer
        self.failed = ""

    def carry_out(self) -> bool:
        """Called by the cycle. True: call it again in the next one."""
        more = False
        try:
            if self.cancelled and not self.committed:
                self.failed = "cancelled"
            elif self.meter.seal.open or self.sealed:
                more = self.step()
            else:
                self.failed = "the seal is closed: allowed only while it is open"
        except Exception as error:
            self.failed = "%s: %s" % (type(error).__name__, error)
        if not more:
            self.done = True
        return more

    def step(self) -> bool:
        """Do one cycle's part of the work. True: there is more to do."""
        return False


def post(request: Request, limit_ms: int = LATE_MS) -> None:
    """Have the cycle carry out `request`, and wait for it. RefusedError if it fails or takes longer than `limit_ms`."""
    cycle = request.meter.cycle
    end_ms = ticks_add(ticks_ms(), LATE_MS)
    while cycle.request is not None:
        if ticks_diff(end_ms, ticks_ms()) < 0:
            raise RefusedError("the meter is busy with another request: wait, or restart()")
        sleep_ms(POLL_MS)
    if cycle.leave:
        raise RefusedError(_LEAVING)
    # Only the prompt posts requests, so nobody can have posted another one since it looked.
    cycle.request = request
    end_ms = ticks_add(ticks_ms(), limit_ms)
    try:
        while not request.done:
            if not request.committed:
                if ticks_diff(end_ms, ticks_ms()) < 0:
                    request.cancelled = True
                    raise RefusedError("no answer from the measuring cycle")
                if cycle.leave:
                    raise RefusedError(_LEAVING)
            sleep_ms(POLL_MS)
    finally:
        request.given_up = True
    if request.failed:
        raise RefusedError(request.failed)


class Apply(Request):
    """Put calibrations into force, registers and corrections, one line in a cycle. Of each value that changes the old
    and the new one are logged (CA-2).

    `wanted`: a calibration for each line, None where it stays as it is. The front end's energy register goes on
    meanwhile, so that no count is lost (EN-2).
    """

    def __init__(self, meter: "Meter", wanted: "tuple[Calibration | None, ...]", sealed: bool = False) -> None:
        super().__init__(meter)
        self.sealed = sealed
        self._wanted = wanted
        # Prepared here, because this takes heap.
        self._segments = [prepare(line or Calibration(), meter.model) for line in wanted]
        self._line = 0
        self._tries = 0
        self._waited = 0

    def step(self) -> bool:
        meter = self.meter
        if self._line == meter.model.elements:
            self._waited += 1
            return self._waited < LOG_CYCLES and meter.log.pending > 0  # it is done when its entries are stored (CA-3a)
        wanted = self._wanted[self._line]
        if wanted is None or wanted.equals(meter.calibration[self._line]):
            self._line += 1
            return True
        now = meter.calibration[self._line]
        if meter.log.room() < 2 * self._changes(now, wanted):
            return True
        if not wanted.same_registers(now) and not meter.elements[self._line].apply(wanted):
            self._tries += 1
            if self._tries < APPLY_TRIES:
                return True
            meter.elements[self._line].calibrate(now)
            self.failed = "the front end of line %d does not take it; the old calibration stays" % (self._line + 1)
            return False
        self._tries = 0
        self._note(now, wanted)
        now.take(wanted)
        meter.corrected.lines[self._line].take(wanted, self._segments[self._line])
        meter.corrected.changed()
        self._line += 1
        return True

    @staticmethod
    def _changes(old: "Calibration", new: "Calibration") -> int:
        """How many values differ."""
        return len([item for item in range(LOGGED) if old.item(item) != new.item(item)])

    def _note(self, old: "Calibration", new: "Calibration") -> None:
        """Log each value that changes."""
        for item in range(LOGGED):
            before = old.item(item)
            after = new.item(item)
            if before != after:
                which = (self._line + 1) * 16 + item
                self.meter.log.add(event_codes.CALIBRATION_OLD, which, before)
                self.meter.log.add(event_codes.CALIBRATION, which, after)


class Store(Request):
    """Write `data` into a vault: first one copy, then `event` with `a` and `b` into the log, then the other copy.

    The entry in the log makes the change (CA-3a): from there on neither the seal nor a restart stops it.
    """

    def __init__(self, meter: "Meter", vault: "Vault", data: bytes, event: int, a: int, b: int) -> None:
        super().__init__(meter)
        self._vault = vault
        self._data = data
        self._event = (event, a, b)
        self._begun = False
        self._waited = 0

    def step(self) -> bool:
        vault = self._vault
        log = self.meter.log
        if not self._begun:
            self._begun = True
            vault.begin(self._data)
            return True
        if vault.before_last and log.pending:  # our entry, or others before it, are not stored yet
            self._waited += 1
            if self._waited < LOG_CYCLES:
                return True
            return self._give_up()
        if vault.before_last and not self.committed:
            log.add(*self._event)
            self.committed = self.sealed = True
            return True
        if vault.step():
            return True
        if not vault.written and not self.committed:
            self.failed = _NOT_TAKEN
            return False
        if not vault.written:
            vault.accept(self._data)
        self.stored()
        return False

    def _give_up(self) -> bool:
        """The log does not take the entry: take everything back."""
        self.meter.log.withdraw(self._event[0], self._event[1])
        self._vault.discard()
        self.failed = _NOT_TAKEN
        return False

    def stored(self) -> None:
        """Called when the data are written."""


class FinePulses(Request):
    """Begin the fine pulses, or end them where `weight_mwh` is 0. `result` is what Pulses.fine_pulses returned."""

    def __init__(self, meter: "Meter", weight_mwh: int, seconds: int) -> None:
        super().__init__(meter)
        self._weight_mwh = weight_mwh
        self._seconds = seconds
        self.result = 0

    def step(self) -> bool:
        pulses = self.meter.pulses
        if not self._weight_mwh:
            pulses.fine_stop(FINE_COMMAND)
            return False
        self.result = pulses.fine_pulses(self._weight_mwh, self._seconds, ticks_us())
        if not self.result:
            self.meter.log.add(event_codes.FINE_PULSES_ON, self._weight_mwh, self._seconds)
        return False


class Rail12Reset(Request):
    """Forget the failures of the 12 V, and switch it on again."""

    def step(self) -> bool:
        self.meter.rail12.service_reset(ticks_us())
        return False


class Leave(Request):
    """Restart for `reason` (startup/restart.py) after ANSWER_CYCLES."""

    def __init__(self, meter: "Meter", reason: int) -> None:
        super().__init__(meter)
        self._reason = reason
        self._cycles = ANSWER_CYCLES
        restart.mark(reason)  # noted now, in case somebody resets the meter before

    def step(self) -> bool:
        self.done = True  # as far as the prompt is concerned
        self._cycles -= 1
        if self._cycles > 0:
            return True
        self.meter.cycle.leave = self._reason
        return False
