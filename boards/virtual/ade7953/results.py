"""What the result registers of the simulated ADE7953 read: powers, power factor, angle, waveforms, ACCMODE.

The base of `Signals`, which keeps inputs and settings. Written from the data sheet (Rev. C) alone.
"""

import math

from boards.virtual.exactmath import sincos

GAIN = 4194304.0  # 0x400000 = 1
NOISE_POWER = 35 * 512  # standard deviation of a power register, nine fraction bits; logs of silicon, see signals.py
NOISE_POWER_MOST = 100 * 512
LPF2_LAG = 86.0  # degrees of the ripple behind LPF2


class Results:
    """The base of `Signals`: a read_* function for each result register."""

    def read_watt(self):
        """AWATT, which lies behind a low pass: of a table the mean over the last cycle."""
        return self._mean(0) + self._unrest(0, 0.0) >> 9 & 0xFFFFFF

    def read_var(self):
        """AVAR."""
        return self._mean(1) + self._unrest(1, 90.0) >> 9 & 0xFFFFFF

    def power_noise(self):
        """The noise of a power register, with nine fraction bits."""
        if not self._flaws.noise:
            return 0
        return max(-NOISE_POWER_MOST, min(NOISE_POWER_MOST, int(self._rng.gauss() * NOISE_POWER)))

    def _unrest(self, k, shift):
        """The noise and ripple of a power register."""
        unrest = self.power_noise()
        if self._swing:
            angle = 2.0 * self.line.degrees() - self._lag_degrees() - LPF2_LAG - shift
            unrest -= int(self._swing * self._gains[k] * sincos(angle % 360.0)[1])
        return unrest

    def _mean(self, k):
        if not self._step_us:
            return self._powers[k]
        table = self._tables[k]
        count = max(1, 1000000000 // ((self._millihertz or 50000) * self._step_us))
        last = (self._clock.now_us - self._origin_us) // self._step_us
        total = 0
        for n in range(last - count, last):
            total += table[n % len(table)]
        return total // count

    def read_va(self):
        """AVA: the product of the rms values as they settle."""
        va = self._powers[2]
        if self._swing:
            return int(self.v_rms.read() * self.i_rms.read() / (1 << 24) * self._regs[0x284] / GAIN) & 0xFFFFFF
        if not self._step_us and not (self.v_rms.settled() and self.i_rms.settled()):
            va = int(va * self.v_rms.settled_part() * self.i_rms.settled_part())
        return va >> 9 & 0xFFFFFF

    def read_pf(self):
        """PFA: signed 2^-15; negative = capacitive; DS p.38."""
        watt, var, va = self._powers
        if self._regs[0x102] & 8:  # PFMODE: from the line-cycle energies
            watt, va = self.active.held, self.apparent.held
        if self._idle[2]:
            return 0x7FFF
        if self._idle[0] or va <= 0:
            return 0
        pf = min(0x7FFF, abs(watt) * 32768 // va)
        return -pf & 0xFFFF if (watt if self._idle[1] else var) < 0 else pf

    def _lag_degrees(self):
        """By how much the current lags behind the voltage; no power gain or offset moves it; DS p.39."""
        return math.atan2(self._clean[1], self._clean[0]) * 57.29577951308232

    def read_angle(self):
        """ANGLE_A: the current's delay in steps of 1/223.75 kHz; DS p.39."""
        line = self.line
        if not line.on or not line.current_on:
            return 0
        lag = self._lag_degrees() * self._flaws.var_sign
        return round(lag * 223750000.0 / (360.0 * line.millihertz)) & 0xFFFF

    def read_period(self):
        """Period register; DS p.36."""
        return self.line.period()

    def read_v(self):
        """V: the waveform sample, of a sine."""
        if not self.line.on:
            return 0
        return round(self.v_peak.level * sincos(self.line.degrees())[0]) & 0xFFFFFF

    def read_i(self):
        """IA: the waveform sample, of a sine."""
        if not self.line.on:
            return 0
        return round(self.i_peak.level * sincos(self.line.degrees() - self._lag_degrees())[0]) & 0xFFFFFF

    def now_us(self):
        """Simulated time."""
        return self._clock.now_us

    def lag_us(self):
        """By how much the current's zero crossings come after the voltage's."""
        return int(self._lag_degrees() * 1e9 / (360.0 * self.line.millihertz)) if self.line.millihertz else 0

    def read_accmode(self):
        """ACCMODE: what was written, with signs and no-load states; DS p.65."""
        return self._regs[0x201] | self._live()

    def _live(self):
        """The read-only half of ACCMODE."""
        mode = self._regs[0x201]
        value = self.idle_b.accmode()
        if self._negative[0] and not mode & 3:
            value |= 0x400
        if self._negative[1] and not mode >> 4 & 3:
            value |= 0x1000
        if self._idle[0]:
            value |= 0x10000
        if self._idle[2]:
            value |= 0x20000
        if self._idle[1]:
            value |= 0x40000
        return value
