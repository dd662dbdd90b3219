"""How far a campaign is: one bar on a terminal, elsewhere a line now and then."""

import sys
import time
from types import TracebackType
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_S = 10.0
REFRESHED_PER_S = 2


class Bar:
    """`what` of `total` jobs on standard error, or on `err`. In a `with` statement."""

    def __init__(self, what: str, total: int, err: IO[str] | None = None) -> None:
        self._what = what
        self._total = total
        self._console = Console(file=err or sys.stderr, soft_wrap=True)
        self._shown = Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failed]} failed, {task.fields[workers]} at a time"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            redirect_stdout=False,
            refresh_per_second=REFRESHED_PER_S,
        )
        self._task = self._shown.add_task(what, total=total, failed=0, workers=0)
        self._began = self._told = time.monotonic()

    def __enter__(self) -> "Bar":
        self._shown.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._shown.stop()

    def at(self, done: int, failed: int, workers: int) -> None:
        """So many jobs are done, so many of them have failed."""
        self._shown.update(self._task, completed=done, failed=failed, workers=workers)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._told >= LINE_S:
            self._told = now
            left_s = (now - self._began) / done * (self._total - done) if done else 0.0
            self.say(f"  {self._what}: {done} of {self._total}, {failed} failed, about {left_s:.0f} s left")

    def say(self, text: str) -> None:
        """A line for people, above the bar."""
        self._console.print(text, markup=False, highlight=False)
