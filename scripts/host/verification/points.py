"""What a verification measures, and the limits it is judged by (the project's own envelope, system with CT).

The envelope is a choice of this project, oriented at ANSI C12.20 class 0.5 and IEC 62053-22 class 0.5 S as secondary
sources give them; it is no statement of compliance. The limits of elements and waveforms come from those too.
"""

from dataclasses import dataclass, replace

PF1, LAG, LEAD = 0.0, 60.0, -30.0  # degrees of lag: power factor 1, 0.5 lagging, 0.866 leading
CURVES = {PF1: "PF 1.0", LAG: "PF 0.5 lagging", LEAD: "PF 0.866 leading"}

LOW, MIDDLE = 0.015, 0.15  # light load and test current, of class
SHIFT_PERCENT = 0.2
ELEMENTS_PERCENT = 0.2
WAVE_PERCENT = 0.5
START_PART = 0.0005
START_PERCENT = 10.0
START_TIMES = 1.2  # of the nominal time until the first output
START_WH = 0.1  # that output's weight with fine pulses
NO_LOAD_VOLTS = 1.15
NO_LOAD_S = 3600.0
REPEATS = 5
REPEAT_S = 60.0
REPEAT_PERCENT = 0.05


@dataclass(frozen=True)
class Point:
    """A load on all elements in series (`alone`: on that line only). `part` of class current; `volts`, `hz`: of
    nominal. `against`: the point from which the shift is judged. `limit` None: shown, not judged."""

    key: str
    group: str  # "load", "voltage", "frequency", "elements", "waveform"
    title: str
    part: float
    degrees: float
    limit: float | None
    volts: float = 1.0
    hz: float = 1.0
    alone: int = 0
    against: str = ""
    seconds: float = 10.0
    wave: str = ""


def limit_of(part: float, degrees: float) -> float | None:
    """The envelope at a load, percent; None where it says nothing."""
    if degrees == PF1:
        return 1.0 if part < 0.02 else 0.5
    if part < 0.02:
        return None
    return 1.0 if part < 0.1 else 0.6


def load_seconds(part: float) -> float:
    """The window of a load point: longer where few counts come."""
    return 20.0 if part < 0.05 else 10.0


def _load(part: float, degrees: float) -> Point:
    seconds = load_seconds(part)
    name = {PF1: "pf1", LAG: "lag", LEAD: "lead"}[degrees]
    title = f"{part:.4g} of class".replace(f"{part:.4g}", f"{part * 100:.3g} %") + f", {CURVES[degrees]}"
    return Point(f"{name}-{part * 100:.3g}", "load", title, part, degrees, limit_of(part, degrees), seconds=seconds)


def points(elements: int, waveforms: bool) -> list[Point]:
    """All load points, in the order of a bench day."""
    found = [_load(part, PF1) for part in (0.01, LOW, 0.02, 0.05, 0.1, MIDDLE, 0.2, 0.5, 1.0, 1.1)]
    found += [_load(part, LAG) for part in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.1)]
    found += [_load(part, LEAD) for part in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.1)]
    for part in (LOW, MIDDLE):
        base = _load(part, PF1)
        for volts in (0.9, 1.1):
            title = f"{volts * 100:.0f} % voltage at {part * 100:.3g} % of class"
            found.append(
                Point(
                    f"volts-{volts * 100:.0f}-{part * 100:.3g}", "voltage", title, part, PF1, SHIFT_PERCENT,
                    volts=volts, against=base.key, seconds=base.seconds,
                )
            )  # fmt: skip
        for hz in (0.98, 1.02):
            title = f"{hz * 100:.0f} % frequency at {part * 100:.3g} % of class"
            found.append(
                Point(
                    f"hz-{hz * 100:.0f}-{part * 100:.3g}", "frequency", title, part, PF1, SHIFT_PERCENT,
                    hz=hz, against=base.key, seconds=base.seconds,
                )
            )  # fmt: skip
    if elements == 2:
        for part, degrees in ((MIDDLE, PF1), (0.5, LAG)):
            base = _load(part, degrees)
            for line in (1, 2):
                title = f"line {line} alone, {base.title}"
                found.append(
                    Point(
                        f"alone-{line}-{base.key}", "elements", title, part, degrees, ELEMENTS_PERCENT,
                        alone=line, against=base.key,
                    )
                )  # fmt: skip
    if waveforms:
        for wave, title in WAVES.items():
            found.append(Point(wave, "waveform", title, 0.5, PF1, WAVE_PERCENT, against="pf1-50", wave=wave))
    return found


TEMPERATURE_PARTS = (0.02, 0.1, 0.5, 1.0)
ROOM_C = 23.0


def at_temperature(celsius: float) -> list[Point]:
    """Load points at a temperature, with the limits that they have at 23 degC."""
    found = []
    for degrees in CURVES:
        for part in TEMPERATURE_PARTS:
            base = _load(part, degrees)
            title = f"{celsius:g} degC, {base.title}"
            found.append(replace(base, key=f"{base.key}@{celsius:g}", group="temperature", title=title))
    return found


WAVES = {
    "harmonics": "harmonics: 5th, 10 % of voltage, 40 % of current, in phase",
    "phase-cut": "phase-cut dimmer, fired at 90 degrees",
    "half-wave": "half-wave rectified current (the CT's saturation by DC is not in the virtual bench)",
}
