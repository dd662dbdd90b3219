"""The meter's prompt at the link's level: what is typed arrives at exact simulated times, without a pseudo-terminal."""

import json
from typing import Any

from host.sim.link import Link
from openkh.model import Model

STEP_US = 20_000
LIMIT_S = 60.0
US = 1_000_000


class PromptError(Exception):
    """What was typed raised; the text is the traceback."""


class Prompt:
    """A meter on an engine with its console. `said` is all that came from the port, `out` the link's other items."""

    def __init__(
        self,
        engine: str = "cpython",
        model: str = "MDNCT-1SC",
        service: str = "60Hz",
        board: dict[str, Any] | None = None,
        **config: Any,
    ) -> None:
        self.model = Model(model, service)
        self.now_us = 0
        self.typed = 0  # characters
        self.said = ""
        self.out: list[list[Any]] = []
        self.snap: dict[str, Any] = {}
        self._items: list[list[Any]] = []
        self._raw = False
        self.link = Link(
            engine, {"model": model, "service": service, "seed": 1, "board": board or {}, **config, "console": True}
        )

    def __enter__(self) -> "Prompt":
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    # The world

    def add(self, *items: list[Any]) -> None:
        """Items of the link; a time of None is now."""
        for item in items:
            self._items.append([item[0], self.now_us if item[1] is None else item[1], *item[2:]])

    def mains(self, amps: float = 10.0, degrees: float = 0.0, volts: float | None = None) -> None:
        """The same load on both lines from now on."""
        volts = self.model.nominal_mv / 1000 if volts is None else volts
        self.add(["mains", None, 0, [volts, amps, degrees, 0.0], [volts, amps, degrees, 180.0], float(self.model.hz)])

    def seal(self, closed: bool) -> None:
        self.add(["seal", None, int(closed)])

    def type(self, text: str, at_us: int | None = None) -> None:
        """Bytes to the port, one a character."""
        self.typed += len(text)
        self.add(["console", at_us, text])

    def go(self, seconds: float) -> str:
        """Let time pass; what came from the port meanwhile."""
        return self._run(self.now_us + round(seconds * US))

    def _run(self, until_us: int) -> str:
        items, self._items = sorted(self._items, key=lambda item: item[1]), []
        reply = self.link.run(until_us, items)
        self.now_us = until_us
        self.snap = reply["snap"]
        said = "".join(item[2] for item in reply["out"] if item[0] == "console")
        self.said += said
        self.out += [item for item in reply["out"] if item[0] != "console"]
        return said

    def finish(self) -> dict[str, Any]:
        return self.link.finish()

    # The prompt

    def ask(self, code: str, limit_s: float = LIMIT_S) -> str:
        """Run code in the raw REPL; what it printed."""
        if not self._raw:
            self.type("\r\x03\r\x01")
            self.go(0.1)
            self._raw = True
        self.type(code + "\x04")
        said = ""
        end_us = self.now_us + round(limit_s * US)
        while said.count("\x04") < 2 or not said.endswith(">"):
            if self.now_us >= end_us:
                raise TimeoutError(f"{code!r}: {said!r}")
            said += self._run(self.now_us + STEP_US)
        text, error = said[said.index("OK") + 2 :].split("\x04")[:2]
        if error:
            raise PromptError(error)
        return text.replace("\r\n", "\n")

    def json(self, call: str, limit_s: float = LIMIT_S) -> dict[str, Any]:
        """The answer of a command as one JSON line."""
        call = call[:-1] + ("" if call.endswith("()") else ", ") + "json=True)"
        lines = self.ask(call, limit_s).strip().split("\n")
        if len(lines) != 1:
            raise PromptError(f"{call}: not one line: {lines}")
        return json.loads(lines[0])

    def restarted(self) -> None:
        """The board has restarted: its prompt is the friendly one again."""
        self._raw = False

    # What must be equal

    @property
    def delivered_counts(self) -> int:
        """The register in counts of the front end."""
        whole, part = self.snap["delivered"].split(".")
        return int(whole) * self.model.counts_per_wh + -(-int(part) * self.model.counts_per_wh // 1_000_000)

    def settle(self) -> None:
        """Load off, until the register has all that was counted."""
        self.mains(0.0)
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
        prompt.mains(0.0)
        prompt.go(3.0)
        prompt.mains(amps, degrees)
        prompt.go(2.0)
    except BaseException:
        prompt.link.close()
        raise
    return prompt
