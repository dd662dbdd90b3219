"""The output pins that the simulated ADE7953 has beside IRQ: CF1, CF2, REVP, ZX and ZX_I.

Their levels are worked out only when somebody looks at them. Written from the data sheet (Rev. C): CF p.32-33, 40; REVP
p.47; ZX p.43-44; ALT_OUTPUT p.64.
"""

ACTIVE, REACTIVE, APPARENT = range(3)
_CF_SOURCES = {0: ACTIVE, 1: REACTIVE, 2: APPARENT}  # of channel A; a current or channel B gives no pulse here
_ALT_SHIFT = {"ZX": 0, "ZX_I": 4, "REVP": 8}
_NATIVE = {"ZX": ("REVP", "ZX_I"), "ZX_I": ("ZX", "REVP"), "REVP": ("ZX", "ZX_I")}  # codes 11 and 12
SAG, IRQ_B = 1, 10


class Pins:
    """`level(name)` is the level of a pin, `pulses(n)` how many pulses CF1 or CF2 has given since the chip was made."""

    def __init__(self, regs, signals):
        self._regs = regs
        self._signals = signals

    def pulses(self, n):
        """The pulses of CF1 or CF2 (n = 1, 2): one for each CFxDEN energy counts, where a CFxDEN of 0 is taken as 1; 0
        while the output is switched off."""
        mode = self._regs[0x107]
        source = _CF_SOURCES.get(mode >> 4 * (n - 1) & 0xF)
        if mode >> 7 + n & 1 or source is None:
            return 0
        signals = self._signals
        energy = (signals.active, signals.reactive, signals.apparent)[source]
        energy.read()
        return abs(energy.total) // max(1, self._regs[0x102 + n])

    def level(self, name):
        """The level of pin ZX, ZX_I or REVP, with the signal that ALT_OUTPUT puts onto it."""
        code = self._regs[0x110] >> _ALT_SHIFT[name] & 0xF
        if code == SAG:
            return self._signals.events.read() >> 19 & 1
        if code in (5, 7):  # no-load of channel A, active and reactive
            return int(self._signals.events.idle[(code - 5) // 2])
        if code in (6, 8):
            return 1  # channel B carries nothing
        if code == IRQ_B:
            return 0 if self._signals.idle_b.read() & self._regs[0x22F] else 1
        if code in (11, 12):
            name = _NATIVE[name][code - 11]
        return self._native(name)

    def _native(self, name):
        line = self._signals.line
        if name == "REVP":  # high normally, low while power flows back; DS p.47 (its Table 19 says the opposite)
            return 0 if self._signals.read_accmode() & 0x400 else 1
        if name == "ZX":
            return 1 - line.seen(self._signals.now_us()) % 2 if line.on else 0
        return 1 - line.seen(self._signals.now_us() - self._signals.lag_us()) % 2 if line.current_on else 0
