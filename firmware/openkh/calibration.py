"""Calibration of a line: what its chip's registers hold so that one energy count is the model's fixed energy (EN-6),
and what is corrected in software beside it (CA-1a, metrology/correction.py)."""

from struct import pack_into, unpack_from

from openkh.metrology.correction import (
    CURRENT_MOST,
    LEAD_MOST,
    LEAD_TEMPCO_MOST,
    NO_REFERENCE,
    POINTS_MOST,
    RATIO_MOST,
    TEMPCO_MOST,
)
from openkh.model import WGAIN_NOMINAL, WGAIN_UNITY

ITEMS = ("wgain", "phcal", "wattos", "vgain", "igain")
"""A line's register values in the order in which they are stored, four bytes each. A new one is added at the end."""
CORRECTIONS = ("tempco", "lead_tempco", "reference", "curve")
# Numbers of the corrections in the log, after those of ITEMS. A point of the curve has two: current and ratio together,
# and the lead.
TEMPCO_ITEM = 5  # the next number is that of its reference
CURVE_ITEM = 7
LEAD_TEMPCO_ITEM = 15
LOGGED = 16  # how many numbers a line has

# Limits (CA-3). Gains: 10 % to either side of nominal. Offset: 0.5 % of rated current times nominal voltage. This is
# the same number on every model, because twice the power has half the counts per Wh: 60 W * 32,000 / 3600 counts per s,
# of 23.432 power LSB each, in units of 2^-9 LSB (DS p.25, p.35).
GAIN_PERCENT = 10
OFFSET_MOST = 6_398_449
PHASE_HZ = 895_000  # a unit of the phase register is one period of this frequency (DS p.34)
_DELAY_DEGREES = 4
_ADVANCE_DEGREES = 1
_ADVANCE = 0x200  # bit 9 of the phase register
PHCAL_BITS = 0x3FF
# What the calibration has learnt of a chip whose signs are the other way; kept above the register's own bits.
PHCAL_REVERSED = 0x400  # the phase register delays the current where bit 9 is set
VAR_REVERSED = 0x800  # the reactive energy is negative where the current lags

_HEAD = "<3i"  # format, how often calibrated, date
_HEAD_BYTES = 12
_FORMAT = 1
_ITEMS_IN = {_FORMAT: len(ITEMS)}  # how many of ITEMS, from the first on, each format has; older ones stay
# A calibration with corrections is written in another format, in which fewer bytes for each value leave room for them.
_CORRECTED_HEAD = "<BHHB"  # format, how often calibrated, the date in two parts
_CORRECTED_FORMAT = 2
_CORRECTED_HEAD_BYTES = 6
_CORRECTED_LINE_BYTES = 45
_AT = (0, 3, 5, 8, 11)  # where each of ITEMS lies in a line; behind them the rest, and four points of the curve
_REST = "<hhhB"  # tempco, lead_tempco, reference, number of points
_REST_AT = 14
_POINTS_AT = 21


class Calibration:
    """The calibration of one line; a new one is nominal.

    Register values, as the chip takes them (data sheet p.34-35): `wgain`, `vgain`, `igain` are factors times 0x400000.
    `phcal` is sign and magnitude, 1.117 us a unit, where bit 9 advances the current; above it stands which way the
    chip's signs are. `wattos` is signed, in 2^-9 of the power's LSB.

    Corrections in software, none at first: `tempco` of the energy in 0.01 ppm/K, positive where the line reads more
    when warmer; `lead_tempco` of the CT's lead in 0.001 minutes/K; `reference`, the temperature at which the gain was
    calibrated, in 0.01 degC as the board's sensor reads it; `curve`, the CT's errors as points by rising current
    (current in 0.01 % of the rating, ratio error in ppm, lead in 0.01 minutes).
    """

    def __init__(self) -> None:
        self.wgain = WGAIN_NOMINAL
        self.phcal = 0
        self.wattos = 0
        self.vgain = WGAIN_UNITY
        self.igain = WGAIN_UNITY
        self.tempco = 0
        self.lead_tempco = 0
        self.reference = NO_REFERENCE
        self.curve: tuple[tuple[int, int, int], ...] = ()

    def take(self, other: "Calibration") -> None:
        """Become equal to `other`. Takes no heap."""
        self.take_registers(other)
        self.tempco = other.tempco
        self.lead_tempco = other.lead_tempco
        self.reference = other.reference
        self.curve = other.curve

    def take_registers(self, other: "Calibration") -> None:
        """Take over the registers of `other`; the corrections stay as they are."""
        self.wgain = other.wgain
        self.phcal = other.phcal
        self.wattos = other.wattos
        self.vgain = other.vgain
        self.igain = other.igain

    @property
    def corrected(self) -> bool:
        """Whether there is a correction or a reference, for which format 1 has no room."""
        return self.tempco != 0 or self.lead_tempco != 0 or self.reference != NO_REFERENCE or len(self.curve) > 0

    def item(self, number: int) -> int:
        """A value by its number in the log, 0 to LOGGED - 1; 0 for a point that the curve does not have."""
        if number < TEMPCO_ITEM:
            return getattr(self, ITEMS[number])
        if number < CURVE_ITEM:
            return self.tempco if number == TEMPCO_ITEM else self.reference
        if number == LEAD_TEMPCO_ITEM:
            return self.lead_tempco
        point, part = divmod(number - CURVE_ITEM, 2)
        if point >= len(self.curve):
            return 0
        current, ratio, lead = self.curve[point]
        return lead if part else current << 16 | ratio & 0xFFFF

    def equals(self, other: "Calibration") -> bool:
        """Whether registers and corrections are the same."""
        return (
            self.same_registers(other)
            and self.tempco == other.tempco
            and self.lead_tempco == other.lead_tempco
            and self.reference == other.reference
            and self.curve == other.curve
        )

    def same_registers(self, other: "Calibration") -> bool:
        """Whether every register holds the same."""
        for name in ITEMS:  # noqa: SIM110  all() takes a generator from the heap
            if getattr(self, name) != getattr(other, name):
                return False
        return True


def phase_steps(register: int) -> int:
    """The phase register as a signed number of steps; positive delays the current."""
    steps = -(register & 0x1FF) if register & _ADVANCE else register & 0x1FF
    return -steps if register & PHCAL_REVERSED else steps


def phase_register(steps: int, ways: int = 0) -> int:
    """The phase register for a signed number of steps; `ways`: which way the chip's signs are, by `ways_of`."""
    if ways & PHCAL_REVERSED:
        steps = -steps
    return (steps if steps >= 0 else _ADVANCE | -steps) | ways


def ways_of(register: int) -> int:
    """The bits of `register` that tell which way the chip's signs are: PHCAL_REVERSED, VAR_REVERSED."""
    return register & (PHCAL_REVERSED | VAR_REVERSED)


def phase_limits(hz: int) -> "tuple[int, int]":
    """The least and the most steps that are allowed at a line frequency of `hz`; they are -1 and +4 degrees."""
    return -(_ADVANCE_DEGREES * PHASE_HZ // (360 * hz)), _DELAY_DEGREES * PHASE_HZ // (360 * hz)


def check(line: Calibration, hz: int) -> None:
    """ValueError, which says what is allowed, for a calibration that is not plausible (CA-3)."""
    low, high = phase_limits(hz)
    _within("wgain", line.wgain, WGAIN_NOMINAL)
    _within("vgain", line.vgain, WGAIN_UNITY)
    _within("igain", line.igain, WGAIN_UNITY)
    if not low <= phase_steps(line.phcal) <= high:
        raise ValueError("phase %d steps: allowed %d to %d (-1 to +4 degrees)" % (phase_steps(line.phcal), low, high))
    if not -OFFSET_MOST <= line.wattos <= OFFSET_MOST:
        raise ValueError("offset %d: allowed +-%d (0.5 %% of class)" % (line.wattos, OFFSET_MOST))
    if not -TEMPCO_MOST <= line.tempco <= TEMPCO_MOST:
        raise ValueError("temperature coefficient %.2f ppm/K: allowed +-150" % (line.tempco / 100))
    if not -LEAD_TEMPCO_MOST <= line.lead_tempco <= LEAD_TEMPCO_MOST:
        raise ValueError("lead's drift %.3f minutes/K: allowed +-1" % (line.lead_tempco / 1000))
    if (line.tempco or line.lead_tempco) and line.reference == NO_REFERENCE:
        raise ValueError("a temperature coefficient without the temperature of the calibration: allowed after cal_gain")
    check_curve(line.curve)


def check_curve(curve: "tuple[tuple[int, int, int], ...]") -> None:
    """ValueError, which says what is allowed, for a curve that is not plausible or whose currents do not rise."""
    if len(curve) > POINTS_MOST:
        raise ValueError("%d points of the curve: allowed up to %d" % (len(curve), POINTS_MOST))
    before = 0
    for current, ratio, lead in curve:
        if not before < current <= CURRENT_MOST:
            raise ValueError("curve at %.2f %% of the rating: allowed rising, up to 120 %%" % (current / 100))
        if not -RATIO_MOST <= ratio <= RATIO_MOST:
            raise ValueError("curve: ratio error %.4f %%: allowed +-2" % (ratio / 10_000))
        if not -LEAD_MOST <= lead <= LEAD_MOST:
            raise ValueError("curve: lead %.2f minutes: allowed +-180 (3 degrees)" % (lead / 100))
        before = current


def _within(name: str, value: int, nominal: int) -> None:
    margin = nominal // 100 * GAIN_PERCENT
    if not nominal - margin <= value <= nominal + margin:
        raise ValueError("%s %d: allowed %d to %d (+-10 %%)" % (name, value, nominal - margin, nominal + margin))


def pack(lines: "tuple[Calibration, ...]", count: int, date: int) -> bytes:
    """Both lines as the vault stores them. `count`: how often the meter was calibrated; `date`: YYMMDD as a number."""
    for line in lines:
        if line.corrected:
            return _pack_corrected(lines, count, date)
    buf = bytearray(_HEAD_BYTES + 4 * len(ITEMS) * len(lines))
    pack_into(_HEAD, buf, 0, _FORMAT, count, date)
    at = _HEAD_BYTES
    for line in lines:
        for name in ITEMS:
            pack_into("<i", buf, at, getattr(line, name))
            at += 4
    return bytes(buf)


def _pack_corrected(lines: "tuple[Calibration, ...]", count: int, date: int) -> bytes:
    buf = bytearray(_CORRECTED_HEAD_BYTES + _CORRECTED_LINE_BYTES * len(lines))
    pack_into(_CORRECTED_HEAD, buf, 0, _CORRECTED_FORMAT, min(count, 0xFFFF), date & 0xFFFF, date >> 16)
    at = _CORRECTED_HEAD_BYTES
    for line in lines:
        # Each value is written with four bytes, and the next one overwrites those that it does not need.
        for n in range(len(ITEMS)):
            pack_into("<i", buf, at + _AT[n], getattr(line, ITEMS[n]))
        pack_into(_REST, buf, at + _REST_AT, line.tempco, line.lead_tempco, line.reference, len(line.curve))
        for n in range(len(line.curve)):
            pack_into("<Hhh", buf, at + _POINTS_AT + 6 * n, *line.curve[n])
        at += _CORRECTED_LINE_BYTES
    return bytes(buf)


def count_of(data: bytes) -> int:
    """How often the meter has been calibrated, by the vault's `data`; -1 where they are too short."""
    if len(data) < _HEAD_BYTES:
        return -1
    return unpack_from(_CORRECTED_HEAD if data[0] == _CORRECTED_FORMAT else _HEAD, data, 0)[1]


def unpack(data: bytes, lines: "tuple[Calibration, ...]", hz: int) -> "tuple[int, int]":
    """Set `lines` from the vault's data; returns count and date. What an older format lacks is nominal.

    ValueError, and `lines` as they were, where it is not what `pack` gives, or not plausible.
    """
    if len(data) < _HEAD_BYTES:
        raise ValueError("calibration: %d bytes" % len(data))
    form, count, date = unpack_from(_HEAD, data, 0)
    items = _ITEMS_IN.get(form, 0)
    if data[0] == _CORRECTED_FORMAT and len(data) == _CORRECTED_HEAD_BYTES + _CORRECTED_LINE_BYTES * len(lines):
        _, count, low, high = unpack_from(_CORRECTED_HEAD, data, 0)
        date = high << 16 | low
        found = _corrected_lines(data, len(lines))
    elif items and len(data) == _HEAD_BYTES + 4 * items * len(lines):
        found = _plain_lines(data, len(lines), items)
    else:
        raise ValueError("calibration: format %d, %d bytes" % (form, len(data)))
    for line in found:
        check(line, hz)
    for n in range(len(lines)):
        lines[n].take(found[n])
    return count, date


def _plain_lines(data: bytes, number: int, items: int) -> "list[Calibration]":
    found = []
    at = _HEAD_BYTES
    for _ in range(number):
        line = Calibration()
        for name in ITEMS[:items]:
            setattr(line, name, unpack_from("<i", data, at)[0])
            at += 4
        found.append(line)
    return found


def _corrected_lines(data: bytes, number: int) -> "list[Calibration]":
    found = []
    for n in range(number):
        line = Calibration()
        at = _CORRECTED_HEAD_BYTES + _CORRECTED_LINE_BYTES * n
        for k in range(len(ITEMS)):
            value = unpack_from("<i", data, at + _AT[k])[0] & (0xFFFF if ITEMS[k] == "phcal" else 0xFFFFFF)
            if ITEMS[k] == "wattos" and value & 0x800000:
                value -= 0x1000000
            setattr(line, ITEMS[k], value)
        line.tempco, line.lead_tempco, line.reference, points = unpack_from(_REST, data, at + _REST_AT)
        if points > POINTS_MOST:
            raise ValueError("calibration: %d points" % points)
        line.curve = tuple([unpack_from("<Hhh", data, at + _POINTS_AT + 6 * k) for k in range(points)])
        found.append(line)
    return found
