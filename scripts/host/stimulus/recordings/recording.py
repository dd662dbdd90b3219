"""A recording that can be played: even samples of volts and amps over whole cycles."""

from dataclasses import dataclass

import numpy as np

from host.stimulus.recordings.capture import Samples


@dataclass
class Recording:
    """Evenly sampled volts and amps (instantaneous, as fed to the meter) of one or two lines; `hz` is the voltage's
    frequency."""

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


_LIKE = 0.1  # of an interval


def frequency(volts: Samples, rate_hz: float) -> float | None:
    """Frequency of a voltage from its rising zero crossings, in Hz; None where it has too few. Intervals that are not
    like most of them are left out: an interruption has lost crossings, or has those of noise."""
    kernel = np.hanning(max(3, round(rate_hz * 0.008)))  # symmetric: it moves no crossing, and smooths notches
    if len(volts) < 2 * len(kernel):
        return None
    clean = np.convolve(volts - np.mean(volts), kernel / kernel.sum(), mode="valid")
    rising = np.nonzero((clean[:-1] < 0) & (clean[1:] >= 0))[0]
    if len(rising) < 2 or np.std(clean) < 1e-9:
        return None
    instants = rising + clean[rising] / (clean[rising] - clean[rising + 1])
    intervals = np.diff(instants)
    usual = np.median(intervals)
    return float(rate_hz / np.mean(intervals[np.abs(intervals - usual) <= _LIKE * usual]))
