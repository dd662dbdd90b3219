"""A current transformer's errors over its current: measured at some currents, or from a certificate or maker's curve;
and what the meter is told of them (CA-1a).

The meter corrects at up to four currents, straight lines between them. What stands here is relative to the line's
registers: the ratio error and the lead that they leave at a current.
"""

import csv
import io
import itertools
import math
from dataclasses import dataclass
from typing import Any

from host.cli.refused import RefusedError, read_text
from openkh.metrology import correction
from openkh.model import Model

COLUMNS = ("percent", "ratio_percent", "lead_minutes")
MOST_ROWS = 20
MINUTE_PERCENT = math.radians(1 / 60) * math.tan(math.radians(60)) * 100  # of power at 0.5 lagging: 0.0504 %


@dataclass(frozen=True)
class Node:
    """The errors at a current: `ratio` in parts, `lead` in degrees; their uncertainties, k = 2, in the same units."""

    amps: float
    ratio: float
    lead: float
    ratio_uncertainty: float = 0.0
    lead_uncertainty: float = 0.0


@dataclass(frozen=True)
class Curve:
    """Nodes by rising current; none: no errors anywhere."""

    nodes: tuple[Node, ...] = ()

    def at(self, amps: float) -> tuple[float, float]:
        """Ratio error and lead at a current: straight lines between the nodes, and as at the last one beyond."""
        if not self.nodes:
            return 0.0, 0.0
        low = high = self.nodes[0]
        for node in self.nodes:
            low, high = high, node
            if node.amps >= amps:
                break
        part = 0.0
        if high.amps > low.amps:
            part = min(1.0, max(0.0, (amps - low.amps) / (high.amps - low.amps)))
        return low.ratio + (high.ratio - low.ratio) * part, low.lead + (high.lead - low.lead) * part

    def against(self, amps: float) -> "Curve":
        """The same, relative to what it is at `amps`: for registers that are right there."""
        ratio, lead = self.at(amps)
        return Curve(
            tuple(Node(n.amps, (1 + n.ratio) / (1 + ratio) - 1, n.lead - lead, *_uncertain(n)) for n in self.nodes)
        )

    def worth(self) -> "Curve":
        """What is larger than its uncertainty; a correction below it would be a guess. None at all if nothing is."""
        nodes = tuple(
            Node(
                n.amps,
                n.ratio if abs(n.ratio) > n.ratio_uncertainty else 0.0,
                n.lead if abs(n.lead) > n.lead_uncertainty else 0.0,
                *_uncertain(n),
            )
            for n in self.nodes
        )
        return Curve(nodes if any(n.ratio or n.lead for n in nodes) else ())

    def argument(self) -> str:
        """As the meter's cal_curve takes it: (amps, ratio error in percent, lead in minutes) of each node."""
        points = [f"({n.amps:.4f}, {n.ratio * 100:.4f}, {n.lead * 60:.3f})" for n in self.nodes]
        return f"({', '.join(points)},)" if points else "()"


def _uncertain(node: Node) -> tuple[float, float]:
    return node.ratio_uncertainty, node.lead_uncertainty


def of_meter(line: dict[str, Any]) -> Curve:
    """The curve in force, from a line of the service's cal()."""
    return Curve(tuple(Node(amps, ratio / 100, lead / 60) for amps, ratio, lead in line.get("curve", ())))


def corrected(line: dict[str, Any]) -> bool:
    """Whether a line of cal() has corrections in software in force."""
    return bool(line.get("tempco") or line.get("lead_tempco") or line.get("curve"))


def best(curve: Curve) -> Curve:
    """At most as many nodes as the meter takes: those whose straight lines come nearest to all of them.

    Near means power at 0.5 lagging, where a minute of lead weighs as much as 0.05 % of ratio.
    """
    if len(curve.nodes) <= correction.POINTS_MOST:
        return curve

    def off(chosen: tuple[Node, ...]) -> float:
        kept = Curve(chosen)
        worst = 0.0
        for node in curve.nodes:
            ratio, lead = kept.at(node.amps)
            worst = max(worst, abs(node.ratio - ratio) * 100 + abs(node.lead - lead) * 60 * MINUTE_PERCENT)
        return worst

    return Curve(min(itertools.combinations(curve.nodes, correction.POINTS_MOST), key=off))


def load_certificate(path: str, model: Model) -> dict[int, Curve]:
    """A CT's certificate or its maker's curve: `percent,ratio_percent,lead_minutes[,line]`, percent of the rating
    rising, ratio error positive where the secondary is too large, lead positive where it leads; line 0, empty or left
    out: every line. RefusedError where it cannot be used."""
    rows: dict[int, list[Node]] = {}
    reader = csv.DictReader(io.StringIO(read_text(path, "CT file")), strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise RefusedError(f"CT file {path}: no column {', '.join(missing)}; wanted: {','.join(COLUMNS)}[,line]")
        for row in reader:
            try:
                line, node = _row(row, model)
                nodes = rows.setdefault(line, [])
                if nodes and node.amps <= nodes[-1].amps:
                    raise ValueError("percent must rise from row to row")
                if len(nodes) == MOST_ROWS:
                    raise ValueError(f"more than {MOST_ROWS} rows of a line")
            except (ValueError, TypeError, AttributeError) as error:
                raise RefusedError(f"CT file {path}: line {reader.line_num}: {error}") from None
            nodes.append(node)
    except csv.Error as error:
        raise RefusedError(f"CT file {path}: line {reader.line_num + 1}: no CSV text ({error})") from None
    if not rows:
        raise RefusedError(f"CT file {path}: no rows in it")
    found = {}
    for n in range(1, model.elements + 1):
        own = rows.get(n) or rows.get(0)
        if own is None:
            raise RefusedError(f"CT file {path}: nothing for line {n}: allowed: rows with line {n}, or with line 0")
        found[n] = Curve(tuple(own))
    return found


def _row(row: dict[Any, Any], model: Model) -> tuple[int, Node]:
    if None in row:
        raise ValueError(f"more columns than the first line names: allowed: {','.join(COLUMNS)}[,line]")
    line = (row.get("line") or "").strip()
    if line not in ("", "0", *(str(n) for n in range(1, model.elements + 1))):
        raise ValueError(f"line {line:.20}: allowed: {'1, 2' if model.elements == 2 else '1'}, or 0 for every line")
    percent = _number(row, "percent", 0.0, correction.CURRENT_MOST / 100)
    if percent <= 0:
        raise ValueError("percent 0: allowed: above 0")
    ratio = _number(row, "ratio_percent", -correction.RATIO_MOST / 1e4, correction.RATIO_MOST / 1e4)
    lead = _number(row, "lead_minutes", -correction.LEAD_MOST / 100, correction.LEAD_MOST / 100)
    return int(line or 0), Node(percent / 100 * model.rating_a, ratio / 100, lead / 60)


def _number(row: dict[Any, Any], name: str, low: float, high: float) -> float:
    try:
        value = float(row[name])
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise ValueError(f"{name} {str(row[name]).strip()!r:.22}: allowed: {low:g} to {high:g}")
    return value
