"""The RS-485 port of a meter whose values stand still, on the simulated UART and its pair of wires: the firmware's own
modules without metering, so that a million frames take minutes. On CPython."""

from types import SimpleNamespace
from typing import Any

from boards.virtual.board import Board
from boards.virtual.parts import rs485
from boards.virtual.rp2040.clock import NEVER
from host.remote import registers
from openkh.model import Model
from openkh.remote.settings import PARITIES, Settings
from openkh.state import State

PORT = (1, 24, 25, 29)  # as on the reference board: UART, TX, RX, driver enable
SLOTS = 100


class Line:
    """A line's readings as the status has them."""

    def __init__(self, p_mw: int = 1_200_000, q_mvar: int = 500_000, reported: int = 0) -> None:
        self._p, self._q = p_mw, q_mvar
        self.reported = reported

    def p_mw(self) -> int:
        return self._p

    def q_mvar(self) -> int:
        return self._q


class Slots:
    """Interval memory in which each register says where it is."""

    slots = SLOTS

    def encode(self, slot: int, buf: bytearray, at: int) -> None:
        for i in range(registers.INTERVAL_WORDS):
            number = registers.INTERVAL_WORDS * slot + i
            buf[at + 2 * i : at + 2 * i + 2] = bytes([number >> 8, number & 255])


def element(v_mv: int = 120_000, i_ma: int = 10_000, silent: bool = False) -> Any:
    """What a front end measures."""
    return SimpleNamespace(v_mv=v_mv, i_ma=i_ma, period_raw=3728, silent=silent, fitted=True)


def still_meter(code: str = "MDNCT-1SC", service: str = "60Hz", **changed: int) -> Any:
    """What the port reads of a meter; `changed`: values of its state."""
    model = Model(code, service)
    state = State()
    for name, number in changed.items():
        setattr(state, name, number)
    lines = (Line(), Line(-300_000, 0)) if model.elements == 2 else (Line(), None)
    return SimpleNamespace(
        model=model,
        cycle=SimpleNamespace(state=state, cycles=7),
        elements=[element() for _ in range(model.elements)],
        status=SimpleNamespace(line_1=lines[0], line_2=lines[1], condition=7, lines=2, failures=0),
        rail12=SimpleNamespace(state=1),
        log=SimpleNamespace(order=12),
        intervals=None,
        stored=SimpleNamespace(count=3),
        factory=SimpleNamespace(identity=SimpleNamespace(serial="000000000042", date="260131", count=1)),
    )


class PortRig:
    """`heard`: frames that the master has heard, (start_us, end_us, bytes)."""

    def __init__(self, settings: Settings, code: str = "MDNCT-1SC", seed: int = 1) -> None:
        self.board = Board(seed)
        self.clock = self.board.clock
        self.baud = settings.baud
        self.parity = PARITIES[settings.parity]
        self.character_us = (10 if self.parity is None else 11) * 1e6 / settings.baud
        self.heard: list[tuple[int, int, bytes]] = []
        self.board.install()
        try:
            from machine import Pin

            from openkh.remote.port import Port

            number, tx, rx, enable = PORT
            self.meter = still_meter(code, delivered_wh=123_456_789, delivered_counts=77)
            driver = Pin(enable, Pin.OUT, value=0)
            self.port = Port(self.meter, Slots(), settings, None, number, Pin(tx), Pin(rx), driver)
        finally:
            self.board.uninstall()
        pair = rs485.Pair(self.clock, seed)
        self.wire = rs485.Transceiver(self.board.uart(number), pair, self.board.pins[enable])
        self._master = rs485.Master(self.clock, pair, self._hear)
        self.port.open()

    def _hear(self, text: str, first_us: int, last_us: int) -> None:
        self.heard.append((first_us, last_us, text.encode("latin-1")))

    def send(self, data: bytes) -> None:
        """Send, and let the time pass that it takes."""
        self._master.send(data.decode("latin-1"), self.baud, self.parity)
        self.wait(round(len(data) * self.character_us))

    def wait(self, us: int) -> None:
        """Let time pass."""
        self.clock.sleep(us)

    def answer(self) -> tuple[int, int, bytes] | None:
        """What the master hears next; None where nothing more will come until somebody sends."""
        while not self.heard and self.clock.next_us != NEVER:
            self.clock.next_event()
        return self.heard.pop(0) if self.heard else None
