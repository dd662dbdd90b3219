"""The firmware's own figures, read from its running meter (openkh.app.meter) without touching the simulated hardware.

No other module of the virtual board knows the firmware's attributes. Quantities are integers in the units of their
names.
"""

import sys

_ELEMENT_FAULTS = ("spoilt", "rejected", "resets", "repairs", "gap_ms")


def meter():
    """The running meter, or None."""
    app = sys.modules.get("openkh.app")
    return None if app is None else getattr(app, "meter", None)


def wh_text(wh, counts, counts_per_wh):
    """Energy in Wh as a decimal string with six places, cut off."""
    return "%d.%06d" % (wh, counts * 1000000 // counts_per_wh)


class Probe:
    """Reads the meter. What a restart takes away, cycles, fault counters and the last state, is kept and added up."""

    def __init__(self, model):
        self._counts_per_wh = model.counts_per_wh
        self._elements = model.elements
        self._cycles = 0
        self._faults = {}
        self._last = None
        self._identity = {"serial": "", "date": "", "revision": ""}
        self.run_us = 0  # the run time at which the firmware was stopped last

    def retire(self):
        """Keep what the report needs, because the firmware is about to be dropped."""
        running = meter()
        if running is None:
            return
        self._last = self._figures(running)
        self._identity = self.identity()
        state = running.cycle.state
        self.run_us = state.run_s * 1000000 + state.run_us
        self._cycles += running.cycle.cycles
        for name, count in self._counters(running):
            self._faults[name] = self._faults.get(name, 0) + count

    def events_written(self):
        """A number that changes whenever the log gets an entry."""
        running = meter()
        return None if running is None else running.log.added - running.log.pending

    def figures(self):
        """The register, demand and status as they are now, or as they were when the firmware stopped."""
        running = meter()
        if running is not None:
            return self._figures(running)
        if self._last is not None:
            return self._last
        return {
            "register": {"delivered_wh": "0.000000", "received_wh": "0.000000"},
            "demand": {"interval_mw": 0, "max_mw": 0, "shown_mw": 0},
            "status": {"condition": "unjudged", "lines": [], "failures": [], "rail12v": "off"},
        }

    def firmware(self):
        """How many cycles have run and what went wrong in them, over all restarts."""
        cycles = self._cycles
        faults = dict(self._faults)
        running = meter()
        if running is not None:
            cycles += running.cycle.cycles
            for name, count in self._counters(running):
                faults[name] = faults.get(name, 0) + count
        return {"cycles": cycles, "faults": faults}

    def identity(self):
        """Serial number, date of manufacture and software revision; empty where the firmware has not run."""
        running = meter()
        if running is None:
            return self._identity
        from openkh import REVISION

        found = running.factory.identity
        return {"serial": found.serial, "date": found.date, "revision": REVISION}

    def lines(self):
        """What the firmware has measured on each line."""
        running = meter()
        if running is None:
            return []
        found = []
        for n, element in enumerate(running.elements):
            p_mw = (running.status.line_2 if n else running.status.line_1).p_mw()
            va_uva = element.v_mv * element.i_ma
            pf = max(-1000, min(1000, p_mw * 1000000 // va_uva)) if va_uva >= 1000000 else None  # below 1 VA: none
            line = {"v_mv": element.v_mv, "i_ma": element.i_ma, "p_mw": p_mw, "pf_milli": pf}
            line["silent"] = element.silent
            found.append(line)
        return found

    def counter_given(self):
        """How many counts the firmware has noted as given to the mechanical counter, modulo the register's roll-over;
        None where the firmware does not run."""
        running = meter()
        return None if running is None else running.cycle.state.counter_given

    def _figures(self, running):
        state = running.cycle.state
        status = running.status
        from openkh.metrology.status import NAMES

        return {
            "register": {
                "delivered_wh": wh_text(state.delivered_wh, state.delivered_counts, self._counts_per_wh),
                "received_wh": wh_text(state.received_wh, state.received_counts, self._counts_per_wh),
            },
            "demand": {
                "interval_mw": state.interval_mw,
                "max_mw": state.max_mw,
                "shown_mw": state.shown_mw(),
            },
            "status": {
                "condition": NAMES[status.condition],
                "lines": [n + 1 for n in range(self._elements) if status.lines >> n & 1],
                "failures": [n + 1 for n in range(5) if status.failures >> n & 1],
                "rail12v": running.rail12.name(),
            },
        }

    def _counters(self, running):
        found = [("late", running.cycle.late), ("errors", running.cycle.errors)]
        found.append(("journal", running.journal.errors))
        for n, element in enumerate(running.elements):
            for name in _ELEMENT_FAULTS:
                found.append(("line%d_%s" % (n + 1, name), getattr(element, name)))
        return found
