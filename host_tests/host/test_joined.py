"""Modules put together into one do what they do apart."""

import sys
from pathlib import Path

import pytest

from host.flash import joined

APART = {
    "openkh/__init__.py": "REVISION = '1'\n",
    "openkh/startup/restart.py": "asked = 'restart'\n",
    "openkh/app.py": (
        "import gc\nfrom time import sleep\nfrom openkh import REVISION, codes\n"
        "from openkh.drivers.pulse_port import doubled\n"
        "from openkh.startup.part import Part, total as sum_up\nfrom openkh.startup import restart\n"
        "from openkh.cycle import Cycle\n"
        "meter = None\n"
        "def _own(x): return len((x,)) + x\n"
        "def start(n, codes_=3):\n"
        "    global meter\n"
        "    meter = Part(_own(n))\n"
        "    from openkh.late import Late\n"
        "    return (meter.value(), sum_up([n, codes_]), codes.table[1], Late(2).twice(), restart.asked, REVISION,\n"
        "            Cycle(3).run(), doubled)\n"
    ),
    "openkh/cycle.py": (
        "from openkh import base, codes\nfrom openkh.part import Part, total\nimport gc\n"
        "class Cycle:\n    def __init__(self, x): self.part = Part(x)\n"
        "    def run(self): return (self.part.value(), total([1]), codes.total([1, 2]), base.limit, max(1, 2))\n"
    ),
    "openkh/codes.py": (
        '"""Said of codes."""\nfrom time import sleep\ntable = {}\n'
        "for _n in range(3):\n    table[_n] = 'code %d' % _n\n"
        "def total(values): return len(values)\n"
        "__all__ = ('table',)\n"
    ),
    "openkh/base.py": (
        "limit = 7\ntable = (1, 2)\n"
        "def _own(x): return x * 2\n"
        "class Base:\n    limit = limit + 1\n    table = _own(limit)\n"
        "    def value(self): return (self.x, _own(self.x), limit, table, self.limit, self.table)\n"
    ),
    "openkh/part.py": (
        "from openkh.base import Base, limit as most\nfrom openkh import codes, base\n"
        "count = 0\ntable = [9]\n"
        "def total(values):\n    table = codes.total(values)\n    return [most + value + table for value in values]\n"
        "def _own(count): return (lambda x, most=most: x + most + count)(1)\n"
        "class Part(Base):\n"
        "    def __init__(self, x):\n        global count\n        count += 1\n        self.x = x\n"
        "    def value(self): return super().value() + (_own(2), table, count, base.table, most)\n"
    ),
    "openkh/late.py": (
        "from openkh import base, codes as kinds\nfrom openkh.base import _own as double, limit\n"
        "from openkh.part import table\n"
        "class Late:\n    def __init__(self, x): self.x = x\n"
        "    def twice(self): return (double(self.x), limit, base.table, kinds.table[2], kinds.total([1]), table)\n"
    ),
    "openkh/alone.py": "word = 'alone'\n",
    # Stays apart, is needed by the whole, and needs a part of it.
    "openkh/drivers/pulse_port.py": "from openkh.base import _own\ndoubled = _own(21)\n",
}
APART["openkh/startup/part.py"] = APART["openkh/part.py"]  # what only the start does


def ran(folder: Path, texts: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> object:
    """What `start` gives, twice, and the meter's class."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    for package in ("startup", "drivers"):
        (folder / "openkh" / package / "__init__.py").write_text("")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "path", [str(folder)])
        patched.setattr(sys, "dont_write_bytecode", True)
        for name in [name for name in sys.modules if name.partition(".")[0] == "openkh"]:
            patched.delitem(sys.modules, name)
        from openkh import app

        found = (app.start(5), app.start(6), app.meter.value(), type(app.meter).__mro__[1].__name__)
        for name in [name for name in sys.modules if name.partition(".")[0] == "openkh"]:
            del sys.modules[name]
    return found


def test_together_they_do_what_they_do_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that several have, modules asked for names, variables and classes that hide names, a base class, `global`,
    an import at run time, and one from outside."""
    texts = joined.joined(APART, ("first", "second"))
    gone = {"openkh/codes.py", "openkh/base.py", "openkh/part.py", "openkh/startup/part.py", "openkh/cycle.py"}
    assert set(texts) == set(APART) - gone
    assert texts["openkh/app.py"].startswith("if not __name__:\n    append.first.second\n")
    assert "Said of" not in "".join(texts.values())
    assert "\nmax = max\n" in texts["openkh/app.py"] and "\nlen = len\n" in texts["openkh/app.py"]
    assert texts["openkh/alone.py"] == APART["openkh/alone.py"].strip()
    apart = ran(tmp_path / "apart", APART, monkeypatch)
    assert ran(tmp_path / "together", texts, monkeypatch) == apart
    there = joined.name_of(APART, "openkh/base.py", "table")
    assert f"\n{there} = (1, 2)\n" in texts["openkh/app.py"] and there != "table"
    assert apart[0][0] == (6, 12, 7, (1, 2), 8, 16, 10, [9], 1, (1, 2), 7)  # type: ignore[index]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("from openkh import codes\nx = codes\n", "codes is used other than for a name in it"),
        ("from openkh import codes\ndef f():\n    codes.table = 1\n", "codes.table is set from another module"),
        ("def f():\n    from openkh.codes import table\n", "an import within a function"),
        ("from openkh import codes\ndef f(table): return codes.table, table\n", "table, a name of another module"),
        ("table = 2\nclass A:\n    table = table + 1\n", "table is a name of a class and of the module"),
        ("from openkh.codes import table as t\ndef f(table): return t, table\n", "table, which stands for t"),
        ("try:\n    import uctypes\nexcept ImportError:\n    uctypes = None\n", "uctypes is not at the module's top"),
    ],
)
def test_what_cannot_be_put_together_is_told(part: str, said: str) -> None:
    texts = {
        "openkh/app.py": "from openkh import codes, part\n",
        "openkh/cycle.py": "cycle = 1\n",
        "openkh/codes.py": "table = 1\n",
    }
    with pytest.raises(joined.JoinError, match=said):
        joined.joined({**texts, "openkh/part.py": part})


def test_more_names_than_micropython_finds_quickly_are_refused() -> None:
    names = "".join(f"name_{n} = {n}\n" for n in range(joined.MOST))
    assert joined.joined({"openkh/app.py": names})
    with pytest.raises(joined.JoinError, match=f"{joined.MOST + 1} names at the top of the whole: at most"):
        joined.joined({"openkh/app.py": names + "one_more = 0\n"})


@pytest.mark.parametrize(
    ("late", "said"),
    [
        ("from openkh import codes\ndef f():\n    codes = 1\n", "codes is a module and a variable"),
        ("from openkh import codes\ndef f(name):\n    return getattr(codes, name)\n", "codes is used other than"),
        (
            "def f():\n    from openkh import codes\ndef g():\n    from openkh.remote import codes\n",
            "codes is two modules",
        ),
    ],
)
def test_what_a_module_that_stays_apart_may_not_do_with_a_modules_name(late: str, said: str) -> None:
    texts = {"openkh/app.py": "from openkh import codes\n", "openkh/cycle.py": "", "openkh/codes.py": "table = 1\n"}
    with pytest.raises(joined.JoinError, match=said):
        joined.joined({**texts, "openkh/remote/codes.py": "table = 2\n", "openkh/late.py": late})
