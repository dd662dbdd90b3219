"""Recorded or synthetic waveforms, taken through the front end's 6.99 kHz signal path.

What the chip does to a waveform (ADE7953 data sheet, "DS"): it saturates at +-500 mV (DS p.4), passes 1.23 kHz (DS p.4)
without the mean (high pass, DS p.19), multiplies samples taken each 128/895000 s (DS p.24), shifts the current by 90
degrees for reactive power (DS p.28), and smooths squares for its rms registers (DS p.23). Here all of that is done once
for one loop of a recording, which the simulated chip then plays end to end.
"""

import os
import struct
from dataclasses import dataclass

import comtrade
import numpy as np
from numpy.typing import NDArray

from host.cli.refused import RefusedError
from host.stimulus.source import Point, Source, source_of_points
from host.stimulus.wave import Wave
from openkh.model import Model

Samples = NDArray[np.float64]

SAMPLE_HZ = 895_000 / 128  # DS p.24
BANDWIDTH_HZ = 1230.0  # -3 dB, DS p.4
RMS_TAU_S = 0.04  # settles in 200 ms, DS p.23
STEP_US = 1000  # about what one row of a table covers
LONGEST_S = 600.0  # beyond these a time stamp is wrong, or the recording is no recording of a waveform
MOST_SAMPLES = 20e6
MOST_BYTES = 10**9
ROWS = 4000  # at most: a longer recording gets longer rows

_KEYS = ("V1", "I1", "V2", "I2")
_PREFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "m": 1e-3, "u": 1e-6, "M": 1e6}


@dataclass
class Recording:
    """Evenly sampled volts and amps (primary, instantaneous) of one or two lines; `hz` is the voltage's frequency."""

    rate_hz: float
    hz: float
    lines: list[tuple[Samples, Samples]]

    @property
    def seconds(self) -> float:
        """How long it lasts; the sample after the last is the first again."""
        return len(self.lines[0][0]) / self.rate_hz

    def true_w(self) -> list[float]:
        """Mean power of each line over the whole recording, watts."""
        return [float(np.mean(volts * amps)) for volts, amps in self.lines]


# -- reading -------------------------------------------------------------------------------------------------------


def read(path: str, mapping: str | None = None) -> Recording:
    """A COMTRADE recording (`path`: its .cfg or .cff). `mapping` as `V1=NAME,I1=NAME,V2=...`, for channels that are not
    the first voltage and current (line 1) and the second ones (line 2). ValueError with one clear line otherwise."""
    for name in _files(path):
        if not os.path.isfile(name):
            raise ValueError(f"{name}: not a file")  # a device may have no end
        if os.path.getsize(name) > MOST_BYTES:
            raise ValueError(f"{name}: too long: allowed: {MOST_BYTES // 10**6} MB")
    record = comtrade.Comtrade(ignore_warnings=True, use_numpy_arrays=True, use_double_precision=True)
    try:
        record.load(path)
    except FileNotFoundError as e:
        raise ValueError(f"{e.filename or path}: no such file") from None
    except OSError as e:
        raise ValueError(f"{e.filename or path}: cannot be read: {e.strerror or e}") from None
    except (
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        struct.error,
        MemoryError,
        comtrade.ComtradeError,
    ) as e:
        raise ValueError(f"not a COMTRADE recording: {e}") from None
    chosen = _choose(record, _parse_map(mapping))
    times = np.asarray(record.time, dtype=float)
    if len(times) < 8:
        raise ValueError(f"only {len(times)} samples")
    steps = np.diff(times)
    if not np.all(np.isfinite(times)) or steps.min() <= 0:
        raise ValueError("its time stamps do not rise: is the data file complete?")
    rate = 1.0 / float(np.median(steps))
    span = float(times[-1] - times[0])
    if span > LONGEST_S or span * rate > MOST_SAMPLES:
        raise ValueError(
            f"lasts {span:g} s at {rate:g} samples a second; allowed: {LONGEST_S:g} s, {MOST_SAMPLES:g} samples"
        )
    count = max(8, round((times[-1] - times[0]) * rate) + 1)
    rate = (count - 1) / float(times[-1] - times[0])
    grid = times[0] + np.arange(count) / rate
    lines = []
    for pair in chosen:
        volts, amps = (_samples(record, index, times, grid) for index in pair)
        lines.append((volts, amps))
    nominal = float(record.frequency or 0.0)
    return Recording(rate, frequency(lines[0][0], rate, nominal), lines)


def _files(path: str) -> list[str]:
    """The recording's files that exist: itself, and what the package reads beside it."""
    folder, name = os.path.split(path)
    try:
        beside = os.listdir(folder or ".")
    except (OSError, ValueError):
        return []  # reading the file says why
    parts = [name[:-3].lower() + extension for extension in ("cfg", "cff", "dat", "inf", "hdr")]
    return [os.path.join(folder, other) for other in beside if other.lower() in parts]


def _parse_map(mapping: str | None) -> dict[str, str]:
    names = {}
    for part in (mapping or "").split(","):
        if not part.strip():
            continue
        key, equals, name = part.partition("=")
        key = key.strip().upper()
        if not equals or key not in _KEYS or not name.strip():
            raise ValueError(f"--map: {part.strip()!r} is not one of V1=NAME, I1=NAME, V2=NAME, I2=NAME")
        if key in names:
            raise ValueError(f"--map: {key} is there twice")
        names[key] = name.strip()
    return names


def _choose(record: comtrade.Comtrade, names: dict[str, str]) -> list[tuple[int, int]]:
    """Indexes of (voltage, current) of each line."""
    channels = record.cfg.analog_channels
    found = ", ".join(f"{c.name} ({c.uu.strip() or 'no unit'})" for c in channels) or "none"
    by_quantity = {q: [n for n, c in enumerate(channels) if _quantity(c)[0] == q] for q in "VI"}
    chosen: dict[str, int] = {}
    for key in _KEYS:
        if key in names:
            wanted = names[key]
            indexes = [n for n, c in enumerate(channels) if c.name.strip() == wanted]
            if not indexes:
                raise ValueError(f"--map: no channel {wanted!r}; channels: {found}")
            if _quantity(channels[indexes[0]])[0] not in (key[0], ""):
                raise ValueError(f"--map: channel {wanted!r} is not a {_word(key)} channel")
            chosen[key] = indexes[0]
        elif len(by_quantity[key[0]]) >= int(key[1]):
            chosen[key] = by_quantity[key[0]][int(key[1]) - 1]
    for key in ("V1", "I1"):
        if key not in chosen:
            raise ValueError(f"no {_word(key)} channel; channels: {found}")
    lines = [(chosen["V1"], chosen["I1"])]
    if "V2" in chosen and "I2" in chosen:
        lines.append((chosen["V2"], chosen["I2"]))
    return lines


def _word(key: str) -> str:
    return "voltage" if key[0] == "V" else "current"


def _quantity(channel: comtrade.AnalogChannel) -> tuple[str, float]:
    """("V" or "I" or "", factor to volts or amps) by the channel's unit, by its name where it has none."""
    unit = channel.uu.strip()
    unit = {"volt": "V", "volts": "V", "amp": "A", "amps": "A"}.get(unit.lower(), unit)
    for prefix, factor in _PREFIXES.items():
        if unit in (prefix + "V", prefix + "v"):
            return "V", factor
        if unit in (prefix + "A", prefix + "a"):
            return "I", factor
    if unit:
        return "", 1.0
    first = channel.name.strip()[:1].upper()
    return ("V" if first in ("V", "U") else "I" if first == "I" else ""), 1.0


def _samples(record: comtrade.Comtrade, index: int, times: Samples, grid: Samples) -> Samples:
    """One channel in primary volts or amps on an even grid."""
    channel = record.cfg.analog_channels[index]
    values = np.asarray(record.analog[index], dtype=float) * _quantity(channel)[1]
    if channel.pors.strip().upper() == "S":
        if not channel.primary or not channel.secondary:
            raise ValueError(f"channel {channel.name}: secondary values without a ratio")
        values = values * (channel.primary / channel.secondary)
    missing = ~np.isfinite(values)
    if missing.any():
        raise ValueError(f"channel {channel.name}: {int(missing.sum())} samples are missing")
    return np.interp(grid, times + channel.skew * 1e-6, values)


def frequency(volts: Samples, rate_hz: float, nominal_hz: float) -> float:
    """Frequency of a voltage from its rising zero crossings, in Hz; `nominal_hz` (or 60) where it has too few."""
    nominal = nominal_hz if 40.0 <= nominal_hz <= 70.0 else 60.0
    kernel = np.hanning(max(3, round(rate_hz * 0.008)))  # symmetric: it moves no crossing, and smooths notches
    if len(volts) < 2 * len(kernel):
        return nominal
    clean = np.convolve(volts - np.mean(volts), kernel / kernel.sum(), mode="valid")
    rising = np.nonzero((clean[:-1] < 0) & (clean[1:] >= 0))[0]
    if len(rising) < 3 or np.std(clean) < 1e-9:
        return nominal
    instants = rising + clean[rising] / (clean[rising] - clean[rising + 1])
    hz = (len(instants) - 1) / (instants[-1] - instants[0]) * rate_hz
    return float(hz) if 40.0 <= hz <= 70.0 else nominal


# -- the chip's signal path ----------------------------------------------------------------------------------------


def _steps(seconds: float) -> tuple[int, int]:
    """(rows, microseconds of a row) that divide a loop most nearly."""
    loop_us = seconds * 1e6
    least = max(1, round(loop_us / (2 * STEP_US)))
    most = max(least, round(loop_us / (STEP_US / 2)))
    if most > ROWS:
        least, most = ROWS * 3 // 4, ROWS
    return min(
        ((n, round(loop_us / n)) for n in range(least, most + 1)),
        key=lambda rows: (round(abs(rows[0] * rows[1] - loop_us), 3), abs(rows[1] - STEP_US)),
    )


def _band(samples: Samples, rate_hz: float, full_scale: float, count: int) -> tuple[Samples, Samples]:
    """What the converter and its filters make of one loop, at `count` even instants; and the same 90 degrees ahead."""
    peak = full_scale * np.sqrt(2.0)
    spectrum = np.fft.rfft(np.clip(samples, -peak, peak)) / len(samples)
    hz = np.fft.rfftfreq(len(samples), 1.0 / rate_hz)
    spectrum *= 1.0 / np.sqrt(1.0 + (hz / BANDWIDTH_HZ) ** 8)
    spectrum[0] = 0.0  # the high pass, whose corner is far below any mains frequency
    bins = count // 2 + 1
    kept = np.zeros(bins, dtype=complex)
    usable = min(len(spectrum), (count - 1) // 2 + 1)
    kept[:usable] = spectrum[:usable]
    return np.fft.irfft(kept * count, count), np.fft.irfft(1j * kept * count, count)


def _register(samples: Samples, seconds: float, rows: int) -> Samples:
    """The rms register in each row: the root of the squares behind a single pole, once it has settled."""
    spectrum = np.fft.rfft(samples * samples)
    hz = np.arange(len(spectrum)) / seconds
    smooth = np.fft.irfft(spectrum / (1.0 + 2j * np.pi * hz * RMS_TAU_S), len(samples))
    return np.sqrt(np.maximum(0.0, smooth.reshape(rows, -1).mean(axis=1)))


def table(recording: Recording, line: int, full_scale_v: float, full_scale_a: float) -> tuple[int, Samples]:
    """(microseconds a row, rows of volts, amps, watts, var) of line 0 or 1 as the chip with these full scales (rms)
    measures them, for a "wave" stimulus."""
    seconds = recording.seconds
    rows, step_us = _steps(seconds)
    each = max(1, round(seconds * SAMPLE_HZ / rows))
    count = rows * each
    volts, amps = recording.lines[line]
    v, _ = _band(volts, recording.rate_hz, full_scale_v, count)
    i, ahead = _band(amps, recording.rate_hz, full_scale_a, count)
    columns = (
        _register(v, seconds, rows),
        _register(i, seconds, rows),
        (v * i).reshape(rows, each).mean(axis=1),
        (v * ahead).reshape(rows, each).mean(axis=1),
    )
    return step_us, np.stack(columns, axis=1)


def cycle_means(recording: Recording, line: int) -> tuple[int, list[float]]:
    """(microseconds a cycle, true mean power of each cycle in watts) of the recording itself, unfiltered."""
    volts, amps = recording.lines[line]
    cycles = max(1, round(recording.seconds * recording.hz))
    sums = np.concatenate(([0.0], np.cumsum(volts * amps)))
    bounds = np.interp(np.linspace(0, len(volts), cycles + 1), np.arange(len(sums)), sums)
    means = np.diff(bounds) * cycles / len(volts)
    return max(1, round(recording.seconds * 1e6 / cycles)), [float(p) for p in means]


def wave(recording: Recording, model: Model) -> Wave:
    """One loop of a recording for a meter of this model, with its true power."""
    full_scale = (model.full_scale_mv / 1000.0, model.full_scale_ma / 1000.0)
    lines = range(min(model.elements, len(recording.lines)))
    tables = [table(recording, line, *full_scale) for line in lines]
    means = [cycle_means(recording, line) for line in lines]
    rows = [[[round(float(x), 9) for x in row] for row in part] for _, part in tables]
    second = len(rows) > 1
    return Wave(
        step_us=tables[0][0],
        tables=(rows[0], rows[1] if second else None),
        hz=recording.hz,
        true_step_us=means[0][0],
        true_w=(means[0][1], means[1][1] if second else None),
    )


def source(path: str, mapping: str | None, model: Model) -> Source:
    """The input that a COMTRADE recording makes, repeated end to end. RefusedError where it cannot."""
    try:
        recording = read(path, mapping)
    except ValueError as e:
        raise RefusedError(f"waveform {path}: {e}") from None
    played = wave(recording, model)
    made = source_of_points([Point(0, False, played.mean_lines(model), recording.hz)], [], None)
    made.wave = played
    made.what = f"recording {path}, {recording.seconds:g} s, repeated"
    return made


# -- synthetic waveforms, for tests and verification ---------------------------------------------------------------


def _clock(hz: float, cycles: int, rate_hz: float) -> tuple[Samples, float]:
    """Phase of the voltage in radians over whole cycles, and the sample rate that fits them."""
    count = round(cycles / hz * rate_hz)
    return 2 * np.pi * cycles * np.arange(count) / count, count * hz / cycles


def harmonics(
    volts: float,
    amps: float,
    degrees: float = 0.0,
    hz: float = 60.0,
    v_parts: dict[int, tuple[float, float]] | None = None,
    i_parts: dict[int, tuple[float, float]] | None = None,
    cycles: int = 12,
    rate_hz: float = 30_000.0,
) -> Recording:
    """Fundamentals (rms, current lagging by `degrees`) with harmonics {order: (part of the fundamental, degrees)}."""
    phase, rate = _clock(hz, cycles, rate_hz)
    lag = np.radians(degrees)
    v = np.sin(phase)
    i = np.sin(phase - lag)
    for order, (part, angle) in (v_parts or {}).items():
        v = v + part * np.sin(order * phase + np.radians(angle))
    for order, (part, angle) in (i_parts or {}).items():
        i = i + part * np.sin(order * (phase - lag) + np.radians(angle))
    return Recording(rate, hz, [(volts * np.sqrt(2.0) * v, amps * np.sqrt(2.0) * i)])


def phase_cut(
    volts: float, amps: float, firing_degrees: float, hz: float = 60.0, cycles: int = 12, rate_hz: float = 60_000.0
) -> Recording:
    """A resistive load behind a dimmer that lets current flow from `firing_degrees` on in each half cycle. `amps` is
    what would flow without it, rms."""
    phase, rate = _clock(hz, cycles, rate_hz)
    v = volts * np.sqrt(2.0) * np.sin(phase)
    on = np.mod(phase, np.pi) >= np.radians(firing_degrees)
    return Recording(rate, hz, [(v, amps * np.sqrt(2.0) * np.sin(phase) * on)])


def half_wave(volts: float, amps: float, hz: float = 60.0, cycles: int = 12, rate_hz: float = 60_000.0) -> Recording:
    """A resistive load behind a diode: the positive half waves of `amps` rms."""
    phase, rate = _clock(hz, cycles, rate_hz)
    v = volts * np.sqrt(2.0) * np.sin(phase)
    return Recording(rate, hz, [(v, amps * np.sqrt(2.0) * np.maximum(0.0, np.sin(phase)))])
