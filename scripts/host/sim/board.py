"""The simulated board inside this process, as fast as it goes: its mains and its service prompt.

    with Board({"model": "MDNCT-1SC", "service": "60Hz"}) as board:
        board.mains((120.0, 10.0, 0.0), (120.0, 5.0, 60.0))
        board.wait(2.0)
        print(Service(board).call("status()"))

What a scenario drives is a Session (session.py); what others reach by a port of this computer, a VirtualBoard.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host.port.prompt import CodeError, PortError, last_line
from host.sim.link import FIRMWARE, REFERENCE, EngineError, Link

SPARE_S = 120.0  # a command is given up this long after it should have answered
FIRST_STEP_US = 2_000  # how long the prompt is left alone before it is looked at, growing
STEP_US = 250_000
RAW_READY = "raw REPL; CTRL-B to exit\r\n>"
END = "\x04"
SPLIT_PHASE = 180.0
Line = tuple[float, float, float]  # volts, amps, degrees (lag > 0)


class Board:
    """A meter on its virtual board. `snap`: the newest picture of the meter; `out`: all that the link has told but the
    prompt's words, which are in `said`. Every method may raise EngineError.

    config: as Link takes it. strict: an exception that the firmware lets out ends the run by EngineError; else it is an
    item of `out`. board_dir: of the board's file.
    """

    def __init__(
        self,
        config: dict[str, Any],
        engine: str = "micropython",
        strict: bool = True,
        firmware_dir: Path = FIRMWARE,
        board_dir: Path = REFERENCE,
    ) -> None:
        self.now_us = 0
        self.snap: dict[str, Any] = {}
        self.out: list[list[Any]] = []
        self.said = ""
        self._strict = strict
        self._items: list[list[Any]] = []
        self._raw = False
        self._link = Link(engine, {"board": {}, "seed": 1, **config, "console": True}, firmware_dir, board_dir)

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What happens to the board

    def stimulus(self, items: list[list[Any]]) -> int:
        """Items of the link; None or a past time stands for now. Returns the simulated time in us."""
        for item in items:
            t_us = self.now_us if item[1] is None else max(item[1], self.now_us)
            self._items.append([item[0], t_us, *item[2:]])
        return self.now_us

    def mains(self, l1: Line, l2: Line = (0.0, 0.0, 0.0), hz: float = 60.0, l2_degrees: float = SPLIT_PHASE) -> None:
        """Volts, amps and degrees of both lines from now on, sine waves."""
        self.stimulus([["mains", None, 0, [*l1, 0.0], [*l2, l2_degrees], hz]])

    def seal(self, closed: bool) -> None:
        """Close or open the seal's switch."""
        self.stimulus([["seal", None, int(closed)]])

    def type(self, text: str, at_us: int | None = None) -> None:
        """Characters to the prompt's port, now or at a time."""
        self.stimulus([["console", at_us, text]])

    # Time

    def run_until(self, until_us: int) -> str:
        """Let time go on; what the prompt has said meanwhile."""
        items, self._items = sorted(self._items, key=lambda item: item[1]), []
        reply = self._link.run(until_us, items)
        self.now_us = reply["t_us"]
        self.snap = reply["snap"]
        said = ""
        for item in reply["out"]:
            if item[0] == "console":
                said += item[2]
            elif item[0] == "error" and self._strict:
                raise EngineError(str(item[-1]))
            else:
                self.out.append(item)
        self.said += said
        return said

    def wait(self, seconds: float) -> dict[str, Any]:
        """Until so many simulated seconds have passed; the newest snap."""
        self.run_until(self.now_us + round(seconds * 1e6))
        return self.snap

    def look(self) -> dict[str, Any]:
        """The snap of this moment."""
        self.run_until(self.now_us + FIRST_STEP_US)
        return self.snap

    # The prompt (port.prompt.Prompt)

    def execute(self, code: str, seconds: float = 0.0) -> str:
        """Run code in the raw REPL; what it printed. CodeError where it raised."""
        if not self._raw:
            self.type("\r\x03\r\x01")
            self._answer(RAW_READY, 0.0)
            self._raw = True
        self.type(code + END)
        said = self._answer(END + ">", seconds)
        out, raised = said[said.index("OK") + 2 :].split(END)[:2]
        if raised:
            raise CodeError(raised)
        return out.replace("\r\n", "\n")

    def restarted(self) -> None:
        """The firmware has restarted: its prompt is the friendly one again."""
        self._raw = False

    def _answer(self, ending: str, seconds: float) -> str:
        """Let time go on until the prompt has said `ending`; everything that it said."""
        end_us = self.now_us + round((seconds + SPARE_S) * 1e6)
        said = ""
        for step_us in _steps(seconds):
            said += self.run_until(self.now_us + step_us)
            if said.endswith(ending):
                return said
            if self.now_us > end_us:
                break
        raise PortError(f"the prompt did not answer: {last_line(said)}")

    # The end

    def finish(self, unplug: bool = False) -> dict[str, Any]:
        """End the run; what Link.finish() knows, the memory included."""
        return self._link.finish(unplug)

    def close(self) -> None:
        """Stop the engine; more than once does no harm."""
        self._link.close()


def _steps(seconds: float) -> Iterator[int]:
    """First nearly the whole time that a command takes, then short steps that grow."""
    if seconds > 1.0:
        yield round((seconds - 0.2) * 1e6)
    step_us = FIRST_STEP_US
    while True:
        yield step_us
        step_us = min(STEP_US, step_us * 2)
