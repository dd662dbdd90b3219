"""A virtual meter for a look at what ./scripts/read tells: it runs as long as it is read."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from host.cli.refused import FailedError

TOP = Path(__file__).resolve().parents[3]
SCENARIO = """\
[[step]]
at = 0.0
l1 = {volts = 120.0, amps = 12.0, degrees = 20.0}
l2 = {volts = 121.0, amps = 5.0, degrees = 10.0, volts_degrees = 180.0}
"""
SETTLE_S = 4.0  # until it has started, and measured for two seconds


@contextlib.contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """SIGTERM and SIGHUP leave nothing behind either; nohup's wish stands."""
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def virtual_port() -> Iterator[str]:
    """The name of a port with a meter at it, under some load."""
    with _ended_as_by_ctrl_c(), tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "load.toml"
        scenario.write_text(SCENARIO)
        command = [sys.executable, "-m", "host.run.command", "--headless", "--serial", "--for", "1d"]
        run = subprocess.Popen(
            [*command, "--scenario", str(scenario)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ,
            cwd=TOP,
        )
        assert run.stderr is not None
        try:
            yield _port(run)
        finally:
            run.kill()
            run.wait()
            run.stderr.close()


def _port(run: "subprocess.Popen[str]") -> str:
    assert run.stderr is not None
    line = run.stderr.readline()
    if not line.startswith("serial "):
        raise FailedError(f"the virtual meter did not start: {line.strip()}")
    time.sleep(SETTLE_S)
    return line.split()[1]
