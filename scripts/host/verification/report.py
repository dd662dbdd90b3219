"""The verification report: one self-contained HTML file with the verdict, the error curves and every figure."""

from html import escape

from host.verification.error_plot import Band, Plot, legend
from host.verification.points import CURVES, LAG, LEAD, PF1
from host.verification.verifier import SUM, Row, Verdict

STYLE = """
body{font:15px/1.45 system-ui,"Segoe UI",Helvetica,Arial,sans-serif;color:#1d2730;margin:0;background:#eef1f4}
main{max-width:920px;margin:24px auto;background:#fff;padding:32px 40px;box-shadow:0 1px 4px #0002}
h1{font-size:26px;margin:0}h2{font-size:18px;margin:34px 0 8px;border-bottom:2px solid #d5dbe1;padding-bottom:4px}
h3{font-size:15px;margin:22px 0 4px}
header{display:flex;justify-content:space-between;align-items:flex-start;gap:24px}
.sub{color:#55626e;margin:4px 0 0}
.verdict{font-size:22px;font-weight:700;padding:10px 22px;border-radius:6px;color:#fff;white-space:nowrap}
.PASS{background:#1c7c3c}.FAIL{background:#b3261e}.REPORTED{background:#55626e;font-size:15px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:13.5px}
th,td{padding:4px 8px;text-align:right;border-bottom:1px solid #e3e8ec}
th{background:#f4f6f8;font-weight:600}
th:first-child,td:first-child{text-align:left}
td{white-space:nowrap}td:first-child{white-space:normal}
tr.bad td,td.bad{background:#fde8e6;color:#8c1d18;font-weight:600}
td.shown{color:#7a8791}
td.start,th.start{border-left:2px solid #d5dbe1}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:8px 0}dt{color:#55626e}dd{margin:0}
dd.hash{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12.5px;word-break:break-all}
.two{display:grid;grid-template-columns:1fr 1fr;gap:32px}
.plot{width:100%;height:auto;display:block}.plot text{font:11.5px system-ui,Helvetica,Arial,sans-serif;fill:#3b4752}
.legend span{margin-right:18px;white-space:nowrap;font-size:13px}
.legend i{display:inline-block;width:12px;height:12px;margin-right:6px;vertical-align:-1px;border:1px solid #0002}
.legend i.circle{border-radius:50%}
.note{color:#55626e;font-size:13px}
details{margin:10px 0}summary{cursor:pointer;color:#55626e;font-size:13px}
.signed p{border-top:1px solid #55626e;margin:56px 0 0;padding-top:4px;color:#55626e;font-size:13px}
@media print{body{background:#fff}main{box-shadow:none;margin:0;padding:0;max-width:none}h2{break-after:avoid}
tr,figure{break-inside:avoid}}
"""

HALF = "class 0.5 (the limit here)"
FIFTH = "class 0.2"
BANDS = {
    PF1: [
        Band(HALF, ((0.9, 1.0), (2.0, 0.5)), "#e4efe0"),
        Band(FIFTH, ((0.9, 0.4), (2.0, 0.2)), "#c4dfba"),
    ],
    LAG: [
        Band(HALF, ((2.0, 1.0), (10.0, 0.6)), "#e4efe0"),
        Band(FIFTH, ((2.0, 0.5), (10.0, 0.3)), "#c4dfba"),
    ],
}
BANDS[LEAD] = BANDS[LAG]
KEYS = {PF1: "pf1", LAG: "lag", LEAD: "lead"}
GROUPS = {
    "voltage": "Voltage, shift against nominal voltage",
    "frequency": "Frequency, shift against nominal frequency",
    "elements": "Independence of elements, shift against both elements in series",
    "waveform": "Distorted waveforms, shift against a sine at the same current",
    "other": "Repeatability, starting, no load, register",
}


def page(verdict: Verdict, date: str) -> str:
    """The report. `date` as YYMMDD."""
    day = f"20{date[:2]}-{date[2:4]}-{date[4:]}"
    identity = verdict.identity
    word = verdict.word
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        f"<title>Verification {escape(identity['serial'])} {day}: {word}</title>",
        f"<style>{STYLE}</style></head><body><main>",
        "<header><div><h1>Accuracy verification</h1>",
        f'<p class="sub">Meter {escape(identity["serial"])} &middot; {escape(identity["model"])} &middot; '
        f"{escape(identity['service'])} &middot; {day}</p></div>"
        f'<div class="verdict {word.split()[0].strip(",")}">{word}</div></header>',
        _summary(verdict),
        '<div class="two">',
        _meter(verdict),
        _calibration(verdict),
        "</div>",
        _conditions(verdict),
        "<h2>Load curves</h2>",
    ]
    for degrees, title in CURVES.items():
        parts.append(_curve(verdict, degrees, title))
    parts.append("<h2>Load points</h2>")
    parts.append(_matrix(verdict))
    parts.append(_watts(verdict))
    for group, title in GROUPS.items():
        rows = [row for row in verdict.rows if row.group == group]
        if rows:
            parts.append(f"<h2>{title}</h2>{_table(rows)}")
    parts.append(_foot())
    parts.append("</main></body></html>\n")
    return "".join(parts)


def _summary(verdict: Verdict) -> str:
    judged = [row for row in verdict.rows if row.passed is not None]
    text = f"{len(judged)} figures judged, {len(verdict.failed)} beyond their limit."
    worst = max(
        (r for r in judged if r.limit and r.group == "load"), key=lambda r: abs(r.value) / r.limit, default=None
    )
    if worst is not None and worst.limit:
        text += (
            f" Worst load point: {escape(worst.title)}, line {worst.line}: {worst.value:+.3f} % "
            f"({abs(worst.value) / worst.limit * 100:.0f} % of its limit)."
        )
    if not verdict.judged:
        text = "The envelope is for solid-core CTs: the figures of this model are reported, not judged."
    elif not verdict.complete:
        text += " The verification was not completed."
    return f"<p>{text}</p>"


def _meter(verdict: Verdict) -> str:
    identity, image, status = verdict.identity, verdict.image, verdict.status
    rows = [
        ("serial number", identity["serial"] or "none", ""),
        ("model, service", f"{identity['model']}, {identity['service']}", ""),
        ("manufactured", _day(identity["date"]), ""),
        ("elements", str(verdict.model.elements), ""),
        ("CT rating", f"{verdict.model.rating_a} A : 0.1 A", ""),
        ("energy a count", f"1/{verdict.model.counts_per_wh} Wh", ""),
        ("memory", identity["memory"].upper(), ""),
        ("seal", status["seal"], ""),
        ("register before", f"{status['delivered_wh']} Wh", ""),
        ("register after", f"{verdict.after.get('delivered_wh', '?')} Wh", ""),
        ("configuration", f"no. {status.get('configuration_count') or 'unknown'}", ""),
        ("software revision", image["revision"], ""),
        (f"image SHA-256 ({_files(image['files'])} files)", image["image"], "hash"),
    ]
    return f"<section><h2>Meter</h2>{_list(rows)}</section>"


def _conditions(verdict: Verdict) -> str:
    model = verdict.model
    rows = [
        ("nominal", f"{model.nominal_mv / 1000:g} V, {model.hz} Hz; class current {model.rating_a} A", ""),
        ("windows", "whole line cycles of 10 s and more, 20 s and more below 5 % of class; 3 s after each change", ""),
        ("reference", verdict.bench, ""),
    ]
    rows += [("note", note, "") for note in verdict.notes]
    return f"<h2>Conditions</h2>{_list(rows)}"


def _watts(verdict: Verdict) -> str:
    """Each load point as it was read: for whoever wants to work the errors out again."""
    rows = [row for row in verdict.rows if row.group == "load" and row.line != SUM]
    body = "".join(
        f"<tr><td>{escape(row.title)}</td><td>line {row.line}</td><td>{row.reference}</td><td>{row.meter}</td>"
        f"<td>{row.value:+.4f} %</td></tr>"
        for row in rows
    )
    head = "<tr><th>load</th><th></th><th>reference</th><th>meter</th><th>error</th></tr>"
    return f"<details><summary>Load points as read, in watts</summary><table>{head}{body}</table></details>"


SIGNED = """\
<div class="two signed"><p>verified by, place</p><p>date, signature, number of the seal</p></div>"""


def _files(files: object) -> object:
    return len(files) if isinstance(files, (list, dict)) else files


def _calibration(verdict: Verdict) -> str:
    cal = verdict.calibration
    if cal["calibrated"]:
        rows = [("dated", _day(cal["date"]), ""), ("number", str(cal["calibration_count"]), "")]
    else:
        rows = [("dated", "never calibrated: nominal constants", "")]
    if not cal["saved"]:
        rows.append(("stored", "no: what is in force is not what is stored", ""))
    head = "".join(f"<th>line {line['line']}</th>" for line in cal["lines"])
    body = ""
    for label, key, form, unit in (
        ("power gain", "gain_percent", "{:+.3f}", " %"),
        ("phase delay", "phase_degrees", "{:+.3f}", "&deg;"),
        ("offset", "offset_w", "{:+.3f}", " W"),
        ("voltage gain", "volts_percent", "{:+.3f}", " %"),
        ("current gain", "amps_percent", "{:+.3f}", " %"),
    ):
        cells = "".join(f"<td>{form.format(line[key])}{unit}</td>" for line in cal["lines"])
        body += f"<tr><td>{label}</td>{cells}</tr>"
    for key in ("wgain", "phcal", "wattos", "vgain", "igain"):
        cells = "".join(f"<td>{line[key]}</td>" for line in cal["lines"])
        body += f"<tr><td>{key} (register)</td>{cells}</tr>"
    table = f"<table><tr><th>in force</th>{head}</tr>{body}</table>"
    return f"<section><h2>Calibration</h2>{_list(rows)}{table}</section>"


def _list(rows: list[tuple[str, str, str]]) -> str:
    items = "".join(f'<dt>{escape(k)}</dt><dd class="{c}">{escape(v)}</dd>' for k, v, c in rows)
    return f"<dl>{items}</dl>"


def _day(date: str) -> str:
    return f"20{date[:2]}-{date[2:4]}-{date[4:]}" if len(date) == 6 else "unknown"


def _load_of(row: Row) -> float:
    return float(row.key.partition("-")[2])


def _curve(verdict: Verdict, degrees: float, title: str) -> str:
    series = []
    names = []
    for line in range(1, verdict.model.elements + 1):
        points = [
            (_load_of(row), row.value)
            for row in verdict.rows
            if row.group == "load" and row.line == line and row.key.startswith(KEYS[degrees] + "-")
        ]
        if points:
            series.append(sorted(points))
            names.append(f"line {line}")
    if not series:
        return ""
    bands = BANDS[degrees]
    svg = Plot(bands, series).svg(f"error over load, {title}")
    return f"<figure style='margin:0'><h3>{title}</h3>{legend(names, bands)}{svg}</figure>"


def _matrix(verdict: Verdict) -> str:
    lines = list(range(1, verdict.model.elements + 1)) + ([SUM] if verdict.model.elements == 2 else [])
    names = {SUM: "sum"}
    rows = {(row.key, row.line): row for row in verdict.rows if row.group == "load"}
    loads = sorted({_load_of(row) for row in rows.values()})
    head = "<tr><th rowspan=2>current,<br>% of class</th>"
    for title in CURVES.values():
        head += f'<th colspan="{len(lines) + 1}" class="start" style="text-align:center">{title}, error in %</th>'
    head += "</tr><tr>"
    for _ in CURVES:
        for n, line in enumerate(lines):
            head += f'<th class="{"start" if n == 0 else ""}">{names.get(line, f"line {line}")}</th>'
        head += "<th>limit</th>"
    body = ""
    for load in loads:
        body += f"<tr><td>{load:g}</td>"
        for degrees in CURVES:
            limit = ""
            for n, line in enumerate(lines):
                row = rows.get((f"{KEYS[degrees]}-{load:g}", line))
                kind = "start" if n == 0 else ""
                if row is None:
                    body += f'<td class="{kind}"></td>'
                    continue
                if row.limit is not None:
                    limit = f"{row.limit:.1f}"
                kind += " bad" if row.passed is False else " shown" if row.passed is None else ""
                body += f'<td class="{kind}">{row.value:+.3f}</td>'
            body += f"<td>{limit}</td>"
        body += "</tr>"
    return f"<table>{head}</tr>{body}</table>"


def _table(rows: list[Row]) -> str:
    body = ""
    for row in rows:
        if row.line == SUM and row.limit is None and row.passed is None and row.group != "other":
            continue
        who = "all" if row.line == SUM else f"line {row.line}"
        result = {True: "pass", False: "FAIL", None: "shown"}[row.passed]
        limit = "" if row.limit is None else f"{row.limit:g} {row.unit}"
        form = {"counts": ".0f", "": ".0f", "x": ".3f"}.get(row.unit, "+.4f")
        body += (
            f'<tr class="{"bad" if row.passed is False else ""}"><td>{escape(row.title)}</td><td>{who}</td>'
            f"<td>{row.reference}</td><td>{row.meter}</td><td>{row.value:{form}} {row.unit}</td><td>{limit}</td>"
            f"<td>{result}</td></tr>"
        )
    head = "<th>test</th><th></th><th>reference</th><th>meter</th><th>result</th><th>limit</th><th></th>"
    return f"<table><tr>{head}</tr>{body}</table>"


JUDGED = """\
<h2>How this was judged</h2><p class="note">Error = (meter - reference) / reference. All elements carry the same load
in series, except where a line is named as alone. The meter's energy is taken from its own verified counts over whole
line cycles; its clock enters with its tolerance (crystal, 30 ppm). Limits: the project's acceptance envelope, column
&ldquo;system with CT&rdquo;; for elements and waveforms, limits of class 0.5 meters from secondary sources. The bands
of the diagrams are those of ANSI C12.20 from secondary sources: the standard's own tables were not consulted. Grey
figures are shown, not judged. This is a self-test against these figures, not a certificate.</p>"""


def _foot() -> str:
    return JUDGED + SIGNED
