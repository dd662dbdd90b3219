"""The mains, the load and the current transformers: what the stimulus says becomes inputs of the simulated chips.

Volts, amps and angles are made integers (microvolts, nanoamps, microdegrees) as they arrive, and whatever follows uses
nothing but exactly rounded operations, so that every engine feeds its chips the same.
"""

from boards.virtual.exactmath import sincos

STEP_US = 100_000  # a ramp is fed in steps of this length at most, each at its middle value

# Errors of current transformers that vary with the current, on top of the constant ones: (percent of rated current,
# ratio error in percent, lead of the secondary in minutes). They grow at low currents, where the magnetising current
# weighs more. Typical of their kind, from no part's data sheet.
CORES = {
    "solid": ((0.05, -0.2, 10.0), (1.0, -0.1, 6.0), (5.0, -0.04, 3.0), (20.0, -0.015, 1.0), (100.0, 0.0, 0.0)),
    "split": ((0.05, -1.5, 60.0), (1.0, -0.8, 40.0), (5.0, -0.4, 20.0), (20.0, -0.15, 8.0), (100.0, 0.0, 0.0)),
}

_NANO = 1000000000
_MICRO = 1000000
_ROOT2 = 1.4142135623730951


class Ct:
    """One current transformer with its burden."""

    def __init__(
        self,
        rated_a,
        ratio_percent=0.0,
        phase_minutes=0.0,
        core=None,
        table=None,
        ratio_tempco_ppm=0.0,
        phase_tempco_percent=0.0,
    ):
        """ratio_percent: error of the ratio. phase_minutes: by how much the secondary current leads. core: "solid" or
        "split" adds errors that vary with the current, as CORES has them; table: the same by rows of one's own.
        ratio_tempco_ppm: change of the ratio with each degree from 25 C on; phase_tempco_percent: change of the lead,
        in percent of itself (the winding's copper has 0.39). ValueError for another core."""
        if core is not None and core not in CORES:
            raise ValueError("ct core must be one of %s, not %s" % (", ".join(sorted(CORES)), core))
        self._rated_a = rated_a
        self._ratio = ratio_percent
        self._minutes = phase_minutes
        self._table = table or CORES.get(core)
        self._tempcos = (ratio_tempco_ppm, phase_tempco_percent)
        self._drift_percent = 0.0
        self._lead_drift = 1.0

    def temperature(self, celsius):
        """Set the temperature of core and winding, degrees C."""
        ratio_ppm, phase_percent = self._tempcos
        self._drift_percent = ratio_ppm * (celsius - 25.0) * 1e-4
        self._lead_drift = 1.0 + phase_percent * (celsius - 25.0) * 1e-2

    def errors(self, amps):
        """(factor of the current, lead in degrees) at `amps`."""
        ratio = self._ratio
        minutes = self._minutes
        if self._table:
            percent = amps * 100.0 / self._rated_a
            low = high = self._table[0]
            for row in self._table:
                low, high = high, row
                if row[0] >= percent:
                    break
            part = 0.0
            if high[0] > low[0]:
                part = min(1.0, max(0.0, (percent - low[0]) / (high[0] - low[0])))
            ratio += low[1] + (high[1] - low[1]) * part
            minutes += low[2] + (high[2] - low[2]) * part
        return 1.0 + (ratio + self._drift_percent) / 100.0, minutes * self._lead_drift / 60.0


class Mains:
    """Feeds one chip for each line. `add` takes the items of a stimulus; `volts(fn)` tells the meter's supply of line
    1."""

    def __init__(self, clock, chips, full_scale_v, full_scale_a, cts):
        """chips: those that are connected, one on a single-element meter. full_scale_v, full_scale_a: what gives 0.5 V
        peak at a chip's pins, rms. cts: a Ct for each chip."""
        self._clock = clock
        self._chips = chips
        self._full_uv = full_scale_v * 1e6
        self._full_na = full_scale_a * 1e9
        self._full_w = full_scale_v * full_scale_a
        self._cts = cts
        self._listener = None
        self._told = None
        self._on = True
        self._unplugged = False
        self._now = (((0, 0, 0, 0), (0, 0, 0, 0)), 0)  # lines in small units, millihertz
        self._wave = None  # (step_us, [rows of a chip], hz, origin_us, [means of a line])
        self._queue = []
        self._ramp = None  # (from, to, begin_us, end_us)
        self._fed = None

    def volts(self, fn):
        """Call `fn(volts)`, rms, now and whenever the voltage of line 1 changes."""
        self._listener = fn
        self._told = self._l1_volts()
        fn(self._told)

    def temperature(self, celsius):
        """Set the temperature of the transformers, degrees C: what they give may change while the load does not."""
        for ct in self._cts:
            ct.temperature(celsius)
        if self._fed is None:
            return
        if self._wave is not None:
            self._take_wave(self._wave_item)
        self._fed = None
        self._feed()

    def add(self, item):
        """Add an item of the stimulus; they come in order of time. It is ["mains", t_us, ramp, line 1, line 2, hz],
        ["power", t_us, on] or ["wave", t_us, step_us, table 1, table 2, hz]. A ramp begins at the time of the item
        before it, or when it is added, whichever is later."""
        self._queue.append(item)
        if len(self._queue) == 1:
            self._head()

    def unplug(self):
        """Switch the mains off for good, whatever the stimulus says from now on."""
        self._unplugged = True
        self._on = False
        self._feed()

    def lines(self):
        """What is true of each connected line now: dicts of volts, amps, watts and pf, whose minus means leading."""
        result = []
        for k in range(len(self._chips)):
            volts, amps, watts, var = self._true(k)
            apparent = volts * amps
            pf = abs(watts) / apparent if apparent else 1.0
            result.append({"volts": volts, "amps": amps, "watts": watts, "pf": -pf if var * watts < 0 else pf})
        return result

    # -- stimulus -----------------------------------------------------------------------------------------------

    def _head(self):
        """Wait for the first item in the queue, or ramp towards it. Items that are due already take effect at once."""
        while self._queue:
            item = self._queue[0]
            now = self._clock.now_us
            if item[1] > now:
                if item[0] == "mains" and item[2]:
                    self._ramp = (self._now, _small(item), now, item[1])
                    self._step()
                else:
                    self._clock.at(item[1], self._arrive)
                return
            self._take(self._queue.pop(0))

    def _arrive(self):
        self._ramp = None
        self._take(self._queue.pop(0))
        self._head()

    def _take(self, item):
        if item[0] == "power":
            self._on = bool(item[2]) and not self._unplugged
        elif item[0] == "mains":
            self._wave = None
            self._now = _small(item)
        else:
            self._take_wave(item)
        self._feed()

    def _step(self):
        """Make one step of the running ramp."""
        start, end, begin_us, end_us = self._ramp
        now = self._clock.now_us
        if now >= end_us:
            self._arrive()
            return
        to_us = min(now + STEP_US, end_us)
        middle = now + to_us - 2 * begin_us  # twice the time from the ramp's beginning to the middle of this step
        span = 2 * (end_us - begin_us)
        lines = []
        for a, b in zip(start[0], end[0]):
            lines.append(tuple([x + (y - x) * middle // span for x, y in zip(a, b)]))
        self._wave = None
        self._now = (lines, start[1] + (end[1] - start[1]) * middle // span)
        self._feed()
        self._clock.at(to_us, self._step)

    def _take_wave(self, item):
        self._wave_item = item
        _, t_us, step_us, first, second, hz = item
        tables = []
        means = []
        for k in range(len(self._chips)):
            table = first if k == 0 else second
            table = table or [(0.0, 0.0, 0.0, 0.0)]
            means.append([sum([row[n] for row in table]) / len(table) for n in range(4)])
            tables.append(self._rows(k, table, means[k][1]))
        self._wave = (step_us, tables, hz, t_us, means)

    def _rows(self, k, table, amps):
        """A table of volts, amps, watts and var as the transformer of chip `k` passes them on, in parts of full
        scale."""
        factor, lead = self._cts[k].errors(amps)
        sine, cosine = sincos(lead)
        rows = []
        for row in table:
            v, i, p, q = row[:4]
            p = round(p * _MICRO) / _MICRO / self._full_w * factor
            q = round(q * _MICRO) / _MICRO / self._full_w * factor
            v = round(v * _MICRO) / self._full_uv
            i = round(i * _NANO) / self._full_na * factor
            fed = (v, i, p * cosine + q * sine, q * cosine - p * sine)
            if len(row) > 4:
                fed += (
                    round(row[4] * _MICRO) / (self._full_uv * _ROOT2),
                    row[5] * _NANO / (self._full_na * _ROOT2) * factor,
                )
            rows.append(fed)
        return rows

    # -- chips --------------------------------------------------------------------------------------------------

    def _feed(self):
        """Set the inputs of every chip to what they are from now on."""
        state = (self._on, self._now, self._wave)
        if state == self._fed:
            return
        before = self._fed
        self._fed = state
        for k in range(len(self._chips)):
            chip = self._chips[k]
            if not self._on:
                chip.drive(0.0, 0.0, 0.0, 0.0, 0)
            elif self._wave is not None:
                step_us, tables, hz, origin_us, _ = self._wave
                chip.drive_table(step_us, tables[k], hz, origin_us)
            elif before is None or before[0] != self._on or before[2] is not None or self._differs(k, before[1]):
                self._drive(k)
        volts = self._l1_volts()
        if self._listener is not None and volts != self._told:
            self._told = volts
            self._listener(volts)

    def _differs(self, k, before):
        return before[1] != self._now[1] or before[0][k][:3] != self._now[0][k][:3]

    def _drive(self, k):
        lines, millihertz = self._now
        uv, na, microdegrees, _ = lines[k]
        factor, lead = self._cts[k].errors(na / _NANO)
        v = uv / self._full_uv
        i = na / self._full_na * factor
        sine, cosine = sincos(microdegrees / _MICRO - lead)
        self._chips[k].drive(v, i, v * i * cosine, v * i * sine, millihertz / 1000.0)

    def _true(self, k):
        """The true (volts, amps, watts, var) of line `k`."""
        if not self._on:
            return 0.0, 0.0, 0.0, 0.0
        if self._wave is not None:
            return self._wave[4][k]
        uv, na, microdegrees, _ = self._now[0][k]
        sine, cosine = sincos(microdegrees / _MICRO)
        volts = uv / _MICRO
        amps = na / _NANO
        return volts, amps, volts * amps * cosine, volts * amps * sine

    def _l1_volts(self):
        return self._true(0)[0]


def _small(item):
    """The lines and the frequency of a "mains" item as integers."""
    lines = []
    for line in (item[3], item[4]):
        volts, amps, degrees, volts_degrees = line or (0.0, 0.0, 0.0, 0.0)
        lines.append(
            (round(volts * _MICRO), round(amps * _NANO), round(degrees * _MICRO), round(volts_degrees * _MICRO))
        )
    return lines, round(item[5] * 1000)
