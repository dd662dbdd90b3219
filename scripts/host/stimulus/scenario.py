"""Scenario files (TOML): what happens on the virtual board, checked in full before anything runs.

The layout is the project's interface (docs/run.md); keys.py and faults.py have a row for each key and each fault.
"""

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

from host.cli.refused import RefusedError, read_text
from host.stimulus.checker import Checker
from host.stimulus.keys import BOARD_DEFAULTS, EVENTS, MAINS_KEYS
from host.stimulus.lines import Event, Line, Point
from host.stimulus.source import Source, source_of_points
from openkh.model import Model


@dataclass
class Scenario:
    """A checked scenario. `steps` hold what each step names, as in the file; `source` makes them into a stimulus."""

    path: str = ""
    model: str | None = None
    service: str | None = None
    seed: int = 1
    board: dict[str, Any] = field(default_factory=lambda: dict(BOARD_DEFAULTS))
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def drives_mains(self) -> bool:
        """Whether any step says what the lines carry (a load profile or recording cannot do so as well)."""
        return any(_drives_mains(step) for step in self.steps)

    @property
    def end_s(self) -> float | None:
        """The time of the last step, with which a scenario ends by itself; None where nothing comes after the start."""
        return self.steps[-1]["at"] if self.steps and self.steps[-1]["at"] > 0 else None

    def events(self) -> list[Event]:
        """What the steps do beside the mains (keys.EVENTS) as stimulus items, in order of time."""
        items: list[Event] = []
        before_us = 0
        for step in self.steps:
            at_us = round(step["at"] * 1e6)
            begin_us = before_us if step.get("ramp") else at_us
            items += [EVENTS[key](begin_us, at_us, value) for key, value in step.items() if key in EVENTS]
            before_us = at_us
        return sorted(items, key=lambda item: item[1])

    def source(self, model: Model) -> Source:
        """The steps as a stimulus source for `model`; a new scenario begins with nominal volts and no current."""
        volts = model.nominal_mv / 1000
        lines = [Line(volts, 0.0, 0.0, 0.0), Line(volts, 0.0, 0.0, 180.0)]
        hz = float(model.hz)
        points = [Point(0, False, (lines[0], lines[1]), hz)]
        for step in self.steps:
            for index, key in enumerate(("l1", "l2")):
                lines[index] = lines[index]._replace(**step.get(key, {}))
            hz = step.get("hz", hz)
            points.append(Point(round(step["at"] * 1e6), step.get("ramp", False), (lines[0], lines[1]), hz))
        return source_of_points(points, self.events(), self.end_s)


def _drives_mains(step: dict[str, Any]) -> bool:
    return any(key in step for key in MAINS_KEYS) or ("ramp" in step and "temperature" not in step)


def load(path: str) -> Scenario:
    """The scenario in the TOML file `path`; RefusedError where it is unusable."""
    return parse(read_text(path, "scenario"), path)


def parse(text: str, path: str) -> Scenario:
    """The scenario in `text`; `path` is for messages. RefusedError where it is unusable."""
    try:
        data = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as e:
        message, _, where = str(e).removesuffix(")").rpartition(" (at ")
        line = re.match(r"line (\d+),", where)
        number = line[1] if line else len(text.splitlines())
        raise RefusedError(f"scenario {path}:{number}: not valid TOML: {message}") from None
    except (ValueError, RecursionError) as e:  # a number of thousands of digits; nesting without end
        raise RefusedError(f"scenario {path}: not valid TOML: {e}") from None
    top, steps = Checker(path, text).scenario(data)
    return Scenario(path, steps=steps, **top)
