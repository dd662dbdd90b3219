"""The pulse port's driver on the board's PIO (PO-1, PO-3, DR-14)."""

import pytest

from host_tests.outputs.rig import new_board, new_port, pulse_port, record, simtime


@pytest.fixture
def board():
    return new_board(ticks_offset_us=(1 << 30) - 1_000)


def test_PO_2_two_pins_carry_the_same_level_and_start_low(board):
    first, second = record(board, 0), record(board, 1)
    port = new_port(board, 0, 0, 2)
    board.pins[0].configure(3, None)
    board.pins[1].configure(3, None)
    assert board.pins[0].level == board.pins[1].level == 0
    port.start(1_000, 1)
    port.put(500, 0)
    board.clock.spend(5_000)
    assert first == second == [(2, 1), (1_002, 0)]


def test_PO_3_the_chain_is_exact_over_the_tick_wrap(board):
    """end_us is where the pin changes, to the microsecond, whatever is put when."""
    edges = record(board, 2)
    port = new_port(board, 1, 2)
    port.start(700, 1)
    for n in range(40):
        end = port.end_us
        board.clock.spend(simtime.ticks_diff(end, simtime.ticks_us()) - 100)
        assert port.room() >= 7
        port.put(211 + n, n % 2)
        # The edge at `end` comes 100 us from now.
        board.clock.spend(150)
        assert simtime.ticks_diff(simtime.ticks_us(), end) == 50
        assert edges[-1][0] == board.clock.now_us - 50


def test_put_never_waits_because_room_is_asked(board):
    port = new_port(board, 0, 0)
    port.start(1_000_000, 0)
    while port.room():
        port.put(1_000, 1)
    assert board.clock.now_us == 0
    assert port.words == 1 + pulse_port.DEPTH
    assert port.pulled() == 1
    board.clock.spend(1_001_500)
    assert port.pulled() == 3 and port.room() == 2


def test_PO_4_stop_holds_and_drop_forgets_what_waits(board):
    edges = record(board, 0)
    port = new_port(board, 0, 0)
    port.start(1_000, 1)
    port.put(1_000, 0)
    port.put(1_000, 1)
    board.clock.spend(1_500)
    port.stop()
    board.clock.spend(10_000)
    assert port.pulled() == 2
    port.drop()
    assert port.pulled() == port.words == 2
    board.clock.spend(10_000)
    assert [level for _, level in edges] == [1, 0]
    port.start(1_000, 0)
    port.put(1_000, 1)
    board.clock.spend(10_000)
    assert [level for _, level in edges] == [1, 0, 1]
    assert edges[-1][0] == 21_500 + 1_002


def test_words_stay_small_integers_at_the_longest_segment():
    """DR-3: below 2^30."""
    assert (pulse_port.MAX_US - pulse_port.MIN_US) << 2 | 3 < 1 << 30


def test_words_are_counted_modulo(board):
    port = new_port(board, 0, 0)
    port.words = pulse_port.WORDS_MASK
    port.start(100, 1)
    assert port.words == 0
    port.put(100, 0)
    assert port.pulled() == 0
    board.clock.spend(150)
    assert port.pulled() == 1


def test_PO_3_no_interrupt_comes_between_the_first_word_of_a_chain_and_the_clock(board, monkeypatch):
    """The guard takes 0.05 ms: by so much all edges of the chain would come early."""
    blocked = []
    port = new_port(board, 0, 0)
    put = port._machine.put
    monkeypatch.setattr(port._machine, "put", lambda word: (blocked.append(board.clock.cpu_blocked), put(word)))
    ticks_us = pulse_port.ticks_us
    monkeypatch.setattr(pulse_port, "ticks_us", lambda: (blocked.append(board.clock.cpu_blocked), ticks_us())[1])
    port.start(1_000, 1)
    assert blocked == [True, True] and not board.clock.cpu_blocked
