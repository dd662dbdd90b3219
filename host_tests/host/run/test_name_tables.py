"""Shorter ways through the tables of names (host/sim/tables.py): on each engine a module does what it did."""

import ast
import subprocess
from pathlib import Path

from host.sim import at_hand, link, tables
from host.sim.link import TOP

SHAPES = '''"""Docstring."""


class Base:
    """A base class."""

    def __init__(self, size):
        """Docstring."""
        self.a = self.b = self.c = self.d = self.e = self.f = 0
        self.size = size

    def area(self):
        return self.size * self.size

    def told(self):
        return "%s of %d" % (self.name(), self.area())

    def name(self):
        return "base"


class Shape(Base):
    def __init__(self, size):
        super().__init__(size)
        self.g = len([size])

    def name(self):
        return "shape"

    name_again = name


class Small:
    def __init__(self):
        self.one = max(1, 2)


shape = Shape(3)
found = [shape.told(), shape.name_again(), shape.g, Small().one]
area = shape.area
shape.size = 4
print(found, area(), "told" in Shape.__dict__, sorted([n for n in shape.__dict__ if n[:4] == "room"]))
'''


def said(engine: str, path: Path) -> str:
    command = [*link.command(engine), str(path)]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=TOP, env={"PYTHONPATH": str(TOP)}
    ).stdout


def test_what_is_changed_says_the_same_on_each_engine(tmp_path):
    made = tables.shortened(ast.parse(SHAPES), tables.Classes([SHAPES]))
    import_it = f"import sys\nsys.path.append({str(TOP)!r})\n"
    (tmp_path / "made.py").write_text(import_it + made)
    (tmp_path / "plain.py").write_text(SHAPES)
    expected = "['shape of 9', 'shape', 1, 2] 16 True []"
    assert said("micropython", tmp_path / "made.py").strip() == expected
    assert said("micropython", tmp_path / "plain.py").strip() == expected.replace("True", "False")
    assert said("cpython", tmp_path / "made.py").strip() == expected


def test_objects_get_room_classes_what_they_inherit_modules_what_they_call():
    made = tables.shortened(ast.parse(SHAPES), tables.Classes([SHAPES]))
    assert "from builtins import len, max" in made
    assert "_room(self, 10, ('area', 'name', 'told'))" in made  # seven attributes and three methods
    assert "_room(self, 11, ('area', 'name', 'told'))" in made
    assert made.count("_room(") == 2  # Small is small
    assert "area = Base.area" in made and "name = Base.name" not in made


def test_a_name_that_two_classes_share_changes_neither():
    twice = SHAPES + "\n\nclass Base:\n    pass\n"
    made = tables.shortened(ast.parse(twice), tables.Classes([twice]))
    assert "Base." not in made and "_room(self, 10" not in made


def test_an_object_with_room_has_its_methods_and_takes_its_attributes(tmp_path):
    code = f"""import sys
sys.path.append({str(TOP)!r})
from boards.virtual.engine.room import room

class Thing:
    def method(self):
        return self.a3

thing = Thing()
room(thing, 40, ("method",))
for k in range(30):
    setattr(thing, "a%d" % k, k)
room(thing, 40, ())  # a base class's: it has attributes by now
print(thing.method(), len(thing.__dict__), sum([getattr(thing, "a%d" % k) for k in range(30)]))
"""
    (tmp_path / "room.py").write_text(code)
    for engine in ("micropython", "cpython"):
        assert said(engine, tmp_path / "room.py").split() == ["3", "31", "435"], engine


GLOBALS = """from struct import pack

STEP = 3
count = 0


def scaled(x):
    return x * STEP


def packed(x, y=1):
    return pack("<HH", scaled(x), y)


def early():
    return late()


def late():
    return "late"


def counted():
    global count
    count += 1
    return count


def inner(xs):
    return [scaled(x) for x in xs], lambda: STEP + len(xs)


def shown(*xs):
    return len(xs) + STEP


class Scale:
    STEP = 10

    def by(self, x):
        return x * STEP

    def packed(self, x):
        return packed(x)


found, more = inner([1, 2])
print(packed(2), early(), counted(), counted(), found, more(), shown(1), Scale().by(2), Scale().packed(1))
"""


def test_functions_have_what_is_bound_once_as_defaults_and_say_the_same(tmp_path):
    made = at_hand.at_hand(GLOBALS)
    (tmp_path / "made.py").write_text(made)
    (tmp_path / "plain.py").write_text(GLOBALS)
    for engine in ("micropython", "cpython"):
        assert said(engine, tmp_path / "made.py") == said(engine, tmp_path / "plain.py")
    heads = [line.strip() for line in made.splitlines() if line.strip().startswith("def ")]
    assert heads == [
        "def scaled(x, STEP=STEP):",
        "def packed(x, y=1, pack=pack, scaled=scaled):",
        "def early():",  # what it calls comes after it
        "def late():",
        "def counted():",  # it binds the name anew
        "def inner(xs):",  # functions in it use the names, too
        "def shown(*xs):",
        "def by(self, x):",  # its class has a STEP of its own
        "def packed(self, x):",
    ]
