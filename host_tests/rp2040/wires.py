"""From the emulated RP2040's pads to the simulated chips of `boards/virtual`: clock, pins, SPI, I2C and ADC.

The devices are the ones the other engines use; they see bytes, levels and time, and not which engine drives them.
Times they see are microseconds of simulated time since the start of the simulation, which goes on over power cuts.
"""

from collections.abc import Callable

from rp2040py.gpio_pin import GPIOPinState

from host_tests.rp2040.emulator import Chip

ADC_FULL_SCALE_UV = 3_300_000
_TX_EMPTY = 1 << 4  # IC_RAW_INTR_STAT of the RP2040's I2C
_LEVELS = {GPIOPinState.LOW: 0, GPIOPinState.HIGH: 1}


class Clock:
    """The interface of `boards.virtual.clock.Clock` that devices use, on emulated time."""

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
        return min((event[0] for event in self._events if event[1]), default=1 << 62)

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

    def power_up(self, chip: Chip) -> None:
        """Time goes on with this chip's."""
        self._start_us = self._alone_us
        self._chip = chip
        for event in self._events:
            self._arm(event)

    def power_down(self) -> None:
        """The chip is gone; time stands until `pass_to` or the next power-up."""
        self._alone_us = self.now_us
        self._chip = None
        for event in self._events:
            event[2] = None

    def pass_to(self, t_us: int) -> None:
        """Without a chip: let the devices' events up to `t_us` happen."""
        while True:
            due = [event for event in self._events if event[0] <= t_us]
            if not due:
                break
            event = min(due, key=lambda event: event[0])
            self._alone_us = max(self._alone_us, event[0])
            self._fire(event)
        self._alone_us = max(self._alone_us, t_us)

    def _arm(self, event: list) -> None:
        event[2] = self._chip.at((event[0] - self._start_us) * 1000, lambda: self._fire(event))

    def _fire(self, event: list) -> None:
        fn = event[1]
        self.cancel(event)
        if fn:
            fn()


class Pin:
    """One pad and the net it is on. `pull` is the level of an external pull resistor, None where there is none."""

    def __init__(self, chip: Chip, number: int, clock: Clock, pull: int | None = None) -> None:
        self._gpio = chip.mcu.gpio[number]
        self._clock = clock
        self._pull = pull
        self._driven: int | None = None  # from outside
        self._input: int | None = None  # as last given to the emulator
        self._listeners: list[Callable[[int, int], None]] = []
        self.level = self._net()
        self._feed()
        self._gpio.add_listener(self._changed)

    def listen(self, fn: Callable[[int, int], None]) -> None:
        """fn(level, t_us) at every change of the net's level."""
        self._listeners.append(fn)

    def drive(self, level: int | None) -> None:
        """Drive the net from outside, or release it."""
        self._driven = level
        self._update()

    def refresh(self) -> None:
        """After a reset of the chip, which rp2040py does not tell its listeners."""
        self._input = None
        self._update()

    def _net(self) -> int:
        own = _LEVELS.get(self._gpio.value)
        if own is not None:
            return own
        if self._driven is not None:
            return self._driven
        if self._pull is not None:
            return self._pull
        return 1 if self._gpio.value == GPIOPinState.INPUT_PULL_UP else 0

    def _changed(self, _new: int, _old: int) -> None:
        self._update()

    def _update(self) -> None:
        level = self._net()
        self._feed(level)
        if level != self.level:
            self.level = level
            for listener in self._listeners:
                listener(level, self._clock.now_us)

    def _feed(self, level: int | None = None) -> None:
        """rp2040py reads an output pin as 0 and latches an edge again at each repeated level: tell it the net's level,
        at changes only. A net nobody drives is left to the pad's own pulls."""
        if level is None:
            level = self.level
        floating = (
            self._driven is None
            and self._pull is None
            and self._gpio.value not in (GPIOPinState.LOW, GPIOPinState.HIGH)
        )
        if floating:
            if self._input is not None:
                self._input = None
                self._gpio.release_input()
        elif level != self._input:
            self._input = level
            self._gpio.set_input_value(bool(level))


class SpiBus:
    """One SPI controller and the devices on it, each selected by its own CS; bytes take their time on the wire."""

    def __init__(self, chip: Chip, controller: int) -> None:
        self._spi = chip.mcu.spi[controller]
        self._spi.on_transmit = self._transmit
        self._done_alarm = chip.clock.create_alarm(self._done)
        self._devices: list[tuple[Pin, object]] = []
        self._tx = bytearray(1)
        self._rx = bytearray(1)

    def add(self, device, cs: Pin) -> None:
        """`device` has .cs(level), .exchange(tx, rx) and .idle_miso()."""
        self._devices.append((cs, device))
        cs.listen(lambda level, _t_us: device.cs(level))

    def _transmit(self, value: int) -> None:
        self._tx[0] = value
        byte = -1
        for cs, device in self._devices:
            if cs.level == 0:
                device.exchange(self._tx, self._rx)
                byte = self._rx[0] if byte < 0 else byte | self._rx[0]
            else:
                idle = device.idle_miso()
                if idle is not None:
                    idle = 0xFF if idle else 0
                    byte = idle if byte < 0 else byte | idle
        # A line nobody drives: the pad's pull-down, as on the other engines.
        self._answer = 0 if byte < 0 else byte
        self._done_alarm.schedule(1e9 * self._spi.data_bits / (self._spi.clock_frequency or 1e6))

    def _done(self) -> None:
        self._spi.complete_transmit(self._answer)


class I2cBus:
    """One I2C controller and the devices on it (address -> device with .write(data), .read(buf), .stop())."""

    def __init__(self, chip: Chip, controller: int) -> None:
        self._i2c = chip.mcu.i2c[controller]
        self._devices: dict[int, object] = {}
        self._device = None
        self._data = bytearray()
        self._writing = False
        self._later = chip.clock.create_alarm(self._continue)
        self._then: tuple = ()
        i2c = self._i2c
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

    def add(self, device, address: int) -> None:
        self._devices[address] = device

    def _after_bits(self, bits: int, fn, *args) -> None:
        bit_ns = (self._i2c.scl_high_period + self._i2c.scl_low_period) * 8
        self._then = (fn, args)
        self._later.schedule(bits * bit_ns)

    def _continue(self) -> None:
        fn, args = self._then
        fn(*args)

    def _start(self, _repeated: bool) -> None:
        self._deliver()
        self._after_bits(1, self._i2c.complete_start)

    def _connect(self, address: int, mode: int) -> None:
        self._writing = mode == 0
        device = self._devices.get(address)
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
    """The converter's inputs: pin -> microvolts, or a callable that gives them."""

    def __init__(self, chip: Chip, microvolts: dict) -> None:
        self._adc = chip.mcu.adc
        self._microvolts = microvolts
        self._default = self._adc._default_on_adc_read
        self._adc.on_adc_read = self._read

    def _read(self, channel: int) -> None:
        uv = self._microvolts.get(26 + channel, 0)
        if callable(uv):
            uv = uv()
        self._adc.channel_values[channel] = max(0, min(4095, uv * 4096 // ADC_FULL_SCALE_UV))
        self._default(channel)
