"""The commands have one manner: the same names for the same thing, help with examples and statuses, completion."""

import os
import re
import subprocess

import pytest

from host.cli.refused import RefusedError
from host.cli.values import duration_s, model_code
from host.sim.link import TOP
from openkh.model import Model

COMMANDS = sorted(
    path.name for path in (TOP / "scripts").iterdir() if path.is_file() and path.name not in ("setup", "test")
)


@pytest.fixture(scope="module")
def helps():
    """The help of every command, in a terminal of 80 columns."""
    found = {}
    for name in COMMANDS:
        done = subprocess.run(
            [TOP / "scripts" / name, "--help"],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "COLUMNS": "80"},
        )
        assert done.returncode == 0, done.stderr
        found[name] = done.stdout
    return found


def test_every_help_has_examples_and_exit_statuses(helps):
    for name, text in helps.items():
        assert f"  ./scripts/{name}" in text.partition("examples:")[2], name
        assert re.search(r"exit status: 0 .*; 1 .*; 2 unusable arguments or files", " ".join(text.split())), name


def test_a_help_fits_a_terminal_of_80_columns(helps):
    """But for a command that is longer by itself."""
    for name, text in helps.items():
        assert [line for line in text.splitlines() if len(line) > 80 and "./scripts/" not in line] == [], name


def test_an_option_that_stands_for_the_same_thing_has_one_name(helps):
    for name, text in helps.items():
        options = set(re.findall(r"--[a-z][a-z0-9-]*", text.partition("examples:")[0]))
        assert not options & {"--meter-service", "--duration", "--device", "--code"}, name


@pytest.mark.parametrize(
    "text, seconds", [("90s", 90), ("15m", 900), ("24h", 86_400), ("30d", 2_592_000), ("0.5s", 0.5)]
)
def test_durations_are_written_one_way(text, seconds):
    assert duration_s(text, "--for") == seconds


@pytest.mark.parametrize("text", ["90", "", "-1s", "0s", "1w", "1e3s", "99999999d", "１s"])
def test_other_durations_are_refused_with_what_is_allowed(text):
    with pytest.raises(RefusedError, match="allowed: a time above 0 such as 90s"):
        duration_s(text, "--for")


def test_ID_1_a_model_code_may_be_typed_in_any_case():
    assert Model(model_code("mdnct-1sc"), "60Hz").elements == 2


@pytest.mark.parametrize(
    "typed, offered", [("./scripts/run --hea", "--headless"), ("./scripts/verify --no-", "--no-load")]
)
def test_the_shell_completes_options(tmp_path, typed, offered):
    out = tmp_path / "offered"
    asked = {"_ARGCOMPLETE": "1", "COMP_LINE": typed, "COMP_POINT": str(len(typed)), "_ARGCOMPLETE_IFS": "\n"}
    environment = {**os.environ, **asked, "_ARGCOMPLETE_STDOUT_FILENAME": str(out)}
    subprocess.run([TOP / typed.split()[0]], env=environment, capture_output=True, timeout=120, cwd=TOP)
    assert offered in out.read_text()


def test_a_name_that_is_no_utf_8_can_be_said(tmp_path):
    odd = os.path.join(os.fsencode(tmp_path), b"caf\xe9.csv")
    with open(odd, "w") as file:
        file.write("time_s,watts\n0,7200\n10,0\n")
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(
        [TOP / "scripts" / "run", "--load", odd, "--explain"], env=strict, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert rb"caf\udce9.csv" in done.stdout
