"""The expanded uncertainty (k = 2) of a load point's error, from what is known of the bench and of the meter's window.

Parts, as standard uncertainties in percent: the reference's own, stated with k = 2, so half of it; what the source may
have moved between reference and meter, as a rectangle (/ sqrt 3); the meter's clock, 30 ppm of its crystal, as a
rectangle; one energy count at either end of the window, together a triangle (/ sqrt 6). They are independent of each
other: the root of the sum of their squares, times 2 (GUM, JCGM 100).
"""

import math

from host.calibration.bench_file import BenchFile
from host.verification.points import load_seconds
from openkh.model import Model

CRYSTAL_PERCENT = 0.003
COVERAGE = 2.0


def expanded_percent(model: Model, bench: BenchFile, part: float, degrees: float) -> float:
    """At a load of `part` of class current on one line, `degrees` of lag: percent of the reading, k = 2."""
    watts = part * model.rating_a * model.nominal_mv / 1000 * math.cos(math.radians(degrees))
    counts = watts * load_seconds(part) / 3600 * model.counts_per_wh
    parts = (
        bench.reference_percent(degrees) / COVERAGE,
        bench.number("source", "stability_percent", 0.0) / math.sqrt(3),
        CRYSTAL_PERCENT / math.sqrt(3),
        100.0 / counts / math.sqrt(6),
    )
    return COVERAGE * math.hypot(*parts)
