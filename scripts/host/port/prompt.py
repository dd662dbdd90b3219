"""A MicroPython prompt on a serial port or pseudo-terminal, through mpremote's transport and its file verbs.

The raw REPL is entered without a soft reset (DR-10): a meter goes on metering.
"""

import ast
import contextlib
import errno
import io
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from mpremote.transport import Transport, TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from host.cli.refused import FailedError, RefusedError
from host.port.serial_ports import why_not

LONG_S = 1.5
SILENT_S = 2.0  # a port is read this long at a time: without it a pseudo-terminal is waited for without end
HANDSHAKES, HANDSHAKE_S = 3, 3.0
SPARE_S = 30.0  # a command is given up this long after it should have answered
CHUNK_BYTES = 512
RESET_S = 1.0  # a meter that is asked to restart saves first
BEFORE = "before_reset"  # a name at the board's prompt, which a reset forgets
BROKEN = (TransportError, OSError, ValueError)  # what mpremote raises where a port fails; ValueError: a NUL in a name


class PortError(FailedError):
    """The prompt did not answer, or not as a meter's prompt does."""


class CodeError(PortError):
    """Code at the prompt raised. `kind` is the exception's name; the text is the last line of the traceback."""

    def __init__(self, traceback: str) -> None:
        last = last_line(traceback)
        super().__init__(f"the meter's prompt said: {last}")
        self.said = last
        self.kind = last.split(":")[0].strip()


class Prompt(Protocol):
    """Somewhere to run statements."""

    def execute(self, code: str, seconds: float = 0.0) -> str:
        """Run `code`, which takes about `seconds` of the meter's time; what it printed. CodeError where it raised."""
        ...


def last_line(text: str) -> str:
    """The end of what a prompt has said, for a message."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][-200:] if lines else "nothing"


class SerialPrompt:
    """An open connection, in the raw REPL. Every method raises PortError where the connection breaks.

    pace: told True while a command takes its time, False while mpremote and the prompt talk (a virtual board may run
    faster than the clock in between).
    """

    def __init__(self, device: str, pace: Callable[[bool], None] = lambda _fast: None) -> None:
        """RefusedError where `device` is no port that can be used, PortError where no prompt answers there."""
        self.device = device
        self._pace = pace
        self._transport: Transport = self._opened()

    def _opened(self) -> SerialTransport:
        try:
            transport = SerialTransport(self.device, timeout=SILENT_S)
        except BROKEN as error:
            raise RefusedError(f"port {self.device!r}: {why_not(self.device, error)}") from None
        try:
            self._handshake(transport)
        except BaseException:
            with contextlib.suppress(*BROKEN):
                transport.close()
            raise
        return transport

    def _handshake(self, transport: SerialTransport) -> None:
        """To the prompt; again where a meter that is just starting has not heard the first one."""
        for left in reversed(range(HANDSHAKES)):
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # it prints what it could not understand
                    transport.enter_raw_repl(soft_reset=False, timeout_overall=HANDSHAKE_S)
                return
            except BROKEN as error:
                if not left:
                    raise PortError(
                        f"port {self.device}: no MicroPython prompt ({error}); the seal must be open, the meter started"
                    ) from None

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong on the wire or at the prompt, as this module's errors."""
        try:
            yield
        except TransportExecError as error:
            raise CodeError(error.error_output) from None
        except BROKEN as error:
            raise PortError(f"port {self.device}: the connection broke ({error}): plug it in and try again") from None

    def execute(self, code: str, seconds: float = 0.0) -> str:
        """See Prompt."""
        with self._told():
            try:
                self._transport.exec_raw_no_follow(code)
                self._pace(seconds > LONG_S)
                out, raised = self._transport.follow(SPARE_S + seconds)
            except KeyboardInterrupt:
                self._transport.enter_raw_repl(soft_reset=False, timeout_overall=HANDSHAKE_S)  # the command is given up
                raise
            finally:
                self._pace(False)
        if raised:
            raise CodeError(raised.decode(errors="replace"))
        return out.decode(errors="replace").replace("\r\n", "\n")

    def value(self, expression: str) -> Any:
        """The value of an expression at the prompt, a plain Python literal."""
        return ast.literal_eval(self.execute(f"print(repr({expression}))").strip())

    # Files on the board

    def write_file(self, path: str, data: bytes) -> None:
        """Write a file; whole only when this returns."""
        with self._told():
            self._transport.fs_writefile(path, data, CHUNK_BYTES)

    def append(self, data: bytes) -> None:
        """Write to the file that the board has open as `f`: for one that is made of more than what is sent."""
        for start in range(0, len(data), CHUNK_BYTES):
            self.execute(f"f.write({data[start : start + CHUNK_BYTES]!r})")

    def file_hash(self, path: str) -> str:
        """SHA-256 of a file on the board, in hexadecimal; "" where there is none."""
        with self._told():
            try:
                digest: bytes = self._transport.fs_hashfile(path, "sha256", CHUNK_BYTES)
            except OSError as error:
                if error.errno == errno.ENOENT:
                    return ""
                raise
        return digest.hex()

    # Resets

    def restart_blind(self, wait_s: float = 10.0) -> bool:
        """Reset the board whatever state the connection is in: leaves service mode after a failure. Whether it was told
        to; a board that is just restarting is waited for."""
        limit = time.monotonic() + wait_s
        while True:
            with contextlib.suppress(FailedError, RefusedError, *BROKEN):
                self._transport.close()
                self._transport = self._opened()
                self._transport.exec_raw_no_follow("import machine\nmachine.reset()")
                return True
            if time.monotonic() > limit:
                return False
            time.sleep(RESET_S)

    def reset_by(self, code: str, done_s: float = RESET_S, wait_s: float = 15.0) -> str:
        """Run code that takes `done_s` at most and resets the board, soon after or at its end; what it printed.

        Connects again within `wait_s`, to the board as it is after the reset: a meter takes its time to leave.
        """
        printed = b""
        with contextlib.suppress(*BROKEN):
            self._transport.exec_raw_no_follow(f"{BEFORE} = True\n{code}")
            printed = self._transport.read_until(1, b"\x04", timeout=done_s)
            time.sleep(RESET_S)
        with contextlib.suppress(*BROKEN):
            self._transport.close()
        limit = time.monotonic() + wait_s
        while True:
            time.sleep(0.5)
            try:
                self._transport = self._opened()
                if not self.value(f"{BEFORE!r} in globals()"):
                    return printed.decode(errors="replace").strip("\x04\r\n")
                self._transport.close()
                failed: Exception = PortError(f"{self.device} does not restart: unplug it, plug it in, and try again")
            except (PortError, RefusedError) as error:  # it has not come back yet
                failed = error
            if time.monotonic() > limit:
                raise PortError(str(failed))

    def close(self) -> None:
        """Leave the prompt as a person finds it, and let go of the port."""
        with contextlib.suppress(*BROKEN):
            self._transport.exit_raw_repl()
        with contextlib.suppress(*BROKEN):
            self._transport.close()

    def __enter__(self) -> "SerialPrompt":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
