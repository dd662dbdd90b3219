"""The engine in slices, for a host that must never be kept waiting: a browser's worker, to which each call returns.

Where the service seal is open the firmware's start-up files end by themselves, and the timers that they have started go
on as simulated time is moved. So no stack of the firmware has to be kept between two calls, and the interpreter can
collect its garbage, which this build does only when no call is under way. With the seal closed the firmware would never
return from its start; such a board is refused.

All values are passed as text, because numbers beyond 32 bits do not survive the way between MicroPython and JavaScript.
"""

import gc
import json

from boards.virtual.engine.engine import BOOT_US, Engine, drop_firmware
from boards.virtual.halt import PowerCut, Reset


class SlicedEngine(Engine):
    """One board with its firmware. `config`: JSON as for Engine's operation "start"."""

    def __init__(self, config):
        super().__init__(None)
        config = json.loads(config)
        if config.get("board", {}).get("seal") == "closed":
            raise ValueError("a board that is run in slices starts with its seal open")
        self._items = []
        self._up = False  # the firmware's start-up files have ended
        self._reached = False
        self._start(config)
        drop_firmware()
        gc.collect()

    def feed(self, stimulus):
        """Add stimulus items (JSON, in order of time) that lie ahead."""
        self._feed(json.loads(stimulus))

    def advance(self, until_us):
        """Move simulated time to `until_us` (decimal text). A start of the firmware is not cut in pieces: where one
        falls into this slice it may end later. Returns the time reached, microseconds, as text."""
        until_us = int(until_us)
        if until_us > self._clock.now_us:
            self._reached = False
            self._clock.at(until_us, self._arrive)
            while not self._reached:
                self._go_on()
        return str(self._clock.now_us)

    def look(self):
        """What has come out since the last look, and the meter as it is now: JSON {"t_us", "out", "snap"}."""
        if self._live_log:
            self._tell_events()
        out = self._items + self._recorder.take()
        self._items = []
        return json.dumps({"t_us": self._clock.now_us, "out": out, "snap": self._snap()})

    def heap(self):
        """Bytes of the interpreter's heap in use, as text."""
        return str(gc.mem_alloc())

    def finish(self):
        """What a report needs: JSON as Engine answers the operation "finish", with all that has come out."""
        final = self._final()
        final["out"] = self._items + final["out"]
        return json.dumps(final)

    def _more(self, items):
        self._items += items

    def _arrive(self):
        self._reached = True

    def _go_on(self):
        """Go on to the next event, or through a start of the firmware."""
        try:
            if self._up or not self._reference.supply.on:
                self._clock.next_event()
            else:
                self._clock.sleep(BOOT_US)
                self._booting()
                self._start_up_files()
                self._up = True
        except PowerCut:
            self._ended("power")
        except Reset as reset:
            self._ended(reset.cause)

    def _start_up_files(self):
        """The same as in Engine, but without sys.exc_info, which this build does not have."""
        try:
            import boot  # noqa: F401
            import main  # noqa: F401
        except SystemExit:
            raise Reset("soft") from None
        except Exception as error:
            self._failed(error)

    def _ended(self, cause):
        self._up = False
        self._stopped(cause)
        drop_firmware()
