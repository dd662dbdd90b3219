"""How long the transceiver's driver stays on for an answer, before anybody looks whether it is out (AM-1)."""

from types import SimpleNamespace

import pytest

from boards.virtual.board import Board

_board = Board(1)
_board.install()
try:
    from openkh.drivers import rs485
finally:
    _board.uninstall()


class Timer:
    ONE_SHOT = 0
    periods: "list[int]" = []

    def __init__(self, _number):
        pass

    def init(self, period=None, **_):
        self.periods.append(period)


class Uart:
    IRQ_RXIDLE = 1

    def __init__(self, _number, **pins):
        self.pins = pins

    def init(self, **_):
        pass

    def irq(self, **_):
        return SimpleNamespace()

    def write(self, *_):
        pass


@pytest.mark.parametrize(
    ("baud", "parity", "length", "ms"),
    [(115_200, None, 5, 1), (115_200, None, 255, 22), (19_200, None, 8, 4), (9_600, 0, 255, 292)],
)
def test_AM_1_the_end_of_an_answer_is_looked_for_after_its_whole_milliseconds(monkeypatch, baud, parity, length, ms):
    monkeypatch.setattr(rs485, "Timer", Timer)
    monkeypatch.setattr(rs485, "UART", Uart)
    monkeypatch.setattr(rs485, "ticks_us", lambda: 0)
    levels = []
    port = rs485.Rs485(0, None, None, levels.append, lambda _: None)
    port.open(baud, parity)
    del Timer.periods[:]
    port.send(bytearray(256), 0, length)
    assert levels == [0, 1] and Timer.periods == [ms]


def test_AM_1_what_ends_while_an_answer_goes_out_is_no_burst_of_a_master(monkeypatch):
    """An echo, or a break because nothing drives RXD: a quick master was taken for a flood."""
    monkeypatch.setattr(rs485, "Timer", Timer)
    monkeypatch.setattr(rs485, "UART", Uart)
    monkeypatch.setattr(rs485, "ticks_us", lambda: 0)
    served = []
    monkeypatch.setattr(rs485.micropython, "schedule", lambda serve, _: served.append(serve))
    port = rs485.Rs485(1, "tx", "rx", lambda _level: None, lambda _: None)
    port.open(19_200, None)
    for _ in range(rs485._BURSTS):
        port._idle(None)  # a request
        port.send(bytearray(256), 0, 8)
        port._idle(None)  # what is heard of the answer
        port._waiting = False  # it is out
    assert port.floods == 0 and len(served) == rs485._BURSTS


def test_AM_1_the_uart_gets_its_pins_at_once(monkeypatch):
    """Else it takes GPIO4 and 5 as well, which are the memory's on the reference board."""
    monkeypatch.setattr(rs485, "UART", Uart)
    assert rs485.Rs485(1, "tx", "rx", None, lambda _: None)._uart.pins == {"tx": "tx", "rx": "rx"}
