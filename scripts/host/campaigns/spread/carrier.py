"""What a dask worker needs to run a campaign's jobs: each of its threads has a process of the project's own Python.

So a worker of somebody's cluster needs nothing of this project and is left as it was: the checkout is sent to it,
`scripts/setup` makes a .venv of the pinned packages there, the campaign's own versions run, and two campaigns of
different versions do not meet. A local worker takes the checkout and the Python that are here.

dask sends this module's code itself to the workers, so it may import nothing of the project.
"""

import asyncio
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from distributed import WorkerPlugin

CHILD = ("-P", "-m", "host.campaigns.spread.child")  # -P as in host/cli/start.sh
PACKAGES = "openkh-packages-"  # and the digest of pyproject.toml: kept on a machine for the next campaign
ROOTS = ("scripts", ".", "firmware", "boards/reference")
TRIES = 2  # of a job whose process dies


class StoppedError(RuntimeError):
    """The campaign was ended."""


class SetUpError(RuntimeError):
    """The worker's machine cannot run the project; the text says why, in one line."""


@dataclass
class Checkout:
    """The project as it is sent: a tar file, and the digest of what decides its packages."""

    data: bytes
    packages: str


@dataclass
class Outcome:
    """Of a job: how often its process died, the answer of the last one (empty where it died too), what that said."""

    deaths: int
    answer: bytes
    said: str = ""


class Carrier(WorkerPlugin):
    """`checkout` None: the worker is on this machine, `paths` are its import roots."""

    def __init__(self, name: str, checkout: Checkout | None, paths: list[str]) -> None:
        self.name = name
        self.checkout = checkout
        self.paths = paths
        self.python = sys.executable

    async def setup(self, worker: Any) -> None:
        """dask calls it on each worker, those that come later, too. SetUpError where it cannot be done."""
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._all: set[_Child] = set()
        self._stopped = False
        self._tree: Path | None = None
        if self.checkout is not None:
            await asyncio.to_thread(self._unpack, Path(worker.local_directory))

    async def teardown(self, worker: Any) -> None:  # noqa: ARG002  dask's name
        """End what runs, and remove the checkout."""
        with self._lock:
            self._stopped = True
            for child in self._all:
                child.kill()
        if self._tree is not None:
            await asyncio.to_thread(shutil.rmtree, self._tree, ignore_errors=True)

    def run(self, request: bytes) -> Outcome:
        """Have a child answer; once more where it dies of it."""
        for deaths in range(TRIES):
            child = self._child()
            data = child.ask(request)
            if data:
                with self._lock:
                    self._idle.append(child)
                return Outcome(deaths, data)
            said = child.last_words()
            with self._lock:
                self._all.discard(child)
        return Outcome(TRIES, b"", said)

    def _child(self) -> "_Child":
        with self._lock:
            if self._stopped:
                raise StoppedError
            while self._idle:
                child = self._idle.pop()
                if child.lives():
                    return child
                self._all.discard(child)
            child = _Child([self.python, *CHILD], self.paths)
            self._all.add(child)
            return child

    def _unpack(self, folder: Path) -> None:
        assert self.checkout is not None
        self._tree = folder / self.name
        with tarfile.open(fileobj=io.BytesIO(self.checkout.data)) as tar:
            tar.extractall(self._tree, filter="data")
        self.paths = [str(self._tree / root) for root in ROOTS]
        home = folder.parent / (PACKAGES + self.checkout.packages)  # all workers of a machine share it
        (home / "scripts").mkdir(parents=True, exist_ok=True)
        for name in ("pyproject.toml", "scripts/setup"):
            shutil.copy(self._tree / name, home / name)
        search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        done = subprocess.run(
            [home / "scripts" / "setup"],
            env={**os.environ, "PATH": search},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            told = done.stderr.strip().splitlines() or [f"scripts/setup ended with status {done.returncode}"]
            raise SetUpError(told[-1].removeprefix("openkh: "))
        self.python = str(home / ".venv" / "bin" / "python")


class _Child:
    """A process that answers requests (child.py), in a session of its own: a Ctrl-C is not for it."""

    def __init__(self, command: list[str], paths: list[str]) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  goes with the object
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )

    def ask(self, request: bytes) -> bytes:
        """The answer; empty where the process has died of it, or before."""
        to, back = self._process.stdin, self._process.stdout
        assert to is not None and back is not None
        try:
            to.write(len(request).to_bytes(8) + request)
            to.flush()
            size = int.from_bytes(back.read(8))
            data = back.read(size)
        except OSError:
            return b""
        return data if len(data) == size else b""

    def last_words(self) -> str:
        """How it ended."""
        self._process.kill()
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                pipe.close()
            except OSError:
                pass
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        return " ".join([f"status {status}", *[line for line in lines if line.strip()][-1:]])

    def lives(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
