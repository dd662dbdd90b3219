"""Synthetic waveforms, for tests and verification."""

import numpy as np

from host.stimulus.recordings.capture import Samples
from host.stimulus.recordings.recording import Recording


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
