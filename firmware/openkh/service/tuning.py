"""The prompt's commands for calibration: they measure windows, make register values of errors, put them into force and
store them (CA-1).

The arithmetic is that of AN-1118, with two slips put right. Positive values of the phase register delay the current,
which is what a current that leads needs (where a chip does the opposite, the step finds that out). And one unit of the
offset register is 2^-9 of the power's LSB whatever the method, so that the formula by registers has 2^5 and not 2^9.
The gains of voltage and current scale power as well; the watt gain is moved against them.
"""

from math import acos, cos, degrees, radians

from openkh import calibration, event_codes, failures
from openkh.calibration import Calibration
from openkh.identity import check_date
from openkh.metrology.correction import UNITY
from openkh.service import no_load
from openkh.service.refused import RefusedError
from openkh.service.reports import angle_of, date_text, line_number, log_entries, saved, status_line, units_per_watt
from openkh.service.requests import Apply, Store, post
from openkh.service.steps import STEPS, step_taken, steps_done

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openkh.meter import Meter

    Answer = dict[str, Any]

SPREAD_PERCENT = 0.05  # repeated windows that differ by more are refused (CA-3)
MOST_PERCENT = 11  # a larger error is beyond what the limits of the registers could correct
PHASE_MOST_PERCENT = 25  # 4 degrees at 0.5 lagging, doubled by a phase register that works the other way
UNITY_DEGREES = 15  # the angle that the meter may see at unity power factor before it is calibrated, CT error included
LAG_LEAST_DEGREES = 40  # cal_phase is refused outside these
LAG_MOST_DEGREES = 75
GAIN_LEAST_PERCENT = 5  # of the CT rating: cal_gain is refused below
OFFSET_MOST_PERCENT = 5  # of rated current times nominal voltage: cal_offset is refused outside these
OFFSET_LEAST_PERCENT = 0.2

_APPLY_MS = 15_000  # how long putting a calibration into force may take,
_STORE_MS = 30_000  # and storing it

LAGS = "; where it does lag and this front end has the sign the other way: lagging=1"

_phase: "list[tuple[float, int]]" = [(0.0, 0), (0.0, 0)]  # of each line's last cal_phase: steps, register after


_touched = [False, False]  # whether each line has taken a step since the last save() or undo()


def window(meter: "Meter", seconds: float) -> "Answer":
    """See help()."""
    from openkh.service.windows import measure

    found = measure(meter, seconds)
    no_load.note(meter, found)
    return found


def window_text(found: "Answer") -> str:
    rows = ["OK %.6f s, %.2f cycles of %.3f Hz" % (found["us"] / 1e6, found["cycles"], found["hz"])]
    for line in found["lines"]:
        rows.append(
            "L%d %d counts in %d us: %.3f W, %.3f var, %.3f deg, %.3f V, %.3f A%s"
            % (
                line["line"],
                line["counts"],
                line["us"],
                line["p_mw"] / 1000,
                line["q_mvar"] / 1000,
                line["angle_mdeg"] / 1000,
                line["v_mv"] / 1000,
                line["i_ma"] / 1000,
                ", %+d by correction" % line["correction_counts"] if line["correction_counts"] else "",
            )
        )
    return "\n".join(rows)


# From errors to registers


def fraction_of(error: "Any", most: int = MOST_PERCENT) -> float:
    """An error given in percent as a fraction; of several windows the mean. RefusedError where they do not agree, or
    the mean is beyond +-`most` percent."""
    values = error if isinstance(error, (tuple, list)) else (error,)
    if not values:
        raise RefusedError("no error given: allowed a number in percent, or several in brackets")
    for value in values:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or value != value:
            raise RefusedError("error %r: allowed a number in percent" % (value,))
    spread = max(values) - min(values)
    if spread > SPREAD_PERCENT:
        raise RefusedError(
            "the windows differ by %.3f %%: allowed %.2f; is the load steady?" % (spread, SPREAD_PERCENT)
        )
    mean = sum(values) / len(values)
    if not -most <= mean <= most:
        raise RefusedError("error %.3f %%: allowed +-%d; is the reference right?" % (mean, most))
    return mean / 100


def load_of(meter: "Meter", n: int) -> "tuple[int, float]":
    """The active power in mW and the phase angle in degrees that the meter itself measures on line n + 1. RefusedError
    where the power is not positive."""
    line = status_line(meter, n)
    p_mw = line.p_mw()
    if p_mw <= 0:
        raise RefusedError(
            "line %d measures %.3f W: allowed power above 0 (no load? CT turned round, or on the other line?)"
            % (n + 1, p_mw / 1000)
        )
    return p_mw, angle_of(p_mw, line.q_mvar())


def check_unity(angle: float) -> None:
    """RefusedError where a phase angle, in degrees, is too far from unity power factor."""
    if not -UNITY_DEGREES <= angle <= UNITY_DEGREES:
        raise RefusedError("phase angle %.1f deg: allowed 0 to %d (unity power factor)" % (angle, UNITY_DEGREES))


def copy_of(meter: "Meter", n: int) -> Calibration:
    """A copy of the calibration in force of line n + 1."""
    new = Calibration()
    new.take(meter.calibration[n])
    return new


def into_force(meter: "Meter", n: int, new: Calibration, step: str = "") -> "Answer":
    """Check the calibration `new` of line n + 1 against the limits, and have the cycle put it into force. `step`: the
    step of the calibration that it comes from, if any."""
    calibration.check(new, meter.model.hz)
    no_load.check_before(meter, n, new.wattos)
    old = copy_of(meter, n)
    post(Apply(meter, (None, new) if n else (new, None)), _APPLY_MS)
    _touched[n] = True
    step_taken(n, step)
    changed = []
    for name in calibration.ITEMS + calibration.CORRECTIONS:
        before = getattr(old, name)
        after = getattr(new, name)
        if before != after:
            changed.append([name, before, after])
    text = ", ".join(["%s %s -> %s" % (name, before, after) for name, before, after in changed])
    return {"ok": True, "line": n + 1, "item": changed, "text": "L%d %s" % (n + 1, text or "stays as it is")}


def cal_gain(meter: "Meter", line: int, error: "Any") -> "Answer":
    """See help()."""
    n = line_number(meter, line)
    fraction = fraction_of(error)
    _, angle = load_of(meter, n)
    check_unity(angle)
    least_ma = meter.model.rating_a * 10 * GAIN_LEAST_PERCENT
    if meter.elements[n].i_ma < least_ma:
        raise RefusedError("%.3f A: allowed %.1f A or more" % (meter.elements[n].i_ma / 1000, least_ma / 1000))
    new = copy_of(meter, n)
    centi = meter.thermometer.centi
    # From now on the temperature's correction counts from the temperature of now. What it does at present goes into the
    # gain.
    new.wgain = round(new.wgain * (1 + meter.corrected.lines[n].warm_gain / UNITY) / (1 + fraction))
    if centi is not None:
        new.reference = centi
    return into_force(meter, n, new, "gain")


def cal_phase(meter: "Meter", line: int, error: "Any", lag: float, lagging: bool) -> "Answer":
    """See help(). Which way the chip's phase register works shows when the step is repeated: if the correction has
    doubled the error that it was to take away, the register works the other way."""
    n = line_number(meter, line)
    _needs(meter, n, "phase")
    if not LAG_LEAST_DEGREES <= lag <= LAG_MOST_DEGREES:
        raise RefusedError("%r degrees: allowed %d to %d, lagging" % (lag, LAG_LEAST_DEGREES, LAG_MOST_DEGREES))
    fraction = fraction_of(error, PHASE_MOST_PERCENT)
    _, angle = load_of(meter, n)
    new = copy_of(meter, n)
    if lagging and angle < 0:
        new.phcal ^= calibration.VAR_REVERSED
        angle = -angle
    if not LAG_LEAST_DEGREES <= angle <= LAG_MOST_DEGREES:
        raise RefusedError(
            "phase angle %.1f deg: allowed %d to %d (current lagging)%s"
            % (angle, LAG_LEAST_DEGREES, LAG_MOST_DEGREES, LAGS if angle < 0 else "")
        )
    # The chip sees the current lag by less than it does: measured / true = cos(lag - lead) / cos(lag).
    lead = lag - degrees(acos(min(1.0, (1 + fraction) * cos(radians(lag)))))
    found = lead * calibration.PHASE_HZ / (360 * meter.model.hz)
    before, register = _phase[n]
    learnt = register == new.phcal and abs(before) >= 1 and 1.2 < found / before < 3
    if learnt:
        new.phcal ^= calibration.PHCAL_REVERSED
    steps = calibration.phase_steps(new.phcal) + round(found)
    if not -0x17F <= steps <= 0x17F:
        raise RefusedError("%.2f degrees: allowed -1 to +4 in all" % lead)
    new.phcal = calibration.phase_register(steps, calibration.ways_of(new.phcal))
    answer = into_force(meter, n, new, "phase")
    _phase[n] = (found, new.phcal)
    answer["learnt"] = learnt
    if learnt:
        answer["text"] += "; this front end's phase register works the other way: learnt"
    return answer


def cal_offset(meter: "Meter", line: int, error: "Any", watts: "float | None") -> "Answer":
    """See help()."""
    n = line_number(meter, line)
    _needs(meter, n, "offset")
    fraction = fraction_of(error)
    p_mw, angle = load_of(meter, n)
    class_mw = meter.model.rating_a * meter.model.nominal_mv
    if not OFFSET_LEAST_PERCENT <= p_mw * 100 / class_mw <= OFFSET_MOST_PERCENT:
        raise RefusedError(
            "%.1f W: allowed %.1f to %.1f %% of %d W"
            % (p_mw / 1000, OFFSET_LEAST_PERCENT, OFFSET_MOST_PERCENT, class_mw // 1000)
        )
    check_unity(angle)
    measured_w = p_mw / 1000
    if watts is None:
        watts = measured_w / (1 + fraction)
    elif not 0.8 * measured_w <= watts <= 1.2 * measured_w:
        raise RefusedError("%s W: the meter measures %.3f W; allowed is what flows now" % (watts, measured_w))
    new = copy_of(meter, n)
    new.wattos -= round(fraction * watts * units_per_watt(meter.model.counts_per_wh))
    return into_force(meter, n, new, "offset")


def _needs(meter: "Meter", n: int, step: str) -> None:
    """RefusedError where a step that has to come before `step` has not been taken (steps.py)."""
    done = steps_done(meter, n)
    for before in STEPS[: STEPS.index(step)]:
        if before not in done:
            raise RefusedError("line %d: %s comes before %s: allowed next is cal_%s" % (n + 1, before, step, before))


def cal_volts(meter: "Meter", line: int, error: "Any") -> "Answer":
    """See help()."""
    return _rms_gain(meter, line_number(meter, line), "vgain", fraction_of(error))


def cal_amps(meter: "Meter", line: int, error: "Any") -> "Answer":
    """See help()."""
    return _rms_gain(meter, line_number(meter, line), "igain", fraction_of(error))


def _rms_gain(meter: "Meter", n: int, name: str, fraction: float) -> "Answer":
    """Correct the gain `name` of voltage or current, and the watt gain against it."""
    new = copy_of(meter, n)
    old = getattr(new, name)
    setattr(new, name, round(old / (1 + fraction)))
    new.wgain = round(new.wgain * (old / getattr(new, name)))
    return into_force(meter, n, new)


def cal_set(
    meter: "Meter",
    line: int,
    wgain: "int | None",
    steps: "int | None",
    wattos: "int | None",
    vgain: "int | None",
    igain: "int | None",
    tempco: "int | None",
    lead_tempco: "int | None",
    reference: "int | None",
) -> "Answer":
    """See help()."""
    n = line_number(meter, line)
    new = copy_of(meter, n)
    given = {"wgain": wgain, "phcal": steps, "wattos": wattos, "vgain": vgain, "igain": igain}
    given.update({"tempco": tempco, "lead_tempco": lead_tempco, "reference": reference})
    if not [name for name in given if given[name] is not None]:
        raise RefusedError(
            "nothing given: allowed wgain=, phcal=, wattos=, vgain=, igain=, tempco=, lead_tempco=, reference="
        )
    for name, value in given.items():
        if value is None:
            continue
        if not isinstance(value, int) or not -(1 << 23) <= value < 1 << 23:
            raise RefusedError("%s %r: allowed a whole number" % (name, value))
        if name == "phcal":
            if not -0x17F <= value <= 0x17F:
                raise RefusedError("phcal %d: allowed %d to %d" % ((value,) + calibration.phase_limits(meter.model.hz)))
            value = calibration.phase_register(value, calibration.ways_of(new.phcal))
        setattr(new, name, value)
    return into_force(meter, n, new)


# Into the memory, and back


class _Save(Store):
    """Write the calibration in force as the next version. `count`: its number; `date`: YYMMDD as a number."""

    def __init__(self, meter: "Meter", count: int, date: int) -> None:
        self.lines = (copy_of(meter, 0), copy_of(meter, 1))
        data = calibration.pack(self.lines, count, date)
        super().__init__(meter, meter.calibration_vault, data, event_codes.CALIBRATION_SAVED, count, date)
        self._count = count
        self._date = date

    def stored(self) -> None:
        """It is written. That ends FAIL 03, unless the factory data are damaged as well."""
        meter = self.meter
        meter.stored.replace(self.lines, self._count, self._date)
        if not meter.factory.damaged:
            meter.status.set_failure(failures.STORED_DATA_DAMAGED, False)


def save(meter: "Meter", date: str) -> "Answer":
    """See help()."""
    check_date(date)
    if not meter.factory.provisioned or meter.factory.damaged:
        raise RefusedError("no factory data: allowed after provision()")
    if meter.factory.newer:
        raise RefusedError("newer software has laid out this memory: allowed with that software")
    if saved(meter) and not any(_touched):
        raise RefusedError("no calibration step was taken since the last save(): allowed after one")
    no_load.check_after(meter)
    count = max(0, meter.stored.count)
    if meter.stored.count < 0 or meter.calibration_vault.damaged > 1:
        # Both copies of the newest version may be gone; the log still has its number (CA-2).
        for entry in log_entries(meter):
            if entry[2] == event_codes.CALIBRATION_SAVED:
                count = max(count, entry[3])
    post(_Save(meter, count + 1, int(date)), _STORE_MS)
    _touched[0] = _touched[1] = False
    return {
        "ok": True,
        "calibration_count": count + 1,
        "date": date,
        "text": "calibration no. %d of %s stored; close the seal when done" % (count + 1, date),
    }


def undo(meter: "Meter") -> "Answer":
    """See help()."""
    wanted = (Calibration(), Calibration())
    if not saved(meter):
        wanted[0].take(meter.stored.lines[0])
        wanted[1].take(meter.stored.lines[1])
        text = "as stored" + (" on " + date_text(meter.stored.date) if meter.stored.found else ": nominal constants")
    else:
        data = meter.calibration_vault.previous
        if data is None:
            raise RefusedError("no older calibration is stored: allowed after a change")
        count, date = calibration.unpack(data, wanted, meter.model.hz)
        text = "as no. %d of %s; save() makes it last" % (count, date_text(date))
    post(Apply(meter, wanted), _APPLY_MS)
    _touched[0] = _touched[1] = False
    return {"ok": True, "text": text}
