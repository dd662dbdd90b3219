"""What must hold in every random scenario (cases.py), whatever happens in it.

Exact where the project promises exactness: the chips' own running counts against the register, within what the
incidents may cost (allowance.py). At the end, after the calm, outputs, counter and register agree to one.
"""

from typing import TYPE_CHECKING

from host.campaigns.chaos.allowance import CYCLE_S, LASTING, Allowance, Counts, Seen

if TYPE_CHECKING:
    from host.campaigns.chaos.cases import Case

ROLL_WH = 1_000_000_000
LEAST_US = 30_000  # PO-3
COIL_US = 99_000  # CO-2: 100 ms in cycles of the timer
GLASS_S = 1.0  # from the start of the firmware to the first picture
BEGUN_S = 0.5  # the same to a register
UNREAD_S = 2.5  # more, where the memory does not answer: map and factory data are asked for again
WEIGHTS = (("10", 10), ("100", 100), ("1000", 1000))


class Rules:
    """Judges one run of a case."""

    def __init__(self, case: "Case", seen: Seen) -> None:
        self.case = case
        self.seen = seen
        self.allowed = Allowance(case, seen)
        self.model = self.allowed.model
        self.faults = self.allowed.faults
        self.start_wh = case.board.get("start_delivered_wh", 0)
        self.found: list[str] = []

    def broken(self) -> list[str]:
        """Every rule that is broken, as `rule: how`."""
        if self.allowed.without_program:
            return []
        self._always()
        self._in_the_end()
        self._pulse_lengths()
        self._glass()
        self._starts()
        return self.found

    def _say(self, rule: str, how: object) -> None:
        if not any(text.startswith(rule + ":") for text in self.found):
            self.found.append(f"{rule}: {how}")

    # -- register, pulses, counter -------------------------------------------------------------------------------

    def _register(self, register: dict[str, str]) -> tuple[int, int, int]:
        """Since the start: Wh delivered, counts delivered, counts received; the roll-over of EN-3 undone."""
        per_wh = self.model.counts_per_wh
        whole, part = register["delivered_wh"].split(".")
        wh = (int(whole) - self.start_wh + ROLL_WH // 2) % ROLL_WH - ROLL_WH // 2
        received_wh, received = register["received_wh"].split(".")
        return wh, wh * per_wh + _counts(part, per_wh), int(received_wh) * per_wh + _counts(received, per_wh)

    def _owed(self, wh: float, weight: int) -> int:
        """Whole weights of energy since the start."""
        return int(wh + self.start_wh) // weight - self.start_wh // weight

    def _always(self) -> None:
        """At each look: nothing ahead of what was measured, nothing missing but what may be."""
        highest = 0
        before_s = 0.0
        flown = Counts()  # through the lines, at most
        for snap, rises in self.seen.looks:
            at_s = snap["t_us"] / 1e6
            flown = flown.plus(self.allowed.counts(before_s, at_s))
            before_s = at_s
            if self.allowed.in_ram_only(at_s) or not self._begun(at_s):
                continue
            wh, delivered, received = self._register(snap["register"])
            misread = self.allowed.misread(at_s)
            most = flown.plus(self.allowed.wrong(at_s)).plus(misread)
            if delivered > most.forward + 1 or received > most.back + 1:
                how = f"at {at_s:.3f} s {delivered} and {received} back, allowed {most.forward:.0f} and {most.back:.0f}"
                self._say("ST-1 more than measured", how)
            lost = self.allowed.lost(at_s)
            may = lost.plus(self.allowed.under_way(at_s)).plus(misread)
            self._missing("EN-2 register", sum(snap["counted"]), delivered - received, may, f"at {at_s:.3f} s ")
            if delivered < highest - lost.forward - 1:
                how = f"at {at_s:.3f} s by {highest - delivered} counts, {lost.forward:.0f} allowed"
                self._say("EN-1 decreases", how)
            highest = max(highest, delivered)
            lost_wh = lost.forward / self.model.counts_per_wh
            for name, weight in WEIGHTS:
                seen = rises["opto" + name]
                # Each piece of energy that is lost may have had a pulse in it, and in the same place again.
                may = lost_wh / weight + self.allowed.losses(at_s) + self._twice("opto" + name)
                if seen - self._owed(wh, weight) > may:
                    self._say(f"PO-1 {name} Wh ahead", f"at {at_s:.3f} s {seen} edges, {wh} Wh")
            if snap["counter"] > self._owed(wh + lost_wh, self.model.counter_wh) + self._given_again(at_s):
                self._say("CO-1 counter ahead", f"at {at_s:.3f} s {snap['counter']} counts, {wh} Wh")

    def _begun(self, at_s: float) -> bool:
        """Whether a start has got so far that there is a register to show."""
        whole = [boot + BEGUN_S for boot, _ in self.seen.boots]
        return any(end < at_s and not any(end - BEGUN_S <= cut < end for cut in self.allowed.cuts) for end in whole)

    def _missing(self, rule: str, counted: int, booked: int, may: Counts, when: str = "") -> None:
        """No more than `may` be, and a count for the rounding of the register's text."""
        if not -may.back - 1 <= counted - booked <= may.forward + 1:
            how = f"{when}{counted - booked} of {counted} missing, allowed {-may.back:.0f} .. {may.forward:.0f}"
            self._say(rule, how)

    def _in_the_end(self) -> None:
        """After the calm everything is even, and nothing is wrong any more."""
        report = self.seen.report
        wh, delivered, received = self._register(report["register"])
        counted = sum(chip["counts"] for chip in report["counted"])
        lost = self.allowed.lost(report["simulated_s"])
        self._missing("EN-2 end", counted, delivered - received, lost)
        unsafe = self._unsafe()
        lost_wh = lost.forward / self.model.counts_per_wh if unsafe else 0.0
        for name, weight in WEIGHTS:
            seen, owed = report["pulses"][name], self._owed(wh, weight)
            more = int(lost_wh / weight) + len(self.allowed.cuts) if unsafe else 0
            more += self._given_again(report["simulated_s"])
            more += self._twice("opto" + name)
            if not owed <= seen <= owed + more:
                self._say(f"PO-4 {name} Wh", f"{seen} edges, {owed} owed, {more} allowed more")
        if report["led"] != report["pulses"]["10"]:
            self._say("PO-2 led", f"{report['led']} edges, {report['pulses']['10']} on the output")
        self._counter(wh, lost_wh, unsafe)
        errors = report["firmware"]["faults"]["errors"]
        if errors > sum(fault.kind == "exception" for fault in self.faults):
            self._say("errors", errors)
        if report["firmware"]["faults"].get("display_errors"):
            self._say("display errors", report["firmware"]["faults"])
        self._failures()

    def _given_again(self, at_s: float) -> int:
        """Of each output at most: where the memory did not answer at a start, what was in RAM alone may be lost, be it
        at the next restart, and a pulse in it comes again."""
        boots = [boot for boot, _ in self.seen.boots if boot <= at_s]
        return sum(any(fault.in_memory and fault.covers(boot) for fault in self.faults) for boot in boots)

    def _twice(self, signal: str) -> int:
        """Pulses that a reset from outside may have doubled: those begun since the last cycle, which nobody could note.
        (A watchdog's reset says itself that what was queued has been given, and the firmware's own waits for it.)"""
        resets = [
            fault.start_s for fault in self.faults if fault.part == "cpu" and fault.kind in ("reset", "run_reset")
        ]
        begun = [t_us / 1e6 for t_us, name, level in self.seen.edges if name == signal and level]
        return sum(any(self._last_cycle_s(at) <= edge <= at for edge in begun) for at in resets)

    def _last_cycle_s(self, at_s: float) -> float:
        """From when on no cycle may have run until `at_s`: a processor that stands still gives what is queued."""
        for fault in sorted(self.faults, key=lambda fault: fault.start_s, reverse=True):
            if fault.part == "cpu" and fault.kind in LASTING and fault.covers(at_s):
                at_s = fault.start_s
        return at_s - CYCLE_S - self.allowed.jitter_s

    def _counter(self, wh: int, lost_wh: float, unsafe: bool) -> None:
        report = self.seen.report
        weight = self.model.counter_wh
        seen, owed = report["counter"]["counts"], self._owed(wh, weight)
        rail = report["status"]["rail12v"]
        boots = self.seen.boots
        if rail not in ("on", ""):  # shut down: what is owed waits
            fewer = owed
        elif unsafe:
            fewer = len(self.allowed.cuts) + len(boots)
        else:  # a reset of the RP2040 alone may cut a count short: the coil goes off with the pin
            fewer = sum(cause != "power" for _, cause in boots)
        more = int(lost_wh / weight) + 1 if unsafe else 0
        if not owed - fewer <= seen <= owed + more:
            self._say("CO-2 counter", f"{seen} given, {owed} owed, rail {rail}")

    def _unsafe(self) -> bool:
        """Whether a cut, or a fault of memory or processor at a cut or start, may have cost what was given last."""
        cuts = self.allowed.cuts
        starts = [at for at, _ in self.seen.boots]
        for fault in self.faults:
            times = cuts if fault.part == "cpu" else [*cuts, *starts] if fault.in_memory else []
            if any(fault.covers(at) or fault.covers(at + 0.2) for at in times):
                return True
        return any(self.allowed.unwarned(at) for at in cuts) or any(cause == "run" for _, cause in self.seen.boots)

    # -- failures, pulses, glass, starts -------------------------------------------------------------------------

    def _failures(self) -> None:
        may_show = set()
        for fault in self.faults:
            if fault.line is not None:
                may_show |= {1, 2} if fault.rate >= 1e-3 else {1}
            elif fault.in_memory:
                at_a_start = any(fault.covers(boot + 0.3) for boot, _ in self.seen.boots)
                may_show |= {3, 4, 5} if at_a_start else {4}
            elif fault.part == "cpu":
                may_show.add(5)
            elif fault.part in ("bulk_sense", "irq1"):
                may_show.add(4)
        for item in self.seen.report["lcd"]:
            if item["text"].startswith("FAIL") and int(item["text"][5:]) not in may_show:
                self._say("DX-6 failure", f"{item['text']} at {item['t_s']} s without a fault")
        status = self.seen.report["status"]
        if set(status["failures"]) - ({3, 5} & may_show) or status["condition"] not in ("low_current", "failure"):
            self._say("DX-6 recovery", f"{status} after the calm")

    def _pulse_lengths(self) -> None:
        """No pulse or pause too short, but for what a power cut or a reset cuts."""
        starts = [at for at, _ in self.seen.boots]
        may_drop = self._drops()
        last: dict[str, int] = {}
        rail = 1
        for t_us, signal, level in self.seen.edges:
            least_us = COIL_US if signal == "counter" else LEAST_US
            lasted_us = t_us - last.get(signal, -(10**9))
            last[signal] = t_us
            at_s = t_us / 1e6
            if signal == "rail12":
                rail = level
            if signal == "rail12" or lasted_us >= least_us:
                continue
            if signal == "counter" and not level and not rail:
                continue  # the 12 V had gone before the pin follows
            if not level and any(0 <= boot - at_s <= 60 for boot in starts):
                continue  # cut short: nothing lets it live on
            if signal == "counter" and any(at - 0.1 <= at_s <= at + 0.3 for at in may_drop):
                continue
            self._say(f"PO-3 {signal}", f"at {at_s:.6f} s {lasted_us} us {'off' if level else 'on'}")
        led, output = ([(t, v) for t, s, v in self.seen.edges if s == name] for name in ("led", "opto10"))
        if led != output:
            self._say("PO-2 led", "differs from the output in time")

    def _drops(self) -> list[float]:
        """When the coil may be dropped: cuts, sags, faults and what trips the rail."""
        steps = [step for incident in self.case.incidents for step in incident.steps]
        found = [at for at, keys in steps if not {"l1", "power", "load12v_ma", "fault"}.isdisjoint(keys)]
        return found + [fault.end_s for fault in self.faults]

    def _glass(self) -> None:
        """Characters show while the meter is powered (LC)."""
        if self.case.board.get("display") == "none":
            return
        boots = [at for at, _ in self.seen.boots]
        for snap, _ in self.seen.looks:
            at_s = snap["t_us"] / 1e6
            since = max((boot for boot in boots if boot <= at_s), default=at_s)
            starting = any(at_s <= boot <= at_s + 0.2 for boot in boots)  # 3.3 V is there, the firmware not yet
            excused = any(f.part in ("lcd", "cpu") and f.start_s <= at_s <= f.end_s + 1.0 for f in self.faults)
            unread = any(f.in_memory and f.covers(since) for f in self.faults)
            soon = since + GLASS_S + (UNREAD_S if unread else 0.0)
            if snap["powered"] and at_s > soon and not starting and not excused and not snap["lcd"]["lit"]:
                self._say("LC blank", f"at {at_s:.3f} s")

    def _starts(self) -> None:
        for at, cause in self.seen.boots:
            hung = any(f.kind in ("hang", "stall") and f.start_s <= at <= f.start_s + 20 for f in self.faults)
            if cause == "watchdog" and not hung:
                self._say("watchdog", f"at {at:.3f} s without a hang")
            if cause not in ("power", "watchdog", "reset", "run"):
                self._say("boot", cause)


def _counts(micro_wh: str, per_wh: int) -> int:
    return -(-int(micro_wh) * per_wh // 1_000_000)
