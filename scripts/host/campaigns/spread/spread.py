"""Runs the jobs of a campaign on all cores, or on a cluster of dask.

    with Spread() as spread:                      # or Spread(address="tcp://10.0.0.5:8786")
        found = spread.each("power cycles", {"fram, seed 1": (run, 50, 1), "fram, seed 51": (run, 50, 51)})

A job is a function of a module of the project with its arguments, and draws what is random from those alone. What comes
back is in the order of the jobs, whoever ran them and whenever: no figure depends on the number of workers. A worker
that dies costs the job that it was at once more, and no other.
"""

import io
import itertools
import logging
import os
import pickle
import sys
import tarfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import IO, Any

import cloudpickle
import distributed
from distributed.scheduler import KilledWorker

from host.campaigns.spread import carrier
from host.campaigns.spread.bar import Bar
from host.cli.refused import FailedError, RefusedError
from host.sim.link import TOP

SENT = ("pyproject.toml", "scripts", "firmware", "boards", "host_tests")
CONNECT_S = 10.0
WORKERS_S = 30.0  # a cluster without a worker is waited for so long
LOOPBACK = "127.0.0.1:0"
LEFT_OUT = ("__pycache__", ".pytest_cache", "node_modules")

Job = tuple[Any, ...]  # a function and its arguments
Jobs = dict[str, Job]  # by the name under which people hear of it


class Spread:
    """`workers`: so many processes on this machine, one for each core where it is None. `address`: of a dask scheduler,
    whose workers do it instead. `err`: where progress is told.

    RefusedError, when it is entered, where a cluster cannot be used.
    """

    def __init__(self, address: str | None = None, workers: int | None = None, err: IO[str] | None = None) -> None:
        self._address = address
        self._workers = workers or os.cpu_count() or 1
        self._err = err
        self._name = f"openkh-{uuid.uuid4().hex[:12]}"
        self._cluster: distributed.LocalCluster | None = None

    def __enter__(self) -> "Spread":
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is told by each()
        try:
            self._client = self._connected() if self._address else self._local()
            self._carry()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what runs and leave nothing behind."""
        with suppress(AttributeError, OSError, TimeoutError):
            self._client.unregister_worker_plugin(self._name)
        with suppress(AttributeError):
            self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def each(
        self,
        what: str,
        jobs: Jobs,
        tell: Callable[[Any], str] = lambda _: "",
        undone: Callable[[str, str], Any] | None = None,
    ) -> list[Any]:
        """The result of every job, in order.

        `tell`: what people must hear of a result at once; nothing where all is well. `undone`: makes the result of a
        job that raised, or twice killed its worker, of its name and what was wrong; without it the first such job ends
        the campaign with a FailedError.
        """
        return _Round(what, jobs, tell, undone).run(self._client, _errand(self._name), self._err)

    def _local(self) -> distributed.Client:
        """Scheduler and threads are in this process, the children are its own, and no port stays open."""
        self._cluster = distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=self._workers,
            processes=False,
            dashboard_address=LOOPBACK,
            worker_dashboard_address=LOOPBACK,
            memory_limit=0,
        )
        for node in (self._cluster.scheduler, *self._cluster.workers.values()):
            node.http_server.stop()  # dask has no option for it
        return distributed.Client(self._cluster, set_as_default=False)

    def _connected(self) -> distributed.Client:
        where = f"--cluster {self._address}"
        try:
            client = distributed.Client(self._address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError):
            raise RefusedError(
                f"{where}: no dask scheduler answers there: allowed: the address of one, such as tcp://10.0.0.5:8786"
            ) from None
        self._client = client
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=WORKERS_S)
        if not client.nthreads():
            raise RefusedError(f"{where}: the cluster has no workers: allowed: one with workers")
        refuse_other_versions(where, client.get_versions())
        return client

    def _carry(self) -> None:
        """Give every worker what it needs, those that come later too."""
        paths = [path for path in sys.path if path]
        plugin = carrier.Carrier(self._name, _checkout() if self._address else None, paths)
        if self._address:
            count = len(self._client.nthreads())
            Bar("", 0, self._err).say(f"openkh: {count} workers set themselves up (the first time a minute or two)")
        try:
            with _by_value(carrier):
                self._client.register_plugin(plugin)
        except carrier.SetUpError as error:
            raise FailedError(f"--cluster {self._address}: a worker's machine: {error}") from None


class _Round:
    """One call of Spread.each()."""

    def __init__(
        self, what: str, jobs: Jobs, tell: Callable[[Any], str], undone: Callable[[str, str], Any] | None
    ) -> None:
        self._what = what
        self._names = list(jobs)
        self._jobs = list(jobs.values())
        self._tell = tell
        self._undone = undone
        self._came: dict[int, tuple[bool, Any]] = {}  # before their turn
        self._results: list[Any] = []
        self._failed = 0

    def run(self, client: distributed.Client, errand: Callable[[bytes], Any], err: IO[str] | None) -> list[Any]:
        waiting = iter(range(len(self._jobs)))
        numbers: dict[Any, int] = {}
        queue = distributed.as_completed(loop=client.loop)

        def submit(count: int) -> None:
            for number in itertools.islice(waiting, count):
                future = client.submit(errand, _request(self._jobs[number]), pure=False)
                numbers[future] = number
                queue.add(future)

        with Bar(self._what, len(self._jobs), err) as bar:
            done = 0
            threads = _threads(client)
            bar.at(done, self._failed, threads)
            submit(threads)
            for future in queue:
                number = numbers.pop(future)
                self._came[number] = self._answer(future, number, bar)
                future.release()  # else dask runs it again where the worker that keeps its result dies
                done += 1
                self._take_turns(bar)
                threads = _threads(client)
                bar.at(done, self._failed, threads)
                # As many as can run, none waits at a worker: it would die with one that is none of its own.
                submit(threads - len(numbers))
        return self._results

    def _answer(self, future: Any, number: int, bar: Bar) -> tuple[bool, Any]:
        try:
            outcome = future.result()
        except KilledWorker:
            return False, "its worker died, each time that it ran"
        except distributed.CancelledError:
            raise FailedError(f"{self._what}: the cluster has gone") from None
        except KeyError:
            return False, "a worker was not set up for it"
        if outcome.deaths and outcome.answer:
            bar.say(f"  {self._names[number]}: its process died; it ran once more")
        if not outcome.answer:
            return False, f"its process died twice, {outcome.said}"
        return pickle.loads(outcome.answer)

    def _take_turns(self, bar: Bar) -> None:
        """Tell of those whose turn it is: all before them have come."""
        while len(self._results) in self._came:
            name = self._names[len(self._results)]
            well, result = self._came.pop(len(self._results))
            if not well:
                if self._undone is None:
                    raise FailedError(f"{self._what}, {name}: {result}")
                result = self._undone(name, result)
            self._results.append(result)
            text = self._tell(result)
            if text:
                self._failed += 1
                bar.say(text)


def _errand(name: str) -> Callable[[bytes], carrier.Outcome]:
    """What dask runs. A function in a function goes over as its code: a worker cannot import this module."""

    def errand(request: bytes) -> Any:
        from distributed import get_worker

        return get_worker().plugins[name].run(request)

    return errand


def _request(job: Job) -> bytes:
    function, *arguments = job
    return pickle.dumps((function.__module__, function.__qualname__, tuple(arguments)))


def _threads(client: distributed.Client) -> int:
    return max(1, sum(client.nthreads().values()))


def refuse_other_versions(where: str, told: dict[str, Any]) -> None:
    """RefusedError where what Client.get_versions() told of a cluster is not what is here."""
    here = _versions(told["client"])
    for place, versions in {"its scheduler": told["scheduler"], **told["workers"]}.items():
        there = _versions(versions)
        if there != here:
            raise RefusedError(f"{where}: {place} has {there}: allowed: {here}, as here")


def _versions(told: dict[str, Any]) -> str:
    packages = told["packages"]
    return f"Python {'.'.join(packages['python'].split('.')[:2])} with distributed {packages['distributed']}"


@contextmanager
def _by_value(module: Any) -> Iterator[None]:
    """The classes of `module` go over as their code."""
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _checkout() -> carrier.Checkout:
    """What a worker of another machine needs of the project."""

    def kept(item: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if os.path.basename(item.name) in LEFT_OUT else item

    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz", compresslevel=6) as tar:
        for name in SENT:
            tar.add(TOP / name, name, filter=kept)
    decides = (TOP / "pyproject.toml").read_bytes() + (TOP / "scripts" / "setup").read_bytes()
    return carrier.Checkout(data.getvalue(), sha256(decides).hexdigest()[:16])
