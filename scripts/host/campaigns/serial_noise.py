"""What comes in at the RS-485 port: noise, fragments, wrong checksums, other units, floods, and requests among them.

A meter is sent so many bursts, drawn from a seed; another one of the same seed is left alone. Each request must be
answered as a plain reading of the Modbus specification says, everything else by silence, and in the end the two meters
must have the same register, outputs, status, log, cycles and fault counters (AM-2, AM-5).
"""

from random import Random
from typing import Any

from host.remote import registers
from host.sim.link import Link
from openkh.storage import layout

BAUD = 19200
# From one burst to the next: the longest answer that is asked for takes 45 ms, and begins up to 50 ms late on the
# virtual board where the request ended while another callback ran.
GAP_US = 120_000
CHARACTER_US = 521
CALM_US = 100_000  # after a flood
SETTLE_US = 2_000_000
BATCH = 100
MOST = 25  # registers in a request
UNIT = 1
CONFIG = {"model": "MDNCT-1SC", "service": "60Hz"}


def crc(data: bytes) -> bytes:
    """The two bytes that end a frame."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return bytes([value & 255, value >> 8])


def read_request(rng: Random) -> bytes:
    """A read that may be good or not."""
    first = rng.choice((0, 0, 0, registers.OWN_WORDS - MOST, registers.INTERVALS_FIRST, registers.SUNSPEC_FIRST))
    address = first + rng.randrange(40) if rng.random() < 0.9 else rng.randrange(0x10000)
    count = rng.randrange(1, MOST + 1) if rng.random() < 0.9 else rng.choice((0, 126, 0xFFFF, 0x8000))
    body = bytes((UNIT, rng.choice((3, 3, 4)), address >> 8, address & 255, count >> 8, count & 255))
    return body + crc(body)


def burst(rng: Random) -> bytes:
    """What is sent without a pause."""
    kind = rng.randrange(9)
    whole = read_request(rng)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 40))
    if kind == 1:  # a fragment
        return whole[: rng.randrange(1, len(whole))]
    if kind == 2:  # a wrong checksum
        return whole[:-1] + bytes([whole[-1] ^ 1 << rng.randrange(8)])
    if kind == 3:  # another unit, or a broadcast
        body = bytes([rng.choice((0, 2, 7, 247, 255))]) + whole[1:-2]
        return body + crc(body)
    if kind == 4:  # another function
        body = bytes([UNIT, rng.randrange(256)]) + rng.randbytes(rng.randrange(0, 12))
        return body + crc(body)
    if kind == 5:  # another unit's answer
        body = bytes([2, 3, 20]) + rng.randbytes(20)
        return body + crc(body)
    return whole


def flood(rng: Random) -> bytes:
    """Far more than any frame."""
    return b"".join(burst(rng) for _ in range(rng.randrange(20, 60)))


def expected(sent: bytes) -> bytes | None:
    """The first bytes of the answer: unit, function, and number of bytes or exception; None: silence."""
    if len(sent) < 4 or crc(sent[:-2]) != sent[-2:]:
        tail = sent[-8:]
        if len(sent) <= 8 or crc(tail[:-2]) != tail[-2:] or tail[1] not in (3, 4):
            return None
        sent = tail
    if sent[0] != UNIT or sent[1] >= 0x80:
        return None
    function = sent[1]
    if function in (3, 4):
        if len(sent) != 8:
            return None
        address, count = sent[2] << 8 | sent[3], sent[4] << 8 | sent[5]
        if not 1 <= count <= registers.MOST_REGISTERS:
            return bytes((UNIT, function | 0x80, 3))
        return bytes((UNIT, function, 2 * count)) if _exists(address, count) else bytes((UNIT, function | 0x80, 2))
    if function == 17:
        return bytes((UNIT, 17)) if len(sent) == 4 else None
    if function == 43 and sent[2] == 14 and len(sent) > 4:
        return bytes((UNIT,)) if len(sent) == 7 else None
    return bytes((UNIT, function | 0x80, 1))


def _exists(address: int, count: int) -> bool:
    from openkh.remote.layout import SUNSPEC_WORDS
    from openkh.storage.interval_pages import SLOTS

    intervals = layout.FRAM_INTERVALS[1] * SLOTS * registers.INTERVAL_WORDS
    blocks = (
        (registers.OWN_FIRST, registers.OWN_WORDS),
        (registers.INTERVALS_FIRST, intervals),
        (registers.SUNSPEC_FIRST, SUNSPEC_WORDS),
    )
    return any(first <= address and address + count <= first + size for first, size in blocks)


class _Meter:
    def __init__(self, seed: int, engine: str) -> None:
        seal = "closed" if seed % 2 else "open"
        self.link = Link(engine, {**CONFIG, "seed": seed, "board": {"seal": seal}})
        self.heard: list[list[Any]] = []
        self.link.run(3_000_000, [["mains", 0, 0, [120.0, 30.0, 0.0, 0.0], [120.0, 20.0, 30.0, 180.0], 60.0]])

    def run(self, until_us: int, items: list[list[Any]]) -> None:
        self.heard += [item for item in self.link.run(until_us, items)["out"] if item[0] == "serial"]

    def end(self, now_us: int) -> dict[str, Any]:
        """Load off, until the register has all that was counted; what must be equal."""
        self.link.run(now_us + SETTLE_US, [["mains", now_us, 0, [120.0, 0, 0, 0], [120.0, 0, 0, 180.0], 60.0]])
        final = self.link.finish()
        self.link.close()
        found = {key: final[key] for key in ("counted", "register", "pulses", "led", "status", "firmware")}
        # A cycle begins some us later where the port was served just then: times may differ by that.
        found["counter"] = final["counter"]["counts"]
        found["events"] = [(entry["event"], entry["a"], entry["b"]) for entry in final["events"]]
        return found


def run(seed: int, bursts: int, engine: str = "micropython") -> dict[str, int]:
    """One meter; AssertionError where a burst is answered wrongly, or the meter is not as one that is left alone."""
    rng = Random(seed)
    meter, alone = _Meter(seed, engine), _Meter(seed, engine)
    counts = {"bursts": 0, "answered": 0, "refused": 0, "silent": 0, "floods": 0}
    now_us = 3_000_000
    left = bursts
    while left > 0:
        sent = []
        items = []
        for _ in range(min(BATCH, left)):
            left -= 1
            flooded = rng.random() < 0.01
            data = flood(rng) if flooded else burst(rng)
            items.append(["serial", now_us, data.decode("latin-1"), BAUD, None])
            sent.append((now_us, data, flooded))
            now_us += CHARACTER_US * len(data) + CALM_US if flooded else GAP_US
        meter.heard.clear()
        meter.run(now_us, items)
        alone.run(now_us, [])
        _judge(sent, meter.heard, now_us, counts)
    noisy, quiet = meter.end(now_us), alone.end(now_us)
    for key in noisy:
        assert noisy[key] == quiet[key], (seed, key, noisy[key], quiet[key])
    return counts


def _judge(sent: list[tuple[int, bytes, bool]], heard: list[list[Any]], end_us: int, counts: dict[str, int]) -> None:
    """Each burst's answer lies between it and the next one."""
    ends = [t_us for t_us, _, _ in sent[1:]] + [end_us]
    for (t_us, data, flooded), until_us in zip(sent, ends, strict=True):
        answer = b"".join(item[2].encode("latin-1") for item in heard if t_us <= item[1] < until_us)
        counts["bursts"] += 1
        if flooded:  # may be answered by its last frame, or not at all
            counts["floods"] += 1
            assert not answer or crc(answer[:-2]) == answer[-2:], (data.hex(), answer.hex())
            continue
        wanted = expected(data)
        if wanted is None:
            assert not answer, (data.hex(), answer.hex())
            counts["silent"] += 1
        else:
            assert answer.startswith(wanted) and crc(answer[:-2]) == answer[-2:], (data.hex(), answer.hex())
            counts["refused" if answer[1] & 0x80 else "answered"] += 1


def rows(bursts: int) -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench: what became of so many bursts, at meters of 2,000 each, sealed and open in turn."""
    total: dict[str, int] = {}
    for seed in range(-(-bursts // 2000)):
        for name, count in run(seed, min(2000, bursts - 2000 * seed)).items():
            total[name] = total.get(name, 0) + count
    return [(f"RS-485 port: {name}", count, "") for name, count in total.items()]
