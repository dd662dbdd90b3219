"""The emulated RP2040's pads, wired to the simulated chips of `boards/virtual`: clock, pins, SPI, I2C and ADC.

They stand where `clock`, `nets` and `buses` of `boards.virtual.rp2040` stand on the other engines and have the same
methods, so that devices and the board's composition do not see which engine it is. All of them outlive a power cut:
`connect` joins them to the chip that has power now. Times are microseconds of simulated time since the start.
"""

from collections.abc import Callable

from rp2040py.gpio_pin import GPIOPinState

from host.rp2040.emulator import Chip

ADC_FULL_UV = 3_300_000
NEVER = 1 << 62
_TX_EMPTY = 1 << 4  # IC_RAW_INTR_STAT of the RP2040's I2C
_LEVELS = {GPIOPinState.LOW: 0, GPIOPinState.HIGH: 1}


class Clock:
    """Simulated time; runs with a powered chip's emulated time, and by `pass_to` without one."""

    def __init__(self) -> None:
        self._chip: Chip | None = None
        self._start_us = 0  # simulated time at the chip's power-up
        self._alone_us = 0  # simulated time while no chip is powered
        self._events: list[list] = []  # [t_us, fn or None, alarm or None]

    @property
    def now_us(self) -> int:
        return self._alone_us if self._chip is None else self._start_us + self._chip.ns // 1000

    @property
    def next_us(self) -> int:
        return min((event[0] for event in self._events), default=NEVER)

    def at(self, t_us: int, fn: Callable[[], None], cpu: bool = False) -> list:  # noqa: ARG002  same signature
        """Call `fn()` at simulated time `t_us`; a handle for `cancel`."""
        event = [t_us, fn, None]
        self._events.append(event)
        if self._chip is not None:
            self._arm(event)
        return event

    def cancel(self, event: list) -> None:
        event[1] = None
        if event[2] is not None:
            event[2].cancel()
        if event in self._events:
            self._events.remove(event)

    def connect(self, chip: Chip) -> None:
        self._start_us = self._alone_us
        self._chip = chip
        for event in self._events:
            self._arm(event)

    def disconnect(self) -> None:
        """The chip is gone; time stands until `pass_to` or the next chip."""
        self._alone_us = self.now_us
        self._chip = None
        for event in self._events:
            event[2] = None

    def chip_ns(self, t_us: int) -> int:
        """Simulated time as the powered chip's emulated time."""
        return (t_us - self._start_us) * 1000

    def pass_to(self, t_us: int) -> None:
        """Without a chip: let everything up to `t_us` happen."""
        while self.next_us <= t_us:
            event = min(self._events, key=lambda event: event[0])
            self._alone_us = max(self._alone_us, event[0])
            self._fire(event)
            if self._chip is not None:
                return
        self._alone_us = max(self._alone_us, t_us)

    def _arm(self, event: list) -> None:
        event[2] = self._chip.at(self.chip_ns(event[0]), lambda: self._fire(event))

    def _fire(self, event: list) -> None:
        fn = event[1]
        self.cancel(event)
        if fn:
            fn()


class Net:
    """One GPIO with the wire that hangs on it."""

    def __init__(self, clock: Clock, number: int) -> None:
        self.number = number
        self.level = 0
        self._clock = clock
        self._gpio = None
        self._board_pull: int | None = None
        self._rise_us = 0
        self._rising_us = -1  # since when the pad's pull-up alone charges what is at the pin; -1: it is discharged
        self._outside: int | None = None
        self._told: int | None = None  # the level as last given to the emulator
        self._listeners: list[Callable[[int, int], None]] = []

    def connect(self, chip: Chip) -> None:
        self._gpio = chip.mcu.gpio[self.number]
        self._gpio.add_listener(lambda _new, _old: self.settle())
        self._told = None
        self.settle()

    def disconnect(self) -> None:
        """No chip has power: the pads drive nothing."""
        self._gpio = None
        self.settle()

    def board_pull(self, level: int | None) -> None:
        """A resistor on the board pulls to `level`."""
        self._board_pull = level
        self.settle()

    def capacitor(self, rise_us: int) -> None:
        """A capacitor at the pin: by the pad's pull-up alone it takes `rise_us` to a high level."""
        self._rise_us = rise_us
        self.settle()

    def listen(self, fn: Callable[[int, int], None]) -> None:
        """fn(level, t_us) at every change from now on."""
        self._listeners.append(fn)

    def drive(self, level: int | None) -> None:
        """Somebody other than the CPU drives the wire, or lets go."""
        if level != self._outside:
            self._outside = level
            self.settle()

    def quiet(self) -> None:
        """Only of use where hard timers may be skipped."""

    def settle(self) -> None:
        """Find the wire's level; after a reset of the chip too, which rp2040py does not tell its listeners."""
        pad = GPIOPinState.INPUT_PULL_DOWN if self._gpio is None else self._gpio.value
        own = _LEVELS.get(pad)
        if own is not None:
            level = own
        elif self._outside is not None:
            level = self._outside
        elif self._board_pull is not None:
            level = self._board_pull
        else:
            level = self._pulled_up(pad == GPIOPinState.INPUT_PULL_UP)
        if own is not None or self._outside is not None:
            self._rising_us = -1
        # rp2040py reads an output pin as 0, and takes a repeated level for a new edge: tell it the level, at changes.
        if self._gpio is not None and level != self._told:
            self._told = level
            self._gpio.set_input_value(bool(level))
        if level != self.level:
            self.level = level
            for listener in self._listeners:
                listener(level, self._clock.now_us)

    def _pulled_up(self, pulled_up: bool) -> int:
        """The level by the pad's own pulls, once what is at the pin is charged."""
        if not pulled_up:
            self._rising_us = -1
            return 0
        now_us = self._clock.now_us
        if self._rising_us < 0:
            self._rising_us = now_us
            if self._rise_us:
                self._clock.at(now_us + self._rise_us, self.settle)
        return int(now_us - self._rising_us >= self._rise_us)


class SpiBus:
    """One SPI controller's lines and the devices on it; a byte takes its time on the wire."""

    def __init__(self, controller: int) -> None:
        self._controller = controller
        self._spi = None
        self._slots: list[list] = []  # [device, what stands in its place, net of its CS]
        self._tx = bytearray(1)
        self._rx = bytearray(1)
        self._answer = 0

    def connect(self, chip: Chip) -> None:
        self._spi = chip.mcu.spi[self._controller]
        self._spi.on_transmit = self._transmit
        self._done_alarm = chip.clock.create_alarm(lambda: self._spi.complete_transmit(self._answer))

    def attach(self, device, cs: Net) -> None:
        """`device` has .cs(level), .exchange(tx, rx) and .idle_miso(); selected by a low level on `cs`."""
        slot = [device, device, cs]
        self._slots.append(slot)
        cs.listen(lambda level, _t_us: slot[1].cs(level))
        if not cs.level:
            device.cs(0)

    def replace(self, device, substitute) -> None:
        """From now on `substitute` stands in the place of `device` (itself: mended)."""
        for slot in self._slots:
            if slot[0] is device:
                slot[1] = substitute

    def _transmit(self, value: int) -> None:
        self._tx[0] = value
        self._rx[0] = 0  # nobody drives MISO: the pad's pull-down
        for _, target, cs in self._slots:
            if not cs.level:
                target.exchange(self._tx, self._rx)
        answer = self._rx[0]
        for _, target, cs in self._slots:
            if cs.level and target.idle_miso():
                answer = 0xFF  # an unselected device holds MISO high over everything
        self._answer = answer
        self._done_alarm.schedule(1e9 * self._spi.data_bits / (self._spi.clock_frequency or 1e6))


class I2cBus:
    """One I2C controller's lines and the devices on it.

    A device has .write(data) -> bytes acknowledged or -1, .read(buf) and .stop().
    """

    def __init__(self, controller: int) -> None:
        self.stuck = False
        self._controller = controller
        self._i2c = None
        self._devices: dict[int, object] = {}
        self._targets: dict[int, object] = {}
        self._device = None
        self._data = bytearray()
        self._writing = False
        self._then: tuple = ()

    def connect(self, chip: Chip) -> None:
        i2c = self._i2c = chip.mcu.i2c[self._controller]
        self._later = chip.clock.create_alarm(self._continue)
        self._device = None
        self._data.clear()
        i2c.on_start = self._start
        i2c.on_connect = self._connect
        i2c.on_write_byte = self._write
        i2c.on_read_byte = self._read
        i2c.on_stop = self._stop
        # rp2040py reports "transmitter empty" when it takes a byte from the FIFO, the silicon when the byte is out
        # (TX_EMPTY_CTRL) or flushed by an abort, which is what MicroPython's driver waits for.
        raise_interrupts, abort = i2c._set_interrupts, i2c._abort
        self._empty = lambda: raise_interrupts(_TX_EMPTY)
        i2c._set_interrupts = lambda mask: raise_interrupts(mask & ~_TX_EMPTY) if mask & ~_TX_EMPTY else None

        def flush(reason: int) -> None:
            abort(reason)
            self._empty()

        i2c._abort = flush

    def attach(self, device, address: int) -> None:
        self._devices[address] = device
        self._targets[address] = device

    def replace(self, device, substitute) -> None:
        """`substitute` answers in the place of `device` from now on (itself: mended)."""
        for address, there in self._devices.items():
            if there is device:
                self._targets[address] = substitute

    def cut(self) -> None:
        """The power is cut: what was on its way is delivered as far as it came, without a STOP."""
        self._deliver()
        self._device = None

    def _after_bits(self, bits: int, fn, *args) -> None:
        if self.stuck:
            return  # SDA or SCL held low: nothing goes on, the driver times out
        self._then = (fn, args)
        self._later.schedule(bits * 8 * (self._i2c.scl_high_period + self._i2c.scl_low_period))

    def _continue(self) -> None:
        fn, args = self._then
        fn(*args)

    def _start(self, _repeated: bool) -> None:
        self._deliver()
        self._after_bits(1, self._i2c.complete_start)

    def _connect(self, address: int, mode: int) -> None:
        self._writing = mode == 0
        device = self._targets.get(address)
        if device is not None and device.write(b"") < 0:
            device = None  # it is there and does not answer
        self._device = device
        self._after_bits(9, self._i2c.complete_connect, device is not None)

    def _write(self, value: int) -> None:
        self._data.append(value)
        self._after_bits(9, self._written)

    def _written(self) -> None:
        self._empty()
        self._i2c.complete_write(True)

    def _read(self, _ack: bool) -> None:
        byte = bytearray(1)
        if self._device is not None and not self._device.read(byte):
            byte[0] = 0xFF
        self._after_bits(9, self._i2c.complete_read, byte[0])

    def _stop(self) -> None:
        self._deliver()
        if self._device is not None:
            self._device.stop()
            self._device = None
        self._after_bits(1, self._i2c.complete_stop)

    def _deliver(self) -> None:
        """A message is over: hand it to the device whole."""
        if self._writing and self._data and self._device is not None:
            self._device.write(bytes(self._data))
        self._data.clear()
        self._writing = False


class Adc:
    """The converter's inputs: `adc_uv` is pin -> microvolts, or a function that returns them."""

    def __init__(self, adc_uv: dict) -> None:
        self._adc_uv = adc_uv

    def connect(self, chip: Chip) -> None:
        adc = chip.mcu.adc
        convert = adc._default_on_adc_read

        def read(channel: int) -> None:
            uv = self._adc_uv.get(26 + channel, 0)
            if callable(uv):
                uv = uv()
            adc.channel_values[channel] = min(4095, max(0, int(uv) * 4095 // ADC_FULL_UV))
            convert(channel)

        adc.on_adc_read = read
