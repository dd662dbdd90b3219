"""Small random changes to the firmware, and whether a test notices: `./scripts/bench mutants --random N --seed S`.

Own code on Python's `ast` and not a mutation tool: mutmut and cosmic-ray run one test command for every change and in
the tests' own process, while most of our tests run the firmware's files in an interpreter of their own (MicroPython).
What is drawn is the same for the same seed and sources. A change that no test notices is a survivor. One that cannot
be noticed, or need not be, is told with its reason in random_mutants.toml, beside this file.
"""

import ast
import json
import os
import random
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host.campaigns import mutants
from host.campaigns.mutants import TOP

EXPLAINED = Path(__file__).with_suffix(".toml")
SURVIVORS = TOP / "build" / "mutant-survivors.toml"
LONGEST_S = 900.0  # the tests of a change together; one test alone is ended by endless.py

# Numbers and names alone: what they are is a table of a data sheet or of the documentation, held against it elsewhere.
LEFT_OUT = ("event_codes.py", "failures.py", "service/catalogue.py", "boot.py")
# Tests of the whole meter, for what only they reach; those of a folder come before them.
WHOLE = (
    "whole/test_reliability.py",
    "whole/test_supply_sensors.py",
    "whole/test_event_log.py",
    "whole/test_demand_gaps.py",
    "whole/test_field_bugs.py",
    "whole/test_resets.py",
)
NOTHING_TO_RUN = 5  # pytest's status
THIS_ENGINE = "not wasm and not micropython"  # the same test again in another interpreter costs time and finds no more
BESIDE = {  # folders of the firmware whose tests lie in another one, too
    "service": ("service/test_rules.py", "whole/test_corrections.py"),
    "startup": ("startup", "storage/test_journal.py", "service/test_damage.py"),
    "": ("startup", "metrology"),
}
COMPARED = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
KINDS = ("comparison", "sign", "constant", "condition")
SIGNS = {ast.Add: ("+", "-"), ast.Sub: ("-", "+")}


@dataclass(frozen=True)
class Change:
    """`old` at an offset of a file's bytes becomes `new`. `before`, `after`: the line without and with it."""

    kind: str  # one of KINDS
    file: str  # below firmware/openkh/
    line: int
    at: int
    old: str
    new: str
    before: str
    after: str

    def applied(self, source: bytes) -> bytes:
        """The source with the change."""
        end = self.at + len(self.old.encode())
        assert source[self.at : end] == self.old.encode()
        return source[: self.at] + self.new.encode() + source[end:]

    @property
    def text(self) -> str:
        """For a person."""
        return f"{self.file}:{self.line}: {self.before}  ->  {self.after}"


class _Places(ast.NodeVisitor):
    """Collects (offset, old, the texts that may take its place, kind)."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self.found: list[tuple[int, str, tuple[str, ...], str]] = []
        self.visit(ast.parse(source))

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def _span(self, node: ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    def _between(self, left: ast.expr, right: ast.expr, old: str, new: tuple[str, ...], kind: str) -> None:
        """An operator that stands between two operands, where brackets of either may stand too."""
        begin, end = self._span(left)[1], self._span(right)[0]
        text = self._source[begin:end].decode()
        at = text.find(old)
        if at >= 0:
            self.found.append((begin + len(text[:at].encode()), old, new, kind))

    def _text(self, node: ast.expr) -> str:
        begin, end = self._span(node)
        return self._source[begin:end].decode()

    def visit_Compare(self, node: ast.Compare) -> None:  # noqa: N802  as ast calls it
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            old, new = COMPARED[type(operator)]
            self._between(left, right, old, new, "comparison")
            left = right
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:  # noqa: N802
        if type(node.op) in SIGNS:
            old, new = SIGNS[type(node.op)]
            self._between(node.left, node.right, old, (new,), "sign")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:  # noqa: N802
        if type(node.op) in SIGNS:
            old, new = SIGNS[type(node.op)]
            self._between(node.target, node.value, old + "=", (new + "=",), "sign")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:  # noqa: N802
        if isinstance(node.op, ast.USub):
            self.found.append((self._span(node)[0], "-", ("",), "sign"))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:  # noqa: N802
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, old, (new,), "condition")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:  # noqa: N802
        if isinstance(node.value, bool):
            self.found.append((self._span(node)[0], str(node.value), (str(not node.value),), "constant"))
        elif isinstance(node.value, int):
            old = self._text(node)
            self.found.append((self._span(node)[0], old, (f"({old} + 1)", f"({old} - 1)"), "constant"))

    def _condition(self, test: ast.expr) -> None:
        old = self._text(test)
        if old.startswith("not "):
            self.found.append((self._span(test)[0], "not ", ("",), "condition"))
        elif not isinstance(test, ast.Compare):
            self.found.append((self._span(test)[0], old, (f"not ({old})",), "condition"))

    def visit_If(self, node: ast.If) -> None:  # noqa: N802
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return  # the device never sees it
        self._condition(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:  # noqa: N802
        self._condition(node.test)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:  # noqa: N802
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:  # noqa: N802
        for part in (*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None), *node.body):
            self.visit(part)


def changes(file: str, source: bytes) -> list[Change]:
    """Every change that can be drawn for a file, in order."""
    lines = source.splitlines(keepends=True)
    found = []
    for at, old, news, kind in sorted(_Places(source).found):
        line = source[:at].count(b"\n")
        begin = sum(map(len, lines[:line]))
        last = source[: at + len(old.encode())].count(b"\n")
        before = b"".join(lines[line : last + 1])
        for new in news:
            inner = at - begin
            after = before[:inner] + new.encode() + before[inner + len(old.encode()) :]
            texts = [" ".join(text.decode().split()) for text in (before, after)]
            found.append(Change(kind, file, line + 1, at, old, new, *texts))
    return found


def drawn(count: int, seed: int, firmware: Path = TOP / "firmware" / "openkh") -> list[Change]:
    """`count` changes over all files, of each kind in turn; of a kind each is as likely as any other."""
    every: list[Change] = []
    for path in sorted(firmware.rglob("*.py")):
        file = path.relative_to(firmware).as_posix()
        if file not in LEFT_OUT:
            every += changes(file, path.read_bytes())
    rng = random.Random(seed)
    by_kind = []
    for kind in KINDS:
        own = [change for change in every if change.kind == kind]
        rng.shuffle(own)
        by_kind.append(own)
    return [own[turn] for turn in range(len(every)) for own in by_kind if turn < len(own)][:count]


def imports(path: Path) -> Iterator[str]:
    """The modules of the firmware that a test's file imports, as files below firmware/openkh/."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "openkh":
            base = "/".join(node.module.split(".")[1:])
            yield base + ".py"
            yield from (f"{base}/{name.name}.py".lstrip("/") for name in node.names)


def tests_of(file: str, tests: Path = TOP / "host_tests") -> list[list[str]]:
    """Test files for a file of the firmware in groups, each to be run where those before notice nothing: made for it,
    importing it, of its folder, of the whole meter."""
    folder, _, name = file.rpartition("/")
    every = sorted(tests.rglob("test_*.py"))
    importing = [path for path in every if file in set(imports(path))]
    own = [path for path in every if path.stem == f"test_{name.removesuffix('.py')}" and path.parent.name == folder]
    near = [path for path in importing if path.parent.name == folder]
    apart = ("host", "docs", "web", "rp2040")
    far = [path for path in importing if path.relative_to(tests).parts[0] not in apart]
    beside = [folder, *BESIDE.get(folder, ())]
    rest = [path for part in beside if part for path in _files(tests / part)]
    last = [tests / part for part in WHOLE]
    groups: list[list[str]] = []
    seen: set[Path] = set()
    for group in (own, [*near, *far], rest, last):
        new = [path for path in dict.fromkeys(group) if path not in seen]
        seen |= set(new)
        groups += [[path.relative_to(tests.parent).as_posix() for path in new]] if new else []
    return groups


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("test_*.py")) if path.is_dir() else [path]


class Copy:
    """A copy of the project, in which one change at a time is tried."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._good: set[str] = set()  # tests that pass without a change, of those that have failed with one
        self._bad: set[str] = set()

    def noticed(self, change: Change) -> str:
        """The test that notices the change; "" where none does."""
        found = (self._noticed(change, group) for group in tests_of(change.file))
        return next((failed for failed in found if failed), "")

    def _noticed(self, change: Change, tests: list[str]) -> str:
        path = self._top / "firmware" / "openkh" / change.file
        source = path.read_bytes()
        while True:
            path.write_bytes(change.applied(source))
            try:
                failed = run_tests(self._top, tests, self._bad)
            finally:
                path.write_bytes(source)
            if not failed or failed in self._good:
                return failed
            if run_tests(self._top, [failed], ()):
                self._bad.add(failed)  # it fails in a copy of the project, whatever is changed
            else:
                self._good.add(failed)


def run_tests(top: Path, tests: list[str], without: Iterable[str]) -> str:
    """The first test that fails in the copy `top`, "" where all pass."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-p", "host.campaigns.endless", "-k", THIS_ENGINE, *tests]
    command += [f"--deselect={test}" for test in without]
    environment = os.environ | mutants.FAILS_AT_ONCE | {"PYTHONPATH": str(top / "scripts")}
    process = subprocess.Popen(
        command,
        cwd=top,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        text, _ = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        return ""
    finally:
        mutants.end(process)
    if process.returncode in (0, NOTHING_TO_RUN):
        return ""
    failed = [line.split(" ")[1] for line in text.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return failed[0] if failed else "the tests do not start"


def explained(path: Path = EXPLAINED) -> dict[tuple[str, str, str], str]:
    """Why a survivor may live, by file and line before and after the change."""
    rows = tomllib.loads(path.read_text()).get("survivor", [])
    return {(row["file"], row["before"], row["after"]): row["why"] for row in rows}


def rows(count: int, seed: int) -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench; each survivor is told as it comes and written to SURVIVORS, unless it is explained."""
    known = explained()
    chosen = drawn(count, seed)
    lived: list[Change] = []
    told = 0
    with mutants.copy() as top:
        copy = Copy(top)
        for done, change in enumerate(chosen, 1):
            by = copy.noticed(change)
            why = known.get((change.file, change.before, change.after), "")
            if not by:
                lived.append(change)
                told += bool(why)
            word = f"caught by {by.removeprefix('host_tests/')}" if by else f"SURVIVED{', explained' if why else ''}"
            print(f"  {done} of {len(chosen)}  {change.text}: {word}", file=sys.stderr, flush=True)
            _write([one for one in lived if (one.file, one.before, one.after) not in known], seed)
    caught = len(chosen) - len(lived)
    part = 100 * caught / max(1, len(chosen) - told)
    return [
        ("random changes", len(chosen), ""),
        ("caught by a test", caught, ""),
        ("survivors, explained", told, ""),
        ("survivors, not explained", len(lived) - told, ""),
        ("caught, of those not explained", f"{part:.1f}", "%"),
    ]


def _write(lived: list[Change], seed: int) -> None:
    SURVIVORS.parent.mkdir(exist_ok=True)
    text = f"# Changes of seed {seed} that no test noticed.\n"
    for change in lived:
        fields = {"file": change.file, "before": change.before, "after": change.after, "why": ""}
        text += "\n[[survivor]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items())
    SURVIVORS.write_text(text)
