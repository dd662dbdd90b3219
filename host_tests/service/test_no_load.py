"""Wanted before a large offset is stored: a measuring window without current that counted nothing (EN-5, CA-3)."""

from types import SimpleNamespace

import pytest

from boards.virtual.board import Board
from openkh.model import Model

_board = Board(1)
_board.install()
try:
    from openkh.service import no_load
    from openkh.service.refused import RefusedError
finally:
    _board.uninstall()


def meter(**parts):
    return SimpleNamespace(model=Model("MDNCT-1SC", "60Hz"), **parts)


def test_EN_5_a_large_offset_is_stored_after_a_window_that_counted_nothing(monkeypatch):
    most = no_load.half_level(meter())
    for wattos, stored_wattos, window, refused in (
        (most, 0, False, False),
        (-most, 0, False, False),
        (most + 1, 0, False, True),
        (-most - 1, 0, False, True),
        (most + 1, most + 1, False, False),
        (most + 1, 0, True, False),
    ):
        line = SimpleNamespace(wgain=1, wattos=wattos, vgain=2, igain=3)
        stored = SimpleNamespace(lines=[SimpleNamespace(wattos=stored_wattos)] * 2)
        of = meter(calibration=[line, line], stored=stored)
        monkeypatch.setattr(no_load, "_creep_free", ["1 %d 2 3" % wattos if window else ""] * 2)
        if refused:
            with pytest.raises(RefusedError, match="line 1: offset .* without current, that counts nothing"):
                no_load.check_after(of)
        else:
            no_load.check_after(of)
