"""A trial: the whole meter on an engine, driven by a scenario as a person would write it; for tests and campaigns."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host.sim import link
from host.sim.session import Session, Setup
from host.stimulus import scenario
from openkh.model import Model

ENGINES = ("cpython", "micropython", "wasm")
EQUAL = ("register", "pulses", "counter", "demand", "lcd", "events")  # on every engine (docs/testing.md)


class Edges:
    """Collects edges as a trace does."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str, int]] = []

    def edge(self, t_us: int, signal: str, value: int) -> None:
        self.rows.append((t_us, signal, value))

    def close(self) -> None:
        pass


@dataclass
class Run:
    report: dict[str, Any]
    edges: list[tuple[int, str, int]]
    snap: dict[str, Any]
    memory: dict[str, str]

    def times_us(self, signal: str, value: int = 1) -> list[int]:
        """When `signal` changed to `value`."""
        return [t for t, name, level in self.edges if name == signal and level == value]

    @property
    def delivered_counts(self) -> int:
        """The register in counts of the front end."""
        model = Model(self.report["model"], self.report["service"])
        whole, part = self.report["register"]["delivered_wh"].split(".")
        return int(whole) * model.counts_per_wh + -(-int(part) * model.counts_per_wh // 1_000_000)

    def said(self) -> list[str]:
        """What the glass said, as `ID text`, in order."""
        return [f"{item['screen']} {item['text']}" for item in self.report["lcd"]]

    def logged(self) -> list[str]:
        """Names of the events in the log."""
        return [event["event"] for event in self.report["events"]]


def run(
    text: str,
    for_s: float,
    engine: str = "micropython",
    window_s: float = 60.0,
    firmware_dir: Path | None = None,
    **config: Any,
) -> Run:
    """Run the scenario `text` (TOML) for `for_s` simulated seconds. `config` adds to the engine's configuration
    (jitter_us, interleave, ticks_offset_us, exact, memory)."""
    plan = scenario.parse(text, "trial")
    model = Model(plan.model or "MDNCT-1SC", plan.service or "60Hz")
    setup = Setup(model, plan.source(model), engine, plan.seed, plan.board)
    edges = Edges()
    setup.trace = edges  # type: ignore[assignment]  # takes what a Trace takes

    def start(name: str, settings: dict[str, Any]) -> link.Link:
        more = {} if firmware_dir is None else {"firmware_dir": firmware_dir}
        return link.Link(name, {**settings, **config}, **more)

    session = Session(setup, start)
    try:
        end_us = round(for_s * 1e6)
        while session.now_us < end_us:
            session.advance(min(end_us, session.now_us + round(window_s * 1e6)))
        report = session.report()
        return Run(report, edges.rows, session.snap, session.finish()["memory"])
    finally:
        session.close()


def steps(*rows: str, model: str = "MDNCT-1SC", service: str = "60Hz", board: str = "") -> str:
    """A scenario text: each row is the body of a [[step]]."""
    head = f'model = "{model}"\nservice = "{service}"\n[board]\n{board}\n'
    return head + "".join(f"[[step]]\n{row}\n" for row in rows)


def load(at: float = 0.0, amps: float = 10.0, volts: float = 120.0, degrees: float = 0.0, hz: float = 60.0) -> str:
    """A step with the same load on both lines, split phase."""
    return (
        f"at = {at}\nhz = {hz}\nl1 = {{volts = {volts}, amps = {amps}, degrees = {degrees}}}\n"
        f"l2 = {{volts = {volts}, amps = {amps}, degrees = {degrees}, volts_degrees = 180.0}}"
    )
