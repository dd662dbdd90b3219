"""The RP2040 with its wires. reference.py composes a board on it, and the stand-ins for `machine`, `rp2` and `time` act
on it.

    board = Board(seed=1)
    board.install()            # sys.modules: machine, rp2, time, micropython
    board.spi[0].attach(chip, board.pins[17])
"""

import sys

from boards.virtual import halt
from boards.virtual.rng import Rng
from boards.virtual.rp2040 import nets
from boards.virtual.rp2040.buses import I2cBus, SpiBus
from boards.virtual.rp2040.clock import Clock
from boards.virtual.rp2040.cpu import Cpu
from boards.virtual.rp2040.uart import Uart
from boards.virtual.rp2040.watchdog import Watchdog

PINS = 30
PWRON_RESET = 1
WDT_RESET = 3
TIMER = 1  # in the watchdog's REASON register: its own time-out (RP2040 data sheet 4.7.6)
FORCE = 2
ADC_FULL_UV = 3_300_000
CORE_TEMPERATURE = 30  # the temperature sensor's input: it flickers, and no guard reads it, so its changes stir nobody
UNIQUE_ID = b"\xe6\x61\x4b\x68\x00\x00\x00\x2a"  # of the flash chip; fixed, so that --state finds its board again

STAND_INS = ("machine", "rp2", "time", "micropython", "select")
MICROPYTHON = sys.implementation.name == "micropython"
_MISSING = object()


class Board:
    """Clock, CPU, pins and buses. For each of `devices` power(on) is called when the 3.3 V comes or goes."""

    def __init__(self, seed=1, interleave=False, jitter_us=0, exact=False, ticks_offset_us=0):
        self.seed = seed
        self.clock = Clock()
        self.cpu = Cpu(self.clock, Rng(seed, 1), interleave, jitter_us, exact)
        self.pins = [nets.Net(self.clock, n, self.cpu.stir) for n in range(PINS)]
        self.spi = (SpiBus(), SpiBus())
        self.i2c = (I2cBus(self.clock), I2cBus(self.clock))
        self._uarts = {}
        self.turns_itself = False  # the RS-485 transceiver turns itself round, whatever the board's file says
        self.adc_uv = {}  # pin -> microvolts, or a function that returns them
        self.devices = []
        self.state_machines = {}  # running PIO state machines by number; standins/rp2.py fills it
        self.watchdog = Watchdog(self.clock, self._bite)
        self.scratch = {}
        self.reset_cause = PWRON_RESET
        self.reset_reason = 0  # the watchdog's REASON register
        self.unique_id = UNIQUE_ID
        self.console = None  # console.Console, where there is one
        self.flash = None  # the flash chip's file system region, behind rp2.Flash
        self._ticks_offset_us = ticks_offset_us
        self._adc_seen = {}
        self._saved = None
        self._attach_time()

    def install(self):
        """Put the stand-ins in the place of MicroPython's modules (sys.modules); `uninstall` takes them away again."""
        from boards.virtual.standins import machine, rp2, simmicropython, simselect, simtime

        if self._saved is None:
            self._saved = [sys.modules.get(name, _MISSING) for name in STAND_INS]
        machine.attach(self)
        rp2.attach(self)
        simmicropython.attach(self.cpu)
        simselect.attach(self.clock, self.console)
        for name, module in zip(STAND_INS, (machine, rp2, simtime, simmicropython, simselect)):
            sys.modules[name] = module
        self._attach_stdin()
        self._attach_time()

    def _attach_stdin(self):
        stdin = None if self.console is None else self.console.stdin
        if MICROPYTHON:
            from boards.virtual.standins import simsys

            sys.modules["sys"] = simsys.Sys(stdin)
        elif stdin is not None:
            sys.stdin = stdin

    def uninstall(self):
        """Put the real modules back."""
        if self._saved is None:
            return
        for name, module in zip(STAND_INS, self._saved):
            if module is _MISSING:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
        self._saved = None

    def uart(self, number):
        """The UART `number`, made when it is first asked for."""
        if number not in self._uarts:
            self._uarts[number] = Uart(self.clock)
        return self._uarts[number]

    def adc_raw(self, pin):
        """What the analogue-to-digital converter reads on `pin`, 0 .. 4095."""
        uv = self.adc_uv.get(pin, 0)
        if callable(uv):
            uv = uv()
        raw = min(4095, max(0, int(uv) * 4095 // ADC_FULL_UV))
        if self._adc_seen.get(pin) != raw and pin != CORE_TEMPERATURE:
            self._adc_seen[pin] = raw
            self.cpu.stir()
        return raw

    def interrupt(self, fn, level):
        """Call a pin's interrupt handler now, or, where interrupts are off, when the CPU takes them again."""
        if self.clock.cpu_blocked:
            self.clock.at(self.clock.now_us, lambda: fn(level), True)
        else:
            fn(level)

    def power(self, on):
        """Switch the 3.3 V on or off; the supply calls this."""
        if not on:
            for bus in self.i2c:
                bus.cut()
        for device in self.devices:
            device.power(on)
        if not on:
            raise halt.PowerCut("3.3 V lost")

    def restart(self, cause):
        """Do to the RP2040 what comes with the end of the running program.

        `cause` is "power", "run" (the RUN pin, or the RP2040's own brown-out detector), "watchdog", "reset" or "soft".
        The first two clear the watchdog's registers (RP2040 data sheet 2.12, 4.7); MicroPython calls both a power-on.
        """
        self.cpu.restart()
        for machine in list(self.state_machines.values()):
            machine.release()
        self.state_machines.clear()
        for net in self.pins:
            net.on_interrupt(None)
        for uart in self._uarts.values():
            uart.reset()
        if cause == "soft":
            return
        self.watchdog.stop()
        for net in self.pins:
            net.reset()
        if cause in ("power", "run"):
            self.scratch.clear()
            self.reset_cause = PWRON_RESET
            self.reset_reason = 0
        else:
            self.reset_cause = WDT_RESET
            self.reset_reason = TIMER if cause == "watchdog" else FORCE
        self._attach_time()

    def _attach_time(self):
        from boards.virtual.standins import simtime

        simtime.attach(self.clock, self._ticks_offset_us)

    def _bite(self):
        raise halt.Reset("watchdog")
