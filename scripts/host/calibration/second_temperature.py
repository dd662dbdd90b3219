"""The step at a second temperature: how a line's energy and its CT's lead drift (CA-1a, ID-4a).

The meter was calibrated before, and is now in a chamber, 10 K away or more; further is better, because what the bench
does not know is divided by the difference. Each line by itself at 75 % of class, at unity power factor and at 0.5
lagging; the meter works out ppm/K and minutes/K by its own thermometer. A drift that is smaller than what the bench
can know is not corrected.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from host.calibration.bench_source import AgainError
from host.calibration.calibrator import Calibrator
from host.calibration.readings import Point, Taken
from host.cli.refused import RefusedError

WARM = Point("warm", 0.75, 0.0, 12.0, 0.5)
WARM_LAG = Point("warm-lag", 0.75, 60.0, 12.0, 0.6)
APART_K = 10  # from the temperature of the calibration, as the meter wants it
LEFT_PERCENT = 0.03  # a correction that leaves more than this beyond its uncertainty did not do what it should


@dataclass(frozen=True)
class Drift:
    """What a line was found to do. Figures as the meter has them, uncertainty k = 2."""

    line: int
    celsius: float  # as the meter's thermometer reads it
    apart_k: float
    tempco_ppm: float
    uncertainty_ppm: float
    lead_minutes: float  # a kelvin
    corrected: bool


def run(calibrator: Calibrator, lines: tuple[int, ...], celsius: float, say: Callable[[str], None]) -> list[Drift]:
    """Bring the meter to `celsius` and correct `lines`. Nothing is stored. RefusedError, with everything put back,
    where it cannot be."""
    with calibrator.kept_only_if_stored():
        calibrator.kept.set_up("temperature", lambda: calibrator.bench.temperature(celsius))
        return [_again_until_done(calibrator, line, say) for line in lines]


def _again_until_done(calibrator: Calibrator, line: int, say: Callable[[str], None]) -> Drift:
    while True:
        try:
            return _line(calibrator, line, say)
        except AgainError:
            calibrator.kept.forget(line)


def _line(calibrator: Calibrator, line: int, say: Callable[[str], None]) -> Drift:
    service = calibrator.service
    before = _cal(calibrator, line)
    calibrator.kept.now()
    centi = service.call("lines()")["centi_celsius"]
    if centi is None:
        raise RefusedError("the meter does not know its temperature: its sensor does not answer, or is not believed")
    apart_k = (centi - before["reference"]) / 100
    if abs(apart_k) < APART_K:
        raise RefusedError(
            f"line {line}: {centi / 100:.1f} degC is {apart_k:+.1f} K from its calibration; allowed: {APART_K} or more"
        )
    say(
        f"\nLine {line} at {centi / 100:.1f} degC of the meter's own thermometer, {apart_k:+.1f} K from its calibration"
    )
    unity = calibrator.take_stable(line, WARM)
    lag = calibrator.take_stable(line, WARM_LAG)
    found = abs(unity.mean_percent) > unity.uncertainty_percent or abs(_turned(unity, lag)) > lag.uncertainty_percent
    if found:
        calibrator.kept.now()
        service.call(f"cal_temperature({line}, {_errors(unity)}, {_errors(lag)})")
        calibrator.bench.wait(1.0)
        again = calibrator.take_again(line, WARM_LAG)
        if abs(again.mean_percent) > LEFT_PERCENT + lag.uncertainty_percent + again.uncertainty_percent:
            raise RefusedError(
                f"line {line}: {lag.mean_percent:+.3f} % before the correction and still {again.mean_percent:+.3f} % "
                "after it"
            )
    after = _cal(calibrator, line)
    drift = Drift(
        line,
        centi / 100,
        apart_k,
        after["tempco"] / 100,
        math.hypot(unity.uncertainty_percent, 0.002) * 1e4 / abs(apart_k),
        after["lead_tempco"] / 1000,
        found,
    )
    say(
        f"  drift {drift.tempco_ppm:+.2f} +- {drift.uncertainty_ppm:.2f} ppm/K, "
        f"lead {drift.lead_minutes:+.3f} minutes/K"
        + ("" if found else ": smaller than what this bench can know, as it was")
    )
    return drift


def _cal(calibrator: Calibrator, line: int) -> dict:
    return next(row for row in calibrator.service.call("cal()")["lines"] if row["line"] == line)


def _turned(unity: Taken, lag: Taken) -> float:
    """What the lagging point is off by beyond the other, percent."""
    return lag.mean_percent - unity.mean_percent


def _errors(taken: Taken) -> str:
    return "({},)".format(", ".join(f"{error:.6f}" for error in taken.errors_percent))
