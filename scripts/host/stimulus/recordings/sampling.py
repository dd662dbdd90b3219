"""From channels to a recording: even samples of whole cycles, which can be repeated end to end.

Where stamps jitter, rates change, a channel is sampled late or a cycle ends between samples, the values between samples
come from a spline of degree 7 (SciPy): right to 0.0001 % of a sine's amplitude at 8 samples a cycle, where straight
lines are 8 % off. Where none of that is so, samples stay as they are.
"""

import math

import numpy as np

from host.stimulus.recordings.capture import LONGEST_S, MOST_SAMPLES, Capture, Part, RecordingError, Samples
from host.stimulus.recordings.lines import Pick
from host.stimulus.recordings.recording import Recording, frequency

LEAST_PER_CYCLE = 8  # for values between samples
LEAST_EVEN_PER_CYCLE = 4  # where none are needed
DEGREE = 7
LEAST_HZ, MOST_HZ = 40.0, 70.0  # what the front end is told
LOWEST_HZ, HIGHEST_HZ = (
    15.0,
    450.0,
)  # railways and aircraft; beyond, samples are too far apart or the channel is another
NEAR_PARTS = 1e-5  # of its length: whole cycles that end so near a sample end on it
_EVEN = 4.0  # steps that differ by no more than this are near enough for one spline
_TURN = 1.9  # neighbouring steps that differ by more are of two rates,
_LEAST_PIECE = 16  # where so many samples are of one at least
_ROUND_PARTS = 0.001  # of a sample step: nearer than this to a grid is on it


def sampled(capture: Capture, picks: list[tuple[Pick, Pick]], usual_hz: float) -> tuple[Recording, list[str]]:
    """The recording of the lines, and what there is to say of how it was made. `usual_hz`: of the service."""
    notes: list[str] = []
    channels = [pick for pair in picks for pick in pair]
    values = [_values(pick) for pick in channels]
    hz = capture.nominal_hz if capture.nominal_hz and LEAST_HZ <= capture.nominal_hz <= MOST_HZ else usual_hz
    first, last = _usable(capture, hz, notes)
    instants = capture.instants_s[first : last + 1]
    values = [_complete(pick, part[first : last + 1]) for pick, part in zip(channels, values)]
    if len(instants) < 8:
        raise RecordingError(f"only {len(instants)} samples")
    rate, on_grid = _rate(capture, instants)
    skews = [pick.channel.skew_s for pick in channels]
    moved = max(skews) - min(skews)
    if not on_grid or moved * rate > _ROUND_PARTS:
        _enough(rate / hz, LEAST_PER_CYCLE, "time stamps that jitter, rates that change or a skew")
        start, end = instants[0] + max(skews), instants[-1] + min(skews)
        count = math.floor((end - start) * rate + _ROUND_PARTS) + 1
        if count < 8:
            raise RecordingError("the channels' skews leave no time at which all were sampled")
        grid = start + np.arange(count) / rate
        values = [_between(instants + skew, part, grid) for skew, part in zip(skews, values)]
        notes.append(f"values between samples by a spline, {rate:.6g} a second")
    if capture.nominal_hz and rate / hz < 0.9 * LEAST_EVEN_PER_CYCLE:  # the voltage's own frequency decides below
        _enough(rate / hz, LEAST_EVEN_PER_CYCLE, f"{hz:g} Hz")
    _alternates(channels[0], values[0])
    strongest = max(range(0, len(values), 2), key=lambda n: float(np.std(values[n])))
    found_hz = frequency(values[strongest], rate)
    own_hz = found_hz or hz
    if found_hz is None:
        notes.append(f"too short to tell its frequency: {hz:g} Hz is assumed")
    if not LOWEST_HZ <= own_hz <= HIGHEST_HZ:
        raise RecordingError(f"channel {channels[strongest].channel.shown} has {own_hz:.4g} Hz: no voltage of a mains")
    values, rate, cycles = _whole_cycles(values, rate, own_hz, notes)
    lines = [(values[n], values[n + 1]) for n in range(0, len(values), 2)]
    made = f"{cycles} cycles of {own_hz:.4g} Hz at {rate:.6g} samples a second"
    if not LEAST_HZ <= own_hz <= MOST_HZ:
        notes.append(f"its voltage has {own_hz:.4g} Hz, beyond what the front end follows: it is told {hz:g} Hz")
        own_hz = hz
    return Recording(rate, own_hz, lines), [made, *notes]


def _values(pick: Pick) -> Samples:
    return pick.channel.samples() * pick.factor


def _complete(pick: Pick, values: Samples) -> Samples:
    missing = int(len(values) - np.count_nonzero(np.isfinite(values)))
    if missing:
        what = "1 sample is missing" if missing == 1 else f"{missing} samples are missing"
        raise RecordingError(f"channel {pick.channel.shown}: {what}")
    if np.max(np.abs(values)) > 1e12:
        raise RecordingError(f"channel {pick.channel.shown}: values up to {np.max(np.abs(values)):.3g}; allowed: 1e12")
    return values


def _usable(capture: Capture, hz: float, notes: list[str]) -> tuple[int, int]:
    """First and last sample of the longest run of parts with enough samples a cycle."""
    parts = capture.parts
    if len(parts) < 2 or parts[0].rate_hz is None:
        return parts[0].first, parts[-1].last
    runs: list[list[Part]] = [[]]
    slow: list[int] = []
    for number, part in enumerate(parts, 1):
        assert part.rate_hz is not None
        if part.rate_hz / hz < LEAST_PER_CYCLE:
            slow.append(number)
            runs.append([])
        else:
            runs[-1].append(part)
    best = max(runs, key=lambda run: sum((p.last - p.first + 1) / (p.rate_hz or 1) for p in run))
    if not best:
        rates = ", ".join(f"{part.rate_hz:g}" for part in parts[:8])
        raise RecordingError(f"{rates} samples a second: fewer than {LEAST_PER_CYCLE} a cycle in each part")
    if slow:
        named = " and ".join(f"part {n} ({parts[n - 1].rate_hz:g} samples a second)" for n in slow[:4])
        too_few = f"{named}: too few samples a cycle"
        notes.append(f"{too_few}; taken: samples {best[0].first + 1} to {best[-1].last + 1} alone")
    return best[0].first, best[-1].last


def _rate(capture: Capture, instants: Samples) -> tuple[float, bool]:
    """(samples a second, whether they are even)."""
    rates = {part.rate_hz for part in capture.parts if part.first >= 0 and part.rate_hz}
    steps = np.diff(instants)
    if not np.isfinite(instants).all() or steps.min() <= 0 and capture.parts[0].rate_hz is not None:
        raise RecordingError("its time stamps do not rise")
    span = float(instants[-1] - instants[0])
    if not 0 < span <= LONGEST_S:
        raise RecordingError(f"lasts {span:g} s by its time stamps; allowed: above 0, up to {LONGEST_S:g} s")
    if capture.parts[0].rate_hz is None:
        mean = (len(instants) - 1) / span
        line = instants[0] + np.arange(len(instants)) / mean
        off_s = float(np.max(np.abs(instants - line)))
        if off_s <= 1.01 * capture.stamp_s + _ROUND_PARTS / mean:
            return mean, True  # rounded stamps of even samples
        if steps.min() <= 0:
            raise RecordingError("its time stamps do not rise")
        middle = float(np.median(steps))
        if steps.max() > 1.75 * middle + 2 * capture.stamp_s:
            at = int(np.argmax(steps))
            raise RecordingError(f"a gap of {steps[at]:.6g} s after sample {at + 1}: samples are missing")
        return 1.0 / middle, False
    local = 1.0 / float(steps.min())
    if local * span > MOST_SAMPLES:
        raise RecordingError(f"{local * span:.3g} samples at the highest of its rates; allowed: {MOST_SAMPLES}")
    same = float(steps.max() - steps.min()) * local <= _ROUND_PARTS or len(rates) == 1
    return (next(iter(rates)) if len(rates) == 1 and same else local), same  # type: ignore[return-value]


def _enough(per_cycle: float, least: float, what: str) -> None:
    if per_cycle < least - 1e-6:
        raise RecordingError(f"{per_cycle:.3g} samples a cycle; allowed: {least:g} or more with {what}")


def _between(instants: Samples, values: Samples, grid: Samples) -> Samples:
    """The values at the instants of `grid`, band-limited. Where the rate changes another spline begins: through steps
    of very different lengths one of a high degree swings far out."""
    steps = np.diff(instants)
    turns = np.nonzero(np.abs(np.diff(np.log(steps))) > np.log(_TURN))[0] + 1
    ends = [0, *map(int, turns), len(instants) - 1]
    if steps.max() > _EVEN * steps.min() and min(np.diff(ends)) < _LEAST_PIECE:
        return _spline(instants, values, grid, 3)
    if steps.max() <= _EVEN * steps.min():
        return _spline(instants, values, grid, DEGREE)
    found = np.empty(len(grid))
    for first, last in zip(ends[:-1], ends[1:], strict=True):
        here = (grid >= instants[first] if first else True) & (grid <= instants[last] if last < ends[-1] else True)
        here = np.broadcast_to(here, len(grid))
        found[here] = _spline(instants[first : last + 1], values[first : last + 1], grid[here], DEGREE)
    return found


def _spline(instants: Samples, values: Samples, grid: Samples, degree: int) -> Samples:
    from scipy.interpolate import make_interp_spline  # here, because it takes long to load and few recordings need it

    middle = instants.mean()  # small numbers for the spline
    spline = make_interp_spline(instants - middle, values, k=min(degree, (len(values) - 1) // 2 * 2 - 1))
    return spline(grid - middle)


def _alternates(pick: Pick, volts: Samples) -> None:
    """A mains voltage changes its sign; one that does not is a record of rms values."""
    if np.max(np.abs(volts)) > 0 and (volts.min() >= 0 or volts.max() <= 0):
        raise RecordingError(f"channel {pick.channel.shown} never changes its sign: rms values are no waveform")


def _whole_cycles(values: list[Samples], rate: float, hz: float, notes: list[str]) -> tuple[list[Samples], float, int]:
    """Cut to whole cycles of the voltage, so that the end meets the start; sampled anew where a cycle's end falls
    between two samples."""
    count, per_cycle = len(values[0]), rate / hz
    cycles = math.floor((count + 0.5) / per_cycle)
    if cycles < 1:
        raise RecordingError(f"lasts {count / rate:.4g} s: less than one cycle of {hz:.4g} Hz")
    exact = cycles * per_cycle
    whole = round(exact)
    _enough(per_cycle, LEAST_EVEN_PER_CYCLE, "even samples")
    near = 0.02 if per_cycle < LEAST_PER_CYCLE else NEAR_PARTS * exact
    if abs(exact - whole) <= near and whole <= count:
        kept = whole
        values = [part[:kept] for part in values]
    else:
        _enough(per_cycle, LEAST_PER_CYCLE, "cycles that end between samples")
        if exact > count:
            cycles -= 1
            exact = cycles * per_cycle
        if cycles < 1:
            raise RecordingError(f"lasts {count / rate:.4g} s: less than one cycle of {hz:.4g} Hz")
        kept = max(8, math.ceil(exact))
        at = np.arange(count, dtype=float)
        grid = np.arange(kept) * (exact / kept)
        values = [_between(at, part, grid) for part in values]
        rate *= kept / exact
    if kept < count - per_cycle * 0.01:
        notes.append(
            f"what is left after {cycles} whole cycles, {(count - kept) / per_cycle:.3g} of a cycle, is not played"
        )
    return values, rate, cycles
