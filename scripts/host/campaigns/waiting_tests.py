"""A pytest plugin: tests that are collected once and then wait to be run in forks of their process.

For random_mutants.py, which starts it in a copy of the project and asks through a pipe. A fork takes a changed file's
functions in place of those that are loaded, so that neither a start nor imports are paid for each change.
"""

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from inspect import CO_OPTIMIZED
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware" / "openkh"
ASKED_AT = "OPENKH_TESTS_ASKED_AT"  # the environment's variable with the number of the pipe
NO_END = "(no end)"
DIED = "(died)"

_fork = multiprocessing.get_context("fork")


class _Failures:
    """Remembers tests that failed."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Instead of running every test: run those that are asked for, until nobody asks any more."""
    if session.testsfailed:
        raise session.Interrupted("the tests do not import")
    items = {item.nodeid: item for item in session.items}
    with Connection(int(os.environ[ASKED_AT])) as asking:
        asking.send(list(items))
        while True:
            try:
                job, arguments, longest_s = asking.recv()
            except EOFError:
                return True
            asking.send(_in_a_fork(job, (session, items, *arguments), longest_s))


def _in_a_fork(job: str, arguments: tuple[Any, ...], longest_s: float) -> Any:
    """What the job answers; NO_END where it does not within `longest_s`, DIED where its process ended without."""
    here, there = _fork.Pipe(duplex=False)
    process = _fork.Process(target=_answer, args=(there, job, arguments))
    process.start()
    there.close()
    try:
        return here.recv() if here.poll(longest_s) else NO_END
    except EOFError:
        return DIED
    finally:
        try:
            os.killpg(process.pid or 0, signal.SIGKILL)  # with the engines it has started
        except ProcessLookupError:
            pass
        process.join()


def _answer(to: Connection, job: str, arguments: tuple[Any, ...]) -> None:
    os.setsid()
    to.send({"run": run, "map": cover}[job](*arguments))


def run(session: pytest.Session, items: dict[str, pytest.Item], file: str, tests: list[str], longest_s: float) -> str:
    """The first of `tests` that fails with the functions of `file` as they are on the disk now ("": as they are), ""
    where none does within `longest_s` of processor time."""
    if file:
        take(FIRMWARE / file)
    began = _spent_s()
    for _, failed in _play(session, [items[test] for test in tests]):
        if failed or _spent_s() - began > longest_s:
            return failed
    return ""


def cover(session: pytest.Session, items: dict[str, pytest.Item]) -> dict[str, Any]:
    """Each test that runs the firmware in this process with its processor time in seconds, and which tests run a line
    of a file. A test that would start a process is broken off: `apart`, with those that fail for other reasons."""
    import coverage

    from host.sim import compiled

    compiled.command = _no_process  # before it compiles for minutes what is not to be started
    sys.addaudithook(lambda event, _: _no_process() if event == "subprocess.Popen" else None)
    measured = coverage.Coverage(data_file=None, config_file=False, source=[str(FIRMWARE)])
    measured.start()
    seconds: dict[str, float] = {}
    apart: list[str] = []
    began = _spent_s()
    for test, failed in _play(session, list(items.values()), measured.switch_context):
        seconds[test] = round(_spent_s() - began, 3)
        began = _spent_s()
        if failed:
            apart.append(test)
    measured.stop()
    data = measured.get_data()
    lines: dict[str, dict[str, list[str]]] = {}
    for name in data.measured_files():
        found = {str(line): [test for test in tests if test] for line, tests in data.contexts_by_lineno(name).items()}
        lines[Path(name).relative_to(FIRMWARE).as_posix()] = found
    return {"seconds": seconds, "apart": apart, "lines": lines}


def _no_process(*_: Any) -> Any:
    pytest.fail("it starts a process")


def _play(session: pytest.Session, tests: list[pytest.Item], before: Any = None) -> Iterator[tuple[str, str]]:
    """Each test's name when it has been run, and again, where it failed."""
    failures = _Failures()
    session.config.pluginmanager.register(failures)
    for item, following in zip(tests, [*tests[1:], None], strict=False):
        if before is not None:
            before(item.nodeid)
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        yield item.nodeid, item.nodeid if item.nodeid in failures.failed else ""


def _spent_s() -> float:
    return sum(os.times()[:4])


def take(path: Path) -> None:
    """Let every loaded function of the file do what the file says now."""
    new = functions(path.read_bytes(), str(path))
    for function in [one for one in gc.get_objects() if isinstance(one, FunctionType)]:
        code = function.__code__
        if code.co_filename == str(path):
            function.__code__ = new.get((code.co_qualname, code.co_firstlineno), code)


def functions(source: bytes, path: str = "") -> dict[tuple[str, int], CodeType]:
    """The code of each function in a file by name and line."""
    return dict(_codes(compile(source, path, "exec").co_consts))


def _codes(constants: Iterable[Any]) -> Iterator[tuple[tuple[str, int], CodeType]]:
    for code in constants:
        if isinstance(code, CodeType):
            if code.co_flags & CO_OPTIMIZED:  # a class's body has not this flag
                yield (code.co_qualname, code.co_firstlineno), code
            yield from _codes(code.co_consts)
