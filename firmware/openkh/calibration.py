"""Calibration of a line: what its chip's registers hold so that one energy count is the model's fixed energy (EN-6)."""

from struct import pack_into, unpack_from

from openkh.model import WGAIN_NOMINAL, WGAIN_UNITY

ITEMS = ("wgain", "phcal", "wattos", "vgain", "igain")
"""A line's values in the order in which they are stored, four bytes each; what is added comes last."""

# Limits (CA-3). Gains: 10 % to either side of nominal. Offset: 0.5 % of rated current times nominal voltage, which is
# the same number for every model, as counts per Wh go the other way: 60 W * 32,000 / 3600 counts per s, 23.432 power
# LSB each, 2^-9 of them a unit (DS p.25, p.35).
GAIN_PERCENT = 10
OFFSET_MOST = 6_398_449
PHASE_HZ = 895_000  # a unit of the phase register is one period of this, DS p.34
_DELAY_DEGREES = 4
_ADVANCE_DEGREES = 1
_ADVANCE = 0x200  # bit 9 of the phase register
PHCAL_BITS = 0x3FF
# Which way a chip is, learnt by its calibration and kept above the register's own bits:
PHCAL_REVERSED = 0x400  # it delays the current where bit 9 is set
VAR_REVERSED = 0x800  # its reactive energy is negative where the current lags

_HEAD = "<3i"  # format, how often calibrated, date
_HEAD_BYTES = 12
_FORMAT = 1
_ITEMS_IN = {_FORMAT: len(ITEMS)}  # by format, older ones included: the first so many of ITEMS are stored


class Calibration:
    """Register values of one line, all as the chip takes them (data sheet p.34-35).

    `wgain` `vgain` `igain`: times 0x400000. `phcal`: sign and magnitude, 1.117 us per unit, bit 9 = advance;
    above it, which way the chip was found to be.
    `wattos`: signed, 2^-9 power LSB. A new one is nominal.
    """

    def __init__(self) -> None:
        self.wgain = WGAIN_NOMINAL
        self.phcal = 0
        self.wattos = 0
        self.vgain = WGAIN_UNITY
        self.igain = WGAIN_UNITY

    def take(self, other: "Calibration") -> None:
        """Become equal to `other`. Allocates nothing."""
        self.wgain = other.wgain
        self.phcal = other.phcal
        self.wattos = other.wattos
        self.vgain = other.vgain
        self.igain = other.igain

    def equals(self, other: "Calibration") -> bool:
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
    """The phase register for a signed number of steps, on a chip of these ways (`ways_of` another value for it)."""
    if ways & PHCAL_REVERSED:
        steps = -steps
    return (steps if steps >= 0 else _ADVANCE | -steps) | ways


def ways_of(register: int) -> int:
    """Which way the chip is: PHCAL_REVERSED, VAR_REVERSED."""
    return register & (PHCAL_REVERSED | VAR_REVERSED)


def phase_limits(hz: int) -> "tuple[int, int]":
    """Least and most steps that are allowed at a line frequency of `hz`: -1 to +4 degrees."""
    return -(_ADVANCE_DEGREES * PHASE_HZ // (360 * hz)), _DELAY_DEGREES * PHASE_HZ // (360 * hz)


def check(line: Calibration, hz: int) -> None:
    """ValueError, naming what is allowed, for a calibration that is not plausible (CA-3)."""
    low, high = phase_limits(hz)
    _within("wgain", line.wgain, WGAIN_NOMINAL)
    _within("vgain", line.vgain, WGAIN_UNITY)
    _within("igain", line.igain, WGAIN_UNITY)
    if not low <= phase_steps(line.phcal) <= high:
        raise ValueError("phase %d steps: allowed %d to %d (-1 to +4 degrees)" % (phase_steps(line.phcal), low, high))
    if not -OFFSET_MOST <= line.wattos <= OFFSET_MOST:
        raise ValueError("offset %d: allowed +-%d (0.5 %% of class)" % (line.wattos, OFFSET_MOST))


def _within(name: str, value: int, nominal: int) -> None:
    margin = nominal // 100 * GAIN_PERCENT
    if not nominal - margin <= value <= nominal + margin:
        raise ValueError("%s %d: allowed %d to %d (+-10 %%)" % (name, value, nominal - margin, nominal + margin))


def pack(lines: "tuple[Calibration, ...]", count: int, date: int) -> bytes:
    """Both lines for the vault, with how often the meter has been calibrated and the date YYMMDD as a number."""
    buf = bytearray(_HEAD_BYTES + 4 * len(ITEMS) * len(lines))
    pack_into(_HEAD, buf, 0, _FORMAT, count, date)
    at = _HEAD_BYTES
    for line in lines:
        for name in ITEMS:
            pack_into("<i", buf, at, getattr(line, name))
            at += 4
    return bytes(buf)


def unpack(data: bytes, lines: "tuple[Calibration, ...]", hz: int) -> "tuple[int, int]":
    """Set `lines` from the vault's data; returns count and date. What an older format lacks is nominal.

    ValueError, and `lines` as they were, where it is not what `pack` gives, or not plausible.
    """
    if len(data) < _HEAD_BYTES:
        raise ValueError("calibration: %d bytes" % len(data))
    form, count, date = unpack_from(_HEAD, data, 0)
    items = _ITEMS_IN.get(form, 0)
    if not items or len(data) != _HEAD_BYTES + 4 * items * len(lines):
        raise ValueError("calibration: format %d, %d bytes" % (form, len(data)))
    found = []
    at = _HEAD_BYTES
    for _ in lines:
        line = Calibration()
        for name in ITEMS[:items]:
            setattr(line, name, unpack_from("<i", data, at)[0])
            at += 4
        check(line, hz)
        found.append(line)
    for n in range(len(lines)):
        lines[n].take(found[n])
    return count, date
