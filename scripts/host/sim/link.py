"""The link to an engine: firmware and virtual board in a CPython, MicroPython (unix port) or 32-bit MicroPython.

    with Link("micropython", {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}}) as link:
        reply = link.run(60_000_000, [["mains", 0, 0, [120.0, 10.0, 0.0, 0.0], [120.0, 0.0, 0.0, 180.0], 60.0]])
        final = link.finish()

What goes over it is described in boards/virtual/engine/engine.py.
"""

import base64
import contextlib
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any, Protocol

from host.sim import compiled

TOP = Path(__file__).resolve().parents[3]
FIRMWARE = TOP / "firmware"
REFERENCE = TOP / "boards" / "reference"  # the board that it is, unless another is named
ENGINES = ("micropython", "cpython")  # for people; "wasm" is the 32-bit build that tests use
HEAP = "64m"  # of the unix port; enough for stimuli of any size
MARK = "\x1e"
WASM_MESSAGE_BYTES = 64 * 1024  # the 32-bit build keeps room for the longest answer on its 1 MB heap
WASM_PORTION = 100  # stimulus items in one message to it
MEMORY_PORTION = 3 * 1024  # bytes of a memory in one message
CLOSE_S = 5.0


class EngineError(RuntimeError):
    """The engine ended by an error; the text is its traceback."""


class Transport(Protocol):
    """Messages to and from an engine."""

    def send(self, text: str) -> None: ...

    def receive(self) -> str: ...

    def close(self) -> None: ...


class Link:
    """An engine with its firmware, started by this object. `console` is what the firmware has printed so far.

    config: "model", "service", "seed", "board" (a scenario's [board] table), "memory" ({} or of an earlier run's end),
    "ticks_offset_us", "interleave", "jitter_us", "exact". `firmware_dir` and `board_dir` are import roots. `plain`: run
    the sources on the unix port, too, not what compiled.py makes of them.
    Every method raises EngineError if the engine dies.
    """

    def __init__(
        self,
        engine: str,
        config: dict[str, Any],
        firmware_dir: Path | str = FIRMWARE,
        board_dir: Path | str = REFERENCE,
        plain: bool = False,
    ) -> None:
        roots = [str(TOP), str(Path(firmware_dir).resolve()), str(Path(board_dir).resolve())]
        roots.append(str(REFERENCE))  # the glass, for boards that bring none of their own
        self.console: list[str] = []
        self._wasm = engine == "wasm"
        self._out: list[list[Any]] = []
        self._memory: dict[str, list[str]] = {}
        self._transport: Transport
        if self._wasm:
            self._transport = _Wasm(roots)
        else:
            if engine == "micropython" and not plain:
                program = compiled.command(roots, HEAP)
            else:
                program = [*command(engine), str(TOP / compiled.ENTRY), *roots]
            self._transport = _Process(program, self.console)
        try:
            for name, text in config.get("memory", {}).items():
                self._send_memory(name, base64.b64decode(text))
            self._ask({"op": "start", **config, "memory": {}})
        except BaseException:
            self.close()
            raise

    def run(self, until_us: int, stimulus: list[list[Any]] | None = None) -> dict[str, Any]:
        """Let simulated time go on to `until_us`; returns {"t_us", "out", "snap"}. `stimulus` in order of time."""
        items = stimulus or []
        if self._wasm:
            while len(items) > WASM_PORTION:
                self._ask({"op": "feed", "stimulus": items[:WASM_PORTION]})
                items = items[WASM_PORTION:]
        reply = self._ask({"op": "run", "until_us": until_us, "stimulus": items})
        reply["out"] = self._take(reply["out"])
        snap = reply["snap"]
        snap.update(_in_people_s_units(snap))
        snap["delivered"] = snap["register"]["delivered_wh"]
        snap["received"] = snap["register"]["received_wh"]
        for line in snap["lines"]:
            line["p_w"] = line.pop("p_mw") / 1000
            pf_milli = line.pop("pf_milli")
            line["pf"] = None if pf_milli is None else pf_milli / 1000
        return reply

    def finish(self, unplug: bool = False) -> dict[str, Any]:
        """End the run: what the report needs of the engine, and the memory's content, as it is now. `unplug`: as the
        firmware leaves it when the mains go now and its supply after them; the rest stays that of now."""
        final = self._ask({"op": "finish", "unplug": unplug})
        final["out"] = self._take(final["out"])
        final["memory"] = {name: "".join(portions) for name, portions in self._memory.items()}
        final.update(_in_people_s_units(final))
        final["counted"] = [{"counts": c["counts"], "gap_s": c["gap_us"] / 1e6} for c in final["counted"]]
        counter = final["counter"]
        final["counter"] = {
            "counts": counter["counts"],
            "shortest_on_ms": _ms(counter["shortest_on_us"]),
            "shortest_off_ms": _ms(counter["shortest_off_us"]),
        }
        final["events"] = [{"t_s": t / 1e6, "event": name, "a": a, "b": b} for t, name, a, b in final["events"]]
        return final

    def close(self) -> None:
        """Stop the engine; more than once does no harm."""
        self._transport.close()

    def __enter__(self) -> "Link":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self._transport.send(json.dumps(request))
        while True:
            message = json.loads(self._transport.receive())
            if "more" in message:
                self._out += message["more"]
            elif "memory" in message:
                self._memory.setdefault(message["memory"], []).append(message["base64"])
            elif "error" in message:
                raise EngineError(message["error"])
            else:
                return message["ok"]

    def _send_memory(self, name: str, content: bytes) -> None:
        """In portions; what is erased is not sent."""
        for at in range(0, max(1, len(content)), MEMORY_PORTION):
            portion = content[at : at + MEMORY_PORTION]
            if at == 0 or portion.strip(b"\xff"):
                text = base64.b64encode(portion).decode()
                message = {"op": "memory", "name": name, "bytes": len(content), "at": at, "base64": text}
                self._transport.send(json.dumps(message))

    def _take(self, last: list[list[Any]]) -> list[list[Any]]:
        """Everything that came, in order of time: what the glass says comes a second late."""
        items = self._out + last
        self._out = []
        return sorted(items, key=lambda item: item[1])


def _ms(us: int | None) -> float | None:
    return None if us is None else us / 1000


def _in_people_s_units(part: dict[str, Any]) -> dict[str, Any]:
    demand = part["demand"]
    return {
        "demand": {
            "interval_w": demand["interval_mw"] / 1000,
            "max_w": demand["max_mw"] / 1000,
            "shown_kw": demand["shown_mw"] // 1000 / 1000,  # cut off, as on the glass (LC-5)
        }
    }


def command(engine: str) -> list[str]:
    """How an engine in a process of its own is started; its script and arguments follow."""
    if engine == "cpython":
        return [sys.executable, "-u"]
    if engine == "micropython":
        start_it = "import sys; sys.argv[0] = 'micropython'; from micropython_unix import main; sys.exit(main())"
        return [sys.executable, "-c", start_it, "-X", f"heapsize={HEAP}"]
    raise ValueError(f"engine {engine!r}: allowed: micropython, cpython, wasm")


class _Process:
    """An engine in a process of its own, lines over its standard input and output."""

    def __init__(self, command: list[str], console: list[str]) -> None:
        self._console = console
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by close()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=TOP,
            start_new_session=True,  # a Ctrl-C in the terminal is the host's, not the firmware's
        )

    def send(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise self._died() from None

    def receive(self) -> str:
        assert self._process.stdout is not None
        while True:
            line = self._process.stdout.readline().decode(errors="replace")
            if not line:
                raise self._died()
            if line.startswith(MARK):
                return line[1:]
            if line.strip():
                self._console.append(line.rstrip("\n"))

    def close(self) -> None:
        process = self._process
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()
        try:
            process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._errors.close()

    def _died(self) -> EngineError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)
        text = ""
        if not self._errors.closed:
            self._errors.seek(0)
            text = self._errors.read().decode(errors="replace").strip()
        return EngineError("\n".join([*self._console[-20:], text or f"ended with {self._process.returncode}"]))


class _Wasm:
    """An engine in the 32-bit WebAssembly build, on a thread. It sees a copy of the files it needs, read-only."""

    def __init__(self, roots: list[str]) -> None:
        self._to: queue.Queue[str] = queue.Queue()
        self._from: queue.Queue[str | None] = queue.Queue()
        self._end = ""
        self._files = tempfile.TemporaryDirectory()
        files = Path(self._files.name)
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(roots[0]) / "boards" / "virtual", files / "boards" / "virtual", ignore=ignore)
        shutil.copytree(roots[1], files / "firmware", ignore=ignore)
        shutil.copytree(roots[2], files / "board_files", ignore=ignore)
        shutil.copytree(roots[3], files / "reference", ignore=ignore)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        from host.sim import wasm

        code = (
            "import sys\n"
            "try:\n"
            "    sys.path.insert(0, '/input')\n"
            "    from boards.virtual.engine.entry import serve_wasm\n"
            "    serve_wasm(['/input', '/input/firmware', '/input/board_files', '/input/reference'])\n"
            "except BaseException:\n"
            "    sys.print_exception(sys.exc_info()[1])\n"
        )
        try:
            self._end = wasm.run(
                code,
                self._files.name,
                host_functions={"send": self._from.put, "receive": self._to.get},
                host_result_bytes=WASM_MESSAGE_BYTES,
            )
        except Exception as error:  # whatever ended it is told to the thread that waits for an answer
            self._end = f"{type(error).__name__}: {error}"
        self._from.put(None)

    def send(self, text: str) -> None:
        self._to.put(text)

    def receive(self) -> str:
        message = self._from.get()
        if message is None:
            raise EngineError(self._end.strip() or "the engine ended")
        return message

    def close(self) -> None:
        self._to.put("")
        self._thread.join(CLOSE_S)
        self._files.cleanup()
