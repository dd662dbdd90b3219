"""DR-3, DR-7 on 32-bit MicroPython: status and display take nothing from the heap once they run."""

import on_wasm

PROGRAM = """
import sys, micropython, gc
sys.path[:0] = ["/input/firmware", "/input/boards/reference", "/input"]
from openkh.model import Model
from openkh.state import State
from openkh.metrology.status import Status, NAMES
from openkh.display.screens import Screens
from openkh.display.glass import Glass
from openkh.display.display import Display
from openkh.drivers.pcf85176 import Pcf85176
from openkh.drivers.ht1621 import Ht1621
import glass as board_glass

class Log:
    def add(self, code, a=0, b=0):
        pass

class Element:
    def __init__(self):
        self.active = self.reactive = 0
        self.fresh = True
        self.v_mv = 120000
        self.i_ma = 10000
        self.period_raw = 3728
        self.silent = self.altered = False
        self.fitted = True

class I2c:
    def __init__(self):
        self.wrong = OSError(5)
        self.away = False
    def writeto(self, address, data):
        if self.away:
            raise self.wrong

def pin(level):
    pass

def every_situation(code, service, lcd, i2c):
    model = Model(code, service)
    log = Log()
    state = State()
    status = Status(model, log)
    one = Element()
    two = Element() if model.elements == 2 else None
    display = Display(lcd, Screens(model, "261121", "012345678901", "0.10"), Glass(board_glass.GLASS), status, log)
    seen = 0
    largest = model.full_scale_w * model.counts_per_wh // 36000
    state.delivered_wh = 999999999
    state.max_mw = 188000000
    micropython.heap_lock()
    for phase in range(len(PHASES) // 6):
        watts = PHASES[6 * phase]
        one.active = largest if watts == 2 else watts * model.counts_per_wh // 36000
        one.reactive = PHASES[6 * phase + 1] * model.counts_per_wh // 36000
        one.v_mv = PHASES[6 * phase + 2] * model.nominal_mv // 120
        one.i_ma = PHASES[6 * phase + 3] * 1000
        one.silent = PHASES[6 * phase + 4] == 1
        one.period_raw = PHASES[6 * phase + 5]
        if two is not None:
            two.active = -largest if watts == 2 else one.active
            two.v_mv = one.v_mv
        i2c.away = phase % 3 == 2
        status.set_failure(4, phase == 5)
        state.periods = phase & 1
        for n in range(80):
            dt_us = 17000000 if n == 40 else 100000
            status.step(dt_us, one, two)
            seen |= 1 << status.condition
            if n & 1:
                display.refresh(250000, state)
    status.line_1.active_counts = (1 << 23) - 1
    status.line_1.reactive_counts = 47000000  # 5.6 times as much: the angle is decided exactly
    status.line_1.judge(120000, 10000)
    micropython.heap_unlock()
    return seen

PHASES = (
    1200, 0, 120, 10, 0, 3728,
    -1200, 0, 120, 10, 0, 3728,
    100, 590, 120, 10, 0, 3728,
    1200, 0, 95, 10, 0, 3728,
    1200, 0, 140, 10, 0, 3000,
    1200, 0, 120, 10, 0, 3728,
    1200, 0, 120, 300, 0, 3728,
    5, 0, 120, 1, 0, 3728,
    2, 0, 120, 10, 0, 3728,
    1200, 0, 120, 10, 1, 3728,
    1200, 0, 120, 10, 0, 3728,
)

try:
    i2c = I2c()
    seen = every_situation("MDNCT-1SC", "60Hz", Pcf85176(i2c), i2c)
    seen |= every_situation("MSNCT-2SC", "50Hz", Ht1621(pin, pin, pin), i2c)
    print("seen", [NAMES[c] for c in range(len(NAMES)) if seen >> c & 1])
except BaseException as error:
    micropython.heap_unlock()
    sys.print_exception(error)
"""


def test_status_and_display_take_nothing_from_the_heap():
    output = on_wasm.of_checkout(PROGRAM)
    assert "seen" in output and "Error" not in output, output
    for condition in (
        "unjudged",
        "normal",
        "low_current",
        "over_current",
        "over_voltage",
        "low_voltage",
        "bad_power_factor",
        "reverse_energy",
        "failure",
    ):
        assert condition in output, output
