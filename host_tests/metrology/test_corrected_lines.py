"""The corrections of both lines in the cycle: each follows its own front end's current, in its turn (CA-1a)."""

from types import SimpleNamespace

import pytest

from openkh.metrology.corrected_lines import TURNS, CorrectedLines


class Correction:
    """Notes what it is asked."""

    def __init__(self, in_force=False):
        self.in_force = in_force
        self.asked = []

    def correct(self, element):
        self.asked.append(("correct", element.name))

    def follow(self, i_ma):
        self.asked.append(("follow", i_ma))

    def undo(self):
        self.asked.append(("undo",))

    def warm(self, centi):
        self.asked.append(("warm", centi))


def elements(*currents_ma):
    return [SimpleNamespace(name=f"l{n + 1}", i_ma=ma) for n, ma in enumerate(currents_ma)]


def turns(correction):
    """After how many calls of `correct` each `follow` came."""
    found, calls = [], 0
    for what, *_ in correction.asked:
        calls += what == "correct"
        found += [calls] if what == "follow" else []
    return found


def test_CA_1a_each_line_follows_its_own_current_once_in_four_cycles_and_never_in_the_same():
    one, two = Correction(), Correction()
    lines = CorrectedLines(elements(1_000, 2_000), (one, two))
    for _ in range(3 * TURNS):
        lines.correct()
    assert turns(one) == [TURNS, 2 * TURNS, 3 * TURNS]
    assert turns(two) == [TURNS // 2, TURNS + TURNS // 2, 2 * TURNS + TURNS // 2]
    assert {i for what, i in one.asked if what == "follow"} == {1_000}
    assert {i for what, i in two.asked if what == "follow"} == {2_000}
    assert one.asked.count(("correct", "l1")) == two.asked.count(("correct", "l2")) == 3 * TURNS


def test_CA_1a_a_single_element_meter_has_one_line():
    one = Correction()
    lines = CorrectedLines(elements(1_000), (one,))
    for _ in range(2 * TURNS):
        lines.correct()
    lines.undo()
    lines.warm(2_500)
    assert turns(one) == [TURNS, 2 * TURNS] and one.asked[-2:] == [("undo",), ("warm", 2_500)]


def test_CA_1a_both_lines_are_undone_and_warmed():
    one, two = Correction(), Correction()
    lines = CorrectedLines(elements(1_000, 2_000), (one, two))
    lines.undo()
    lines.warm(None)
    assert one.asked == two.asked == [("undo",), ("warm", None)]


@pytest.mark.parametrize(("first", "second"), [(False, False), (True, False), (False, True), (True, True)])
def test_CA_1a_in_force_where_a_line_s_is(first, second):
    assert CorrectedLines(elements(1, 1), (Correction(first), Correction(second))).in_force == (first or second)
    assert CorrectedLines(elements(1), (Correction(first),)).in_force == first


@pytest.mark.parametrize(("currents", "unknown"), [((1, 1), False), ((0, 1), True), ((1, 0), True), ((5,), False)])
def test_CA_1a_a_current_that_was_not_measured_yet(currents, unknown):
    of = CorrectedLines(elements(*currents), tuple(Correction() for _ in currents))
    assert of.current_unknown() == unknown
