"""The meter's prompt for tests and campaigns: what is typed arrives at exact simulated times."""

import json
from pathlib import Path
from typing import Any

from host.port.prompt import CodeError
from host.sim.board import Board
from host.sim.link import FIRMWARE
from openkh.model import Model


class Prompt(Board):
    """A meter on an engine with its console, and what must hold for it."""

    def __init__(
        self,
        engine: str = "cpython",
        model: str = "MDNCT-1SC",
        service: str = "60Hz",
        board: dict[str, Any] | None = None,
        firmware_dir: Path = FIRMWARE,
        **config: Any,
    ) -> None:
        self.model = Model(model, service)
        self.typed = 0  # characters
        settings = {"model": model, "service": service, "board": board or {}, **config}
        super().__init__(settings, engine, strict=False, firmware_dir=firmware_dir)

    def __enter__(self) -> "Prompt":
        return self

    def load(self, amps: float = 10.0, degrees: float = 0.0, volts: float | None = None) -> None:
        """The same load on both lines from now on."""
        line = (self.model.nominal_mv / 1000 if volts is None else volts, amps, degrees)
        self.mains(line, line, float(self.model.hz))

    def type(self, text: str, at_us: int | None = None) -> None:
        """Bytes to the port, one a character."""
        self.typed += len(text)
        super().type(text, at_us)

    def go(self, seconds: float) -> str:
        """Let time pass; what came from the port meanwhile."""
        return self.run_until(self.now_us + round(seconds * 1e6))

    def json(self, call: str, seconds: float = 0.0) -> dict[str, Any]:
        """The answer of a command as one JSON line."""
        call = call[:-1] + ("" if call.endswith("()") else ", ") + "json=True)"
        lines = self.execute(call, seconds).strip().split("\n")
        if len(lines) != 1:
            raise CodeError(f"{call}: not one line: {lines}")
        return json.loads(lines[0])

    # What must be equal

    @property
    def delivered_counts(self) -> int:
        """The register in counts of the front end."""
        whole, part = self.snap["delivered"].split(".")
        return int(whole) * self.model.counts_per_wh + -(-int(part) * self.model.counts_per_wh // 1_000_000)

    def settle(self) -> None:
        """Load off, until the register has all that was counted."""
        self.load(0.0)
        self.go(2.0)

    def assert_nothing_lost(self) -> None:
        """The register is what the chips have counted, to the count (EN-2)."""
        self.settle()
        assert self.delivered_counts == sum(self.snap["counted"])

    def errors(self) -> list[list[Any]]:
        return [item for item in self.out if item[0] == "error"]

    def boots(self) -> list[str]:
        """Why the RP2040 started, each time."""
        return [item[2] for item in self.out if item[0] == "boot"]


def started(engine: str = "cpython", amps: float = 10.0, degrees: float = 0.0, **options: Any) -> Prompt:
    """A meter that has run for 3 s without load and is under load since a second."""
    prompt = Prompt(engine, **options)
    try:
        prompt.load(0.0)
        prompt.go(3.0)
        prompt.load(amps, degrees)
        prompt.go(2.0)
    except BaseException:
        prompt.close()
        raise
    return prompt
