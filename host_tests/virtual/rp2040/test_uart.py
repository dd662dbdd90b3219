"""The simulated UART against its data sheet: FIFO, time-out, lost bytes, the end of the last stop bit."""

import pytest

from boards.virtual.board import Board
from boards.virtual.parts import rs485


@pytest.fixture
def board():
    made = Board()
    made.install()
    yield made
    made.uninstall()


def port(board, baud=19200, **settings):
    from machine import UART, Pin

    pair = rs485.Pair(board.clock)
    heard = []
    master = rs485.Master(board.clock, pair, lambda text, first, last: heard.append((first, last, text)))
    rs485.Transceiver(board.uart(1), pair, board.pins[29], **settings)
    uart = UART(1, baudrate=baud, tx=Pin(24), rx=Pin(25))
    return uart, master, heard, Pin(29, Pin.OUT, value=0)


@pytest.mark.usefixtures("board")
def test_pins_are_those_that_the_rp2040_can_route():
    from machine import UART, Pin

    with pytest.raises(ValueError, match="bad TX pin"):
        UART(1, baudrate=9600, tx=Pin(25), rx=Pin(24))
    with pytest.raises(ValueError, match="bad RX pin"):
        UART(1, baudrate=9600, tx=Pin(24), rx=Pin(29))


def test_the_time_out_comes_32_bit_times_after_the_last_byte(board):
    uart, master, _, _ = port(board)
    told = []
    uart.irq(handler=lambda u: told.append((board.clock.now_us, u.any())), trigger=uart.IRQ_RXIDLE, hard=True)
    master.send("12345678", 19200, None)
    board.clock.sleep(100_000)
    [(t_us, count)] = told
    assert count == 8
    assert t_us == pytest.approx((8 * 10 + 32) * 1e6 / 19200, abs=20)


def test_asking_takes_the_time_out_away(board):
    uart, master, _, _ = port(board)
    told = []
    uart.irq(handler=told.append, trigger=uart.IRQ_RXIDLE, hard=True)
    master.send("12345678", 19200, None)
    board.clock.sleep(4_500)
    assert uart.any() == 8
    board.clock.sleep(100_000)
    assert told == []


def test_what_comes_beyond_the_fifo_while_the_cpu_stands_still_is_lost(board):
    uart, master, _, _ = port(board, 115200)
    master.send("x" * 200, 115200, None)
    board.clock.stall(45_000)
    board.clock.sleep(1_000)
    assert uart.any() == 32


def test_the_receive_buffer_keeps_the_oldest(board):
    uart, master, _, _ = port(board, 115200)
    master.send("".join(chr(n & 255) for n in range(300)), 115200, None)
    board.clock.sleep(100_000)
    buf = bytearray(300)
    assert uart.any() == 256 and uart.readinto(buf, 256) == 256
    assert buf[:256] == bytes(range(256))


def test_readinto_waits_a_millisecond_on_an_empty_port(board):
    uart, _, _, _ = port(board)
    t_us = board.clock.now_us
    assert uart.readinto(bytearray(4)) is None
    assert board.clock.now_us - t_us == 1000


@pytest.mark.parametrize(("parity", "bits"), [(None, 10), (0, 11), (1, 11)])
def test_write_returns_at_once_and_txdone_tells_the_last_stop_bit(board, parity, bits):
    uart, _, heard, enable = port(board)
    uart.init(baudrate=9600, parity=parity)
    enable(1)
    begin_us = board.clock.now_us
    assert uart.write(b"..hello..", 2, 5) == 5
    assert board.clock.now_us == begin_us and not uart.txdone()
    end_us = begin_us + round(5 * bits * 1e6 / 9600)
    board.clock.sleep(end_us - begin_us - 100)
    assert not uart.txdone()
    board.clock.sleep(110)
    assert uart.txdone()
    board.clock.sleep(10_000)
    assert [text for _, _, text in heard] != ["hello"]  # the master listens at 19200
    assert heard


def test_a_driver_that_is_switched_off_early_spoils_the_last_character(board):
    uart, _, heard, enable = port(board)
    enable(1)
    uart.write(b"abc")
    board.clock.sleep(1_300)  # in the third
    enable(0)
    board.clock.sleep(10_000)
    assert heard[0][2][:2] == "ab" and heard[0][2] != "abc"


def test_a_driver_that_stays_on_spoils_what_the_master_sends(board):
    uart, master, _, enable = port(board)
    enable(1)
    master.send("abc", 19200, None)
    board.clock.sleep(10_000)
    buf = bytearray(8)
    assert uart.any() == 3 and uart.readinto(buf, 3) == 3
    assert buf[:3] != b"abc"


def test_the_fifo_goes_on_sending_while_the_cpu_stands_still(board):
    uart, _, heard, enable = port(board)
    enable(1)
    uart.write(bytes(range(100)))
    board.clock.stall(60_000)
    board.clock.sleep(100_000)
    text = "".join(text for _, _, text in heard)
    assert text == "".join(map(chr, range(100)))
    assert len(heard) == 2  # what was in the FIFO and on its way, a pause, and the rest
    assert len(heard[0][2]) == 33


def test_an_echo_is_heard_where_the_transceiver_gives_one(board):
    uart, _, _, enable = port(board, echo=True)
    enable(1)
    uart.write(b"abc")
    board.clock.sleep(10_000)
    assert uart.any() == 3
