"""The corrections of both lines in the cycle: each follows its own front end's current, in its turn (CA-1a)."""

from types import SimpleNamespace

import pytest

from openkh.metrology.corrected_lines import TURNS, CorrectedLines
from openkh.metrology.correction import EXTRA, GAIN, TOTAL, UNITY, ZERO, Correction
from openkh.model import Model

NONE = SimpleNamespace(tempco=0, lead_tempco=0, reference=0, curve=())


class Noted(Correction):
    """Notes what it is asked; adds a thousandth."""

    def __init__(self, in_force=False):
        self.asked = []
        super().__init__(Model("MDNCT-1SC", "60Hz"), NONE)
        self.in_force = in_force
        self.terms[GAIN] = UNITY // 1000 + ZERO
        self.asked.clear()

    def follow(self, i_ma):
        self.asked.append(("follow", i_ma))

    def undo(self):
        super().undo()
        self.asked.append(("undo",))

    def warm(self, centi):
        self.asked.append(("warm", centi))


def elements(*currents_ma):
    return [SimpleNamespace(i_ma=ma, active=0, reactive=0) for ma in currents_ma]


def turns(lines, correction, count):
    """In which of `count` calls of `correct` each `follow` came."""
    found = []
    for n in range(count):
        before = len(correction.asked)
        lines.correct(n)
        found += [n] * (len(correction.asked) - before)
    return found


def test_CA_1a_each_line_follows_its_own_current_once_in_eight_cycles_and_never_in_the_same():
    one, two = Noted(), Noted()
    lines = CorrectedLines(elements(1_000, 2_000), (one, two))
    assert turns(lines, one, 3 * TURNS) == [TURNS - 1, 2 * TURNS - 1, 3 * TURNS - 1]
    assert turns(lines, two, 3 * TURNS) == [TURNS // 2 - 1, TURNS + TURNS // 2 - 1, 2 * TURNS + TURNS // 2 - 1]
    assert set(one.asked) == {("follow", 1_000)} and set(two.asked) == {("follow", 2_000)}


def test_CA_1a_the_counts_of_each_line_are_corrected_by_its_own_corrections():
    both = elements(1, 1)
    one, two = Noted(), Noted()
    two.terms[GAIN] = -UNITY // 100 + ZERO
    lines = CorrectedLines(both, (one, two))
    lines.correct(1)
    both[0].active, both[1].active = 10_000, 20_000
    lines.correct(1)
    assert (both[0].active, both[1].active) == (10_010, 19_800)
    both[0].active, both[1].active = 5_000, 0
    lines.correct(1)
    assert (both[0].active, both[1].active) == (5_005, 0)
    assert [(line.terms[EXTRA], line.terms[TOTAL]) for line in (one, two)] == [(5, 15), (0, (1 << 24) - 200)]


def test_CA_1a_a_single_element_meter_has_one_line():
    one = Noted()
    lines = CorrectedLines(elements(1_000), (one,))
    assert turns(lines, one, 2 * TURNS) == [TURNS - 1, 2 * TURNS - 1]
    lines.undo()
    lines.warm(2_500)
    assert one.asked[-2:] == [("undo",), ("warm", 2_500)]


def test_CA_1a_both_lines_are_undone_and_warmed():
    one, two = Noted(), Noted()
    lines = CorrectedLines(elements(1_000, 2_000), (one, two))
    lines.undo()
    lines.warm(None)
    assert one.asked == two.asked == [("undo",), ("warm", None)]


@pytest.mark.parametrize(("first", "second"), [(False, False), (True, False), (False, True), (True, True)])
def test_CA_1a_in_force_where_a_line_s_is(first, second):
    assert CorrectedLines(elements(1, 1), (Noted(first), Noted(second))).in_force == (first or second)
    assert CorrectedLines(elements(1), (Noted(first),)).in_force == first


@pytest.mark.parametrize(("currents", "unknown"), [((1, 1), False), ((0, 1), True), ((1, 0), True), ((5,), False)])
def test_CA_1a_a_current_that_was_not_measured_yet(currents, unknown):
    of = CorrectedLines(elements(*currents), tuple(Noted() for _ in currents))
    assert of.current_unknown() == unknown
