"""Settings of the RS-485 port, stored in a vault as factory data are (AM-1)."""

from openkh import event_codes
from openkh.storage import verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.storage.events import EventLog
    from openkh.storage.vault import Vault

BAUDS = (9600, 19200, 38400, 57600, 115200)
PARITIES = {"none": None, "even": 0, "odd": 1}  # as machine.UART takes them
UNITS = (1, 247)  # least and most

_SEPARATOR = ","
_DAMAGED = 3  # first value of event CALIBRATION_DAMAGED


class Settings:
    """`baud` in bit/s (one of BAUDS), `parity` (a key of PARITIES), `unit` the slave's address (1 to 247), `count` how
    often settings have been stored."""

    def __init__(self, baud: int = 19200, parity: str = "none", unit: int = 1, count: int = 0) -> None:
        self.baud = baud
        self.parity = parity
        self.unit = unit
        self.count = count

    def pack(self) -> bytes:
        """As stored in the vault."""
        return _SEPARATOR.join((str(self.baud), self.parity, str(self.unit), str(self.count))).encode()

    def check(self) -> None:
        """ValueError, which says what is allowed, where a value is not."""
        if self.baud not in BAUDS:
            raise ValueError("baud %r: allowed: %s" % (self.baud, ", ".join([str(baud) for baud in BAUDS])))
        if self.parity not in PARITIES:
            raise ValueError("parity %r: allowed: 'none', 'even', 'odd'" % (self.parity,))
        if not isinstance(self.unit, int) or not UNITS[0] <= self.unit <= UNITS[1]:
            raise ValueError("unit %r: allowed: %d to %d" % (self.unit, UNITS[0], UNITS[1]))


def unpack(data: bytes) -> Settings:
    """The settings in a vault's `data`; ValueError for data that `pack` does not give."""
    fields = bytes(data).decode().split(_SEPARATOR)
    if len(fields) != 4:
        raise ValueError("port settings: %d fields, 4 expected" % len(fields))
    settings = Settings(int(fields[0]), fields[1], int(fields[2]), int(fields[3]))
    settings.check()
    return settings


def load(vault: "Vault | None", log: "EventLog") -> Settings:
    """Load the settings of a vault, while no timer runs; those of a new meter where there are none, or where they
    are damaged, which is logged."""
    result = verdict.BLANK if vault is None else vault.load()
    if vault is not None and result == verdict.GOOD:
        try:
            return unpack(vault.data or b"")
        except ValueError:
            result = verdict.DAMAGED
    if result in (verdict.DAMAGED, verdict.FOREIGN):
        log.add(event_codes.CALIBRATION_DAMAGED, _DAMAGED)
    return Settings()
