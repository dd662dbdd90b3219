"""SPI and I2C of the stand-in for `machine` (machine.py): they put bytes on the wires of rp2040/buses.py."""

from boards.virtual.rp2040 import nets
from boards.virtual.rp2040.buses import NAK, TIMEOUT

_board = None


def attach(board):
    """Act on this board from now on."""
    global _board
    _board = board


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
        self.write_readinto = transfer(self._bus, self._us, self._clock, self._cpu)
        self.init(baudrate, polarity=polarity, phase=phase, bits=bits, firstbit=firstbit)

    def init(self, baudrate=-1, *, polarity=-1, phase=-1, bits=-1, firstbit=-1):
        """Set what is given."""
        if firstbit == SPI.LSB or bits not in (-1, 8):
            raise NotImplementedError("8 bits, MSB first")
        if baudrate != -1:
            self._us[:] = [-(-8_000_000 * n // baudrate) for n in range(65)]
            self._bus.clock_rate(baudrate)
        if polarity != -1 or phase != -1:
            self._bus.clock_mode(polarity, phase)

    def deinit(self):
        """Let the pins go."""

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


def transfer(bus, us, clock, cpu):
    """SPI.write_readinto: a function that has what it needs in variables of this one, where MicroPython finds it at
    once. us: how long so many bytes take."""

    def write_readinto(write_buf, read_buf, bus=bus, us=us, clock=clock, cpu=cpu):
        """Clock `write_buf` out and as many bytes into `read_buf`."""
        n = len(write_buf)
        if n != len(read_buf):
            raise ValueError("buffers must be the same length")
        if cpu.attention:
            cpu.at_bus(True)
        t_us = clock.now_us + (us[n] if n < 65 else us[64] * n // 64)
        if t_us < clock.next_us:
            clock.now_us = t_us
        else:
            clock.spend(t_us - clock.now_us)
        alone = bus.alone
        if alone is None:
            bus.exchange(write_buf, read_buf)
            return
        exchange, cs = alone
        if cs.level:
            bus.exchange(write_buf, read_buf)
        else:
            exchange(write_buf, read_buf)

    return write_readinto


class I2C:
    """A hardware I2C controller, 0 or 1."""

    def __init__(self, id, *, freq=400_000, scl=None, sda=None, timeout=50_000):
        if id not in (0, 1):
            raise ValueError("I2C(%d) doesn't exist" % id)
        self._cpu = _board.cpu
        self._clock = _board.clock
        self._nets = [pin.net for pin in (scl, sda) if pin is not None]
        for net in self._nets:
            net.quiet()
            net.configure(nets.ALT, nets.PULL_UP, self)
        self._bus = _board.i2c[id]
        self._byte_us = -(-9_000_000 // freq)
        self._timeout_us = timeout

    def _start(self):
        if self._cpu.attention:
            self._cpu.at_bus(False)
        wired = True
        for net in self._nets:
            wired = wired and net.user is self
        if self._bus.stuck or not wired:
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
