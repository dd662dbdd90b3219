"""The prompt's commands for corrections in software: that of the temperature, found by a second calibration at another
one, and that of the CT's curve (CA-1a)."""

from math import acos, cos, degrees, radians

from openkh import calibration
from openkh.metrology.correction import CURRENT_MOST, NO_REFERENCE, POINTS_MOST
from openkh.service.refused import RefusedError
from openkh.service.reports import line_number
from openkh.service.tuning import check_unity, copy_of, fraction_of, into_force, load_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openkh.meter import Meter

    Answer = dict[str, Any]

APART_LEAST = 1_000  # least difference of the two temperatures, in 0.01 K
_LAG_DEGREES = 60  # the lag at which lag_error is measured


def cal_temperature(meter: "Meter", line: int, error: "Any", lag_error: "Any") -> "Answer":
    """See help()."""
    n = line_number(meter, line)
    centi = meter.thermometer.centi
    new = copy_of(meter, n)
    if centi is None:
        raise RefusedError("the board's temperature is not known: allowed with a sensor that answers")
    if new.reference == NO_REFERENCE:
        raise RefusedError("it is not known how warm it was at the gain's calibration: allowed after cal_gain")
    apart = centi - new.reference
    if -APART_LEAST < apart < APART_LEAST:
        raise RefusedError(
            "%.1f degC, calibrated at %.1f: allowed %d K or more apart"
            % (centi / 100, new.reference / 100, APART_LEAST // 100)
        )
    fraction = fraction_of(error)
    _, angle = load_of(meter, n)
    if lag_error is None:
        check_unity(angle)
    new.tempco += round(fraction * 1e10 / apart)
    if lag_error is not None:
        relative = (1 + fraction_of(lag_error)) / (1 + fraction)
        lead = _LAG_DEGREES - degrees(acos(min(1.0, relative * cos(radians(_LAG_DEGREES)))))
        new.lead_tempco += round(lead * 60 * 1e5 / apart)
    return into_force(meter, n, new)


def cal_curve(meter: "Meter", line: int, points: "Any") -> "Answer":
    """See help()."""
    n = line_number(meter, line)
    new = copy_of(meter, n)
    new.curve = _curve(points, meter.model.rating_a)
    return into_force(meter, n, new)


def _curve(points: "Any", rating_a: int) -> "tuple[tuple[int, int, int], ...]":
    """The points as a calibration keeps them, from (amps, ratio error in percent, lead in minutes of arc)."""
    if not isinstance(points, (tuple, list)) or len(points) > POINTS_MOST:
        raise RefusedError(
            "%r: allowed up to %d points (amps, ratio error in %%, lead in minutes) in brackets, () for none"
            % (points, POINTS_MOST)
        )
    found = []
    for point in points:
        if not isinstance(point, (tuple, list)) or len(point) != 3:
            raise RefusedError("point %r: allowed (amps, ratio error in %%, lead in minutes)" % (point,))
        for value in point:
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not -1000 < value < 1000:
                raise RefusedError("point %r: allowed three numbers" % (point,))
        amps, percent, minutes = point
        found.append((round(amps * 10_000 / rating_a), round(percent * 10_000), round(minutes * 100)))
        if not 0 < found[-1][0] <= CURRENT_MOST:
            raise RefusedError("%s A: allowed above 0, up to %d A" % (amps, rating_a * CURRENT_MOST // 10_000))
    calibration.check_curve(tuple(found))
    return tuple(found)
