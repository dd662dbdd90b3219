"""A MicroPython board on a serial port: found, spoken to over the raw REPL without a soft reset (DR-10)."""

import ast
import contextlib
import io
import time

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from serial.tools import list_ports

from host.cli.refused import FailedError

VID_RASPBERRY_PI = 0x2E8A
PID_BOOTSEL = 0x0003  # the RP2040's own boot loader: no MicroPython is running
CHUNK_BYTES = 512
BEFORE = "before_reset"  # a name at the board's prompt, which a reset forgets
RESET_S = 1.0  # a meter that is asked to restart saves first


class DeviceError(FailedError):
    """The board cannot do what was asked; the text says what happened and what to do."""


class DeviceCodeError(DeviceError):
    """Code on the board raised; `kind` is the exception's name."""

    def __init__(self, text: str) -> None:
        last = text.strip().splitlines()[-1] if text.strip() else ""
        super().__init__(last.strip() or "no reason given")
        self.kind = last.split(":")[0].strip()


def ports() -> list[tuple[str, str]]:
    """(port, serial number) of every board with MicroPython that is plugged in."""
    found = []
    for port in list_ports.comports():
        if port.vid == VID_RASPBERRY_PI and port.pid != PID_BOOTSEL:
            found.append((port.device, port.serial_number or ""))
    return sorted(found)


class Device:
    """An open connection, in the raw REPL."""

    def __init__(self, port: str) -> None:
        self.port = port
        self._transport = self._open()

    def _open(self) -> SerialTransport:
        try:
            transport = SerialTransport(self.port, baudrate=115200)
        except (TransportError, serial.SerialException, OSError) as error:
            raise DeviceError(
                f"cannot open {self.port} ({error}): is another program using it, "
                "or may this user not open serial ports?"
            ) from error
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # on failure it prints what it has received
                transport.enter_raw_repl(soft_reset=False, timeout_overall=5)
        except (TransportError, serial.SerialException, OSError) as error:
            with contextlib.suppress(Exception):
                transport.close()
            raise DeviceError(
                f"{self.port} does not answer like a MicroPython prompt: it runs something else, "
                "or its seal is closed (open the seal and try again)"
            ) from error
        return transport

    def close(self) -> None:
        """Back to the friendly prompt, and let go of the port."""
        with contextlib.suppress(TransportError, serial.SerialException, OSError):
            self._transport.exit_raw_repl()
            self._transport.close()

    def run(self, code: str, timeout_s: float = 20.0) -> str:
        """Run code on the board; what it printed. DeviceCodeError where it raised."""
        try:
            out, error = self._transport.exec_raw(code, timeout=timeout_s)
        except (TransportError, TransportExecError, serial.SerialException, OSError) as failed:
            raise DeviceError(
                f"{self.port}: the connection broke ({failed}); plug it in again and try again"
            ) from failed
        if error:
            raise DeviceCodeError(error.decode(errors="replace"))
        return out.decode(errors="replace").replace("\r\n", "\n")

    def value(self, expression: str):
        """The value of an expression on the board, a plain Python literal."""
        return ast.literal_eval(self.run(f"print(repr({expression}))").strip())

    def write(self, path: str, data: bytes) -> None:
        """Write a file; whole only when this returns."""
        self.run(f"f=open({path!r},'wb')")
        self.append(data)
        self.run("f.close();del f")

    def append(self, data: bytes) -> None:
        """Write to the file that the board has open as `f`."""
        for start in range(0, len(data), CHUNK_BYTES):
            self.run(f"f.write({data[start : start + CHUNK_BYTES]!r})")

    def restart_blind(self) -> None:
        """Reset the board whatever state the connection is in: leaves service mode after a failure."""
        with contextlib.suppress(DeviceError, TransportError, serial.SerialException, OSError):
            self._transport.close()
            self._transport = self._open()
            self._transport.exec_raw_no_follow("import machine\nmachine.reset()")

    def reset_by(self, code: str, done_s: float = RESET_S, wait_s: float = 15.0) -> str:
        """Run code that takes `done_s` at most and resets the board, soon after or at its end; what it printed.

        Connects again within `wait_s`, to the board as it is after the reset: a meter takes its time to leave.
        """
        printed = b""
        with contextlib.suppress(TransportError, TransportExecError, serial.SerialException, OSError):
            self._transport.exec_raw_no_follow(f"{BEFORE} = True\n{code}")
            printed = self._transport.read_until(1, b"\x04", timeout=done_s)
            time.sleep(RESET_S)
        with contextlib.suppress(TransportError, serial.SerialException, OSError):
            self._transport.close()
        limit = time.monotonic() + wait_s
        while True:
            time.sleep(0.5)
            try:
                self._transport = self._open()
                if not self.value(f"{BEFORE!r} in globals()"):
                    return printed.decode(errors="replace").strip("\x04\r\n")
                self._transport.close()
                error = DeviceError(f"{self.port} does not restart: unplug it, plug it in, and try again")
            except DeviceError as failed:
                error = failed
            if time.monotonic() > limit:
                raise error
