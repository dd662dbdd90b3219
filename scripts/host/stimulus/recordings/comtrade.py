"""COMTRADE recordings: a .cfg with its .dat, a .cff; found by either name, in any case, or by their folder."""

import os
import re

import numpy as np

from host.stimulus.recordings import comtrade_cfg, comtrade_dat
from host.stimulus.recordings.capture import LONGEST_S, MOST_BYTES, Capture, Channel, Part, RecordingError, Samples
from host.stimulus.recordings.comtrade_cfg import Analog, Config

MOST_CFG_BYTES = 4 * 10**6
_SECTION = re.compile(
    rb"^---\s*file type:\s*([a-z]+)(?:\s+([a-z0-9]+))?\s*(?::\s*(\d+))?\s*---[ \t]*\r?\n?", re.I | re.M
)


def matches(path: str, head: bytes) -> bool:
    """Whether this is one of a recording's files."""
    name = path.lower()
    return name.endswith((".cfg", ".cff", ".dat")) or bool(_SECTION.match(head.lstrip(b"\xef\xbb\xbf\r\n ")))


def in_folder(path: str) -> str:
    """The one .cfg or .cff of a folder; RecordingError where there is none, or more."""
    names = sorted(name for name in os.listdir(path) if name.lower().endswith((".cfg", ".cff")))
    if len(names) != 1:
        found = ", ".join(names[:8]) or "none"
        raise RecordingError(f"a folder with {len(names)} recordings; allowed: one .cfg or .cff (found: {found})")
    return os.path.join(path, names[0])


def read(path: str, rate_hz: float | None) -> Capture:
    """The recording that `path` (its .cfg, .dat or .cff) belongs to. RecordingError with one clear line otherwise."""
    if rate_hz is not None:
        raise RecordingError("--rate: a COMTRADE recording says its own")
    if path.lower().endswith((".cfg", ".dat")):
        stem = path[:-4]
        cfg, dat = (_bytes(_beside(stem, end), most) for end, most in ((".cfg", MOST_CFG_BYTES), (".dat", MOST_BYTES)))
    else:
        cfg, dat = _sections(_bytes(path, MOST_BYTES))
    config = comtrade_cfg.parse(cfg)
    if not config.analog:
        raise RecordingError("no analog channels")
    data = comtrade_dat.read(dat, config)
    instants, parts, stamped = _instants(config, data.stamps)

    def channel(analog: Analog) -> Channel:
        to_primary, to_secondary, ratio = _ratio(analog)
        return Channel(
            analog.number,
            analog.name,
            analog.unit,
            lambda: data.samples(analog),
            analog.skew_us * 1e-6,
            to_primary,
            to_secondary,
            ratio,
        )

    return Capture(
        kind=f"COMTRADE {config.revision}, {config.type}",
        channels=[channel(analog) for analog in config.analog],
        instants_s=instants,
        parts=parts,
        stamp_s=config.stamp_s if stamped else 0.0,
        nominal_hz=config.hz,
    )


def _beside(stem: str, end: str) -> str:
    """The file of this stem and ending, whatever their case; RecordingError where it is not there."""
    folder, name = os.path.split(stem)
    exact = stem + end
    if os.path.exists(exact):
        return exact
    try:
        names = [other for other in os.listdir(folder or ".") if other.lower() == (name + end).lower()]
    except OSError as e:
        raise RecordingError(f"{folder}: cannot be read: {e.strerror}") from None
    if not names:
        raise RecordingError(f"{name}{end}: no such file")
    return os.path.join(folder, sorted(names)[0])


def _bytes(path: str, most: int) -> bytes:
    if not os.path.isfile(path):
        raise RecordingError(f"{path}: " + ("not a file" if os.path.exists(path) else "no such file"))
    size = os.path.getsize(path)
    if size > most:
        raise RecordingError(f"{path}: {size // 10**6} MB; allowed: {most // 10**6} MB")
    with open(path, "rb") as f:
        return f.read(most)


def _sections(data: bytes) -> tuple[bytes, bytes]:
    """Description and samples in a .cff."""
    found: dict[str, bytes] = {}
    marks = list(_SECTION.finditer(data))
    for place, mark in enumerate(marks):
        kind = mark[1].decode().upper()
        end = marks[place + 1].start() if place + 1 < len(marks) else len(data)
        if kind == "DAT" and mark[3] is not None:
            end = min(len(data), mark.end() + int(mark[3][:12]))
        found.setdefault(kind, data[mark.end() : end])
        if kind == "DAT":
            break  # what follows may be samples that look like a mark
    for kind in ("CFG", "DAT"):
        if kind not in found:
            raise RecordingError(f'no section "--- file type: {kind} ---"')
    return found["CFG"], found["DAT"]


def _instants(config: Config, stamps: Samples) -> tuple[Samples, list[Part], bool]:
    """When each sample was taken, by the rates, by the stamps where there are none; and whether it was by them."""
    count = len(stamps)
    if not config.stamps_only:
        instants = np.empty(count)
        parts = []
        first, start_s = 0, 0.0
        for rate, last in config.rates:
            last = min(last or count, count)
            if start_s + (last - first) / rate > LONGEST_S:
                raise RecordingError(
                    f"lasts longer than {LONGEST_S:g} s at {rate:g} samples a second; allowed: {LONGEST_S:g} s"
                )
            instants[first:last] = start_s + (np.arange(last - first) + (first > 0)) / rate
            parts.append(Part(first, last - 1, rate))
            first, start_s = last, float(instants[last - 1])
        return instants, parts, False
    missing = int(np.isnan(stamps).sum())
    if missing:
        raise RecordingError(f"no sampling rate, and {missing} time stamps are missing")
    return (stamps - stamps[0]) * config.stamp_s, [Part(0, count - 1, None)], True


def _ratio(analog: Analog) -> tuple[float | None, float | None, str]:
    """(factor to primary, factor to secondary values, the ratio for people)."""
    primary, secondary = analog.primary, analog.secondary
    if not primary or not secondary:
        known = None if analog.side == "S" else 1.0
        return known, (1.0 if analog.side == "S" else None), ""
    ratio = primary / secondary
    text = "" if ratio == 1 else f"{primary:g}:{secondary:g}"
    return (ratio, 1.0, text) if analog.side == "S" else (1.0, 1.0 / ratio, text)
