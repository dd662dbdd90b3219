"""The virtual board's RS-485 port and service prompt as pseudo-terminals (`./scripts/run --serial`, `--prompt`)."""

import select
import time
from collections.abc import Callable
from typing import Any

from host.port.terminal import PseudoTerminal
from openkh.remote.settings import Settings

TICK_S = 0.004  # wall time of a step while somebody talks
QUIET_TICK_S = 0.02
QUIET_S = 2.0
LEAST_US = 500
Advance = Callable[[int, list[list[Any]]], object]


class Terminals:
    """`serial` and `prompt` are PseudoTerminals, or None where they were not asked for."""

    def __init__(self, serial: bool, prompt: bool) -> None:
        self.serial = PseudoTerminal() if serial else None
        self.prompt = PseudoTerminal() if prompt else None
        self._both = [terminal for terminal in (self.serial, self.prompt) if terminal is not None]
        self._heard_s = 0.0
        # A port of its own at the baud rate of a new meter, until somebody opens it and sets another.
        self._baud = Settings().baud

    def names(self) -> list[str]:
        """`serial /dev/pts/N` and `prompt /dev/pts/N`, what of it there is."""
        found = (("serial", self.serial), ("prompt", self.prompt))
        return [f"{name} {terminal.name}" for name, terminal in found if terminal is not None]

    def items(self, now_us: int) -> list[list[Any]]:
        """What was sent to them, as items of the link."""
        found: list[list[Any]] = []
        if self.serial is not None:
            data = self.serial.read()
            if data:
                found.append(["serial", now_us, data.decode("latin-1"), *self.serial.framing(self._baud)])
        if self.prompt is not None:
            data = self.prompt.read()
            if data:
                found.append(["console", now_us, data.decode("latin-1")])
        if found:
            self._heard_s = time.monotonic()
        return found

    def take(self, item: list[Any]) -> None:
        """An item of the link: what the meter says at one of them goes out."""
        terminal = {"serial": self.serial, "console": self.prompt}.get(item[0])
        if terminal is not None:
            terminal.write(item[2].encode("latin-1", "replace"))

    def wait(self, seconds: float) -> None:
        """Until something is sent to one of them, at most so long."""
        writing = [terminal.fd for terminal in self._both if terminal.full]
        _, writable, _ = select.select([terminal.fd for terminal in self._both], writing, [], max(0.0, seconds))
        if writable:
            for terminal in self._both:
                terminal.write()

    def pace(self, advance: Advance, now_us: int, until_us: int, speed: float) -> None:
        """Let simulated time go on to `until_us` at `speed`, in steps small enough to answer whoever talks in time."""
        began_s = time.monotonic()
        began_us = now_us
        while now_us < until_us:
            tick_s = TICK_S if time.monotonic() - self._heard_s < QUIET_S else QUIET_TICK_S
            items = self.items(now_us)
            now_us = min(until_us, now_us + max(LEAST_US, round(tick_s * speed * 1e6)))
            advance(now_us, items)
            self.wait((now_us - began_us) / 1e6 / speed - (time.monotonic() - began_s))

    def close(self) -> None:
        """Hang up."""
        for terminal in self._both:
            terminal.close()
