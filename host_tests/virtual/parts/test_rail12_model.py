"""The 12 V rail's and the opto's models."""

from boards.virtual.parts.coil import Coil
from boards.virtual.parts.opto import Opto
from boards.virtual.parts.rail12 import LIMITER_MA, SENSE_FULL_MA, Rail12
from boards.virtual.rp2040.nets import OUT
from host_tests.outputs.rig import new_board


def rail_rig():
    board = new_board()
    enable, pin = board.pins[22], board.pins[9]
    enable.configure(OUT, None)
    pin.configure(OUT, None)
    coil = Coil(board.clock, pin, 10.0)
    return board, enable, pin, coil, Rail12(board.clock, enable, coil, board.cpu.stir)


def test_CO_3_counter_and_load_are_sensed_in_sum():
    board, enable, pin, coil, rail = rail_rig()
    rail.load(39)
    assert rail.sensed_ma() == 0
    enable.put(1)
    assert rail.sensed_ma() == 39
    pin.put(1)
    assert rail.sensed_ma() == 49 and coil.on
    rail.short(True)
    assert rail.current_ma() == LIMITER_MA and rail.sensed_ma() == min(LIMITER_MA, SENSE_FULL_MA)
    rail.short(False)
    enable.put(0)
    assert rail.sensed_ma() == 0 and not coil.on


def test_inrush_passes_and_a_stuck_sensor_says_what_it_says():
    board, enable, _pin, _coil, rail = rail_rig()
    enable.put(1)
    rail.load(10)
    stirs = board.cpu.stirs
    rail.inrush(80, 5_000)
    assert rail.current_ma() == 80
    board.clock.spend(5_000)
    assert rail.current_ma() == 10
    assert board.cpu.stirs > stirs + 1
    rail.stuck_ma(33)
    enable.put(0)
    assert rail.sensed_ma() == 33
    rail.stuck_ma(None)
    assert rail.sensed_ma() == 0


def test_the_collector_follows_with_the_optos_delays():
    board = new_board()
    pin = board.pins[0]
    pin.configure(OUT, None)
    seen = []
    opto = Opto(pin, on_us=5, off_us=60)
    opto.listen(lambda conducts, t_us: seen.append((conducts, t_us)))
    board.clock.spend(100)
    pin.put(1)
    board.clock.spend(100)
    pin.put(0)
    assert seen == [(True, 105), (False, 260)]
    assert not opto.conducts
