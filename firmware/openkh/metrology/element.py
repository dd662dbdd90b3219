"""One line's front end in the measuring cycle: counts that are proven, and recovery of the chip (EN-2, DX-6).

The chip's active energy register runs free; a cycle books the difference to the reading booked last, modulo 2^24.
A reading counts only when
  1. the chip itself confirms what it has answered (LAST_ADD, LAST_OP, LAST_RWDATA),
  2. the checksum over the configuration, read after it, is a known one, or every register is found as wanted, and
  3. the difference is within the full-scale rate times the time since the reading booked last.
Otherwise nothing is booked, and nothing is lost: the next good reading brings these counts as well. A chip that was
reset, or whose configuration was altered, is set up again within the cycle that sees it (recovery.py); what it has
counted since the reading booked last is dropped, and the gap is logged. Reset and wrap are told apart by the checksum.
"""

from openkh import event_codes
from openkh.bound import bind
from openkh.calibration import PHCAL_BITS, VAR_REVERSED
from openkh.drivers.ade7953 import FrontEndError
from openkh.drivers.ade7953_registers import (
    AIGAIN,
    AP_NOLOAD,
    AVAGAIN,
    AVARGAIN,
    AVGAIN,
    AWATTOS,
    AWGAIN,
    DISNOLOAD,
    IRQ_AEOF,
    IRQ_RESET,
    IRQ_SAG,
    IRQENA,
    IRQSTATA,
    PHCALA,
    RSTIRQSTATA,
    SAGCYC,
    SAGLVL,
)
from openkh.metrology.recovery import LONGEST_US, Recovery
from openkh.metrology.rms import Rms
from openkh.metrology.scrub import Scrub
from openkh.ticks import ticks_diff, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.calibration import Calibration
    from openkh.drivers.ade7953 import Ade7953
    from openkh.metrology.recovery import Log
    from openkh.model import Model

# The no-load register is 65,536 - Y / 1.4 (DS p.40), where Y is full-scale power over the power below which nothing is
# counted: 23,570 to 1.2 on every model, 20 % of the starting power (EN-5). 5 A at 89.5 degrees still count (DX-7).
NOLOAD = 51_500
NOLOAD_VAR_VA_OFF = 0x06  # no such level for reactive and apparent energy
LONG_MS = 1000  # after a longer time without a booked reading the register may have come to its end
PEAK_FULL_SCALE = 6_500_000  # waveform and peak codes, DS p.21
SAG_PERCENT = 75  # a sag is half a line cycle whose peak stays below this part of the nominal peak
SAG_OVER_PERCENT = 80  # it is over when the rms voltage is back at this part of nominal, but
SAG_HOLD_US = 400_000  # not within this time after the chip's flag, because rms lags by 0.2 s, and
SAG_CLEAR_US = 50_000  # not within this time after clearing the flag, because the chip may raise it again

# The bound: full scale, 23,570 W * 32,000 / 3600 = 209.5 counts per ms on every model (EN-6), and 5 % on top.
COUNTS_PER_MS = 220
EXACT_MS = 38_000  # up to here the bound is below half of the register's range, so the difference is unambiguous
# After a longer time it still is if the chip's overflow flag is clear. If the flag is set, the counts are taken only as
# long as the highest load that the ratings allow (110 % current, 115 % voltage: 135 counts per ms) fits half the range:
RATED_MS = 60_000
RESTART_MS = 50_000  # a restart of the RP2040 alone is taken to have lasted at most so long
LATE_US = 2_000_000  # a first reading that comes so long after a restart was mostly counted after it

# So many counts can have come since the record before a restart: 3.2 million until a record is due, 10 s at full scale.
RESUMED_MOST = 5_600_000

ODD_READINGS = 3  # after so many readings beyond the bound that agree with each other the counter is taken as it is
NO_COUNTS = 1 << 29  # in place of counts: nothing is to be booked


class Element(Recovery):
    """The front end of line `index` + 1. Call `poll` in every cycle; what it has found is in the attributes.

    `raw`       the counter to store as booked (24 bits); where nothing may be booked, the one that `poll` was given
    `active`    signed counts to book; `reactive` signed counts of the same time, which only the status uses
    `at_us`     when the counts were read (ticks_us); `fresh` whether this cycle has a reading that counts
    `span_us`   the time in which they were counted; 0 where much of it may lie before a restart
    `rebased`   the counter was taken anew in this cycle: store `raw` soon, because the older one is worthless
    `v_mv` `i_ma` `period_raw`   voltage, current and period (Scrub.period) as measured last
    `silent`    FAIL 01; `altered` FAIL 02; `sag` the line's voltage is low
    `spoilt` `rejected` `resets` `repairs` `gap_ms`   count faults
    """

    def __init__(self, chip: "Ade7953", model: "Model", index: int, log: "Log") -> None:
        super().__init__(chip, index, log)
        self._scrub = Scrub(chip)
        self._volts = Rms(model.full_scale_mv)
        self._amps = Rms(model.full_scale_ma)
        self._sag_over_mv = model.nominal_mv * SAG_OVER_PERCENT // 100
        chip.want(DISNOLOAD, NOLOAD_VAR_VA_OFF)
        chip.want(AP_NOLOAD, NOLOAD)
        chip.want(SAGCYC, 1)
        chip.want(
            SAGLVL, PEAK_FULL_SCALE * SAG_PERCENT // 100 * (model.nominal_mv // 1000) // (model.full_scale_mv // 1000)
        )
        chip.want(IRQENA, IRQ_RESET | (IRQ_SAG if index == 0 else 0))  # the meter is fed from line 1 (ID-6)

        # The other line's, which is polled next. Both are read one directly after the other, before either is judged.
        self.beside: Element | None = None
        self.raw = -1
        self.active = 0
        self.reactive = 0
        self.at_us = 0
        self.span_us = 0
        self.fresh = False
        self.rebased = False
        self.v_mv = self.i_ma = self.period_raw = 0
        self.sag = False
        self.rejected = 0  # verified readings beyond the bound
        self.gap_ms = 0  # the time in which counts were dropped

        self._now_us = 0  # ticks_us of this poll
        self._age_us = 0  # how old the reading booked last was at the start of this poll
        self._resumed = False  # whether that was booked before a restart, so that it is older by an unknown time
        self._offered = False  # whether the last poll gave a reading out to be booked: `raw`, read at `at_us`
        self._base = -1  # the counter as taken anew, as long as the cycle has not stored it; -1: there is none
        self._odd_raw = 0  # the newest reading beyond the bound,
        self._odd = 0  # and how many in a row agree with each other
        self._ahead = False  # whether `read_ahead` has taken this cycle's reading
        self._turn = index == 0  # rms and the rest are read every other cycle, by the two lines in turn
        self._sag_us = 0  # how long the sag must not end yet
        self._sag_cleared = False  # whether its flag has been cleared since
        self._lag_sign = 1  # the sign that reactive counts have where the current lags
        bind(self, "poll", "read_ahead", "_book", "_measure", "_round", "_judge")

    # Start and calibration

    def calibrate(self, cal: "Calibration") -> None:
        """Have the chip calibrated as `cal` says (register values, DS p.34-35) from the next bring-up on."""
        chip = self._chip
        chip.want(AVGAIN, cal.vgain)
        chip.want(AIGAIN, cal.igain)
        chip.want(AWGAIN, cal.wgain)
        chip.want(AVARGAIN, cal.wgain)
        chip.want(AVAGAIN, cal.wgain)
        chip.want(PHCALA, cal.phcal & PHCAL_BITS)
        self._lag_sign = -1 if cal.phcal & VAR_REVERSED else 1
        chip.want(AWATTOS, cal.wattos)

    def found(self, cal: "Calibration") -> bool:
        """Set `cal` to the calibration that the chip holds; which way its phase register works stays as it is in `cal`.
        Call before `start`. False if the chip does not answer, or was reset and has its defaults."""
        read = self._chip.read_sure
        flags = read(IRQSTATA)
        if flags < 0 or flags & IRQ_RESET:
            return False
        cal.vgain = read(AVGAIN)
        cal.igain = read(AIGAIN)
        cal.wgain = read(AWGAIN)
        cal.phcal = read(PHCALA) | cal.phcal & ~PHCAL_BITS
        offset = read(AWATTOS)
        cal.wattos = offset - 0x1000000 if offset & 0x800000 else offset
        return min(cal.vgain, cal.igain, cal.wgain, cal.phcal, offset) >= 0

    def start(self, resume_raw: int, fed: bool = False) -> None:
        """Bring the chip up, before the first poll; may take 0.3 s and heap. `resume_raw`: the counter as booked last,
        or -1; `fed`: the supply has not been lost since then. A chip that runs as wanted is not reset, nor one that
        does not answer and may be running: `poll` books what it has counted meanwhile. A chip that does not come up is
        left to `poll`. Sets `ran_on`: whether the chip was not reset."""
        chip = self._chip
        self._now_us = ticks_us()
        self._absent = fed and resume_raw >= 0 and chip.read_sure(IRQSTATA) < 0
        self.ran_on = self._absent or chip.running()
        if self.ran_on:
            self._lost = False
            self._resumed = resume_raw >= 0
            return
        for _ in range(2):
            try:
                chip.bring_up()
                if self._try_energy() or self._try_energy():
                    self._rebase()
                    return
            except FrontEndError:
                self.spoilt += 1
        self._now_us = ticks_us()

    def apply(self, cal: "Calibration") -> bool:
        """Change the calibration while the chip counts. Called in the cycle; False: try again in the next one.

        The energy register goes on meanwhile, so that no count is lost or taken twice."""
        chip = self._chip
        if self._lost or not chip.unaltered():
            return False
        self.calibrate(cal)
        chip.forget()
        return chip.mended()

    def poll(self, last_raw: int, now_us: int) -> None:
        """Read the front end and verify what it says. Never raises, takes no heap.

        `last_raw` is the counter as booked last (24 bits; -1: not known), `now_us` ticks_us of this cycle.
        """
        chip = self._chip
        dt_us = ticks_diff(now_us, self._now_us)
        self._now_us = now_us
        if self._offered and last_raw == self.raw:  # the cycle has taken what it was given
            self._age_us = ticks_diff(now_us, self.at_us)
            self._resumed = False
            self._base = -1
        else:
            self._age_us = min(self._age_us + dt_us, LONGEST_US)
            if self._base >= 0:
                last_raw = self._base
        self._offered = False
        self.raw = last_raw
        self.active = 0
        self.reactive = 0
        self.span_us = 0
        self.fresh = False
        self.rebased = False

        if self._ahead:
            self._ahead = False
        elif chip.taking and not chip.take_down():
            self._unanswered(dt_us)
            return
        else:
            self._reading_us = ticks_us()
            self._reading = chip.read_energy()
        if self.beside is not None:
            self.beside.read_ahead()
        if self._noisy:
            self._noisy -= 1
        if self._reading < 0:
            self._spoilt()
            if not self._try_energy():
                self._unanswered(dt_us)
                return
        if self._mute_us or self.silent:
            self._answered()
        if chip.unaltered() or chip.unaltered():
            self._tries = 0
        elif not self._restore():
            return
        self._book(last_raw)
        # What need not be as new as the counts is read in turn, for time.
        turn = not self._turn
        self._turn = turn
        if turn or self.sag:
            self._measure()
        if self.sag:
            self._sag_on(dt_us)
        elif not chip.irq():
            self._flags()
        if not turn and (self._scrub.step() or self.altered):
            self._round()

    def read_ahead(self) -> None:
        """Take the reading for this element's `poll`, which follows in the same cycle."""
        if not self._chip.taking:
            self._reading_us = ticks_us()
            self._reading = self._chip.read_energy()
            self._ahead = True

    def _book(self, last_raw: int) -> None:
        """Give out the counts since `last_raw`, where they are to be booked."""
        raw = self._reading
        if self._lost or last_raw < 0:
            self._rebase()
            return
        counts = (raw - last_raw + 0x800000 & 0xFFFFFF) - 0x800000
        span_ms = (self._age_us + ticks_diff(self._reading_us, self._now_us)) // 1000
        if self._resumed:
            span_ms += RESTART_MS
        if span_ms > LONG_MS:
            counts = self._long_counts(last_raw, counts, span_ms)
            if counts == NO_COUNTS:
                return
        bound = (span_ms + 1) * COUNTS_PER_MS
        if not -bound <= counts <= bound:
            self._reject(raw, counts)
            return
        if self._noisy and not self._borne_out(raw):
            return
        self.active = counts
        self._odd = 0
        if not self._resumed or self._age_us > LATE_US:
            self.span_us = self._age_us + ticks_diff(self._reading_us, self._now_us)
        self.raw = raw
        self.at_us = self._reading_us
        self._offered = True
        self.fresh = True
        raw = self._chip.read_reactive()
        counts = (raw - self._reactive_raw + 0x800000 & 0xFFFFFF) - 0x800000
        if not -bound <= counts <= bound:  # it is read once more, and then left out
            raw = self._chip.read_reactive()
            counts = (raw - self._reactive_raw + 0x800000 & 0xFFFFFF) - 0x800000
        self._reactive_raw = raw
        if -bound <= counts <= bound:
            self.reactive = counts * self._lag_sign

    def _long_counts(self, last_raw: int, counts: int, span_ms: int) -> int:
        """What to book after a long time, in which the register may have gone over its end, in place of `counts`, the
        difference to `last_raw` modulo 2^24; NO_COUNTS for nothing."""
        now = (self._reading - self._chip.base & 0xFFFFFF) ^ 0x800000
        # The difference of signed values is right where the register did not go over its end.
        plain = now - ((last_raw - self._chip.base & 0xFFFFFF) ^ 0x800000)
        if not 0 < now < 0xFFFFFF:  # it has stopped at its end, and what it holds is booked
            self._log.add(event_codes.COUNTER_FULL, self._line)
            self._full = True
            return plain
        if span_ms <= EXACT_MS:
            return counts
        flags = self._chip.read_sure(IRQSTATA)
        if flags < 0:
            return NO_COUNTS
        if not flags & IRQ_AEOF:
            # The flag may have been cleared between record and restart: there a small difference is believed.
            return counts if self._resumed and -RESUMED_MOST <= counts <= RESUMED_MOST else plain
        if span_ms > RATED_MS:
            self._lose(event_codes.READING_REJECTED, counts)
            self._rebase()
            return NO_COUNTS
        return counts

    def _reject(self, raw: int, counts: int) -> None:
        """A reading beyond full scale. If the next ones agree with it, it is no bus fault: the counter has jumped."""
        self.rejected += 1
        step = (raw - self._odd_raw + 0x800000 & 0xFFFFFF) - 0x800000
        near = -COUNTS_PER_MS * 1000 < step < COUNTS_PER_MS * 1000
        self._odd = self._odd + 1 if near and self._odd else 1
        self._odd_raw = raw
        if self._odd >= ODD_READINGS:
            self._odd = 0
            self._lose(event_codes.READING_REJECTED, counts)
            self._rebase()

    def _rebase(self) -> None:
        """Count from the counter as it stands now."""
        self._lost = False
        self._reactive_raw = self._chip.read_reactive()
        if self._event:
            gap_ms = (self._age_us + ticks_diff(self._reading_us, self._now_us)) // 1000
            self.gap_ms += gap_ms
            self._log.add(self._event, self._line, gap_ms if self._event == event_codes.CHIP_RESET else self._event_b)
            self._event = 0
        self._age_us = 0
        self._resumed = False
        self._base = self._reading
        self.rebased = True
        self.raw = self._reading
        self.at_us = self._reading_us
        self._offered = True

    def _measure(self) -> None:
        """Read voltage and current, for status and display. Because rms lags by 0.2 s, no reading is judged by it."""
        chip = self._chip
        chip.read_rms()
        self.v_mv = self._volts.take(chip.volts)
        self.i_ma = self._amps.take(chip.amps)

    def _flags(self) -> None:
        """Read the interrupt flags, verify, and only then clear them: a spoilt reading that clears would lose some."""
        flags = self._chip.read_sure(IRQSTATA)
        if flags < 0:
            return
        if flags & IRQ_SAG and self._line == 1:
            self.sag = True
            self._sag_us = SAG_HOLD_US
            self._sag_cleared = False
        elif flags & (IRQ_SAG | IRQ_RESET | IRQ_AEOF):
            self._chip.read(RSTIRQSTATA)

    def _sag_on(self, dt_us: int) -> None:
        """While a sag stands: see whether it is over. Until then its flag is not cleared, because the chip would raise
        it again at once, and each time call a cycle."""
        self._sag_us -= dt_us
        if self._sag_us > 0 or self.v_mv < self._sag_over_mv:
            return
        if not self._sag_cleared:
            self._chip.read(RSTIRQSTATA)
            self._sag_cleared = True
            self._sag_us = SAG_CLEAR_US
        else:
            self.sag = False
            if not self._chip.irq():
                self._flags()

    def _round(self) -> None:
        """Follow up what Scrub has found."""
        scrub = self._scrub
        self.period_raw = scrub.period
        if scrub.flags & IRQ_AEOF and not self.sag:
            self._flags()
        if self._offered and (self._full or self._chip.high(self._reading, self._reactive_raw)):
            self.high = True
        if scrub.altered >= 0:
            self.repairs += 1
            self._log.add(event_codes.CHIP_REPAIRED, self._line, scrub.altered)
        self._judge(scrub.stuck)
