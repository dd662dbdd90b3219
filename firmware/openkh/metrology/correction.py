"""Corrections of one line in software: the board's temperature and the current transformer's curve (CA-1a).

They act on the counts of a measuring cycle, between the front end and the register:

    corrected = active + (active * gain + reactive * phase + remainder) / 2^20

in integers. What the division leaves is carried to the next cycle, so that however a load is sliced into cycles the sum
is the same, to the count. `gain` and `phase` follow the measured current and the temperature; they are coefficients,
rounded to 2^-20 (1 ppm). A CT whose secondary is (1 + r) times too large and leads by d makes active P and reactive Q
read p = (1 + r) (P cos d + Q sin d) and q = (1 + r) (Q cos d - P sin d), so that P = (p cos d - q sin d) / (1 + r).

Pure: counts, mA and 0.01 degC in, counts out; nothing takes heap but `prepare`. All products stay below 2^30: counts
are 24 bits and are multiplied in halves of 12 bits, unless they are few; coefficients are at most 17 bits. A CT's lead
drifts with the copper of its winding; that is taken as the same at every current.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from openkh.model import Model

    class Counts(Protocol):
        """What is corrected: a front end's counts of this cycle (metrology/element.py)."""

        active: int
        reactive: int
        fresh: bool
        i_ma: int

    class Wanted(Protocol):
        """What is known of a line (calibration.py)."""

        tempco: int
        lead_tempco: int
        reference: int
        curve: tuple[tuple[int, int, int], ...]

    Segments = tuple[tuple[int, int, int, int, int, int], ...]

UNITY_BITS = 20
UNITY = 1 << UNITY_BITS

# Limits (CA-1a), in the units in which they are kept.
TEMPCO_MOST = 15_000  # 0.01 ppm/K: +-150 ppm/K
LEAD_TEMPCO_MOST = 1_000  # 0.001 minutes/K: +-1 minute/K
RATIO_MOST = 20_000  # ppm: +-2 %
LEAD_MOST = 18_000  # 0.01 minutes: +-3 degrees
POINTS_MOST = 4
CURRENT_MOST = 12_000  # 0.01 % of the CT's rating
NO_REFERENCE = -32_768  # no temperature is known

_FEW_BITS = 14
_FEW = 1 << _FEW_BITS  # counts of a cycle, 140 % of full load; up to here they are multiplied whole,
_SMALL = 31_000  # where gain and phase are below this, 2.9 % or 100 minutes, both times 2^14 below 2^30

_PRODUCT_PER_UNIT = 9537  # 1e10 / 2^20: 0.01 ppm/K times 0.01 K to 2^-20
_WARMER_MOST = 10_000  # 100 K: what is beyond is no board's temperature
_FAR = 1 << 29
_MICRORADIANS = 29_089  # of 100 minutes, times 10
_LEAD_PER_UNIT = 328  # 0.001 minutes/K times 0.01 K to 2^-20 rad


def _coefficients(ratio_ppm: int, lead: int) -> "tuple[int, int]":
    """`gain` and `phase` that undo a ratio error and a lead of 0.01 minutes: cos d / (1 + r) - 1 and -sin d / (1 + r).

    The series of cos and sin are good to 0.3 ppm at 3 degrees.
    """
    unit = 1_000_000_000
    d = lead * _MICRORADIANS // 10  # 1e-9 rad
    square = d * d // unit
    cosine = unit - square // 2 + square * square // (24 * unit)
    sine = d - d * square // (6 * unit)
    whole = 1_000_000 + ratio_ppm
    gain = (cosine * 1_000_000 * UNITY // whole // (unit // 2) + 1) // 2 - UNITY
    phase = (-sine * 1_000_000 * UNITY // whole // (unit // 2) + 1) // 2
    return gain, phase


def prepare(wanted: "Wanted", model: "Model") -> "Segments":
    """The curve as segments of current for `Correction.take`: (from, gain, phase, gain's rise, phase's rise, span) with
    currents in units of 16 mA (32 mA at 200 A). Below the first current and above the last it stays as it is there. The
    last row is the end: (a current never reached, largest gain or phase of all).

    At the prompt or at the start, not in the cycle: may take heap.
    """
    segments: list[tuple[int, int, int, int, int, int]] = []
    shift = shift_of(model)
    before = (0, 0, 0)
    largest = 0
    for at, ratio_ppm, lead in wanted.curve:
        x = at * model.rating_a // 10 >> shift  # 0.01 % of the rating, mA
        gain, phase = _coefficients(ratio_ppm, lead)
        if not segments:
            segments.append((0, gain, phase, 0, 0, 1))
        else:
            x = max(x, before[0] + 1)
            segments.append(before + (gain - before[1], phase - before[2], x - before[0]))
        before = (x, gain, phase)
        largest = max(largest, abs(gain), abs(phase))
    segments.append(before + (0, 0, 1))
    segments.append((_FAR, largest, 0, 0, 0, 1))
    return tuple(segments)


def shift_of(model: "Model") -> int:
    """Binary digits of a current in mA that the curve does not look at."""
    return 4 if model.rating_a == 100 else 5


class Correction:
    """A line's corrections at work. `follow` when a new current was measured, `warm` when a temperature was, `correct`
    in every cycle.

    `in_force`  there is something to correct
    `gain` `phase`  the coefficients at present, 2^-20
    `extra`     counts that this cycle's correction added to what the chip gave
    `warm_gain` the temperature's part of `gain`, 2^-20
    `total`     their sum since the start, modulo 2^24 like the chip's own register
    """

    def __init__(self, model: "Model", wanted: "Wanted") -> None:
        self._shift = shift_of(model)
        self._start_ma = model.start_ma
        self.gain = 0
        self.phase = 0
        self.warm_gain = 0
        self._warm_phase = 0  # the temperature's part of `phase`
        self._rest = UNITY >> 1  # half: cut off, it rounds. Less than a count is lost in a restart
        self._rest_before = 0
        self._begun = False
        self._few_bits = 0  # what to cut off a sum to see whether counts are few; 0: all are multiplied in halves
        self._n = 0
        self.extra = 0
        self.total = 0
        self.centi: int | None = None  # temperature, 0.01 degC; None: not known
        self.take(wanted, prepare(wanted, model))

    def take(self, wanted: "Wanted", segments: "Segments") -> None:
        """Put `wanted`, with what `prepare` made of it, into force; between two cycles. Allocates nothing."""
        self._segments = segments
        self._n = 0
        self._tempco = wanted.tempco
        self._lead_tempco = wanted.lead_tempco
        self._reference = wanted.reference
        self.in_force = len(segments) > 2 or wanted.tempco != 0 or wanted.lead_tempco != 0
        self.gain = self.phase = 0
        self._largest = segments[-1][1]
        self.warm(self.centi)

    def warm(self, centi: "int | None") -> None:
        """The board's temperature in 0.01 degC as its sensor reads it; None: not known, nothing is corrected for it.

        What reads k dT too high is divided by 1 + k dT; what leads by more when warmer is turned back by that.
        """
        self.centi = centi
        x = 0
        if centi is not None and self._reference != NO_REFERENCE:
            x = max(-_WARMER_MOST, min(_WARMER_MOST, centi - self._reference))
        self._warm_phase = -x * self._lead_tempco // _LEAD_PER_UNIT
        x = x * self._tempco // _PRODUCT_PER_UNIT
        self.warm_gain = (x * x >> UNITY_BITS) - x
        self._sized()

    def _sized(self) -> None:
        """Whether few counts may be multiplied whole: gain and phase stay within the curve's and the temperature's."""
        largest = self._largest + max(abs(self.warm_gain), abs(self._warm_phase))
        self._few_bits = _FEW_BITS + 1 if largest < _SMALL and self._begun else 0

    def follow(self, i_ma: int) -> None:
        """The coefficients at a measured current.

        Below the starting current the reactive counts are left out: they are not gated, and nothing may creep (EN-5).
        """
        x = i_ma >> self._shift
        n = self._n
        segments = self._segments
        while x < segments[n][0]:
            n -= 1
        while x >= segments[n + 1][0]:
            n += 1
        self._n = n
        here = segments[n]
        x -= here[0]
        gain = here[1] + x * here[3] // here[5]
        self.gain = gain + self.warm_gain + (gain * self.warm_gain >> UNITY_BITS)
        if i_ma < self._start_ma:
            self.phase = 0
            return
        gain = here[2] + x * here[4] // here[5]
        self.phase = gain + (gain * self.warm_gain >> UNITY_BITS) + self._warm_phase

    def correct(self, element: "Counts") -> None:
        """Correct `element.active` where it was measured in this cycle. Allocates nothing."""
        if not element.fresh:
            self.extra = 0
            return
        a = element.active
        q = element.reactive
        rest = self._rest
        self._rest_before = rest
        if (a + _FEW | q + _FEW) >> self._few_bits:
            self._correct_many(element)
            return
        low = a * self.gain + q * self.phase + rest
        self._rest = low & 0xFFFFF
        low >>= 20
        self.extra = low
        self.total = self.total + low & 0xFFFFFF
        element.active = a + low

    def _correct_many(self, element: "Counts") -> None:
        """The same for counts of any size, in halves, and for the first reading."""
        a = element.active
        q = element.reactive
        if not self._begun:
            self._begun = True
            self._sized()
            q = 0  # of the first reading's reactive counts it is not known when they began
        gain = self.gain
        phase = self.phase
        low = (a & 4095) * gain + (q & 4095) * phase + self._rest
        q = (a >> 12) * gain + (q >> 12) * phase
        low += (q & 255) << 12
        self._rest = low & 0xFFFFF
        q = (q >> 8) + (low >> 20)
        self.extra = q
        self.total = self.total + q & 0xFFFFFF
        element.active = a + q

    def undo(self) -> None:
        """The cycle was given up before its commit: what it took is booked by the next one."""
        self._rest = self._rest_before
        self.total = self.total - self.extra & 0xFFFFFF
        self.extra = 0
