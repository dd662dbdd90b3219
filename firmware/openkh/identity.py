"""Factory data: what the meter is, written once on blank memory (ID-5, CA-4)."""

_SEPARATOR = ","
_FIELDS = 5


class Identity:
    """Manufacture date `YYMMDD`, 12-digit serial number, model code and service; blank texts where none are stored.

    `count`: how often factory data have been written (CA-2); more than once only where they had been damaged.
    """

    def __init__(self, date: str, serial: str, code: str, service: str, count: int = 1) -> None:
        self.date = date
        self.serial = serial
        self.code = code
        self.service = service
        self.count = count

    def pack(self) -> bytes:
        """The data as the vault stores them: the fields in this order, with commas between. A new field is added at the
        end (docs/memory.md)."""
        return _SEPARATOR.join((self.date, self.serial, self.code, self.service, str(self.count))).encode()


def unpack(data: bytes) -> Identity:
    """The factory data in a vault's `data`; ValueError if `pack` cannot have made them. What a newer firmware has added
    is left out."""
    fields = bytes(data).decode().split(_SEPARATOR)
    if len(fields) < _FIELDS:
        raise ValueError("factory data: %d fields, %d expected" % (len(fields), _FIELDS))
    return Identity(fields[0], fields[1], fields[2], fields[3], int(fields[4]))


def check(date: str, serial: str) -> None:
    """ValueError, which says what is allowed, for a date or serial number that cannot be (ID-5)."""
    check_date(date)
    if not isinstance(serial, str) or len(serial) != 12 or not serial.isdigit():
        raise ValueError("serial number %r: allowed: 12 digits in quotes" % (serial,))


def _days(date: str) -> int:
    """How many days the month of a date YYMMDD has, in this century; 0 where there is no such month."""
    month = int(date[2:4])
    if not 1 <= month <= 12:
        return 0
    if month == 2:
        return 28 if int(date[:2]) % 4 else 29
    return 30 if month in (4, 6, 9, 11) else 31


def check_date(date: str) -> None:
    """ValueError for text that is no date YYMMDD."""
    if not isinstance(date, str) or len(date) != 6 or not date.isdigit() or not 1 <= int(date[4:]) <= _days(date):
        raise ValueError("date %r: allowed: YYMMDD in quotes, for instance '260131'" % (date,))
