"""The order in which a device takes up the firmware's names: a list that fits, taken up on MicroPython as it says."""

import ast
import random
import subprocess
from pathlib import Path

import pytest

from host.benchmark import name_places
from host.benchmark.look_ups import LookUp
from host.flash import deploy, joined, names
from host.sim.link import command


def test_the_list_is_made_of_whole_rows_of_names_that_a_device_has() -> None:
    listed = names.listed()
    assert listed and len(listed) % names.PLACES == 0
    assert len(set(listed)) == len(listed)
    assert not set(listed) & names.before()
    used: set[str] = set()
    for text in deploy.texts("reference").values():
        nodes = ast.walk(ast.parse(text))
        used |= {str(getattr(node, field, "")) for node in nodes for field in ("id", "attr", "name", "arg")}
    gone = set(listed) - used
    assert len(gone) < len(listed) // 10, f"{len(gone)} names are gone: ./scripts/bench names finds a new order"


def test_there_are_enough_names_to_begin_a_row_with_and_the_firmware_has_them() -> None:
    text = deploy.texts("reference")[joined.APP]
    fillers = names.fillers(text)
    assert len(set(fillers)) == len(fillers) >= names.PLACES
    assert not set(fillers) & (set(names.listed()) | names.before())
    assert all(name in text for name in fillers)


TAKE_UP = """
import sys
sys.path[:] = (FOLDER,)
exec(OTHERS)
import boot
exec(ASK)
"""


@pytest.mark.parametrize("before", [0, 1, 40, 63])
def test_a_device_takes_each_name_up_at_its_place(tmp_path: Path, before: int) -> None:
    """However many names it has before."""
    order = [f"a_name_of_ours_{n}" for n in range(2 * names.PLACES)]
    modules = {
        "boot.mpy": deploy.compile_text("import openkh.app\nprompt = {}\n", "boot"),
        "openkh/__init__.mpy": deploy.compile_text("", "openkh"),
        "openkh/app.mpy": deploy.compile_text(joined.names_first(order) + "app = None\n", "app"),
        deploy.NAMES: " ".join(f"a_name_before_{n}" for n in range(names.PLACES)).encode(),
    }
    (tmp_path / "boot.mpy").write_bytes(deploy.loader())
    (tmp_path / "bundle").write_bytes(deploy.bundle(modules))
    # Compiled when the list has been taken up: else the names would come from here.
    ask = f"print([(id(name) >> {names.NUMBER_SHIFT}) % {names.PLACES} for name in {order!r}])"
    texts = {"FOLDER": str(tmp_path), "OTHERS": "".join(f"other_{n} = 0\n" for n in range(before)), "ASK": ask}
    script = TAKE_UP
    for name, text in texts.items():
        script = script.replace(name, repr(text))
    (tmp_path / "run.py").write_text(script)
    result = subprocess.run([*command("micropython"), tmp_path / "run.py"], capture_output=True, text=True)
    assert result.stdout.strip() == str([n % names.PLACES for n in range(len(order))]), result.stdout + result.stderr


def test_names_that_take_turns_are_placed_apart() -> None:
    """Two names, each at another place of its table, that push each other out; a third one that stays where it is."""
    numbers = {f"name_{n}": 1000 + n for n in range(names.PLACES * 2)}
    notes = [LookUp(1000 + n % 2 * names.PLACES, 3 + n % 2, 17) for n in range(40)]
    notes += [LookUp(5, 9, 17), LookUp(5, 9, 17)]
    places = name_places.Places(notes, numbers)
    places.improve(2000, random.Random(1))
    assert places.missed == 3  # each once
    assert sorted(places.order()) == sorted(numbers)


def test_a_name_is_found_where_another_one_stood_at_the_same_place_of_its_table() -> None:
    assert name_places.misses([(0, 3, 17), (1, 3, 5), (2, 8, 10), (3, 3, 7)]) == 2 + 1
