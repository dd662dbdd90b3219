"""The bugs that real meters had, put into copies of our firmware: for each, the test that fails (mutants.toml).

./scripts/bench mutants runs them all; an error names those that no test caught. `python -m host.campaigns.mutants`
writes the table of docs/field-bugs.md as well; with numbers it runs the mutants of these field bugs.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[3]
TABLE = Path(__file__).with_suffix(".toml")
PAGE = TOP / "docs" / "field-bugs.md"
BEGIN, END = "<!-- mutants: begin -->\n", "<!-- mutants: end -->\n"

COPIED = ("firmware", "boards", "docs", "host_tests", "scripts")
AT_ONCE = 2
LONGEST_S = 600.0
ENDLESS_S = 30.0  # for a test that is known not to end with the bug in
ENDLESS = "(does not end)"
# That a test fails is all that counts here: Hypothesis may take minutes to find the smallest example that fails.
FAILS_AT_ONCE = {"HYPOTHESIS_PROFILE": "first"}


class MutantError(Exception):
    """A row of the table that does not fit the firmware or the tests any more, or mutants that no test caught."""


@dataclass(frozen=True)
class Edit:
    """One change: `old`, which occurs once in `file`, becomes `new`."""

    file: str
    old: str
    new: str

    def applied(self, text: str) -> str:
        """`text` with the change. MutantError where the text to replace is not there exactly once."""
        found = text.count(self.old)
        if found != 1:
            raise MutantError(f"{self.file}: occurs {found} times, not once: {self.old.strip()!r}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True)
class Mutant:
    """Field bug number `bug`, put in as `what` says; `tests` are pytest node names from the project's top.

    `endless`: the bug is that something does not end.
    """

    bug: int
    what: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    endless: bool

    def apply(self, top: Path) -> None:
        """Change the files under `top`."""
        for edit in self.edits:
            path = top / edit.file
            try:
                path.write_text(edit.applied(path.read_text()))
            except MutantError as error:
                raise MutantError(f"field bug {self.bug}, {self.what}: {error}") from None


def table(path: Path = TABLE) -> list[Mutant]:
    """Every mutant, by number."""
    mutants = []
    for row in tomllib.loads(path.read_text())["mutant"]:
        edits = tuple(Edit(part["file"], part["old"], part["new"]) for part in (row, *row.get("also", ())))
        tests = tuple("host_tests/" + test for test in row["tests"])
        mutants.append(Mutant(row["bug"], row["what"], edits, tests, row.get("endless", False)))
    return sorted(mutants, key=lambda mutant: mutant.bug)


@contextmanager
def copy(top: Path = TOP) -> Iterator[Path]:
    """A folder with all that a test run needs."""
    with tempfile.TemporaryDirectory(prefix="openkh-mutant-") as folder:
        for name in COPIED:
            shutil.copytree(top / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(top / "pyproject.toml", folder)
        yield Path(folder)


def failing(top: Path, tests: Iterable[str], endless: bool = False) -> str:
    """The first of `tests` that fails in the copy `top`; "" where all pass, ENDLESS where `endless` and so it is."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    process = subprocess.Popen(
        command,
        cwd=top,
        env=os.environ | FAILS_AT_ONCE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        text, _ = process.communicate(timeout=ENDLESS_S if endless else LONGEST_S)
    except subprocess.TimeoutExpired:
        if endless:
            return ENDLESS
        raise MutantError(f"no end after {LONGEST_S:.0f} s: {' '.join(tests)}") from None
    finally:
        end(process)
    if process.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+?)(?:\[.*| - .*)?$", text, re.MULTILINE)
    if process.returncode != 1 or found is None:
        raise MutantError(f"pytest ended with {process.returncode}:\n{text}")
    return found[1]


def end(process: "subprocess.Popen[str]") -> None:
    """End the run with the engines it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def catch(mutant: Mutant) -> str:
    """The test that fails with the bug put in; "" if none does."""
    with copy() as top:
        mutant.apply(top)
        return failing(top, mutant.tests, mutant.endless)


def run(mutants: list[Mutant]) -> list[tuple[Mutant, str]]:
    """Each mutant with the test that caught it. MutantError where a test fails without any bug put in."""
    with copy() as top:
        every = sorted({test for mutant in mutants for test in mutant.tests})
        broken = failing(top, every)
    if broken:
        raise MutantError(f"without any bug put in: {broken}")

    def told(mutant: Mutant) -> tuple[Mutant, str]:
        caught = catch(mutant)
        print(f"  {mutant.bug:>2}  {mutant.what}: {caught or 'NOT CAUGHT'}", file=sys.stderr, flush=True)
        return mutant, caught

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(told, mutants))


def _check(found: list[tuple[Mutant, str]]) -> None:
    missed = [f"field bug {mutant.bug}, {mutant.what}" for mutant, caught in found if not caught]
    if missed:
        raise MutantError("no test caught: " + "; ".join(missed))


def rows() -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench."""
    found = run(table())
    _check(found)
    bugs = {mutant.bug for mutant, _ in found}
    rows: list[tuple[str, Any, str]] = [("field bugs put in", len(bugs), ""), ("mutants, all caught", len(found), "")]
    rows += [(f"{mutant.bug:>2} {mutant.what}", "caught", caught.split("::")[-1]) for mutant, caught in found]
    return rows


def bugs(path: Path = TABLE) -> dict[int, str]:
    """Each field bug in words, by number."""
    return {int(number): text for number, text in tomllib.loads(path.read_text())["bugs"].items()}


def page(found: list[tuple[Mutant, str]]) -> str:
    """The table of docs/field-bugs.md."""
    lines = ["| No. | The bug in the field | Put in as | File | Test that failed |", "| ---: | --- | --- | --- | --- |"]
    words = bugs()
    for mutant, caught in found:
        files = ", ".join(sorted({f"`{edit.file.removeprefix('firmware/openkh/')}`" for edit in mutant.edits}))
        test = caught if caught != ENDLESS else mutant.tests[0] + " " + ENDLESS
        bug = words.pop(mutant.bug, "")  # once, at the first of its mutants
        lines.append(f"| {mutant.bug} | {bug} | {mutant.what} | {files} | `{test.removeprefix('host_tests/')}` |")
    return "\n".join(lines) + "\n"


def main(argv: list[str]) -> int:
    """Run the mutants of the given bugs, or all of them and write the page's table."""
    wanted = {int(text) for text in argv}
    found = run([mutant for mutant in table() if not wanted or mutant.bug in wanted])
    _check(found)
    if not wanted:
        text = PAGE.read_text()
        head, _, rest = text.partition(BEGIN)
        _, _, tail = rest.partition(END)
        PAGE.write_text(f"{head}{BEGIN}\n{page(found)}\n{END}{tail}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except MutantError as error:
        sys.exit(str(error))
