"""The state machine of the virtual board against rp2040-pio-emulator, and the pulse port's program on both."""

import random
from collections import deque
from dataclasses import replace

import pioemu
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boards.virtual.rp2040 import pio, pio_asm
from boards.virtual.rp2040.clock import Clock
from host_tests.outputs.rig import pulse_port


class Wire:
    def __init__(self, clock, log, number):
        self.clock = clock
        self.log = log
        self.number = number
        self.level = None

    def drive(self, level):
        if level != self.level:
            if self.level is not None:
                self.log.append((self.clock.now_us, self.number, level))
            self.level = level


def machine(program, freq=1_000_000, **bases):
    clock = Clock()
    log = []
    wires = [Wire(clock, log, n) for n in range(30)]
    return clock, wires, log, pio.StateMachine(clock, wires, program, freq, **bases)


def segments(pins=1):
    """The pulse port's own program, assembled here."""
    low = pio_asm.OUT_LOW
    return pio_asm.asm_pio(
        out_init=low if pins == 1 else (low,) * pins,
        out_shiftdir=pio_asm.SHIFT_RIGHT,
        fifo_join=pio_asm.JOIN_TX,
    )(pulse_port._segments)


PROGRAM = segments()


def emulated_edges(program, words, cycles, pins=2):
    """(cycle, level) of pin 0 as rp2040-pio-emulator runs the opcodes; `words` are (cycle put, word)."""
    pending = deque(words)
    state = pioemu.State(transmit_fifo=deque())
    edges = []
    level = 0
    cycle = 0
    # One cycle at a time, so that words arrive when they are put.
    while cycle < cycles:
        while pending and pending[0][0] <= cycle:
            state.transmit_fifo.append(pending.popleft()[1])
        step = pioemu.emulate(
            program.code,
            stop_when=lambda _op, _state: False,
            initial_state=replace(state, clock=cycle),
            out_base=0,
            out_count=pins,
            set_base=0,
            set_count=pins,
            shift_osr_right=True,
            wrap_target=program.wrap_target,
            wrap_top=program.wrap,
        )
        state = next(step)[1]
        changed = cycle + 1  # the emulator's own clock stands after the instruction's delay
        cycle = state.clock
        if state.pin_values & 1 != level:
            level = state.pin_values & 1
            edges.append((changed, level))
    return edges


def test_PO_3_opcodes_are_what_the_data_sheet_says():
    """RP2040 data sheet 3.4: pull block, out pins 2, out x 30, jmp x-- to itself."""
    program = segments()
    assert program.code == [0x80A0, 0x6002, 0x603E, 0x0043]
    assert (program.wrap_target, program.wrap) == (0, 3)


@pytest.mark.parametrize("short_cut", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_PO_3_counterpart_equals_the_emulated_opcodes_edge_for_edge(seed, short_cut):
    """Words put at random times, with the FIFO now ahead and now empty: the same edges at the same cycles."""
    rng = random.Random(seed)
    program = segments(2)
    words = []
    at = rng.randrange(20)
    level = 0
    total = 0
    while total < 3000:
        us = rng.choice((4, 5, 6, rng.randrange(4, 60), rng.randrange(4, 400)))
        level = rng.choice((level, 1 - level))
        words.append((at, (us - 4) << 2 | 3 * level))
        total += us
        at += rng.choice((0, 0, rng.randrange(1, 500)))
    clock, _, log, sm = machine(program, out_base=0)
    assert sm._segments
    sm._segments = short_cut  # it has a short cut for this very program
    sm.active(1)
    done = []
    for at, word in words:
        if at > clock.now_us:
            clock.spend(at - clock.now_us)
        while sm.tx_fifo() >= 8:
            clock.spend(1)
        sm.put(word)
        done.append((clock.now_us, word))
    clock.spend(2000)
    edges = emulated_edges(program, done, clock.now_us)
    assert [(t, level) for t, number, level in log if number == 0] == edges
    assert [(t, level) for t, number, level in log if number == 1] == edges
    assert len(edges) > 10


@given(st.lists(st.tuples(st.integers(4, 1 << 20), st.integers(0, 1)), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_PO_3_segments_join_without_a_gap(segment_list):
    """An edge stands exactly at the sum of the segments before it: no drift, whatever the lengths."""
    clock, _, log, sm = machine(PROGRAM, out_base=5)
    sm.active(1)
    for us, level in segment_list:
        sm.put((us - 4) << 2 | 3 * level)
    clock.spend(10 << 20)
    expected = []
    at, before = 2, 0
    for us, level in segment_list:
        if level != before:
            expected.append((at, 5, level))
        before = level
        at += us
    assert log == expected


def test_another_program_equals_the_emulated_opcodes():
    """Side-set apart: set, mov, y, delays, a jump out of the way."""

    def blink():
        pull(block)  # noqa: F821
        mov(y, osr)  # noqa: F821
        label("again")  # noqa: F821
        set(pins, 1)[2]  # noqa: F821
        mov(x, invert(y))  # noqa: F821
        mov(x, invert(x))  # noqa: F821
        jmp(not_x, "out")  # noqa: F821
        label("wait")  # noqa: F821
        jmp(x_dec, "wait")[1]  # noqa: F821
        set(pins, 0)  # noqa: F821
        jmp(y_dec, "again")  # noqa: F821
        label("out")  # noqa: F821
        set(pins, 0)[5]  # noqa: F821

    program = pio_asm.asm_pio(set_init=pio_asm.OUT_LOW, out_shiftdir=pio_asm.SHIFT_RIGHT)(blink)
    clock, _, log, sm = machine(program, set_base=0)
    sm.active(1)
    words = [(0, 5), (0, 3), (0, 9)]
    for _, word in words:
        sm.put(word)
    clock.spend(1_000)
    edges = emulated_edges(program, words, 1_000, 1)
    assert len(edges) > 20
    assert [(t, level) for t, _, level in log] == edges


def test_a_stop_freezes_the_level_and_going_on_shifts_the_rest():
    clock, wires, log, sm = machine(PROGRAM, out_base=0)
    sm.active(1)
    for us, level in ((100, 1), (100, 0), (100, 1), (100, 0)):
        sm.put((us - 4) << 2 | 3 * level)
    clock.spend(150)
    assert sm.tx_fifo() == 2
    sm.active(0)
    clock.spend(1000)
    assert wires[0].level == 0
    assert sm.tx_fifo() == 2
    sm.active(1)
    clock.spend(1000)
    assert [t for t, _, _ in log] == [2, 102, 1202, 1302]


@given(st.integers(0, 900), st.integers(0, 50))
@settings(max_examples=200, deadline=None)
def test_a_stop_anywhere_loses_and_repeats_nothing(stop_us, pause_us):
    clock, _, log, sm = machine(PROGRAM, out_base=0)
    sm.active(1)
    for n in range(8):
        sm.put((100 - 4) << 2 | 3 * (1 - n % 2))
    clock.spend(stop_us)
    waiting = sm.tx_fifo()
    sm.active(0)
    clock.spend(pause_us)
    assert sm.tx_fifo() == waiting
    sm.active(1)
    clock.spend(2000)
    edges = [t for t, _, _ in log]
    assert len(edges) == 8
    assert edges[-1] == 702 + (pause_us if stop_us < 701 else 0)


def test_dropped_words_give_no_edge():
    clock, wires, log, sm = machine(PROGRAM, out_base=0)
    sm.active(1)
    for us, level in ((100, 1), (100, 0), (100, 1)):
        sm.put((us - 4) << 2 | 3 * level)
    clock.spend(50)
    sm.active(0)
    while sm.tx_fifo():
        sm.exec(0x8080)
    sm.restart()
    sm.active(1)
    clock.spend(500)
    assert log == [(2, 0, 1)]
    sm.put((20 - 4) << 2 | 3)
    sm.put((20 - 4) << 2)
    clock.spend(100)
    assert log[1:] == [(572, 0, 0)]
    assert wires[0].level == 0


def test_put_waits_only_while_the_fifo_is_full():
    clock, _, _, sm = machine(PROGRAM, out_base=0)
    sm.active(1)
    for _ in range(9):
        sm.put((1000 - 4) << 2)
    assert clock.now_us == 0  # one in progress, eight waiting
    sm.put(0)
    assert 999 <= clock.now_us <= 1001


def test_release_lets_go_of_the_pins():
    clock, wires, log, sm = machine(PROGRAM, out_base=0)
    sm.active(1)
    sm.put((100 - 4) << 2 | 3)
    sm.put((100 - 4) << 2)
    clock.spend(50)
    sm.release()
    assert wires[0].level is None
    clock.spend(500)
    assert [level for _, _, level in log] == [1, None]


def test_another_clock_rate():
    clock, _, log, sm = machine(PROGRAM, freq=2_000_000, out_base=0)
    sm.active(1)
    sm.put((100 - 4) << 2 | 3)
    sm.put((100 - 4) << 2)
    clock.spend(500)
    assert [t for t, _, _ in log] == [1, 51]


def test_what_is_not_modelled_is_refused():
    def waits():
        wait(1, pin, 0)  # noqa: F821

    with pytest.raises(NotImplementedError):
        machine(pio_asm.asm_pio()(waits))

    def nonsense():
        out(gpio, 1)  # noqa: F821

    with pytest.raises(pio_asm.PIOASMError):
        pio_asm.asm_pio()(nonsense)

    def nowhere():
        jmp("there")  # noqa: F821

    with pytest.raises(pio_asm.PIOASMError):
        pio_asm.asm_pio()(nowhere)


def test_assembler_against_known_opcodes():
    """Opcodes worked out by hand from RP2040 data sheet 3.4, with side-set, delays and labels."""

    def program():
        wrap_target()  # noqa: F821
        pull(noblock).side(0)  # noqa: F821
        mov(x, osr).side(0)  # noqa: F821
        mov(y, invert(x)).side(1)[3]  # noqa: F821
        label("loop")  # noqa: F821
        jmp(x_not_y, "skip").side(0)  # noqa: F821
        nop().side(1)  # noqa: F821
        label("skip")  # noqa: F821
        jmp(y_dec, "loop").side(1)  # noqa: F821
        set(pins, 5).side(0)[15]  # noqa: F821
        in_(pins, 32).side(0)  # noqa: F821
        push(block).side(0)  # noqa: F821
        wait(0, gpio, 7).side(0)  # noqa: F821
        irq(rel(2)).side(0)  # noqa: F821
        wrap()  # noqa: F821

    made = pio_asm.asm_pio(sideset_init=pio_asm.OUT_LOW)(program)
    assert [hex(op) for op in made.code] == [
        hex(op) for op in (0x8080, 0xA027, 0xB349, 0x00A5, 0xB042, 0x1083, 0xEF05, 0x4000, 0x8020, 0x2007, 0xC012)
    ]
