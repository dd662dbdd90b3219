"""One run of the meter: the engine that holds firmware and virtual board, its stimulus, what its output leaves."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from host.sim.history import INTERVAL_US, History, rise_wh
from host.sim.link import EngineError
from host.sim.memory import MemoryDir
from host.sim.terminals import Terminals
from host.sim.trace import SIGNALS, Trace
from host.stimulus.lines import Event
from host.stimulus.source import Source
from host.stimulus.windows import Stimulus
from openkh.model import Model

LOOK_US = 20_000  # how often one looks whether the firmware has started: it is seen before it books its first count
LATER_US = 1_000_000  # and where nothing says that it does
LCD_KEYS = ("screen", "text", "symbols", "bar", "blinking")
Said = tuple[int, dict[str, Any]]  # since when (t_us) the glass says what


class FirmwareError(Exception):
    """The firmware, or the engine under it, ended by an error; the text says when and why, `trace` from where."""

    def __init__(self, now_us: int, trace: str) -> None:
        lines = [line.strip() for line in trace.splitlines() if line.strip()]
        super().__init__(f"after {now_us / 1e6:.1f} simulated seconds: {lines[-1] if lines else 'no reason given'}")
        self.trace = trace


class Engine(Protocol):
    """What a session needs of host.sim.link.Link."""

    def run(self, until_us: int, stimulus: list[Event]) -> dict[str, Any]: ...

    def finish(self, unplug: bool = False) -> dict[str, Any]: ...

    def close(self) -> None: ...


@dataclass
class Setup:
    """What a run is made of, checked."""

    model: Model
    source: Source
    engine: str = "micropython"
    seed: int = 1
    board: dict[str, Any] = field(default_factory=dict)
    memory_dir: MemoryDir | None = None
    trace: Trace | None = None
    duration_us: int | None = None
    live: bool = False  # somebody watches: events are told as they are logged
    terminals: Terminals | None = None  # the board's ports, for other programs
    begin_wh: float | None = 0.0  # what the register holds at the start; None: what an earlier run has left

    def config(self) -> dict[str, Any]:
        """The engine's configuration."""
        memory = {}
        if self.memory_dir:
            memory = self.memory_dir.load()
            if memory:
                self.memory_dir.check(self.model.code, self.model.service)
        self.begin_wh = None if memory else self.board.get("start_delivered_wh", 0)
        return {
            "model": self.model.code,
            "service": self.model.service,
            "seed": self.seed,
            "board": self.board,
            "memory": memory,
            "live": self.live,
            "console": self.terminals is not None and self.terminals.prompt is not None,
        }


class Session:
    """Runs the engine in steps; `snap` is the last picture of the meter, `lcd` and `log` what it has said so far.

    Every method may raise FirmwareError, after which only `close` is of use.
    """

    def __init__(self, setup: Setup, start: Callable[[str, dict[str, Any]], Engine]) -> None:
        self.setup = setup
        self.stimulus = Stimulus(setup.model, setup.source)
        self.history = History(setup.model, setup.source)
        self.snap: dict[str, Any] = {}
        self.lcd: list[Said] = []
        self.rises = dict.fromkeys(SIGNALS, 0)  # off-to-on edges
        self.log: list[list[Any]] = []
        self._seen = False  # the register before this run is known
        self._wheels: int | None = None  # what the mechanical counter shows beyond the counts of this run
        self._records: dict[str, dict[str, Any]] = {}  # what the glass says comes back: each kept once
        self._final: dict[str, Any] | None = None
        self._began = time.monotonic()
        self._engine: Engine | None = self._guarded(start, setup.engine, setup.config())

    @property
    def now_us(self) -> int:
        """The simulated time reached."""
        return self.stimulus.now_us

    def stop_us(self, until_us: int) -> int:
        """Where a step that may last until `until_us` should end: as History needs it; at a quarter of an hour, as
        interval data do; soon while the register that an earlier run has left has not been seen yet."""
        now_us = self.now_us
        until_us = min(until_us, (now_us // INTERVAL_US + 1) * INTERVAL_US)
        if self.setup.begin_wh is None and not self._seen:
            until_us = min(until_us, now_us + (LOOK_US if self.stimulus.restless else LATER_US))
        return self.stimulus.stop_us(until_us)

    def advance(self, until_us: int, first: list[Event] | None = None) -> dict[str, Any]:
        """Run to `until_us`, the items in `first` at once; returns the new `snap`."""
        assert self._engine is not None
        items = [*(first or []), *self.stimulus.window(until_us)]
        reply = self._guarded(self._engine.run, until_us, items)
        for item in reply["out"]:
            self._take(item)
        self.snap = reply["snap"]
        if not self._seen:
            self._begin_history()
        self.history.add(self.stimulus, self.snap, self.rises["opto10"])
        if self._wheels is None and self.snap["counter_given"] is not None:
            self._wheels = self.snap["counter_given"] - self.snap["counter"]
        return self.snap

    def _begin_history(self) -> None:
        """The register before this run; an earlier run's is known as soon as the firmware runs."""
        begin_wh = self.setup.begin_wh
        if begin_wh is not None:
            self.history.begin(str(begin_wh), "0")
        elif self.snap["counter_given"] is not None:
            self.history.begin(self.snap["delivered"], self.snap["received"])
        else:
            return
        self._seen = True

    @property
    def wheels(self) -> int:
        """What the mechanical counter shows: it came with the board, and has gone on in earlier runs."""
        if self._wheels is not None:
            return self._wheels + self.snap["counter"]
        return int((self.setup.begin_wh or 0) // self.setup.model.counter_wh) + self.snap["counter"]

    def pace(self, until_us: int, speed: float, first: list[Event] | None = None) -> None:
        """Run to `until_us` at `speed` for those who are connected to the board's ports."""
        assert self.setup.terminals is not None
        before = list(first or [])

        def advance(to_us: int, items: list[Event]) -> None:
            self.advance(to_us, [*before, *items])
            before.clear()

        self.setup.terminals.pace(advance, self.now_us, until_us, speed)

    def finish(self) -> dict[str, Any]:
        """End the run, keep the memory, and return what the engine knows at its end.

        A memory that is kept is one that the firmware could still write into: the board is unplugged.
        """
        if self._final is None:
            assert self._engine is not None
            self._final = self._guarded(self._engine.finish, self.setup.memory_dir is not None)
            for item in self._final.get("out", ()):
                self._take(item)
            if self.setup.memory_dir:
                self.setup.memory_dir.save(self._final.get("memory", {}))
                self.setup.memory_dir.belongs(self.setup.model.code, self.setup.model.service)
        return self._final

    def close(self) -> None:
        """Stop the engine and close what was open; may be called more than once."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
        if self.setup.trace:
            self.setup.trace.close()
        if self.setup.memory_dir:
            self.setup.memory_dir.close()
        if self.setup.terminals:
            self.setup.terminals.close()

    def report(self) -> dict[str, Any]:
        """The report in the layout of the project's interface; ends the run."""
        final = self.finish()
        identity = final.get("identity") or {}
        source = self.setup.source
        self.history.finish(self.snap)
        return {
            "engine": self.setup.engine,
            "model": self.setup.model.code,
            "service": self.setup.model.service,
            "simulated_s": self.now_us / 1e6,
            "wall_s": round(time.monotonic() - self._began, 3),
            "true": self.stimulus.truth.report(),
            "counted": final["counted"],
            "register": {key: final["register"][key] for key in ("delivered_wh", "received_wh")},
            "pulses": {weight: final["pulses"][weight] for weight in ("10", "100", "1000")},
            "led": final["led"],
            "counter": final["counter"],
            "demand": final["demand"],
            "lcd": [{"t_s": t_us / 1e6, **said} for t_us, said in self.lcd],
            "status": final["status"],
            "events": final["events"],
            "firmware": {
                "cycles": final["firmware"]["cycles"],
                "faults": dict(sorted(final["firmware"]["faults"].items())),
            },
            "identity": {key: identity.get(key, "") for key in ("serial", "date")},
            "revision": identity.get("revision", ""),
            "seed": self.setup.seed,
            "input": {"what": source.what, **(source.told.facts if source.told else {})},
            "difference": self._difference(final),
            "intervals": self.history.intervals,
        }

    def _difference(self, final: dict[str, Any]) -> dict[str, float] | None:
        """What register and true energy differ by, net; None where an earlier run's energy is in the register.

        Not measured: flowed while no front end measured (start-up, resets). Under way: measured, and not in the
        register at the end. Metering: the rest, the error of what was measured, also as a part of it.
        """
        register = final["register"]
        if self.setup.begin_wh is None:
            return None
        net_wh = float(rise_wh(register["delivered_wh"], str(self.setup.begin_wh)) - Decimal(register["received_wh"]))
        true_wh = (self.stimulus.truth.net.delivered_ws - self.stimulus.truth.net.received_ws) / 3600
        lost_wh = self.history.not_measured_ws / 3600
        elements = self.setup.model.elements
        measured_wh = sum(chip["counts"] for chip in final["counted"][:elements]) / self.setup.model.counts_per_wh
        metering_wh = measured_wh - (true_wh - lost_wh)
        seen_wh = abs(true_wh - lost_wh)
        return {
            "not_measured_wh": round(-lost_wh, 6),
            "under_way_wh": round(net_wh - measured_wh, 6),
            "metering_wh": round(metering_wh, 6),
            # Adding 0.0 makes +0 of the -0 that a tiny error is rounded to.
            "metering_percent": round(100 * metering_wh / seen_wh, 4) + 0.0 if seen_wh > 1e-3 else None,
        }

    def _take(self, item: list[Any]) -> None:
        kind = item[0]
        if kind == "edge":
            _, t_us, signal, level = item
            self.rises[signal] += level
            if self.setup.trace:
                self.setup.trace.edge(t_us, signal, level)
        elif kind == "lcd":
            said = {key: item[2][key] for key in LCD_KEYS}
            self.lcd.append((item[1], self._records.setdefault(str(said), said)))
        elif kind in ("serial", "console"):
            if self.setup.terminals:
                self.setup.terminals.take(item)
        elif kind == "error":
            raise FirmwareError(self.now_us, str(item[-1]))
        elif kind in ("log", "boot"):
            self.log.append(item)

    def _guarded(self, call: Callable[..., Any], *args: Any) -> Any:
        try:
            return call(*args)
        except EngineError as e:
            raise FirmwareError(self.now_us, str(e)) from e
