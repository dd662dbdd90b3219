"""The test bench: what feeds the meter, and the reference that says what it was fed with.

A bench sets a load on each line and reads its reference meter for each measuring window. The virtual bench knows what
it feeds; on a real one a person sets the load, and the reference is typed in or comes from a file.
"""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from host.cli.refused import RefusedError, read_text
from host.stimulus.recordings.recording import Recording
from host.stimulus.recordings.signal_path import wave
from openkh.model import Model

SETTLE_S = 3.0  # after a change of load: rms lags by 0.2 s, a cycle is 0.1 s
RAMP_S = 600.0  # the virtual bench's chamber
SOAK_S = 120.0  # the meter's own thermometer is smoothed over 16 s
MOST_READING = 1e6  # volts, amps or watts: beyond the largest meter
CSV_COLUMNS = ("point", "line", "volts", "amps", "watts")


class AgainError(Exception):
    """The person at the bench wants to give the readings before once more."""


class NobodyError(RefusedError):
    """Nobody answers: what was read until then is good."""


@dataclass(frozen=True)
class LineLoad:
    """What a line is to carry, rms. `degrees` > 0: the current lags."""

    volts: float
    amps: float
    degrees: float = 0.0

    @property
    def watts(self) -> float:
        """Real power."""
        return self.volts * self.amps * math.cos(math.radians(self.degrees))


@dataclass(frozen=True)
class Load:
    """What both lines are to carry; a single-element meter has one."""

    lines: tuple[LineLoad, ...]
    hz: float

    def text(self) -> str:
        """For a person."""
        parts = []
        for n, line in enumerate(self.lines, 1):
            if line.amps == 0:
                parts.append(f"line {n}: {line.volts:g} V, no current (CT open or its conductor dead)")
            else:
                factor = math.cos(math.radians(line.degrees))
                kind = "" if abs(line.degrees) < 0.01 else " lagging" if line.degrees > 0 else " leading"
                parts.append(f"line {n}: {line.volts:g} V, {line.amps:g} A, power factor {factor:.3f}{kind}")
        return "; ".join(parts) + f"; {self.hz:g} Hz"


@dataclass(frozen=True)
class Reading:
    """The reference's means over a window on one line."""

    volts: float
    amps: float
    watts: float


class Bench(Protocol):
    """Feeds the meter and reads the reference."""

    title: str
    can_play: bool  # waveforms

    def apply(self, point: str, load: Load) -> None:
        """Set the load and let it settle."""
        ...

    def play(self, point: str, recordings: list[Recording]) -> None:
        """Feed a waveform to each line, over and over, and let it settle."""
        ...

    def read(self, point: str, line: int, window: int) -> Reading:
        """The reference on line 1 or 2 over the window just taken."""
        ...

    def temperature(self, celsius: float) -> None:
        """Bring the meter to a temperature and let it settle there."""
        ...

    def wait(self, seconds: float) -> None:
        """Let so much of the meter's time pass."""
        ...

    def lags(self, line: int) -> bool:
        """Whether the current of a line lags for certain, although the meter sees it lead."""
        ...

    def counted(self) -> list[int] | None:
        """The chips' own running totals of counts, where the bench can see them."""
        ...

    def pulses(self) -> int | None:
        """Pulses of the 10 output so far, where the bench counts them."""
        ...


class SimulatedMains(Protocol):
    """What drives a virtual board: host.sim.virtual_board.VirtualBoard or host.sim.board.Board."""

    now_us: int
    out: list[list[Any]]

    def stimulus(self, items: list[list[Any]]) -> int: ...

    def wait(self, seconds: float) -> dict[str, Any]: ...

    def look(self) -> dict[str, Any]: ...


class VirtualBench:
    """Feeds a virtual board; its reference is what it feeds, exactly."""

    title = "virtual bench (exact reference)"
    can_play = True

    def __init__(self, board: SimulatedMains, model: Model) -> None:
        self.board = board
        self._model = model
        self._readings: list[Reading] = []
        self._seen = 0  # items of the board's output looked at
        self._pulses = 0

    def apply(self, point: str, load: Load) -> None:  # noqa: ARG002  a person would be told the point
        """See Bench."""
        lines = [[x.volts, x.amps, x.degrees, 180.0 * n] for n, x in enumerate(load.lines)]
        if len(lines) < 2:
            lines.append([load.lines[0].volts, 0.0, 0.0, 180.0])
        self.board.stimulus([["mains", None, 0, *lines, load.hz]])
        self._readings = [Reading(x.volts, x.amps, x.watts) for x in load.lines]
        self.board.wait(SETTLE_S)

    def play(self, point: str, recordings: list[Recording]) -> None:  # noqa: ARG002
        """See Bench."""
        both = Recording(recordings[0].rate_hz, recordings[0].hz, [r.lines[0] for r in recordings])
        played = wave(both, self._model)
        item = played.item(0, (False, False))
        item[1] = None  # now
        self.board.stimulus([item])
        self._readings = []
        for volts, amps in both.lines[: self._model.elements]:
            watts = float((volts * amps).mean())
            self._readings.append(Reading(_rms(volts), _rms(amps), watts))
        self.board.wait(SETTLE_S)

    def read(self, point: str, line: int, window: int) -> Reading:  # noqa: ARG002
        """See Bench."""
        return self._readings[line - 1]

    def temperature(self, celsius: float) -> None:
        """See Bench."""
        end_us = self.board.now_us + round(RAMP_S * 1e6)
        self.board.stimulus([["temperature", None, end_us, celsius]])
        self.board.wait(RAMP_S + SOAK_S)

    def wait(self, seconds: float) -> None:
        """See Bench."""
        self.board.wait(seconds)

    def lags(self, line: int) -> bool:  # noqa: ARG002
        """See Bench: it feeds what was asked for."""
        return True

    def counted(self) -> list[int]:
        """See Bench."""
        return self.board.look()["counted"]

    def pulses(self) -> int:
        """See Bench."""
        self.board.look()
        items = self.board.out[self._seen :]
        self._seen += len(items)
        self._pulses += sum(1 for item in items if item[0] == "edge" and item[2:4] == ["opto10", 1])
        return self._pulses


def _rms(samples: Any) -> float:
    return float((samples * samples).mean()) ** 0.5


class PersonBench:
    """A real bench and a person at it; the reference comes from a CSV file where there is one, else it is typed in."""

    can_play = False

    def __init__(
        self,
        ask: Callable[[str], str] = input,
        say: Callable[[str], None] = print,
        sleep: Callable[[float], None] | None = None,
        rows: "dict[tuple[str, int, int], Reading] | None" = None,
    ) -> None:
        import time

        self.title = "reference readings from a file" if rows else "reference readings typed in"
        self._ask = ask
        self._say = say
        self._sleep = sleep or time.sleep
        self._rows = rows
        self._typed: dict[
            tuple[str, int], tuple[int, Reading]
        ] = {}  # line and newest by point and window, of this load

    def apply(self, point: str, load: Load) -> None:
        """See Bench."""
        self._typed.clear()
        self._say(f"\n[{point}] Set {load.text()}.")
        again = "" if self._rows is not None else " (r: once more what was read before)"
        if self._answer(f"Press Enter when the load stands and the reference is ready{again}: ").strip() in ("r", "R"):
            raise AgainError
        self._sleep(SETTLE_S)

    def play(self, point: str, recordings: list[Recording]) -> None:  # noqa: ARG002
        """No person sets a waveform by hand."""
        raise RefusedError(f"{point}: this bench plays no waveforms")

    def read(self, point: str, line: int, window: int) -> Reading:
        """See Bench. RefusedError where the file has no such reading."""
        if self._rows is not None:
            for key in ((point, line, window), (point, line, 0), (point, 0, window), (point, 0, 0)):
                if key in self._rows:
                    return self._rows[key]
            raise RefusedError(f"reference file: no row for point {point}, line {line}, window {window}")
        before_line, before = self._typed.get((point, window), (line, None))
        if before_line >= line:
            before = None  # the same window of another line alone is the same load
        same = " (Enter: as on line 1)" if before else ""
        while True:
            words = self._answer(f"Reference, line {line}, mean of window {window}: volts amps watts{same}: ")
            if before and not words.strip():
                return before
            try:
                volts, amps, watts = (float(word) for word in words.replace(",", " ").split())
            except ValueError:
                self._say("Three numbers, please: volts amps watts, such as 120.01 75.02 9001.5")
                continue
            self._typed[point, window] = line, Reading(volts, amps, watts)
            return self._typed[point, window][1]

    def again(self, point: str, line: int, window: int, reason: str) -> Reading:
        """A reading that cannot be: typed once more. One from a file stays what it is."""
        if self._rows is not None:
            return self.read(point, line, window)
        self._say(f"That cannot be: {reason}. Once more, please (Ctrl-C gives up).")
        self._typed.pop((point, window), None)
        return self.read(point, line, window)

    def _answer(self, question: str) -> str:
        try:
            return self._ask(question)
        except EOFError:
            raise NobodyError("nobody answers: standard input has ended") from None

    def temperature(self, celsius: float) -> None:
        """See Bench."""
        self._say(f"\n[temperature] Bring meter and CTs to {celsius:g} degC, and keep them there for half an hour.")
        self._answer("Press Enter when they have been there for so long: ")

    def wait(self, seconds: float) -> None:
        """See Bench."""
        self._sleep(seconds)

    def lags(self, line: int) -> bool:
        """See Bench."""
        self._say(
            f"Line {line}: the meter sees a current that leads. Either it does, or this front end's sign differs."
        )
        return self._answer("Does the reference show it lagging? [y/N] ").strip().lower() in ("y", "yes")

    def counted(self) -> None:
        """See Bench: hidden in the chips."""

    def pulses(self) -> None:
        """See Bench: nobody is asked to count them."""


def load_csv(path: str) -> dict[tuple[str, int, int], Reading]:
    """Reference readings: a header line, then `point,line,volts,amps,watts[,window]`; line 0 or empty: every line that
    carries current; window 0, empty or left out: every window of the point. RefusedError where it cannot be used."""
    rows: dict[tuple[str, int, int], Reading] = {}
    reader = csv.DictReader(io.StringIO(read_text(path, "reference file")), strict=True)
    try:
        missing = [name for name in CSV_COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise RefusedError(
                f"reference file {path}: no column {', '.join(missing)}; wanted: {','.join(CSV_COLUMNS)}[,window]"
            )
        for row in reader:
            try:
                key, reading = _row(row)
            except (ValueError, TypeError, AttributeError) as error:
                raise RefusedError(f"reference file {path}: line {reader.line_num}: {error}") from None
            if key in rows:
                raise RefusedError(f"reference file {path}: line {reader.line_num}: point {key[0]} is there twice")
            rows[key] = reading
    except csv.Error as error:
        raise RefusedError(f"reference file {path}: line {reader.line_num + 1}: no CSV text ({error})") from None
    if not rows:
        raise RefusedError(f"reference file {path}: no readings in it")
    return rows


def _row(row: dict[Any, Any]) -> tuple[tuple[str, int, int], Reading]:
    """A line of the file; ValueError, which says what is allowed."""
    if None in row:
        raise ValueError(f"more columns than the first line names: allowed: {','.join(CSV_COLUMNS)}[,window]")
    if any(row[name] is None for name in CSV_COLUMNS):
        raise ValueError(f"columns are missing: allowed: {','.join(CSV_COLUMNS)}[,window]")
    point, line, window = row["point"].strip(), row["line"].strip(), (row.get("window") or "").strip()
    if not point:
        raise ValueError("no point: allowed: its name as prompted, such as gain")
    if line not in ("", "0", "1", "2"):
        raise ValueError(f"line {line:.20}: allowed: 1, 2, or 0 for every line that carries current")
    if window and not (window.isascii() and window.isdigit() and len(window) < 3):
        raise ValueError(f"window {window:.20}: allowed: 1 to 99, or 0 for every window of the point")
    values = []
    for name in ("volts", "amps", "watts"):
        try:
            value = float(row[name])
        except ValueError:
            value = math.nan
        if not 0 < value < MOST_READING:
            raise ValueError(f"{name} {row[name].strip()!r:.22}: allowed: a number above 0, below {MOST_READING:g}")
        values.append(value)
    return (point, int(line or 0), int(window or 0)), Reading(*values)
