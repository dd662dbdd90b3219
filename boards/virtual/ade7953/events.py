"""Interrupt status of the ADE7953: what latches when, and the IRQ pin; DS p.43-50, 58, 66.

Each status bit has a time at which it latches next. Bits that are enabled get an event on the clock, so that the pin
moves at its time; the others are latched when somebody looks.
"""

from boards.virtual.ade7953.registers import checksum, hidden_bytes, signed24

NEVER = 1 << 60  # a small integer on 64-bit MicroPython

AEHF, AEOF, AP_NOLOAD, APSIGN = 0, 3, 6, 9
ZXTO_I, ZX_I, OI, ZXTO, ZX_V, OV, WSMP, CYCEND, SAG, RESET, CRC = 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21

ALL = 0x3FFFFF
ENERGIES = 0x3F
SAMPLE_US = 143  # 128/895 kHz


class Events:
    """IRQSTATA, the IRQ pin, line-cycle windows, sag, and the watch over the checksum."""

    def __init__(self, clock, irq, regs, flaws, line, energies, v_peak, i_peak):
        self._clock = clock
        self._irq = irq
        self._regs = regs
        self._line = line
        self._energies = energies  # active, reactive, apparent
        self._v_peak = v_peak
        self._i_peak = i_peak
        self._returns = flaws.flags_return
        self._delay_us = flaws.checksum_delay_us
        self._hidden = hidden_bytes(flaws.checksum_seed)
        self._event = None
        self._event_us = NEVER
        self._level = None
        for energy in energies:
            energy.on_window = self.latch
        self.clear()

    def clear(self):
        """A reset of the chip."""
        if self._event is not None:
            self._clock.cancel(self._event)
            self._event = None
        self._status = 0
        self._due = [NEVER] * 22
        self._next_us = NEVER  # the earliest of them
        self._sagging = False
        self._window_end = 0  # number of the zero crossing that ends the line-cycle window; 0 = no windows
        self._window_us = NEVER
        self._shown = 0xFFFFFFFF  # the checksum register, until
        self._shown_us = NEVER
        self._checksum = None  # and from then on; None = to be worked out
        self._reference = None
        self.live = 0  # ACCMODE's read-only bits, where the checksum covers them
        self.idle = (False, False, False)  # no-load states, for flags that return

    def pin(self, level):
        """The level of the IRQ pin; None without supply."""
        if level is not self._level:
            self._level = level
            self._irq(level)

    def read(self):
        """IRQSTATA."""
        if self._clock.now_us >= self._next_us:
            self.latch(self._clock.now_us)
        return self._status

    def zero(self):
        """Clear every flag and let go of IRQ, because RSTIRQSTATA has been read; DS p.50."""
        cleared = self._status
        self._status = 0
        self.arm(cleared)
        if self._returns:
            self._return(cleared)

    def _return(self, cleared):
        """Raise those of the flags just cleared whose cause lasts, at the next sample."""
        at_us = self._clock.now_us + SAMPLE_US
        due = self._due
        if cleared >> SAG & 1 and self._sagging:
            due[SAG] = at_us
        if cleared >> CRC & 1 and self._reference is not None and self._now() != self._reference:
            due[CRC] = at_us
        for k in range(3):
            if cleared >> AP_NOLOAD + k & 1 and self.idle[k]:
                due[AP_NOLOAD + k] = at_us
            if cleared >> AEHF + k & 1 and not -0x400000 < signed24(self._energies[k].count & 0xFFFFFF) < 0x400000:
                due[AEHF + k] = at_us
        self._plan()

    def raise_bits(self, bits):
        """Latch these bits at once; the pin follows with the next `arm`."""
        self._status |= bits

    def settle(self):
        """Latch everything due up to now, before inputs or settings change."""
        if self._clock.now_us >= self._next_us:
            self.latch(self._clock.now_us)

    def latch(self, now):
        """Latch every status bit that has become due, then plan the next."""
        while self._window_us <= now:
            for energy in self._energies:
                if energy.window:
                    energy.latch(self._window_us)
            self._status |= 1 << CYCEND
            self._window_end += max(1, self._regs[0x101])
            self._time_window()
        due = self._due
        for bit in range(22):
            if due[bit] <= now:
                self._status |= 1 << bit
                due[bit] = NEVER
                if bit == SAG and self._v_peak.sags(1, 1, now) is not None:
                    self._watch_sag()  # the next one of the table
        self._plan()

    def follow(self):
        """Follow a change of inputs or settings."""
        self._watch_windows()
        self._watch_sag()
        self.arm(ALL)

    def retime(self, address):
        """Follow a change of ZXTOUT (0x100) or LINECYC (0x101)."""
        self.settle()
        if address == 0x101:
            self._watch_windows()
            self.arm(ENERGIES)
        else:
            self.arm(1 << ZXTO | 1 << ZXTO_I)

    def arm(self, bits):
        """Set new times for those status bits of `bits` that are not latched."""
        now = self._clock.now_us
        regs = self._regs
        line = self._line
        due = self._due
        bits &= ~self._status
        if bits & ENERGIES:
            self._arm_energies(now, bits)
        if bits >> ZX_V & 1:
            due[ZX_V] = self._next_edge(now) if line.on else NEVER
        if bits >> ZX_I & 1:
            due[ZX_I] = self._next_edge(now) if line.on and line.current_on else NEVER
        if bits >> OV & 1:
            due[OV] = now + line.half_us // 2 if self._v_peak.level > regs[0x224] else NEVER
        if bits >> OI & 1:
            due[OI] = now + line.half_us // 2 if self._i_peak.level > regs[0x225] else NEVER
        if bits >> WSMP & 1:
            due[WSMP] = now + SAMPLE_US
        timeout = regs[0x100] * 143 // 2  # 14 kHz; DS p.44
        if bits >> ZXTO & 1:
            due[ZXTO] = self._timeout(now, line.lost_us, timeout, line.on)
        if bits >> ZXTO_I & 1:
            due[ZXTO_I] = self._timeout(now, line.current_lost_us, timeout, line.current_on)
        self._plan()

    def _timeout(self, now, since, timeout, on):
        """When a zero-crossing time-out comes next. It runs anew while crossings stay away, and also with crossings
        where it is shorter than half a cycle."""
        if not timeout or (on and timeout >= self._line.half_us):
            return NEVER
        return since + ((now - since) // timeout + 1) * timeout

    def _next_edge(self, now):
        """Next zero crossing that ZX_EDGE lets through: 01 negative, 10 positive, else both; DS p.43."""
        n = self._line.seen(now) + 1
        edge = self._regs[0x102] >> 12 & 3
        if (edge == 1 and n % 2 == 0) or (edge == 2 and n % 2):
            n += 1
        return self._line.seen_us(n)

    def _arm_energies(self, now, bits):
        """Set the times at which the energy registers become half full and run over; DS p.25."""
        for k in range(3):
            energy = self._energies[k]
            if not bits >> k & 9:
                continue
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
        """Find the next time at which a bit latches, put an event there if the bit is enabled, and set the pin as it is
        now."""
        mask = self._regs[0x22C] | 1 << RESET  # the reset interrupt cannot be masked; DS p.18
        earliest = self._window_us
        enabled = earliest if mask >> CYCEND & 1 else NEVER
        for bit, t in enumerate(self._due):
            if t < earliest:
                earliest = t
            if t < enabled and mask >> bit & 1:
                enabled = t
        self._next_us = earliest
        if self._event is not None and self._event_us != enabled:
            self._clock.cancel(self._event)
            self._event = None
        if enabled < NEVER and self._event is None:
            self._event = self._clock.at(enabled, self._fire)
            self._event_us = enabled
        self.pin(0 if self._status & mask else 1)

    def _fire(self):
        self._event = None
        self.latch(self._clock.now_us)

    # -- line cycles, sag, checksum -----------------------------------------------------------------------------

    def _watch_windows(self):
        """Line-cycle windows run while LINECYC and one of the enables are set; DS p.26."""
        length = self._regs[0x101]
        enables = self._regs[0x004]
        for k in range(3):
            energy = self._energies[k]
            window = bool(enables >> 2 * k & 1) and length > 0
            if window != energy.window:
                energy.window = window
                energy.held = 0
                energy.count = 0
        if not length or not enables & 0x3F:
            self._window_end = 0
        elif not self._window_end:
            # The first window begins anywhere, not at a crossing: its total is too small.
            self._window_end = self._line.seen(self._clock.now_us) + length
        self._time_window()

    def _time_window(self):
        self._window_us = self._line.seen_us(self._window_end) if self._window_end else NEVER
        for energy in self._energies:
            energy.window_us = self._window_us if energy.window else NEVER

    def _watch_sag(self):
        """SAGLVL and SAGCYC against the voltage's peaks, one event for each sag; DS p.45."""
        level = self._regs[0x200]
        cycles = self._regs[0x000]
        if level and cycles:
            at_us = self._v_peak.sags(level, cycles * self._line.half_us, self._clock.now_us)
            if at_us is not None:
                self._sagging = at_us < NEVER
                self._due[SAG] = at_us
                return
        if not level or not cycles or self._v_peak.level >= level:
            self._sagging = False
            self._due[SAG] = NEVER
        elif not self._sagging:
            self._sagging = True
            self._due[SAG] = self._clock.now_us + cycles * self._line.half_us

    def _now(self):
        """The checksum of the registers as they are now."""
        if self._checksum is None:
            self._checksum = checksum(self._regs, self.live, self._hidden)
        return self._checksum

    def watch_checksum(self, newly_enabled):
        """Follow a change of a register that the checksum covers. Its interrupt compares the checksum with the one at
        the time when the interrupt was enabled; DS p.58."""
        regs = self._regs
        now = self._clock.now_us
        if not regs[0x102] & 0x100:
            self._shown = 0xFFFFFFFF
            self._shown_us = NEVER
            self._reference = None
            return
        if self._shown_us == NEVER:
            self._shown_us = now + max(SAMPLE_US, self._delay_us)
        elif self._delay_us and now >= self._shown_us:  # what it was before this change stays for a while
            self._shown = self._now()
            self._shown_us = now + self._delay_us
        self._checksum = None
        if self._delay_us:
            self._now()  # the next change comes after the registers have gone on
        if not regs[0x22C] >> CRC & 1:
            self._reference = None
            self._due[CRC] = NEVER
        elif newly_enabled or self._reference is None:
            self._reference = self._now()
            self._due[CRC] = NEVER
        elif not self._status >> CRC & 1:
            self._due[CRC] = now + max(SAMPLE_US, self._delay_us) if self._now() != self._reference else NEVER
        self._plan()

    def read_checksum(self):
        """The checksum register, 32 bits; all ones until the checksum is enabled and worked out."""
        if self._clock.now_us < self._shown_us:
            return self._shown
        return self._now()
