"""Exit statuses, the same for every command, and the one place where an error becomes a line on standard error.

@reported("given up; the calibration is as it was")
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)          # RefusedError: status 2
    with begun():                             # from here on it is the work that fails: status 1
        ...
    return DONE
"""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator

from host.cli.refused import FailedError, RefusedError

DONE, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
PREFIX = "openkh: "

Main = Callable[[list[str] | None], int]


def say_error(text: str) -> None:
    """A line for people about what went wrong."""
    print(PREFIX + text, file=sys.stderr, flush=True)


def why_not_written(error: OSError) -> str:
    """What could not be written, and why: a disk that is full, a folder that has gone meanwhile."""
    return f"{error.filename or 'output'}: cannot be written: {error.strerror or error}"


@contextlib.contextmanager
def begun() -> Iterator[None]:
    """The arguments were usable and the work is under way: what is refused now is a failure of the work."""
    try:
        yield
    except RefusedError as error:
        raise FailedError(str(error)) from error


@contextlib.contextmanager
def writing(what: str) -> Iterator[None]:
    """Names the file that is written (`--report r.json`) where it turns out that it cannot be."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), what) from None


def reported(interrupted: str = "stopped before the end") -> Callable[[Main], Main]:
    """A command's main whose errors are told and become its exit status. `interrupted`: what a Ctrl-C leaves behind."""

    def decorate(main: Main) -> Main:
        @functools.wraps(main)
        def wrapped(argv: list[str] | None = None) -> int:
            try:
                return main(argv)
            except RefusedError as error:
                say_error(str(error))
                return UNUSABLE
            except FailedError as error:
                say_error(str(error))
                return FAILED
            except TimeoutError as error:  # of a board or an emulation, on a computer that is busy with other things
                say_error(f"no answer in time: {error}")
                return FAILED
            except OSError as error:
                say_error(why_not_written(error))
                return UNUSABLE
            except KeyboardInterrupt:
                say_error(interrupted)
                return INTERRUPTED

        return wrapped

    return decorate
