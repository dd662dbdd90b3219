"""What comes in at the RS-485 port of a whole meter: noise, fragments, floods, and requests among them (bursts.py).

A meter is sent so many bursts, drawn from a seed; another one of the same seed is left alone. Each request must be
answered as a plain reading of the Modbus specification says, everything else by silence, and in the end the two meters
must have the same register, outputs, status, log, cycles and fault counters (AM-2, AM-5).
"""

import sys
from random import Random
from typing import Any

from host.campaigns.remote import bursts, direct_noise
from host.rigs import rtu
from host.sim.link import Link
from openkh.storage import layout
from openkh.storage.interval_pages import SLOTS

BAUD = 19200
GAP_US = 90_000  # from one burst to the next: the longest answer that is asked for takes 45 ms with its request
CHARACTER_US = 521
CALM_US = 130_000  # after a flood
SETTLE_US = 2_000_000
BATCH = 100
DIRECT = 5_000  # bursts at a port without a meter
WHOLE = 2_000  # at a whole meter,
SHARE = 50  # of which one burst in so many is sent to one
FRAM_SLOTS = layout.FRAM_INTERVALS[1] * SLOTS
LATEST = "us from a request to its answer, at most"
CONFIG = {"model": "MDNCT-1SC", "service": "60Hz"}


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


def run(seed: int, count: int, engine: str = "micropython") -> dict[str, int]:
    """One meter; AssertionError where a burst is answered wrongly, or the meter is not as one that is left alone."""
    rng = Random(seed)
    meter, alone = _Meter(seed, engine), _Meter(seed, engine)
    counts = {"bursts": 0, "answered": 0, "refused": 0, "silent": 0, "floods": 0, LATEST: 0}
    now_us = 3_000_000
    left = count
    while left > 0:
        sent = []
        items = []
        for _ in range(min(BATCH, left)):
            left -= 1
            flooded = rng.random() < 0.01
            data = bursts.flood(rng) if flooded else bursts.burst(rng)
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
        frames = [item for item in heard if t_us <= item[1] < until_us]
        answer = b"".join(item[2].encode("latin-1") for item in frames)
        counts["bursts"] += 1
        if flooded:  # may be answered by its last frame, or not at all
            counts["floods"] += 1
            assert not answer or rtu.crc(answer[:-2]) == answer[-2:], (data.hex(), answer.hex())
            continue
        wanted = bursts.expected(data, FRAM_SLOTS)
        if wanted is None:
            assert not answer, (data.hex(), answer.hex())
            counts["silent"] += 1
        else:
            assert answer.startswith(wanted) and rtu.crc(answer[:-2]) == answer[-2:], (data.hex(), answer.hex())
            late_us = frames[0][1] - t_us - CHARACTER_US * len(data)
            assert late_us <= direct_noise.BEGIN_US, (data.hex(), late_us)
            counts[LATEST] = max(counts[LATEST], late_us)
            counts["refused" if answer[1] & 0x80 else "answered"] += 1


def rows(count: int) -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench: what became of so many bursts; one in SHARE at whole meters, sealed and open."""
    whole: dict[str, int] = {}
    direct: dict[str, int] = {}
    at_meters = -(-count // SHARE)
    for seed, size in _runs(at_meters, WHOLE):
        _add(whole, run(seed, size), "whole meters", at_meters)
    for seed, size in _runs(count - at_meters, DIRECT):
        _add(direct, direct_noise.run(seed, size), "ports", count - at_meters)
    return [(f"whole meters, {name}", value, "") for name, value in whole.items()] + [
        (f"ports, {name}", value, "") for name, value in direct.items()
    ]


def _runs(count: int, most: int) -> list[tuple[int, int]]:
    """(seed, bursts) of each run."""
    return [(seed, min(most, count - most * seed)) for seed in range(-(-count // most))]


def _add(total: dict[str, int], found: dict[str, int], where: str, end: int) -> None:
    for name, value in found.items():
        total[name] = max(total.get(name, 0), value) if name == LATEST else total.get(name, 0) + value
    if sys.stderr.isatty():
        done = total["bursts"]
        print(f"\r{where}: {done} of {end} bursts\x1b[K", end="\n" if done >= end else "", file=sys.stderr, flush=True)
