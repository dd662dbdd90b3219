"""Random COMTRADE recordings, each with a known mean power or a reason to be refused.

    trial = make(seed, folder)      writes a recording; what must come of it
    judge(trial)                    reads it; "" or what is wrong

The power is that of the sines the recording is sampled from, in closed form: it knows nothing of reading or sampling.
"""

import math
import random
import struct
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from host.stimulus.recordings import player
from host.stimulus.recordings.capture import RecordingError
from host.stimulus.recordings.lines import Options

TOLERANCE = 0.0005  # of the mean power
LABELS = ("UA", "Tensão A", "Ua_лин1", "Bus 1 = A ", "V;1", "Über")
DATES = (
    "01/02/2024,03:04:05.000000",
    "12/26/2018,10:33:43.685000",
    "09/44/2025,15:44:15.167000",
    "01/02/2024,03:04:05",
    ",",
)
UNITS = (
    ("V", "A", 1.0, 1.0),
    ("kV", "kA", 1e-3, 1e-3),
    ("mV ", "mA", 1e3, 1e3),
    ("volt", "ampere", 1.0, 1.0),
    ("Volts", "Amps", 1.0, 1.0),
    ("", "", 1.0, 1.0),
)
FORMS = {"ASCII": 32000, "BINARY": 32000, "BINARY32": 2**30, "FLOAT32": 1}  # and the largest raw value


@dataclass
class Sine:
    """Fundamental and harmonics: {order: (rms, degrees)}."""

    parts: dict[int, tuple[float, float]]

    def at(self, hz: float, seconds: np.ndarray) -> np.ndarray:
        total = np.zeros(len(seconds))
        for order, (rms, degrees) in self.parts.items():
            total += math.sqrt(2) * rms * np.sin(2 * math.pi * order * hz * seconds + math.radians(degrees))
        return total

    def power(self, other: "Sine") -> float:
        return sum(
            rms * other.parts[n][0] * math.cos(math.radians(degrees - other.parts[n][1]))
            for n, (rms, degrees) in self.parts.items()
            if n in other.parts
        )


@dataclass
class Trial:
    """A recording on disk. `watts`: of each line; `refused`: words of the message; one of them is empty."""

    path: str
    options: Options
    watts: list[float]
    refused: str
    properties: dict[str, Any]


@dataclass
class _Plan:
    """What a recording is made of, drawn at random."""

    draw: random.Random
    revision: int = 1999
    form: str = "ASCII"
    lines: int = 1
    hz: float = 60.0
    instants: np.ndarray = field(default_factory=lambda: np.zeros(0))
    rates: list[tuple[float, int]] = field(default_factory=list)
    stamp_s: float = 1e-6
    multiplier: float = 1.0
    refused: str = ""
    said: dict[str, Any] = field(default_factory=dict)


def make(seed: int, folder: str) -> Trial:
    """Write the recording of this seed into `folder`."""
    draw = random.Random(seed)
    plan = _Plan(draw)
    plan.revision = draw.choice((1991, 1999, 2013))
    plan.form = draw.choice(tuple(FORMS) if plan.revision == 2013 else ("ASCII", "BINARY"))
    plan.lines = draw.choice((1, 2))
    nominal = draw.choice((50, 60))
    plan.hz = nominal * draw.uniform(0.985, 1.015) if draw.random() < 0.6 else float(nominal)
    _rates(plan)
    return _write(plan, nominal, Path(folder))


def _rates(plan: _Plan) -> None:
    """When the samples are taken, and how the .cfg says so."""
    draw = plan.draw
    pattern = draw.choice(("one", "one", "four", "two", "slow", "stamps", "jitter", "nano", "multiplier", "cut"))
    if pattern == "nano" and plan.revision < 2013 or pattern == "multiplier" and plan.revision == 1991:
        pattern = "one"
    per_cycle = draw.choice((10, 12, 16, 20, 32, 64, 100, 128))
    cycles = draw.randint(5, 20)
    rate = per_cycle * plan.hz if draw.random() < 0.5 else round(per_cycle * plan.hz, -1)
    count = round(cycles * rate / plan.hz) + draw.randint(0, per_cycle)
    if pattern == "four":  # as old relays record: nothing between the samples
        rate, count = 4.0 * plan.hz, 4 * cycles
    plan.instants = np.arange(count) / rate
    plan.rates = [(rate, count)]
    if pattern in ("two", "slow"):
        second = rate * 2 if pattern == "two" else plan.hz
        more = count if pattern == "two" else draw.randint(3, 9)
        tail = plan.instants[-1] + np.arange(1, more + 1) / second
        plan.instants = np.concatenate((plan.instants, tail))
        plan.rates.append((second, count + more))
    elif pattern in ("stamps", "jitter", "nano", "multiplier"):
        if pattern == "jitter":
            jitter = np.array([draw.uniform(-0.2, 0.2) for _ in range(count)]) / rate
            plan.instants = np.round(np.abs(plan.instants + jitter) * 1e6) / 1e6
            plan.instants -= plan.instants[0]
        plan.rates = [(0.0, count)]
        plan.multiplier = 0.1 if pattern == "multiplier" else 1.0
        plan.stamp_s = 1e-9 if pattern == "nano" else 1e-6 * plan.multiplier
    elif pattern == "cut":
        plan.refused = "cut off"
    plan.said["rate pattern"] = pattern
    plan.said["samples a cycle"] = 4 if pattern == "four" else per_cycle


def _sines(plan: _Plan, line: int) -> tuple[Sine, Sine]:
    draw = plan.draw
    per_cycle = plan.said["samples a cycle"]
    volts, amps = draw.uniform(100, 135), draw.uniform(0.5, 60)
    at = draw.uniform(0, 360)
    lag = draw.uniform(-60, 60)
    v, i = {1: (volts, at)}, {1: (amps, at - lag)}
    for order in (3, 5):
        if per_cycle >= 32 and draw.random() < 0.4:
            v[order] = (volts * 0.03, draw.uniform(0, 360))
            i[order] = (amps * 0.2, draw.uniform(0, 360))
    plan.said[f"line {line}"] = f"{volts:.1f} V, {amps:.2f} A, {lag:.0f} degrees"
    return Sine(v), Sine(i)


def _write(plan: _Plan, nominal: int, folder: Path) -> Trial:
    draw = plan.draw
    v_unit, i_unit, v_factor, i_factor = draw.choice(UNITS)
    if draw.random() < 0.05 and not plan.refused:
        v_unit, i_unit, plan.refused = "Vrms", "Arms", "rms"
    ratio = draw.choice(("none", "none", "secondary", "primary"))
    skews = draw.random() < 0.3 and plan.said["rate pattern"] != "four"
    rows, raws, watts = [], [], []
    sines = [_sines(plan, line) for line in range(1, plan.lines + 1)]
    ordered = [(pair[0], "V", v_unit, v_factor) for pair in sines] + [
        (pair[1], "I", i_unit, i_factor) for pair in sines
    ]
    for number, (sine, quantity, unit, factor) in enumerate(ordered, 1):
        rated = (120.0, 12.0) if quantity == "V" else (100.0, 5.0)
        skew_us = draw.randint(-300, 300) if skews else 0
        values = sine.at(plan.hz, plan.instants + skew_us * 1e-6) * factor
        if ratio != "none":  # as the meter is to see them: primary ones of an "S" file, secondary ones of a "P" file
            values = values / (rated[0] / rated[1]) if ratio == "secondary" else values * (rated[0] / rated[1])
        b = draw.choice((0.0, 0.0, float(np.max(np.abs(values))) * 0.1))
        a = float(np.max(np.abs(values - b))) / FORMS[plan.form] * draw.choice((1, -1))
        a = a if plan.form != "FLOAT32" else 1.0
        raw = (values - b) / a
        raws.append(raw if plan.form == "FLOAT32" else np.round(raw))
        name = (quantity + str(number)) if not unit else draw.choice(LABELS) + str(number)
        side = {"none": ("1", "1", "P"), "secondary": (*map(str, rated), "S"), "primary": (*map(str, rated), "P")}[
            ratio
        ]
        if plan.revision == 1991 and ratio == "none":
            side = ()
        high = FORMS[plan.form] if plan.form != "FLOAT32" else 0
        rows.append(
            ",".join([str(number), name, "A", "", unit, repr(a), repr(b), str(skew_us), str(-high), str(high), *side])
        )
    watts = [pair[0].power(pair[1]) for pair in sines]
    plan.said |= {"units": v_unit or "none", "ratio": ratio, "skew": skews}
    _mark_missing(plan, raws)
    statuses = draw.choice((0, 0, 3, 17))
    path = _files(plan, nominal, rows, raws, statuses, folder)
    said = {"revision": plan.revision, "type": plan.form, **plan.said}
    options = Options(secondary=ratio == "primary")
    return Trial(path, options, [] if plan.refused else watts, plan.refused, said)


def _mark_missing(plan: _Plan, raws: list[np.ndarray]) -> None:
    """Sometimes a sample that is missing, as the revision marks it; or 0xFFFF of 1991 where it is a value."""
    draw = plan.draw
    if plan.revision == 1991 and plan.form == "BINARY":
        near = int(np.argmin(np.abs(raws[0])))
        if abs(raws[0][near]) < 300:
            raws[0][near] = -1
        return
    if draw.random() > 0.12 or plan.refused:
        return
    if plan.form == "ASCII":
        mark = math.nan if plan.revision == 1991 else 99999
    else:
        mark = {"BINARY": -(2**15), "BINARY32": -(2**31), "FLOAT32": float(np.finfo(np.float32).min)}[plan.form]
    raws[-1][draw.randrange(3, len(plan.instants) // 2)] = mark
    plan.refused = "1 sample is missing"
    plan.said["missing"] = mark


def _files(plan: _Plan, nominal: int, rows: list[str], raws: list[np.ndarray], statuses: int, folder: Path) -> str:
    """The .cfg and .dat; the .cfg's path."""
    draw = plan.draw
    end = draw.choice(("\n", "\r\n"))
    station = draw.choice(("BENCH,1", "Subestação,1", "Подстанция,1"))
    cfg = [station if plan.revision == 1991 else f"{station},{plan.revision}"]
    cfg.append(f"{len(rows) + statuses},{len(rows)}A,{statuses}D")
    cfg += rows + [f"{n},S{n},,,{draw.choice(('0', ''))}" for n in range(1, statuses + 1)]
    cfg.append(draw.choice((str(nominal), str(nominal), "")))
    timed = plan.rates[0][0] == 0
    cfg.append("0" if timed else str(len(plan.rates)))
    cfg += [f"{rate!r},{last}" for rate, last in plan.rates]
    date = "01/02/2024,03:04:05.000000000" if plan.stamp_s == 1e-9 else draw.choice(DATES)
    cfg += [date, date, draw.choice((plan.form, plan.form.lower()))]
    if plan.multiplier != 1 or (plan.revision > 1991 and draw.random() < 0.8):
        cfg.append(f"{plan.multiplier:g}")
        cfg += draw.choice(([], ["-5h30,-5h30"], ["0,0", "0,0"])) if plan.revision == 2013 else []
    text = end.join(cfg) + draw.choice((end, end + end, "\x1a", ""))
    codec = draw.choice(("utf-8", "utf-8-sig", "latin-1", "cp1251"))
    stem, (cfg_end, dat_end) = folder / "rec", draw.choice(((".cfg", ".dat"), (".CFG", ".dat"), (".cfg", ".DAT")))
    Path(f"{stem}{cfg_end}").write_bytes(text.encode(codec, "replace"))
    stamps = np.round(plan.instants / plan.stamp_s).astype(np.int64)
    count = len(stamps) * 3 // 4 if plan.refused == "cut off" else len(stamps)
    dat = _dat(plan.form, stamps, raws, statuses, end, count)
    Path(f"{stem}{dat_end}").write_bytes(dat)
    plan.said["line ends"] = repr(end)
    return f"{stem}{draw.choice((cfg_end, dat_end))}"


def _dat(form: str, stamps: np.ndarray, raws: list[np.ndarray], statuses: int, end: str, count: int) -> bytes:
    if form == "ASCII":
        lines = []
        for n in range(count):
            cells = ["" if math.isnan(raw[n]) else str(int(raw[n])) for raw in raws]
            lines.append(",".join([str(n + 1), str(stamps[n]), *cells, *["0"] * statuses]))
        return (end.join(lines) + end).encode()
    kind = {"BINARY": "h", "BINARY32": "i", "FLOAT32": "f"}[form]
    layout = f"<II{len(raws)}{kind}{(statuses + 15) // 16}H"
    words = [0] * ((statuses + 15) // 16)
    number = float if kind == "f" else int
    return b"".join(
        struct.pack(layout, n + 1, int(stamps[n]) & 0xFFFFFFFF, *(number(raw[n]) for raw in raws), *words)
        for n in range(count)
    )


def judge(trial: Trial) -> str:
    """What is wrong with how this recording is read; empty: nothing."""
    try:
        _, _, recording, _ = player.read(trial.path, trial.options)
    except RecordingError as e:
        if trial.refused and trial.refused in str(e):
            return ""
        return f"refused: {e}"
    if trial.refused:
        return f"not refused for: {trial.refused}"
    for number, (watts, found) in enumerate(zip(trial.watts, recording.true_w(), strict=True), 1):
        if abs(found / watts - 1) > TOLERANCE:
            return f"line {number}: {found:.4f} W, not {watts:.4f} W ({100 * (found / watts - 1):+.4f} %)"
    return ""


def rows(count: int) -> list[tuple[str, Any, str]]:
    """Figures of `count` recordings; each that is read wrongly is told as it comes."""
    wrong = refused = 0
    worst = 0.0
    for seed in range(1, count + 1):
        with tempfile.TemporaryDirectory() as folder:
            trial = make(seed, folder)
            said = judge(trial)
            if said:
                wrong += 1
                print(f"  seed {seed}: {said} {trial.properties}", flush=True)
            elif trial.refused:
                refused += 1
            else:
                found = player.read(trial.path, trial.options)[2].true_w()
                worst = max(worst, *(abs(a / b - 1) for a, b in zip(found, trial.watts)))
    return [
        ("random recordings", count, ""),
        ("rightly refused", refused, ""),
        ("largest error of the mean power", f"{100 * worst:.5f}", "%"),
        ("recordings read wrongly", wrong, ""),
    ]
