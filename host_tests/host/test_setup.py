"""scripts/setup: typed twice at once, or after one that was cut short, it still ends with a whole .venv."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from host.sim.link import TOP

# Stands in for Python: makes a .venv of itself, and tells what it was asked for.
PYTHON = """#!/bin/sh
case "$*" in
"-m venv --clear "*) rm -rf "$4"; mkdir -p "$4/bin"; cp "$TOOLS/python3" "$4/bin/python"; echo venv >>"$TOOLS/log" ;;
"-m pip --version") [ ! -e "${0%/*}/../broken" ] ;;
"-m pip install"*)
    [ ! -e "$TOOLS/offline" ] || exit 1
    echo pip >>"$TOOLS/log"
    sleep 0.5
    for word; do [ "${before:-}" != --target ] || mkdir "$word"; before=$word; done ;;
*) cat >/dev/null ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tools, checkout = tmp_path / "tools", tmp_path / "checkout"
    (checkout / "scripts").mkdir(parents=True)
    shutil.copy(TOP / "scripts" / "setup", checkout / "scripts")
    shutil.copy(TOP / "pyproject.toml", checkout)
    tools.mkdir()
    (tools / "python3").write_text(PYTHON)
    (tools / "python3").chmod(0o755)
    monkeypatch.setenv("TOOLS", str(tools))
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    return checkout


def setup(folder: Path, *words: str) -> subprocess.Popen:
    return subprocess.Popen(
        [folder / "scripts" / "setup", *words], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def log(folder: Path) -> list[str]:
    return (folder.parent / "tools" / "log").read_text().split()


def test_two_at_once_set_up_once(folder: Path) -> None:
    both = [setup(folder), setup(folder)]
    said = "".join(one.communicate(timeout=30)[1] for one in both)
    assert [one.returncode for one in both] == [0, 0], said
    assert log(folder) == ["venv", "pip", "pip"]
    assert said.count("installing") == 1
    assert not (folder / ".venv.lock").exists()


def test_what_an_interrupted_one_has_left_is_made_anew(folder: Path) -> None:
    assert setup(folder).wait(30) == 0
    (folder / ".venv" / ".openkh-stamp").unlink()
    (folder / ".venv" / "broken").touch()  # a .venv without pip
    lock = folder / ".venv.lock"
    lock.mkdir()
    gone = subprocess.Popen(["true"])
    gone.wait()
    (lock / "pid").write_text(f"{gone.pid}\n")
    assert setup(folder).wait(30) == 0
    assert log(folder) == ["venv", "pip", "pip"] * 2
    assert not lock.exists()


def test_what_campaigns_run_on_is_installed_when_it_is_asked_for(folder: Path) -> None:
    assert setup(folder).wait(30) == 0
    assert log(folder) == ["venv", "pip", "pip"]
    for _ in range(2):
        assert setup(folder, "cluster").wait(30) == 0
        assert log(folder) == ["venv", "pip", "pip", "pip"]


def test_what_cannot_be_installed_is_said_in_one_line_and_tried_again(folder: Path) -> None:
    assert setup(folder).wait(30) == 0
    (folder.parent / "tools" / "offline").touch()
    for _ in range(2):
        failing = setup(folder, "cluster")
        said = failing.communicate(timeout=30)[1].splitlines()
        assert failing.returncode == 1
        assert said == [
            "openkh: first use: installing what campaigns run on into .venv",
            "openkh: the packages could not be installed (see above); check the network and run this again",
        ]
