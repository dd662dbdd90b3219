"""The same measurement of another commit, beside this one's: `./scripts/bench rp2040 speed --against COMMIT`.

The other commit's own files measure it, in a checkout beside this one that is removed afterwards: its firmware, its
way onto a device, its virtual board. What both call by the same name is compared, as a ratio.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from host.cli.refused import FailedError, RefusedError
from host.sim.link import TOP

Row = tuple[str, Any, str]
PAIRS = 3
RUN_FOR = "2h"


def commit_of(name: str) -> str:
    """The whole number of a commit; RefusedError where there is none of that name."""
    asked = ["git", "-C", str(TOP), "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
    found = subprocess.run(asked, capture_output=True, text=True)
    if found.returncode:
        raise RefusedError(f"--against: no commit {name!r} here: allowed: what `git log` shows")
    return found.stdout.strip()


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """A tree of a commit, gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


@contextmanager
def measuring(commit: str, section: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """Lets `./scripts/bench SECTION` of a commit run, beside what is done meanwhile; the function waits for its end and
    returns name of a figure -> value. For a section whose figures do not depend on what else the computer does."""
    with checkout(commit) as tree:
        figures = tree.parent / "figures.json"
        print(f"{commit[:7]} sets itself up and measures", file=sys.stderr, flush=True)
        command = [tree / "scripts" / "bench", section, "--json", figures]
        other = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, cwd=tree, env=_of_its_own(), start_new_session=True
        )

        def measured() -> dict[str, Any]:
            status = other.wait()
            if status or not figures.exists():
                raise FailedError(f"./scripts/bench {section} of {commit[:7]} ended with status {status}")
            return json.loads(figures.read_text())[section]  # type: ignore[no-any-return]

        try:
            yield measured
        finally:
            if other.poll() is None:
                os.killpg(other.pid, signal.SIGKILL)  # with what it has started
                other.wait()


def run_times(commit: str) -> list[Row]:
    """Processor time of `./scripts/run --headless`, whole processes, in turn with the other commit's."""
    ratios = []
    with checkout(commit) as tree:
        for n in range(PAIRS + 1):
            print(f"pair {n} of {PAIRS}" if n else "set-up", file=sys.stderr, flush=True)
            ours, theirs = _processor_s(TOP), _processor_s(tree)
            if n:  # the first of all sets itself up
                ratios.append(ours / theirs)
    text = f"{min(ratios):.2f} .. {max(ratios):.2f}"
    return [(f"processor time of {RUN_FOR}, ratio to {commit[:7]}, {PAIRS} pairs", text, "")]


def _processor_s(tree: Path) -> float:
    command = [str(tree / "scripts" / "run"), "--headless", "--for", RUN_FOR]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=tree, env=_of_its_own()
    )
    if done.returncode:
        raise FailedError(f"{tree.name}/scripts/run: {done.stderr.strip()[-300:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _of_its_own() -> dict[str, str]:
    """The environment without the folders from which this process imports. With them, or started in this checkout,
    the other commit would find modules here that it has under another name."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def beside(rows: list[Row], other: dict[str, Any], commit: str) -> list[Row]:
    """For each row that both have: what it is of the other commit, and this one's ratio to it."""
    found: list[Row] = []
    for what, value, unit in rows:
        if isinstance(other.get(what), int | float) and isinstance(value, int | float):
            ratio = f"{value / other[what]:.2f}" if other[what] else "-"
            found.append((f"{what}: {commit[:7]}, ratio", f"{other[what]} {ratio}", unit))
    return found


def _git(*words: str) -> None:
    done = subprocess.run(["git", "-C", str(TOP), *words], capture_output=True, text=True)
    if done.returncode:
        raise FailedError(f"git {words[0]}: {done.stderr.strip()}")
