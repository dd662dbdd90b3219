"""A reader that polls the RS-485 port of the whole meter each 50 ms, through days of random load and export (AM-5).

    ./scripts/bench --polled-hours 24

No answer may be torn: energy never falls, Wh and mWh agree, and the pulse outputs follow the register. Nearly all polls
ask the firmware's slave without the wire, at any moment at which it may be asked (boards/virtual/engine/reader.py);
some of each hour go over the wire at 115200 baud. Then the load rests, and the pulses must be exactly the register.
"""

import base64
import random
import sys
from typing import Any

from boards.virtual.board import UNIQUE_ID
from boards.virtual.engine import image
from boards.virtual.parts.fram import Fram
from host.campaigns import output_days
from host.remote import registers
from host.rigs import rtu
from host.sim.link import Link
from openkh.model import Model
from openkh.remote.settings import Settings
from openkh.storage import records
from openkh.storage.vault import Vault

MODEL = Model("MDNCT-1SC", "60Hz")
BAUD = 115200
PERIOD_US = 50_000
HOUR_US = 3_600_000_000
WIRE_US = 20_000_000  # of each hour over the wire,
REST_US = 3_000_000  # after which the load rests
SETTLE_US = 3_000_000
LONGEST_US = 240_000_000  # of one load
NAMES = (
    "delivered_wh",
    "delivered_counts",
    "counts_per_wh",
    "received_wh",
    "received_counts",
    "delivered_mwh",
    "received_mwh",
    "edges_10",
    "edges_100",
    "edges_1000",
    "counter_given",
)
_READ = [register for register in registers.OWN if register.name in NAMES]
FIRST = _READ[0].address
COUNT = _READ[-1].address + _READ[-1].words - FIRST
PLACES = {register.name: register.address for register in _READ}


def memory() -> dict[str, str]:
    """FRAM of a new meter whose port is set to BAUD."""
    chip = Fram(32768, 1)
    image.new_meter("fram", chip, UNIQUE_ID, MODEL, 0)
    vault = Vault(image.regions_of("fram", chip).port, records.identity(UNIQUE_ID, "", ""))
    vault.load()
    assert vault.put(Settings(BAUD, "none", 1, 1).pack())
    return {"fram": base64.b64encode(bytes(chip.memory)).decode()}


def request() -> str:
    """A read of all that is judged, a character a byte."""
    return rtu.read(FIRST, COUNT).decode("latin-1")


def said(answer: bytes) -> dict[str, int]:
    """The registers in an answer, by name; AssertionError where it is none."""
    words = rtu.words(answer)
    return {register.name: int(rtu.value(register, words, FIRST)) for register in _READ}


def no_load(t_us: int) -> list[Any]:
    """Voltage alone, from `t_us` on."""
    return ["mains", t_us, 0, [120.0, 0.0, 0.0, 0.0], [120.0, 0.0, 0.0, 180.0], 60.0]


class _Polled:
    """A meter, its reader, and what both have said."""

    def __init__(self, seed: int, engine: str) -> None:
        self.rng = random.Random(f"polled {seed}")
        self.now_us = SETTLE_US
        self.over_the_wire = 0
        self.before = dict.fromkeys(("delivered_mwh", "received_mwh"), 0)
        config = {"model": MODEL.code, "service": MODEL.service, "seed": seed, "board": {}, "memory": memory()}
        self.link = Link(engine, config)
        self.link.run(self.now_us, [no_load(0), ["reader", SETTLE_US - 1, PERIOD_US, request(), FIRST, PLACES]])

    def go(self, for_us: int, *items: list[Any]) -> list[bytes]:
        """Let time pass; what the master has heard."""
        self.now_us += for_us
        heard = []
        for item in self.link.run(self.now_us, list(items))["out"]:
            assert item[0] not in ("error", "reader", "boot"), item
            if item[0] == "serial":
                heard.append(item[2].encode("latin-1"))
        return heard

    def load(self) -> list[Any]:
        """The next load."""
        item = output_days.load(self.rng)
        item[1] = self.now_us
        return item

    def poll(self) -> dict[str, int]:
        """Over the wire, and judged."""
        [answer] = self.go(PERIOD_US, ["serial", self.now_us + self.rng.randrange(10_000), request(), BAUD, None])
        found = said(answer)
        self.over_the_wire += 1
        for way in ("delivered", "received"):
            milli = found[way + "_wh"] * 1000 + found[way + "_counts"] * 1000 // found["counts_per_wh"]
            assert found[way + "_mwh"] == milli, (self.now_us, way, found)
            assert milli >= self.before[way + "_mwh"], (self.now_us, way, self.before, found)
            self.before[way + "_mwh"] = milli
        return found

    def rest(self) -> None:
        """Without load for a while: outputs and counter have given what the register says."""
        self.go(REST_US, no_load(self.now_us))
        found = self.poll()
        for weight in (10, 100, 1000):
            assert found[f"edges_{weight}"] == found["delivered_wh"] // weight, (self.now_us, found)
        assert found["counter_given"] == found["delivered_wh"] // MODEL.counter_wh, (self.now_us, found)

    def readings(self) -> tuple[int, int]:
        """Polls of the reader so far, and how many were wrong."""
        self.now_us += PERIOD_US
        out = self.link.run(self.now_us, [["readings", self.now_us - PERIOD_US]])["out"]
        [found] = [(item[2], item[3]) for item in out if item[0] == "readings"]
        return found


def run(hours: float, seed: int = 1, engine: str = "micropython", wire_us: int = WIRE_US) -> dict[str, Any]:
    """Figures of so many simulated hours; AssertionError where an answer was torn."""
    meter = _Polled(seed, engine)
    with meter.link:
        end_us = meter.now_us + round(hours * HOUR_US)
        while meter.now_us < end_us:
            hour_us = min(end_us, meter.now_us + HOUR_US) - wire_us
            while meter.now_us < hour_us:
                meter.go(min(hour_us - meter.now_us, meter.rng.randrange(1_000_000, LONGEST_US)), meter.load())
            meter.go(PERIOD_US, meter.load())
            while meter.now_us < hour_us + wire_us - REST_US:
                meter.poll()
            meter.rest()
            if sys.stderr.isatty():
                print(f"  {(meter.now_us - SETTLE_US) / HOUR_US:.1f} of {hours} h", file=sys.stderr, flush=True)
        polls, wrong = meter.readings()
        final = meter.link.finish()
    assert wrong == 0, f"{wrong} of {polls} answers were wrong"
    assert final["firmware"]["faults"]["errors"] == final["firmware"]["faults"]["late"] == 0, final["firmware"]
    return {
        "simulated hours": hours,
        "answers, none torn": polls + meter.over_the_wire,
        "of them over the wire": meter.over_the_wire,
        "delivered, Wh": final["register"]["delivered_wh"],
        "received, Wh": final["register"]["received_wh"],
    }


def rows(hours: int) -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench."""
    return [(f"polled each 50 ms: {name}", value, "") for name, value in run(hours).items()]
