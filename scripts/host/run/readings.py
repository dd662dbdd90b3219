"""What the terminal view says: head line, values of the lines, register, lamps, counter and events, as rich texts."""

import math
from typing import Any

from rich.text import Text

from host.run.glass_cells import GLASS, LIT
from host.run.headless import clock
from host.run.live import Live
from host.sim.session import Session
from host.stimulus.lines import Line
from host.stimulus.windows import watts
from openkh.metrology.energy import ROLL_WH

ON, OFF, WARN = "#e8453c", "#4a3230", "#e0b040"
GREEN, GREEN_OFF = "#5fd068", "#2c4230"
QUIET = "#8a949e"
HAND = "#f0e0a0"
WHEELS = 6
RAIL = {"waiting": "shut down", "latched": "locked out"}  # it tries again; it does not
FUSE_OPEN = 0.2  # of the nominal voltage: below it the load is fed but the meter sees no voltage (DX-7)
TURNED = "⇄"
NOT_MEASURED = "--"

EVENTS = {  # what their values mean (openkh/event_codes.py); the others are told as they are
    "power_up": "firmware starts with the supply",
    "power_fail": "supply failing, {0} mV behind the rectifier",
    "power_back": "supply back within the hold-up",
    "restart": "processor restarted (reason {0})",
    "state_lost": "no usable record: {0} damaged, {1} foreign",
    "record_damaged": "{0} records damaged",
    "record_foreign": "{0} records of another meter refused",
    "chip_silent": "front end {0} does not answer",
    "chip_back": "front end {0} answers again",
    "chip_reset": "front end {0} was reset, {1} ms not measured",
    "chip_repaired": "front end {0} put right, register {1:#05x}",
    "chip_altered": "front end {0} altered, cannot be put right",
    "reading_rejected": "front end {0}: a reading of {1} counts rejected",
    "counter_full": "front end {0}: its counter stood at its end, energy is missing",
    "cycle_late": "a cycle {0} ms after the one before",
    "frequency": "line {0} at {1} mHz",
    "rail12_off": "12 V output shut down at {0} mA",
    "rail12_retry": "12 V output on again after {0} failures",
    "rail12_latched": "12 V output locked out",
}


def shortened(what: str, width: int) -> str:
    """A text in `width` characters; of a file's path its name is kept."""
    if len(what) <= width:
        return what
    before, _, name = what.rpartition("/")
    if before and len(name) + 2 <= width:
        return "…/" + name
    return what[: max(0, width - 1)] + "…"


def head(live: Live, width: int) -> Text:
    """The head line in `width` characters: model, time, speed, mains, and what the input is."""
    model = live.session.setup.model
    wanted = "max" if live.speed is None else f"{live.speed:g} x"
    pace = f"{live.pace:.1f}" if live.pace < 10 else f"{live.pace:.0f}"
    state = "paused" if live.paused else f"speed {wanted} (runs {pace} x)"
    text = Text("OpenKh ", style="bold")
    text.append(f"{model.code} {model.service}  ", style="bold #9fd0f0")
    text.append(clock(live.session.now_us / 1e6), style=f"bold {HAND}")
    text.append(f"  {state}  ", style="bold" if live.paused else "")
    if not live.session.stimulus.power:
        text.append(" mains off ", style=f"bold white on {ON}")
        text.append(" ")
    text.append(shortened(live.session.setup.source.what, width - text.cell_len), style=QUIET)
    return text


def lines(live: Live, snap: dict[str, Any]) -> Text:
    """What each line carries (input, or set by hand) and below it what the meter measures."""
    stimulus = live.session.stimulus
    model = live.session.setup.model
    true, hz = stimulus.lines_now()
    text = Text(f"{'':10}{'V':>8}{'A':>9}{'W':>9}{'PF':>7}\n", style=QUIET)
    for index in range(model.elements):
        chosen = index in live.chosen
        mark = "hand" if stimulus.manual[index] else "input"
        row = f"{'▸' if chosen else ' '}L{index + 1} {mark:6}{_carried(true[index], stimulus.power)}"
        text.append(row + "\n", style=f"bold {HAND}" if chosen else HAND)
        text.append(f"  measured{_measured(snap, index)}", style=QUIET if index >= len(snap["lines"]) else "")
        text.append(f"{TURNED if stimulus.reversed[index] else ''}\n", style=WARN)
    alive = stimulus.power and any(line.volts for line in true[: model.elements])
    text.append(f"  {hz:.2f} Hz" if alive else f"  {NOT_MEASURED} Hz", style=QUIET)
    if any(stimulus.reversed):
        text.append(f"  {TURNED} turned", style=WARN)
    lost_w = sum(unmetered_w(line, model.nominal_mv / 1000) for line in true[: model.elements]) * stimulus.power
    if lost_w:
        text.append(f"  fuse open: {lost_w:.0f} W lost", style=WARN)
    return text


def unmetered_w(line: Line, nominal_v: float) -> float:
    """Watts that a load takes from the service while the meter has no voltage of that line (its fuse is open)."""
    if line.volts >= FUSE_OPEN * nominal_v or not line.amps:
        return 0.0
    return abs(watts(line._replace(volts=nominal_v - line.volts)))


def _carried(line: Line, mains: bool) -> str:
    """Volts, amps, watts and power factor (i: lagging, c: leading) of a line; none of it without mains."""
    if not mains:
        line = Line(0.0, 0.0, 0.0, 0.0)
    if not line.volts or not line.amps:
        return f"{line.volts:8.2f}{line.amps:9.3f}{0:9.1f}{NOT_MEASURED:>7}"
    angle = math.radians(line.degrees)
    kind = "i" if math.sin(angle) > 1e-6 else "c" if math.sin(angle) < -1e-6 else ""
    return f"{line.volts:8.2f}{line.amps:9.3f}{watts(line):9.1f}{math.cos(angle):7.3f}{kind}"


def _measured(snap: dict[str, Any], index: int) -> str:
    """What the meter measures of a line, or why there is nothing."""
    if index >= len(snap["lines"]):  # the firmware does not run
        return f"{'starting' if snap['powered'] else 'no supply':>33}"
    seen = snap["lines"][index]
    if seen.get("silent"):
        return f"{'no answer':>33}"
    factor = NOT_MEASURED if seen["pf"] is None else f"{seen['pf']:.3f}"
    return f"{seen['v_mv'] / 1000:8.2f}{seen['i_ma'] / 1000:9.3f}{seen['p_w']:9.1f}{factor:>7}"


def energy(session: Session, snap: dict[str, Any]) -> Text:
    """Register, truth and demand; kW as on the glass: demand cut off, power to the nearest watt."""
    net = session.stimulus.truth.net
    demand = snap["demand"]
    begin_wh = session.setup.begin_wh
    true = ((begin_wh or 0) + net.delivered_ws / 3600) % ROLL_WH
    power_w = sum(line["p_w"] for line in snap["lines"])
    rows = (
        ("delivered", f"{snap['delivered']:>14}", "bold"),
        ("  new" if begin_wh is None else "  true", f"{true:14.6f}", HAND),
        ("received", f"{snap['received']:>14}", "bold"),
        ("power, kW", f"{round(power_w) / 1000:14.3f}" if snap["lines"] else f"{'-':>14}", ""),
        ("demand", f"{_cut_off_kw(demand['interval_w']):>6} max {_cut_off_kw(demand['max_w'])}", ""),
    )
    text = Text("\n").join(Text.assemble((f"{name:10}", QUIET), (value, style)) for name, value, style in rows)
    now = condition(snap)
    if not snap["powered"]:
        return text.append(f"\n● {now}", QUIET)
    colour = GREEN if now == "normal" else QUIET if now == "unjudged" else WARN
    return text.append("\n● ", colour).append(now, colour)


def _cut_off_kw(watts_: float) -> str:
    return f"{int(watts_) / 1000:.3f}"


def condition(snap: dict[str, Any]) -> str:
    """The condition with its lines and failures, in words."""
    return status_text(snap["status"]) if snap["powered"] else "no supply"


def said(lcd: dict[str, Any]) -> Text:
    """The glass in words, where there is no room to draw it."""
    symbols = " ".join(lcd["symbols"])
    text = Text("glass  ", QUIET).append(f" {lcd['screen'] or ' '} {lcd['text']:>9} ", f"{LIT} on {GLASS}")
    return text.append(f"  {symbols}  bar {lcd['bar']}", QUIET)


def lamp(lit: Any, name: str, on: str = GREEN, off: str = GREEN_OFF) -> Text:
    """A lamp with its name."""
    return Text.assemble(("●", on if lit else off), (f" {name}", "" if lit else QUIET))


def wheels(session: Session) -> Text:
    """The mechanical counter: black wheels, tenths of a kWh red."""
    counter_wh = session.setup.model.counter_wh
    text = Text()
    for place, digit in enumerate(f"{session.wheels % 10**WHEELS:0{WHEELS}d}"):
        red = counter_wh == 100 and place == WHEELS - 1
        text.append(f" {digit} ", style=f"bold #ffffff on {'#a02820' if red else '#000000'}")
    return text


def outputs(session: Session) -> Text:
    """The lamps, the counter and the 12 V output, for the panel."""
    snap, pins = session.snap, session.snap["pins"]
    text = Text()
    text.append_text(lamp(pins["led"], "load LED\n", ON, OFF))
    for weight in ("10", "100", "1000"):
        text.append_text(lamp(pins["opto" + weight], f"{weight:>4} Wh {session.rises['opto' + weight]:>7}\n"))
    text.append_text(wheels(session))
    text.append("\n")
    text.append_text(rail(snap))
    return text


def output_strip(session: Session) -> Text:
    """The same in one row, where there is no room for the panel."""
    snap, pins = session.snap, session.snap["pins"]
    text = Text()
    text.append_text(lamp(pins["led"], "LED ", ON, OFF))
    for weight in ("10", "100", "1000"):
        text.append_text(lamp(pins["opto" + weight], f"{weight} "))
    text.append(" ")
    text.append_text(wheels(session))
    text.append(" ")
    text.append_text(rail(snap))
    return text


def rail(snap: dict[str, Any]) -> Text:
    """The 12 V output: lamp, then current, or why there is none."""
    lit = snap["pins"]["rail12"]
    state = snap["status"]["rail12v"] if snap["powered"] else "off"
    if state == "on":
        return lamp(lit, f"12 V on {snap['rail12_ma']:3} mA")
    return Text.assemble(("●", GREEN_OFF if state == "off" else WARN), f" 12 V {RAIL.get(state, state)}")


def status_text(status: dict[str, Any]) -> str:
    """The condition with its lines and failures."""
    lines = [f"L{n}" for n in status["lines"]]
    failures = [f"{n:02d}" for n in status["failures"]]
    return " ".join([status["condition"].replace("_", " "), *lines, *failures])


def event_text(item: list[Any]) -> str:
    """A line for an entry of the firmware's log, [kind, t_us, name, values...], or a start of the board."""
    if item[0] == "boot":
        return f"board starts ({item[2]})"
    name, values = item[2], item[3:]
    if name in EVENTS:
        return EVENTS[name].format(*values)
    while values and not values[-1]:
        values = values[:-1]
    return " ".join(str(part) for part in (name, *values)).replace("_", " ")
