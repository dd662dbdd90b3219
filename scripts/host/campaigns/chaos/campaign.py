"""Random scenarios of the whole meter (cases.py), run and judged by rules (rules.py).

./scripts/bench --chaos 200             seeds 1 to 200
./scripts/bench --chaos 362-362 --shrink    one seed, and the smallest case found that breaks the same rule
"""

import random
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import IO, Any

from host.campaigns.chaos.cases import Case, make
from host.campaigns.chaos.rules import Rules, Seen
from host.rigs import trial
from host.sim import link
from host.sim.session import FirmwareError, Session, Setup
from host.stimulus import scenario
from openkh.model import Model

WINDOWS_US = (50_000, 300_000, 1_000_000, 2_000_000)  # between two looks at the meter
OTHER_ENGINES = ("cpython", "wasm")
COMPARE_EVERY = 20  # one seed in so many runs on them too
BROKEN = "broke a rule"
PROGRESS_S = 10.0


def run(case: Case, engine: str = "micropython") -> Seen:
    """Run `case`; FirmwareError where the firmware lets an exception out."""
    plan = scenario.parse(case.text(), "case")
    model = Model(case.model, case.service)
    source = plan.source(model)
    source.events += [["seal", round(at * 1e6), int(closed)] for at, closed in case.seal_moves()]
    source.events.sort(key=lambda item: item[1])
    edges = trial.Edges()
    setup = Setup(model, source, engine, plan.seed, plan.board)
    setup.trace = edges  # type: ignore[assignment]  # takes what a Trace takes
    session = Session(setup, lambda name, settings: link.Link(name, {**settings, **case.config}))
    windows = random.Random(case.seed)
    looks: list[tuple[dict[str, Any], dict[str, int]]] = []
    end_us = round(case.end_s * 1e6)
    try:
        while session.now_us < end_us:
            snap = session.advance(min(end_us, session.now_us + windows.choice(WINDOWS_US)))
            looks.append((snap, dict(session.rises)))
        report = session.report()
        boots = [(item[1] / 1e6, item[2]) for item in session.log if item[0] == "boot"]
        return Seen(report, edges.rows, looks, boots, source)
    finally:
        session.close()


def judge(case: Case, engine: str = "micropython") -> list[str]:
    """The rules that the run of `case` breaks, as `rule: how`; the rule of a failed firmware is `firmware`."""
    try:
        return Rules(case, run(case, engine)).broken()
    except FirmwareError as e:
        return [f"firmware: {e}"]


def compare(case: Case, engines: Iterable[str] = OTHER_ENGINES) -> list[str]:
    """Where the report on an engine differs from that on MicroPython's unix port, as `engine: what`."""
    try:
        want = run(case).report
        reports = {engine: run(case, engine).report for engine in engines}
    except FirmwareError as e:
        return [f"firmware: {e}"]
    return [f"{engine}: {key} differs" for engine, r in reports.items() for key in trial.EQUAL if r[key] != want[key]]


def shrink(case: Case, check: Callable[[Case], list[str]] = judge) -> Case:
    """The smallest case found that still breaks the rule which `case` breaks first."""
    rule = check(case)[0].split(":")[0]

    def kept(smaller: Case) -> bool:
        return any(text.split(":")[0] == rule for text in check(smaller))

    went_on = True
    while went_on:
        went_on = False
        for n in reversed(range(len(case.incidents))):
            smaller = replace(case, incidents=case.incidents[:n] + case.incidents[n + 1 :])
            if kept(smaller):
                case, went_on = smaller, True
    for key, value in (("jitter_us", 0), ("interleave", False), ("ticks_offset_us", 0)):
        smaller = replace(case, config={**case.config, key: value})
        if kept(smaller):
            case = smaller
    for key in list(case.board):
        smaller = replace(case, board={k: v for k, v in case.board.items() if k != key})
        if kept(smaller):
            case = smaller
    end_s = max([1.0, *(incident.end_s for incident in case.incidents)]) + 1.0
    smaller = replace(case, calm_s=end_s)
    return smaller if end_s < case.calm_s and kept(smaller) else case


def campaign(seeds: range, small: bool = False, err: IO[str] | None = None) -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench. What breaks a rule is told at once on `err`; `small`: shrunk, too."""
    err = err or sys.stderr
    began = told = time.monotonic()
    incidents = compared = bad = 0
    for done, seed in enumerate(seeds, 1):
        case = make(seed)
        incidents += len(case.incidents)
        check = judge
        broken = judge(case)
        if not broken and seed % COMPARE_EVERY == 0:
            compared += 1
            check = compare
            broken = compare(case)
        if broken:
            bad += 1
            _tell(case, broken, err)
            if small:
                smallest = shrink(case, check)
                _show(smallest, check(smallest), err)
        now = time.monotonic()
        if now - told >= PROGRESS_S:
            told = now
            print(f"  {done} of {len(seeds)} cases, {bad} broke a rule, {now - began:.0f} s", file=err, flush=True)
    return [
        ("random scenarios", len(seeds), ""),
        ("incidents in them", incidents, ""),
        ("of them on all three engines, equal or told", compared, ""),
        (BROKEN, bad, ""),
    ]


def _tell(case: Case, broken: list[str], err: IO[str]) -> None:
    print(f"  seed {case.seed}: {', '.join(incident.what for incident in case.incidents)}", file=err)
    print(*(f"    {text}" for text in broken), sep="\n", file=err)
    print(f"    again: ./scripts/bench --chaos {case.seed}-{case.seed} --shrink", file=err, flush=True)


def _show(case: Case, broken: list[str], err: IO[str]) -> None:
    lines = [*case.text().splitlines(), f"# engine: {case.config}"]
    lines += [f"# seal {'closed' if closed else 'opened'} at {at:.4f}" for at, closed in case.seal_moves()]
    print(*(f"      {line}" for line in [*lines, *(f"# {text}" for text in broken)]), sep="\n", file=err, flush=True)
