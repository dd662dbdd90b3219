"""What the meter takes up from its memory at a start: who it is, its register, its calibration (ID-5, EN-4, DX-6).

A memory that does not answer is asked again for a second: a disturbance at power-up must not make another meter of it.
"""

from time import sleep_ms

import machine

from openkh import event_codes, identity, restart
from openkh.calibration import unpack as unpack_calibration
from openkh.model import Model
from openkh.storage import scan, vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.calibration import Calibration
    from openkh.identity import Identity
    from openkh.metrology.status import Status
    from openkh.state import State
    from openkh.storage.events import EventLog
    from openkh.storage.journal import Journal
    from openkh.storage.regions import FlashRegion, FramRegion
    from openkh.storage.scratch import Scratch

# What an unprovisioned board meters as; it stores nothing until factory data are written.
DEFAULT_CODE = "MDNCT-1SC"
DEFAULT_SERVICE = "60Hz"

FAIL_FACTORY_DATA = 3
FAIL_INTERNAL = 5

# In event CALIBRATION_DAMAGED.
_CALIBRATION = 1
_FACTORY = 2

TRIES = 20
TRY_MS = 50


class Who:
    """Factory data as found. `provisioned`: there are some, or the journal's records told the model; `damaged` (FAIL
    03): the stored ones are; `unread`: the memory does not answer, and what the meter is is not known."""

    def __init__(self, factory: "vault.Vault", journal: "FramRegion | FlashRegion") -> None:
        self.identity = identity.Identity("", "", DEFAULT_CODE, DEFAULT_SERVICE, 0)
        self.provisioned = False
        self.damaged = False
        self.unread = False
        result = ask(factory)
        if result == vault.GOOD:
            found = sound(factory)
            if found is not None:
                self.identity = found
                self.provisioned = True
                return
            result = vault.DAMAGED
        self.unread = result == vault.SILENT
        if result in (vault.DAMAGED, vault.FOREIGN):
            self.damaged = True
            from openkh.recovery import model_of

            model = model_of(journal, machine.unique_id())
            if model is not None:
                self.provisioned = True
                self.identity = identity.Identity("", "", model[0], model[1], -1)


def sound(factory: "vault.Vault") -> "Identity | None":
    """The factory data of a vault that was loaded; None where they name no meter."""
    try:
        found = identity.unpack(factory.data or b"")
        Model(found.code, found.service)
    except ValueError:
        return None
    return found


def ask(store: "vault.Vault") -> int:
    """Load a vault; again for a second while the memory does not answer."""
    result = store.load()
    for _ in range(TRIES):
        if result != vault.SILENT:
            break
        sleep_ms(TRY_MS)
        result = store.load()
    return result


def take_up(
    journal: "Journal", scratch: "Scratch", state: "State", model: Model, log: "EventLog", status: "Status", asked: int
) -> bool:
    """Set `state` from the journal; True where a restart of the RP2040 alone is continued (MD-4).

    `asked`: what the restart was asked for (restart.py).
    """
    result = journal.load(state)
    if journal.foreign:
        log.add(event_codes.RECORD_FOREIGN, journal.foreign)
    if result in (scan.LOST, scan.FOREIGN, scan.SILENT):
        log.add(event_codes.STATE_LOST, journal.damaged, journal.foreign)
    elif journal.damaged:
        log.add(event_codes.RECORD_DAMAGED, journal.damaged)
    hung = asked == restart.NONE and restart.timed_out()
    continued = result == scan.LOADED and scratch.resume(state, journal.life, model, hung)
    if continued:
        log.run_s = state.run_s
    else:
        if scratch.kept():
            # The record is of an earlier power-up, or too old: the front ends have counted something else since.
            state.raw_1 = state.raw_2 = -1
        state.power_up()
        journal.start_life()
        if machine.reset_cause() == machine.PWRON_RESET:
            log.add(event_codes.POWER_UP, 0, journal.sequence)
            return False
    log.add(event_codes.RESTART, asked)
    if not continued:
        log.add(event_codes.DEMAND_LOST)
    if asked == restart.NONE:
        status.set_failure(FAIL_INTERNAL, True)  # the watchdog (DX-6)
    return continued


class Stored:
    """The stored calibration: `lines` (nominal constants where there is none), how often calibrated (`count`; -1: not
    known, the record is damaged) and when (`date`, YYMMDD); `found`: there is one (DX-6)."""

    def __init__(self, store: "vault.Vault", lines: "tuple[Calibration, Calibration]", who: Who, hz: int) -> None:
        self.lines = lines
        self.count = 0
        self.date = 0
        self.found = False
        result = vault.SILENT if who.unread else ask(store)
        if result == vault.GOOD:
            try:
                self.count, self.date = unpack_calibration(store.data or b"", lines, hz)
                self.found = True
            except ValueError:
                result = vault.DAMAGED
        self.damaged = result in (vault.DAMAGED, vault.FOREIGN)
        self.spoilt = store.damaged > 1  # more copies than a cut leaves so: the version before may be in use
        if self.damaged:
            self.count = -1


def report_damage(who: Who, stored: Stored, status: "Status", log: "EventLog") -> None:
    """FAIL 03 where stored data are damaged with no good copy (DX-6); damage is logged in any case (ST-2)."""
    if who.damaged:
        log.add(event_codes.CALIBRATION_DAMAGED, _FACTORY)
    if stored.damaged or stored.spoilt:
        log.add(event_codes.CALIBRATION_DAMAGED, _CALIBRATION)
    if who.damaged or stored.damaged:
        status.set_failure(FAIL_FACTORY_DATA, True)
