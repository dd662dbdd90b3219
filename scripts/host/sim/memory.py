"""The board's non-volatile memory on the host's disk (`--state DIR`): one file a memory, replaced whole."""

import base64
import contextlib
import fcntl
import os
import re
import stat
from typing import IO

from host.cli.refused import PART, RefusedError
from host.cli.status import writing

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
_SUFFIX = ".bin"
_WHOSE = "meter.txt"
BYTES = {"fram": 32_768, "flash": 352 * 4096}  # of the reference board, and the virtual one's FLASH_BLOCKS


class MemoryDir:
    """The folder `path`, made where it is missing, locked against a second run as long as this object is open."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock: IO[bytes] | None = None
        try:
            os.makedirs(path, exist_ok=True)
            lock = open(os.path.join(path, "lock"), "wb")  # noqa: SIM115  held until close()
        except (OSError, ValueError) as e:
            raise self._refused(e) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise RefusedError(f"--state {path}: in use by another run") from None
        self._lock = lock

    def names(self) -> list[str]:
        """The memories that are kept; none in a new folder."""
        try:
            files = sorted(os.listdir(self.path))
        except OSError as e:
            raise self._refused(e) from None
        names = [file.removesuffix(_SUFFIX) for file in files if file.endswith(_SUFFIX)]
        return [name for name in names if _NAME.fullmatch(name)]

    def load(self) -> dict[str, str]:
        """The memories by name, base64; RefusedError where one is not whole."""
        memory: dict[str, str] = {}
        for name in self.names():
            try:
                with open(os.path.join(self.path, name + _SUFFIX), "rb") as f:
                    data = f.read()
            except OSError as e:
                raise self._refused(e) from None
            whole = BYTES.get(name, len(data))
            if len(data) != whole:
                raise RefusedError(f"--state {self.path}: {name}{_SUFFIX} has {len(data)} bytes; allowed {whole}")
            memory[name] = base64.b64encode(data).decode()
        return memory

    def check(self, model: str, service: str) -> None:
        """RefusedError where the memory was kept for another meter."""
        whose = os.path.join(self.path, _WHOSE)
        if not os.path.exists(whose):
            return
        try:
            with open(whose) as f:
                kept = f.read().split()
        except (OSError, UnicodeDecodeError):
            return
        if len(kept) == 2 and kept != [model, service]:
            raise RefusedError(
                f"--state {self.path}: the memory of {kept[0]} {kept[1]}, not of {model} {service}: allowed: "
                f"--model {kept[0]} --service {kept[1]}, or another folder"
            )

    def belongs(self, model: str, service: str) -> None:
        """Whose memory this is from now on."""
        self._write(_WHOSE, f"{model} {service}\n".encode())

    def save(self, memory: dict[str, str]) -> None:
        """Keep `memory` (name to base64); each file is complete, old or new, whatever happens."""
        for name, text in memory.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"a memory's name is {name!r}")
            self._write(name + _SUFFIX, base64.b64decode(text))

    def close(self) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None

    def _write(self, file: str, data: bytes) -> None:
        with writing(f"--state {self.path}: {file}"):
            write_whole(os.path.join(self.path, file), data)

    def _refused(self, e: Exception) -> RefusedError:
        return RefusedError(f"--state {self.path}: cannot be used as a folder: {getattr(e, 'strerror', None) or e}")


def write_whole(path: str, data: bytes) -> None:
    """Replace the file `path` by `data`, so that even a crash leaves the old or the new one.

    Where it fails, nothing half is left. What is there and is no regular file (a device, a pipe, a link) stays what it
    is: the data go into it.
    """
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        with open(path, "wb") as f:
            f.write(data)
        return
    part = path + PART
    try:
        with open(part, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
