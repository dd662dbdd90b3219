"""The bus of questions.py on the simulated chip, in simulated time, and the bench source in front of it."""

import math
from typing import Any

from boards.virtual.ade7953.chip import Ade7953
from boards.virtual.rp2040.clock import Clock

FRAME_US = 60  # of one read or write as a Pico does it at 1 MHz


class SimulatedBus:
    """One simulated chip with the settings of a scenario's [board] chip1."""

    def __init__(self, settings: dict[str, Any], seed: int = 1) -> None:
        self._clock = Clock()
        self._level = 1
        self._chip = Ade7953(self._clock, self._irq_moves, seed, **settings)
        self._chip.reset_pin(1)
        self._chip.power(True)
        self._clock.sleep(200_000)

    def _irq_moves(self, level: int | None) -> None:
        self._level = 1 if level is None else level

    def irq(self) -> int:
        """Level of the IRQ pin."""
        return self._level

    def sleep_us(self, us: int) -> None:
        """Simulated time."""
        self._clock.sleep(us)

    def ticks_us(self) -> int:
        """Simulated time."""
        return self._clock.now_us

    def since(self, start: int) -> int:
        """Microseconds since a reading of ticks_us."""
        return self._clock.now_us - start

    def reset(self, low_us: int) -> None:
        """A pulse on the RESET pin."""
        self._chip.reset_pin(0)
        self._clock.sleep(low_us)
        self._chip.reset_pin(1)
        self._clock.sleep(0)

    def _frame(self, data: bytes) -> bytearray:
        answer = bytearray(len(data))
        self._chip.cs(0)
        self._chip.exchange(data, answer)
        self._clock.sleep(2)
        self._chip.cs(1)
        self._clock.sleep(FRAME_US)
        return answer

    def read(self, address: int) -> int:
        """A register, unsigned."""
        width = (address >> 8) + 1 if address < 0x400 else 1
        answer = self._frame(bytes([address >> 8, address & 0xFF, 0x80]) + bytes(width))
        return int.from_bytes(answer[3:], "big")

    def write(self, address: int, value: int) -> None:
        """Write a register."""
        width = (address >> 8) + 1 if address < 0x400 else 1
        self._frame(bytes([address >> 8, address & 0xFF, 0]) + value.to_bytes(width, "big"))

    # The bench source

    def signal(self, volts_part: float, amps_part: float, degrees: float, hz: float = 60.0) -> None:
        """Sine inputs as parts of full scale; degrees > 0: the current lags."""
        angle = math.radians(degrees)
        power = volts_part * amps_part
        self._chip.drive(volts_part, amps_part, power * math.cos(angle), power * math.sin(angle), hz)

    def step_frequency(self) -> None:
        """From 60 to 50 Hz."""
        self.signal(0.6, 0.4, 0.0, 50.0)
