"""What a start tells of damaged calibration and factory data (DX-6, ST-2)."""

from types import SimpleNamespace

import pytest

from boards.virtual.board import Board
from openkh import event_codes

_board = Board(1)
_board.install()
try:
    from openkh.startup import stored_data
finally:
    _board.uninstall()

DAMAGED = event_codes.CALIBRATION_DAMAGED


@pytest.mark.parametrize(
    ("factory", "damaged", "spoilt", "logged", "failure"),
    [
        (False, False, False, [], False),
        (False, True, False, [(DAMAGED, 1)], True),
        (False, False, True, [(DAMAGED, 1)], False),  # there is a good copy
        (True, False, False, [(DAMAGED, 2)], True),
        (True, True, True, [(DAMAGED, 2), (DAMAGED, 1)], True),
    ],
)
def test_DX_6_damage_without_a_good_copy_is_FAIL_03_and_any_damage_is_logged(factory, damaged, spoilt, logged, failure):
    entries, failures = [], []
    stored_data.report_damage(
        SimpleNamespace(damaged=factory),
        SimpleNamespace(damaged=damaged, spoilt=spoilt),
        SimpleNamespace(set_failure=lambda *given: failures.append(given)),
        SimpleNamespace(add=lambda *given: entries.append(given)),
    )
    assert (entries, failures) == (logged, [(3, True)] if failure else [])
