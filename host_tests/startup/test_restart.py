"""What a restart was asked for, and how a soft reset is told from a reset of the chip (DR-11)."""

from types import SimpleNamespace

import pytest

from boards.virtual.board import Board

_board = Board(1)
_board.install()
try:
    from openkh.startup import restart
finally:
    _board.uninstall()

GPIO_CTRL = 0x40014004
PIN = 9


@pytest.fixture
def mem32(monkeypatch):
    found = {restart.RUN: 0, **{GPIO_CTRL + 8 * pin: 31 for pin in range(30)}}
    monkeypatch.setattr(restart, "machine", SimpleNamespace(mem32=found))
    return found


@pytest.mark.usefixtures("mem32")
def test_DR_11_a_reason_is_told_once():
    assert restart.reason() == restart.NONE
    restart.mark(restart.SEAL)
    assert (restart.reason(), restart.reason()) == (restart.SEAL, restart.NONE)


@pytest.mark.usefixtures("mem32")
def test_DR_11_after_a_reset_of_the_chip_the_reason_stays_that_of_who_asked():
    restart.mark(restart.COMMAND)
    assert restart.note_soft_reset(PIN) is False
    assert restart.reason() == restart.COMMAND


def test_DR_11_after_a_soft_reset_the_pins_are_still_set_up(mem32):
    mem32[GPIO_CTRL + 8 * PIN] = 5
    assert restart.note_soft_reset(PIN) is True
    assert restart.reason() == restart.SOFT
    assert restart.note_soft_reset(PIN + 1) is False
