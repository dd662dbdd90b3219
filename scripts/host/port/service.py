"""The meter's service commands, for programs: what a person types at the prompt, answered as JSON.

    with SerialPrompt("/dev/ttyACM0") as prompt:
        print(Service(prompt).call("status()"))

What the commands answer is described in docs/service.md.
"""

import json
from typing import Any

from host.cli.refused import FailedError
from host.port.prompt import CodeError, PortError, Prompt


class CommandRefusedError(FailedError):
    """The meter turned a command down; the text is its reason."""


class Service:
    """The firmware's service commands at a prompt."""

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt

    def call(self, command: str, seconds: float = 0.0) -> dict[str, Any]:
        """`command` as typed at the prompt, such as "status()"; its JSON answer. CommandRefusedError where the meter
        refuses, PortError where there is no meter at the prompt."""
        body = command[:-1] + (", " if not command.endswith("()") else "") + "json=True)"
        try:
            said = self._prompt.execute(f"import openkh.service as s\ns.{body}", seconds)
        except CodeError as error:
            if error.kind == "ImportError" and "openkh" in error.said:
                raise PortError("MicroPython without OpenKh: ./scripts/flash first") from None
            raise
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
