"""Times as files write them: seconds, Unix time, ISO with or without a zone, and dates in the orders of the world."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from host.stimulus.profiles.profile import LATEST_S, Profile, ProfileError

EPOCH_S = 3e8  # numbers from here on are Unix time: as seconds of a run they would be ten years
EPOCH_MS = 3e11
LAST_YEAR = 2200
LATEST_EPOCH_S = 7.3e9  # in that year
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(
    r"(?P<a>\d{1,4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{2,4})"
    r"(?:[T ,]+(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2}(?:[.,]\d{1,9})?))?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?",
    re.ASCII,
)
_DURATION = re.compile(r"(\d{1,10}(?:\.\d{1,6})?)([smhd]?)", re.ASCII)


def zone_of(name: str) -> tzinfo:
    """The zone of this name; ProfileError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ProfileError(f"--timezone {name}: no such zone; allowed: names such as Europe/Berlin, UTC") from None


class Stamp:
    """A date and time as written; `order` says which of its parts is the day."""

    __slots__ = ("parts", "seconds", "offset_s")

    def __init__(self, parts: tuple[int, int, int], seconds: float, offset_s: int | None) -> None:
        self.parts = parts
        self.seconds = seconds  # since midnight
        self.offset_s = offset_s  # east of Greenwich; None: no zone given

    def naive_s(self, order: str) -> float:
        """Unix seconds of the same digits in UTC; ValueError for no date in this order ("ymd", "dmy", "mdy")."""
        named = dict(zip(order, self.parts))
        year = named["y"] + (2000 if named["y"] < 100 else 0)
        if not 1970 <= year <= LAST_YEAR:
            raise ValueError(f"the year {year}")
        day = datetime(year, named["m"], named["d"], tzinfo=UTC)
        return (day - _UNIX).total_seconds() + self.seconds


def stamp_of(text: str) -> Stamp | None:
    """The date and time in a cell; None where it is none."""
    found = _DATE.fullmatch(text.strip().strip('"'))
    if not found:
        return None
    hours, minutes = int(found["h"] or 0), int(found["m"] or 0)
    seconds = float((found["s"] or "0").replace(",", "."))
    if found["half"]:
        hours = hours % 12 + (12 if found["half"][0] in "Pp" else 0)
    if hours > 24 or minutes > 59 or seconds >= 61:
        return None
    zone = found["zone"]
    offset_s = None
    if zone:
        digits = re.sub(r"\D", "", zone)
        offset_s = (
            (int(digits[:2]) * 3600 + int(digits[2:4] or 0) * 60) * (-1 if zone[0] == "-" else 1) if digits else 0
        )
    parts = (int(found["a"]), int(found["b"]), int(found["c"]))
    return Stamp(parts, hours * 3600 + minutes * 60 + seconds, offset_s)


def order_of(stamps: list[Stamp]) -> str:
    """Which part is the year, month and day: what is possible for all, then what lets the times go on most evenly."""
    fitting: list[tuple[float, str]] = []
    for order in ("ymd", "dmy", "mdy"):
        try:
            times = [stamp.naive_s(order) for stamp in stamps]
        except ValueError:
            continue
        steps = [b - a for a, b in zip(times, times[1:])]
        fitting.append((max((abs(step) for step in steps), default=0.0), order))
    if not fitting:
        raise ProfileError("dates in no order that fits all of them: allowed: 2025-01-31, 31.01.2025, 01/31/2025")
    return min(fitting, key=lambda found: found[0])[1]


def in_zone(naive_s: list[float], zone: tzinfo) -> list[float]:
    """Unix seconds of times on a clock in `zone`, one after the other: in the hour that comes twice, those that go back
    are the second one's."""
    found: list[float] = []
    for seconds in naive_s:
        moment = (_UNIX + timedelta(seconds=seconds)).replace(tzinfo=zone)
        at = moment.timestamp()
        later = moment.replace(fold=1).timestamp()
        found.append(later if later > at and found and found[-1] >= at else at)
    return found


def bound(text: str, option: str, profile: Profile) -> int:
    """`--from` and `--to` as microseconds of the profile: a time on its clock, or a duration from its start."""
    epoch_s = profile.epoch_s
    found = _DURATION.fullmatch(text)
    if found:
        seconds = float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]]
        if not found[2] and seconds >= EPOCH_S and epoch_s is not None:
            seconds -= epoch_s
        if seconds > LATEST_S:
            raise ProfileError(f"{option} {text}: allowed: up to {LATEST_S:g} s")
        return round(seconds * 1e6)
    stamp = stamp_of(text)
    if stamp is None:
        raise ProfileError(
            f"{option} {text}: allowed: a time such as 2025-01-31T12:00, or one from the start such as 90m"
        )
    if epoch_s is None:
        raise ProfileError(
            f"{option} {text}: the file's times are no clock's; allowed: seconds from the start such as 90m"
        )
    try:
        seconds = stamp.naive_s("ymd" if stamp.parts[0] > 31 else "dmy")
    except ValueError:
        raise ProfileError(f"{option} {text}: no such date") from None
    if stamp.offset_s is not None:
        seconds -= stamp.offset_s
    elif not profile.local:
        seconds = in_zone([seconds], profile.zone)[0]
    return round((seconds - epoch_s) * 1e6)
