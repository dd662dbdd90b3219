"""The table of mutants fits the firmware and the tests as they are; running it is for ./scripts/bench mutants."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from host.campaigns import mutants

TOP = Path(__file__).resolve().parent.parent
TABLE = mutants.table()
MENTION = re.compile(r"field[_ ]bugs?[_ ]((?:\d+|and|,|_| |\n)+)", re.IGNORECASE)


@cache
def named(path: str) -> dict[str, set[int]]:
    """The tests of a file, and the field bugs that name or docstring of each mention."""
    found = {}
    for node in ast.walk(ast.parse((TOP / path).read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            text = f"{node.name}\n{ast.get_docstring(node) or ''}"
            found[node.name] = {int(n) for part in MENTION.findall(text) for n in re.findall(r"\d+", part)}
    return found


def test_every_field_bug_is_put_in():
    assert {mutant.bug for mutant in TABLE} == set(mutants.bugs()) == set(range(1, 35))


@pytest.mark.parametrize("mutant", TABLE, ids=lambda m: f"{m.bug}-{m.what}"[:60])
def test_a_row_applies_and_its_tests_are_there(mutant, tmp_path):
    """A text that occurs once, code that compiles, and at least one test that names the bug."""
    for edit in mutant.edits:
        path = tmp_path / edit.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((TOP / edit.file).read_text())
    mutant.apply(tmp_path)
    for edit in mutant.edits:
        ast.parse((tmp_path / edit.file).read_text())
    bugs = set()
    for test in mutant.tests:
        path, name = test.split("::")
        bugs |= named(path)[name]
    assert mutant.bug in bugs


def test_a_text_that_is_not_there_once_is_an_error():
    edit = mutants.Edit("some.py", "a = 1\n", "a = 2\n")
    assert edit.applied("a = 1\nb = 1\n") == "a = 2\nb = 1\n"
    for text in ("b = 1\n", "a = 1\na = 1\n"):
        with pytest.raises(mutants.MutantError, match="some.py"):
            edit.applied(text)


def test_the_page_tells_of_every_row():
    """docs/field-bugs.md, written by `python -m host.campaigns.mutants`: bug, change and a test of the row."""
    lines = mutants.PAGE.read_text().split("\n")
    for mutant in TABLE:
        found = [line for line in lines if line.startswith(f"| {mutant.bug} |") and f"| {mutant.what} |" in line]
        assert len(found) == 1, mutant.what
        assert any(f"`{test.removeprefix('host_tests/')}" in found[0] for test in mutant.tests), mutant.what
