"""Interval data of the whole meter through power cuts, a roll-over and a change of firmware, read over the port (AM-6).

    ./scripts/bench --interval-cuts 1000

Whenever the meter is read, all slots so far must add up to the register at the end of the newest one, to the tenth of a
Wh, and the register must be that or more. A run begins just before the register's roll-over, or on a memory that an
older firmware has written; after half of its cuts a later firmware with another layout goes on.
"""

import base64
import gzip
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from host.remote import registers, values
from host.rigs.later_firmware import later_firmware
from host.rigs.wire import Wire
from host.sim.link import FIRMWARE, TOP
from openkh.metrology.energy import ROLL_WH

RUN = 50  # cuts of one meter
ROLL_TENTHS = 10 * ROLL_WH
BEFORE_ROLL_WH = ROLL_WH - 200
OTHER_WH = 12_345_678
SCAN_S = 4.0  # after a start the memory is gone through, and the port answers
BLOCK = registers.MOST_REGISTERS // registers.INTERVAL_WORDS
NO_INTERVAL, DAMAGED, POWER_LOST = 0x8000, 0x4000, 1
MOST_RUNNING = 4 * 75_000  # tenths of a Wh: four quarters of an hour at the highest load
# What an older firmware has written, its register, and its meter (host_tests/storage/test_layouts.py).
OLDER = TOP / "host_tests" / "storage" / "images" / "fram.bin.gz"
OLDER_WH = 878_327
OLDER_RECEIVED_WH = 121


class Books:
    """All slots that have been read, added up; every method raises AssertionError where they are not the register."""

    def __init__(self, wh: int, received_wh: int) -> None:
        """The register at the beginning."""
        self.tenths = 10 * wh
        self.received_tenths = 10 * received_wh
        self.slots = 0  # read so far
        self.intervals = self.partial = self.looks = 0
        self.rolls = 0

    def look(self, wire: Wire) -> None:
        """Read what is new, and compare."""
        said = wire.values()
        capacity = said["intervals_capacity"]
        while self.slots < said["intervals_next"]:
            place = self.slots % capacity
            count = min(BLOCK, said["intervals_next"] - self.slots, capacity - place)
            words = wire.read(
                registers.INTERVALS_FIRST + registers.INTERVAL_WORDS * place, registers.INTERVAL_WORDS * count
            )
            for i in range(0, len(words), registers.INTERVAL_WORDS):
                self._add(values.decode(words[i:][: registers.INTERVAL_WORDS], registers.INTERVAL))
        self._compare(said)

    def _add(self, slot: dict[str, Any]) -> None:
        assert slot["number"] == self.slots & 0xFFFF, (slot, self.slots)
        assert not slot["flags"] & DAMAGED, slot
        self.slots += 1
        if not slot["flags"] & NO_INTERVAL:
            self.tenths += slot["delivered"]
            self.received_tenths += slot["received"]
            self.intervals += 1
            self.partial += slot["flags"] & POWER_LOST

    def _compare(self, said: dict[str, Any]) -> None:
        end = 10 * said["intervals_end_wh"] + said["intervals_end_tenths"]
        received_end = 10 * said["intervals_end_received_wh"] + said["intervals_end_received_tenths"]
        assert (self.tenths % ROLL_TENTHS, self.received_tenths) == (end, received_end), (vars(self), said)
        register = 10 * said["delivered_wh"] + 10 * said["delivered_counts"] // said["counts_per_wh"]
        received = 10 * said["received_wh"] + 10 * said["received_counts"] // said["counts_per_wh"]
        assert (register - end) % ROLL_TENTHS <= MOST_RUNNING, (register, end, said)
        assert 0 <= received - received_end <= MOST_RUNNING, (received, received_end, said)
        self.looks += 1
        self.rolls = said["rolls"]


def life_s(rng: Random) -> float:
    """From a start to the next cut: no whole interval, some minutes, or more than a quarter of an hour."""
    kind = rng.random()
    if kind < 0.55:
        return rng.uniform(1.0, 70.0)
    return rng.uniform(70.0, 300.0) if kind < 0.94 else rng.uniform(900.0, 1000.0)


def _life(wire: Wire, books: Books, rng: Random) -> None:
    """Power comes, and goes."""
    seconds = life_s(rng)
    volts = rng.uniform(110, 130)
    degrees = 180.0 if rng.random() < 0.2 else rng.uniform(-60, 60)
    lines = [[volts, rng.uniform(5, 110), degrees, angle] for angle in (0.0, 180.0)]
    wire.add(["power", None, True], ["mains", None, 0, *lines, 60.0])
    if seconds > SCAN_S + 3.0:
        wire.go(SCAN_S)
        books.look(wire)
        wire.go(seconds - SCAN_S)
        books.look(wire)
    else:
        wire.go(seconds)
    wire.add(["power", None, False])
    wire.go(rng.uniform(0.01, 3.0))


def run(seed: int, cuts: int, medium: str, engine: str = "micropython", folder: Path | None = None) -> dict[str, int]:
    """One meter through so many cuts. `folder`: of the later firmware, None for this one alone."""
    rng = Random(f"interval cuts {seed} {medium}")
    # Every other meter has no warning of a cut.
    board: dict[str, Any] = {"memory": medium, "holdup_ms": rng.choice((80.0, 0.001))}
    memory: dict[str, str] = {}
    if medium == "fram" and seed % 2:
        books = Books(OLDER_WH, OLDER_RECEIVED_WH)
        memory = {medium: base64.b64encode(gzip.decompress(OLDER.read_bytes())).decode()}
    else:
        board["start_delivered_wh"] = OTHER_WH if seed % 2 else BEFORE_ROLL_WH
        books = Books(board["start_delivered_wh"], 0)
    firmwares = (FIRMWARE,) if folder is None else (FIRMWARE, folder)
    for firmware in firmwares:
        with Wire(engine, firmware_dir=firmware, board=board, memory=memory, seed=seed + 1) as wire:
            for _ in range(cuts // len(firmwares)):
                _life(wire, books, rng)
            wire.mains(50.0)
            wire.add(["power", None, True])
            wire.go(SCAN_S)
            books.look(wire)
            memory = wire.finish()["memory"]  # a cut, too: at any moment, without a warning
    return {
        "cuts": cuts // len(firmwares) * len(firmwares) + len(firmwares),
        "comparisons, all exact": books.looks,
        "slots": books.slots,
        "intervals": books.intervals,
        "of them ended by a cut, or with one in them": books.partial,
        "roll-overs": books.rolls,
    }


def rows(cuts: int) -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench: half of the cuts on each memory."""
    rows: list[tuple[str, Any, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        firmware = later_firmware(Path(folder))
        for medium in ("fram", "flash"):
            total: dict[str, int] = {}
            left = cuts // 2
            seed = 0
            while left > 0:
                for name, value in run(seed, min(RUN, left), medium, folder=firmware).items():
                    total[name] = total.get(name, 0) + value
                seed += 1
                left -= RUN
                if sys.stderr.isatty():
                    print(f"  {medium}: {total['cuts']} cuts", file=sys.stderr, flush=True)
            rows += [(f"{medium}: {name}", value, "") for name, value in total.items()]
    return rows
