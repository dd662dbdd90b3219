"""A simulated board with its prompt on a pseudo-terminal: what mpremote, calibrate and verify talk to without hardware.

    with VirtualBoard({"model": "MDNCT-1SC", "service": "60Hz"}) as board:
        board.mains((120.0, 10.0, 0.0), (120.0, 5.0, 60.0))
        subprocess.run(["mpremote", "connect", board.port, "resume", "exec", "status()"])

As a program: `python -m host.sim.virtual_board --help`. Simulated time follows the clock on the wall, times `speed`.
"""

import contextlib
import json
import queue
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from host.cli.parser import Parser
from host.cli.refused import FailedError
from host.cli.status import DONE, reported
from host.port.terminal import PseudoTerminal
from host.sim.board import SPLIT_PHASE, Board, Line
from host.sim.link import ENGINES, EngineError
from host.sim.memory import MemoryDir

TICK_S = 0.004  # wall time of a step while somebody talks
QUIET_TICK_S = 0.02
QUIET_S = 0.25
LEAST_US = 500  # of simulated time in a step: what was typed is looked at
MOST_US = 200_000
BEHIND_S = 0.2  # an engine that cannot keep up is not asked to make up for more than this


class VirtualBoard:
    """A Board that follows the clock on the wall, in a thread. `port` is the pseudo-terminal's name; `now_us`, `snap`
    and `out` are the Board's. Every method may raise EngineError; a `with` block ends the run.
    """

    def __init__(self, config: dict[str, Any], engine: str = "micropython", speed: float = 1.0) -> None:
        self.speed = speed
        self._board = Board(config, engine, strict=False)
        self.out = self._board.out
        self._jobs: queue.Queue[tuple[Callable[[], Any], queue.Queue[Any]]] = queue.Queue()
        self._ended = False
        self._error: BaseException | None = None
        self._terminal = PseudoTerminal()
        self.port = self._terminal.name
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> "VirtualBoard":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def now_us(self) -> int:
        """The simulated time."""
        return self._board.now_us

    @property
    def snap(self) -> dict[str, Any]:
        """The newest picture of the meter."""
        return self._board.snap

    # What happens to the board

    def stimulus(self, items: list[list[Any]]) -> int:
        """See Board."""
        return self._do(lambda: self._board.stimulus(items))

    def mains(self, l1: Line, l2: Line = (0.0, 0.0, 0.0), hz: float = 60.0, l2_degrees: float = SPLIT_PHASE) -> None:
        """See Board."""
        self._do(lambda: self._board.mains(l1, l2, hz, l2_degrees))

    def seal(self, closed: bool) -> None:
        """See Board."""
        self._do(lambda: self._board.seal(closed))

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
        """End the run, unplug the board, and return what Link.finish() knows, the memory included."""
        return self._do(self._finish)

    def close(self) -> None:
        """Stop the engine and let the port go."""
        self._ended = True
        self._thread.join()
        self._board.close()
        self._terminal.close()

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
        return self._board.finish(unplug=True)

    def _run(self) -> None:
        try:
            self._loop()
        except BaseException as error:  # noqa: BLE001  told to the thread that asks next
            self._error = error
            self._terminal.close()

    def _loop(self) -> None:
        wall_s = heard_s = time.monotonic()
        due_us = 0.0
        port = self._terminal
        while not self._ended:
            tick_s = TICK_S if time.monotonic() - heard_s < QUIET_S else QUIET_TICK_S
            readable, writable, _ = select.select([port.fd], [port.fd] if port.full else [], [], tick_s)
            if writable:
                port.write()
            if readable:
                self._board.type(port.read().decode("latin-1"))
                heard_s = time.monotonic()
            while not self._ended and not self._jobs.empty():
                job, answer = self._jobs.get()
                answer.put(job())
            if self._ended:
                return
            passed_s = time.monotonic() - wall_s
            wall_s += passed_s
            due_us = min(due_us + passed_s * 1e6 * self.speed, BEHIND_S * 1e6 * self.speed)
            step_us = min(max(MOST_US, round(self.speed * tick_s * 1e6)), round(due_us))
            if step_us >= LEAST_US or readable:
                step_us = max(step_us, LEAST_US)
                due_us -= step_us
                self._step(step_us)

    def _step(self, step_us: int) -> None:
        said = self._board.run_until(self.now_us + step_us)
        if said:
            self._terminal.write(said.encode("latin-1", "replace"))


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


def parser() -> Parser:
    """The command line."""
    p = Parser(
        prog="python -m host.sim.virtual_board",
        description="Runs the meter on the virtual board and prints the port of its prompt. Standard input takes JSON "
        'lines: {"op": "stimulus", "items": [...]}, {"op": "snap"}, {"op": "speed", "speed": N}, {"op": "quit"}.',
    )
    add = p.add_argument
    add("--state", metavar="DIR", help="the board's memory, kept between runs")
    add("--seal", choices=("open", "closed"), default="open")
    add("--speed", type=float, default=1.0, help="simulated seconds per second")
    add("--engine", choices=ENGINES, default="micropython")
    add("--model", default="MDNCT-1SC")
    add("--service", choices=("60Hz", "50Hz"), default="60Hz")
    add("--seed", type=int, default=1)
    add("--blank", action="store_true", help="memory without factory data")
    add("--volts", type=float, help="at the start, on both lines (default: nominal)")
    add("--amps", type=float, default=0.0)
    return p


@reported()
def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    options = parser().parse_args(argv)
    memory_dir = MemoryDir(options.state) if options.state else None
    try:
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
    except EngineError as error:
        raise FailedError(str(error)) from None
    finally:
        if memory_dir:
            memory_dir.close()
    return DONE


if __name__ == "__main__":
    sys.exit(main())
