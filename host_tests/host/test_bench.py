"""./scripts/bench and ./scripts/setup: what they refuse, and how."""

import json
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from host.benchmark import against
from host.benchmark import command as bench
from host.cli.refused import FailedError

TOP = Path(__file__).resolve().parents[2]

REFUSED = [
    (["--colour"], "unrecognized arguments: --colour"),
    (["nothing"], "no section 'nothing': allowed: speed, size, heap, "),
    (["--power-cuts"], "argument --power-cuts: expected one argument"),
    (["--power-cuts", "0"], "argument --power-cuts: '0': allowed: a whole number from 1"),
    (["--power-cycles", "-3"], "argument --power-cycles: '-3': allowed: a whole number from 1"),
    (["--output-days", "1.5"], "argument --output-days: '1.5': allowed: a whole number from 1"),
    (["--accuracy", "²"], "argument --accuracy: '²': allowed: a whole number from 1"),
    (["--power-cuts", "9" * 20], f"argument --power-cuts: '{'9' * 20}': allowed: a whole number from 1 to 999999999"),
    (["--chaos", "5-3"], "argument --chaos: '5-3': allowed: a whole number from 1, or two such as 600-699"),
    (["--chaos", "0"], "argument --chaos: '0': allowed"),
    (["--chaos", "0-5"], "argument --chaos: '0-5': allowed"),
    (["--shrink"], "--shrink: goes with --chaos"),
    (["--workers", "2"], "--workers: goes with --chaos, --power-cuts, --power-cycles, --output-days, --accuracy"),
    (["--recordings", "3", "--cluster", "tcp://10.0.0.5:8786"], "--cluster: goes with --chaos, "),
    (["--chaos", "3", "--workers", "1025"], "argument --workers: '1025': allowed: a whole number from 1 to 1024"),
    (["--chaos", "3", "--workers", "2", "--cluster", "tcp://10.0.0.5:8786"], "--workers: goes without --cluster"),
    (["size", "--against", "HEAD"], "--against: goes with the sections rp2040 and speed, and with no other"),
    (["--against", "HEAD"], "--against: goes with the sections rp2040 and speed, and with no other"),
    (["speed", "--against", "nothing"], "--against: no commit 'nothing' here: allowed: what `git log` shows"),
    (["size", "--json", "none/b.json"], "--json none/b.json: cannot be written: allowed: a file in an existing folder"),
    (["size", "--json", "."], "--json .: cannot be written"),
    (["size", "--json", ""], "--json : cannot be written"),
    (["rp2040"], "rp2040: OPENKH_RP2040_UF2 is 'none.uf2': allowed: a MicroPython image"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=[" ".join(a) for a, _ in REFUSED])
def test_refused_in_one_line_with_status_2(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENKH_RP2040_UF2", "none.uf2")
    assert bench.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[-1].startswith("openkh: " + said)
    assert len(err.splitlines()) == (2 if arguments == ["rp2040"] else 1)  # the section's name before it


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(bench, "ALWAYS", (speed,))


def speed():
    return [("how fast", 7, "x")]


@pytest.mark.usefixtures("quick")
def test_the_figures_go_into_a_file(tmp_path, capsys):
    assert bench.main(["--json", str(tmp_path / "b.json")]) == 0
    assert json.loads((tmp_path / "b.json").read_text()) == {"speed": {"how fast": 7}}
    assert capsys.readouterr().out.split() == ["how", "fast", "7", "x"]


@pytest.mark.usefixtures("quick")
def test_a_full_disk_is_said(capsys):
    assert bench.main(["--json", "/dev/full"]) == 2
    assert (
        capsys.readouterr().err.splitlines()[-1]
        == "openkh: --json /dev/full: cannot be written: No space left on device"
    )


def test_what_does_not_answer_in_time_is_said(monkeypatch, capsys):
    def late():
        raise TimeoutError("emulated RP2040: 120 s of real time used")

    monkeypatch.setattr(bench, "ALWAYS", (late,))
    assert bench.main([]) == 1
    assert capsys.readouterr().err.endswith("openkh: no answer in time: emulated RP2040: 120 s of real time used\n")


def test_an_interrupt_ends_it_without_a_traceback(monkeypatch, capsys):
    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "ALWAYS", (stopped,))
    assert bench.main([]) == 130
    assert capsys.readouterr().err.endswith("openkh: stopped before the end\n")


def test_setup_takes_no_other_argument(tmp_path):
    said = subprocess.run([TOP / "scripts" / "setup", "--force"], cwd=tmp_path, capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == "openkh: --force: scripts/setup takes no argument but cluster (see --help)\n"


def test_figures_of_another_commit_stand_beside_as_a_ratio():
    rows = [("cycle", 300, "us"), ("grown", 0, "bytes"), ("new", 1, ""), ("speed", "3 .. 4", "x")]
    other = {"cycle": 400, "grown": 0, "old": 7, "speed": "1 .. 2"}
    assert against.beside(rows, other, "270a398" + "0" * 33) == [
        ("cycle: 270a398, ratio", "400 0.75", "us"),
        ("grown: 270a398, ratio", "0 -", "bytes"),
    ]


def test_another_commit_ends_with_what_it_has_started_where_this_one_fails(tmp_path, monkeypatch):
    (tmp_path / "scripts").mkdir()
    bench_of_other = tmp_path / "scripts" / "bench"
    bench_of_other.write_text("#!/bin/sh\nsleep 600 &\necho $! > started\nwait\n")
    bench_of_other.chmod(0o755)
    monkeypatch.setattr(against, "checkout", lambda _commit: nullcontext(tmp_path))
    started = tmp_path / "started"
    with pytest.raises(ValueError, match="failed"), against.measuring("0" * 40, "rp2040"):
        while not started.exists() or not started.read_text().strip():
            time.sleep(0.01)
        raise ValueError("failed")
    stat = Path(f"/proc/{started.read_text().strip()}/stat")
    while stat.exists() and stat.read_text().split()[2] != "Z":
        time.sleep(0.01)


def test_another_commit_that_fails_is_told(tmp_path, monkeypatch):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "bench").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "scripts" / "bench").chmod(0o755)
    monkeypatch.setattr(against, "checkout", lambda _commit: nullcontext(tmp_path))
    with (
        pytest.raises(FailedError, match="bench rp2040 of 0000000 ended with status 3"),
        against.measuring("0" * 40, "rp2040") as measured,
    ):
        measured()


def test_another_commit_imports_nothing_from_this_checkout(tmp_path, monkeypatch):
    """Python looks in the folder where it is started, and boards/ is one package over all folders that have it."""
    tree = tmp_path / "tree"
    (tree / "scripts").mkdir(parents=True)
    see = f'#!/bin/sh\nprintf "%s in %s, " "${{PYTHONPATH-nothing}}" "$PWD" >> "{tmp_path}/seen"\n'
    for name, does in (("run", ""), ("bench", """echo '{"rp2040": {"a figure": 1}}' > "$3"\n""")):
        (tree / "scripts" / name).write_text(see + does)
        (tree / "scripts" / name).chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", "of this checkout")
    monkeypatch.setattr(against, "checkout", lambda _commit: nullcontext(tree))
    with against.measuring("0" * 40, "rp2040") as measured:
        assert measured() == {"a figure": 1}
    against._processor_s(tree)
    assert (tmp_path / "seen").read_text() == 2 * f"nothing in {tree}, "
