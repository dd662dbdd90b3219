"""Random scenarios of the whole meter (cases.py), run and judged by rules (rules.py).

./scripts/bench --chaos 200             seeds 1 to 200
./scripts/bench --chaos 362-362 --shrink    one seed, and the smallest case found that breaks the same rule
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from host.campaigns.chaos.cases import Case, make
from host.campaigns.chaos.rules import Rules, Seen
from host.rigs import trial
from host.sim import link
from host.sim.session import FirmwareError, Session, Setup
from host.stimulus import scenario
from openkh.model import Model

if TYPE_CHECKING:
    from host.campaigns.spread.spread import Spread

WINDOWS_US = (50_000, 300_000, 1_000_000, 2_000_000)  # between two looks at the meter
OTHER_ENGINES = ("cpython", "wasm")
COMPARE_EVERY = 20  # one seed in so many runs on them too
BROKEN = "broke a rule"


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
    return judged(case, engine)[0]


def judged(case: Case, engine: str = "micropython") -> tuple[list[str], dict[str, Any] | None]:
    """What `judge` returns, and the run's report; None where the firmware failed."""
    try:
        seen = run(case, engine)
    except FirmwareError as e:
        return [f"firmware: {e}"], None
    return Rules(case, seen).broken(), seen.report


def compare(case: Case, engines: Iterable[str] = OTHER_ENGINES, want: dict[str, Any] | None = None) -> list[str]:
    """Where the report on an engine differs from that on MicroPython's unix port, as `engine: what`. `want`: the
    latter, where there is one already."""
    try:
        want = want or run(case).report
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


@dataclass
class Trial:
    """What came of a seed. `text`: for people, where it broke a rule."""

    incidents: int = 0
    compared: bool = False
    broken: list[str] = field(default_factory=list)
    text: str = ""


def trial_of(seed: int, small: bool = False) -> Trial:
    """Run and judge the case of `seed`. `small`: what breaks a rule is shrunk, too."""
    case = make(seed)
    found = Trial(len(case.incidents))
    check = judge
    found.broken, report = judged(case)
    if not found.broken and seed % COMPARE_EVERY == 0:
        found.compared = True
        check = compare
        found.broken = compare(case, want=report)
    if found.broken:
        lines = _told(case, found.broken)
        if small:
            smallest = shrink(case, check)
            lines += _shown(smallest, check(smallest))
        found.text = "\n".join(lines)
    return found


def campaign(spread: "Spread", seeds: range, small: bool = False) -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench. What breaks a rule is told at once; `small`: shrunk, too."""
    found: list[Trial] = spread.each(
        "random scenarios",
        {f"seed {seed}": (trial_of, seed, small) for seed in seeds},
        tell=lambda trial: trial.text,
        undone=lambda name, what: Trial(broken=[what], text=f"  {name}: {what}"),
    )
    return [
        ("random scenarios", len(found), ""),
        ("incidents in them", sum(trial.incidents for trial in found), ""),
        ("of them on all three engines, equal or told", sum(trial.compared for trial in found), ""),
        (BROKEN, sum(bool(trial.broken) for trial in found), ""),
    ]


def _told(case: Case, broken: list[str]) -> list[str]:
    return [
        f"  seed {case.seed}: {', '.join(incident.what for incident in case.incidents)}",
        *(f"    {text}" for text in broken),
        f"    again: ./scripts/bench --chaos {case.seed}-{case.seed} --shrink",
    ]


def _shown(case: Case, broken: list[str]) -> list[str]:
    lines = [*case.text().splitlines(), f"# engine: {case.config}"]
    lines += [f"# seal {'closed' if closed else 'opened'} at {at:.4f}" for at, closed in case.seal_moves()]
    return [f"      {line}" for line in [*lines, *(f"# {text}" for text in broken)]]
