"""Bursts at the RS-485 port alone: each baud rate and parity, byte by byte on the simulated pair, no meter behind it.

Each answer is held against a plain reading of the Modbus specification, and byte for byte against pymodbus' slave with
the same registers. Nothing that comes in may change anything (AM-1, AM-2, AM-5).
"""

from dataclasses import dataclass
from random import Random
from typing import Any

from host.campaigns.remote import bursts
from host.campaigns.remote.bursts import Reference
from host.rigs import rtu
from host.rigs.port_rig import SLOTS, PortRig
from openkh.remote.settings import BAUDS, PARITIES, Settings

BEGIN_US = 50_000
CALM_US = 130_000  # after a flood
LEAST_US = 6_000  # from one burst to the next: more than 12 in 60 ms are a flood
MOST_US = 20_000
_IN_FRAME = 1.4  # characters of pause that a frame may have in it, or
_IN_FRAME_US = 740
_IDLE_BITS = 32  # without a byte end a frame up to _CHIP_BAUD (docs/modbus.md),
_SILENCE_US = 1750  # and so much above it
_CHIP_BAUD = 19_200
_CODES = ("MDNCT-1SC", "MSNCT-2SC")


@dataclass(frozen=True)
class Piece:
    """Bytes that make one frame: `parts` with pauses in between that are no frame's end; `before_us`: pause before."""

    parts: tuple[bytes, ...]
    before_us: int

    @property
    def data(self) -> bytes:
        return b"".join(self.parts)


class Noise:
    """One port and what is sent to it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = Random(f"port noise {seed}")
        settings = Settings(self.rng.choice(BAUDS), self.rng.choice(tuple(PARITIES)), bursts.UNIT)
        self.rig = PortRig(settings, self.rng.choice(_CODES), seed)
        slow = settings.baud <= _CHIP_BAUD
        self.silence_us = _IDLE_BITS * 1_000_000 // settings.baud if slow else _SILENCE_US
        self.inside_us = round(_IN_FRAME * self.rig.character_us) if slow else _IN_FRAME_US
        self.counts: dict[str, int] = {}
        self.reference = Reference(bursts.image_of(self._read, SLOTS))

    def _read(self, address: int, count: int) -> list[int]:
        self.rig.send(rtu.read(address, count))
        heard = self.rig.answer()
        assert heard is not None
        self.rig.wait(LEAST_US)
        return rtu.words(heard[2])

    def run(self, count: int) -> dict[str, int]:
        """Send so many bursts; AssertionError where one is met wrongly."""
        before = self._state()
        while self.counts.get("bursts", 0) < count:
            if self.rng.random() < 0.003:
                self._flood()
            else:
                for piece in self._draw():
                    self._meet(piece)
        assert self._state() == before, "something of the meter has changed"
        return self.counts

    def _state(self) -> dict[str, Any]:
        """What nothing on the port may change."""
        meter = self.rig.meter
        settings = dict(vars(self.rig.port.settings))
        return {
            **vars(meter.cycle.state),
            **vars(meter.factory.identity),
            **settings,
            "unit in use": self.rig.port.slave.unit,
        }

    def _draw(self) -> list[Piece]:
        rng = self.rng
        pause = rng.randrange(LEAST_US, MOST_US)
        kind = rng.random()
        if kind < 0.1:  # a request that is broken off, and asked anew
            whole = bursts.read_request(rng)
            rest = rng.randrange(2 * self.silence_us, MOST_US)
            return [Piece((whole[: rng.randrange(1, len(whole))],), pause), Piece((whole,), max(LEAST_US, rest))]
        data = bursts.burst(rng)
        if kind < 0.2 and len(data) > 1:  # an adapter that does not keep the bytes together
            at = rng.randrange(1, len(data))
            return [Piece((data[:at], data[at:]), pause)]
        if kind < 0.25:  # a driver that is switched on
            return [Piece((rng.randbytes(rng.randrange(1, 4)) + bursts.read_request(rng),), pause)]
        return [Piece((data,), pause)]

    def _meet(self, piece: Piece) -> None:
        rig = self.rig
        rig.wait(piece.before_us)
        for n, part in enumerate(piece.parts):
            if n:
                rig.wait(self.rng.randrange(1, self.inside_us))
            rig.send(part)
        end_us = rig.clock.now_us
        heard = rig.answer()
        data = piece.data
        wanted = bursts.expected(data, SLOTS)
        theirs = self.reference.answer(data)
        where = (
            f"seed {self.seed}, {rig.baud} baud, parity {rig.parity}: {' | '.join(part.hex() for part in piece.parts)}"
        )
        self._count("bursts")
        if wanted is None:
            assert heard is None, f"{where}: answered {heard}"
            self._count("silent")
            self._count("silent, answered by the reference", theirs is not None)
            return
        assert heard is not None, f"{where}: not answered"
        first_us, _, answer = heard
        assert answer.startswith(wanted) and rtu.crc(answer[:-2]) == answer[-2:], f"{where}: {answer.hex()}"
        # The bytes of a frame with a pause in it may be counted just as one comes in: its end is then told early.
        least_us = self.silence_us if len(piece.parts) == 1 else min(self.silence_us, _IN_FRAME_US)
        assert least_us - 10 <= first_us - end_us <= BEGIN_US, f"{where}: after {first_us - end_us} us"
        assert theirs in (None, answer), f"{where}: {answer.hex()}, reference {theirs.hex() if theirs else None}"
        self._count("refused" if answer[1] & 0x80 else "answered")
        self._count("equal to the reference", theirs is not None)

    def _flood(self) -> None:
        """Without a pause, or with none that a master would make; then the port must be itself again."""
        rig, rng = self.rig, self.rng
        rig.wait(LEAST_US)
        if rng.random() < 0.5:
            rig.send(bursts.flood(rng))
        else:
            for _ in range(rng.randrange(15, 40)):
                rig.send(bursts.burst(rng))
                rig.wait(rng.randrange(1, 6 * self.silence_us // 5))
        while rig.answer() is not None:
            pass
        rig.wait(CALM_US)
        self._count("bursts")
        self._count("floods")
        whole = bursts.read_request(rng)
        self._meet(Piece((whole,), LEAST_US))

    def _count(self, what: str, told: bool = True) -> None:
        self.counts[what] = self.counts.get(what, 0) + told


def run(seed: int, count: int) -> dict[str, int]:
    """One port of one seed; AssertionError where a burst is met wrongly."""
    return Noise(seed).run(count)
