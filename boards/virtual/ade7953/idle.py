"""Channel B of the simulated ADE7953, which has no input here: its no-load states, its interrupt flags, its noise.

Written from the data sheet (Rev. C): it is compared with no-load levels as channel A is (p.40), its zero crossings time
out (p.44), and IRQSTATB tells of both (p.67).
"""

AP_NOLOAD, ZXTO_I = 6, 11
ACTNLOAD, VANLOAD, VARNLOAD = 0x080000, 0x100000, 0x200000  # ACCMODE, in the order active, apparent, reactive; DS p.65
FULL_SCALE = 9032007.0  # of rms; DS p.23
VA_NOLOAD_CODES = 4862401 * 5 // 7  # over 65,536 - level: the threshold; DS p.40


class IdleChannel:
    """The registers and flags of channel B; voltage and noise come from `signals`."""

    def __init__(self, clock, regs, signals):
        self._clock = clock
        self._regs = regs
        self._signals = signals
        self._status = 0
        self._idle = [False, False, False]  # active, reactive, apparent
        self._since_us = 0

    def begin(self):
        """Begin, out of a reset."""
        self._status = 0
        self._idle = [False, False, False]
        self._since_us = self._clock.now_us

    def judge(self, v):
        """Judge no-load anew, because settings or the voltage have changed; `v` is its rms, a part of full scale."""
        off = self._regs[0x001]
        level = VA_NOLOAD_CODES // max(1, 65536 - self._regs[0x205])
        quiet = (True, True, int(v * FULL_SCALE) * self.i_rms() >> 24 < level)
        for k in range(3):
            idle = quiet[k] and not off >> k & 1
            if idle and not self._idle[k]:
                self._status |= 1 << AP_NOLOAD + k
            self._idle[k] = idle

    def accmode(self):
        """Channel B's bits of ACCMODE."""
        active, reactive, apparent = self._idle
        return (ACTNLOAD if active else 0) | (VANLOAD if apparent else 0) | (VARNLOAD if reactive else 0)

    def va(self):
        """BVA: the voltage times a current that is nothing but noise."""
        return self._signals.v_rms.read() * self.i_rms() >> 24

    def i_rms(self):
        """IRMSB: the noise floor."""
        return int(self._signals.i_rms.noise * FULL_SCALE)

    def power(self):
        """BWATT or BVAR, which are noise."""
        return self._signals.power_noise() >> 9 & 0xFFFFFF

    def pf(self):
        """PFB: 1 without apparent power, 0 without active; DS p.38."""
        return 0x7FFF if self._idle[2] else 0

    def read(self):
        """IRQSTATB."""
        timeout = self._regs[0x100] * 143 // 2  # 14 kHz; DS p.44
        if timeout and self._clock.now_us - self._since_us >= timeout:
            self._status |= 1 << ZXTO_I
        return self._status

    def zero(self):
        """RSTIRQSTATB has been read."""
        self.read()
        if self._status >> ZXTO_I & 1:
            self._since_us = self._clock.now_us
        self._status = 0
