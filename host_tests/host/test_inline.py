"""What is changed of the firmware on its way to a device changes nothing that it does: numbers in place of names, other
names for what is private, and one bundle in place of the files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from host.flash import deploy, inline, joined, names, short_names
from host.rigs import trial
from host.sim import link

MICROPYTHON = link.TOP / ".venv" / "bin" / "micropython"
SMALL = {
    "a/__init__.py": "",
    "a/codes.py": "ONE = 1\nTWO = ONE + 1\nNAMES = {ONE: 'one'}\nname = 7\nTWICE = 1\nTWICE = 2\n",
    "a/b.py": (
        "from a import codes, other\nfrom a.codes import NAMES, ONE, TWO as ZWEI\n_MINE = ZWEI << 3\n"
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from typing import Any\nelse:\n    Any = None\n"
        "def f(x, TWICE):\n    return x * _MINE + codes.TWO - ONE + codes.TWICE + TWICE + len(NAMES)\n"
    ),
}

# Load, export on line 1, a spoilt bus, a chip that is reset, and the supply gone twice.
SCENARIO = trial.steps(
    trial.load(0.0, 100.0),
    'at = 5.0\nfault = {part = "chip1", kind = "bit_error", for_s = 0.3, rate = 0.001}',
    trial.load(8.0, 60.0, degrees=60.0),
    'at = 11.0\nfault = {part = "chip2", kind = "reset"}',
    trial.load(14.0, 90.0, degrees=180.0),
    "at = 17.0\npower = false",
    "at = 18.5\npower = true",
    trial.load(22.0, 100.0),
    'at = 25.0\nfault = {part = "cpu", kind = "hang"}',
)
SCENARIO_S = 45.0


def test_numbers_stand_in_place_of_their_names() -> None:
    modules = inline.Modules(SMALL)
    text = modules.inlined("a/b.py")
    assert "return x * 16 + 2 - 1 + codes.TWICE + TWICE + len(NAMES)" in text
    assert "from a import codes, other" in text  # `codes.TWICE` is no constant
    assert "from a.codes import NAMES\n" in text
    assert "_MINE =" not in text
    assert "typing" not in text and "Any = None" in text
    assert modules.inlined("a/codes.py").split("\n") == ["NAMES = {1: 'one'}", "name = 7", "TWICE = 1", "TWICE = 2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "def f():\n    from a.codes import ONE\ndef g():\n    from a.more import ONE\n",
            "ONE is a.more.ONE and a.codes",
        ),
        ("ONE = 4\ndef f():\n    from a.codes import ONE\n", "ONE is a.codes.ONE and a name of its own"),
        ("from a import codes\ndef f():\n    from b import codes\n", "codes is b.codes and a.codes"),
    ],
)
def test_a_name_from_two_places_is_refused(text: str, said: str) -> None:
    modules = inline.Modules({**SMALL, "a/more.py": "ONE = 5\n", "a/late.py": text})
    with pytest.raises(inline.InlineError, match=f"a/late.py: {said}"):
        modules.inlined("a/late.py")


def test_a_negative_number_keeps_its_sign_to_itself() -> None:
    modules = inline.Modules({"a.py": "LOW = -5\n\ndef f():\n    return LOW ** 2\n"})
    assert "return (-5) ** 2" in modules.inlined("a.py")


TABLES = {
    "a/codes.py": (
        "WORD = 'a word'\nLONG = 'more than ten letters'\nASKED_TWICE = 'more than ten as well'\n"
        "ONCE = (1, (2, b'x'))\nTWICE = (3,)\nMADE = bytes(4)\nLISTED = [5]\n"
    ),
    "a/b.py": (
        "from a import codes\nfrom a.codes import ASKED_TWICE, ONCE, TWICE, WORD\n"
        "def f(): return WORD, WORD, codes.LONG, ASKED_TWICE, ASKED_TWICE, ONCE, TWICE, TWICE\n"
    ),
}


def test_short_texts_and_tables_that_are_used_once_stand_in_place_of_their_names() -> None:
    """What is used more often stays one object, and what has to be made, or can be changed, stays as it is."""
    modules = inline.Modules(TABLES)
    used = (
        "return ('a word', 'a word', 'more than ten letters', ASKED_TWICE, ASKED_TWICE, (1, (2, b'x')), TWICE, TWICE)"
    )
    assert used in modules.inlined("a/b.py")
    assert "import codes" not in modules.inlined("a/b.py").replace("from a.codes import ASKED_TWICE, TWICE", "")
    left = ["ASKED_TWICE = 'more than ten as well'", "TWICE = (3,)", "MADE = bytes(4)", "LISTED = [5]"]
    assert modules.inlined("a/codes.py").split("\n") == left


def test_modules_may_import_each_other() -> None:
    texts = {
        "a/one.py": "from a.two import TWO\nONE = 1\nx = TWO\n",
        "a/two.py": "from a.one import ONE\nTWO = 2\ny = ONE\n",
    }
    modules = inline.Modules(texts)
    assert modules.inlined("a/one.py").split("\n")[-1] == "x = 2"
    assert modules.inlined("a/two.py").split("\n")[-1] == "y = 1"


PRIVATE = {
    "openkh/service/base.py": "class Base:\n    def __init__(self, given):\n        self._kept = given\n",
    "openkh/service/top.py": (
        "from openkh.service.base import Base\nimport json as _json\n_table = []\n"
        "class Top(Base):\n    def _own(self, first, count):\n"
        "        return self._kept + self._other._far + first + count\n"
        "    def step(self, first, named):\n        return self._own(first, named) or _table or _json\n"
        "def f(x):\n    return Top(x).step(1, named=getattr(x, '_asked'))\n"
    ),
    "openkh/service/far.py": (
        "class Far:\n    def __init__(self):\n        self._asked = self._mine = 1\n        self._far = 2\n"
    ),
}


def test_private_names_and_arguments_are_words_that_micropython_has() -> None:
    """But for what another module, a text or a keyword asks for; a class and its base agree."""
    texts = short_names.shortened(PRIVATE)
    changed = {
        name for text in texts.values() for name in ("_kept", "_table", "_own", "_mine", "given") if name in text
    }
    assert not changed
    assert all(name in texts["openkh/service/far.py"] for name in ("_asked", "_far"))
    assert "named=getattr(" in texts["openkh/service/top.py"] and ", named)" in texts["openkh/service/top.py"]
    assert "_json" in texts["openkh/service/top.py"]
    kept = texts["openkh/service/base.py"].split("self.")[1].split(" ")[0]
    assert f"self.{kept} + self._other._far" in texts["openkh/service/top.py"]


def test_a_base_that_is_asked_of_its_module_shares_names_with_the_class() -> None:
    texts = {
        "openkh/service/base.py": "class Base:\n    def __init__(self): self._far = 5\n",
        "openkh/service/top.py": (
            "from openkh.service import base\nclass Top(base.Base):\n    def __init__(self): self._own = 7\n"
        ),
    }
    changed = short_names.shortened(texts)
    far, own = (changed[path].split("self.")[1].split(" ")[0] for path in texts)
    assert far != own and far != "_far"


def test_an_argument_that_is_set_anew_keeps_its_name() -> None:
    text = (
        "def f(error, base, wait):\n    try:\n        import os as base\n        wait()\n"
        "    except OSError as error:\n        return error\n    return base\n"
    )
    changed = short_names.shortened({"openkh/remote/x.py": text})["openkh/remote/x.py"]
    assert "def f(error, base, " in changed and "wait" not in changed


@pytest.fixture(scope="module")
def inlined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware as it is compiled for a device. The simulated board asks for some numbers by their names, so the
    names stand at the ends of the modules, where nothing of the firmware looks."""
    folder = tmp_path_factory.mktemp("inlined") / "firmware"
    shutil.copytree(deploy.FIRMWARE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    sources = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.py")}
    modules = inline.Modules(sources)
    apart = short_names.shortened({name: modules.inlined(name) for name in sources}, names.listed())
    together = joined.joined(apart)
    for name, text in apart.items():
        constants = "".join(f"{key} = {value!r}\n" for key, value in modules.constants(name).items())
        (folder / name).write_text(together.get(name, text) + "\n" + constants)
    return folder


@pytest.mark.parametrize("engine", ["micropython", "wasm"])
def test_the_meter_from_inlined_sources_gives_the_same_report(inlined: Path, engine: str) -> None:
    plain = trial.run(SCENARIO, SCENARIO_S, engine)
    changed = trial.run(SCENARIO, SCENARIO_S, engine, firmware_dir=inlined)
    for run in (plain, changed):
        del run.report["wall_s"]
    assert changed.report == plain.report
    assert changed.edges == plain.edges
    assert {"power_up", "restart", "chip_reset"} <= set(plain.logged())


BUNDLED = {
    "boot.py": "import p.early\nsafe = p.early.VALUE\nprompt = {}\n",
    "p/__init__.py": "",
    "p/early.py": "VALUE = 'early'\n",
    "p/late.py": "VALUE = 'late' + 'x' * 3000\n",
    "p/q/__init__.py": "",
    "p/q/deep.py": "from p.late import VALUE\n",
}
ASK = """
import os, sys
sys.path.insert(0, FOLDER)
import boot
print(sys.modules["boot"].safe, sys.path == ["/fw" + FOLDER, ".frozen"])
from p.q.deep import VALUE
print(len(VALUE), os.listdir(sys.path[0]), sorted(os.listdir(sys.path[0] + "/p")))
print(os.stat(sys.path[0] + "/p/late.mpy")[6], os.stat(sys.path[0] + "/p")[0])
del sys.modules["p.early"]
boot.rest()
import p.early
print(p.early.VALUE)
for name in ("p.nothing", "nothing", "q"):
    try:
        __import__(name)
    except ImportError:
        print("no", name)
"""


def micropython(folder: Path, text: str) -> str:
    script = folder / "ask.py"
    script.write_text(f"FOLDER = {str(folder)!r}\n{text}")
    done = subprocess.run([MICROPYTHON, script], capture_output=True, text=True, timeout=20)
    return done.stdout + done.stderr


def bundled(folder: Path) -> dict[str, bytes]:
    modules = {name[:-3] + ".mpy": deploy.compile_text(text, name) for name, text in BUNDLED.items()}
    for name, data in deploy.slot_files(modules).items():
        (folder / name).write_bytes(data)
    return modules


def test_modules_are_imported_from_the_bundle(tmp_path: Path) -> None:
    modules = bundled(tmp_path)
    lines = micropython(tmp_path, ASK).splitlines()
    assert lines[0] == "early True"
    assert lines[1].startswith("3004 ['boot.mpy', 'p'] ['__init__.mpy', 'early.mpy', 'late.mpy', 'q']")
    assert lines[2] == f"{len(modules['p/late.mpy'])} {0x4000}"
    assert lines[3:] == ["early", "no p.nothing", "no nothing", "no q"]


@pytest.mark.parametrize("damage", ["cut short", "longer", "empty", "other magic", "missing"])
def test_a_bundle_that_is_not_whole_is_refused_at_once(damage: str, tmp_path: Path) -> None:
    """So that the launcher passes over its slot."""
    bundled(tmp_path)
    bundle = tmp_path / deploy.BUNDLE
    data = bundle.read_bytes()
    if damage == "missing":
        bundle.unlink()
    else:
        damaged = {"cut short": data[:-1], "longer": data + b"x", "empty": b"", "other magic": b"x" + data[1:]}
        bundle.write_bytes(damaged[damage])
    said = micropython(tmp_path, "import sys\nsys.path.insert(0, FOLDER)\nimport boot\n")
    assert "Error" in said
    assert "early" not in said
