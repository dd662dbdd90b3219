"""Corrections of a line in software: exact, bounded, none unless given (CA-1a, EN-2, EN-5)."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openkh.metrology import correction
from openkh.metrology.correction import BEGUN, EXTRA, GAIN, PHASE, REST, TOTAL, ZERO, Correction, corrected, prepare
from openkh.model import Model

MODEL = Model("MDNCT-1SC", "60Hz")
WIDE = Model("MDNCT-2SC", "60Hz")
UNITY = 1 << 20
MOST = 1 << 30  # of an integer that takes no heap on the RP2040
FULL_SCALE = 21_000  # counts of a measuring cycle


@dataclass
class Wanted:
    """What calibration.py keeps of a line. `curve`: 0.01 % of the rating, ppm, 0.01 minutes."""

    tempco: int = 0
    reference: int = 2300
    curve: tuple[tuple[int, int, int], ...] = ()
    lead_tempco: int = 0


@dataclass
class Line:
    """A correction and what goes through it."""

    wanted: Wanted
    model: Model = MODEL

    def __post_init__(self) -> None:
        self.correction = Correction(self.model, self.wanted)
        self.book(0, 1)  # the first reactive counts are left out

    def book(self, active: int, reactive: int = 0) -> int:
        """One cycle; the counts that it books."""
        return corrected(self.correction.terms, active, reactive)

    def at(self, amps: float, centi: int | None = None) -> "Line":
        if centi is not None:
            self.correction.warm(centi)
        self.correction.follow(round(amps * 1000))
        return self

    @property
    def coefficients(self) -> tuple[int, int]:
        return self.correction.terms[GAIN] - ZERO, self.correction.terms[PHASE] - ZERO


CURVES = st.lists(
    st.tuples(
        st.integers(1, correction.CURRENT_MOST),
        st.integers(-correction.RATIO_MOST, correction.RATIO_MOST),
        st.integers(-correction.LEAD_MOST, correction.LEAD_MOST),
    ),
    max_size=4,
    unique_by=lambda point: point[0],
).map(lambda points: tuple(sorted(points)))
WANTED = st.builds(
    Wanted,
    st.integers(-correction.TEMPCO_MOST, correction.TEMPCO_MOST),
    st.integers(-1000, 4000),
    CURVES,
    st.integers(-correction.LEAD_TEMPCO_MOST, correction.LEAD_TEMPCO_MOST),
)
FEW = 1 << 14
COUNTS = st.one_of(st.integers(-(1 << 23), 1 << 23), st.integers(-FEW, FEW))
CYCLES = st.lists(st.tuples(COUNTS, COUNTS), max_size=30)


@given(WANTED, st.floats(0.0, 130.0), st.integers(-4500, 12_500), CYCLES)
def test_CA_1a_any_slicing_of_any_load_gives_the_exact_sum(wanted, amps, centi, cycles):
    """The sum booked is the exact rational sum, cut off once, not once a cycle."""
    line = Line(wanted).at(amps, centi)
    gain, phase = line.coefficients
    booked = sum(line.book(active, reactive) for active, reactive in cycles)
    active, reactive = (sum(column) for column in zip(*cycles, strict=True)) if cycles else (0, 0)
    exact = active + Fraction(active * gain + reactive * phase, UNITY)
    assert booked == math.floor(exact + Fraction(1, 2))
    other = Line(wanted).at(amps, centi)
    if abs(active) < 1 << 24 > abs(reactive):
        assert other.book(active, reactive) == booked


@given(WANTED, st.lists(st.tuples(st.floats(0.0, 130.0), st.integers(-4500, 12_500), COUNTS, COUNTS), max_size=30))
def test_CA_1a_the_sum_is_exact_while_current_and_temperature_change(wanted, cycles):
    line = Line(wanted)
    exact = Fraction(1, 2)
    booked = 0
    for amps, centi, active, reactive in cycles:
        gain, phase = line.at(amps, centi).coefficients
        exact += active + Fraction(active * gain + reactive * phase, UNITY)
        now = line.book(active, reactive)
        booked += now
        assert booked == math.floor(exact)
        assert line.correction.terms[EXTRA] == now - active
        assert min(line.correction.terms[place] for place in (GAIN, PHASE, REST, TOTAL, BEGUN)) >= 0  # machine code
    given_by_chip = sum(cycle[2] for cycle in cycles)
    assert line.correction.terms[TOTAL] == (booked - given_by_chip) % (1 << 24)


class Small(int):
    """An integer that may not leave +-2^30, and neither may what is computed with it."""

    def _checked(self, value: Any) -> Any:
        assert value is NotImplemented or -MOST <= value < MOST, value
        return value if value is NotImplemented else Small(value)


LEFT = ("add", "sub", "mul", "floordiv", "rshift", "lshift", "and", "or", "neg")
for name in (*LEFT, "radd", "rsub", "rmul", "rand", "ror"):
    method = getattr(int, f"__{name}__")
    setattr(Small, f"__{name}__", lambda self, *other, method=method: self._checked(method(self, *other)))


@given(WANTED, st.integers(0, 400_000), st.integers(-10_000, 20_000), st.sampled_from([MODEL, WIDE]))
def test_every_step_in_the_cycle_stays_below_2_to_the_30(wanted, i_ma, centi, model):
    """DR-3, at the limits of all coefficients and for the largest counts that a front end can give."""
    line = Line(wanted, model)
    line.correction._tempco = Small(wanted.tempco)
    line.correction._lead_tempco = Small(wanted.lead_tempco)
    line.correction._reference = Small(wanted.reference)
    line.correction._segments = tuple(tuple(Small(x) for x in row) for row in line.correction._segments)
    line.correction.terms = [Small(term) for term in line.correction.terms]
    line.correction.warm(Small(centi))
    line.correction.follow(Small(i_ma))
    for active in (-(1 << 24), (1 << 24) - 1, 0, -FEW, FEW - 1):
        for reactive in (-(1 << 24), (1 << 24) - 1, -FEW, FEW - 1):
            line.book(Small(active), Small(reactive))


@pytest.mark.parametrize("lead", [-18_000, -1_000, 0, 500, 2_500, 18_000])
@pytest.mark.parametrize("ratio_ppm", [-20_000, -3_000, 0, 20_000])
@pytest.mark.parametrize("degrees", [0.0, 60.0, -30.0, 180.0, -120.0])
def test_CA_1a_what_a_transformer_does_is_undone(lead, ratio_ppm, degrees):
    """A ratio error and a lead, at any angle, either direction of energy: what is left is below 2 ppm of VA."""
    line = Line(Wanted(curve=((1_000, ratio_ppm, lead),))).at(10.0)
    va = 10_000_000
    angle, d = math.radians(degrees), math.radians(lead / 6000)
    p, q = va * math.cos(angle), va * math.sin(angle)
    ratio = 1 + ratio_ppm / 1e6
    read_p = ratio * (p * math.cos(d) + q * math.sin(d))
    read_q = ratio * (q * math.cos(d) - p * math.sin(d))
    assert line.book(round(read_p), round(read_q)) == pytest.approx(p, abs=20)


def test_CA_1a_the_temperature_s_part_is_undone():
    line = Line(Wanted(tempco=-11_734, reference=2312))
    for centi in (-2000, 2312, 5000):
        read = 10_000_000 * (1 - 117.34e-6 * (centi - 2312) / 100)
        assert line.at(10.0, centi).book(round(read)) == pytest.approx(10_000_000, abs=20)


def test_CA_1a_all_together_are_undone():
    line = Line(Wanted(10_000, 2300, ((1_000, -5_000, 6_000),), lead_tempco=-100)).at(10.0, -2000)
    d = math.radians((60 + 0.1 * 43) / 60)
    warm = 1 - 100e-6 * 43
    p, q = 5_000_000, 8_660_254
    read_p = 0.995 * warm * (p * math.cos(d) + q * math.sin(d))
    read_q = 0.995 * warm * (q * math.cos(d) - p * math.sin(d))
    assert line.book(round(read_p), round(read_q)) == pytest.approx(
        p, rel=60e-6
    )  # the product of the two leads is left out


@pytest.mark.parametrize("model", [MODEL, WIDE], ids=lambda model: model.code)
def test_CA_1a_between_two_currents_the_curve_is_a_line(model):
    line = Line(Wanted(curve=((200, -3_000, 1_500), (1_000, -1_000, 700), (7_500, 0, 0))), model)
    gains = [line.at(percent * model.rating_a / 100).coefficients for percent in (0.04, 1, 2, 6, 10, 42.5, 75, 110)]
    assert gains[0] == (gains[1][0], 0)  # below the starting current the reactive counts are left out
    assert gains[1] == gains[2]  # below the first point as there
    assert gains[6] == gains[7] == (0, 0)
    for k in range(2):
        assert gains[3][k] == pytest.approx((gains[2][k] + gains[4][k]) / 2, abs=12)
        assert gains[5][k] == pytest.approx(gains[4][k] / 2, abs=12)


def test_EN_5_nothing_creeps():
    """No current: active energy is gated by the chip, reactive energy is not, and may be noise."""
    line = Line(Wanted(tempco=15_000, curve=((100, -20_000, 18_000),)))
    line.at(0.026, -2000)  # the highest rms that a chip shows without a current
    assert sum(line.book(0, 100 if n % 3 else -30) for n in range(10_000)) == 0


def test_EN_5_at_the_starting_current_every_count_is_kept():
    line = Line(Wanted(curve=((100, -3_000, 0),))).at(0.05)
    assert sum(line.book(n % 4 == 0) for n in range(40_000)) == round(10_000 / 0.997)


def test_EN_2_what_was_not_measured_changes_nothing():
    line = Line(Wanted(curve=((100, -3_000, 1_000),))).at(10.0)
    line.book(12_345, 678)
    terms = line.correction.terms
    before = (terms[REST], terms[TOTAL])
    assert line.book(0) == 0
    assert (terms[EXTRA], terms[REST], terms[TOTAL]) == (0, *before)
    line.correction.undo()  # a cycle that had no counts was given up
    assert (terms[REST], terms[TOTAL]) == before


def test_EN_2_a_cycle_that_was_given_up_is_corrected_once():
    cycles = [(9_000 + n, 17 * n) for n in range(1000)]
    one, other = (Line(Wanted(curve=((100, -3_000, 1_000),))).at(10.0) for _ in range(2))
    booked = 0
    for n, (active, reactive) in enumerate(cycles):
        if n % 7 == 0:
            other.book(active, reactive)
            other.correction.undo()
            assert other.correction.terms[EXTRA] == 0
        booked += other.book(active, reactive)
    assert booked == sum(one.book(*cycle) for cycle in cycles)
    assert other.correction.terms[TOTAL] == one.correction.terms[TOTAL]


def test_EN_2_the_first_reading_s_reactive_counts_are_of_an_unknown_span():
    found = Correction(MODEL, Wanted(curve=((100, 0, 18_000),)))
    found.follow(10_000)
    assert corrected(found.terms, 0, 0) == 0  # a cycle without a reading
    assert corrected(found.terms, 0, 4_000_000) == 0
    assert corrected(found.terms, 0, 4_000_000) != 0


def test_CA_1a_none_is_in_force_unless_given():
    line = Line(Wanted())
    assert not line.correction.in_force
    line.at(10.0, -2000)
    assert [line.book(n, -n) for n in (-5000, 0, 1, 20_000)] == [-5000, 0, 1, 20_000]
    assert Line(Wanted(tempco=1)).correction.in_force
    assert Line(Wanted(curve=((100, 0, 0),))).correction.in_force


def test_ID_4a_without_a_temperature_or_a_reference_the_energy_is_not_corrected_for_it():
    line = Line(Wanted(tempco=10_000)).at(10.0, -2000)
    assert line.book(1_000_000) > 1_000_000
    line.correction.warm(None)
    assert line.at(10.0).book(1_000_000) in (1_000_000, 1_000_001)  # the remainder
    none = Line(Wanted(tempco=10_000, reference=correction.NO_REFERENCE)).at(10.0, -2000)
    assert none.book(1_000_000) == 1_000_000


def test_CA_1a_new_ones_come_into_force_between_two_cycles():
    line = Line(Wanted())
    wanted = Wanted(curve=((100, -20_000, 0),))
    line.correction.take(wanted, prepare(wanted, MODEL))
    assert line.correction.in_force
    assert line.at(1.0).book(98_000) == pytest.approx(100_000, abs=1)


def test_CA_1a_currents_close_together_are_no_division_by_zero():
    line = Line(Wanted(curve=((1, 0, 0), (2, 100, 0), (3, 200, 0), (4, 300, 0))), WIDE)
    assert line.at(10.0).coefficients[0] == pytest.approx(-300e-6 * UNITY, abs=2)
