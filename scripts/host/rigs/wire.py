"""A whole meter with a master at the other end of its RS-485 pair, at exact simulated times."""

from pathlib import Path
from typing import Any

from host.remote import registers
from host.rigs import rtu
from host.sim.link import FIRMWARE, Link
from openkh.model import Model

US = 1_000_000
LIMIT_US = 400_000  # the longest answer at 9600 baud takes 0.27 s


class Wire:
    """`frames`: what the master has heard, (start_us, end_us, bytes). `baud` and `parity` are the master's.

    `firmware_dir`: of another firmware; what else is given goes to the engine.
    """

    def __init__(
        self,
        engine: str = "cpython",
        code: str = "MDNCT-1SC",
        service: str = "60Hz",
        firmware_dir: Path = FIRMWARE,
        **config: Any,
    ) -> None:
        self.model = Model(code, service)
        self.baud = 19200
        self.parity = None
        self.now_us = 0
        self.frames: list[tuple[int, int, bytes]] = []
        self.out: list[list[Any]] = []
        self.snap: dict[str, Any] = {}
        self._items: list[list[Any]] = []
        self.link = Link(engine, {"model": code, "service": service, "seed": 1, "board": {}, **config}, firmware_dir)

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def add(self, *items: list[Any]) -> None:
        """Items of the link; a time of None is now."""
        self._items += [[item[0], self.now_us if item[1] is None else item[1], *item[2:]] for item in items]

    def mains(self, amps: float = 10.0, degrees: float = 0.0) -> None:
        """The same load on both lines from now on."""
        volts = self.model.nominal_mv / 1000
        self.add(["mains", None, 0, [volts, amps, degrees, 0.0], [volts, amps, degrees, 180.0], float(self.model.hz)])

    def send(self, data: bytes, at_us: int | None = None, kind: str = "serial") -> None:
        """The master (or `noise`) sends."""
        self.add([kind, at_us, data.decode("latin-1"), self.baud, self.parity])

    def go(self, seconds: float) -> list[tuple[int, int, bytes]]:
        """Let time pass; what the master has heard meanwhile."""
        items, self._items = sorted(self._items, key=lambda item: item[1]), []
        reply = self.link.run(self.now_us + round(seconds * US), items)
        self.now_us = reply["t_us"]
        self.snap = reply["snap"]
        heard = [(i[1], i[3], i[2].encode("latin-1")) for i in reply["out"] if i[0] == "serial"]
        self.frames += heard
        self.out += [item for item in reply["out"] if item[0] != "serial"]
        return heard

    def ask(self, request: bytes) -> bytes:
        """A request's answer, b"" for silence."""
        self.send(request)
        heard = self.go(LIMIT_US / US)
        return b"".join(data for _, _, data in heard)

    def read(self, address: int, count: int, function: int = 3) -> list[int]:
        """Registers."""
        return rtu.words(self.ask(rtu.read(address, count, function=function)), function=function)

    def values(self) -> dict[str, Any]:
        """The meter's own map, by name."""
        found = self.read(0, registers.OWN_WORDS)
        return {register.name: rtu.value(register, found) for register in registers.OWN}

    def finish(self) -> dict[str, Any]:
        return self.link.finish()


def started(engine: str = "cpython", amps: float = 10.0, **options: Any) -> Wire:
    """A meter that has run for 3 s under load."""
    wire = Wire(engine, **options)
    try:
        wire.mains(amps)
        wire.go(3.0)
    except BaseException:
        wire.link.close()
        raise
    return wire
