"""The trace: a CSV of every change of the board's outputs, written as it happens."""

from typing import IO

import board

from host.cli.refused import RefusedError

SIGNALS = tuple(signal for signal, _ in board.OUTPUTS)


class Trace:
    """Writes `t_s,signal,value` lines to the file `path`; RefusedError where it cannot be written."""

    def __init__(self, path: str) -> None:
        try:
            self._file: IO[str] = open(path, "w", encoding="utf-8", newline="\n")  # noqa: SIM115  closed by close()
        except (OSError, ValueError) as e:
            raise RefusedError(f"--trace {path}: cannot be written: {getattr(e, 'strerror', None) or e}") from None
        self._path = path
        self._write("t_s,signal,value\n")

    def edge(self, t_us: int, signal: str, value: int) -> None:
        """One change: simulated time in microseconds, the signal's name, its new value."""
        self._write(f"{t_us // 1_000_000}.{t_us % 1_000_000:06d},{signal},{value}\n")

    def close(self) -> None:
        """Write what is left; OSError where that fails, as in `edge`."""
        try:
            self._file.close()
        except OSError as e:
            raise self._failed(e) from None

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError as e:
            raise self._failed(e) from None

    def _failed(self, e: OSError) -> OSError:
        return OSError(e.errno, e.strerror, f"--trace {self._path}")
