"""Corrections of one line in software: the board's temperature and the current transformer's curve (CA-1a).

They act on the counts of a measuring cycle, between the front end and the register:

    corrected = active + (active * gain + reactive * phase + remainder) / 2^20

in integers. The remainder of the division is carried to the next cycle, so that the sum is the same to the count
however a load is divided into cycles. `gain` and `phase` are coefficients that follow the measured current and the
temperature, rounded to 2^-20 (1 ppm). With a CT whose secondary current is (1 + r) times too large and leads by d,
active P and reactive Q read p = (1 + r) (P cos d + Q sin d) and q = (1 + r) (Q cos d - P sin d); so P = (p cos d - q
sin d) / (1 + r).

This is pure logic: counts, mA and 0.01 degC in, counts out, and only `prepare` takes heap. All products stay below
2^30: counts have 24 bits and are multiplied in halves of 12 bits; coefficients have at most 17 bits. A CT's lead drifts
with the copper of its winding; this drift is taken to be the same at every current.
"""

from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from openkh.model import Model

    class Wanted(Protocol):
        """The corrections of a line, in the units of calibration.py."""

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

# What `corrected` needs of a line, and keeps of it: places in `Correction.terms`, where nothing but EXTRA is negative.
GAIN = 0  # the coefficients at present, in 2^-20, and ZERO more
PHASE = 1
REST = 2  # the remainder; it begins with a half, so that the sum is rounded and not cut off
REST_BEFORE = 3  # the remainder before this cycle
EXTRA = 4  # the counts that this cycle's correction has added to those of the chip
TOTAL = 5  # the sum of these since the start, modulo 2^24 like the chip's own register
BEGUN = 6  # 1 when there were reactive counts before, else 0
ZERO = 1 << 17

_PRODUCT_PER_UNIT = 9537  # 1e10 / 2^20: 0.01 ppm/K times 0.01 K to 2^-20
_WARMER_MOST = 10_000  # 100 K; no board is warmer or colder by more
_FAR = 1 << 29  # a current that is never reached
_NEW = -1  # the coefficients have to be worked out anew, whatever the current
_MICRORADIANS = 29_089  # ten times 0.01 minutes, in 1e-9 rad
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
    """The curve as `Correction.take` needs it, in segments of current. A segment is (its first current, gain and phase
    there, their rise over the segment, its length), with currents in units of 16 mA (32 mA at 200 A). Below the first
    point and above the last one the errors stay as they are there. The last row begins at _FAR.

    Called at the prompt or at the start and not in the cycle, because it takes heap.
    """
    segments: list[tuple[int, int, int, int, int, int]] = []
    shift = shift_of(model)
    before = (0, 0, 0)
    for at, ratio_ppm, lead in wanted.curve:
        x = at * model.rating_a // 10 >> shift  # 0.01 % of the rating, mA
        gain, phase = _coefficients(ratio_ppm, lead)
        if not segments:
            segments.append((0, gain, phase, 0, 0, 1))
        else:
            x = max(x, before[0] + 1)
            segments.append(before + (gain - before[1], phase - before[2], x - before[0]))
        before = (x, gain, phase)
    segments.append(before + (0, 0, 1))
    segments.append((_FAR, 0, 0, 0, 0, 1))
    return tuple(segments)


def shift_of(model: "Model") -> int:
    """How many of the lowest bits of a current in mA the curve leaves out."""
    return 4 if model.rating_a == 100 else 5


def corrected(terms: "array[int]", active: int, reactive: int) -> int:
    """The `active` counts of a cycle, corrected with its `reactive` counts; both +-2^24. Takes no heap.

    On the RP2040 this is machine code with numbers of 32 bits (scripts/host/flash/machine_code.py). It knows no
    negative number in an array: so ZERO is added to the coefficients there.
    """
    gain = terms[GAIN] - ZERO
    phase = terms[PHASE] - ZERO
    if reactive:
        reactive = reactive * terms[BEGUN]  # it is not known since when the first of them were counted
        terms[BEGUN] = 1
    terms[REST_BEFORE] = terms[REST]
    low = (active & 4095) * gain + (reactive & 4095) * phase + terms[REST]
    high = (active >> 12) * gain + (reactive >> 12) * phase
    low += (high & 255) << 12
    terms[REST] = low & 0xFFFFF
    extra = (high >> 8) + (low >> 20)
    terms[EXTRA] = extra
    terms[TOTAL] = terms[TOTAL] + extra & 0xFFFFFF
    return active + extra


class Correction:
    """The corrections of one line. Call `follow` with a newly measured current, `warm` with a temperature, and in every
    cycle `corrected` with its `terms`.

    `in_force`   whether there is something to correct
    `terms`      coefficients, remainder and sums, at the places named above
    `warm_gain`  the temperature's part of the gain, in 2^-20
    """

    def __init__(self, model: "Model", wanted: "Wanted") -> None:
        self._shift = shift_of(model)
        self._start = -(-model.start_ma >> self._shift)  # the starting current, in units of the curve
        self.terms = array("i", (ZERO, ZERO, UNITY >> 1, 0, 0, 0, 0))
        self.warm_gain = 0
        self._warm_phase = 0  # the temperature's part of the phase
        self._at = _NEW  # the last current, in units of the curve,
        self._n = 0  # and its segment
        self.centi: int | None = None  # the temperature in 0.01 degC; None: it is not known
        self.take(wanted, prepare(wanted, model))

    def take(self, wanted: "Wanted", segments: "Segments") -> None:
        """Put `wanted` into force, of which `prepare` has made `segments`. Called between two cycles; takes no heap."""
        self._segments = segments
        self._n = 0
        self._tempco = wanted.tempco
        self._lead_tempco = wanted.lead_tempco
        self._reference = wanted.reference
        self.in_force = len(segments) > 2 or wanted.tempco != 0 or wanted.lead_tempco != 0
        self.terms[GAIN] = self.terms[PHASE] = ZERO
        self.warm(self.centi)

    def warm(self, centi: "int | None") -> None:
        """Take the board's temperature, in 0.01 degC as its sensor reads it. None: it is not known, and nothing is
        corrected for it.

        A line that reads k dT too high is divided by 1 + k dT, and what the lead is larger when warmer is taken off.
        """
        self.centi = centi
        self._at = _NEW
        x = 0
        if centi is not None and self._reference != NO_REFERENCE:
            x = max(-_WARMER_MOST, min(_WARMER_MOST, centi - self._reference))
        self._warm_phase = -x * self._lead_tempco // _LEAD_PER_UNIT
        x = x * self._tempco // _PRODUCT_PER_UNIT
        self.warm_gain = (x * x >> UNITY_BITS) - x

    def follow(self, i_ma: int) -> None:
        """Take the coefficients for a measured current.

        Below the starting current the reactive counts are left out, because they have no no-load level and would make
        the meter creep (EN-5).
        """
        x = i_ma >> self._shift
        if x == self._at:
            return  # most often, as a load is steady
        self._at = x
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
        self.terms[GAIN] = gain + self.warm_gain + (gain * self.warm_gain >> UNITY_BITS) + ZERO
        if self._at < self._start:
            self.terms[PHASE] = ZERO
            return
        gain = here[2] + x * here[4] // here[5]
        self.terms[PHASE] = gain + (gain * self.warm_gain >> UNITY_BITS) + self._warm_phase + ZERO

    def undo(self) -> None:
        """Take this cycle's correction back: the cycle was given up before its commit, and the next one books it
        all."""
        terms = self.terms
        terms[REST] = terms[REST_BEFORE]
        terms[TOTAL] = terms[TOTAL] - terms[EXTRA] & 0xFFFFFF
        terms[EXTRA] = 0
