"""Energy accumulation of the simulated ADE7953: exact counts, wrap, modes, no-load, line cycles (DS p.25-31, 40)."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tests.mp.chip_rig import AENERGY, APENERGY, IRQENA, IRQSTATA, RENERGY, RSTIRQSTATA, Rig

ACCMODE, DISNOLOAD, AP_NOLOAD, LINECYC, LCYCMODE = 0x301, 0x001, 0x303, 0x101, 0x004
FULL_RATE = Fraction(4_862_401 * 895_000, 128 * 163_840)  # counts per second at full scale


@pytest.fixture
def rig() -> Rig:
    return Rig()


def full(rig: Rig, part: float = 1.0, var: float = 0.0) -> None:
    rig.chip.drive(1.0, max(abs(part), abs(var)), part, var, 60.0)


# -- exactness ----------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-1000, 1000), st.lists(st.integers(1, 400_000), min_size=1, max_size=4)),
        min_size=1,
        max_size=6,
    )
)
def test_any_slicing_of_any_load_counts_the_same(load: list[tuple[int, list[int]]]) -> None:
    """Counts and the carried remainder follow the exact integral, whenever and how often somebody looks."""
    rig = Rig()
    rig.write(DISNOLOAD, 7)
    exact = Fraction(0)
    for part, spans in load:
        rig.chip.drive(1.0, abs(part) / 1000, part / 1000, 0.0, 60.0)
        code = Fraction(round(part / 1000 * 4_862_401 * 512), 512)
        for us in spans:
            rig.clock.sleep(us)
            exact += code / 4_862_401 * FULL_RATE * us / 1_000_000
            seen = rig.chip.counted_total()
            assert abs(seen - exact) <= 1
            assert rig.read(AENERGY) == seen & 0xFFFFFF | (0xFF000000 if seen >> 23 & 1 else 0)


def test_field_bug_18_register_wraps_and_total_does_not(rig: Rig) -> None:
    """DS p.25-26: 0x7FFFFF goes on to 0x800000; half the range is 40.4 s at full scale."""
    full(rig)
    before = rig.read(0x21E)
    rig.sleep(100)
    assert rig.chip.counted_total() == 100 * FULL_RATE // 1
    assert (rig.read(0x21E) - before) % (1 << 24) == 20_751_232 % (1 << 24)
    full(rig, -1.0)
    rig.sleep(200)
    assert abs(rig.chip.counted_total() + 100 * FULL_RATE) <= 1


def test_rstread_clears_what_was_read_and_keeps_the_remainder(rig: Rig) -> None:
    rig.write(LCYCMODE, 0x40)
    full(rig)
    rig.read(AENERGY)
    total = 0
    for _ in range(997):
        rig.clock.sleep(1003)
        total += rig.read(AENERGY)
    assert total == 997 * 1003 * FULL_RATE / 1_000_000 // 1


def test_without_rstread_a_look_changes_nothing(rig: Rig) -> None:
    full(rig)
    rig.sleep(1)
    assert rig.read(AENERGY) == rig.read(AENERGY) == rig.read(0x21E)


def test_reactive_and_apparent_energy(rig: Rig) -> None:
    full(rig, 0.6, 0.8)
    assert rig.counts_in(1) == 0.6 * FULL_RATE // 1
    assert rig.counts_in(1, RENERGY) == pytest.approx(0.8 * FULL_RATE, abs=1)
    assert rig.counts_in(1, APENERGY) == pytest.approx(0.8 * FULL_RATE, abs=1)
    full(rig, 0.6, -0.8)
    assert rig.counts_in(1, RENERGY) == pytest.approx(-0.8 * FULL_RATE, abs=1)


def test_gain_and_offset_of_active_energy(rig: Rig) -> None:
    """DS p.34-35: AWGAIN / 0x400000, one AWATTOS step is 2^-9 power codes."""
    full(rig, 0.5)
    rig.write(0x382, 0x500000)
    assert rig.counts_in(4) == pytest.approx(4 * 0.5 * 1.25 * FULL_RATE, abs=1)
    rig.write(0x382, 0x400000)
    rig.write(0x389, 100_000)
    offset = Fraction(100_000, 512) / 4_862_401 * FULL_RATE
    assert rig.counts_in(50) == pytest.approx(50 * (0.5 * FULL_RATE + offset), abs=2)
    rig.write(0x389, -100_000 & 0xFFFFFF)
    assert rig.counts_in(50) == pytest.approx(50 * (0.5 * FULL_RATE - offset), abs=2)


# -- half full, overflow ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
def test_half_full_and_overflow_flags_at_their_time(rig: Rig, sign: int) -> None:
    rig.write(IRQENA, 0x100009)
    full(rig, sign * 1.0)
    rig.edges.clear()
    half_us = int((0x400000 * 1_000_000) / FULL_RATE)
    start = rig.clock.now_us
    rig.sleep(30)
    assert rig.edges[0][1] == 0
    assert rig.edges[0][0] - start == pytest.approx(half_us, abs=10)
    assert rig.read(RSTIRQSTATA) & 9 == 1
    rig.sleep(15)
    assert rig.edges[-1][1] == 0
    assert rig.edges[-1][0] - start == pytest.approx(2 * half_us, abs=20)
    assert rig.read(RSTIRQSTATA) & 9 == 8
    assert rig.edges[-1][1] == 1


# -- no-load ------------------------------------------------------------------------------------------------------


def test_no_load_stops_each_quantity_below_its_level(rig: Rig) -> None:
    """DS p.40: default 1 / 10,000 of full scale; the apparent one 1 / 91,750."""
    full(rig, 1.01e-4, 0.99e-4)
    assert rig.counts_in(100) == pytest.approx(1.01e-4 * 100 * FULL_RATE, abs=1)
    assert rig.counts_in(100, RENERGY) == 0
    assert rig.read(ACCMODE) & 0x70000 == 0x40000
    full(rig, 0.99e-4, 1.01e-4)
    assert rig.counts_in(100) == 0
    assert rig.read(ACCMODE) & 0x70000 == 0x10000
    full(rig, -0.99e-4)
    assert rig.counts_in(100) == 0
    rig.chip.drive(0.6, 1e-5, 0.6e-5, 0.0, 60.0)
    assert rig.counts_in(100, APENERGY) == 0
    assert rig.read(ACCMODE) & 0x70000 == 0x70000
    rig.write(DISNOLOAD, 7)
    assert rig.counts_in(1000) == pytest.approx(0.6e-5 * 1000 * FULL_RATE, rel=0.02)
    assert rig.read(ACCMODE) & 0x70000 == 0


def test_no_load_level_changes_only_while_disabled(rig: Rig) -> None:
    full(rig, 0.9e-4)
    rig.write(AP_NOLOAD, 51_250)  # 1 / 20,000
    assert rig.read(AP_NOLOAD) == 51_250
    assert rig.counts_in(10) == 0
    rig.write(DISNOLOAD, 7)
    rig.write(AP_NOLOAD, 51_250)
    rig.write(DISNOLOAD, 0)
    assert rig.counts_in(10) > 0
    full(rig, 0.49e-4)
    assert rig.counts_in(10) == 0


def test_no_load_flag(rig: Rig) -> None:
    full(rig)
    rig.read(RSTIRQSTATA)
    rig.write(IRQENA, 0x100040)
    rig.edges.clear()
    full(rig, 0.0)
    assert rig.edges == [(rig.clock.now_us, 0)]
    assert rig.read(RSTIRQSTATA) >> 6 & 1
    rig.sleep(1)
    assert not rig.read(IRQSTATA) >> 6 & 1


# -- modes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "factor"), [(0, -1), (1, 0), (2, 1)])
def test_active_accumulation_modes_on_reverse_power(rig: Rig, mode: int, factor: int) -> None:
    rig.write(ACCMODE, mode)
    full(rig, -0.5)
    assert rig.counts_in(1) == pytest.approx(factor * 0.5 * FULL_RATE, abs=1)
    assert rig.read(ACCMODE) >> 10 & 1 == (mode == 0)


def test_reactive_and_apparent_modes(rig: Rig) -> None:
    full(rig, -0.6, 0.8)
    rig.write(ACCMODE, 0x10)  # the sign follows active power
    assert rig.counts_in(1, RENERGY) == pytest.approx(-0.8 * FULL_RATE, abs=1)
    rig.write(ACCMODE, 0x20)
    full(rig, -0.6, -0.8)
    assert rig.counts_in(1, RENERGY) == pytest.approx(0.8 * FULL_RATE, abs=1)
    rig.write(ACCMODE, 0x100)  # ampere-hours
    rig.chip.drive(0.3, 0.7, 0.21, 0.0, 60.0)
    assert rig.counts_in(1, APENERGY) == pytest.approx(0.7 * FULL_RATE, abs=1)


def test_sign_change_is_flagged_either_way(rig: Rig) -> None:
    full(rig, 0.5)
    for power in (-0.5, 0.5):
        rig.read(RSTIRQSTATA)
        full(rig, power)
        assert rig.read(IRQSTATA) >> 9 & 1


# -- line cycles --------------------------------------------------------------------------------------------------


def test_field_bug_10_and_11_line_cycle_windows_replace_the_register(rig: Rig) -> None:
    """DS p.26: each window overwrites, whoever missed one has lost it; with RSTREAD a second look gives 0."""
    full(rig)
    rig.clock.sleep(3000 + 2200)  # a crossing is seen 2.2 ms late
    rig.write(LINECYC, 12)
    rig.write(LCYCMODE, 0x41)
    rig.write(IRQENA, 0x140000)
    rig.read(RSTIRQSTATA)
    rig.edges.clear()
    rig.sleep(0.1)
    first = rig.read(AENERGY)
    assert 0 < first < 0.098 * FULL_RATE  # did not begin at a crossing
    assert rig.read(RSTIRQSTATA) >> 18 & 1
    rig.sleep(0.1)
    window = 0.1 * FULL_RATE
    assert rig.read(AENERGY) == pytest.approx(window, abs=2)
    assert rig.read(AENERGY) == 0
    full(rig, 0.5)
    rig.sleep(0.2)
    rig.write(LCYCMODE, 0x01)
    assert rig.read(AENERGY) == rig.read(AENERGY) == pytest.approx(window / 2, abs=2)
    ends = [t for t, level in rig.edges if level == 0]
    assert ends[0] % 100_000 != 0
    assert rig.chip.counted_total() > 3 * window / 2


def test_field_bug_13_a_window_lasts_half_cycles_not_a_fixed_time(rig: Rig) -> None:
    rig.chip.drive(1.0, 1.0, 1.0, 0.0, 49.5)
    rig.write(LINECYC, 10)
    rig.write(LCYCMODE, 0x01)
    rig.sleep(0.5)
    assert rig.read(AENERGY) == pytest.approx(10 / 99 * FULL_RATE, abs=2)


def test_without_voltage_no_window_ends(rig: Rig) -> None:
    rig.chip.drive(0.0, 1.0, 0.0, 0.0, 60.0)
    rig.write(LINECYC, 10)
    rig.write(LCYCMODE, 0x01)
    rig.sleep(2)
    assert not rig.read(IRQSTATA) >> 18 & 1
    full(rig)
    rig.sleep(0.5)
    assert rig.read(IRQSTATA) >> 18 & 1


# -- tables -------------------------------------------------------------------------------------------------------


def test_a_table_is_played_end_to_end_exactly(rig: Rig) -> None:
    rows = [(0.9, 0.5, 0.45 + 0.45 * (-1) ** k, 0.1) for k in range(10)]
    rig.chip.drive_table(833, rows, 60.0)
    start = rig.signed(AENERGY)
    rig.clock.sleep(833)
    ripple = rig.signed(AENERGY) - start
    rig.clock.sleep(833)
    assert ripple == pytest.approx(0.9 * FULL_RATE * 833 / 1e6, abs=1)
    assert rig.signed(AENERGY) - start == ripple  # the second step carries nothing
    rig.sleep(8330 / 1e6 * 1000 - 1666 / 1e6)
    assert rig.signed(AENERGY) - start == pytest.approx(0.45 * FULL_RATE * 8.33, abs=1)


def test_noise_does_not_carry_energy_away() -> None:
    quiet, noisy = Rig(), Rig(noise=True)
    for rig in (quiet, noisy):
        rig.chip.drive(0.6, 0.01, 0.006, 0.0, 60.0)
        for _ in range(200):
            rig.sleep(0.1)
            rig.read(AENERGY)
    assert noisy.read(AENERGY) == pytest.approx(quiet.read(AENERGY), rel=1e-3)
    assert noisy.read(AENERGY) != quiet.read(AENERGY)
    noisy.chip.drive(0.69, 0.0, 0.0, 0.0, 60.0)
    assert noisy.counts_in(3600) == 0
