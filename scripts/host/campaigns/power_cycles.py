"""Power cycles of the whole meter: random load, mains cut and back at random, outputs and register compared at the end.

What must hold (EN-4, PO-4, CO-2, ST-1): with the supply's warning nothing that the meter had booked is lost, each pulse
output and the counter have given exactly one pulse per whole weight, and the register is never above what the chips
counted.
"""

import random
from typing import TYPE_CHECKING, Any

from host.campaigns import chip_settings
from host.rigs import trial

if TYPE_CHECKING:
    from host.campaigns.spread.spread import Spread

START_S = 0.3  # a chip counts so long at most before the meter has set it up, at each power-up
SETTLE_S = 20.0
MEMORIES = ("fram", "flash")
PART = 50  # cycles of one meter


def plan(seed: int, cycles: int, board: str = "") -> tuple[str, float]:
    """A scenario of `cycles` power cycles, dips among them, and its length in s. At its end the load is off."""
    r = random.Random(seed)
    t = 0.0
    rows = [trial.load(amps=r.uniform(20, 110))]
    for _ in range(cycles):
        t += r.uniform(1.5, 12.0)
        rows.append(f"at = {t:.4f}\npower = false")
        t += r.uniform(0.01, 0.4) if r.random() < 0.5 else r.uniform(0.5, 2.0)
        amps = r.uniform(20, 110)
        rows.append(f"at = {t:.4f}\npower = true\nl1 = {{amps = {amps:.2f}}}\nl2 = {{amps = {amps:.2f}}}")
    t += 5.0
    rows.append(f"at = {t:.4f}\nl1 = {{amps = 0.0}}\nl2 = {{amps = 0.0}}")
    return trial.steps(*rows, board=board), t + SETTLE_S


def run(cycles: int, seed: int = 1, board: str = "", engine: str = "micropython") -> dict[str, Any]:
    """Figures of one run; AssertionError where a bound is broken."""
    text, seconds = plan(seed, cycles, board)
    result = trial.run(text, seconds, engine)
    report = result.report
    counted = sum(chip["counts"] for chip in report["counted"])
    boots = result.logged().count("power_up")
    missing = counted - result.delivered_counts
    full_counts_per_s = 2 * 110 * 120 * 32_000 / 3600
    wh = int(float(report["register"]["delivered_wh"]))
    assert 0 <= missing <= boots * START_S * full_counts_per_s, (missing, boots)
    for weight in (10, 100, 1000):
        assert report["pulses"][str(weight)] == wh // weight, (weight, report["pulses"], wh)
    assert report["led"] == wh // 10
    assert report["counter"]["counts"] == wh // 100, (report["counter"], wh)
    assert report["firmware"]["faults"]["errors"] == 0
    return {
        "power cycles": cycles,
        "power-ups": boots,
        "dips that the supply bridged": cycles - boots + 1,
        "pulses of 10 Wh": wh // 10,
        "counts": wh // 100,
        "not measured while starting, Wh": round(missing / 32_000, 3),
    }


def campaign(spread: "Spread", cycles: int, seed: int = 1) -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench: `cycles` on each memory, in runs of PART."""
    jobs = {}
    for memory in MEMORIES:
        for first in range(0, cycles, PART):
            board = f'memory = "{memory}"\n{chip_settings.board_rows(seed + first)}'
            jobs[f"{memory}, seed {seed + first}"] = (run, min(PART, cycles - first), seed + first, board)
    found = spread.each("power cycles", jobs)
    rows: list[tuple[str, Any, str]] = []
    for n, memory in enumerate(MEMORIES):
        parts = found[n * len(found) // len(MEMORIES) :][: len(found) // len(MEMORIES)]
        rows += [(f"{memory}: {name}", round(sum(part[name] for part in parts), 3), "") for name in parts[0]]
    return rows
