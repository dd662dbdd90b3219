"""The verification report: one self-contained HTML file with the verdict, the error curves and every figure."""

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from markupsafe import Markup

from host.calibration.bench_file import BenchFile
from host.pages import page as pages
from host.pages import plot
from host.verification.error_plot import Band, error_curves
from host.verification.points import CURVES, LAG, LEAD, PF1
from host.verification.uncertainty import expanded_percent
from host.verification.verifier import SUM, Row, Verdict

# The limits of class 0.5 from a load on, percent of class and percent; class 0.2 has half of them.
STEPS = {PF1: ((0.9, 1.0), (2.0, 0.5)), LAG: ((2.0, 1.0), (10.0, 0.6)), LEAD: ((2.0, 1.0), (10.0, 0.6))}
KEYS = {PF1: "pf1", LAG: "lag", LEAD: "lead"}
GROUPS = {
    "temperature": "Temperature, error at each load point",
    "voltage": "Voltage, shift against nominal voltage",
    "frequency": "Frequency, shift against nominal frequency",
    "elements": "Independence of elements, shift against both elements in series",
    "waveform": "Distorted waveforms, shift against a sine at the same current",
    "other": "Repeatability, starting, no load, register",
}

Fact = tuple[str, ...]  # name, value, and a class of the style


@dataclass(frozen=True)
class Certificate:
    """What the report says beside the figures: the bench, when it began and ended, the errors as found before (by the
    key of a point and its line, from the figures of an earlier verification)."""

    bench: BenchFile = field(default_factory=BenchFile)
    began: str = ""
    ended: str = ""
    as_found: dict[tuple[str, int], float] = field(default_factory=dict)


def page(verdict: Verdict, date: str, certificate: Certificate | None = None) -> str:
    """The report. `date` as YYMMDD."""
    certificate = certificate or Certificate()
    day = _day(date)
    groups = [(title, [row for row in verdict.rows if row.group == group]) for group, title in GROUPS.items()]
    return pages.render(
        "verification.html",
        title=f"Verification {verdict.identity['serial']} {day}: {verdict.word}",
        identity=verdict.identity,
        day=day,
        word=verdict.word,
        summary=_summary(verdict),
        meter=_meter(verdict),
        calibration=_calibration(verdict),
        conditions=_conditions(verdict) + _bench(certificate),
        uncertainties=_uncertainties(verdict, certificate),
        curves=_curves(verdict),
        matrix=_matrix(verdict),
        watts=_watts(verdict),
        groups=[(title, _judged(rows)) for title, rows in groups if rows],
    )


def _summary(verdict: Verdict) -> str:
    if not verdict.judged:
        return "The envelope is for solid-core CTs: the figures of this model are reported, not judged."
    judged = [row for row in verdict.rows if row.passed is not None]
    text = f"{len(judged)} figures judged, {len(verdict.failed)} beyond their limit."
    worst = max(
        (r for r in judged if r.limit and r.group == "load"), key=lambda r: abs(r.value) / r.limit, default=None
    )
    if worst is not None and worst.limit:
        text += (
            f" Worst load point: {worst.title}, line {worst.line}: {worst.value:+.3f} % "
            f"({abs(worst.value) / worst.limit * 100:.0f} % of its limit)."
        )
    return text if verdict.complete else text + " The verification was not completed."


def _meter(verdict: Verdict) -> list[Fact]:
    identity, image, status = verdict.identity, verdict.image, verdict.status
    files = image["files"]
    return [
        ("serial number", identity["serial"] or "none"),
        ("model, service", f"{identity['model']}, {identity['service']}"),
        ("manufactured", _day(identity["date"])),
        ("elements", str(verdict.model.elements)),
        ("CT rating", f"{verdict.model.rating_a} A : 0.1 A"),
        ("energy a count", f"1/{verdict.model.counts_per_wh} Wh"),
        ("memory", identity["memory"].upper()),
        ("seal", status["seal"]),
        ("register before", f"{status['delivered_wh']} Wh"),
        ("register after", f"{verdict.after.get('delivered_wh', '?')} Wh"),
        ("configuration", f"no. {status.get('configuration_count') or 'unknown'}"),
        ("software revision", image["revision"]),
        (f"image SHA-256 ({len(files) if isinstance(files, (list, dict)) else files} files)", image["image"], "hash"),
    ]


def _conditions(verdict: Verdict) -> list[Fact]:
    model = verdict.model
    return [
        ("nominal", f"{model.nominal_mv / 1000:g} V, {model.hz} Hz; class current {model.rating_a} A"),
        ("windows", "whole line cycles of 10 s and more, 20 s and more below 5 % of class; 3 s after each change"),
        ("reference", verdict.bench),
        *(("note", note) for note in verdict.notes),
    ]


def _bench(certificate: Certificate) -> list[Fact]:
    """Who measured with what, where and when; what nobody has said is not there."""
    bench = certificate.bench
    unity, lag = bench.reference_percent(PF1), bench.reference_percent(LAG)
    beside = f"; {lag:g} % where power factor is not 1" if lag != unity else ""
    known = "stated" if bench.numbers.get(("reference", "uncertainty_percent")) else "assumed"
    celsius = bench.number("place", "temperature_c", -273.0)
    reference = [bench.text("reference", key) for key in ("name", "serial", "certificate")]
    facts = [
        ("reference standard", " · ".join(text for text in reference if text)),
        ("its uncertainty", f"{unity:g} % (k = 2), {known}{beside}"),
        ("source", " · ".join(text for key in ("name", "serial") if (text := bench.text("source", key)))),
        ("place, operator", " · ".join(text for key in ("name", "operator") if (text := bench.text("place", key)))),
        ("temperature", f"{celsius:g} °C" if celsius > -273.0 else ""),
        (
            "CTs, serial numbers",
            " · ".join(t for key in ("ct1_serial", "ct2_serial") if (t := bench.text("meter", key))),
        ),
        ("seals", bench.text("meter", "seals")),
        ("began", certificate.began),
        ("ended", certificate.ended),
    ]
    return [(name, value) for name, value in facts if value]


def _uncertainties(verdict: Verdict, certificate: Certificate) -> list[list[str]]:
    """Each load point of each line: its error as found (where that is known), as left, and its uncertainty, k = 2."""
    rows = []
    for row in verdict.rows:
        if row.group != "load" or row.line == SUM:
            continue
        degrees = next(angle for angle, name in KEYS.items() if row.key.startswith(name + "-"))
        percent = expanded_percent(verdict.model, certificate.bench, _load_of(row) / 100, degrees)
        found = certificate.as_found.get((row.key, row.line))
        before = "" if found is None else f"{found:+.3f} %"
        rows.append([row.title, f"line {row.line}", before, f"{row.value:+.3f} %", f"{percent:.3f} %"])
    return rows


def _calibration(verdict: Verdict) -> dict[str, Any]:
    """What is in force: facts, and a table of each line's constants."""
    cal = verdict.calibration
    if cal["calibrated"]:
        facts: list[Fact] = [("dated", _day(cal["date"])), ("number", str(cal["calibration_count"]))]
    else:
        facts = [("dated", "never calibrated: nominal constants")]
    if not cal["saved"]:
        facts.append(("stored", "no: what is in force is not what is stored"))
    rows = [
        [label, *(f"{line[key]:+.3f}{unit}" for line in cal["lines"])]
        for label, key, unit in (
            ("power gain", "gain_percent", " %"),
            ("phase delay", "phase_degrees", "°"),
            ("offset", "offset_w", " W"),
            ("voltage gain", "volts_percent", " %"),
            ("current gain", "amps_percent", " %"),
        )
    ]
    rows += [
        [f"{key} (register)", *(str(line[key]) for line in cal["lines"])]
        for key in ("wgain", "phcal", "wattos", "vgain", "igain")
    ]
    rows.append(["temperature", *(_drift_text(line) for line in cal["lines"])])
    curves = [_curve_texts(line) for line in cal["lines"]]
    rows += [
        ["CT, corrected" if place == 0 else "", *texts]
        for place, texts in enumerate(zip_longest(*curves, fillvalue=""))
    ]
    return {"facts": facts, "head": ["in force", *(f"line {line['line']}" for line in cal["lines"])], "rows": rows}


def _drift_text(line: dict[str, Any]) -> str:
    """The correction for temperature, as the certificate of a line shows it."""
    if not line.get("tempco") and not line.get("lead_tempco"):
        return "not corrected"
    return f"{line['tempco'] / 100:+.2f} ppm/K, lead {line['lead_tempco'] / 1000:+.3f}'/K"


def _curve_texts(line: dict[str, Any]) -> list[str]:
    """The CT's errors that are corrected, a text for each current."""
    return [f"{amps:g} A {ratio:+.3f} % {lead:+.2f}'" for amps, ratio, lead in line.get("curve", ())] or ["no"]


def _day(date: str) -> str:
    return f"20{date[:2]}-{date[2:4]}-{date[4:]}" if len(date) == 6 else "unknown"


def _load_of(row: Row) -> float:
    """Per cent of class, as in the key of a load point."""
    return float(row.key.partition("-")[2])


def _bands(degrees: float, fine: bool) -> list[Band]:
    """The bands of both classes; `fine`: that of class 0.2 is the limit."""
    half = tuple((load, limit / 2) for load, limit in STEPS[degrees])
    names = ("class 0.5", "class 0.2 (the limit here)") if fine else ("class 0.5 (the limit here)", "class 0.2")
    return [Band(names[0], STEPS[degrees], plot.BANDS[0]), Band(names[1], half, plot.BANDS[1])]


def _curves(verdict: Verdict) -> list[tuple[str, Markup]]:
    """Title and picture of each power factor that was measured."""
    found = []
    for degrees, title in CURVES.items():
        series = []
        for line in range(1, verdict.model.elements + 1):
            rows = [row for row in verdict.rows if row.group == "load" and row.line == line]
            points = [(_load_of(row), row.value) for row in rows if row.key.startswith(KEYS[degrees] + "-")]
            if points:
                series.append((f"line {line}", sorted(points)))
        if series:
            found.append((title, error_curves(KEYS[degrees], title, _bands(degrees, verdict.fine), series)))
    return found


def _matrix(verdict: Verdict) -> dict[str, Any]:
    """Errors by load: for each power factor a cell a line (text, class of the style) and the limit."""
    lines = list(range(1, verdict.model.elements + 1)) + ([SUM] if verdict.model.elements == 2 else [])
    rows = {(row.key, row.line): row for row in verdict.rows if row.group == "load"}
    loads = []
    for load in sorted({_load_of(row) for row in rows.values()}):
        curves = []
        for degrees in CURVES:
            found = [rows.get((f"{KEYS[degrees]}-{load:g}", line)) for line in lines]
            limits = [row.limit for row in found if row is not None and row.limit is not None]
            curves.append(([_cell(row) for row in found], f"{limits[-1]:g}" if limits else ""))
        loads.append((f"{load:g}", curves))
    names = ["sum" if line == SUM else f"line {line}" for line in lines]
    return {"curves": list(CURVES.values()), "lines": names, "loads": loads}


def _cell(row: Row | None) -> tuple[str, str]:
    if row is None:
        return "", ""
    return f"{row.value:+.3f}", {True: "", False: "bad", None: "shown"}[row.passed]


def _watts(verdict: Verdict) -> list[list[str]]:
    """Each load point as it was read: for whoever wants to work the errors out again."""
    return [
        [row.title, f"line {row.line}", row.reference, row.meter, f"{row.value:+.4f} %"]
        for row in verdict.rows
        if row.group == "load" and row.line != SUM
    ]


def _judged(rows: list[Row]) -> list[dict[str, Any]]:
    """Rows of a table of tests; a sum that nothing is asked of is left out."""
    found = []
    for row in rows:
        if row.line == SUM and row.limit is None and row.passed is None and row.group != "other":
            continue
        form = {"counts": ".0f", "": ".0f", "x": ".3f"}.get(row.unit, "+.4f")
        cells = [
            row.title,
            "all" if row.line == SUM else f"line {row.line}",
            row.reference,
            row.meter,
            f"{row.value:{form}} {row.unit}",
            "" if row.limit is None else f"{row.limit:g} {row.unit}",
            {True: "pass", False: "FAIL", None: "shown"}[row.passed],
        ]
        found.append({"cells": cells, "failed": row.passed is False})
    return found
