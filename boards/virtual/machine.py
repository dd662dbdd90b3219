"""Stand-in for the module `machine` of MicroPython's RP2040 port, on the virtual board given to `attach`.

Names, arguments and errors are the port's (MicroPython 1.27 to 1.29, ports/rp2).
"""

from boards.virtual import nets
from boards.virtual.buses import NAK, TIMEOUT
from boards.virtual.halt import Reset

PWRON_RESET = 1
WDT_RESET = 3

_board = None


def attach(board):
    """Act on this board from now on."""
    global _board
    _board = board


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
        if value is None:
            return self.net.level
        self.net.put(1 if value else 0)
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
        self.net.put(1 - self.net.latch())

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


class SPI:
    """A hardware SPI controller, 0 or 1."""

    MSB = 1
    LSB = 0

    def __init__(
        self, id, baudrate=1_000_000, *, polarity=0, phase=0, bits=8, firstbit=MSB, sck=None, mosi=None, miso=None
    ):
        if id not in (0, 1):
            raise ValueError("SPI(%d) doesn't exist" % id)
        self._clock = _board.clock
        self._cpu = _board.cpu
        for pin in (sck, mosi, miso):
            if pin is not None:
                pin.net.quiet()
                pin.net.configure(nets.ALT, nets.PULL_DOWN)
        self._bus = _board.spi[id]
        self._us = []
        self.init(baudrate, polarity=polarity, phase=phase, bits=bits, firstbit=firstbit)

    def init(self, baudrate=-1, *, polarity=-1, phase=-1, bits=-1, firstbit=-1):
        """Set what is given."""
        if firstbit == SPI.LSB or bits not in (-1, 8):
            raise NotImplementedError("8 bits, MSB first")
        if baudrate != -1:
            self._us = [-(-8_000_000 * n // baudrate) for n in range(65)]
        if polarity != -1 or phase != -1:
            self._bus.clock_mode(polarity, phase)

    def deinit(self):
        """Let the pins go."""

    def write_readinto(self, write_buf, read_buf):
        """Clock `write_buf` out and as many bytes into `read_buf`."""
        n = len(write_buf)
        if n != len(read_buf):
            raise ValueError("buffers must be the same length")
        if self._cpu.attention:
            self._cpu.at_bus(True)
        us = self._us[n] if n < 65 else self._us[64] * n // 64
        clock = self._clock
        t_us = clock.now_us + us
        if t_us < clock.next_us:
            clock.now_us = t_us
        else:
            clock.spend(us)
        bus = self._bus
        device = bus.selected
        if device is not None and bus.plain:
            device.exchange(write_buf, read_buf)
        else:
            bus.exchange(write_buf, read_buf)

    def write(self, buf):
        """Clock `buf` out."""
        n = len(buf)
        if self._cpu.attention:
            self._cpu.at_bus(True)
        self._clock.spend(self._us[n] if n < 65 else self._us[64] * n // 64)
        self._bus.exchange(buf, None)

    def readinto(self, buf, write=0):
        """Read into `buf` while clocking out `write`."""
        self.write_readinto(bytes([write]) * len(buf), buf)

    def read(self, nbytes, write=0):
        """Read `nbytes` while clocking out `write`."""
        buf = bytearray(nbytes)
        self.readinto(buf, write)
        return bytes(buf)


class I2C:
    """A hardware I2C controller, 0 or 1."""

    def __init__(self, id, *, freq=400_000, scl=None, sda=None, timeout=50_000):
        if id not in (0, 1):
            raise ValueError("I2C(%d) doesn't exist" % id)
        self._cpu = _board.cpu
        self._clock = _board.clock
        for pin in (scl, sda):
            if pin is not None:
                pin.net.quiet()
                pin.net.configure(nets.ALT, nets.PULL_UP)
        self._bus = _board.i2c[id]
        self._byte_us = -(-9_000_000 // freq)
        self._timeout_us = timeout

    def _start(self):
        if self._cpu.attention:
            self._cpu.at_bus(False)
        if self._bus.stuck:
            self._clock.spend(self._timeout_us)
            raise OSError(TIMEOUT, "ETIMEDOUT")

    def writeto(self, addr, buf, stop=True):
        """Write; returns how many bytes were acknowledged. OSError where the address was not."""
        self._start()
        acked = self._bus.write(addr, buf, self._byte_us)
        if acked < 0 or stop:
            self._bus.stop(addr)
        if acked < 0:
            raise OSError(NAK, "EIO")
        return acked

    def writevto(self, addr, vector, stop=True):
        """Write several buffers as one message."""
        return self.writeto(addr, b"".join([bytes(part) for part in vector]), stop)

    def readfrom_into(self, addr, buf, stop=True):
        """Read into `buf`."""
        self._start()
        answered = self._bus.read(addr, buf, self._byte_us)
        if not answered or stop:
            self._bus.stop(addr)
        if not answered:
            raise OSError(NAK, "EIO")

    def readfrom(self, addr, nbytes, stop=True):
        """Read `nbytes`."""
        buf = bytearray(nbytes)
        self.readfrom_into(addr, buf, stop)
        return bytes(buf)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        """Write the memory address, then read into `buf`."""
        self.writeto(addr, memaddr.to_bytes(addrsize // 8, "big"), False)
        self.readfrom_into(addr, buf)

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        """Write the memory address, then read `nbytes`."""
        buf = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)
        return bytes(buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        """Write the memory address and `buf`."""
        self.writeto(addr, memaddr.to_bytes(addrsize // 8, "big") + bytes(buf))

    def scan(self):
        """Addresses that answer."""
        found = []
        for address in range(8, 0x78):
            try:
                self.writeto(address, b"")
                found.append(address)
            except OSError:
                pass
        return found


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
    """mem32: the watchdog's scratch registers keep what is written to them; nothing else is modelled."""

    def __getitem__(self, address):
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
