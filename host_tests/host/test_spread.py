"""Campaigns on all cores and on a cluster: figures that do not depend on who ran what, workers that die, nothing left
behind."""

import contextlib
import gc
import io
import os
import signal
import socket
import subprocess
import sys
import time
from hashlib import sha256

import pytest

from host.benchmark import command as bench
from host.campaigns import power_cuts, power_cycles
from host.cli.refused import FailedError, RefusedError
from host.sim.link import TOP
from host_tests.host import spread_jobs as jobs
from host_tests.host.here import Here

pytest.importorskip("distributed", reason="./scripts/setup cluster has not been run")
import psutil  # noqa: E402  dask brings it

from host.campaigns.spread import spread as module  # noqa: E402
from host.campaigns.spread.spread import Spread  # noqa: E402


def listening():
    """Ports at which this process waits for others; other tests may have some."""
    return {c.laddr.port for c in psutil.Process().net_connections() if c.status == psutil.CONN_LISTEN}


@pytest.fixture(scope="module")
def listening_before():
    return listening()


@pytest.fixture(scope="module", params=[1, 3])
def local(listening_before, request):
    del listening_before  # it only has to be looked at before this
    with Spread(workers=request.param, err=io.StringIO()) as spread:
        yield spread


@pytest.fixture
def err(local, monkeypatch):
    """What people are told."""
    told = io.StringIO()
    monkeypatch.setattr(local, "_err", told)
    return told


def test_the_order_is_that_of_the_jobs_whoever_is_done_first(local, err, tmp_path):
    made = {f"no. {n}": (jobs.square, tmp_path, n, 0.2 if n == 0 else 0.0) for n in range(6)}
    assert local.each("squares", made, tell=lambda result: f"told {result}") == [0, 1, 4, 9, 16, 25]
    assert err.getvalue().split("\n")[:6] == [f"told {n * n}" for n in range(6)]
    assert sorted(jobs.ran(tmp_path)) == [0, 1, 2, 3, 4, 5]


def test_a_campaign_gives_the_figures_of_any_number_of_workers(local, monkeypatch):
    monkeypatch.setattr(power_cuts, "PART", 40)
    assert power_cuts.rows(local, 300) == power_cuts.rows(Here(), 300)


def test_a_process_that_dies_costs_its_job_once_more_and_no_other(local, err, tmp_path):
    made = {f"no. {n}": (jobs.square, tmp_path, n, 0.05) for n in range(4)}
    made["no. 4"] = (jobs.dies, tmp_path, 4, 1)
    made |= {f"no. {n}": (jobs.square, tmp_path, n) for n in range(5, 8)}
    assert local.each("deaths", made) == [0, 1, 4, 9, 4, 25, 36, 49]
    assert sorted(jobs.ran(tmp_path)) == [0, 1, 2, 3, 4, 4, 5, 6, 7]
    assert "no. 4: its process died; it ran once more" in err.getvalue()


def test_a_job_that_kills_its_process_twice_is_named_and_the_others_go_on(local, tmp_path):
    made = {"no. 0": (jobs.dies, tmp_path, 0, 9), "no. 1": (jobs.square, tmp_path, 1)}
    found = local.each("deaths", made, undone=lambda name, what: (name, what))
    assert found == [("no. 0", "its process died twice, status -9 something on the way out"), 1]
    assert jobs.ran(tmp_path).count(0) == 2


def test_the_first_job_that_fails_in_order_ends_the_campaign_in_one_line(local, tmp_path):
    made = {"no. 0": (jobs.square, tmp_path, 0, 0.2), "no. 1": (jobs.broken, tmp_path, 1, 0.2)}
    made |= {"no. 2": (jobs.broken, tmp_path, 2, 0.0)}
    with pytest.raises(
        FailedError, match=r"^bounds, no. 1: AssertionError: a bound of 1 is broken \(host_tests/.*:\d+"
    ):
        local.each("bounds", made)


def test_what_a_job_prints_is_no_answer(local, tmp_path):
    assert local.each("prints", {"no. 5": (jobs.prints, tmp_path, 5)}) == [5]


@pytest.mark.usefixtures("local")
def test_no_port_is_open(listening_before):
    assert listening() <= listening_before


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(local, err, tmp_path, monkeypatch):
    monkeypatch.setattr("host.campaigns.spread.bar.LINE_S", 0.0)
    local.each("squares", {f"no. {n}": (jobs.square, tmp_path, n) for n in range(2)})
    assert "  squares: 1 of 2, 0 failed, about " in err.getvalue()


def processes(own):
    """Those that run jobs, and their engines."""
    found = []
    for process in own.children():
        with contextlib.suppress(psutil.Error):  # scripts/setup that ends meanwhile
            if "host.campaigns.spread.child" in process.cmdline():
                found += [process, *process.children()]
    return found


def test_ctrl_c_ends_everything():
    command = [sys.executable, "-m", "host.cli.start", "benchmark", "--output-days", "4", "--workers", "2"]
    paths = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        own = psutil.Process(process.pid)
        until = time.monotonic() + 120  # of a machine that has much to do
        while len(started := processes(own)) < 4:  # two, and an engine of each
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "openkh: stopped before the end" and "Traceback" not in err
    assert psutil.wait_procs(started, timeout=20)[1] == []


# -- somebody's cluster ------------------------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers that know nothing of the project; its packages have been set up on their machine."""
    scratch = tmp_path / "scratch"
    decides = (TOP / "pyproject.toml").read_bytes() + (TOP / "scripts" / "setup").read_bytes()
    home = scratch / "dask-scratch-space" / f"openkh-packages-{sha256(decides).hexdigest()[:16]}"
    home.mkdir(parents=True)
    (home / ".venv").symlink_to(sys.prefix)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        host, port = s.getsockname()
    address = f"tcp://{host}:{port}"
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    dask = [sys.executable, "-m", "dask"]
    worker = [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", scratch]
    commands = [[*dask, "scheduler", "--host", address, "--no-dashboard"], worker, worker]
    started = [
        subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    until = time.monotonic() + 60
    with socket.socket() as s:
        while s.connect_ex((host, port)):
            assert time.monotonic() < until
            time.sleep(0.1)
    yield address, scratch
    for process in reversed(started):
        process.kill()
        process.wait()


def test_a_cluster_that_does_not_know_the_project_gives_the_same_figures(cluster, tmp_path):
    """And one of its workers that is killed costs its job once more, no other."""
    address, scratch = cluster
    told = io.StringIO()
    with Spread(address, err=told) as spread:
        made = {f"seed {seed}": (power_cycles.run, 1, seed, "", "cpython") for seed in (1, 2)}
        assert spread.each("power cycles", made) == Here().each("", made)
        made = {f"no. {n}": (jobs.square, tmp_path, n, 0.1) for n in range(3)}
        made["no. 3"] = (jobs.dies, tmp_path, 3, 1, "worker")
        assert spread.each("deaths", made) == [0, 1, 4, 3]
        assert sorted(jobs.ran(tmp_path)) == [0, 1, 2, 3, 3]
    assert "workers set themselves up" in told.getvalue()
    assert len(list(scratch.glob("**/child.py"))) == 1  # what was sent is gone, but of the worker that was killed


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "gopher://10.0.0.5:8786"])
def test_an_address_without_a_scheduler_is_refused_in_one_line(address, monkeypatch, capsys):
    monkeypatch.setattr(module, "CONNECT_S", 0.3)
    assert bench.main(["--chaos", "1", "--cluster", address]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[1:] == [
        f"openkh: --cluster {address}: no dask scheduler answers there: allowed: the address of one, such as "
        "tcp://10.0.0.5:8786"
    ]
    # dask's client that found nobody ends itself when it is collected. While the next one is made, that would wait for
    # a lock which this one holds.
    gc.collect()


def test_another_version_of_dask_is_refused_with_both():
    def told(python, dask):
        return {"packages": {"python": python, "distributed": dask}}

    versions = {"client": told("3.11.7.final.0", "2026.8.0"), "scheduler": told("3.11.2.final.0", "2026.8.0")}
    module.refuse_other_versions("--cluster a", {**versions, "workers": {}})
    workers = {"tcp://b": told("3.12.1.final.0", "2026.8.0")}
    with pytest.raises(
        RefusedError, match="^--cluster a: tcp://b has Python 3.12 with distributed 2026.8.0: allowed: "
    ):
        module.refuse_other_versions("--cluster a", {**versions, "workers": workers})
