"""Small random changes to the firmware, and whether a test notices: `./scripts/bench mutants --random N --seed S`.

Own code on Python's `ast` and not a mutation tool: mutmut and cosmic-ray run one test command for every change and in
the tests' own process, while most of our tests run the firmware's files in an interpreter of their own (MicroPython).
What is drawn is the same for the same seed and sources, and nearly the same after an edit of them. A change that no
test notices is a survivor. One that cannot be noticed, or need not be, is told with its reason in random_mutants.toml,
beside this file.
"""

import ast
import json
import sys
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from host.campaigns import mutants
from host.campaigns.covering import Tests
from host.campaigns.mutants import TOP

EXPLAINED = Path(__file__).with_suffix(".toml")
SURVIVORS = TOP / "build" / "mutant-survivors.toml"

# Numbers and names alone: what they are is a table of a data sheet or of the documentation, held against it elsewhere.
LEFT_OUT = ("event_codes.py", "failures.py", "service/catalogue.py", "boot.py")
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
    def key(self) -> tuple[str, str, str]:
        """By which it is explained."""
        return self.file, self.before, self.after

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
    """`count` changes over all files, of each kind in turn; of a kind each is as likely as any other.

    The order is that of a hash of the seed and of each change: an edit of the firmware takes away the changes of the
    lines that it touches and leaves the others where they are.
    """
    every: list[Change] = []
    for path in sorted(firmware.rglob("*.py")):
        file = path.relative_to(firmware).as_posix()
        if file not in LEFT_OUT:
            every += changes(file, path.read_bytes())
    seen: Counter[tuple[str, str, str]] = Counter()
    ranked: list[tuple[bytes, Change]] = []
    for change in every:
        seen[change.key] += 1  # a file can have the same line twice
        ranked.append((sha256(repr((seed, change.key, seen[change.key])).encode()).digest(), change))
    ranked.sort(key=lambda one: one[0])
    by_kind = [[change for _, change in ranked if change.kind == kind] for kind in KINDS]
    return [own[turn] for turn in range(len(every)) for own in by_kind if turn < len(own)][:count]


def explained(path: Path = EXPLAINED) -> dict[tuple[str, str, str], str]:
    """Why a survivor may live, by file and line before and after the change."""
    rows = tomllib.loads(path.read_text()).get("survivor", [])
    return {(row["file"], row["before"], row["after"]): row["why"] for row in rows}


def rows(count: int, seed: int) -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench; each change is told as it comes. Survivors go to SURVIVORS, unless explained."""
    known = explained()
    chosen = drawn(count, seed)
    with ExitStack() as stack:
        free: SimpleQueue[tuple[Tests, Path]] = SimpleQueue()
        for top in [stack.enter_context(mutants.copy()) for _ in range(mutants.AT_ONCE)]:
            free.put((stack.enter_context(Tests(top)), top))

        def noticing(change: Change, with_engines: bool) -> str:
            tests, top = free.get()
            try:
                changed = change.applied((top / "firmware" / "openkh" / change.file).read_bytes())
                if with_engines:
                    return tests.noticing_with_engines(change.file, changed)
                return tests.noticing(change.file, change.line, changed)
            finally:
                free.put((tests, top))

        def tried(every: list[Change], with_engines: bool) -> list[Change]:
            lived = []
            with ThreadPoolExecutor(mutants.AT_ONCE) as pool:
                found = pool.map(lambda change: noticing(change, with_engines), every)
                for done, (change, test) in enumerate(zip(every, found, strict=True), 1):
                    by = test.removeprefix("host_tests/")
                    if not by:
                        lived.append(change)
                        _write([one for one in lived if one.key not in known], seed)
                    word = f"caught by {by}" if by else "explained" if change.key in known else "SURVIVED"
                    print(f"  {done} of {len(every)}  {change.text}: {word}", file=sys.stderr, flush=True)
            return lived

        lived = tried(chosen, False)
        told = sum(change.key in known for change in lived)
        print("  those that are not explained, with the tests that start engines:", file=sys.stderr, flush=True)
        lived = tried([change for change in lived if change.key not in known], True)
    caught = len(chosen) - told - len(lived)
    part = 100 * caught / max(1, len(chosen) - told)
    return [
        ("random changes", len(chosen), ""),
        ("caught by a test", caught, ""),
        ("survivors, explained", told, ""),
        ("survivors, not explained", len(lived), ""),
        ("caught, of those not explained", f"{part:.1f}", "%"),
    ]


def _write(lived: list[Change], seed: int) -> None:
    SURVIVORS.parent.mkdir(exist_ok=True)
    text = f"# Changes of seed {seed} that no test noticed.\n"
    for change in lived:
        fields = {"file": change.file, "before": change.before, "after": change.after, "why": ""}
        text += "\n[[survivor]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items())
    SURVIVORS.write_text(text)
