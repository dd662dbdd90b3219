"""The tests that notice a change of the firmware: in a copy of the project, those that run the changed line.

Which these are is measured once with coverage.py, one context a test, and kept under build/ for as long as the sources
stay as they are. The quickest come first; the first that fails ends it. Tests that start engines of their own (the
whole meter in MicroPython) come last, nearest to the changed file first: what they run is not measured.
"""

import ast
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from pathlib import Path
from types import TracebackType
from typing import Any

from host.campaigns import mutants
from host.campaigns.waiting_tests import ASKED_AT, DIED, NO_END, functions

LONGEST_S = 8.0  # of processor time for the tests of a change that run in one process,
WITH_ENGINES_S = 30.0  # and for those that start engines
NO_ANSWER_S = 200.0
MAPPING_S = 3600.0
# Folders whose tests are not about the firmware.
LEFT_OUT = ("host", "docs", "web", "rp2040", "boards", "c_drivers", "virtual", "test_quality.py", "test_mutants.py")
# The same test again in another interpreter costs time and finds no more.
THIS_ENGINE = "not wasm and not micropython"
# Tests of the whole meter, for what only they reach; those of a folder come before them.
WHOLE = (
    "whole/test_reliability.py",
    "whole/test_supply_sensors.py",
    "whole/test_event_log.py",
    "whole/test_demand_gaps.py",
    "whole/test_field_bugs.py",
    "whole/test_resets.py",
)
BESIDE = {  # folders of the firmware whose tests lie in another one, too
    "service": ("service/test_rules.py", "whole/test_corrections.py"),
    "startup": ("startup", "storage/test_journal.py", "service/test_damage.py"),
    "": ("startup", "metrology"),
}
COMMAND = ["-B", "-m", "pytest", "-x", "-q", "--tb=native", "-p", "no:cacheprovider", "-p", "no:xdist"]
COMMAND += ["-p", "host.campaigns.endless"]


class Tests:
    """The tests of the copy `top`, waiting to be run. `seconds`: of each, where it is known."""

    def __init__(self, top: Path, kept: Path = mutants.TOP / "build") -> None:
        self._top = top
        self._good: set[str] = set()  # tests with engines that pass without a change
        self._bad: set[str] = set()
        self._log = (top / "waiting.log").open("w+")
        self._asking, there = Pipe()
        with there:
            self._process = self._started(there.fileno())
        try:
            every: list[str] = self._asking.recv()
        except EOFError:
            raise mutants.MutantError(f"the tests do not start: {self._log_text()}") from None
        found = self._map(kept)
        self._seconds: dict[str, float] = found["seconds"]
        self._lines: dict[str, dict[str, list[str]]] = found["lines"]
        self._apart = [test for test in every if test in set(found["apart"])]

    def __enter__(self) -> "Tests":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._asking.close()
        mutants.end(self._process)
        self._log.close()

    def noticing(self, file: str, line: int, changed: bytes) -> str:
        """The test that fails when `file` below firmware/openkh/ has the content `changed`, which differs in a
        statement that `line` is of; "" where none does. Without those that start engines."""
        path = self._top / "firmware" / "openkh" / file
        source = path.read_bytes()
        near = self.running(file, statement(source, line))
        at_import = functions(source) == functions(changed)  # or in a function that an import calls
        with _written(path, changed):
            if near and not at_import:
                return self._run(file, near)
            return self._in_a_new_process(self.running(file, None) or (self._near(file, True) if at_import else []))

    def noticing_with_engines(self, file: str, changed: bytes) -> str:
        """The same among the tests that start engines."""
        path = self._top / "firmware" / "openkh" / file
        apart = set(self._apart)
        tests = [test for test in self._near(file) if test in apart]
        while True:
            tests = [test for test in tests if test not in self._bad]
            with _written(path, changed):
                failed = self._run("", tests, WITH_ENGINES_S)
            if not failed or failed in self._good or failed == NO_END:
                return failed
            if self._run("", [failed], WITH_ENGINES_S):
                self._bad.add(failed)  # it fails in a copy of the project, whatever is changed
            else:
                self._good.add(failed)

    def running(self, file: str, lines: range | None) -> list[str]:
        """The tests that run one of the lines of the file, or any where it is None; the quickest first."""
        apart = set(self._apart)
        of_file = self._lines.get(file, {})
        found = {test for line, tests in of_file.items() if lines is None or int(line) in lines for test in tests}
        return sorted(found - apart, key=lambda test: (self._seconds[test], test))

    def _near(self, file: str, quickest: bool = False) -> list[str]:
        """Every test, as groups() has their files in order; of a group the quickest first where it is asked for."""
        every = sorted(self._seconds, key=lambda test: self._seconds[test]) if quickest else list(self._seconds)
        return [test for group in groups(file, self._top) for test in every if test.split("::")[0] in group]

    def _run(self, file: str, tests: list[str], longest_s: float = LONGEST_S) -> str:
        answer = str(self._ask("run", (file, tests, longest_s), NO_ANSWER_S)) if tests else ""
        if answer == DIED:
            raise mutants.MutantError(f"the tests died: {self._log_text()}")
        return answer

    def _ask(self, job: str, arguments: tuple[Any, ...], longest_s: float) -> Any:
        self._asking.send((job, arguments, longest_s))
        return self._asking.recv()

    def _started(self, asked_at: int) -> "subprocess.Popen[str]":
        tests = self._top / "host_tests"
        command = [sys.executable, *COMMAND, "-p", "host.campaigns.waiting_tests", "-k", THIS_ENGINE, str(tests)]
        command += [f"--basetemp={self._top / 'temp'}", *(f"--ignore={tests / name}" for name in LEFT_OUT)]
        return subprocess.Popen(
            command,
            cwd=self._top,
            env=self._environment() | {ASKED_AT: str(asked_at)},
            pass_fds=[asked_at],
            stdout=self._log,
            stderr=self._log,
            text=True,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        return dict(os.environ) | mutants.FAILS_AT_ONCE | {"PYTHONPATH": str(self._top / "scripts")}

    def _in_a_new_process(self, tests: list[str]) -> str:
        """The first test that fails, where what a module does at its import has changed; all that run a line of it."""
        chosen: list[str] = []
        for test in tests:
            if test not in self._apart and sum(self._seconds[one] for one in chosen) < LONGEST_S:
                chosen.append(test)
        if not chosen:
            return ""
        command = [sys.executable, *COMMAND, *chosen]
        try:
            done = subprocess.run(
                command, cwd=self._top, env=self._environment(), capture_output=True, text=True, timeout=NO_ANSWER_S
            )
        except subprocess.TimeoutExpired:
            return NO_END
        failed = [line.split(" ")[1] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        return failed[0] if failed else "" if done.returncode == 0 else "the tests do not start"

    def _map(self, kept: Path) -> dict[str, Any]:
        path = kept / f"mutant-tests-{digest(self._top)}.json"
        if not path.exists():
            print("  which test runs which line of the firmware: minutes, once", file=sys.stderr, flush=True)
            found = self._ask("map", (), MAPPING_S)
            if found in (NO_END, DIED):
                raise mutants.MutantError(f"no test could be run: {self._log_text()}")
            kept.mkdir(exist_ok=True)
            for old in kept.glob("mutant-tests-*.json"):
                old.unlink()
            path.write_text(json.dumps(found))
        return dict(json.loads(path.read_text()))

    def _log_text(self) -> str:
        self._log.seek(0)
        return self._log.read()[-2000:]


@contextmanager
def _written(path: Path, content: bytes) -> Iterator[None]:
    """The file with another content for a while."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def digest(top: Path) -> str:
    """Of all that decides which test runs which line."""
    found = hashlib.sha256()
    for path in sorted(path for folder in mutants.COPIED for path in (top / folder).rglob("*.py")):
        found.update(path.relative_to(top).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:16]


def statement(source: bytes, line: int) -> range:
    """The lines of the innermost statement that `line` is of; of one with a body, those of its head."""
    found = range(line, line + 1)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or line
            if node.lineno <= line <= max(last, node.lineno):
                found = range(node.lineno, max(last, node.lineno) + 1)
    return found


def imports(path: Path) -> Iterator[str]:
    """The modules of the firmware that a test's file imports, as files below firmware/openkh/."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "openkh":
            base = "/".join(node.module.split(".")[1:])
            yield base + ".py"
            yield from (f"{base}/{name.name}.py".lstrip("/") for name in node.names)


def groups(file: str, top: Path = mutants.TOP) -> list[list[str]]:
    """Test files for a file of the firmware, nearest first: made for it, importing it, of its folder, of the whole
    meter."""
    tests = top / "host_tests"
    folder, _, name = file.rpartition("/")
    every = sorted(path for path in tests.rglob("test_*.py") if path.relative_to(tests).parts[0] not in LEFT_OUT)
    importing = [path for path in every if file in set(imports(path))]
    own = [path for path in every if path.stem == f"test_{name.removesuffix('.py')}" and path.parent.name == folder]
    near = [path for path in importing if path.parent.name == folder]
    beside = [folder, *BESIDE.get(folder, ())]
    rest = [path for part in beside if part for path in _files(tests / part)]
    last = [tests / part for part in WHOLE]
    found: list[list[str]] = []
    seen: set[Path] = set()
    for group in (own, [*near, *importing], rest, last):
        new = [path for path in dict.fromkeys(group) if path not in seen]
        seen |= set(new)
        found += [[path.relative_to(top).as_posix() for path in new]] if new else []
    return found


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("test_*.py")) if path.is_dir() else [path]
