"""Days of random load with export on the whole meter: register, pulses, LED and counter must agree at every check, and
the register with what the front ends counted.

    ./scripts/bench --output-days 30         # each a meter of its own

Every few minutes the outputs are checked under load (an edge comes half a second after its energy), then the load rests
for two seconds, after which what the pins have given must be exactly what the register says.
"""

import random
from typing import TYPE_CHECKING, Any

from host.sim.link import Link
from openkh.model import Model

if TYPE_CHECKING:
    from host.campaigns.spread.spread import Spread

MODEL = Model("MDNCT-1SC", "60Hz")
WEIGHTS = {"opto10": 10, "led": 10, "opto100": 100, "opto1000": 1000}
DAY_US = 86_400_000_000
SHORTEST = "shortest on or off, ms"
REST_US = 2_000_000
MOST_BEHIND = 1 + 1  # edges of the 10 Wh output in half a second at the highest load, and one on its way
TICKS_OFFSET_US = 1000 * (1 << 30) - 20_000_000  # the RP2040's ticks, us and ms, wrap 20 s after the start


class Pins:
    """Off-to-on edges and the shortest time between two changes, of each signal."""

    def __init__(self) -> None:
        self.rises = dict.fromkeys(WEIGHTS, 0)
        self.shortest_us = DAY_US
        self._last_us = dict.fromkeys(WEIGHTS, -DAY_US)

    def take(self, item: list[Any]) -> None:
        """An output item of the engine."""
        if item[0] == "edge" and item[2] in WEIGHTS:
            _, t_us, signal, level = item
            self.rises[signal] += level
            self.shortest_us = min(self.shortest_us, t_us - self._last_us[signal])
            self._last_us[signal] = t_us


def load(rng: random.Random) -> list[Any]:
    """A load on both lines: small, any, export, none; at any angle at which it stays what it is."""
    amps = rng.choice((rng.uniform(0, 12), rng.uniform(0, 110), rng.uniform(0, 25), 0.0))
    export = 180.0 if rng.random() < 0.25 else 0.0
    lines = [
        [rng.uniform(108, 132), amps * rng.uniform(0, 1), export + rng.uniform(-60, 60), phase]
        for phase in (0.0, 180.0)
    ]
    return ["mains", None, 0, *lines, 60.0]


def run(days: float, seed: int = 1, engine: str = "micropython") -> dict[str, Any]:
    """Figures of `days` simulated days; AssertionError, with what disagreed, where something did."""
    rng = random.Random(seed)
    pins = Pins()
    checks = now_us = 0
    config = {
        "model": MODEL.code,
        "service": MODEL.service,
        "seed": seed,
        "ticks_offset_us": TICKS_OFFSET_US,
        "board": {},
    }
    with Link(engine, config) as meter:

        def go(for_us: int, item: list[Any]) -> dict[str, Any]:
            nonlocal now_us
            item[1] = now_us
            now_us += for_us
            reply = meter.run(now_us, [item])
            for out in reply["out"]:
                assert out[0] != "error", out
                pins.take(out)
            return reply["snap"]

        def register_wh(snap: dict[str, Any]) -> int:
            return int(snap["delivered"].split(".")[0])

        while now_us < days * DAY_US:
            wh = register_wh(go(rng.randrange(20_000_000, 600_000_000), load(rng)))
            behind = wh // 10 - pins.rises["opto10"]
            assert 0 <= behind <= MOST_BEHIND, f"under load, {now_us} us: {behind} edges behind the register"
            snap = go(REST_US, ["mains", None, 0, [120.0, 0.0, 0.0, 0.0], [120.0, 0.0, 0.0, 180.0], 60.0])
            wh = register_wh(snap)
            for signal, weight in WEIGHTS.items():
                seen = pins.rises[signal]
                assert seen == wh // weight, f"{now_us} us: {signal} has given {seen} edges at {wh} Wh"
            assert snap["counter"] == wh // MODEL.counter_wh, f"{now_us} us: {snap['counter']} counts at {wh} Wh"
            checks += 2
        final = meter.finish()
    net = sum(round(float(final["register"][way]) * MODEL.counts_per_wh) for way in ("delivered_wh",))
    net -= round(float(final["register"]["received_wh"]) * MODEL.counts_per_wh)
    counted = sum(line["counts"] for line in final["counted"])
    return {
        "days": days,
        "checks, all exact": checks,
        "delivered, Wh": float(final["register"]["delivered_wh"]),
        "received, Wh": float(final["register"]["received_wh"]),
        "counts of the front ends not in the register": counted - net,
        "counts of the counter": final["counter"]["counts"],
        SHORTEST: pins.shortest_us / 1000,
    }


def rows(spread: "Spread", days: int) -> list[tuple[str, Any, str]]:
    """Rows for ./scripts/bench."""
    found = spread.each("output days", {f"seed {seed}": (run, 1, seed) for seed in range(1, days + 1)})
    total = {name: round(sum(day[name] for day in found), 6) for name in found[0]}
    total[SHORTEST] = min(day[SHORTEST] for day in found)
    return [(name, value, "") for name, value in total.items()]
