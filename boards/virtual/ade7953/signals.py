"""The measuring half of the simulated ADE7953: it makes rates, levels and results of analogue inputs and settings.

Written from the data sheet (Rev. C) alone. Inputs hold until the next `drive`; everything in between is worked out when
somebody looks, so that a quiet chip costs nothing. What is known only roughly is an argument of the constructor.
"""

import math

from boards.virtual.ade7953.energy import COUNT, PER_CODE, Accumulator
from boards.virtual.ade7953.events import AP_NOLOAD, APSIGN, RESET, SAMPLE_US, Events
from boards.virtual.ade7953.idle import IdleChannel
from boards.virtual.ade7953.levels import RMS_FULL_SCALE, Line, Peak, Rms
from boards.virtual.ade7953.registers import signed24
from boards.virtual.ade7953.results import GAIN, LPF2_LAG, Results
from boards.virtual.exactmath import sincos
from boards.virtual.rng import Rng

POWER_FULL_SCALE = 4862401  # DS p.24
CODE = 512  # power codes are kept with nine fraction bits
WAVE_FULL_SCALE = 6500000.0  # DS p.21
CLIP = 0x7FFFFF / WAVE_FULL_SCALE  # where the waveform saturates, of full scale
PGA_I = (1.0, 2.0, 4.0, 8.0, 16.0, 22.0, 1.0, 1.0)  # DS p.19
PGA_V = (1.0, 2.0, 4.0, 8.0, 16.0, 16.0, 1.0, 1.0)  # the voltage channel ends at 16; DS p.22
CROSSING_LEVEL = 1.0 / 1250.0  # no zero crossings are seen below this; DS p.43

# Noise with shorted inputs, parts of full-scale rms: SNR 70 dB on the voltage (DS p.5); 1773 codes in logs of two
# devices on both current channels (Tasmota issues 17107, 17741; the SNR of DS p.5 gives 1800). Power moves within
# +-100 codes there.
NOISE_V = 2860.0 / RMS_FULL_SCALE
NOISE_I = 1773.0 / RMS_FULL_SCALE

# Ripple at twice the line frequency that the filters leave; the corner of LPF2 is that of the part's relatives.
LPF2_HZ = 8.9

OPTIMUM = 0x0030  # 0x120: the data sheet's figures hold only with this; DS p.18


class Noise(Rng):
    """The chip's own randomness."""

    def gauss(self):
        """Nearly normal, mean 0, standard deviation 1."""
        fraction = self.fraction
        return (fraction() + fraction() + fraction() + fraction() - 2.0) * 1.7320508


class Signals(Results):
    """All that lies behind the ADE7953's interface for channel A and the voltage. Channel B has no input: see
    idle.py."""

    def __init__(self, clock, irq, regs, seed, flaws):
        """regs: the register image {address: value}, which it shares with the interface. irq(level) sets the IRQ
        pin."""
        self._clock = clock
        self._regs = regs
        self._flaws = flaws
        self.running = False
        rng = Noise(seed)
        self._rng = rng
        self.active = Accumulator(clock, rng, flaws.stops)
        self.reactive = Accumulator(clock, rng, flaws.stops)
        self.apparent = Accumulator(clock, rng, flaws.stops)
        self.v_rms = Rms(clock, rng, flaws.rms_tau_us, NOISE_V if flaws.noise else 0.0)
        self.i_rms = Rms(clock, rng, flaws.rms_tau_us, NOISE_I if flaws.noise else 0.0)
        self.v_peak = Peak(clock)
        self.i_peak = Peak(clock)
        self.line = Line(clock, flaws.clkin_ppm, flaws.period_settle_us)
        energies = (self.active, self.reactive, self.apparent)
        self.events = Events(clock, irq, regs, flaws, self.line, energies, self.v_peak, self.i_peak)
        self.idle_b = IdleChannel(clock, regs, self)
        self._rows = ((0.0, 0.0, 0.0, 0.0),)
        self._peaks = []  # of the rows of a table, where it tells them
        self._step_us = 0
        self._origin_us = 0
        self._millihertz = 0
        self._gap_us = 0
        self._gap_from_us = clock.now_us
        self._forget()

    def _forget(self):
        self._levels = [0xE419, 0xE419, 0]  # no-load levels in force: active, reactive, apparent
        self._idle = [False, False, False]
        self._negative = [False, False]  # APSIGN, VARSIGN
        self._powers = (0, 0, 0)  # means, with nine fraction bits
        self._clean = (0.0, 0.0)  # active and reactive power before gains and offsets: the angle
        self._swing = 0.0  # amplitude of the ripple in power, part of full scale
        self._gains = (0.0, 0.0, 0.0)

    # -- inputs -------------------------------------------------------------------------------------------------

    def feed(self, rows, step_us, hz, origin_us=None):
        """Set new inputs: rows of (v, i, p, q) or (v, i, p, q, v peak, i peak) in parts of full scale; one row for
        good, or one for each step_us since origin_us."""
        self.events.settle()
        self._gap_us = self.gap_us()
        self._gap_from_us = self._clock.now_us
        flaws = self._flaws
        v_gain = flaws.v_gain
        i_gain = flaws.i_gain
        power = v_gain * i_gain
        sine, cosine = sincos(flaws.lead_degrees)
        fed = []
        peaks = []
        for row in rows:
            v, i, p, q = row[:4]
            fed.append((v * v_gain, i * i_gain, (p * cosine + q * sine) * power, (q * cosine - p * sine) * power))
            if len(row) > 4:
                peaks.append((row[4] * v_gain, row[5] * i_gain))
        self._peaks = peaks
        self._rows = fed
        self._step_us = step_us
        self._origin_us = self._clock.now_us if origin_us is None else origin_us
        self._millihertz = int(hz * 1000.0 + 0.5)
        self.update()

    def gap_us(self):
        """How many microseconds so far there was a voltage and nothing was measured."""
        if self.running or self._rows[0][0] <= 0.0:
            return self._gap_us
        return self._gap_us + self._clock.now_us - self._gap_from_us

    def begin(self):
        """Start to measure, with all registers at their reset values."""
        self._gap_us = self.gap_us()
        self.running = True
        for energy in (self.active, self.reactive, self.apparent):
            energy.skip()
        self.events.raise_bits(1 << RESET)
        self.idle_b.begin()
        self.update()

    def halt(self):
        """Stop to measure, and forget everything but the running total."""
        now = self._clock.now_us
        if self.running:
            for energy in (self.active, self.reactive, self.apparent):
                energy.advance(now)
            self.running = False
            self._gap_from_us = now
        for part in (self.active, self.reactive, self.apparent, self.v_rms, self.i_rms):
            part.clear()
        for part in (self.v_peak, self.i_peak, self.line, self.events):
            part.clear()
        self._forget()

    # -- from inputs and settings to rates ----------------------------------------------------------------------

    def update(self):
        """Follow a change of inputs or settings with new rates, levels and times at which something is due.

        Long because all that follows from a row of the inputs shares a dozen factors, made here once.
        """
        if not self.running:
            return
        self.events.settle()
        regs = self._regs
        flaws = self._flaws
        v_input = PGA_V[regs[0x007]] * flaws.v_drift
        i_input = PGA_I[regs[0x008]] * flaws.i_drift
        v_gain = regs[0x281] / GAIN
        i_gain = regs[0x280] / GAIN
        offset_v = offset_i = offset_p = 0.0
        if not regs[0x102] & 4:  # high-pass filters off: the converters' own offsets come through
            offset_v = 2.0 * flaws.dc_v * flaws.dc_v
            offset_i = 2.0 * flaws.dc_i * flaws.dc_i
            offset_p = 2.0 * flaws.dc_v * flaws.dc_i
        sine, cosine = sincos(self._delay_degrees())
        power = v_gain * i_gain * POWER_FULL_SCALE * CODE
        if regs[0x120] != OPTIMUM:
            power *= flaws.untuned
        gains = (power * regs[0x282] / GAIN, power * regs[0x283] / GAIN, power * regs[0x284] / GAIN)
        offsets = (signed24(regs[0x289]), signed24(regs[0x28A]), signed24(regs[0x28B]))
        tables = ([], [], [])
        v_squares = []
        i_squares = []
        clean_p = clean_q = 0.0
        floor_v, floor_i = (NOISE_V * NOISE_V, NOISE_I * NOISE_I) if flaws.noise else (0.0, 0.0)
        for v, i, p, q in self._rows:
            v *= v_input
            i *= i_input
            clip = v_input * i_input
            if v > CLIP:
                clip *= CLIP / v
                v = CLIP
            if i > CLIP:
                clip *= CLIP / i
                i = CLIP
            p, q = (p * cosine - q * sine) * clip, (q * cosine + p * sine) * clip
            clean_p += p
            clean_q += q
            tables[0].append(round((p + offset_p) * gains[0]) + offsets[0])
            tables[1].append(round(q * flaws.var_sign * gains[1]) + offsets[1])
            apparent = math.sqrt((v * v + floor_v) * (i * i + floor_i)) if flaws.noise else v * i
            tables[2].append(round(apparent * gains[2]) + offsets[2])
            v_squares.append(v * v + offset_v)
            i_squares.append(i * i + offset_i)
        self._tables = tables
        self._clean = (clean_p, clean_q)
        self._gains = gains
        rows = len(v_squares)
        self._powers = (sum(tables[0]) // rows, sum(tables[1]) // rows, sum(tables[2]) // rows)
        v = math.sqrt(max(v_squares))
        i = math.sqrt(max(i_squares))
        self.v_rms.to(v_squares, self._step_us, self._origin_us, v_gain, regs[0x288])
        self.i_rms.to(i_squares, self._step_us, self._origin_us, i_gain, regs[0x286])
        self._set_peaks(v, i, v_input * v_gain, i_input * i_gain, v_gain, i_gain)
        active = self._millihertz > 0
        self.line.to(active and v > CROSSING_LEVEL, active and i > CROSSING_LEVEL, self._millihertz)
        self.v_peak.half_us = self.i_peak.half_us = self.line.half_us
        self._judge(v * v_gain)
        self._set_rates(i_squares, i_gain)
        self._set_noise(v, i, gains)
        if flaws.ripple:
            self._set_ripple(v, i)
        self.events.follow()
        if flaws.live_bits and self._live() != self.events.live:
            self.events.live = self._live()
            self.events.watch_checksum(False)

    def _set_peaks(self, v, i, v_scale, i_scale, v_gain, i_gain):
        """Set what the peak detectors see of the waveform itself: a table's where that tells its peaks, else a sine."""
        self.v_peak.play(None, 0, 0)
        if not self._peaks:
            self.v_peak.to(int(v * WAVE_FULL_SCALE * v_gain + 0.5))
            self.i_peak.to(int(i * WAVE_FULL_SCALE * i_gain + 0.5))
            return
        codes = [min(CLIP, v * v_scale / v_gain) * v_gain for v, _ in self._peaks]
        codes = [int(code * WAVE_FULL_SCALE + 0.5) for code in codes]
        self.v_peak.to(max(codes))
        self.v_peak.play(codes, self._step_us, self._origin_us)
        i = max([i for _, i in self._peaks])
        self.i_peak.to(int(min(CLIP, i * i_scale / i_gain) * i_gain * WAVE_FULL_SCALE + 0.5))

    def _delay_degrees(self):
        """How much PHCAL (steps of 1/895 kHz, sign and magnitude; DS p.34) and the integrator delay the current."""
        phcal = self._regs[0x108]
        delay = (phcal & 0x1FF) * self._millihertz * 0.36 / 895000.0 * self._flaws.phcal_sign
        if phcal & 0x200:
            delay = -delay
        return delay + 90.0 if self._regs[0x102] & 1 else delay

    def _judge(self, v):
        """Judge no-load and sign of each quantity, with their status bits; DS p.38, 40."""
        regs = self._regs
        for k in range(3):
            power = self._powers[k]
            if regs[0x001] >> k & 1:
                self._levels[k] = regs[0x203 + k]  # a new level counts only if set while disabled
                idle = False
            else:
                # level = 65536 - Y / 1.4, threshold = full scale / Y
                limit = POWER_FULL_SCALE * CODE * 5 // (7 * max(1, 65536 - self._levels[k]))
                idle = -limit < power < limit
            if idle and not self._idle[k]:
                self.events.raise_bits(1 << (AP_NOLOAD + k))
            self._idle[k] = idle
            if k < 2 and not idle and (power < 0) != self._negative[k]:
                self._negative[k] = power < 0
                if not regs[0x201] >> 4 * k & 3:
                    self.events.raise_bits(1 << (APSIGN + k))
        self.events.idle = tuple(self._idle)
        self.idle_b.judge(v)

    def _set_rates(self, i_squares, i_gain):
        """Set the rates, by accumulation modes, no-load gates and the clock; DS p.25-31, 40."""
        mode = self._regs[0x201]
        watts, vars_, vas = self._tables
        if mode & 3 == 1:
            watts = [max(0, p) for p in watts]
        elif mode & 3 == 2:
            watts = [abs(p) for p in watts]
        if mode >> 4 & 3 == 1 and self._powers[0] < 0:
            vars_ = [-q for q in vars_]
        elif mode >> 4 & 3 == 2:
            vars_ = [abs(q) for q in vars_]
        if mode & 0x100:  # ampere-hours: the rms current in power's place
            vas = [round(math.sqrt(square) * i_gain * POWER_FULL_SCALE * CODE) for square in i_squares]
        self._set_rate(self.active, watts, self._idle[0])
        self._set_rate(self.reactive, vars_, self._idle[1])
        self._set_rate(self.apparent, vas, self._idle[2])

    def _set_rate(self, energy, codes, idle):
        ppm = 1000000 + self._flaws.clkin_ppm
        if idle:
            energy.set_rate(0)
        elif self._step_us:
            energy.set_table(self._step_us, [code * PER_CODE * ppm // 1000000 for code in codes], self._origin_us)
        else:
            energy.set_rate(codes[0] * PER_CODE * ppm // 1000000)

    def _set_noise(self, v, i, gains):
        """Set the noise of the power samples: each channel's noise times the other channel's signal."""
        if not self._flaws.noise:
            return
        sample = math.sqrt(v * v * NOISE_I * NOISE_I + i * i * NOISE_V * NOISE_V) * PER_CODE * math.sqrt(SAMPLE_US)
        self.active.noise = 0.0 if self._idle[0] else sample * gains[0]
        self.reactive.noise = 0.0 if self._idle[1] else sample * gains[1]

    def _set_ripple(self, v, i):
        """What the filters leave of the power's pulsation, v i (cos(phi) - cos(2 w t - phi)), and of the squares'."""
        if not self.line.on or self._step_us:
            self._swing = 0.0
        else:
            part = 2.0 * self._millihertz / 1000.0 / LPF2_HZ
            self._swing = v * i / math.sqrt(1.0 + part * part)
        lag = self._lag_degrees()
        # Power of so many codes over a microsecond, integrated over the ripple's sine: 1e6 / (2 pi 2 f).
        over_us = 1e9 / (12.566370614359172 * self._millihertz) if self._swing else 0.0
        for k, energy, shift in ((0, self.active, 0.0), (1, self.reactive, 90.0)):
            swing = 0.0 if self._idle[k] else -self._swing * self._gains[k] * over_us * PER_CODE / COUNT
            energy.set_ripple(swing, self.line.degrees_at, lag + LPF2_LAG + shift)
        depth = 0.0
        if self._swing:
            tau = 12.566370614359172 * self._millihertz * 1e-9 * self._flaws.rms_tau_us
            depth = 1.0 / math.sqrt(1.0 + tau * tau)
        self.v_rms.set_ripple(depth, self.line.degrees, 0.0)
        self.i_rms.set_ripple(depth, self.line.degrees, 2.0 * lag)
