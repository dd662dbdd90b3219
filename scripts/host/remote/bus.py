"""A meter at the RS-485 port, through pymodbus."""

import logging
import os
import struct
import termios
from collections.abc import Callable, Iterator

import serial
from pymodbus.client import ModbusSerialClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU

from host.cli.refused import RefusedError
from host.port.serial_ports import why_not
from host.remote import registers, values
from host.remote.intervals import Slot
from host.remote.registers import INTERVAL, INTERVAL_WORDS, INTERVALS_FIRST, MOST_REGISTERS, OWN, OWN_WORDS

PARITIES = {"none": "N", "even": "E", "odd": "O"}
TIMEOUT_S = 1.0
TRIES = 3
_LISTEN_S = 0.6  # for what comes after a request that was not answered


class BusError(Exception):
    """No values; the text says why and what to look at."""


class Bus:
    """An open port. Every method raises BusError where the meter does not answer as it should."""

    def __init__(self, port: str, unit: int, baud: int, parity: str) -> None:
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what went wrong is said in our words
        self._port = port
        self._unit = unit
        self._settings = f"unit {unit}, {baud} baud, parity {parity}"
        letter = PARITIES["none" if _pseudo(port) else parity]
        self._client = ModbusSerialClient(
            port, baudrate=baud, parity=letter, timeout=TIMEOUT_S, retries=0, name="openkh"
        )
        try:  # as its connect() does, which keeps the reason to itself
            self._client.socket = serial.serial_for_url(
                port, baudrate=baud, parity=letter, timeout=TIMEOUT_S, write_timeout=TIMEOUT_S, exclusive=True
            )
            self._client.socket.inter_byte_timeout = self._client.inter_byte_timeout
        except termios.error as error:
            self._client.close()
            raise RefusedError(f"--port {port}: does not take {baud} baud, parity {parity}: {error.args[-1]}") from None
        except (OSError, ValueError) as error:
            raise RefusedError(f"--port {port}: {why_not(port, error)}") from None

    def close(self) -> None:
        """Let the port go."""
        self._client.close()

    def values(self) -> values.Values:
        """Everything in the meter's own map, of one moment."""
        words = self._read(0, OWN_WORDS)
        if words[0] < 1 or not 1 <= words[1] <= 2:
            raise BusError(
                f"{self._port}: unit {self._unit} answers, but is no OpenKh meter: its map begins {words[:4]}"
            )
        return values.decode(words, OWN)

    def slots(self, first: int, end: int, capacity: int, told: Callable[[int], None]) -> Iterator[Slot]:
        """Slots of the interval memory from number `first` to before `end`; `told` gets how many have been read."""
        most = MOST_REGISTERS // INTERVAL_WORDS
        number = first
        while number < end:
            place = number % capacity
            count = min(most, end - number, capacity - place)
            words = self._read(INTERVALS_FIRST + INTERVAL_WORDS * place, INTERVAL_WORDS * count)
            for i in range(count):
                said = values.decode(words[INTERVAL_WORDS * i :][:INTERVAL_WORDS], INTERVAL)
                still_there = said.pop("number") == (number + i) & 0xFFFF
                yield Slot(number + i, **said) if still_there else Slot.gone(number + i)
            number += count
            told(number - first)

    def _read(self, address: int, count: int) -> list[int]:
        for left in reversed(range(TRIES)):
            try:
                answer = self._client.read_holding_registers(address, count=count, device_id=self._unit)
            except ModbusException as error:
                if left:
                    continue
                raise BusError(f"{self._port}: {self._why_not(str(error))}") from None
            except (OSError, serial.SerialException) as error:
                raise BusError(f"{self._port}: {error}") from None
            if answer.isError():
                code = getattr(answer, "exception_code", 0)
                raise BusError(
                    f"{self._port}: unit {self._unit} refuses registers {address} to {address + count - 1} "
                    f"(exception {code}): it is no OpenKh meter, or an older one"
                )
            if len(answer.registers) != count:
                raise BusError(f"{self._port}: {len(answer.registers)} registers came where {count} were asked for")
            return list(answer.registers)
        raise AssertionError

    def _why_not(self, error: str) -> str:
        """What else is heard on the pair tells a wrong setting from a wire that is not there."""
        request = struct.pack(">BBHH", self._unit, 3, registers.OWN_FIRST, 1)
        asked = request + crc(request)
        heard = self._listen(asked)
        if heard is None:
            return "the port is gone, or its connection broke: plug it in"
        if heard.startswith(asked):
            return (
                f"the adapter hears what it sends ({self._settings}), and "
                + ("nobody answers" if heard == asked else "cannot be read that way")
                + ": switch its echo off (receiver enable to driver enable), and look at A and B"
            )
        if not heard:
            return (
                f"no answer ({self._settings}): is the meter powered, are A and B the right way round, "
                "and are these its settings? rs485() at its prompt tells them"
            )
        if len(heard) >= 5 and _whole(heard):
            if heard[0] == self._unit:
                return f"unit {self._unit} answers, but too late, or not to what it was asked ({self._settings})"
            return f"unit {heard[0]} answered instead of unit {self._unit}: two masters on the pair, or a late answer"
        return (
            f"something answers, but not in frames ({self._settings}): another baud rate or parity, or two units "
            f"with one number; heard {heard[:8].hex(' ')} ({error.splitlines()[0][:60]})"
        )

    def _listen(self, asked: bytes) -> bytes | None:
        """Ask once more by hand, and take whatever comes; None where there is no port any more."""
        port = self._client.socket
        if port is None:
            return None
        try:
            port.reset_input_buffer()
            port.write(asked)
            port.timeout = _LISTEN_S
            return bytes(port.read(64))
        except serial.SerialTimeoutException:  # it is there, and takes nothing
            return b""
        except (OSError, termios.error):
            return None


def _pseudo(port: str) -> bool:
    """Whether it is a pseudo-terminal: it has no parity, and to ask for one fails now and then."""
    return "\0" not in port and os.path.realpath(port).startswith("/dev/pts/")


def crc(data: bytes) -> bytes:
    """The two bytes that end a frame of Modbus RTU."""
    return FramerRTU.compute_CRC(data).to_bytes(2, "big")


def _whole(data: bytes) -> bool:
    return crc(data[:-2]) == data[-2:]
