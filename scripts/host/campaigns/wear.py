"""Wear of the two memories under loads kept up for 20 years (ST-3).

    ./scripts/bench wear          # also draws docs/img/wear.svg

Each load drives the firmware's own journal on the memory models, cycle by cycle, for the hours given; erases of the
worst block and accesses of the worst FRAM row are counted on the models and carried on to 20 years. Events are written
at the highest rate that the log lets through for good (one a minute a code).
"""

import math
from pathlib import Path
from typing import Any

from host.rigs.memory_rig import Rig
from openkh import event_codes
from openkh.metrology.energy import ROLL_WH
from openkh.state import State

TOP = Path(__file__).resolve().parents[3]
CHART = TOP / "docs" / "img" / "wear.svg"

YEARS = 20
HOURS = 24 * 365.25 * YEARS
FLASH_ENDURANCE = 1e5  # W25Q16JV: erases of a sector
FRAM_ENDURANCE = 1e12  # MB85RC256V: accesses of a row, reads included
SECOND = 10  # cycles

# Highest load: both lines of an MDNCT-1.. at 132 V and 110 A, 29 kW; 104 Wh in about 13 s.
FULL_WH_PER_S = 2 * 132 * 110 / 3600
HOUSE_WH_PER_S = 1200 / 3600

LOADS = {
    # name: (Wh per second delivered, received, sags a minute, cycles a sag lasts)
    "household, 1.2 kW": (HOUSE_WH_PER_S, 0.0, 0, 0),
    "full load, 29 kW": (FULL_WH_PER_S, 0.0, 0, 0),
    "import and export by turns, 29 kW": (FULL_WH_PER_S / 2, FULL_WH_PER_S / 2, 0, 0),
    "full load, ten sags a minute": (FULL_WH_PER_S, 0.0, 10, 2),
    "no load, ten sags a minute": (0.0, 0.0, 10, 2),
    "full load, line 1 low for good": (FULL_WH_PER_S, 0.0, 1, 60 * SECOND),
}


def replay(medium: str, load: str, hours: float) -> dict[str, float]:
    """`hours` of a load: saves, and wear carried on to 20 years."""
    delivered, received, sags, sag_cycles = LOADS[load]
    rig = Rig(medium, count_wear=True)
    journal = rig.journal()
    log = rig.log()
    state = State()
    journal.load(state)
    log.load()
    journal.save(state)
    journal.tidy()
    warm = 2 * 3600 * SECOND  # until what the journal keeps in reserve for a failing supply is used up
    cycles = warm + round(hours * 3600 * SECOND)
    sag_every = 60 * SECOND // sags if sags else cycles + 1
    for cycle in range(1, cycles + 1):
        if cycle == warm:
            before = _wear(rig)
            saves = journal.saves
        _measure(state, cycle, delivered, received)
        failing = cycle % sag_every < sag_cycles and cycle >= sag_every
        if failing and cycle % sag_every == 0:
            log.add(event_codes.POWER_FAIL)
        elif sags and cycle % sag_every == sag_cycles:
            log.add(event_codes.POWER_BACK)
        saved = journal.step(state, failing)
        log.run_s = state.run_s
        log.step()
        if saved and not journal.tidy() and not failing:
            log.tidy()
    saves = journal.saves - saves
    used = _used(rig, before, journal, saves)
    return {
        "saves_per_hour": saves / hours,
        "worst_in_20_years": used * HOURS / hours,
        "endurance": FRAM_ENDURANCE if medium == "fram" else FLASH_ENDURANCE,
    }


def _measure(state: State, cycle: int, delivered: float, received: float) -> None:
    """The cycle's energy; import and export change places each second."""
    state.run_us += 1_000_000 // SECOND
    if state.run_us >= 1_000_000:
        state.run_us -= 1_000_000
        state.run_s += 1
        if state.run_s % 300 == 0:
            state.sub_k += 1
    tenths = (cycle + SECOND - 1) / SECOND  # seconds so far
    if received:
        turns = cycle // SECOND
        state.delivered_wh, state.delivered_counts = _register(delivered * 2 * ((turns + 1) // 2))
        state.received_wh, state.received_counts = _register(received * 2 * (turns // 2))
    else:
        state.delivered_wh, state.delivered_counts = _register(delivered * tenths)
    state.counter_given = state.delivered_wh // 100
    state.edges_10 = state.delivered_wh // 10


def _register(wh: float) -> tuple[int, int]:
    return int(wh) % ROLL_WH, int(wh % 1 * 32_000)


def _wear(rig: Rig) -> list[int]:
    return list(rig.chip.accesses if rig.medium == "fram" else rig.chip.erases)


def _used(rig: Rig, before: list[int], journal: Any, saves: int) -> float:
    """FRAM: accesses of the worst row. Flash: erases of a journal block as an average, since a replay of hours does not
    come round the ring; that the ring wears evenly is tested."""
    wear = [now - then for now, then in zip(_wear(rig), before, strict=True)]
    if rig.medium == "fram":
        return max(wear)
    region = journal._region
    journal_erases = saves / region.slots
    log_blocks = 4
    return max(journal_erases, (sum(wear) - saves / region.group) / log_blocks)


def campaign(hours: float = 6.0) -> dict[str, dict[str, dict[str, float]]]:
    """Every load on both memories."""
    return {medium: {load: replay(medium, load, hours) for load in LOADS} for medium in ("fram", "flash")}


def rows(hours: float = 6.0) -> list[tuple[str, Any, str]]:
    """Figures for ./scripts/bench; draws the chart."""
    results = campaign(hours)
    draw(results, CHART)
    found: list[tuple[str, Any, str]] = []
    for medium, loads in results.items():
        for load, figures in loads.items():
            share = 100 * figures["worst_in_20_years"] / figures["endurance"]
            found.append((f"{medium}: {load}", f"{figures['worst_in_20_years']:.3g}", f"in 20 years, {share:.2g} %"))
    return found


def draw(results: dict[str, dict[str, dict[str, float]]], path: Path) -> None:
    """Share of the endurance used in 20 years, by load."""
    from host.pages import plot

    figure = plot.figure(8, 4.0)
    axes = figure.subplots()
    names = list(LOADS)
    for offset, (medium, colour, part) in enumerate(
        (
            ("flash", "tab:orange", "W25Q16JV, 100,000 erases of a sector, 96 sectors"),
            ("fram", "tab:blue", "MB85RC256V, $10^{12}$ accesses of a row"),
        )
    ):
        shares = [
            max(1e-4, 100 * results[medium][n]["worst_in_20_years"] / results[medium][n]["endurance"]) for n in names
        ]
        places = [i + 0.38 * offset for i in range(len(names))]
        axes.barh(places, shares, height=0.36, color=colour, label=part)
        for place, share in zip(places, shares, strict=True):
            digits = max(0, 1 - math.floor(math.log10(share)))
            axes.text(share * 1.15, place, f"{share:.{digits}f} %", va="center", fontsize=8)
    axes.axvline(100, color="grey", linewidth=1, zorder=0)
    axes.text(100, len(names) - 0.15, "end of life", ha="center", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(1e-3, 400)
    axes.set_yticks([i + 0.19 for i in range(len(names))], names)
    axes.set_xlabel("endurance used in 20 years, %")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    plot.save(figure, path)
