"""Random scenarios of the whole meter, each from its seed (campaign.py runs and judges them).

A case mixes loads, ramps, export and inputs beyond the range; cuts, dips and brown-outs of line 1 at any instant; every
fault of the scenario file; the seal; the load on +12VDC. It goes over models, services, memories, displays, hold-ups,
late and interleaved callbacks, and ticks that wrap. Each ends with a calm, in which everything may settle.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from host.campaigns.chip_settings import draw_chips, toml
from host.rigs import trial
from openkh.model import Model

LENGTH_S = 90.0  # incidents begin in this time
SETTLE_S = 25.0
RAIL_SETTLE_S = 75.0  # a rail that was switched off tries again after 60 s
MODELS = ("MDNCT-1SC", "MDTCT-2SP", "MSNCT-1SC", "MSTCT-2NC")
REGISTERS = (  # of the front end, which a fault may alter: address and bits
    *((address, 8) for address in (0x000, 0x001, 0x004, 0x007, 0x008, 0x040)),
    *((address, 16) for address in (0x100, 0x101, 0x102, 0x103, 0x107, 0x108, 0x110, 0x120)),
    *((a, 24) for a in (0x200, 0x201, 0x203, 0x224, 0x22C, 0x280, 0x281, 0x282, 0x283, 0x284, 0x287, 0x289)),
)

Keys = dict[str, Any]  # of a [[step]]; `seal` (True: closed) goes beside the file, which has no such key


@dataclass(frozen=True)
class Incident:
    """One thing that happens: `steps` are (time in s, keys of a scenario's step)."""

    what: str
    steps: tuple[tuple[float, Keys], ...]

    @property
    def end_s(self) -> float:
        """When the last of it is over."""
        return max(at + keys.get("fault", {}).get("for_s", 0.0) for at, keys in self.steps)


@dataclass
class Case:
    """Everything a run needs."""

    model: str
    service: str
    board: dict[str, Any]
    config: dict[str, Any]  # of the engine: jitter_us, interleave, ticks_offset_us
    incidents: list[Incident] = field(default_factory=list)
    calm_s: float = 0.0  # from here on nothing happens
    settle_s: float = SETTLE_S
    seed: int = 1

    @property
    def end_s(self) -> float:
        """When the run is over."""
        return self.calm_s + self.settle_s

    def text(self) -> str:
        """The case as a scenario file (without the seal)."""
        steps = [(at, keys) for incident in self.incidents for at, keys in incident.steps if "seal" not in keys]
        steps.sort(key=lambda step: step[0])
        volts = Model(self.model, self.service).nominal_mv / 1000
        calm: Keys = {"power": True, "load12v_ma": 0.0, "hz": float(self.service[:2])}
        calm |= {"l1": {"volts": volts, "amps": 0.0}, "l2": {"volts": volts, "amps": 0.0}}
        rows = []
        before_s = -1.0
        for at, keys in [*steps, (self.calm_s, calm)]:
            if at <= max(0.0, before_s):  # no time for a ramp
                keys = {key: value for key, value in keys.items() if key != "ramp"}
            rows.append("\n".join([f"at = {at:.4f}", *(f"{key} = {toml(value)}" for key, value in keys.items())]))
            before_s = at
        board = "\n".join(f"{key} = {toml(value)}" for key, value in self.board.items())
        return f"seed = {self.seed}\n" + trial.steps(*rows, model=self.model, service=self.service, board=board)

    def seal_moves(self) -> list[tuple[float, bool]]:
        """(time in s, closed)."""
        return [(at, keys["seal"]) for one in self.incidents for at, keys in one.steps if "seal" in keys]


def make(seed: int) -> Case:
    """The case of this seed, the same for ever."""
    return _Maker(seed).case()


class _Maker:
    """Draws a case. The order of the draws is what makes a seed's case: a new kind of incident changes them all."""

    def __init__(self, seed: int) -> None:
        self.r = r = random.Random(seed)
        model = r.choice(MODELS)
        service = "50Hz" if model[1] == "S" and r.random() < 0.5 else "60Hz"
        self.model = Model(model, service)
        self.volts = self.model.nominal_mv / 1000
        board: dict[str, Any] = {
            "memory": r.choice(("fram", "flash")),
            "display": r.choice(("pcf85176", "pcf85176", "ht1621", "none")),
            "holdup_ms": r.choice((80.0, 80.0, 80.0, round(r.uniform(20, 200), 1), 0.001)),
            "seal": r.choice(("open", "closed")),
            "counter_ma": r.choice((8.0, 10.0, 0.0, 1.5)),
        }
        if r.random() < 0.3:
            board["start_delivered_wh"] = r.choice((r.randrange(10**9), 10**9 - r.randrange(1, 600)))
        r.random()  # (was the noise of chip 1; the draws after it stay those of the seed)
        board |= draw_chips(seed, 1 if model[1] == "S" else 2)
        config = {
            "jitter_us": r.choice((0, 0, 5_000, 27_000, 80_000)),
            "interleave": r.random() < 0.25,
            "ticks_offset_us": r.choice((0, 2**30 - r.randrange(100_000_000), r.randrange(2**40))),
        }
        self._case = Case(model, service, board, config, seed=seed)

    def case(self) -> Case:
        r, case = self.r, self._case
        case.incidents.append(self._load(0.0))
        kinds = (self._load, self._load, self._cut, self._dip, self._brown, self._chip, self._chip, self._memory)
        kinds += (self._cpu, self._lcd, self._rail, self._seal, self._burst, self._sensor)
        chosen = r.sample(kinds, r.randrange(2, 8))  # not everything in each case: some meet more often so
        for _ in range(r.randrange(3, 20)):
            case.incidents.append(r.choice(chosen)(r.uniform(0.0, LENGTH_S)))
        case.calm_s = max(LENGTH_S, *(incident.end_s for incident in case.incidents)) + r.uniform(0.5, 3.0)
        if any(part in incident.what for incident in case.incidents for part in ("rail", "bulk_sense", "irq")):
            case.settle_s = RAIL_SETTLE_S
        return case

    # -- the mains ---------------------------------------------------------------------------------------------

    def _line(self) -> Keys:
        r = self.r
        rated = self.model.rating_a
        amps = r.choice((0.0, r.uniform(0.01, 2.0), r.uniform(2, rated), r.uniform(rated / 2, rated * 1.1)))
        if r.random() < 0.08:
            amps = r.uniform(1.1, 2.5) * rated  # beyond the chip's range
        degrees = r.choice((0.0, 0.0, r.uniform(-60, 80), 180.0, r.uniform(-360, 360)))
        line = {"amps": round(amps, 3), "degrees": round(degrees, 2)}
        if r.random() < 0.3:
            line["volts"] = round(self.volts * r.choice((1.0, r.uniform(0.78, 1.2))), 2)
        return line

    def _load(self, at: float) -> Incident:
        r = self.r
        keys: Keys = {"l1": self._line()}
        if self.model.elements == 2 or r.random() < 0.3:
            keys["l2"] = self._line()
            if r.random() < 0.3:
                keys["l2"]["volts_degrees"] = r.choice((0.0, 120.0, 180.0))
            if r.random() < 0.15:
                keys["l2"]["volts"] = r.choice((0.0, 30.0))
        if r.random() < 0.1:
            keys["hz"] = r.choice((45.0, 65.0, 50.0, 60.0))
        if at > 0 and r.random() < 0.3:
            keys = {"ramp": True, **keys}
        return Incident("load", ((at, keys),))

    def _cut(self, at: float) -> Incident:
        for_s = self.r.choice((self.r.uniform(0.15, 2.0), self.r.uniform(0.5, 15.0)))
        return Incident("cut", ((at, {"power": False}), (at + for_s, {"power": True})))

    def _dip(self, at: float) -> Incident:
        """One or more cuts that the hold-up may or may not outlast."""
        steps = []
        for _ in range(self.r.choice((1, 1, 5))):
            for_s = self.r.uniform(0.002, 0.2)
            steps += [(at, {"power": False}), (at + for_s, {"power": True})]
            at += for_s + self.r.uniform(0.001, 0.5)
        return Incident("dip", tuple(steps))

    def _brown(self, at: float) -> Incident:
        """Line 1 low, or gone while line 2 stays (ID-6)."""
        low = self.r.choice((0.0, self.r.uniform(0.3, 0.49), self.r.uniform(0.5, 0.8))) * self.volts
        if low >= 50.0:
            low = max(low, 62.0)  # well off the 60 V at which the supply gives up
        for_s = self.r.choice((self.r.uniform(0.01, 0.3), self.r.uniform(0.3, 10.0)))
        back = {"l1": {"volts": self.volts}}
        return Incident("brown-out", ((at, {"l1": {"volts": round(low, 2)}}), (at + for_s, back)))

    # -- faults ------------------------------------------------------------------------------------------------

    def _fault(self, at: float, part: str, kind: str, for_s: float | None = None, **keys: Any) -> Incident:
        fault = {"part": part, "kind": kind, **keys}
        if for_s is not None:
            fault["for_s"] = round(for_s, 4)
        return Incident(f"{part} {kind}", ((at, {"fault": fault}),))

    def _chip(self, at: float) -> Incident:
        r = self.r
        part = r.choice(("chip1", "chip2"))
        kind = r.choice(("reset", "silent", "stuck_ones", "stuck_zeros", "bit_error", "bit_error", "register"))
        if kind == "reset":
            return self._fault(at, part, kind)
        if kind == "register":
            address, bits = r.choice(REGISTERS)
            value = r.choice((0, (1 << bits) - 1, r.randrange(1 << bits)))
            return self._fault(at, part, kind, address=address, value=value)
        for_s = r.choice((r.uniform(0.01, 1.0), r.uniform(1.0, 20.0)))
        if kind == "bit_error":
            return self._fault(at, part, kind, for_s, rate=r.choice((1e-6, 1e-5, 1e-4, 1e-4, 1e-3, 1e-2)))
        return self._fault(at, part, kind, for_s)

    def _memory(self, at: float) -> Incident:
        r = self.r
        part = self._case.board["memory"]
        kind = r.choice(("silent", "stuck", "bit_error"))
        for_s = r.choice((r.uniform(0.01, 1.0), r.uniform(1.0, 20.0)))
        if kind == "bit_error":
            return self._fault(at, part, kind, for_s, rate=r.choice((1e-6, 1e-5, 1e-4, 1e-3)))
        return self._fault(at, part, kind, for_s)

    def _cpu(self, at: float) -> Incident:
        r = self.r
        kind = r.choice(("hang", "exception", "reset", "run_reset", "stall", "stall"))
        if kind == "stall":
            ms = r.choice((r.uniform(1, 100), r.uniform(100, 2_000), r.uniform(2_000, 7_000)))
            return self._fault(at, "cpu", kind, ms=round(ms, 2))
        return self._fault(at, "cpu", kind)

    def _sensor(self, at: float) -> Incident:
        """Bulk voltage or interrupt line of a front end, at any value, for any time, once or again and again."""
        r = self.r
        for_s = r.choice((r.uniform(0.002, 1.0), r.uniform(1.0, 20.0)))
        kind = r.choice(("stuck", "drift", "flicker", "irq"))
        if kind == "irq":
            return self._fault(at, r.choice(("irq1", "irq2")), "stuck", for_s, level=r.randrange(2))
        if kind == "drift":
            return self._fault(at, "bulk_sense", kind, for_s, percent=round(r.uniform(-60, 60), 2))
        mv = r.choice((0, 9_400, 10_200, 12_000, r.randrange(20_000)))
        if kind == "stuck":
            return self._fault(at, "bulk_sense", kind, for_s, mv=mv)
        steps = []
        for _ in range(r.randrange(3, 30)):
            fault = {"part": "bulk_sense", "kind": "stuck", "mv": mv, "for_s": round(r.uniform(0.002, 0.9), 4)}
            steps.append((at, {"fault": fault}))
            at += fault["for_s"] + r.uniform(0.001, 0.5)
        return Incident("bulk_sense flicker", tuple(steps))

    def _lcd(self, at: float) -> Incident:
        if self.r.random() < 0.5:
            return self._fault(at, "lcd", "corrupt")
        return self._fault(at, "lcd", "silent", self.r.uniform(0.05, 10.0))

    def _rail(self, at: float) -> Incident:
        r = self.r
        if r.random() < 0.3:
            return self._fault(at, "rail_sense", "stuck", r.uniform(0.005, 5.0), ma=r.choice((0, 6, 30, 110)))
        ma = r.choice((5.0, 20.0, 39.0, 45.0, 60.0, 300.0))
        return Incident("rail", ((at, {"load12v_ma": ma}), (at + r.uniform(0.002, 20.0), {"load12v_ma": 0.0})))

    # -- others ------------------------------------------------------------------------------------------------

    def _seal(self, at: float) -> Incident:
        if self.r.random() < 0.25:
            for_s = self.r.uniform(0.5, 10.0)
            return self._fault(at, "seal", "rattle", for_s, hertz=round(self.r.choice((0.3, 1.0, 4.0, 50.0)), 2))
        first = self.r.random() < 0.5
        return Incident("seal", ((at, {"seal": first}), (at + self.r.uniform(0.01, 10.0), {"seal": not first})))

    def _burst(self, at: float) -> Incident:
        """Two incidents in the same fifth of a second."""
        one = self.r.choice((self._cut, self._dip, self._brown, self._cpu))(at)
        other = self.r.choice((self._cpu, self._chip, self._memory, self._seal, self._sensor))(
            at + self.r.uniform(0.0, 0.2)
        )
        return Incident(f"{one.what} + {other.what}", (*one.steps, *other.steps))
