"""Interrupts as MicroPython sees them: the queue of soft callbacks, timers, hard timers that may be skipped, faults."""

import pytest

from boards.virtual.board import Board
from boards.virtual.halt import Reset


@pytest.fixture
def boards():
    """Makes boards, installed one at a time."""
    made = []

    def make(**options):
        board = Board(**options)
        board.install()
        made.append(board)
        return board

    yield make
    for board in made[::-1]:
        board.uninstall()


class Device:
    """An SPI device that takes everything."""

    def cs(self, level, _t_us):
        pass

    def exchange(self, _tx, _rx):
        return True

    def clock_rate(self, hz):
        pass

    def idle_miso(self):
        return None


def spi_of(board):
    from machine import SPI, Pin

    board.pins[17].board_pull(1)
    board.spi[0].attach(Device(), board.pins[17])
    return SPI(0, 1_000_000, polarity=1, phase=1, sck=Pin(18), mosi=Pin(19), miso=Pin(16))


def test_soft_callbacks_wait_for_sleep_and_bus_calls_take_their_wire_time(boards):
    board = boards()
    import time

    from machine import Timer

    log = []
    Timer(period=1, callback=lambda _t: log.append(time.ticks_us()))
    spi = spi_of(board)
    spi.write(bytes(500))
    assert board.clock.now_us == 4000 and log == []
    time.sleep_us(1)
    assert log == [4000] * 4  # queued at 1, 2, 3, 4 ms, run when the code let them


def test_what_is_queued_while_a_callback_runs_comes_next_and_not_after_the_next_event(boards):
    """The port's interrupts schedule an answer while the cycle runs: it is due when the cycle ends (AM-5)."""
    board = boards()
    import time

    import micropython
    from machine import Timer

    log = []
    spi = spi_of(board)

    def cycle(_timer):
        micropython.schedule(lambda _arg: log.append(board.clock.now_us), None)
        spi.write(bytes(500))  # 4 ms

    Timer(mode=Timer.ONE_SHOT, period=10, callback=cycle)
    Timer(mode=Timer.ONE_SHOT, period=90, callback=lambda _t: None)
    time.sleep_ms(100)
    assert board.clock.now_us == 100_000
    assert len(log) == 1 and 14_000 <= log[0] < 14_010


def test_one_hard_interrupt_does_not_come_within_another(boards):
    """All of the RP2040's interrupts have one priority here: an alarm that falls due in a UART's handler waits."""
    board = boards()
    import time

    from machine import Timer

    log = []

    def long(_timer):
        log.append(("long begins", board.clock.now_us))
        board.clock.spend(100)
        log.append(("long ends", board.clock.now_us))

    Timer(mode=Timer.ONE_SHOT, period=10, callback=long, hard=True)
    Timer(mode=Timer.ONE_SHOT, period=10_050, tick_hz=1_000_000, callback=lambda _t: log.append("other"), hard=True)
    time.sleep_ms(20)
    assert log == [("long begins", 10_000), ("long ends", 10_100), "other"]
    assert not board.clock.cpu_blocked


def test_DR_8_the_queue_holds_eight_and_drops_silently(boards):
    board = boards()
    import time

    from machine import Timer

    log = []
    Timer(period=1, callback=log.append)
    board.clock.spend(20_000)
    time.sleep_us(0)
    assert len(log) == 8
    assert board.cpu.dropped == 12


def test_micropython_schedule_says_when_the_queue_is_full(boards):
    board = boards()
    import micropython

    for n in range(8):
        micropython.schedule(print, n)
    with pytest.raises(RuntimeError, match="schedule queue full"):
        micropython.schedule(print, 8)
    board.cpu.restart()


def test_soft_callbacks_do_not_nest(boards):
    boards()
    import time

    from machine import Timer

    log = []

    def long(_timer):
        log.append("begin")
        time.sleep_ms(25)  # the house forbids this; the port allows it
        log.append("end")

    Timer(period=10, callback=long)
    time.sleep_ms(11)
    assert log == ["begin", "end"]
    time.sleep_ms(1)
    assert log == ["begin", "end"] * 3  # the two that came meanwhile


def test_timers_keep_their_phase_and_catch_up(boards):
    board = boards()
    import time

    from machine import Timer

    log = []
    timer = Timer(mode=Timer.PERIODIC, freq=100, callback=lambda _t: log.append(board.clock.now_us))
    time.sleep_ms(15)
    board.clock.stall(32_000)
    time.sleep_ms(20)
    assert log == [10_000, 47_000, 47_000, 47_000, 50_000, 60_000]
    timer.deinit()
    time.sleep_ms(50)
    assert len(log) == 6


def test_one_shot_and_tick_hz(boards):
    board = boards()
    import time

    from machine import Timer

    log = []
    Timer(-1, mode=Timer.ONE_SHOT, period=5, callback=lambda _t: log.append(board.clock.now_us))
    Timer(mode=Timer.ONE_SHOT, period=3, tick_hz=1_000_000, callback=lambda _t: log.append(board.clock.now_us))
    time.sleep_ms(50)
    assert log == [3, 5000]
    with pytest.raises(ValueError, match="Timer doesn't exist"):
        Timer(0)


def test_an_exception_in_a_callback_is_reported_and_the_timer_goes_on(boards):
    board = boards()
    import time

    from machine import Timer

    errors = []
    board.cpu.on_error = errors.append
    Timer(period=1, callback=lambda _t: 1 // 0)
    time.sleep_us(3500)
    assert len(errors) == 3


def test_DR_8_an_exception_in_a_hard_handler_disables_it(boards):
    board = boards()
    import time

    from machine import Timer

    errors = []
    board.cpu.on_error = errors.append
    Timer(period=1, callback=lambda _t: 1 // 0, hard=True)
    time.sleep_us(3500)
    assert len(errors) == 1


def test_disable_irq_holds_everything_back(boards):
    board = boards()
    import machine

    log = []
    machine.Timer(period=1, callback=lambda _t: log.append(board.clock.now_us), hard=True)
    state = machine.disable_irq()
    inner = machine.disable_irq()
    board.clock.spend(1500)
    machine.enable_irq(inner)
    assert log == []
    machine.enable_irq(state)
    assert log == [1500]


def jittered(boards, seed):
    board = boards(seed=seed, jitter_us=500)
    import time

    from machine import Timer

    log = []
    Timer(period=1, callback=lambda _t: log.append(board.clock.now_us))
    time.sleep_ms(30)
    return log


def test_jitter_delays_each_callback_by_a_seeded_amount(boards):
    log = jittered(boards, 1)
    late_us = [t_us - 1000 * (n + 1) for n, t_us in enumerate(log)]
    assert all(0 <= late <= 500 for late in late_us) and len(set(late_us)) > 10
    assert log == jittered(boards, 1) != jittered(boards, 2)


def interleaved(boards, seed):
    """Where callbacks cut into a row of bus calls; and whether one cut into another's."""
    board = boards(seed=seed, interleave=True)
    from machine import Timer

    spi = spi_of(board)
    log = []

    def callback(_timer):
        log.append("(")
        for _ in range(5):
            spi.write(b"12")
            board.clock.spend(2000)
        log.append(")")

    Timer(period=10, callback=callback)
    for n in range(200):
        spi.write(b"1234")
        log.append(n)
    return log


def test_interleave_fires_callbacks_between_bus_calls_of_other_code(boards):
    log = interleaved(boards, 1)
    cuts = [n for n, entry in enumerate(log) if entry == "("]
    assert len(cuts) > 3
    assert all(log[n + 1] == ")" for n in cuts), "a callback was cut into"
    assert interleaved(boards, 1) == log != interleaved(boards, 2)


def guard_runs(boards, exact):
    """A 2 ms guard on an ADC input that jumps now and then, beside a soft timer that works a pin."""
    board = boards(exact=exact)
    import time

    from machine import ADC, Pin, Timer

    adc = ADC(26)
    out = Pin(22, Pin.OUT, value=1)
    busy = Pin(9, Pin.OUT, value=0)
    log = []
    seen = [0, 0]
    runs = [0]

    def guard(_timer):
        runs[0] += 1
        raw = adc.read_u16()
        if raw != seen[0]:
            seen[0] = raw
            log.append((board.clock.now_us, raw))
        seen[1] = seen[1] + 1 if raw > 30_000 else 0
        if seen[1] == 2:
            out(0)
            log.append((board.clock.now_us, "off"))

    def set_uv(uv):
        board.adc_uv[26] = uv
        board.cpu.stir()

    Timer(period=2, callback=guard, hard=True)
    Timer(period=100, callback=lambda _t: busy.toggle())
    for n, uv in enumerate((100_000, 2_000_000, 300_000, 1_900_000, 0)):
        board.clock.at(1_234_567 * (n + 1), lambda uv=uv: set_uv(uv))
    time.sleep(10)
    return log, runs[0]


def test_skipping_a_calm_hard_timer_equals_running_it(boards):
    exact, all_runs = guard_runs(boards, True)
    skipped, few_runs = guard_runs(boards, False)
    assert skipped == exact and len(exact) > 6
    assert all_runs == 5000 and few_runs < 1500


def test_while_the_supply_moves_no_hard_timer_is_skipped(boards):
    board = boards()
    import time

    from machine import Timer

    runs = []
    Timer(period=2, callback=runs.append, hard=True)
    time.sleep_ms(100)
    assert len(runs) < 10
    board.cpu.restless = True
    board.cpu.stir()
    before = len(runs)
    time.sleep_ms(100)
    assert len(runs) - before == 50


def test_fault_exception_comes_at_a_front_end_call_of_the_next_callback(boards):
    board = boards()
    import time

    from machine import Timer

    spi = spi_of(board)
    errors, log = [], []
    board.cpu.on_error = errors.append

    def callback(_timer):
        log.append("begin")
        spi.write(b"1")
        log.append("end")

    Timer(period=10, callback=callback)
    board.cpu.throw(ZeroDivisionError())
    spi.write(b"1")  # not here: no callback
    time.sleep_ms(25)
    assert log == ["begin", "begin", "end"] and len(errors) == 1


def test_fault_hang_ends_by_the_watchdog(boards):
    """DX-6 FAIL 05: callbacks and code stop until the watchdog."""
    board = boards()
    import time

    from machine import WDT, Timer

    log = []
    dog = WDT(timeout=1000)
    Timer(period=100, callback=lambda _t: (log.append(board.clock.now_us), dog.feed()))
    board.clock.at(250_000, board.cpu.hang)
    with pytest.raises(Reset) as caught:
        time.sleep(10)
    assert caught.value.cause == "watchdog"
    assert log == [100_000, 200_000] and board.clock.now_us == 1_200_000
    board.restart("watchdog")
    board.clock.sleep(5_000_000)
    assert log == [100_000, 200_000], "timers died with the reset"
