"""The measuring half of the simulated ADE7953: analogue inputs to register values, energies, events and the IRQ line.

Written from the data sheet (Rev. C) alone. Inputs hold until the next `drive`; everything between is worked out when
somebody looks, so that a quiet chip costs nothing. What is known only roughly is a constructor argument.
"""

import math

from boards.virtual.ade7953_energy import PER_CODE, Accumulator
from boards.virtual.ade7953_registers import checksum, reset_values, signed24
from boards.virtual.exactmath import decay, sincos
from boards.virtual.rng import Rng

NEVER = 1 << 62

RMS_FULL_SCALE = 9032007.0  # DS p.23
POWER_FULL_SCALE = 4862401  # DS p.24
WAVE_FULL_SCALE = 6500000.0  # DS p.21
CLIP = 0x7FFFFF / WAVE_FULL_SCALE  # where the waveform saturates, of full scale
PGA = (1.0, 2.0, 4.0, 8.0, 16.0, 22.0, 1.0, 1.0)  # DS p.19

# Noise with shorted inputs, as a part of full-scale rms: SNR 70 dB (voltage), 74 dB (current A); DS p.5
NOISE_V = 2860.0 / RMS_FULL_SCALE
NOISE_I = 1800.0 / RMS_FULL_SCALE

SAMPLE_US = 143  # 128/895 kHz
OPTIMUM = 0x0030  # 0x120: the data sheet's figures hold only with this; DS p.18

# IRQSTATA bits, DS p.66
AEHF, AEOF, AP_NOLOAD, APSIGN, VARSIGN = 0, 3, 6, 9, 10
ZXTO_I, ZX_I, OI, ZXTO, ZX_V, OV, WSMP, CYCEND, SAG, RESET, CRC = 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21


class Rms:
    """A mean square behind a single-pole filter (DS p.23 says 200 ms to settle; tau 40 ms)."""

    def __init__(self, tau_us):
        self._tau_us = tau_us
        self.clear(0)

    def clear(self, now_us):
        self._from = self.target = 0.0
        self._at_us = now_us
        self.settled_us = now_us

    def to(self, now_us, target):
        """The input's mean square is `target` from now on."""
        if target != self.target:
            self._from = self.mean_square(now_us)
            self.target = target
            self._at_us = now_us
            self.settled_us = now_us + 25 * self._tau_us

    def mean_square(self, now_us):
        if now_us >= self.settled_us:
            return self.target
        return self.target + (self._from - self.target) * decay((now_us - self._at_us) / self._tau_us)


class Signals:
    """Everything behind the ADE7953's interface; `Ade7953` adds the interface, reset and faults."""

    def __init__(
        self,
        clock,
        irq,
        seed=1,
        v_gain_percent=0.0,
        i_gain_percent=0.0,
        phase_minutes=0.0,
        noise=False,
        clkin_ppm=0,
        tempco_ppm=0.0,
        temperature_c=25.0,
        untuned_ppm=-2000,
        rms_tau_us=40000,
        dc_v=0.01,
        dc_i=-0.024,
    ):
        """`irq(level)` is called with each change of the IRQ pin: 0, 1, or None (released) without supply.

        v_gain_percent, i_gain_percent: errors of the channels with their dividers. phase_minutes: the current channel
        leads the voltage channel. noise: the noise floor of DS p.5. clkin_ppm: the crystal against 3.58 MHz.
        tempco_ppm: of the reference, per degree from 25 C (power moves twice as much; DS p.22). untuned_ppm: power
        error while 0x120 is not set. dc_v, dc_i: offsets of the converters, parts of full scale; the high pass takes them.
        """
        self.clock = clock
        self.irq = irq
        self.rng = Rng(seed)
        self.noise = noise
        self.running = False
        self.regs = reset_values()
        self.active = Accumulator()
        self.reactive = Accumulator()
        self.apparent = Accumulator()
        self._energies = (self.active, self.reactive, self.apparent)
        self._rms_v = Rms(rms_tau_us)
        self._rms_i = Rms(rms_tau_us)
        self._chip_v = 1.0 + v_gain_percent / 100.0
        self._chip_i = 1.0 + i_gain_percent / 100.0
        self._chip_lead = phase_minutes / 60.0
        self._clkin_ppm = int(clkin_ppm)
        self._tempco = tempco_ppm * 1e-6
        self._temperature_c = temperature_c
        self._untuned = 1.0 + untuned_ppm * 1e-6
        self._dc_v = dc_v
        self._dc_i = dc_i
        self._rows = ((0.0, 0.0, 0.0, 0.0),)
        self._step_us = 0
        self._origin_us = 0
        self._millihertz = 0
        self._event = None
        self._irq_level = None
        self._gap_us = 0
        self._gap_from_us = clock.now_us
        self._clear()

    # -- analogue side ------------------------------------------------------------------------------------------

    def drive(self, v, i, p, q, hz):
        """Sine inputs from now on: v, i rms and p, q active and reactive power as parts of full scale (1.0 = 0.5 V
        peak at the pins, both at unity power factor), q > 0 where the current lags; hz 0 without a voltage."""
        self._feed(((v, i, p, q),), 0, hz)

    def drive_table(self, step_us, rows, hz):
        """Any waveform from now on: rows of (v, i, p, q) as for `drive`, one each step_us, repeated end to end.
        v and i are what the rms registers show (settled), p and q the mean products of the step."""
        self._feed(rows, step_us, hz)

    def temperature(self, celsius):
        """The chip's temperature from now on, degrees C."""
        self._temperature_c = celsius
        self._update()

    def counted_total(self):
        """Signed total of active energy counts of channel A since the board was made; no reset takes from it."""
        if self.running:
            self.active.advance(self.clock.now_us)
        return self.active.total

    @property
    def gap_us(self):
        """Microseconds in which voltage was there and the chip did not measure (reset, start-up, no supply)."""
        if self.running or not self._has_voltage:
            return self._gap_us
        return self._gap_us + self.clock.now_us - self._gap_from_us

    def _feed(self, rows, step_us, hz):
        now = self.clock.now_us
        if self.running:
            self._settle(now)
        else:
            self._gap_us = self.gap_us
            self._gap_from_us = now
        v_gain = self._chip_v
        i_gain = self._chip_i
        sine, cosine = sincos(self._chip_lead)
        fed = []
        for v, i, p, q in rows:
            fed.append(
                (
                    v * v_gain,
                    i * i_gain,
                    (p * cosine + q * sine) * v_gain * i_gain,
                    (q * cosine - p * sine) * v_gain * i_gain,
                )
            )
        self._rows = fed
        self._step_us = step_us
        self._origin_us = now
        self._millihertz = int(hz * 1000.0 + 0.5)
        self._update()

    @property
    def _has_voltage(self):
        return self._rows[0][0] > 0.0

    # -- reset --------------------------------------------------------------------------------------------------

    def _clear(self):
        """Every register and hidden state to its reset value; DS p.59."""
        now = self.clock.now_us
        self.regs = reset_values()
        for energy in self._energies:
            energy.clear()
            energy.skip(now)
        self._rms_v.clear(now)
        self._rms_i.clear(now)
        self._no_load_levels = [0xE419, 0xE419, 0]  # in force: active, reactive, apparent
        self._no_load = [False, False, False]
        self._negative = [False, False]  # APSIGN, VARSIGN
        self._watt = self._var = self._va = 0
        self._status = 0
        self._due = [NEVER] * 22
        self._lazy_us = NEVER
        self._v_peak = self._i_peak = 0
        self._v_peak_now = self._i_peak_now = 0
        self._v_peak_us = self._i_peak_us = now
        self._half_us = 10000
        self._zx_on = self._zxi_on = False
        self._zx_mhz = 0
        self._zx_base = 0
        self._zx_us = now
        self._zx_last_us = self._zxi_last_us = now
        self._sagging = False
        self._window_end = 0
        self._window_us = NEVER
        self._period = 0
        self._checksum = 0xFFFFFFFF
        self._checksum_us = NEVER
        self._checksum_reference = None
        self._noise_power = 0.0
        self._v_squares = self._i_squares = (0.0,)
        self._v_gain = self._i_gain = 1.0
        self._v_code = self._i_code = 0

    def _begin(self):
        """Measuring starts."""
        now = self.clock.now_us
        self._gap_us = self.gap_us
        self.running = True
        for energy in self._energies:
            energy.skip(now)
        self._status |= 1 << RESET
        self._update()

    def _halt(self):
        """Measuring stops, everything is forgotten."""
        now = self.clock.now_us
        if self.running:
            self._settle(now)
            for energy in self._energies:
                energy.advance(now)
            self.running = False
            self._gap_from_us = now
        if self._event is not None:
            self.clock.cancel(self._event)
            self._event = None
        self._clear()

    # -- from inputs and settings to rates ----------------------------------------------------------------------

    def _update(self):
        """Inputs or settings have changed: new rates, levels and due times from now on."""
        if not self.running:
            return
        now = self.clock.now_us
        self._settle(now)
        regs = self.regs
        self._fold_peaks(now)
        warm = 1.0 + self._tempco * (self._temperature_c - 25.0)
        v_gain = PGA[regs[0x007]] * warm
        i_gain = PGA[regs[0x008]] * warm
        av_gain = regs[0x281] / 4194304.0
        ai_gain = regs[0x280] / 4194304.0
        power = av_gain * ai_gain * POWER_FULL_SCALE * 512.0
        if regs[0x120] != OPTIMUM:
            power *= self._untuned
        config = regs[0x102]
        dc_power = 0.0
        dc_v = dc_i = 0.0
        if not config & 4:  # high-pass filters off: the converters' own offsets come through
            dc_v = 2.0 * self._dc_v * self._dc_v
            dc_i = 2.0 * self._dc_i * self._dc_i
            dc_power = 2.0 * self._dc_v * self._dc_i
        phcal = regs[0x108]
        delay = (phcal & 0x1FF) * self._millihertz * 0.36 / 895000.0  # degrees, CLKIN/4 = 895 kHz; DS p.34
        if phcal & 0x200:
            delay = -delay
        if config & 1:  # digital integrator: another quarter turn
            delay += 90.0
        sine, cosine = sincos(delay)
        w_gain = power * regs[0x282] / 4194304.0
        var_gain = power * regs[0x283] / 4194304.0
        va_gain = power * regs[0x284] / 4194304.0
        w_offset = signed24(regs[0x289])
        var_offset = signed24(regs[0x28A])
        va_offset = signed24(regs[0x28B])
        watts = []
        vars_ = []
        vas = []
        v_squares = []
        i_squares = []
        for v, i, p, q in self._rows:
            v *= v_gain
            i *= i_gain
            p *= v_gain * i_gain
            q *= v_gain * i_gain
            if v > CLIP:
                p *= CLIP / v
                q *= CLIP / v
                v = CLIP
            if i > CLIP:
                p *= CLIP / i
                q *= CLIP / i
                i = CLIP
            watts.append(round((p * cosine - q * sine + dc_power) * w_gain) + w_offset)
            vars_.append(round((q * cosine + p * sine) * var_gain) + var_offset)
            vas.append(round(v * i * va_gain) + va_offset)
            v_squares.append((v * v + dc_v) * RMS_FULL_SCALE * RMS_FULL_SCALE)
            i_squares.append((i * i + dc_i) * RMS_FULL_SCALE * RMS_FULL_SCALE)
        count = len(watts)
        self._watts = watts
        self._v_squares = v_squares
        self._i_squares = i_squares
        self._v_gain = av_gain
        self._i_gain = ai_gain
        self._rms_v.to(now, max(v_squares))
        self._rms_i.to(now, max(i_squares))
        # What the rms registers show once settled; -1 = to be worked out at each look.
        steady = not self.noise and not self._step_us
        self._v_code = self._root(v_squares[0], av_gain, regs[0x288], NOISE_V) if steady else -1
        self._i_code = self._root(i_squares[0], ai_gain, regs[0x286], NOISE_I) if steady else -1
        self._watt = sum(watts) // count
        self._var = sum(vars_) // count
        self._va = sum(vas) // count
        v = math.sqrt(max(v_squares)) / RMS_FULL_SCALE
        i = math.sqrt(max(i_squares)) / RMS_FULL_SCALE
        self._v_peak_now = min(0x7FFFFF, int(v * WAVE_FULL_SCALE * av_gain + 0.5))
        self._i_peak_now = min(0x7FFFFF, int(i * WAVE_FULL_SCALE * ai_gain + 0.5))
        self._noise_power = 0.0
        if self.noise:
            noise = math.sqrt(v * v * NOISE_I * NOISE_I + i * i * NOISE_V * NOISE_V)
            self._noise_power = noise * w_gain * PER_CODE * math.sqrt(SAMPLE_US)
        self._judge_load()
        self._set_rates(now, watts, vars_, vas)
        self._zero_crossings(now, v > 0.0008 and self._millihertz > 0, i > 0.0008 and self._millihertz > 0)
        self._watch_sag(now)
        self._arm(now, 0x3FFFFF)

    def _judge_load(self):
        """No-load and sign of each quantity, with their status bits; DS p.38, 40."""
        disabled = self.regs[0x001]
        powers = (self._watt, self._var, self._va)
        for k in range(3):
            if disabled >> k & 1:
                self._no_load_levels[k] = self.regs[0x203 + k]  # a new level counts only if set while disabled
                self._no_load[k] = False
                continue
            # level = 65536 - Y / 1.4, threshold = full scale / Y
            limit = POWER_FULL_SCALE * 512 * 5 // (7 * max(1, 65536 - self._no_load_levels[k]))
            idle = -limit < powers[k] < limit
            if idle and not self._no_load[k]:
                self._status |= 1 << (AP_NOLOAD + k)
            self._no_load[k] = idle
        for k in range(2):
            mode = self.regs[0x201] >> 4 * k & 3
            negative = powers[k] < 0 and mode == 0
            if not self._no_load[k] and negative != self._negative[k]:
                self._negative[k] = negative
                self._status |= 1 << (APSIGN + k)

    def _set_rates(self, now, watts, vars_, vas):
        """Accumulation modes and no-load gates, then the rates themselves; DS p.25-31."""
        mode = self.regs[0x201]
        if mode & 3 == 1:
            watts = [max(0, p) for p in watts]
        elif mode & 3 == 2:
            watts = [abs(p) for p in watts]
        if mode >> 4 & 3 == 1 and self._watt < 0:
            vars_ = [-q for q in vars_]
        elif mode >> 4 & 3 == 2:
            vars_ = [abs(q) for q in vars_]
        if mode & 0x100:  # ampere-hours: the rms current in power's place
            full = self._i_gain * POWER_FULL_SCALE * 512 / RMS_FULL_SCALE
            vas = [round(math.sqrt(square) * full) for square in self._i_squares]
        tables = (watts, vars_, vas)
        window = self.regs[0x004]
        ppm = 1000000 + self._clkin_ppm
        for k in range(3):
            energy = self._energies[k]
            if self._no_load[k]:
                energy.set_rate(now, 0)
            elif self._step_us:
                rates = [p * PER_CODE * ppm // 1000000 for p in tables[k]]
                energy.set_table(now, self._step_us, rates, self._origin_us)
            else:
                energy.set_rate(now, tables[k][0] * PER_CODE * ppm // 1000000)
            wanted = bool(window >> 2 * k & 1) and self.regs[0x101] > 0
            if wanted != energy.window:
                energy.window = wanted
                energy.held = 0
                energy.count = 0

    # -- zero crossings, line cycles, sag -----------------------------------------------------------------------

    def _crossings(self, t_us):
        """Zero crossings of the voltage up to a time, on a count that never goes back."""
        if not self._zx_on:
            return self._zx_base
        return self._zx_base + (t_us - self._zx_us) * self._zx_mhz // 500000000

    def _crossing_us(self, n):
        """When crossing number n comes."""
        if not self._zx_on:
            return NEVER
        return self._zx_us - (-(n - self._zx_base) * 500000000 // self._zx_mhz)

    def _zero_crossings(self, now, on, i_on):
        mhz = self._millihertz
        if on != self._zx_on or (on and mhz != self._zx_mhz):
            n = self._crossings(now)
            if self._zx_on:
                self._zx_last_us = self._crossing_us(n)
            self._zx_us = self._zx_last_us if self._zx_on else now
            self._zx_base = n
            self._zx_on = on
            self._zx_mhz = mhz
        if mhz:
            self._half_us = 500000000 // mhz
        if on:
            self._period = (223750 * 1000 * (1000000 + self._clkin_ppm) // 1000000) // mhz - 1
        if self._zxi_on and not i_on:
            self._zxi_last_us = now
        self._zxi_on = i_on
        window = self.regs[0x101]
        lines = self.regs[0x004] & 0x3F
        if not window or not lines:
            self._window_end = 0
        elif not self._window_end:
            self._window_end = self._crossings(now) + window  # the first window does not begin at a crossing
        self._window_us = self._crossing_us(self._window_end) if self._window_end else NEVER

    def _windows(self, now):
        """Line-cycle windows that have ended; DS p.26."""
        while self._window_us <= now:
            for energy in self._energies:
                if energy.window:
                    energy.latch(self._window_us)
            self._status |= 1 << CYCEND
            self._window_end += max(1, self.regs[0x101])
            self._window_us = self._crossing_us(self._window_end)

    def _watch_sag(self, now):
        """SAGLVL and SAGCYC against the voltage's peak; DS p.45."""
        level = self.regs[0x200]
        cycles = self.regs[0x000]
        if not level or not cycles or self._v_peak_now >= level:
            self._sagging = False
            self._due[SAG] = NEVER
        elif not self._sagging:
            self._sagging = True
            self._due[SAG] = now + cycles * self._half_us

    # -- peaks --------------------------------------------------------------------------------------------------

    def _fold_peaks(self, now):
        """A peak is seen once its half cycle is through."""
        if now - self._v_peak_us >= self._half_us and self._v_peak_now > self._v_peak:
            self._v_peak = self._v_peak_now
        if now - self._i_peak_us >= self._half_us and self._i_peak_now > self._i_peak:
            self._i_peak = self._i_peak_now

    # -- events and the IRQ line --------------------------------------------------------------------------------

    def _settle(self, now):
        if now >= self._lazy_us:
            self._flags(now)

    def _flags(self, now):
        """Latch every status bit that has become due, then plan the next."""
        if self._window_us <= now:
            self._windows(now)
        due = self._due
        for bit in range(22):
            if due[bit] <= now:
                self._status |= 1 << bit
                due[bit] = NEVER
        self._plan()

    def _arm(self, now, bits):
        """Due times of the status bits `bits` that are not latched."""
        due = self._due
        bits &= ~self._status
        if bits & 0x3F:
            self._arm_energies(now, bits)
        half = self._half_us
        if bits >> ZX_V & 1:
            due[ZX_V] = self._next_edge(now) if self._zx_on else NEVER
        if bits >> ZX_I & 1:
            due[ZX_I] = self._next_edge(now) if self._zx_on and self._zxi_on else NEVER
        if bits >> OV & 1:
            due[OV] = now + half // 2 if self._v_peak_now > self.regs[0x224] else NEVER
        if bits >> OI & 1:
            due[OI] = now + half // 2 if self._i_peak_now > self.regs[0x225] else NEVER
        if bits >> WSMP & 1:
            due[WSMP] = now + SAMPLE_US
        timeout = self.regs[0x100] * 71500 // 1000  # 14 kHz; DS p.44
        if bits >> ZXTO & 1 and (not self._zx_on or timeout < half):
            due[ZXTO] = self._timeout(now, self._zx_last_us, timeout)
        elif self._zx_on:
            due[ZXTO] = NEVER
        if bits >> ZXTO_I & 1 and not self._zxi_on:
            due[ZXTO_I] = self._timeout(now, self._zxi_last_us, timeout)
        elif self._zxi_on:
            due[ZXTO_I] = NEVER
        self._plan()

    def _timeout(self, now, since, timeout):
        """The time-out runs anew while crossings stay away."""
        if not timeout:
            return NEVER
        return since + ((now - since) // timeout + 1) * timeout

    def _next_edge(self, now):
        """Next zero crossing that ZX_EDGE lets through: 01 negative, 10 positive, else both; DS p.43."""
        n = self._crossings(now) + 1
        edge = self.regs[0x102] >> 12 & 3
        if (edge == 1 and n % 2 == 0) or (edge == 2 and n % 2):
            n += 1
        return self._crossing_us(n)

    def _arm_energies(self, now, bits):
        """When the energy registers come to half full and over; DS p.25."""
        for k in range(3):
            energy = self._energies[k]
            energy.advance(now)
            count = signed24(energy.count & 0xFFFFFF)
            for bit, limit in ((AEHF + k, 0x400000), (AEOF + k, 0x800000)):
                if not bits >> bit & 1:
                    continue
                wait = None
                if not energy.window:
                    up = limit - count
                    down = -limit - count - (limit == 0x800000)
                    wait = energy.when(up if up > 0 else up + 0x1000000)
                    if wait is None:
                        wait = energy.when(down if down < 0 else down - 0x1000000)
                self._due[bit] = NEVER if wait is None else now + wait

    def _plan(self):
        """The next time at which a bit latches, an event at it if it is enabled, and the pin as it is now."""
        lazy = enabled = self._window_us
        mask = self.regs[0x22C] | 1 << RESET
        if not mask >> CYCEND & 1:
            enabled = NEVER
        due = self._due
        for bit in range(22):
            t = due[bit]
            if t < lazy:
                lazy = t
            if t < enabled and mask >> bit & 1:
                enabled = t
        self._lazy_us = lazy
        if self._event is not None and self._event_us != enabled:
            self.clock.cancel(self._event)
            self._event = None
        if enabled < NEVER and self._event is None:
            self._event = self.clock.at(enabled, self._fire)
            self._event_us = enabled
        self._irq(0 if self._status & mask else 1)

    def _fire(self):
        self._event = None
        self._flags(self.clock.now_us)

    def _irq(self, level):
        if level is not self._irq_level:
            self._irq_level = level
            self.irq(level)

    def _watch_checksum(self, now, enabled_now):
        """The checksum's interrupt: against its value when it was enabled; DS p.58."""
        regs = self.regs
        if not regs[0x102] & 0x100:
            self._checksum_us = NEVER
            self._checksum_reference = None
            return
        if self._checksum_us == NEVER:
            self._checksum_us = now + SAMPLE_US
        self._checksum = None  # worked out when somebody looks
        if not regs[0x22C] >> CRC & 1:
            self._checksum_reference = None
            return
        if enabled_now or self._checksum_reference is None:
            self._checksum_reference = checksum(regs)
            self._due[CRC] = NEVER
        elif not self._status >> CRC & 1:
            differs = checksum(regs) != self._checksum_reference
            self._due[CRC] = now + SAMPLE_US if differs else NEVER
        self._plan()

    # -- results ------------------------------------------------------------------------------------------------

    def _gauss(self):
        fraction = self.rng.fraction
        return (fraction() + fraction() + fraction() + fraction() - 2.0) * 1.7320508

    def _energy(self, energy):
        now = self.clock.now_us
        if now >= self._window_us:
            self._flags(now)
        if self._noise_power and energy.rate and now > energy.at_us:
            energy.acc += int(self._gauss() * self._noise_power * math.sqrt(now - energy.at_us))
        energy.advance(now)
        return (energy.held if energy.window else energy.count) & 0xFFFFFF

    def _read_aenergy(self):
        if self.noise or self.active.window:
            return self._energy(self.active)
        active = self.active
        active.advance(self.clock.now_us)
        return active.count & 0xFFFFFF

    def _read_renergy(self):
        return self._energy(self.reactive)

    def _read_apenergy(self):
        return self._energy(self.apparent)

    def _row(self, rows, now):
        return rows[(now - self._origin_us) // self._step_us % len(rows)]

    def _root(self, square, gain, offset, noise):
        """An rms register: gain, offset (1 LSB = 4096 squares; DS p.35), noise floor."""
        square = square * gain * gain
        if self.noise:
            floor = noise * RMS_FULL_SCALE
            square += floor * floor + math.sqrt(square) * floor * 0.1 * self._gauss()
        if offset:
            square += signed24(offset) * 4096.0
        if square <= 0.0:
            return 0
        return min(0xFFFFFF, int(math.sqrt(square) + 0.5))

    def _read_vrms(self):
        now = self.clock.now_us
        if now >= self._rms_v.settled_us and self._v_code >= 0:
            return self._v_code
        square = self._row(self._v_squares, now) if self._step_us else self._rms_v.mean_square(now)
        return self._root(square, self._v_gain, self.regs[0x288], NOISE_V)

    def _read_irms(self):
        now = self.clock.now_us
        if now >= self._rms_i.settled_us and self._i_code >= 0:
            return self._i_code
        square = self._row(self._i_squares, now) if self._step_us else self._rms_i.mean_square(now)
        return self._root(square, self._i_gain, self.regs[0x286], NOISE_I)

    def _read_awatt(self):
        """Active power behind its low pass: with a table the mean of the last cycle."""
        if not self._step_us:
            return self._watt >> 9 & 0xFFFFFF
        now = self.clock.now_us
        count = max(1, round(1000000000.0 / (self._millihertz or 50000) / self._step_us))
        k = (now - self._origin_us) // self._step_us
        total = 0
        for n in range(k - count, k):
            total += self._watts[n % len(self._watts)]
        return total // count >> 9 & 0xFFFFFF

    def _read_avar(self):
        return self._var >> 9 & 0xFFFFFF

    def _read_ava(self):
        return self._va >> 9 & 0xFFFFFF

    def _read_pf(self):
        """Signed 2^-15; negative = capacitive; DS p.38."""
        watt, var, va = self._watt, self._var, self._va
        idle = self._no_load
        if self.regs[0x102] & 8:  # from the line-cycle energies
            watt, va = self.active.held, self.apparent.held
        if idle[2]:
            return 0x7FFF
        if idle[0] or va <= 0:
            return 0
        pf = min(0x7FFF, abs(watt) * 32768 // va)
        negative = watt < 0 if idle[1] else var < 0
        return -pf & 0xFFFF if negative else pf

    def _angle(self):
        """Degrees by which the current lags."""
        return math.atan2(self._var, self._watt) * 57.29577951308232

    def _read_angle(self):
        if not self._zx_on or not self._zxi_on:
            return 0
        return round(self._angle() * 223750000.0 / (360.0 * self._zx_mhz)) & 0xFFFF

    def _read_period(self):
        return self._period

    def _wave(self, peak, lag):
        t = self.clock.now_us - self._zx_us
        turn = t * self._zx_mhz % 1000000000 * 360.0 / 1000000000.0
        return round(peak * sincos(turn - lag)[0]) & 0xFFFFFF

    def _read_v(self):
        return self._wave(self._v_peak_now, 0.0) if self._zx_on else 0

    def _read_i(self):
        return self._wave(self._i_peak_now, self._angle()) if self._zx_on else 0

    def _read_v_peak(self):
        self._fold_peaks(self.clock.now_us)
        return self._v_peak

    def _read_i_peak(self):
        self._fold_peaks(self.clock.now_us)
        return self._i_peak

    def _read_accmode(self):
        """Writable bits with the signs and no-load states; DS p.65."""
        value = self.regs[0x201] | 0x380000  # channel B has no load
        if self._negative[0] and not self.regs[0x201] & 3:
            value |= 0x400
        if self._negative[1] and not self.regs[0x201] >> 4 & 3:
            value |= 0x1000
        if self._no_load[0]:
            value |= 0x10000
        if self._no_load[2]:
            value |= 0x20000
        if self._no_load[1]:
            value |= 0x40000
        return value

    def _read_status(self):
        now = self.clock.now_us
        if now >= self._lazy_us:
            self._flags(now)
        return self._status

    def _read_checksum(self):
        """Bit 32 marks a value that is not to be sign-extended."""
        if self.clock.now_us < self._checksum_us:
            return 0x1FFFFFFFF
        if self._checksum is None:
            self._checksum = checksum(self.regs)
        return self._checksum | 1 << 32
