"""The one list of service commands: names at the prompt, help(), the table in docs/service.md come from it (CA-1)."""

import ast

import pytest

from host.docs_made import commands_table
from host.rigs.prompt_rig import started
from host.sim.link import TOP
from openkh.service import catalogue

SERVICE = TOP / "firmware" / "openkh" / "service"


def test_every_command_has_its_function_with_the_same_arguments():
    for row in catalogue.COMMANDS:
        tree = ast.parse((SERVICE / f"{row[1]}.py").read_text())
        found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == row[0]]
        assert len(found) == 1, row[0]
        names = [part.partition("=")[0] for part in row[2].split(", ") if part]
        assert len(found[0].args.args) == 1 + len(names), row[0]


def test_the_table_in_the_documentation_is_the_catalogue():
    text = commands_table.PAGE.read_text()
    assert commands_table.inserted(text) == text, "run python -m host.docs_made.commands_table"


def test_arguments_by_place_and_by_name():
    row = ("turn", "works", "line, error, degrees=60, watts=None", "")
    assert catalogue.bind(row, (1, 0.5), {}) == [1, 0.5, 60, None]
    assert catalogue.bind(row, (1,), {"degrees": 55, "error": 0.5}) == [1, 0.5, 55, None]
    assert catalogue.bind(row, (2, 3), {"watts": 7}) == [2, 3, 60, 7]
    for given, named, said in (
        ((1,), {}, "error is missing"),
        ((1, 2, 3, 4, 5), {}, "5 values given, allowed 4"),
        ((1, 2), {"line": 1}, "line given twice"),
        ((1, 2), {"lag": 1}, "no argument lag"),
    ):
        with pytest.raises(TypeError, match=rf"turn\(line, error, degrees=60, watts=\): {said}"):
            catalogue.bind(row, given, named)


@pytest.mark.parametrize("engine", ["cpython", "micropython"])
def test_CA_1_the_prompt_has_every_command_and_tells_how_it_is_typed(engine):
    with started(engine) as prompt:
        said = prompt.execute("help()")
        for row in catalogue.COMMANDS:
            assert prompt.execute(f"print({row[0]})") == f"{catalogue.usage(row)}: {row[3]}\n"
            assert catalogue.usage(row) in said and row[3] in said
        assert prompt.execute("cal_gain(1)") == "ERROR cal_gain(line, error): error is missing\n"
        assert prompt.execute("status(5, json=True)") == '{"error": "status(): 1 values given, allowed 0"}\n'
