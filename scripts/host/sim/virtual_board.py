"""A virtual board with its prompt on a pseudo-terminal: what mpremote, calibrate and verify talk to without hardware.

    with VirtualBoard({"model": "MDNCT-1SC", "service": "60Hz"}) as board:
        board.mains((120.0, 10.0, 0.0), (120.0, 5.0, 60.0))
        subprocess.run(["mpremote", "connect", board.port, "resume", "exec", "status()"])

As a program: `python -m host.sim.virtual_board --help`. Simulated time follows the clock on the wall, times `speed`.
"""

import argparse
import contextlib
import json
import os
import pty
import queue
import select
import sys
import threading
import time
import tty
from collections.abc import Callable
from typing import Any

from host.cli.refused import RefusedError
from host.sim.link import ENGINES, EngineError, Link
from host.sim.memory import MemoryDir

TICK_S = 0.004
LEAST_US = 500  # of simulated time in a step: what was typed is looked at
MOST_US = 200_000
BEHIND_S = 0.2  # an engine that cannot keep up is not asked to make up for more than this
UNREAD_BYTES = 1 << 16  # nobody reads the port: more than this is dropped, as on USB
READ_BYTES = 256
SPLIT_PHASE = 180.0
Line = tuple[float, float, float]  # volts, amps, degrees (lag > 0)


class VirtualBoard:
    """`port` is the pseudo-terminal's name. Every method may raise EngineError; a `with` block ends the run.

    `config` as host.sim.link.Link takes it. All items of the link but those of the console are kept in `out`.
    """

    def __init__(self, config: dict[str, Any], engine: str = "micropython", speed: float = 1.0) -> None:
        self.speed = speed
        self.now_us = 0
        self.snap: dict[str, Any] = {}
        self.out: list[list[Any]] = []
        self._link = Link(engine, {"board": {}, "seed": 1, **config, "console": True})
        self._jobs: queue.Queue[tuple[Callable[[], Any], queue.Queue[Any]]] = queue.Queue()
        self._items: list[list[Any]] = []
        self._unread = b""
        self._ended = False
        self._error: BaseException | None = None
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._fds: tuple[int, ...] = (self._master, self._slave)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> "VirtualBoard":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What happens to the board

    def stimulus(self, items: list[list[Any]]) -> int:
        """Items of the link, in order of time; None or a past time stands for now. Returns the simulated time in us."""

        def put() -> int:
            for item in items:
                t_us = self.now_us if item[1] is None else max(item[1], self.now_us)
                self._items.append([item[0], t_us, *item[2:]])
            return self.now_us

        return self._do(put)

    def mains(self, l1: Line, l2: Line = (0.0, 0.0, 0.0), hz: float = 60.0, l2_degrees: float = SPLIT_PHASE) -> int:
        """Volts, amps and degrees of both lines from now on, sine waves."""
        return self.stimulus([["mains", None, 0, [*l1, 0.0], [*l2, l2_degrees], hz]])

    def seal(self, closed: bool) -> int:
        """Close or open the seal's switch."""
        return self.stimulus([["seal", None, int(closed)]])

    def wait(self, seconds: float) -> dict[str, Any]:
        """Until so many simulated seconds have passed; the newest snap."""
        end_us = self.now_us + round(seconds * 1e6)
        while self.now_us < end_us:
            self._check()
            time.sleep(0.002)
        return self.snap

    def look(self) -> dict[str, Any]:
        """The snap of this moment."""
        return self._do(lambda: self._step(LEAST_US) or self.snap)

    def finish(self) -> dict[str, Any]:
        """End the run; what Link.finish() knows, the memory included."""
        return self._do(self._finish)

    def close(self) -> None:
        """Stop the engine and let the port go."""
        self._ended = True
        self._thread.join()
        self._link.close()
        self._hang_up()

    def _hang_up(self) -> None:
        """The port is gone for whoever is connected."""
        fds, self._fds = self._fds, ()
        for fd in fds:
            os.close(fd)

    # The thread

    def _do(self, job: Callable[[], Any]) -> Any:
        answer: queue.Queue[Any] = queue.Queue()
        self._jobs.put((job, answer))
        while True:
            self._check()
            with contextlib.suppress(queue.Empty):
                return answer.get(timeout=0.1)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._ended and not self._thread.is_alive():
            raise EngineError("the board has ended")

    def _finish(self) -> dict[str, Any]:
        self._ended = True
        return self._link.finish()

    def _run(self) -> None:
        try:
            self._loop()
        except BaseException as error:  # noqa: BLE001  told to the thread that asks next
            self._error = error
            self._hang_up()

    def _loop(self) -> None:
        wall_s = time.monotonic()
        due_us = 0.0
        while not self._ended:
            writing = [self._master] if self._unread else []
            readable, writable, _ = select.select([self._master], writing, [], TICK_S)
            if writable:
                self._write()
            if readable:
                self._read()
            while not self._ended and not self._jobs.empty():
                job, answer = self._jobs.get()
                answer.put(job())
            if self._ended:
                return
            passed_s = time.monotonic() - wall_s
            wall_s += passed_s
            due_us = min(due_us + passed_s * 1e6 * self.speed, BEHIND_S * 1e6 * self.speed)
            step_us = min(max(MOST_US, round(self.speed * TICK_S * 1e6)), round(due_us))
            if step_us >= LEAST_US or readable:
                step_us = max(step_us, LEAST_US)
                due_us -= step_us
                self._step(step_us)

    def _step(self, step_us: int) -> None:
        items, self._items = self._items, []
        reply = self._link.run(self.now_us + step_us, items)
        self.now_us = reply["t_us"]
        self.snap = reply["snap"]
        said = ""
        for item in reply["out"]:
            if item[0] == "console":
                said += item[2]
            else:
                self.out.append(item)
        if said:
            self._unread = (self._unread + said.encode("latin-1", "replace"))[-UNREAD_BYTES:]
            self._write()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            data = os.read(self._master, READ_BYTES)
            self._items.append(["console", self.now_us, data.decode("latin-1")])

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._unread = self._unread[os.write(self._master, self._unread) :]


def _answer(board: VirtualBoard, request: dict[str, Any]) -> Any:
    op = request.get("op")
    if op == "stimulus":
        return {"t_us": board.stimulus(request["items"])}
    if op == "snap":
        return board.look()
    if op == "speed":
        board.speed = float(request["speed"])
        return {"speed": board.speed}
    raise ValueError(f"op {op!r}: allowed: stimulus, snap, speed, quit")


def _serve(board: VirtualBoard) -> dict[str, Any]:
    """Answer JSON lines on standard input until it ends; what the run leaves."""
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            request = json.loads(line)
            if request.get("op") == "quit":
                break
            reply = _answer(board, request)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reply = {"error": str(error)}
        print(json.dumps(reply), flush=True)
    return board.finish()


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="python -m host.sim.virtual_board",
        description="Runs the meter on the virtual board and prints the port of its prompt. Standard input takes JSON "
        'lines: {"op": "stimulus", "items": [...]}, {"op": "snap"}, {"op": "speed", "speed": N}, {"op": "quit"}.',
    )
    parser.add_argument("--state", metavar="DIR", help="the board's memory, kept between runs")
    parser.add_argument("--seal", choices=("open", "closed"), default="open")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second")
    parser.add_argument("--engine", choices=ENGINES, default="micropython")
    parser.add_argument("--model", default="MDNCT-1SC")
    parser.add_argument("--service", choices=("60Hz", "50Hz"), default="60Hz")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--blank", action="store_true", help="memory without factory data")
    parser.add_argument("--volts", type=float, help="at the start, on both lines (default: nominal)")
    parser.add_argument("--amps", type=float, default=0.0)
    options = parser.parse_args(arguments)
    memory_dir = None
    try:
        memory_dir = MemoryDir(options.state) if options.state else None
        config = {
            "model": options.model,
            "service": options.service,
            "seed": options.seed,
            "board": {"seal": options.seal, "blank": options.blank},
            "memory": memory_dir.load() if memory_dir else {},
        }
        hz = 60.0 if options.service == "60Hz" else 50.0
        volts = options.volts if options.volts is not None else (120.0 if hz == 60.0 else 240.0)
        with VirtualBoard(config, options.engine, options.speed) as board:
            board.mains((volts, options.amps, 0.0), (volts, options.amps, 0.0), hz)
            print(board.port, flush=True)
            final = {}
            with contextlib.suppress(KeyboardInterrupt):
                final = _serve(board)
            final = final or board.finish()
        if memory_dir:
            memory_dir.save(final["memory"])
    except RefusedError as error:
        print(error, file=sys.stderr)
        return 2
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if memory_dir:
            memory_dir.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
