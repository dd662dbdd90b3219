"""The wires of SPI and I2C: which device is selected, and what comes back when none is, or several are.

A controller, which is in the stand-in for `machine`, puts bytes on them.
"""

NAK = 5  # errno EIO
TIMEOUT = 110  # errno ETIMEDOUT


class SpiBus:
    """One SPI controller's lines. A device has cs(level, t_us), exchange(tx, rx), clock_rate(hz) and idle_miso().

    `alone`: of a device that is alone on the bus, where the clock's phase is right, its `exchange` and the net of its
    chip select: while that is low, it may be asked without this class. Else None.
    """

    def __init__(self):
        self.alone = None
        self._slots = []  # (device, net of its chip select)
        self._late = False
        self._hertz = 1_000_000

    def attach(self, device, cs):
        """Hang `device` on the bus, selected by a low level on net `cs`."""
        device.clock_rate(self._hertz)
        self._slots.append((device, cs))
        self._see_alone()
        cs.quiet()
        cs.listen(device.cs)
        if not cs.level:
            device.cs(0, 0)

    def _see_alone(self):
        self.alone = None
        if len(self._slots) == 1 and not self._late:
            device, cs = self._slots[0]
            self.alone = (device.exchange, cs)

    def clock_mode(self, polarity, phase):
        """Set the controller's mode. Modes 0 and 3 sample on the rising edge, as the front ends do, 1 and 2 an edge
        off."""
        self._late = polarity != phase
        self._see_alone()

    def clock_rate(self, hertz):
        """Set the controller's clock."""
        self._hertz = hertz
        for device, _cs in self._slots:
            device.clock_rate(hertz)

    def exchange(self, tx, rx):
        """Clock `tx` out; what comes back goes into `rx` (bytearray of the same length, or None)."""
        if rx is not None:
            _fill(rx, 0)  # nobody drives MISO: the pad's pull-down
        for device, cs in self._slots:
            if not cs.level:
                device.exchange(tx, rx)
        if rx is None:
            return
        for device, cs in self._slots:
            if cs.level and device.idle_miso():
                _fill(rx, 0xFF)  # an unselected device holds MISO high over everything
        if self._late:
            _shift(rx)


def _fill(buffer, value):
    for i in range(len(buffer)):
        buffer[i] = value


def _shift(buffer):
    """What is read where bits are sampled an edge late: every bit is one place to the right."""
    carry = 0
    for i in range(len(buffer)):
        value = buffer[i]
        buffer[i] = carry | value >> 1
        carry = (value & 1) << 7


class I2cBus:
    """One I2C bus. A device has write(data) -> bytes acknowledged or -1, read(buf) -> bool and stop()."""

    def __init__(self, clock):
        self.stuck = False  # somebody holds SDA low
        self._clock = clock
        self._devices = {}
        self._flying = None

    def attach(self, device, address):
        """Hang `device` on the bus."""
        self._devices[address] = device

    def write(self, address, data, byte_us):
        """START, address, data. Returns how many bytes were acknowledged, -1 where the address was not. A byte takes
        the time of nine bits."""
        device = self._devices.get(address)
        us = byte_us * (len(data) + 1)
        if self._clock.now_us + us < self._clock.next_us or device is None:
            self._clock.spend(us if device is not None else byte_us)
        else:
            # Something is due during this transfer. If it cuts the power, the bytes so far have arrived.
            self._flying = (device, data, self._clock.now_us, byte_us)
            self._clock.spend(us)
            self._flying = None
        return -1 if device is None else device.write(data)

    def read(self, address, buffer, byte_us):
        """START, address, fill `buffer`: False if nobody answered."""
        device = self._devices.get(address)
        self._clock.spend(byte_us * (len(buffer) + 1 if device is not None else 1))
        return device is not None and device.read(buffer)

    def stop(self, address):
        """STOP."""
        device = self._devices.get(address)
        if device is not None:
            device.stop()

    def cut(self):
        """Cut what is on its way, because the power is gone: it is delivered as far as it came, without a STOP."""
        if self._flying is not None:
            device, data, start_us, byte_us = self._flying
            self._flying = None
            arrived = (self._clock.now_us - start_us) // byte_us - 1
            if arrived > 0:
                device.write(bytes(data[: min(arrived, len(data))]))
