"""A recording through the front end's 6.99 kHz signal path.

What the chip does to a waveform (ADE7953 data sheet, "DS"): it saturates at +-500 mV (DS p.4), passes 1.23 kHz (DS p.4)
without the mean (high pass, DS p.19), multiplies samples taken each 128/895000 s (DS p.24), shifts the current by 90
degrees for reactive power (DS p.28), and smooths squares for its rms registers (DS p.23). Here all of that is done once
for one loop of a recording, which the simulated chip then plays end to end.
"""

import numpy as np

from host.stimulus.recordings.capture import Samples
from host.stimulus.recordings.recording import Recording
from host.stimulus.wave import Wave
from openkh.model import Model

SAMPLE_HZ = 895_000 / 128  # DS p.24
BANDWIDTH_HZ = 1230.0  # -3 dB, DS p.4
RMS_TAU_S = 0.04  # settles in 200 ms, DS p.23
STEP_US = 1000  # about what one row of a table covers
ROWS = 4000  # at most: a longer recording gets longer rows


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
    """(microseconds a row, rows of volts, amps, watts, var, peak volts, peak amps) of line 0 or 1 as the chip with
    these full scales (rms) measures them, for a "wave" stimulus."""
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
        np.abs(v).reshape(rows, each).max(axis=1),
        np.abs(i).reshape(rows, each).max(axis=1),
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
