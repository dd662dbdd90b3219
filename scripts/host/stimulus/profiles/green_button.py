"""Green Button (ESPI) XML: interval blocks, powers of ten, direction of flow, quality.

Facts: NAESB REQ.21 ESPI. uom 72: Wh, 38: W; flowDirection 1: to the customer, 19: from the customer, 4: net;
accumulationBehaviour 3: a running total; starts are Unix seconds. The standard library's reader is enough.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from xml.etree import ElementTree

from host.stimulus.profiles.profile import Options, Profile, ProfileError
from host.stimulus.profiles.series import Series, combined, stretches

WH, WATTS = "72", "38"
FORWARD, REVERSE, NET = "1", "19", "4"
RUNNING = "3"
LATEST_S = 7_300_000_000
DIRECTIONS = {FORWARD: 1.0, REVERSE: -1.0, NET: 1.0}
SURE_QUALITIES = {"0", "14", "17", "18", "19"}  # valid, raw, validated, verified, revenue quality


@dataclass
class _Type:
    uom: str = WH
    power_of_ten: int = 0
    direction: str = FORWARD
    behaviour: str = ""
    length_s: int | None = None


@dataclass
class _Entry:
    links: list[str] = field(default_factory=list)
    kinds: dict[str, list[ElementTree.Element]] = field(default_factory=dict)
    own: str = ""


def matches(head: str) -> bool:
    """Whether this is XML of the feed's kind."""
    return head.lstrip().startswith("<") and bool(
        re.search(r"naesb\.org/espi|IntervalBlock|IntervalReading|<feed|<\?xml", head)
    )


def read(text: str, options: Options) -> Profile:
    """The profile of a feed. ProfileError says what cannot be used."""
    if options.mapping is not None:
        raise ProfileError("--map: a Green Button file says what its values are")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)  # its encoding is done with
    if re.search(r"<!(DOCTYPE|ENTITY)", text[:100_000] if "<!" in text else ""):
        raise ProfileError("XML with a document type of its own: allowed: a plain feed")
    entries = list(_entries(text))
    readings = _by_direction(entries)
    notes: list[str] = []
    if len(readings) > 1 and readings.pop(NET, None) is not None:
        notes.append("the net readings beside those of each direction are left out")
    if not readings:
        raise ProfileError("no interval readings of electric energy or power")
    origin = min(start for rows in readings.values() for start, _ in rows)
    parts = []
    for direction, rows in sorted(readings.items()):
        series = _series(direction, rows, origin, notes)
        parts.append((series, stretches(series, notes)))
    spans, per_line = combined(parts)
    if not spans:
        raise ProfileError("no interval has a value")
    values = sum(len(series.values) for series, _ in parts)
    return Profile("Green Button", spans, per_line, float(origin), options.zone or UTC, values=values, notes=notes)


def _series(
    direction: str, rows: dict[tuple[int, int], tuple[float | None, str, str, str]], origin: int, notes: list[str]
) -> Series:
    quantity = next(iter(rows.values()))[1]
    word = {FORWARD: "to the customer", REVERSE: "from the customer", NET: "net"}[direction]
    series = Series(quantity, DIRECTIONS[direction], name=word, ends_us=[])
    assert series.ends_us is not None
    doubtful = 0
    last_us = -1
    for (start, duration), (value, _, quality, _) in sorted(rows.items()):
        start_us = (start - origin) * 1_000_000
        if start_us < last_us:
            raise ProfileError(f"{word}: the interval at {start} begins before the one before has ended")
        last_us = start_us + duration * 1_000_000
        series.times_us.append(start_us)
        series.ends_us.append(last_us)
        series.values.append(value)
        doubtful += quality not in SURE_QUALITIES and quality != ""
    if quantity == "total":
        series.ends_us = None
    if doubtful:
        notes.append(f"{word}: {doubtful} of {len(rows)} values are estimated or edited, by their quality")
    return series


def _entries(text: str) -> Iterator[_Entry]:
    """The feed's entries; a file of blocks without a feed is one."""
    bare = _Entry()
    entry = _Entry()
    depth = 0
    try:
        for event, element in ElementTree.iterparse(io.BytesIO(text.encode()), ("start", "end")):
            name = element.tag.rpartition("}")[2]
            if event == "start":
                depth += 1
                if depth > 50:
                    raise ProfileError("XML nested deeper than 50 levels")
                if name == "entry":
                    entry = _Entry()
                continue
            depth -= 1
            if name == "link":
                (entry.links if element.get("rel") != "self" else [entry.own]).append(element.get("href") or "")
                if element.get("rel") == "self":
                    entry.own = element.get("href") or ""
            elif name in ("IntervalBlock", "ReadingType", "MeterReading", "UsagePoint"):
                entry.kinds.setdefault(name, []).append(element)
            elif name == "entry":
                yield entry
                entry = bare
    except ElementTree.ParseError as e:
        raise ProfileError(f"not XML: {e}") from None
    if bare.kinds or entry.kinds and entry is not bare:
        yield entry


def _by_direction(entries: list[_Entry]) -> dict[str, dict]:
    """{direction: {(start, seconds): (value in W or Wh, quantity, quality, where)}}, each interval once."""
    types = [(e.own, _type(t)) for e in entries for t in e.kinds.get("ReadingType", [])]
    readings = [(e.own, e.links) for e in entries if "MeterReading" in e.kinds]
    found: dict[str, dict] = {}
    for entry in entries:
        for block in entry.kinds.get("IntervalBlock", []):
            kind = _type_of(entry, types, readings)
            if kind.uom not in (WH, WATTS) or kind.direction not in DIRECTIONS:
                continue
            rows = found.setdefault(kind.direction, {})
            for key, value, quality in _intervals(block, kind):
                if key in rows and rows[key][0] != value and rows[key][0] is not None:
                    where = f"the interval at {key[0]}"
                    raise ProfileError(f"{where} is there with {rows[key][0]:g} and with another value; allowed: one")
                quantity = "total" if kind.behaviour == RUNNING else "energy" if kind.uom == WH else "power"
                rows[key] = (value, quantity, quality, entry.own)
    return found


def _type_of(entry: _Entry, types: list[tuple[str, _Type]], readings: list[tuple[str, list[str]]]) -> _Type:
    """The reading type of a block's entry: over the meter reading that both belong to."""
    if len({id(kind) for _, kind in types}) == 1:
        return types[0][1]
    around = [entry.own, *entry.links]
    for own, links in readings:
        related = {link.rstrip("/") for link in links}
        belongs = any(
            href.rstrip("/") in related or (own and href.startswith(own.rstrip("/") + "/")) for href in around if href
        )
        if belongs:
            for href, kind in types:
                if href and href.rstrip("/") in related:
                    return kind
    if not types:
        return _Type()
    raise ProfileError(
        f"{len(types)} reading types, and none is linked to the interval block {entry.own or 'without a link'}"
    )


def _text(element: ElementTree.Element, name: str) -> str:
    for child in element.iter():
        if child.tag.rpartition("}")[2] == name:
            return (child.text or "").strip()
    return ""


def _type(element: ElementTree.Element) -> _Type:
    length = _text(element, "intervalLength")
    return _Type(
        _text(element, "uom") or WH,
        _whole(_text(element, "powerOfTenMultiplier") or "0", "powerOfTenMultiplier", 12),
        _text(element, "flowDirection") or FORWARD,
        _text(element, "accumulationBehaviour"),
        _whole(length, "intervalLength", 10**9) if length else None,
    )


def _whole(text: str, name: str, most: int) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII) or abs(int(text)) > most:
        raise ProfileError(f'{name} is "{text[:30]}"; allowed: a whole number up to {most}')
    return int(text)


def _intervals(block: ElementTree.Element, kind: _Type) -> Iterator[tuple[tuple[int, int], float | None, str]]:
    """((start, seconds), value in W or Wh, quality) of each reading of a block."""
    at: int | None = None
    for child in block:
        name = child.tag.rpartition("}")[2]
        if name == "interval":
            at = _whole(_text(child, "start"), "start", LATEST_S)
        elif name == "IntervalReading":
            start, duration = _text(child, "start"), _text(child, "duration")
            begin = _whole(start, "start", LATEST_S) if start else at
            length = _whole(duration, "duration", 10**9) if duration else kind.length_s
            if begin is None or not length or length < 0:
                raise ProfileError("an interval reading without a start or a duration")
            at = begin + length
            text = _text(child, "value")
            value = None
            if text:
                value = _whole(text, "value", 10**15) * 10.0**kind.power_of_ten
            yield (begin, length), value, _text(child, "quality")
