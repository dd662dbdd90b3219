"""The guided calibration of a meter's lines: what calibrate, its tests and the accuracy campaign run alike.

Each line by itself, the other CT without current: voltage and current gain first (they scale power), then power gain
at unity power factor, phase at 0.5 lagging, offset at 1 % of class, each with the firmware's own checks; then a least
squares fit over all points sets the fine values, and the load that stands is read once more. With two more currents
measured, or the CT's certificate, the meter also gets the CT's curve (ct_curve.py).
"""

import contextlib
import dataclasses
import math
import statistics
from collections.abc import Callable, Iterator
from typing import Any

from host.calibration import line_model
from host.calibration.bench_source import AgainError, Bench, LineLoad, Load, NobodyError, Reading
from host.calibration.ct_curve import Curve, best, corrected, of_meter
from host.calibration.kept import Kept
from host.calibration.line_model import Observation, Registers
from host.calibration.plausible import checked
from host.calibration.readings import (
    CURVE_POINTS,
    GAIN,
    OFFSET,
    PHASE,
    POINTS,
    Found,
    LineResult,
    Point,
    Taken,
    power_w,
    show,
    uncertainty_percent,
    with_uncertainties,
)
from host.cli.refused import FailedError, RefusedError
from host.port.prompt import PortError
from host.port.service import CommandRefusedError, Service
from openkh.model import Model

SPREAD_PERCENT = 0.05  # repeated windows of a point may differ by this
TAKES = 2  # an unstable point is taken once more before it is refused
AFTER_S = 8.0
NO_LOAD_S = 60.0
RMS_S = 5.0
WORSE_PERCENT = 0.05  # a correction that leaves more than this beyond its uncertainty did not do what it should
BASE_PERCENT = 0.02  # what the fit trusts no point beyond
MOST_WINDOWS = 8


class UnstableError(RefusedError):
    """Windows of one point that differ by too much."""


class Calibrator:
    """Calibrates one meter at one bench. `say` gets lines for a person."""

    def __init__(
        self,
        service: Service,
        bench: Bench,
        say: Callable[[str], None] = lambda _text: None,
        windows: int = 3,
        reference_percent: float = 0.0,
        curve: "bool | dict[int, Curve]" = False,
        kept: Kept | None = None,
        reference_lag_percent: float | None = None,
    ) -> None:
        """`windows` a point (2 to 8); `reference_percent`: the reference's own uncertainty, k = 2, and
        `reference_lag_percent` that at a lagging current (None: the same). `curve`: measure the CT's curve as well; or
        that of each line, where it is known. `kept`: where the readings go as they come."""
        if not 2 <= windows <= MOST_WINDOWS:
            raise RefusedError(f"{windows} windows a point: allowed: 2 to {MOST_WINDOWS}")
        self.service = service
        self.bench = bench
        self.kept = Kept() if kept is None else kept
        self._say = say
        self._windows = windows
        lag_percent = reference_percent if reference_lag_percent is None else reference_lag_percent
        self._reference_percent = (reference_percent, lag_percent)  # at power factor 1; lagging
        self._measured = curve is True
        self._known: dict[int, Curve] = curve if isinstance(curve, dict) else {}
        cal = service.call("cal()")
        status = service.call("status()")
        self.model = Model(status["model"], status["service"])
        self.before = cal

    def run(self, lines: tuple[int, ...] | None = None) -> list[LineResult]:
        """Calibrate `lines` (all). Nothing is stored. RefusedError, with everything put back, where it cannot be."""
        with self.kept_only_if_stored():
            self._no_load("no-load")
            results = [self._line(line) for line in lines or range(1, self.model.elements + 1)]
            for row in self._no_load("no-load-after"):
                if row["counts"] and (lines is None or row["line"] in lines):
                    self.kept.forget(row["line"], OFFSET.key)
                    raise RefusedError(
                        f"line {row['line']}: {row['counts']} counts in {NO_LOAD_S:g} s without current: with this "
                        "calibration it would creep; is the conductor through the CT dead?"
                    )
            return results

    @contextlib.contextmanager
    def kept_only_if_stored(self) -> Iterator[None]:
        """What ends the block by an exception, Ctrl-C among them, puts the calibration back as it was found.

        FailedError, with what ended the block, where that cannot be done."""
        try:
            yield
        except BaseException as ended:
            try:
                self.put_back()
            except PortError:
                raise FailedError(
                    f"{ended or 'given up'}: what was set meanwhile holds until the meter restarts"
                ) from ended
            except CommandRefusedError as error:
                raise FailedError(f"{ended or 'given up'}; the calibration could not be put back: {error}") from ended
            raise

    def put_back(self) -> None:
        """The calibration as it was found; for a run that is given up."""
        for line in self.before["lines"]:
            self._set(line["line"], Registers.of(line))
            now = next(row for row in self.service.call("cal()")["lines"] if row["line"] == line["line"])
            if corrected(line) or corrected(now):
                self._set_corrections(line["line"], line, of_meter(line))
            elif now.get("reference") != line.get("reference"):  # the gain's step notes how warm it was
                self.service.call(f"cal_set({line['line']}, reference={line['reference']})")

    def _no_load(self, key: str) -> list[dict[str, Any]]:
        """A window with voltage and no current on all lines: the meter wants it before and after an offset (EN-5)."""
        load = Load((LineLoad(self.model.nominal_mv / 1000, 0.0),) * self.model.elements, float(self.model.hz))
        self.kept.set_up("load", lambda: self.bench.apply(key, load))
        with contextlib.suppress(AgainError):  # nothing was read under load since
            self.kept.now()
        rows = self.service.window(NO_LOAD_S)["lines"]
        self._say(f"  {key:<14}" + ", ".join(f"line {row['line']}: {row['counts']} counts" for row in rows))
        return rows

    # A line

    def _line(self, line: int) -> LineResult:
        before = self._registers(line)
        self._say(f"\nLine {line} of {self.model.code}, {self.model.service}")
        was = next(row for row in self.before["lines"] if row["line"] == line)
        if corrected(was):
            self._set_corrections(line, {}, Curve())  # what the front end itself reads is what is to be known
        taken: list[Taken] = []
        while True:
            try:
                found, after = self._points(line, taken)
                break
            except AgainError:
                if taken:
                    self.kept.forget(line, taken.pop().point.key)
        # The drift of the same parts is the same as before; it counts from the temperature of this calibration.
        self._set_drift(line, was)
        result = LineResult(line, before, after, found.errors, taken, found.meter)
        for one in taken:
            result.before_percent[one.point.key] = self._percent(found, before, of_meter(was), one)
            result.left_percent[one.point.key] = self._percent(found, after, found.meter, one)
        show(result, self._say)
        return result

    def _points(self, line: int, taken: list[Taken]) -> "tuple[Found, Registers]":
        """Take and correct what is left of the line's points, add them to `taken`, and fit."""
        points = CURVE_POINTS if self._measured else POINTS
        while len(taken) < len(points):
            with self._forgotten_if_refused(line, points[len(taken)].key):
                self._point(line, points[len(taken)], taken)
        with self._forgotten_if_refused(line):
            found = self._fit(line, taken)
            return found, self._finish(line, found, taken[-1])

    def _point(self, line: int, point: Point, taken: list[Taken]) -> None:
        self._apply(line, point)
        if point.key == GAIN.key:
            self._rms_gains(line, point)
        self._turned = False
        taken.append(self._correct(line, point))
        if self._turned:  # until now the phase register has done the contrary of what it says
            for one in taken:
                one.registers = dataclasses.replace(one.registers, phcal=-one.registers.phcal)

    @contextlib.contextmanager
    def _forgotten_if_refused(self, *key: Any) -> Iterator[None]:
        """Readings that ended the calibration are not taken up again."""
        try:
            yield
        except NobodyError:
            raise
        except (RefusedError, CommandRefusedError):
            self.kept.forget(*key)
            raise

    def _apply(self, line: int, point: Point) -> None:
        model = self.model
        volts = model.nominal_mv / 1000
        on = LineLoad(volts, point.part * model.rating_a, point.degrees)
        lines = tuple(on if n == line else LineLoad(volts, 0.0) for n in range(1, model.elements + 1))
        self._wanted = on
        self.kept.set_up("load", lambda: self.bench.apply(point.key, Load(lines, float(model.hz))))

    def _rms_gains(self, line: int, point: Point) -> None:
        """Voltage and current gain, from a window of their own: they move the power gain's register too."""
        taken = self._take(line, point, 1, RMS_S, "rms")
        for command, error in (("cal_volts", taken.volts_percent), ("cal_amps", taken.amps_percent)):
            self.service.call(f"{command}({line}, {error:.6f})")
        self._say(f"  voltage {taken.volts_percent:+.3f} %, current {taken.amps_percent:+.3f} %: set")

    def _correct(self, line: int, point: Point) -> Taken:
        """Take the point; have the firmware correct it by its own rule; read it once more."""
        taken = self._stable(line, point)
        errors = "({},)".format(", ".join(f"{e:.6f}" for e in taken.errors_percent))
        if point.key in (GAIN.key, PHASE.key, OFFSET.key):
            self.kept.now()  # the meter looks at the load itself
        if point.key == GAIN.key:
            self.service.call(f"cal_gain({line}, {errors})")
        elif point.key == PHASE.key:
            self._phase(line, errors, taken.degrees)
        elif point.key == OFFSET.key:
            self.service.call(f"cal_offset({line}, {errors}, {taken.watts:.6f})")
        else:
            return taken
        again = self._take(line, point, 1, AFTER_S, "again")
        allowed = WORSE_PERCENT + taken.uncertainty_percent + again.uncertainty_percent
        if point.key == PHASE.key:
            allowed += 0.1  # a step of PHCAL is 0.07 %
            if abs(again.mean_percent) > allowed and self._phase(line, f"{again.mean_percent:.6f}", taken.degrees):
                self._say("  the phase register of this front end works the other way: learnt, and set anew")
                self._turned = True
                again = self._take(line, point, 1, AFTER_S, "again")
        if abs(again.mean_percent) > allowed:
            self._say(f"  {again.mean_percent:+.3f} % after the correction: that is read once more")
            self.kept.forget(line, point.key, "again")
            again = self._take(line, point, 1, AFTER_S, "again")
        if abs(again.mean_percent) > allowed:
            raise RefusedError(
                f"line {line}, {point.key}: {taken.mean_percent:+.3f} % before the correction and still "
                f"{again.mean_percent:+.3f} % after it: has the load changed, or belongs the reference to another line?"
            )
        return taken

    def _phase(self, line: int, errors: str, degrees: float) -> bool:
        """The phase step; True where the meter has learnt from it that its phase register works the other way."""
        command = f"cal_phase({line}, {errors}, {degrees:.4f}"
        try:
            answer = self.service.call(command + ")")
        except CommandRefusedError as error:
            if "lagging=1" not in str(error) or not self.bench.lags(line):
                raise
            answer = self.service.call(command + ", lagging=1)")
            self._say("  reactive energy of this front end has the other sign: learnt")
        return bool(answer.get("learnt"))

    def _finish(self, line: int, found: "Found", last: Taken) -> Registers:
        """The fitted values, and the standing load (1 % of class) read with them."""
        after = found.registers
        self._set(line, after)
        if found.meter.nodes:
            self.service.call(f"cal_curve({line}, {found.meter.argument()})")
        again = self._take(line, last.point, 1, last.point.seconds, "final")
        expected = self._percent(found, after, found.meter, last)
        off = again.mean_percent - expected
        if abs(off) > WORSE_PERCENT + last.uncertainty_percent + again.uncertainty_percent:
            raise RefusedError(
                f"line {line}: with the fitted values the load reads {again.mean_percent:+.3f} %, "
                f"{expected:+.3f} % was expected: has the load changed?"
            )
        return after

    def _fit(self, line: int, taken: list[Taken]) -> "Found":
        model, hz = self.model, float(self.model.hz)
        points = []
        for one in taken:
            trust = math.hypot(one.uncertainty_percent / 2, one.point.limit_percent / 10, BASE_PERCENT) / 100
            read_w = one.watts * (1 + one.mean_percent / 100)
            amps = one.point.part * model.rating_a
            points.append(Observation(one.watts, one.degrees, hz, read_w, one.registers, trust, amps))
        top = GAIN.part * model.rating_a
        change = self._known[line].against(top) if line in self._known else Curve()
        try:
            if self._measured:
                currents = tuple(sorted({p.part * model.rating_a for p in CURVE_POINTS if p.key != OFFSET.key}))
                errors, change = line_model.fit_curve(model, points, currents)
                change = with_uncertainties(change, taken)
            else:
                errors, _ = line_model.fit(model, points, change)
        except ValueError as error:
            raise RefusedError(f"line {line}: {error}") from None
        after = line_model.registers_for(model, errors, self._registers(line), hz)
        return Found(errors, change, after, line_model.left_by_registers(errors, best(change), after, hz).worth())

    def _percent(self, found: "Found", registers: Registers, meter: Curve, one: Taken) -> float:
        """A point's error with other registers and another curve than it was taken with: the part that the model does
        not explain, the registers' steps, and what the curve does not reach."""
        unexplained = one.mean_percent - self._model_percent(found, one.registers, Curve(), one)
        return unexplained + self._model_percent(found, registers, meter, one)

    def _model_percent(self, found: "Found", registers: Registers, meter: Curve, one: Taken) -> float:
        amps = one.point.part * self.model.rating_a
        errors = found.errors.changed(*found.change.at(amps))
        read = line_model.reads(self.model, errors, registers, one.watts, one.degrees, float(self.model.hz))
        return (line_model.corrected_w(*read, *meter.at(amps)) / one.watts - 1) * 100

    # Windows

    def take_stable(self, line: int, point: Point) -> Taken:
        """Set a point and take its windows, as the register has them."""
        self._apply(line, point)
        return self._stable(line, point)

    def take_again(self, line: int, point: Point) -> Taken:
        """One window more of the load that stands."""
        return self._take(line, point, 1, AFTER_S, "again")

    def _stable(self, line: int, point: Point) -> Taken:
        for take in range(TAKES):
            taken = self._take(line, point, self._windows)
            if taken.spread_percent <= SPREAD_PERCENT:
                return taken
            text = (
                f"line {line}, {point.key}: the windows differ by {taken.spread_percent:.3f} % (allowed "
                f"{SPREAD_PERCENT} %): {', '.join(f'{e:+.3f} %' for e in taken.errors_percent)}; the load or the "
                "reference is not steady"
            )
            self.kept.forget(line, point.key, "window")
            if take + 1 < TAKES:
                self._say(f"  {text}; taking them again")
        raise UnstableError(text)

    def _take(self, line: int, point: Point, windows: int, seconds: float | None = None, name: str = "window") -> Taken:
        registers = self._registers(line)
        rows = []
        counts = 0
        for n in range(1, windows + 1):
            key = (line, point.key, name, n, *dataclasses.astuple(registers))
            own, said = self.kept.reading(key, lambda n=n: self._window(line, point, n, seconds or point.seconds))
            reference = Reading(*said)
            counts += abs(own["counts"])
            read_w = power_w(self.model, own)
            percent = (read_w / reference.watts - 1) * 100
            label = f"{name} {n}" if windows > 1 or name == "window" else name
            self._say(
                f"  {point.key:<10}{label:<9} meter {read_w:11.4f} W  reference {reference.watts:11.4f} W  "
                f"{percent:+.4f} %"
            )
            rows.append((percent, reference, own))
        errors = [row[0] for row in rows]
        watts = statistics.fmean(row[1].watts for row in rows)
        apparent = statistics.fmean(row[1].volts * row[1].amps for row in rows)
        degrees = math.degrees(math.acos(min(1.0, watts / apparent))) if point.degrees else 0.0
        volts = statistics.fmean(row[2]["v_mv"] / 1000 / row[1].volts for row in rows)
        amps = statistics.fmean(row[2]["i_ma"] / 1000 / row[1].amps for row in rows)
        return Taken(
            point,
            watts,
            degrees,
            errors,
            uncertainty_percent(errors, counts, self._reference_percent[point.degrees != 0]),
            (volts - 1) * 100,
            (amps - 1) * 100,
            registers,
        )

    def _window(self, line: int, point: Point, n: int, seconds: float) -> tuple[dict[str, Any], tuple[float, ...]]:
        """A window of the meter's, and the reference's reading for it."""
        own = next(row for row in self.service.window(seconds)["lines"] if row["line"] == line)
        read_w = power_w(self.model, own)
        reference = checked(self.bench, point.key, line, n, self._wanted, read_w)
        return own, dataclasses.astuple(reference)

    # The meter

    def _registers(self, line: int) -> Registers:
        cal = self.service.call("cal()")
        return Registers.of(next(row for row in cal["lines"] if row["line"] == line))

    def _set(self, line: int, to: Registers) -> None:
        try:
            self.service.call(
                f"cal_set({line}, wgain={to.wgain}, phcal={to.phcal}, wattos={to.wattos}, vgain={to.vgain}, "
                f"igain={to.igain})"
            )
        except CommandRefusedError as error:
            raise CommandRefusedError(f"line {line}: {error}") from None

    def _set_corrections(self, line: int, values: dict[str, Any], curve: Curve) -> None:
        """The corrections in software, as a line of cal() has them; none where it has none."""
        self.service.call(f"cal_curve({line}, {curve.argument()})")
        names = ("tempco", "lead_tempco")
        settings = [f"{name}={values.get(name, 0)}" for name in names]
        if "reference" in values:
            settings.append(f"reference={values['reference']}")
        self.service.call(f"cal_set({line}, {', '.join(settings)})")

    def _set_drift(self, line: int, was: dict[str, Any]) -> None:
        if was.get("tempco") or was.get("lead_tempco"):
            self.service.call(f"cal_set({line}, tempco={was['tempco']}, lead_tempco={was['lead_tempco']})")
