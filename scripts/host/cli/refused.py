"""How the tools turn down what a person gave them, or say what failed: one line that says what, where, what to do."""

import errno
import os
from collections.abc import Collection

PART = ".part"  # of a file's name while it is being written (host.sim.memory.write_whole)
MOST_MB = 64  # a load profile of ten years in steps of five minutes has 20


class OneLineError(Exception):
    """The text is one line and becomes the whole error message."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


class RefusedError(OneLineError):
    """Unusable arguments or files: what is wrong, where, and what is allowed (exit status 2)."""


class FailedError(OneLineError):
    """The arguments were usable, but the work could not be done (exit status 1)."""


def writable(path: str, option: str) -> None:
    """RefusedError where a file cannot be put at `path`: known before a long run, not after it."""
    try:
        folder = os.path.dirname(os.path.realpath(path))  # where a link leads to
        if os.path.exists(path) and not os.path.isfile(path):  # a device or a pipe is written into
            usable = not os.path.isdir(path) and os.access(path, os.W_OK)
        else:
            usable = os.path.isdir(folder) and os.access(folder, os.W_OK)
            _check_length(path, option)
    except ValueError:  # a NUL in the name
        usable = False
    if not usable or not os.path.basename(path):
        raise RefusedError(f"{option} {path}: cannot be written: allowed: a file in an existing folder")


def _check_length(path: str, option: str) -> None:
    try:
        os.lstat(path + PART)
    except OSError as e:
        if e.errno == errno.ENAMETOOLONG:
            raise RefusedError(f"{option} {path}: cannot be written: name too long: allowed: a shorter one") from None


def apart(files: dict[str, str | None], written: Collection[str]) -> None:
    """RefusedError where a file would be written over another one of the same run. `files`: paths by their options;
    `written`: the options of those that are."""
    taken: dict[str, str] = {}
    for option, path in files.items():
        if path is None or "\0" in path or (os.path.exists(path) and not os.path.isfile(path)):
            continue  # a device takes everything
        other = taken.setdefault(os.path.realpath(path), option)
        if other != option and option in written:
            raise RefusedError(f"{option} {path}: the same file as {other}")


def read_text(path: str, what: str) -> str:
    """The text of the UTF-8 file `path`. `what` names its role ("scenario", ...) for the message."""
    try:
        return read_bytes(path, what).decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise RefusedError(f"{what} {path}: not a UTF-8 text file (byte {e.start})") from None


def read_bytes(path: str, what: str) -> bytes:
    """The content of the file `path`, if it is not too long."""
    try:
        with open(path, "rb") as f:
            data = f.read(MOST_MB * 10**6 + 1)  # a device may have no end
        if len(data) > MOST_MB * 10**6:
            raise RefusedError(f"{what} {path}: too long: allowed: {MOST_MB} MB")
        return data
    except (OSError, ValueError) as e:  # ValueError: a NUL in the name
        raise RefusedError(f"{what} {path}: cannot be read: {getattr(e, 'strerror', None) or e}") from None
