"""What a run leaves for people and programs: a JSON object, or a page with plots."""

import json
from typing import Any

from markupsafe import Markup

from host.pages import page as pages
from host.run.headless import clock
from host.sim.history import COLUMNS, History
from host.stimulus.source import Source

MOST_GLASS = 400  # changes of the glass that the page lists
STANDARD_OUTPUT = "-"


def is_page(path: str) -> bool:
    """Whether the name asks for a page."""
    return path.lower().endswith((".html", ".htm"))


def text(report: dict[str, Any]) -> str:
    """The report as JSON, an item of its lists on each line."""
    parts = []
    for key, value in report.items():
        rows = isinstance(value, list) and value
        items = ",\n  ".join(json.dumps(item, separators=(",", ":")) for item in value) if rows else None
        parts.append(f' "{key}": ' + (json.dumps(value) if items is None else f"[\n  {items}\n ]"))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def page(report: dict[str, Any], history: History, source: Source) -> str:
    """The report as one self-contained HTML file."""
    elements = len(report["true"]["lines"])
    data = {
        "columns": COLUMNS,
        "rows": history.rows,
        "elements": elements,
        "end_s": report["simulated_s"],
        "events": [[e["t_s"], _event(e)] for e in report["events"]],
        "glass": [[row["t_s"], _glass(row)] for row in report["lcd"]],
    }
    condition = report["status"]["condition"].replace("_", " ")
    return pages.render(
        "run.html",
        title=f"Run of {report['model']} {report['service']}",
        report=report,
        sub=f"{source.what} · {clock(report['simulated_s'])} simulated on {report['engine']}",
        condition=condition,
        meter=_meter(report),
        told=source.told.lines if source.told else [],
        energy=_energy(report),
        outputs=_outputs(report),
        intervals=[
            [
                f"{clock(i['from_s'])} to {clock(i['to_s'])}",
                i["delivered_wh"],
                i["received_wh"],
                f"{i['interval_w']:.3f}",
            ]
            for i in report["intervals"]
        ],
        events=[[clock(e["t_s"]), _event(e)] for e in report["events"]],
        glass=[[clock(row["t_s"]), _glass(row)] for row in report["lcd"][:MOST_GLASS]],
        more_glass=max(0, len(report["lcd"]) - MOST_GLASS),
        data=_embedded(data),
    )


def _embedded(data: dict[str, Any]) -> Markup:
    """Data for the page's script: JSON that cannot end its element."""
    return Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"))


def _event(event: dict[str, Any]) -> str:
    values = [event.get("a", 0), event.get("b", 0)]
    while values and not values[-1]:
        values.pop()
    return " ".join(map(str, [event["event"], *values])).replace("_", " ")


def _glass(row: dict[str, Any]) -> str:
    if not row["screen"] and not row["text"].strip():
        return "off"
    symbols = "".join(s for s in row["symbols"] if s in ("k", "W", "h", "Hz"))
    rest = " ".join(s for s in row["symbols"] if s not in ("k", "W", "h", "Hz"))
    return " ".join(part for part in (row["screen"], row["text"].strip(), symbols, rest, f"bar {row['bar']}") if part)


def _meter(report: dict[str, Any]) -> list[tuple[str, str]]:
    identity = report["identity"]
    return [
        ("model, service", f"{report['model']}, {report['service']}"),
        ("serial number", identity["serial"] or "none"),
        ("manufactured", identity["date"] or "unknown"),
        ("software revision", report["revision"] or "unknown"),
        ("engine", report["engine"]),
        ("seed", str(report["seed"])),
    ]


def _energy(report: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name in ("delivered", "received"):
        rows.append([name, report["register"][name + "_wh"], f"{report['true'][name + '_wh']:.6f}"])
    for number, line in enumerate(report["true"]["lines"], 1):
        rows.append(
            [f"line {number}, delivered / received", "", f"{line['delivered_wh']:.6f} / {line['received_wh']:.6f}"]
        )
    return rows


def _outputs(report: dict[str, Any]) -> list[tuple[str, str]]:
    counter = report["counter"]
    return [
        ("pulses", ", ".join(f"{n} of {w} Wh" for w, n in report["pulses"].items())),
        ("load LED", f"{report['led']} flashes"),
        ("counter", f"{counter['counts']} counts"),
        ("demand", f"{report['demand']['interval_w']:.3f} W, largest {report['demand']['max_w']:.3f} W"),
        ("12 V output", report["status"]["rail12v"]),
    ]
