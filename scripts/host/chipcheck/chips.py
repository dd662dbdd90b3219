"""Where the questions are put: to a front end on a Pico's SPI over its prompt, or to the simulated chip."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from host.chipcheck import questions
from host.chipcheck.simulated import SimulatedBus
from host.cli.refused import FailedError
from host.port.prompt import SerialPrompt

HERE = Path(__file__).parent
METERING = "import sys\nprint(int('openkh.app' in sys.modules and sys.modules['openkh.app'].meter is not None))"
SLOW_S = 30.0


class Chip(Protocol):
    """`ask` puts a question of questions.py by its name; `set_signal` has the bench source set, in words and values."""

    title: str

    def ask(self, question: str) -> dict[str, Any]: ...
    def set_signal(self, words: str, volts_part: float, amps_part: float, degrees: float) -> None: ...
    def wait(self, seconds: float) -> None: ...


class SimulatedChip:
    """The chip of the virtual board."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.title = "simulated chip"
        self._bus = SimulatedBus(settings)

    def ask(self, question: str) -> dict[str, Any]:
        """See Chip."""
        found: dict[str, Any] = getattr(questions, question)(self._bus)
        return found

    def set_signal(self, words: str, volts_part: float, amps_part: float, degrees: float) -> None:  # noqa: ARG002
        """See Chip."""
        self._bus.signal(volts_part, amps_part, degrees)

    def wait(self, seconds: float) -> None:
        """See Chip."""
        self._bus.sleep_us(round(seconds * 1e6))


class PicoChip:
    """A front end on a Pico, or on a board whose meter does not run."""

    def __init__(self, prompt: SerialPrompt, wires: tuple[int, ...], person: Callable[[str], None]) -> None:
        self.title = f"SPI{wires[0]}, CS on GPIO{wires[4]}"
        self._prompt = prompt
        self._wires = wires
        self._person = person

    def ask(self, question: str) -> dict[str, Any]:
        """See Chip."""
        if question == "period":
            self._person("Change the frequency of the source between 50 and 60 Hz within 20 s after pressing Enter")
        said = self._prompt.execute(f"print(json.dumps({question}(Bus({self._wires}))))", SLOW_S)
        found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
        return found

    def set_signal(self, words: str, volts_part: float, amps_part: float, degrees: float) -> None:  # noqa: ARG002
        """See Chip."""
        self._person(f"Set {words}, then press Enter")

    def wait(self, seconds: float) -> None:
        """See Chip."""
        self._prompt.execute(f"from time import sleep_ms\nsleep_ms({round(seconds * 1000)})", seconds)


def prepare(prompt: SerialPrompt) -> None:
    """Put the questions on the board. FailedError where a meter runs there: its front ends are in use."""
    if prompt.execute(METERING).strip() == "1":
        raise FailedError(
            f"port {prompt.device}: a meter runs on this board, its front ends are in use: update_mode() at its prompt "
            "first (restart() brings it back)"
        )
    prompt.execute("import json")
    for name in ("pico_bus.py", "questions.py"):
        prompt.execute((HERE / name).read_text())
