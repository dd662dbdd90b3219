"""A meter at the service prompt on USB, read as over the RS-485 port."""

from collections.abc import Callable, Iterator

from host.port.prompt import SerialPrompt
from host.port.service import Service
from host.remote import values
from host.remote.intervals import Slot
from host.remote.registers import OWN

SLOTS = 200  # in one answer
_SECONDS = 8.0


class UsbMeter:
    """An open port. `values` and `slots` as host.remote.bus.Bus has them."""

    def __init__(self, port: str) -> None:
        self._prompt = SerialPrompt(port)
        self._service = Service(self._prompt)

    def close(self) -> None:
        """Let the port go."""
        self._prompt.close()

    def values(self) -> values.Values:
        """Everything in the meter's own map, of one moment."""
        said = self._service.call("readings()")
        return {register.name: said[register.name] for register in OWN}

    def slots(self, first: int, end: int, _capacity: int, told: Callable[[int], None]) -> Iterator[Slot]:
        """Slots of the interval memory from number `first` to before `end` that hold intervals."""
        number = first
        while number < end:
            upto = min(number + SLOTS, end)
            answer = self._service.call(f"intervals({upto - number}, {upto})", _SECONDS)
            for found in answer["intervals"]:
                yield Slot(*found)
            number = upto
            told(number - first)
