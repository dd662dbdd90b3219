"""The terminal view of a live run: the meter's glass, lamps and counter, the lines, the register, and what happens."""

import asyncio
import contextlib
import os
import queue
import signal
import threading
from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Footer, HelpPanel, RichLog, Static

from host.run import readings
from host.run.glass_cells import GLASS, GlassCells
from host.run.headless import clock
from host.run.live import Live
from host.run.readings import QUIET
from host.sim.session import FirmwareError, Session

HUNG_UP = 129
LAID_OUT_S = 0.2  # after a change of the terminal's size


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
        Binding("r", "hand('release')", "back to the input", show=False),
        Binding("c", "hand('turn_ct')", "CT"),
        Binding("m", "hand('mains')", "mains"),
        Binding("o", "hand('load_12v')", "12V"),
        Binding("plus,equals_sign,f", "hand('faster', 1)", "speed", key_display="+-"),
        Binding("minus,s", "hand('faster', -1)", "slower", show=False),
        Binding("space", "hand('pause')", "pause", key_display="␣"),
        Binding("question_mark,h", "explain", "help", key_display="?"),
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
        self._condition_shown = ""

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
        ports = self.live.session.setup.terminals
        log.border_title = ", ".join(["events", *(ports.names() if ports else ())])
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

    def action_explain(self) -> None:
        """Show every key and what it does, or put that away again."""
        if self.screen.query(HelpPanel):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

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
        self.query_one("#head", Static).update(readings.head(self.live, self.size.width - 2))
        self.query_one(GlassView).show(set(snap["lcd"]["lit"]))
        self.query_one("#said", Static).update(readings.said(snap["lcd"]))
        self.query_one("#lines", Panel).update(readings.lines(self.live, snap))
        self.query_one("#energy", Panel).update(readings.energy(self.live.session, snap))
        self.query_one("#outputs", Panel).update(readings.outputs(self.live.session))
        self.query_one("#strip", Static).update(readings.output_strip(self.live.session))
        self._events()

    def _events(self) -> None:
        log = self.query_one("#log", RichLog)
        session = self.live.session
        for item in session.log[self._log_shown :]:
            log.write(Text.assemble((f"{clock(item[1] / 1e6)}  ", QUIET), readings.event_text(item)))
        self._log_shown = len(session.log)
        now = readings.condition(session.snap)
        if now != self._condition_shown:
            if self._condition_shown:
                log.write(Text.assemble((f"{clock(session.now_us / 1e6)}  ", QUIET), f"condition: {now}"))
            self._condition_shown = now
        for t_us, said in self.live.notes[self._notes_shown :]:
            log.write(Text.assemble((f"{clock(t_us / 1e6)}  ", QUIET), (said, "#f0e0a0")))
        self._notes_shown = len(self.live.notes)


def view(session: Session, speed: float | None) -> bool:
    """Show `session` in the terminal until a person ends it or it is over; FirmwareError if the firmware fails.

    Returns False where the view itself has failed (it has said so then).
    """
    app = MeterView(session, speed)
    app.run()
    if app.failure:
        raise app.failure
    return app.return_code == 0
