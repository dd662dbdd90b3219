"""What a reader finds in a recording: channels of samples, and when each was taken."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

MOST_BYTES = 256 * 10**6  # of a file
MOST_SAMPLES = 8_000_000  # of a channel
LONGEST_S = 600.0  # beyond it a time stamp is wrong, or the file is no recording of a waveform

_PREFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "M": 1e6}
_WORDS = {"volt": "V", "volts": "V", "amp": "A", "amps": "A", "ampere": "A", "amperes": "A"}


class RecordingError(ValueError):
    """The recording cannot be played; the text is one line that says what and where."""


@dataclass(frozen=True)
class Unit:
    """`quantity` is "V", "I" or "" (neither); `factor` makes volts or amps of it; `rms`: no instantaneous values."""

    quantity: str
    factor: float
    rms: bool = False


def unit_of(text: str) -> Unit:
    """The unit as recorders write it: V, kV, volt, ampere, Vrms, ..."""
    bare = text.strip()
    rms = bare.lower().endswith("rms")
    bare = bare[:-3].strip(" _()-") if rms else bare
    bare = _WORDS.get(bare.lower(), bare)
    for prefix, factor in _PREFIXES.items():
        if bare in (prefix + "V", prefix + "v"):
            return Unit("V", factor, rms)
        if bare in (prefix + "A", prefix + "a"):
            return Unit("I", factor, rms)
    return Unit("", 1.0, rms)


@dataclass(frozen=True)
class Channel:
    """A channel of a recording.

    `number` counts from 1. `samples()` gives its values in the unit of the file, NaN where one is missing. `skew_s`:
    each is taken so much later than the instants of the capture say. `to_primary`: from the file's values to those of
    the line; `to_secondary`: to those that leave the instrument transformer; None: the file does not say.
    """

    number: int
    name: str
    unit: str
    samples: Callable[[], Samples]
    skew_s: float = 0.0
    to_primary: float | None = 1.0
    to_secondary: float | None = 1.0
    ratio: str = ""  # as the file gives it

    @property
    def quantity(self) -> str:
        """ "V", "I" or "": by the unit, by the name where there is none."""
        if self.unit.strip():
            return unit_of(self.unit).quantity
        first = self.name.strip()[:1].upper()
        return "V" if first in ("V", "U") else "I" if first == "I" else ""

    @property
    def shown(self) -> str:
        """Number, name and unit, as messages name it."""
        return f"{self.number} {self.name.strip()} ({self.unit.strip() or 'no unit'})"


@dataclass(frozen=True)
class Part:
    """Samples `first` to `last` (from 0, both included) at one rate; `rate_hz` None: only the stamps say when."""

    first: int
    last: int
    rate_hz: float | None


@dataclass
class Capture:
    """A recording as its file has it. `instants_s`: when each sample was taken; `parts` cover all of them."""

    kind: str  # for people: "COMTRADE 1999, ASCII"
    channels: list[Channel]
    instants_s: Samples
    parts: list[Part]
    stamp_s: float = 0.0  # what the stamps are rounded to, where they alone say when
    nominal_hz: float | None = None  # the line frequency that the file gives
    notes: list[str] = field(default_factory=list)


def even(count: int, rate_hz: float) -> tuple[Samples, list[Part]]:
    """Instants and parts of `count` samples at one rate."""
    return np.arange(count) / rate_hz, [Part(0, count - 1, rate_hz)]


def printable(text: str, most: int = 40) -> str:
    """A text of a file, fit for a message of one line."""
    shown = "".join(c if c.isprintable() else "?" for c in text[:most])
    return shown + ("..." if len(text) > most else "")
