"""The readings of a bench day in a file as they come, so that an interruption costs none of them.

The file lies beside the report: a line of JSON says what is measured, one line more each reading. A run that takes it
up goes through the same steps again; where a reading is kept, neither the load is asked for nor the reading. What the
meter itself has to see under load, such as a correction, is asked for again.
"""

import argparse
import contextlib
import datetime
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from host.cli.refused import RefusedError, read_text
from host.cli.status import writing
from host.sim.memory import write_whole

Key = tuple[Any, ...]
SUFFIX = ".kept"


class Kept:
    """Readings by their keys. Without a `path` nothing is kept beyond the run.

    `about` says what is measured, as JSON has it; `began` when; `old` how many readings an earlier run has left.
    """

    def __init__(self, path: str | None = None, about: Any = None, began: str = "") -> None:
        self.path = path
        self.about = about
        self.began = began or datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
        self.old = 0
        self._readings: dict[Key, Any] = {}
        self._pending: dict[str, Callable[[], None]] = {}

    def __len__(self) -> int:
        return len(self._readings)

    def set_up(self, what: str, act: Callable[[], None]) -> None:
        """What is to stand ("load", "temperature") for the readings that follow: done when the first one is taken."""
        self._pending[what] = act

    def now(self) -> None:
        """What was set up has to stand from here on."""
        for what in ("temperature", "load"):
            act = self._pending.pop(what, None)
            if act is not None:
                act()

    def reading(self, key: Key, take: Callable[[], Any]) -> Any:
        """The reading of this key, kept or taken now; plain JSON values."""
        if self.path is None:
            self.now()
            return take()
        if key not in self._readings:
            self.now()
            self._readings[key] = json.loads(json.dumps(take()))
            self._append([key, self._readings[key]])
        return self._readings[key]

    def forget(self, *key: Any) -> None:
        """Drop every reading whose key begins so: they are to be taken again."""
        gone = [one for one in self._readings if one[: len(key)] == key]
        for one in gone:
            del self._readings[one]
        if gone:
            self._write()

    def remove(self) -> None:
        """All is done."""
        if self.path is not None:
            Path(self.path).unlink(missing_ok=True)

    def _write(self) -> None:
        rows = [[self.about, self.began], *([key, value] for key, value in self._readings.items())]
        if self.path is not None:
            with writing(self.path):
                write_whole(self.path, "".join(json.dumps(row) + "\n" for row in rows).encode())

    def _append(self, row: list[Any]) -> None:
        if self.path is None:
            return
        if len(self._readings) == 1:
            self._write()
            return
        with writing(self.path), open(self.path, "a", encoding="ascii") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def load(self) -> None:
        """Take up what the file has; ValueError where it is damaged or about something else. A last line that a power
        cut has torn is left out."""
        assert self.path is not None
        rows = []
        for line in read_text(self.path, "kept readings").splitlines():
            with contextlib.suppress(ValueError):
                rows.append(json.loads(line))
        if not rows or len(rows[0]) != 2 or rows[0][0] != json.loads(json.dumps(self.about)):
            raise ValueError
        self.began = str(rows[0][1])
        self._readings = {tuple(key): value for key, value in rows[1:]}
        self.old = len(self)
        self._write()


def about_at(path: str) -> dict[str, Any]:
    """What the readings kept at `path` are of; nothing where there are none, or they are damaged."""
    try:
        about = json.loads(read_text(path, "kept readings").splitlines()[0])[0]
    except (RefusedError, ValueError, LookupError, TypeError):
        return {}
    return about if isinstance(about, dict) else {}


def taken_up(path: str, about: Any, resume: bool | None, ask: Callable[[str], str] = input) -> Kept:
    """The readings that an earlier run has left at `path`, or none yet. `resume`: take them up; None: ask."""
    kept = Kept(path, about)
    if not os.path.exists(path):
        if resume:
            raise RefusedError(f"--resume: no readings are kept in {path}: allowed without --resume")
        return kept
    try:
        kept.load()
    except (ValueError, TypeError):
        if resume:
            raise RefusedError(
                f"--resume: {path} is of another calibration of this meter or of other points: allowed without --resume"
            ) from None
        return Kept(path, about)
    if resume is None:
        question = f"{kept.old} readings since {kept.began} are kept. Take up where it was left? [Y/n] "
        try:
            resume = ask(question).strip().lower() not in ("n", "no")
        except EOFError:
            raise RefusedError(f"readings are kept in {path}: allowed: --resume, or --no-resume") from None
    return kept if resume else Kept(path, about)


def add_option(add: Any) -> None:
    """The option of both commands."""
    add(
        "--resume",
        action=argparse.BooleanOptionalAction,
        help="take up the readings that an interrupted run has kept, or begin anew (default: ask)",
    )


def opened(args: argparse.Namespace, path: str, about: dict[str, Any], serial: str) -> Kept:
    """Where the readings of a command's run go. On the virtual bench nobody types any: none are kept there, nor of a
    meter without a serial number, which could be another one."""
    if args.virtual or not serial:
        if args.resume:
            why = "the virtual bench starts anew" if args.virtual else "the meter has no serial number"
            raise RefusedError(f"--resume: {why}: allowed without --resume")
        return Kept()
    return taken_up(path, about, args.resume)


@contextlib.contextmanager
def told(kept: Kept) -> Iterator[None]:
    """Where the block is ended by an exception, Ctrl-C among them, say where its readings are."""
    try:
        yield
    except BaseException:
        if kept.path is not None and len(kept):
            text = f"{len(kept)} readings are kept in {kept.path}: the same command takes them up again"
            print(text, file=sys.stderr, flush=True)
        raise
