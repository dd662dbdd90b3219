"""Small random changes to the firmware: what is drawn, how a loaded function takes one, which tests are asked."""

from types import ModuleType

import pytest

from host.campaigns import covering, random_mutants, waiting_tests

SOURCE = """\
LIMIT = 3


def over(value, by=2):
    if value > LIMIT and not by:
        return -value
    return [n + 1 for n in range(value)]
"""


def test_each_kind_of_change_is_found_and_applies():
    found = random_mutants.changes("some.py", SOURCE.encode())
    assert {one.kind for one in found} == set(random_mutants.KINDS)
    texts = {one.after for one in found}
    assert {"LIMIT = (3 + 1)", "if value >= LIMIT and not by:", "if value > LIMIT or not by:", "return value"} <= texts
    for one in found:
        changed = one.applied(SOURCE.encode()).decode()
        assert changed != SOURCE and len(changed.split("\n")) == len(SOURCE.split("\n"))
        compile(changed, "some.py", "exec")


def test_the_same_seed_draws_the_same():
    assert random_mutants.drawn(40, 7) == random_mutants.drawn(40, 7)
    assert random_mutants.drawn(40, 7) != random_mutants.drawn(40, 8)


def test_an_edit_of_one_line_leaves_what_else_is_drawn(tmp_path):
    path = tmp_path / "some.py"
    path.write_text("".join(f"def f{n}(a, b):\n    return a + {n} if a < b else -b\n" for n in range(30)))
    before = random_mutants.drawn(60, 7, tmp_path)
    path.write_text(path.read_text().replace("    return a + 9 if a < b", "    c = a + b + 9\n    return c if a < b"))
    after = {one.key for one in random_mutants.drawn(60, 7, tmp_path)}
    assert sum(one.key in after for one in before) > 50


def test_what_is_explained_is_a_change_of_the_firmware_as_it_is():
    told = random_mutants.explained()
    firmware = random_mutants.TOP / "firmware" / "openkh"
    there = {
        one.key
        for file in {key[0] for key in told}
        for one in random_mutants.changes(file, (firmware / file).read_bytes())
    }
    assert set(told) <= there


@pytest.fixture
def loaded(tmp_path):
    path = tmp_path / "some.py"
    path.write_text(SOURCE)
    module = ModuleType("some")
    exec(compile(SOURCE, str(path), "exec"), module.__dict__)
    return path, module


def test_a_loaded_function_takes_a_change(loaded):
    path, module = loaded
    over = module.over  # as another module that has imported it holds it
    assert over(2) == [1, 2]
    path.write_text(SOURCE.replace("n + 1", "n - 1"))
    waiting_tests.take(path)
    assert over(2) == [-1, 0]


def test_what_runs_at_an_import_alone_is_in_no_function():
    for old, new in (("LIMIT = 3", "LIMIT = 4"), ("by=2", "by=3")):
        changed = SOURCE.replace(old, new).encode()
        assert waiting_tests.functions(changed) == waiting_tests.functions(SOURCE.encode())
    assert waiting_tests.functions(b"class A:\n    x = 1\n") == waiting_tests.functions(b"class A:\n    x = 2\n") == {}


@pytest.mark.parametrize(("line", "lines"), [(1, [1]), (4, [4]), (5, [5]), (6, [6]), (7, [7])])
def test_a_statement_with_a_body_ends_with_its_head(line, lines):
    assert list(covering.statement(SOURCE.encode(), line)) == lines


def test_a_statement_over_several_lines_is_run_where_one_of_them_is():
    text = b"a = (\n    1\n    + 2\n)\nb = 3\n"
    assert list(covering.statement(text, 3)) == [1, 2, 3, 4]


def test_the_nearest_tests_come_first():
    first, *_, last = covering.groups("metrology/energy.py")
    assert first == ["host_tests/metrology/test_energy.py"]
    assert "host_tests/whole/test_reliability.py" in last
