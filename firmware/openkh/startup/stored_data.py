"""Factory data and calibration, as a start finds them in the memory (ID-5, CA, DX-6).

A memory that does not answer is asked again and again for a second, so that a disturbance at power-up does not make
another meter of this one.
"""

from time import sleep_ms

import machine

from openkh import event_codes, failures, identity
from openkh.calibration import Calibration, count_of
from openkh.calibration import unpack as unpack_calibration
from openkh.model import Model
from openkh.storage import verdict
from openkh.storage.layout import LAYOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.identity import Identity
    from openkh.metrology.status import Status
    from openkh.storage.events import EventLog
    from openkh.storage.regions import Memory
    from openkh.storage.vault import Vault

# What an unprovisioned board meters as; it stores nothing until factory data are written.
DEFAULT_CODE = "MDNCT-1SC"
DEFAULT_SERVICE = "60Hz"

# First value of event CALIBRATION_DAMAGED.
_CALIBRATION = 1
_FACTORY = 2

TRIES = 20  # so often a memory that does not answer is asked again,
TRY_MS = 50  # after so long each time


class FactoryData:
    """What the meter is. Before `read`, and on a board without factory data: the default model.

    `provisioned`: there are factory data, or the journal's records told the model.
    `damaged`: the stored ones are damaged, with no good copy (FAIL 03).
    `unread`: the memory does not answer, so it is not known what the meter is.
    `newer`: the memory is in the layout of a newer firmware (layout.py): it is left as it is, and nothing else is read.
    """

    def __init__(self) -> None:
        self.identity = identity.Identity("", "", DEFAULT_CODE, DEFAULT_SERVICE, 0)
        self.provisioned = False
        self.damaged = False
        self.unread = False
        self.newer = False

    def read(self, store: "Vault", memory: "Memory", log: "EventLog") -> None:
        """Load the factory data's vault; where it is damaged, ask the journal's records for the model."""
        result = load(store)
        if store.unconfirmed:
            result = store.settle(log, event_codes.IDENTITY, _times_written)
        if result == verdict.GOOD:
            found = sound(store)
            if found is not None:
                self.identity = found
                self.provisioned = True
                self.newer = store.layout > LAYOUT
                if store.layout < LAYOUT:
                    # With today's layout, before anything is written that an older firmware would misread.
                    store.put(store.data or b"")
                return
            result = verdict.DAMAGED
        self.unread = result == verdict.SILENT
        if result in (verdict.DAMAGED, verdict.FOREIGN):
            self.damaged = True
            from openkh.startup.model_of_records import model_of_records

            model = model_of_records(memory, machine.unique_id())
            if model is not None:
                self.provisioned = True
                self.identity = identity.Identity("", "", model[0], model[1], -1)


class StoredCalibration:
    """The calibration as stored last: nominal constants where there is none.

    `lines`: both lines' register values. `found`: a calibration is stored. `count`: how often the meter has been
    calibrated; -1 where that is not known, because the record is damaged. `date`: when, YYMMDD as a number.
    `damaged`: no good copy (FAIL 03). `spoilt`: more copies are damaged than a power cut leaves, so that the version
    before may be in use.
    """

    def __init__(self) -> None:
        self.lines = (Calibration(), Calibration())
        self.found = False
        self.count = 0
        self.date = 0
        self.damaged = False
        self.spoilt = False

    def read(self, store: "Vault", hz: int, log: "EventLog") -> None:
        """Load the calibration's vault. `hz`: the service's line frequency, on which the limits depend."""
        result = load(store)
        if store.unconfirmed:
            result = store.settle(log, event_codes.CALIBRATION_SAVED, count_of)
        if result == verdict.GOOD:
            try:
                self.count, self.date = unpack_calibration(store.data or b"", self.lines, hz)
                self.found = True
            except ValueError:
                result = verdict.DAMAGED
        self.damaged = result in (verdict.DAMAGED, verdict.FOREIGN)
        self.spoilt = store.damaged > 1
        if self.damaged:
            self.count = -1

    def replace(self, lines: "tuple[Calibration, ...]", count: int, date: int) -> None:
        """Take over the version that has just been written."""
        for n in range(len(self.lines)):
            self.lines[n].take(lines[n])
        self.found = True
        self.count = count
        self.date = date


def load(store: "Vault") -> int:
    """Load a vault, again and again for a second while the memory does not answer. Returns the vault's verdict."""
    result = store.load()
    for _ in range(TRIES):
        if result != verdict.SILENT:
            break
        sleep_ms(TRY_MS)
        result = store.load()
    return result


def sound(store: "Vault") -> "Identity | None":
    """The factory data of a vault that was loaded; None where there is no such meter."""
    try:
        found = identity.unpack(store.data or b"")
        Model(found.code, found.service)
    except ValueError:
        return None
    return found


def _times_written(data: bytes) -> int:
    """How often factory data have been written, by the vault's `data`; -1 where these are no factory data."""
    try:
        return identity.unpack(data).count
    except ValueError:
        return -1


def report_damage(factory: FactoryData, stored: StoredCalibration, status: "Status", log: "EventLog") -> None:
    """Set FAIL 03 where stored data are damaged and have no good copy (DX-6); log damage in any case (ST-2)."""
    if factory.damaged:
        log.add(event_codes.CALIBRATION_DAMAGED, _FACTORY)
    if stored.damaged or stored.spoilt:
        log.add(event_codes.CALIBRATION_DAMAGED, _CALIBRATION)
    if factory.damaged or stored.damaged:
        status.set_failure(failures.STORED_DATA_DAMAGED, True)
