"""What is done with the front ends ahead of the memory, which they start beside."""

import pytest

from boards.virtual.board import Board

_board = Board(1)
_board.install()
try:
    from openkh.startup import front_ends
finally:
    _board.uninstall()

OWN = ((0, 18, 19, 16, 17, 20, 21), (1, 10, 11, 12, 13, 14, 15))  # each on a bus of its own
ONE_BUS = ((0, 18, 19, 16, 17, 20, 21), (0, 18, 19, 16, 13, 14, 15))


class Chip:
    def __init__(self):
        self.begun = 0

    def begin(self):
        self.begun += 1


@pytest.mark.parametrize(("wires", "number", "begun"), [(OWN, 2, 1), (ONE_BUS, 2, 0), (ONE_BUS, 1, 1)])
def test_field_bug_8_nothing_is_begun_on_a_shared_bus_before_all_are_locked(monkeypatch, wires, number, begun):
    monkeypatch.setattr(front_ends.board, "FRONT_ENDS", wires)
    chips = tuple(Chip() for _ in range(number))
    front_ends.begin(chips)
    assert [chip.begun for chip in chips] == [begun] * number
    assert front_ends.shared(number) == (begun == 0)
