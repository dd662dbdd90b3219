"""The serial ports of this computer: one list for every command."""

import errno
import os
import stat
from typing import NamedTuple

from serial.tools import list_ports

from host.cli.refused import FailedError, RefusedError

VID_RASPBERRY_PI = 0x2E8A
PID_BOOTSEL = 0x0003  # the RP2040's own boot loader: no MicroPython is running


class SerialPort(NamedTuple):
    """A port of a USB device. `micropython`: it says that it is an RP2040 which runs MicroPython."""

    device: str
    serial_number: str
    micropython: bool


def ports() -> list[SerialPort]:
    """Every serial port of a USB device, by name."""
    found = [
        SerialPort(port.device, port.serial_number or "", port.vid == VID_RASPBERRY_PI and port.pid != PID_BOOTSEL)
        for port in list_ports.comports()
        if port.vid is not None
    ]
    return sorted(found)


def names() -> str:
    """The ports there are, for a message."""
    return ", ".join(port.device for port in ports())


def only_board() -> str:
    """The port of the one board that is plugged in; FailedError where there is none, RefusedError among several."""
    boards = [port for port in ports() if port.micropython]
    if not boards:
        raise FailedError(
            "no board with MicroPython on USB: plug it in with a cable that carries data, or name its port with "
            "--port; a new Pico has no MicroPython yet (./scripts/flash --uf2 says how to put it on)"
        )
    if len(boards) > 1:
        listed = ", ".join(f"--port {port.device} (board {port.serial_number})" for port in boards)
        raise RefusedError(f"{len(boards)} boards found; say which one: {listed}")
    return boards[0].device


def why_not(device: str, error: Exception) -> str:
    """Why the port `device` cannot be opened, and what can be."""
    if "://" in device:
        return str(error)
    if "\0" in device or not os.path.exists(device):
        return f"there is no such port; there are: {names() or 'none, is the meter plugged in?'}"
    if not stat.S_ISCHR(os.stat(device).st_mode):
        return "that is no serial port"
    if not os.access(device, os.R_OK | os.W_OK):
        return "no permission to use it (on Linux: the group dialout)"
    if getattr(error, "errno", None) == errno.EAGAIN:
        return "another program is connected to it"
    return "cannot be used: no serial port, or another program is connected to it"
