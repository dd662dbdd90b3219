"""A run without a terminal view: progress on standard error, a summary on standard output."""

import signal
import sys
import time
from typing import IO, Any

from host.sim.session import Session
from host.stimulus.source import Source

WINDOW_US = 60_000_000
PROGRESS_S = 1.0  # wall seconds between two lines of progress on a terminal
PROGRESS_FILE_S = 10.0  # and elsewhere


def run(session: Session, duration_us: int, speed: float | None, fine: bool = False, err: IO[str] = sys.stderr) -> bool:
    """Run `session` for `duration_us`, at `speed` simulated seconds per second (None: as fast as it goes). `fine`: in
    steps as short as plots show.

    An interrupt (Ctrl-C, SIGTERM) ends it early, between two windows, so that the report is whole; returns False then.
    """
    stop: list[int] = []
    before = {number: signal.signal(number, lambda n, _: stop.append(n)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _run(session, duration_us, speed, window_us(duration_us, fine), err, stop)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return not stop


def window_us(duration_us: int, fine: bool) -> int:
    """The length of a step: whole tenths of a second, a thousandth of the run where it is to be plotted."""
    return max(100_000, min(WINDOW_US, duration_us // 100_000_000 * 100_000)) if fine else WINDOW_US


def _run(session: Session, duration_us: int, speed: float | None, most_us: int, err: IO[str], stop: list[int]) -> None:
    tty = err.isatty()
    began = told = time.monotonic()
    step_us = most_us if speed is None else max(100_000, min(most_us, int(speed * 200_000)))
    while session.now_us < duration_us and not stop:
        until_us = session.stop_us(min(duration_us, session.now_us + step_us))
        if session.setup.terminals and speed is not None:
            session.pace(until_us, speed)
        else:
            session.advance(until_us)
        now = time.monotonic()
        if speed is not None and not session.setup.terminals:
            ahead_s = session.now_us / 1e6 / speed - (now - began)
            time.sleep(max(0.0, ahead_s))
        if now - told >= (PROGRESS_S if tty else PROGRESS_FILE_S):
            told = now
            _progress(session, duration_us, now - began, err, tty)
    if tty:
        _progress(session, duration_us, time.monotonic() - began, err, tty)
        err.write("\n")
    err.flush()


def _progress(session: Session, duration_us: int, wall_s: float, err: IO[str], tty: bool) -> None:
    done_s = session.now_us / 1e6
    delivered = session.snap.get("delivered", "?")
    speed = done_s / wall_s if wall_s else 0.0
    line = f"{clock(done_s)}  {100 * session.now_us / duration_us:5.1f} %  {speed:6.0f} x  {delivered} Wh delivered"
    err.write(f"\r{line}\x1b[K" if tty else f"{line}\n")
    err.flush()


def clock(seconds: float) -> str:
    """Simulated time as a person reads it: [days d ]hh:mm:ss."""
    whole = int(seconds)
    days, rest = divmod(whole, 86_400)
    text = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days} d {text}" if days else text


def summary(report: dict[str, Any], source: Source, begin_wh: float | None) -> str:
    """A few lines that say what a run has come to; `begin_wh` is what the register held before, None if not known."""
    seconds = report["simulated_s"]
    before = {"delivered": begin_wh, "received": None if begin_wh is None else 0.0}
    energy = []
    for name, from_wh in before.items():
        registered, true_wh = report["register"][name + "_wh"], report["true"][name + "_wh"]
        energy.append(f"  {name:13} {registered} Wh{_against(registered, true_wh, from_wh)}")
    energy += _difference(report)
    rows = [
        f"{report['model']} {report['service']} on {report['engine']}: {source.what}",
        *(f"  {line}" for line in (source.told.lines if source.told else [])),
        f"  simulated     {clock(seconds)} in {report['wall_s']:.1f} s ({seconds / max(report['wall_s'], 1e-3):.0f} x)",
        *energy,
        "  pulses        " + ", ".join(f"{n} of {w} Wh" for w, n in report["pulses"].items()),
        f"  counter       {report['counter']['counts']} counts",
        f"  demand        {report['demand']['interval_w']} W, largest {report['demand']['max_w']} W",
        f"  status        {report['status']['condition'].replace('_', ' ')}",
    ]
    return "\n".join(rows)


def _against(registered: str, true_wh: float, begin_wh: float | None) -> str:
    """The true energy of the run."""
    if not true_wh:
        return ""
    if begin_wh is None or float(registered) < begin_wh:  # an earlier run's energy, or the register has rolled over
        return f" (true, this run alone: {true_wh:.6f})"
    return f" (true {begin_wh + true_wh:.6f})"


def _difference(report: dict[str, Any]) -> list[str]:
    """What makes up the difference to the true energy, a line each."""
    parts = report["difference"]
    if parts is None:
        return []
    gap_s = max((chip["gap_s"] for chip in report["counted"]), default=0.0)
    lines = []
    if gap_s:
        lines.append(
            f"    not measured {parts['not_measured_wh']:+.6f} Wh (front ends starting or reset for {gap_s:.3f} s)"
        )
    if parts["under_way_wh"]:
        lines.append(f"    under way    {parts['under_way_wh']:+.6f} Wh (measured, not in the register)")
    if parts["metering_percent"] is not None:
        lines.append(f"    metering     {parts['metering_wh']:+.6f} Wh, error {parts['metering_percent']:+.4f} %")
    return lines
