"""The terminal view of a live run: the meter's glass, lamps and counter, the lines, the register, and what happens."""

import asyncio
import contextlib
import math
import os
import queue
import signal
import threading
from collections.abc import Callable
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Footer, RichLog, Static

from host.run.glass_cells import GLASS, LIT, GlassCells
from host.run.headless import clock
from host.run.live import Live
from host.sim.session import FirmwareError, Session
from host.stimulus.windows import watts

ON, OFF, WARN = "#e8453c", "#4a3230", "#e0b040"
GREEN, GREEN_OFF = "#5fd068", "#2c4230"
QUIET = "#8a949e"
NOT_MEASURED = "     --"  # in the column of the power factor
WHEELS = 6
RAIL = {"waiting": "shut down", "latched": "locked out"}  # it tries again; it does not
HUNG_UP = 129
LAID_OUT_S = 0.2  # after a change of the terminal's size


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
    "cycle_late": "a cycle {0} ms after the one before",
    "frequency": "line {0} at {1} mHz",
    "rail12_off": "12 V output shut down at {0} mA",
    "rail12_retry": "12 V output on again after {0} failures",
    "rail12_latched": "12 V output locked out",
}


class GlassView(Widget):
    """The LCD, as large as the terminal allows."""

    def __init__(self) -> None:
        super().__init__(id="glass")
        self._sizes = (GlassCells(large=True), GlassCells(large=False))
        self._lit: set[str] = set()

    @property
    def _cells(self) -> GlassCells:
        large, small = self._sizes
        return large if self.size.width >= large.width + 2 and self.app.size.height >= 28 else small

    def show(self, lit: set[str]) -> None:
        """Light these dots and no others."""
        if lit != self._lit:
            self._lit = lit
            self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        large, small = self._sizes
        return (large if width >= large.width + 2 and viewport.height >= 28 else small).height

    def render_line(self, y: int) -> Strip:
        cells = self._cells
        width = self.size.width
        background = Style(bgcolor=GLASS)
        if y >= cells.height:
            return Strip([Segment(" " * width, background)], width)
        left = max(0, (width - cells.width) // 2)
        row = [Segment(" " * left, background), *cells.lines(self._lit)[y]]
        return Strip(row).adjust_cell_length(width, background)


class Panel(Static):
    """A titled box."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(id=name, classes="panel")
        self.border_title = title


class MeterView(App[None]):
    """The view. A thread of its own runs the meter; keys reach it through a queue, its pictures come by call."""

    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (77, "-narrow"), (96, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (22, "-high")]
    CSS = """
    Screen { layout: vertical; overflow: hidden; background: #14181c; color: #d5dbe0; }
    #head { height: 1; background: #26303a; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    #glass { height: auto; border: outer #39424b; background: #a9baa1; }
    .panel { border: round #46515c; border-title-color: #9fb6c9; height: 100%; padding: 0 1; text-wrap: nowrap; }
    #panels { height: 8; }
    #lines { width: 48; } #energy { width: 1fr; } #outputs { width: 22; }
    #strip { height: 1; padding: 0 1; display: none; text-wrap: nowrap; }
    #log { height: 1fr; background: #14181c; padding: 0 1; scrollbar-size: 0 0; }
    #log { border: round #46515c; border-title-color: #9fb6c9; }
    .-narrow #outputs { display: none; } .-narrow #strip { display: block; }
    .-narrow #panels { height: 7; } .-narrow .panel { padding: 0; } .-narrow #lines { width: 46; }
    .-narrow .panel { border: none; border-top: solid #46515c; } .-narrow #energy { padding: 0 0 0 1; }
    .-narrow #log { border: none; border-top: solid #46515c; padding: 0; }
    #said { height: 1; padding: 0 1; display: none; text-wrap: nowrap; }
    .-low #glass { display: none; } .-low #said { display: block; }
    .-low #outputs { display: none; } .-low #strip { display: block; }
    .-low #panels { height: 7; } .-low .panel { border: none; border-top: solid #46515c; padding: 0; }
    .-low #log { border: none; border-top: solid #46515c; padding: 0; }
    .-tiny #glass { display: none; } .-tiny #said { display: block; }
    .-tiny #outputs { display: none; } .-tiny #strip { display: block; }
    .-tiny #panels { height: auto; layout: vertical; } .-tiny #lines { width: 1fr; } .-tiny #energy { width: 1fr; }
    .-tiny .panel { height: 6; border: none; padding: 0; } .-tiny #strip { padding: 0; }
    .-tiny #log { border: none; padding: 0; }
    Footer { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "hand('load', 1)", "load", key_display="↑↓"),
        Binding("down", "hand('load', -1)", "less load", show=False),
        Binding("right", "hand('power_factor', 1)", "PF", key_display="←→"),
        Binding("left", "hand('power_factor', -1)", "less lag", show=False),
        Binding("v", "hand('volts', 1)", "volts", key_display="vV"),
        Binding("V,shift+v", "hand('volts', -1)", "fewer volts", show=False),
        Binding("l", "hand('select')", "line"),
        Binding("r", "hand('release')", "auto"),
        Binding("c", "hand('turn_ct')", "CT"),
        Binding("m", "hand('mains')", "mains"),
        Binding("o", "hand('load_12v')", "12V"),
        Binding("plus,equals_sign,f", "hand('faster', 1)", "speed", key_display="+-"),
        Binding("minus,s", "hand('faster', -1)", "slower", show=False),
        Binding("space", "hand('pause')", "pause", key_display="␣"),
        Binding("q", "stop", "quit"),
        Binding("ctrl+c,ctrl+q", "stop", "quit", show=False, priority=True),
    ]

    def __init__(self, session: Session, speed: float | None) -> None:
        super().__init__()
        self.live = Live(session, speed)
        self.failure: FirmwareError | None = None
        self._model = session.setup.model
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._stepping = threading.Lock()
        self._stop = False
        self._notes_shown = 0
        self._log_shown = 0
        self._lcd_shown = ""

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield GlassView()
        yield Static(id="said")
        with Horizontal(id="panels"):
            yield Panel("lines", "lines")
            yield Panel("energy", "register, Wh")
            yield Panel("outputs", "outputs")
        yield Static(id="strip")
        log = RichLog(id="log", max_lines=500, wrap=False)
        log.border_title = "events"
        log.can_focus = False
        yield log
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.action_stop)
        self._hang_up_before = signal.signal(signal.SIGHUP, self._hang_up)
        self.run_worker(self._drive, thread=True, exclusive=True)

    def on_resize(self) -> None:
        """The newest events stay in sight."""
        log = self.query_one("#log", RichLog)
        self.set_timer(LAID_OUT_S, lambda: log.scroll_end(animate=False))

    def on_unmount(self) -> None:
        signal.signal(signal.SIGHUP, self._hang_up_before)

    def _hang_up(self, *_: object) -> None:
        """The terminal has gone, and the view cannot end as it would with one: keep the memory and be off."""
        with self._stepping, contextlib.suppress(FirmwareError):
            self.live.session.finish()
            self.live.session.close()
        os._exit(HUNG_UP)

    def action_hand(self, what: str, *args: int) -> None:
        """Pass a change on to the thread that runs the meter."""
        self._orders.put(lambda: getattr(self.live, what)(*args))
        self._wake.set()

    def action_stop(self) -> None:
        self._stop = True
        self._wake.set()

    def _drive(self) -> None:
        """The meter's thread: orders, a step, a picture, until the end."""
        try:
            while not self._stop:
                with self._stepping:
                    while not self._orders.empty():
                        self._orders.get()()
                    wait_s = self.live.step()
                self.call_from_thread(self._show)
                if self.live.ended:
                    break
                self._wake.wait(wait_s)
                self._wake.clear()
        except FirmwareError as e:
            self.failure = e
        self.call_from_thread(self.exit)

    def _show(self) -> None:
        """Draw what the meter is and does now; the meter's thread waits meanwhile."""
        snap = self.live.session.snap
        if not snap:
            return
        self.query_one("#head", Static).update(self._head())
        self.query_one(GlassView).show(set(snap["lcd"]["lit"]))
        self.query_one("#said", Static).update(said(snap["lcd"]))
        self.query_one("#lines", Panel).update(self._lines(snap))
        self.query_one("#energy", Panel).update(self._energy(snap))
        self.query_one("#outputs", Panel).update(outputs(self.live.session))
        self.query_one("#strip", Static).update(output_strip(self.live.session))
        self._events()

    def _head(self) -> Text:
        live = self.live
        wanted = "max" if live.speed is None else f"{live.speed:g} x"
        pace = f"{live.pace:.1f}" if live.pace < 10 else f"{live.pace:.0f}"
        state = "paused" if live.paused else f"speed {wanted} (runs {pace} x)"
        text = Text("OpenKh ", style="bold")
        text.append(f"{self._model.code} {self._model.service}  ", style="bold #9fd0f0")
        text.append(clock(live.session.now_us / 1e6), style="bold #f0e0a0")
        text.append(f"  {state}  ", style="bold" if live.paused else "")
        if not live.session.stimulus.power:
            text.append(" mains off ", style=f"bold white on {ON}")
            text.append(" ")
        text.append(live.session.setup.source.what, style=QUIET)
        return text

    def _lines(self, snap: dict[str, Any]) -> Text:
        stimulus = self.live.session.stimulus
        true, hz = stimulus.lines_now()
        text = Text(f"{'':10}{'V':>8}{'A':>9}{'W':>9}{'PF':>7}\n", style=QUIET)
        for index in range(self._model.elements):
            line = true[index]
            on = stimulus.power
            chosen = index in self.live.chosen
            mark = "hand" if stimulus.manual[index] else "input"
            row = f"{'▸' if chosen else ' '}L{index + 1} {mark:6}"
            row += f"{line.volts * on:8.2f}{line.amps * on:9.3f}{watts(line) * on:9.1f}"
            if on and line.volts and line.amps:
                reactive = math.sin(math.radians(line.degrees))
                row += f"{math.cos(math.radians(line.degrees)):7.3f}" + (
                    "i" if reactive > 1e-6 else "c" if reactive < -1e-6 else ""
                )
            else:
                row += NOT_MEASURED
            text.append(row + "\n", style="bold #f0e0a0" if chosen else "#f0e0a0")
            turned = stimulus.reversed[index]
            text.append(" CT turned" if turned else "  measured", style=WARN if turned else QUIET)
            if index < len(snap["lines"]):
                seen = snap["lines"][index]
                if seen.get("silent"):
                    text.append(f"{'no answer':>33}\n", style=WARN)
                    continue
                power_factor = NOT_MEASURED if seen["pf"] is None else f"{seen['pf']:7.3f}"
                text.append(f"{seen['v_mv'] / 1000:8.2f}{seen['i_ma'] / 1000:9.3f}{seen['p_w']:9.1f}{power_factor}\n")
            else:  # the firmware does not run
                text.append(f"{'starting' if snap['powered'] else 'no supply':>33}\n", style=QUIET)
        alive = stimulus.power and any(line.volts for line in true[: self._model.elements])
        text.append(f"  {hz:.2f} Hz" if alive else "  -- Hz", style=QUIET)
        return text

    def _energy(self, snap: dict[str, Any]) -> Text:
        net = self.live.session.stimulus.truth.net
        demand, condition = snap["demand"], snap["status"]["condition"]
        begin_wh = self.live.session.setup.begin_wh
        rows = (
            ("delivered", f"{snap['delivered']:>16}", "bold"),
            (
                "  new" if begin_wh is None else "  true",
                f"{(begin_wh or 0) + net.delivered_ws / 3600:16.6f}",
                "#f0e0a0",
            ),
            ("received", f"{snap['received']:>16}", "bold"),
            ("demand, W", f"{demand['interval_w']:16.3f}", ""),
            ("  largest", f"{demand['max_w']:16.3f}", ""),
        )
        text = Text("\n").join(Text.assemble((f"{name:10}", QUIET), (value, style)) for name, value, style in rows)
        if not snap["powered"]:
            return text.append("\n● no supply", QUIET)
        colour = GREEN if condition == "normal" else QUIET if condition == "unjudged" else WARN
        return text.append("\n● ", colour).append(status_text(snap["status"]), colour)

    def _events(self) -> None:
        log = self.query_one("#log", RichLog)
        session = self.live.session
        for item in session.log[self._log_shown :]:
            log.write(Text.assemble((f"{clock(item[1] / 1e6)}  ", QUIET), event_text(item)))
        self._log_shown = len(session.log)
        for t_us, said in self.live.notes[self._notes_shown :]:
            log.write(Text.assemble((f"{clock(t_us / 1e6)}  ", QUIET), (said, "#f0e0a0")))
        self._notes_shown = len(self.live.notes)


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


def view(session: Session, speed: float | None) -> bool:
    """Show `session` in the terminal until a person ends it or it is over; FirmwareError if the firmware fails.

    Returns False where the view itself has failed (it has said so then).
    """
    app = MeterView(session, speed)
    app.run()
    if app.failure:
        raise app.failure
    return app.return_code == 0
