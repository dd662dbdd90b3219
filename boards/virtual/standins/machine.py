"""Stand-in for the module `machine` of MicroPython's RP2040 port, on the virtual board given to `attach`.

Names, arguments and errors are the port's (MicroPython 1.27 to 1.29, ports/rp2).
"""

from boards.virtual.halt import Reset
from boards.virtual.rp2040 import nets
from boards.virtual.standins import machine_buses, machine_uart
from boards.virtual.standins.machine_buses import I2C, SPI  # noqa: F401
from boards.virtual.standins.machine_uart import UART  # noqa: F401

PWRON_RESET = 1
WDT_RESET = 3

_board = None


def attach(board):
    """Act on this board from now on."""
    global _board
    _board = board
    machine_buses.attach(board)
    machine_uart.attach(board)


class Pin:
    """A GPIO."""

    IN = nets.IN
    OUT = nets.OUT
    OPEN_DRAIN = nets.OPEN_DRAIN
    ALT = nets.ALT
    PULL_UP = nets.PULL_UP
    PULL_DOWN = nets.PULL_DOWN
    IRQ_FALLING = 4
    IRQ_RISING = 8

    def __init__(self, id, mode=-1, pull=-1, *, value=None, alt=0):
        if isinstance(id, Pin):
            id = id.net.number
        if isinstance(id, str):
            id = int(id[4:] if id.startswith("GPIO") else "-1")
        if not 0 <= id < len(_board.pins):
            raise ValueError("invalid pin")
        self.net = _board.pins[id]
        self._irq = None
        if mode != -1 or pull != -1 or value is not None:
            self.init(mode, pull, value=value, alt=alt)

    def init(self, mode=-1, pull=-1, *, value=None, alt=0):  # noqa: ARG002  pads are switched by who uses them
        """Configure; the value is latched before the direction changes, so that an output starts with it."""
        net = self.net
        if value is not None:
            net.put(1 if value else 0)
        if mode is None or mode == -1:
            mode = net.mode
        net.configure(mode, None if pull == -1 else pull)

    def __call__(self, value=None):
        net = self.net
        if value is None:
            return net.level
        quick = net.quick
        if quick is None:
            net.put(1 if value else 0)
        elif value:
            net.level = 1
            quick(1, 0)
        else:
            net.level = 0
            quick(0, 0)
        return None

    value = __call__

    def on(self):
        """High."""
        self.net.put(1)

    def off(self):
        """Low."""
        self.net.put(0)

    high = on
    low = off

    def toggle(self):
        """The other level."""
        self.net.put(1 - self.net.written())

    def irq(self, handler=None, trigger=IRQ_FALLING | IRQ_RISING, hard=False):
        """Call `handler(pin)` on edges: from the interrupt (hard) or through the queue (soft)."""
        net = self.net
        if handler is None:
            net.on_interrupt(None)
            return self
        cpu = _board.cpu

        def interrupt(level):
            if not trigger & (8 if level else 4):
                return
            if hard:
                if not cpu.hard(handler, self):
                    net.on_interrupt(None)
            else:
                cpu.soft(handler, self)

        net.on_interrupt(lambda level: _board.interrupt(interrupt, level))
        return self

    def __repr__(self):
        return "Pin(GPIO%d)" % self.net.number


class ADC:
    """A channel of the 12-bit converter: a pin 26 to 29, or a channel 0 to 4."""

    CORE_TEMP = 4

    def __init__(self, id):
        number = id.net.number if isinstance(id, Pin) else id
        if 0 <= number <= 4:
            number += 26
        if not 26 <= number <= 30:
            raise ValueError("Pin doesn't have ADC capabilities")
        self._board = _board
        self._number = number

    def read_u16(self):
        """0 .. 65535 for 0 .. 3.3 V."""
        raw = self._board.adc_raw(self._number)
        return raw << 4 | raw >> 8


class Timer:
    """A software timer on the SDK's alarms (the port has no others: id -1)."""

    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id=-1, **kwargs):
        if id != -1:
            raise ValueError("Timer doesn't exist")
        self._alarm = None
        self._cpu = _board.cpu
        if kwargs:
            self.init(**kwargs)

    def init(self, *, mode=PERIODIC, freq=-1, period=-1, tick_hz=1000, callback=None, hard=False):
        """Start: `freq` in Hz, or `period` in 1 / `tick_hz` s."""
        self.deinit()
        if freq != -1:
            delay_us = int(1_000_000 / freq)
        elif period != -1:
            delay_us = int(period * 1_000_000 // tick_hz)
        else:
            delay_us = 0
        delay_us = max(1, delay_us)
        self._alarm = self._cpu.start_alarm(delay_us, delay_us if mode else 0, callback, self, hard)

    def deinit(self):
        """Stop."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


class WDT:
    """The watchdog: cannot be stopped; 8388 ms at most."""

    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError("WDT(%d) doesn't exist" % id)
        if timeout > 8388:
            raise ValueError("timeout exceeds 8388")
        self._watchdog = _board.watchdog
        self._watchdog.start(max(1, timeout) * 1000)

    def feed(self):
        """Start its time anew."""
        self._watchdog.feed()


class _Memory:
    """mem32: the watchdog's scratch registers keep what is written to them, GPIOn_CTRL tells whether the pad has been
    configured since the last reset of the chip (RP2040 data sheet 2.19.6.1), and the watchdog's REASON why that was
    (4.7.6); nothing else is modelled."""

    def __getitem__(self, address):
        if 0x40014004 <= address < 0x400140F4 and address & 4:
            return 5 if _board.pins[(address - 0x40014004) // 8].configured else 0x1F
        if address == 0x40058008:
            return _board.reset_reason
        return _board.scratch.get(address, 0)

    def __setitem__(self, address, value):
        if 0x4005800C <= address <= 0x40058028:
            _board.scratch[address] = value & 0xFFFFFFFF


mem32 = _Memory()


def reset_cause():
    """Why the RP2040 started: PWRON_RESET or WDT_RESET (machine.reset() reads as that, too)."""
    return _board.reset_cause


def reset():
    """Restart the RP2040."""
    raise Reset("reset")


def soft_reset():
    """Restart MicroPython alone."""
    raise Reset("soft")


def unique_id():
    """The flash chip's number."""
    return _board.unique_id


def disable_irq():
    """No interrupts from here on; returns the state to give back to enable_irq."""
    state = 0 if _board.clock.cpu_blocked else 1
    _board.clock.cpu_blocked = True
    return state


def enable_irq(state=1):
    """Back to the state that disable_irq returned."""
    if state:
        _board.clock.release()


def idle():
    """Wait for an interrupt."""
    _board.clock.next_event()


def lightsleep(time_ms=None):
    """Sleep for `time_ms`, or until an interrupt."""
    if time_ms is None:
        idle()
    else:
        _board.clock.sleep(time_ms * 1000)


def freq(hz=None):
    """The core's clock, Hz."""
    return 125_000_000 if hz is None else None
