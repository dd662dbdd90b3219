"""Which channels of a recording are the lines, and what makes volts and amps of them.

The first voltage and the first current are line 1, the second ones line 2; `--map` names others, by number or by name.
"""

import math
import re
from dataclasses import dataclass

from host.stimulus.recordings.capture import Capture, Channel, RecordingError, unit_of

KEYS = ("V1", "I1", "V2", "I2")
_WORDS = {"V": "voltage", "I": "current"}


@dataclass(frozen=True)
class Options:
    """What the command line says of a recording."""

    mapping: str | None = None
    scale: str | None = None
    secondary: bool = False
    rate_hz: float | None = None


@dataclass(frozen=True)
class Pick:
    """A channel taken for a line. `factor`: from its values to the volts or amps that are fed."""

    key: str  # "V1", "I1", ...
    channel: Channel
    factor: float

    @property
    def shown(self) -> str:
        """Key and channel for people."""
        return f"{self.key} = channel {self.channel.shown}"


def scale_of(text: str | None) -> dict[str, float]:
    """`V=...,I=...` as factors; 1 for what is not given."""
    factors = {"V": 1.0, "I": 1.0}
    seen = set()
    for part in [p.strip() for p in (text or "").split(",") if p.strip()] or ([""] if text is not None else []):
        key, _, number = part.partition("=")
        key = key.strip().upper()
        found = re.fullmatch(r"\s*-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", number, re.ASCII)
        factor = float(number) if found else 0.0
        if key not in factors or key in seen or not factor or not math.isfinite(factor):
            raise RecordingError(f"--scale: {part!r}; allowed: V=FACTOR,I=FACTOR such as V=0.01,I=0.1")
        factors[key] = factor
        seen.add(key)
    return factors


def parse_map(text: str) -> dict[str, str]:
    """`V1=NAME_OR_NUMBER,...` as a table; whole pairs only."""
    names: dict[str, str] = {}
    for part in [p.strip() for p in text.split(",") if p.strip()]:
        key, equals, name = part.partition("=")
        key = key.strip().upper()
        if not equals or key not in KEYS or not name.strip():
            raise RecordingError(f"--map: {part!r}; allowed: V1=NAME_OR_NUMBER, I1=..., V2=..., I2=...")
        if key in names:
            raise RecordingError(f"--map: {key} is there twice")
        names[key] = name.strip()
    for line in "12":
        pair = [f"{q}{line}" for q in "VI"]
        mapped = [key for key in pair if key in names]
        if len(mapped) == 1 or (line == "1" and not mapped):
            missing = next(key for key in pair if key not in names)
            raise RecordingError(
                f"--map: {missing} is missing; allowed: whole pairs, V1 with I1, V2 with I2 beside them"
            )
    return names


def choose(capture: Capture, options: Options) -> list[tuple[Pick, Pick]]:
    """(voltage, current) of each line. RecordingError where there is none, or no such channel."""
    factors = scale_of(options.scale)
    if options.mapping is not None:
        named = parse_map(options.mapping)
        chosen = {key: _named(capture.channels, key, name) for key, name in named.items()}
    else:
        chosen = _first_ones(capture.channels)
    picks = {
        key: Pick(key, channel, _factor(key, channel, factors, options.secondary)) for key, channel in chosen.items()
    }
    return [(picks["V" + n], picks["I" + n]) for n in "12" if "V" + n in picks and "I" + n in picks]


def listed(channels: list[Channel]) -> str:
    """The channels for a message."""
    shown = [channel.shown for channel in channels[:12]]
    return ", ".join(shown) + (f" and {len(channels) - 12} more" if len(channels) > 12 else "") or "none"


def _first_ones(channels: list[Channel]) -> dict[str, Channel]:
    found = {q: [c for c in channels if c.quantity == q and not unit_of(c.unit).rms] for q in "VI"}
    for quantity, word in _WORDS.items():
        if not found[quantity]:
            rms = [c for c in channels if c.quantity == quantity]
            if rms:
                raise RecordingError(
                    f"channel {rms[0].shown} holds rms values, by its unit, and these are no waveform; if its samples "
                    "are instantaneous ones all the same, name it: --map V1=NUMBER,I1=NUMBER"
                )
            raise RecordingError(
                f"no {word} channel by unit or name; name them with --map V1=NUMBER,I1=NUMBER; "
                f"channels: {listed(channels)}"
            )
    return {q + str(n + 1): found[q][n] for n in range(2) for q in "VI" if min(len(found["V"]), len(found["I"])) > n}


def _named(channels: list[Channel], key: str, wanted: str) -> Channel:
    same = [c for c in channels if c.name.strip() == wanted]
    if len(same) > 1:
        numbers = ", ".join(str(c.number) for c in same)
        raise RecordingError(f"--map: {len(same)} channels are named {wanted!r}; take one by its number: {numbers}")
    if not same and re.fullmatch(r"\d{1,5}", wanted, re.ASCII):
        same = [c for c in channels if c.number == int(wanted)]
    if not same:
        raise RecordingError(f"--map: no channel {wanted!r}; channels: {listed(channels)}")
    if same[0].quantity not in (key[0], "") and same[0].unit.strip():
        raise RecordingError(f"--map: channel {same[0].shown} is not a {_WORDS[key[0]]} channel")
    return same[0]


def _factor(key: str, channel: Channel, scale: dict[str, float], secondary: bool) -> float:
    side = channel.to_secondary if secondary else channel.to_primary
    if side is None:
        what = (
            "--secondary: no ratio is given"
            if secondary
            else "secondary values without a ratio; take them with --secondary"
        )
        raise RecordingError(f"channel {channel.shown}: {what}")
    return unit_of(channel.unit).factor * side * scale[key[0]]
