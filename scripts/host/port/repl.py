"""The meter's service prompt, for programs: the same commands over mpremote's transport or inside the process.

    with MpremotePort("/dev/ttyACM0") as port:
        print(Service(port).call("status()"))

What the commands answer is described in docs/service.md.
"""

import contextlib
import io
import json
import os
import stat
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from host.cli.refused import RefusedError
from host.sim.link import EngineError, Link

LONG_S = 1.5
SILENT_S = 2.0  # a pseudo-terminal is read this long at a time
HANDSHAKES, HANDSHAKE_S = 3, 3.0
SPARE_S = 30.0  # a command is given up this long after it should have answered
FIRST_STEP_US = 2_000  # how long the in-process prompt is left alone before it is looked at, growing
STEP_US = 250_000
RAW_READY = "raw REPL; CTRL-B to exit\r\n>"
END = "\x04"


class PortError(RefusedError):
    """The prompt did not answer as a meter's prompt does; the text is one line."""


class CommandRefusedError(RefusedError):
    """The meter turned a command down; the text is its reason."""


class Port(Protocol):
    """Somewhere to run statements."""

    def execute(self, code: str, seconds: float) -> str:
        """Run `code`, which takes about `seconds` of the meter's time; what it printed."""
        ...


class Service:
    """The firmware's service commands through a port."""

    def __init__(self, port: Port) -> None:
        self._port = port

    def call(self, command: str, seconds: float = 0.0) -> dict[str, Any]:
        """`command` as typed at the prompt, without `s.`; its JSON answer. CommandRefusedError where the meter refuses,
        PortError where there is no meter at the prompt."""
        body = command[:-1] + (", " if not command.endswith("()") else "") + "json=True)"
        said = self._port.execute(f"import openkh.service as s\ns.{body}", seconds)
        lines = [line for line in said.splitlines() if line.strip()]
        try:
            answer = json.loads(lines[-1])
        except (IndexError, ValueError):
            raise PortError(f"{command}: no answer of a meter: {' '.join(lines)[-200:] or 'nothing'}") from None
        if "error" in answer:
            raise CommandRefusedError(f"the meter refused {command.partition('(')[0]}: {answer['error']}")
        return answer

    def window(self, seconds: float) -> dict[str, Any]:
        """A measuring window of so many seconds of the meter's time."""
        return self.call(f"window({seconds:g})", seconds)


class MpremotePort:
    """A serial port (or pseudo-terminal) through mpremote's own transport, without a soft reset: metering goes on."""

    def __init__(self, device: str, pace: Callable[[bool], None] = lambda _fast: None) -> None:
        """`pace`: told True while a command takes its time, False while mpremote and the prompt talk (a virtual board
        may run faster than the clock in between)."""
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport

        self._refusal = (TransportError, OSError, ValueError)  # ValueError: a NUL in the name
        self._pace = pace
        try:
            self._transport = SerialTransport(device, timeout=SILENT_S)
        except self._refusal as error:
            raise PortError(f"port {device!r}: {_why_not(device, error)}") from None
        try:
            self._handshake(device)
        except BaseException:
            self._transport.close()
            raise

    def _handshake(self, device: str) -> None:
        """To the prompt; again where a meter that is just starting has not heard the first one."""
        for left in reversed(range(HANDSHAKES)):
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # it prints what it could not understand
                    self._transport.enter_raw_repl(soft_reset=False, timeout_overall=HANDSHAKE_S)
                return
            except self._refusal as error:
                if not left:
                    raise PortError(
                        f"port {device}: no MicroPython prompt ({error}); the seal must be open, the meter started"
                    ) from None

    def execute(self, code: str, seconds: float) -> str:
        """See Port."""
        try:
            self._transport.exec_raw_no_follow(code)
            self._pace(seconds > LONG_S)
            out, err = self._transport.follow(SPARE_S + seconds)
        except self._refusal as error:
            raise PortError(f"port {self._transport.device_name}: {error}") from None
        except KeyboardInterrupt:
            self._transport.enter_raw_repl(soft_reset=False)  # the command is given up, the prompt is there again
            raise
        finally:
            self._pace(False)
        if err:
            said = _last_line(err.decode(errors="replace"))
            if "openkh" in said and said.startswith("ImportError"):
                raise PortError(
                    f"port {self._transport.device_name}: MicroPython without OpenKh: ./scripts/flash first"
                )
            raise PortError(f"the meter's prompt said: {said}")
        return out.decode(errors="replace")

    def close(self) -> None:
        """Leave the prompt as a person finds it."""
        with contextlib.suppress(*self._refusal):
            self._transport.exit_raw_repl()
        self._transport.close()

    def __enter__(self) -> "MpremotePort":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ports() -> list[str]:
    """Serial ports of this computer that look like a USB device."""
    from serial.tools import list_ports

    return sorted(port.device for port in list_ports.comports() if port.vid is not None)


def _why_not(device: str, error: Exception) -> str:
    """Why a port cannot be opened, and what can be."""
    if "://" in device:
        return str(error)
    if "\0" in device or not os.path.exists(device):
        return f"there is no such port; there are: {', '.join(ports()) or 'none, is the meter plugged in?'}"
    if not stat.S_ISCHR(os.stat(device).st_mode):
        return "that is no serial port"
    if not os.access(device, os.R_OK | os.W_OK):
        return "no permission to use it (on Linux: the group dialout)"
    return "cannot be used: no serial port, or another program is connected to it"


class LinkBoard:
    """A virtual board inside this process, at full speed: its prompt (a Port) and its mains (as VirtualBoard)."""

    def __init__(self, config: dict[str, Any], engine: str = "micropython") -> None:
        self._link = Link(engine, {"board": {}, "seed": 1, **config, "console": True})
        self.now_us = 0
        self.snap: dict[str, Any] = {}
        self.out: list[list[Any]] = []
        self._items: list[list[Any]] = []
        self._said = ""
        self._raw = False

    def stimulus(self, items: list[list[Any]]) -> int:
        """Items of the link from now on (their time None). Returns the simulated time in us."""
        self._items += [[item[0], self.now_us if item[1] is None else item[1], *item[2:]] for item in items]
        return self.now_us

    def wait(self, seconds: float) -> dict[str, Any]:
        """Until so many simulated seconds have passed; the newest snap."""
        self._run(self.now_us + round(seconds * 1e6))
        return self.snap

    def look(self) -> dict[str, Any]:
        """The snap of this moment."""
        self._run(self.now_us + FIRST_STEP_US)
        return self.snap

    def execute(self, code: str, seconds: float) -> str:
        """See Port: raw mode of the prompt."""
        if not self._raw:
            self._type("\r\x03\r\x01")
            self._until(RAW_READY, 0.0)
            self._raw = True
        self._said = ""
        self._type(code + END)
        said = self._until(END + ">", seconds)
        out, err, _ = said.removeprefix("OK").split(END, 2)
        if err:
            raise PortError(f"the meter's prompt said: {_last_line(err)}")
        return out

    def finish(self) -> dict[str, Any]:
        """End the run; what Link.finish() knows, the memory included."""
        return self._link.finish()

    def close(self) -> None:
        """Stop the engine."""
        self._link.close()

    def __enter__(self) -> "LinkBoard":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _type(self, text: str) -> None:
        self.stimulus([["console", None, text]])

    def _until(self, ending: str, seconds: float) -> str:
        """Let time go on until the prompt has said `ending`; everything that it said."""
        end_us = self.now_us + round((seconds + SPARE_S) * 1e6)
        for step_us in _steps(seconds):
            self._run(self.now_us + step_us)
            if self._said.endswith(ending):
                return self._said
            if self.now_us > end_us:
                break
        raise PortError(f"the prompt did not answer: {_last_line(self._said)}")

    def _run(self, until_us: int) -> None:
        items, self._items = self._items, []
        reply = self._link.run(until_us, items)
        self.now_us = reply["t_us"]
        self.snap = reply["snap"]
        for item in reply["out"]:
            if item[0] == "console":
                self._said += item[2]
            elif item[0] == "error":
                raise EngineError(str(item[-1]))
            else:
                self.out.append(item)


def _steps(seconds: float) -> Iterator[int]:
    """First nearly the whole time that a command takes, then short steps that grow."""
    if seconds > 1.0:
        yield round((seconds - 0.2) * 1e6)
    step_us = FIRST_STEP_US
    while True:
        yield step_us
        step_us = min(STEP_US, step_us * 2)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][-200:] if lines else "nothing"
