"""The verification of a calibrated meter, step by step: what verify, its tests and the accuracy campaign run alike."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from host.calibration.bench_source import AgainError, Bench, LineLoad, Load
from host.calibration.calibrator import power_w
from host.calibration.kept import Kept
from host.calibration.plausible import checked
from host.cli.refused import OneLineError
from host.port.service import Service
from host.stimulus.recordings import synthetic
from host.stimulus.recordings.recording import Recording
from host.verification import points
from host.verification.points import Point
from openkh.model import Model

FINE_GROUPS = ("load", "temperature")
SUM = 0  # as a line: all elements together
PULSE_WH = 10
ADDED_WRAPS = 1 << 24  # the meter's sum of what corrections added
WINDOW_S = 300.0  # the longest that the meter takes in one piece


@dataclass(frozen=True)
class Row:
    """One judged (or shown) figure. `value` and `limit` in `unit`; passed None: not judged."""

    key: str
    group: str
    title: str
    line: int
    value: float
    limit: float | None
    unit: str = "%"
    reference: str = ""
    meter: str = ""
    passed: bool | None = None


@dataclass
class Verdict:
    """Everything that a report needs."""

    model: Model
    bench: str
    identity: dict[str, Any]
    status: dict[str, Any]
    image: dict[str, Any]
    calibration: dict[str, Any]
    judged: bool  # the envelope is for solid-core CTs
    fine: bool = False  # see Scope
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    complete: bool = False  # not stopped before the end
    after: dict[str, Any] = field(default_factory=dict)  # status() at the end

    @property
    def failed(self) -> list[Row]:
        """The rows beyond their limit."""
        return [row for row in self.rows if row.passed is False]

    @property
    def passed(self) -> bool:
        """All judged rows are within their limits."""
        return self.complete and not self.failed and any(row.passed for row in self.rows)

    @property
    def word(self) -> str:
        """For a person."""
        if not self.judged:
            return "REPORTED, NOT JUDGED"
        return "PASS" if self.passed else "FAIL"


@dataclass(frozen=True)
class Scope:
    """How much is done; less than all is for quick looks and tests, and said in the report."""

    no_load_s: float = points.NO_LOAD_S
    repeat_s: float = points.REPEAT_S
    seconds: float = 1.0  # times each point's window
    first_failure: bool = False  # stop there: the verdict stands
    temperatures: tuple[float, ...] = ()  # beside 23 degC
    fine: bool = False  # load points and temperatures judged by class 0.2: half of class 0.5's limits


class Verifier:
    """Verifies one meter at one bench. `say` gets a line a figure."""

    def __init__(
        self,
        service: Service,
        bench: Bench,
        say: Callable[[str], None] = lambda _text: None,
        scope: Scope | None = None,
        kept: Kept | None = None,
    ) -> None:
        self._kept = Kept() if kept is None else kept
        self._service = service
        self._bench = bench
        self._say = say
        self._scope = scope or Scope()
        status = service.call("status()")
        self.model = Model(status["model"], status["service"])
        self.verdict = Verdict(
            self.model,
            bench.title,
            service.call("identity()"),
            status,
            service.call("image()"),
            service.call("cal()"),
            self.model.core == "SC",
            self._scope.fine,
        )
        self._errors: dict[tuple[str, int], float] = {}
        self._begin: tuple[int, int, int, int] | None = None
        self._wanted: tuple[LineLoad, ...] = ()  # what the lines are to carry; nothing: a waveform

    def run(self) -> Verdict:
        """All of it. RefusedError where bench or meter cannot go on."""
        scope = self._scope
        verdict = self.verdict
        if scope.no_load_s < Scope.no_load_s or scope.repeat_s < Scope.repeat_s or scope.seconds < Scope.seconds:
            verdict.notes.append(
                f"Shortened: no load {scope.no_load_s:g} s, repeatability {scope.repeat_s:g} s, "
                f"windows x {scope.seconds:g}."
            )
        steps: list[Callable[[], None]] = [self._rest]
        for point in points.points(self.model.elements, self._bench.can_play):
            steps.append(lambda point=point: self._point(point))
        for celsius in scope.temperatures:
            steps.append(lambda celsius=celsius: self._temperature(celsius))
            steps += [lambda point=point: self._point(point) for point in points.at_temperature(celsius)]
        if scope.temperatures:
            steps.append(lambda: self._temperature(points.ROOM_C))
        if scope.fine:
            verdict.notes.append("Load points and temperatures judged by class 0.2: half of the limits of class 0.5.")
        steps += [self._repeatability, self._arithmetic, self._starting, self._no_load]
        if not self._bench.can_play:
            verdict.notes.append("Distorted waveforms were not fed: this bench plays none.")
        if self._kept.old:
            verdict.notes.append(
                f"Taken up after an interruption: {self._kept.old} readings of the run begun {self._kept.began}."
            )
        at = 0
        marks = [0] * len(steps)
        while at < len(steps):
            marks[at] = len(verdict.rows)
            try:
                steps[at]()
            except AgainError:  # back to the step before that has read something
                at = next((n for n in reversed(range(at)) if marks[n + 1] > marks[n]), at)
                for row in verdict.rows[marks[at] :]:
                    self._kept.forget("repeat" if row.key == "repeatability" else row.key)
                del verdict.rows[marks[at] :]
                continue
            at += 1
            if scope.first_failure and verdict.failed:
                return verdict
        verdict.after = self._service.call("status()")
        verdict.complete = True
        return verdict

    # Load points

    def _point(self, point: Point) -> None:
        if point.wave:
            amps = point.part * self.model.rating_a
            recordings = [self._recording(point.wave, amps)] * self.model.elements
            self._wanted = ()
            self._kept.set_up("load", lambda: self._bench.play(point.key, recordings))
        else:
            self._apply(point.key, self._load(point))
        measured = self._measure(point.key, point.seconds * self._scope.seconds, point.alone)
        for line, (reference, meter) in measured.items():
            error = (meter / reference - 1) * 100
            self._errors[point.key, line] = error
            value = error - self._errors[point.against, line] if point.against else error
            limit = point.limit if line != SUM else None
            if limit is not None and self._scope.fine and point.group in FINE_GROUPS:
                limit /= 2
            self._row(point.key, point.group, point.title, line, value, limit, "%", reference, meter)

    def _apply(self, key: str, load: Load) -> None:
        self._wanted = load.lines
        self._kept.set_up("load", lambda: self._bench.apply(key, load))

    def _temperature(self, celsius: float) -> None:
        self._kept.set_up("temperature", lambda: self._bench.temperature(celsius))

    def _measure(self, key: str, seconds: float, alone: int = 0, window: int = 1) -> dict[int, tuple[float, float]]:
        """(reference, meter) in watts, by line and for their sum."""
        rows = self._kept.reading((key, window), lambda: self._window(key, seconds, alone, window))
        found = {line: (reference_w, meter_w) for line, reference_w, meter_w in rows}
        if len(found) > 1:
            found[SUM] = (sum(pair[0] for pair in found.values()), sum(pair[1] for pair in found.values()))
        return found

    def _window(self, key: str, seconds: float, alone: int, window: int) -> list[tuple[int, float, float]]:
        """(line, reference, meter) in watts, of a window of the meter's."""
        found = []
        for row in self._service.window(math.ceil(seconds))["lines"]:
            line = row["line"]
            if alone in (0, line):
                meter_w = power_w(self.model, row)
                if self._wanted:
                    reading = checked(self._bench, key, line, window, self._wanted[line - 1], meter_w, judged=True)
                else:
                    reading = self._bench.read(key, line, window)
                found.append((line, reading.watts, meter_w))
        return found

    def _load(self, point: Point) -> Load:
        model = self.model
        volts = model.nominal_mv / 1000 * point.volts
        on = LineLoad(volts, point.part * model.rating_a, point.degrees)
        off = LineLoad(volts, 0.0)
        lines = tuple(on if point.alone in (0, n) else off for n in range(1, model.elements + 1))
        return Load(lines, model.hz * point.hz)

    def _recording(self, kind: str, amps: float) -> Recording:
        volts, hz = self.model.nominal_mv / 1000, float(self.model.hz)
        if kind == "harmonics":
            return synthetic.harmonics(volts, amps, hz=hz, v_parts={5: (0.1, 0.0)}, i_parts={5: (0.4, 0.0)})
        if kind == "phase-cut":
            return synthetic.phase_cut(volts, amps, 90.0, hz)
        return synthetic.half_wave(volts, amps, hz)

    # The other tests

    def _rest(self) -> None:
        """No current: from here on the chips' own totals and the outputs are compared with the register."""
        self._apply("begin", self._plain(1.0, 0.0))
        self._begin = self._totals()

    def _repeatability(self) -> None:
        part = points.MIDDLE
        self._apply("repeat", self._plain(1.0, part))
        errors: dict[int, list[float]] = {}
        for window in range(1, points.REPEATS + 1):
            for line, (reference, meter) in self._measure("repeat", self._scope.repeat_s, window=window).items():
                errors.setdefault(line, []).append((meter / reference - 1) * 100)
        for line, values in errors.items():
            self._row(
                "repeatability",
                "other",
                f"repeatability: spread of {points.REPEATS} x {self._scope.repeat_s:g} s at {part * 100:g} % of class",
                line,
                max(values) - min(values),
                points.REPEAT_PERCENT if line != SUM else None,
            )

    def _starting(self) -> None:
        part = points.START_PART
        load = self._plain(1.0, part)
        self._apply("starting", load)
        title = f"starting current, {part * 100:g} % of class"
        watts = sum(line.watts for line in load.lines)
        nominal_s = points.START_WH * 3600 / watts
        seconds = math.ceil(points.START_TIMES * nominal_s)
        before = self._bench.pulses()
        if before is not None:
            self._kept.now()
            self._service.call(f"fine_pulses({points.START_WH}, {seconds + 30})")
            before = self._bench.pulses()
        try:
            measured = self._measure("starting", min(WINDOW_S, float(seconds)))
        finally:
            if before is not None:
                with contextlib.suppress(OneLineError):  # it ends by itself, too
                    self._service.call("fine_pulses(0)")
        after = self._bench.pulses()
        for line, (reference, meter) in measured.items():
            error = (meter / reference - 1) * 100
            limit = points.START_PERCENT if line != SUM else None
            self._row("starting", "other", title, line, error, limit, "%", reference, meter)
        sum_w = measured.get(SUM, measured[1])[1]
        first = nominal_s * watts / sum_w / nominal_s if sum_w > 0 else math.inf
        self._row(
            "first-output", "other",
            f"starting: time to the first {points.START_WH} Wh, of nominal", SUM, first,
            points.START_TIMES, "x",
        )  # fmt: skip
        if before is not None and after is not None:
            self._row(
                "start-pulse", "other", f"starting: fine pulses within {seconds} s (1 wanted)", SUM,
                float(after - before), None, "", passed=after > before,
            )  # fmt: skip

    def _no_load(self) -> None:
        self._apply("no-load", self._plain(points.NO_LOAD_VOLTS, 0.0))
        self._kept.now()
        before = self._service.call("status()")
        self._bench.wait(self._scope.no_load_s)
        after = self._service.call("status()")
        counts = register_counts(after) - register_counts(before)
        counts += before["received_wh"] != after["received_wh"]
        volts = points.NO_LOAD_VOLTS * 100
        self._row(
            "no-load", "other", f"no load, {volts:.0f} % voltage, {self._scope.no_load_s / 60:g} min: counts", SUM,
            float(counts), 0.0, "counts",
        )  # fmt: skip

    def _arithmetic(self) -> None:
        """At rest again: the register has what the chips counted and corrections in software added to it, and the
        10 Wh output what the register has."""
        if self._begin is None:
            self.verdict.notes.append("Chips' counts and pulses against the register: not seen by this bench.")
            return
        self._apply("end", self._plain(1.0, 0.0))
        end = self._totals()
        assert end is not None
        counted, booked, pulses, added = (b - a for a, b in zip(self._begin, end, strict=True))
        added = (added + ADDED_WRAPS // 2) % ADDED_WRAPS - ADDED_WRAPS // 2
        due = counted + added
        part = abs(booked / due - 1) * 100 if due else 0.0
        counts = f"{counted} counts" + (f", {added:+} by correction" if added else "")
        self._row(
            "arithmetic", "other", f"chips' counts to register ({counts})", SUM, part, 0.001, "%",
        )  # fmt: skip
        wanted = booked / (self.model.counts_per_wh * PULSE_WH)
        self._row(
            "pulses", "other", f"register to 10 Wh pulses ({pulses} given)", SUM, abs(pulses - wanted), 1.0, "pulses"
        )

    def _totals(self) -> tuple[int, int, int, int] | None:
        """(chips' counts, register's counts, 10 Wh pulses, counts that corrections added) where the bench can see into
        them."""
        if self._bench.counted() is None:
            return None
        self._kept.now()
        counted = self._bench.counted()
        pulses = self._bench.pulses()
        if counted is None or pulses is None:
            return None
        added = sum(line.get("correction_register", 0) for line in self._service.call("lines()")["lines"])
        return sum(counted), register_counts(self._service.call("status()")), pulses, added

    def _plain(self, volts: float, part: float) -> Load:
        """All elements at unity power factor."""
        line = LineLoad(self.model.nominal_mv / 1000 * volts, part * self.model.rating_a)
        return Load((line,) * self.model.elements, float(self.model.hz))

    def _row(
        self,
        key: str,
        group: str,
        title: str,
        line: int,
        value: float,
        limit: float | None,
        unit: str = "%",
        reference: float | None = None,
        meter: float | None = None,
        passed: bool | None = None,
    ) -> None:
        if not self.verdict.judged:
            passed = None
        elif limit is not None:
            passed = abs(value) <= limit
        texts = [
            "" if watts is None else f"{watts:.4g} W" if watts < 1 else f"{watts:.3f} W" for watts in (reference, meter)
        ]
        row = Row(key, group, title, line, value, limit, unit, *texts, passed)
        self.verdict.rows.append(row)
        who = "" if line == SUM else f"line {line}"
        mark = {None: "", True: "ok", False: "FAIL"}[passed]
        bound = "" if limit is None else f"limit {limit:g} {unit}"
        self._say(f"  {title:<62.62} {who:<7}{value:>+10.4f} {unit:<7}{bound:<16}{mark}")


def register_counts(status: dict[str, Any]) -> int:
    """Energy delivered, in the meter's counts."""
    return int(status["delivered_wh"].partition(".")[0]) * status["counts_per_wh"] + status["delivered_counts"]
