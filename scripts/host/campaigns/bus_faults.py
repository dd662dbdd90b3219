"""Faults on the front ends' buses, the whole meter's register against the simulated chips' own count (EN-2, DX-6).

Each trial has a fault for a while, at a steady load, and some calm after it. The register must be what the chips
counted, but for the time that a chip could not be measured: at most GAP_S of that line's load for each chip reset or
repair, and the start. In ./scripts/bench each trial draws the open questions of its chips anew.
"""

from typing import Any

from host.campaigns import chip_settings
from host.rigs import trial

AMPS = 60.0
COUNTS_PER_WH = 32_000
COUNTS_PER_S = AMPS * 120 * COUNTS_PER_WH / 3600  # of one line
START_S = 0.3
GAP_S = 0.3
QUIET_S, FAULT_S, AFTER_S = 20.0, 20.0, 20.0

# name -> (fault, gaps of GAP_S it may cost, fraction of the energy that may be wrong, what the glass must say)
TRIALS: dict[str, tuple[str, int, float, str]] = {
    "bit errors 1e-6": ('part = "chip1", kind = "bit_error", rate = 1e-6, for_s = 20.0', 0, 0.0, ""),
    "bit errors 1e-5": ('part = "chip1", kind = "bit_error", rate = 1e-5, for_s = 20.0', 0, 0.0, ""),
    "bit errors 1e-4": ('part = "chip2", kind = "bit_error", rate = 1e-4, for_s = 20.0', 0, 0.0, ""),
    "bit errors 1e-3": ('part = "chip1", kind = "bit_error", rate = 1e-3, for_s = 20.0', 0, 0.01, ""),
    "bit errors 1e-2": ('part = "chip1", kind = "bit_error", rate = 1e-2, for_s = 20.0', 10, 0.05, ""),
    "bit errors 2e-2": ('part = "chip1", kind = "bit_error", rate = 2e-2, for_s = 20.0', 10, 0.05, "FAIL 01"),
    "stuck at ones": ('part = "chip1", kind = "stuck_ones", for_s = 20.0', 0, 0.0, "FAIL 01"),
    "stuck at zeros": ('part = "chip2", kind = "stuck_zeros", for_s = 20.0', 0, 0.0, "FAIL 01"),
    "chip select dropped, 1 in 20": ('part = "chip1", kind = "drop_cs", rate = 0.05, for_s = 20.0', 0, 0.0, ""),
    "silent": ('part = "chip2", kind = "silent", for_s = 20.0', 0, 0.0, "FAIL 01"),
    "chip reset": ('part = "chip1", kind = "reset"', 1, 0.0, ""),
    "gain altered": ('part = "chip1", kind = "register", address = 0x282, value = 0x200000', 1, 0.0, ""),
    "no-load altered": ('part = "chip2", kind = "register", address = 0x203, value = 0xFFFF', 1, 0.0, ""),
    "0x120 lost": ('part = "chip1", kind = "register", address = 0x120, value = 0', 1, 0.0, ""),
    "RSTREAD set": ('part = "chip2", kind = "register", address = 0x004, value = 0x40', 1, 0.0, ""),
}


def run(name: str, engine: str = "micropython", seed: int | None = None) -> dict[str, Any]:
    """One trial; AssertionError where a bound is broken. `seed`: of the chips' open questions; None: the likeliest."""
    fault, gaps, part, glass = TRIALS[name]
    report, missing = _meter(engine, seed, f"at = {QUIET_S}\nfault = {{{fault}}}")
    # what the chips counted after the last cycle is on its way
    allowed = (2 * START_S + gaps * GAP_S + 0.11 * 2) * COUNTS_PER_S + part * FAULT_S * COUNTS_PER_S
    assert -part * FAULT_S * COUNTS_PER_S <= missing <= allowed, (name, missing, allowed)
    said = [item["text"] for item in report["lcd"]]
    assert not glass or glass in said, (name, said)
    assert report["status"]["condition"] == "normal", (name, report["status"])
    faults = report["firmware"]["faults"]
    assert faults["errors"] == 0, name
    return {"missing_wh": round(missing / COUNTS_PER_WH, 3), **{k: v for k, v in faults.items() if v}}


def _meter(engine: str, seed: int | None, *steps: str) -> tuple[dict[str, Any], int]:
    """The report of a run with these steps, and how many of the chips' counts the register does not have."""
    board = "" if seed is None else chip_settings.board_rows(seed)
    total_s = QUIET_S + FAULT_S + AFTER_S
    text = trial.steps(trial.load(amps=AMPS), *steps, board=board)
    result = trial.run(text, total_s, engine, window_s=total_s)
    return result.report, sum(chip["counts"] for chip in result.report["counted"]) - result.delivered_counts


def rows() -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench: what was not booked, beyond a run of the same chips without a fault."""
    found = []
    for seed, name in enumerate(TRIALS):
        _, without = _meter("micropython", seed)
        told = run(name, seed=seed)
        told["missing_wh"] = round(told["missing_wh"] - without / COUNTS_PER_WH, 3) + 0.0  # no -0.0
        found.append((f"{name}: {told}", "", ""))
    return found
