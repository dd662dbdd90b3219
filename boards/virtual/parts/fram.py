"""MB85RC256V / FM24CL64B: I2C FRAM, byte for byte.

MB85RC256V data sheet DS501-00017 (Fujitsu): two address bytes of which the highest bits are ignored (p.7), sequential
write and read that wrap at the end of the memory (p.8-10), a byte is in the memory when it is acknowledged (no write
time), 10^12 accesses a row of 8 bytes, reads included (p.1). FM24CL64B: the same protocol with 8 KiB, 10^14.
"""

from boards.virtual.rng import Rng

ROW = 8


class Fram:
    """I2C device (write, read, stop). Faults: `silent`, `stuck`, `bit_error_rate`.

    `cut_in`: so many bytes more are written, then the supply is gone and `on_cut()` is called.
    `accesses` counts reads and writes of each row if `count_wear`.
    """

    def __init__(self, size=32768, seed=1, count_wear=True):
        self.size = size
        self.memory = bytearray(size)
        self.silent = False
        self.stuck = False  # the data line is held low: everything looks acknowledged, reads are zero, nothing is kept
        self.bit_error_rate = 0.0
        self.cut_in = -1
        self.on_cut = None
        self.accesses = [0] * (size // ROW) if count_wear else None
        self._rng = Rng(seed, 50)
        self._at = 0
        self._powered = True

    def power(self, on):
        """The supply comes or goes. The memory stays, the address pointer does not."""
        self._powered = on
        self._at = 0
        self.cut_in = -1

    def write(self, data):
        """One write transfer: address, then data. How many bytes were acknowledged, -1 for no answer."""
        if self.silent or not self._powered:
            return -1
        if self.stuck:
            return len(data)
        count = len(data)
        if self.bit_error_rate:
            data = self._disturbed(data)
        if count == 0:
            return 0
        if count == 1:
            self._at = (data[0] << 8) % self.size
            return 1
        at = (data[0] << 8 | data[1]) % self.size
        todo = count - 2
        cut = 0 <= self.cut_in < count
        if cut:
            todo = max(0, self.cut_in - 2)
        elif self.cut_in >= 0:
            self.cut_in -= count
        memory = self.memory
        end = at + todo
        if end <= self.size:
            memory[at:end] = data[2 : 2 + todo]
        else:
            for i in range(todo):
                memory[(at + i) % self.size] = data[2 + i]
        if todo:
            self._wear(at, todo)
        self._at = end % self.size
        if cut:
            self.power(False)
            if self.on_cut is not None:
                self.on_cut()
            return -1
        return count

    def read(self, buf):
        """Fill `buf` from the address pointer; False for no answer."""
        if self.silent or not self._powered:
            return False
        count = len(buf)
        if self.stuck:
            for i in range(count):
                buf[i] = 0
            return True
        at = self._at
        end = at + count
        if end <= self.size:
            buf[:] = self.memory[at:end]
        else:
            for i in range(count):
                buf[i] = self.memory[(at + i) % self.size]
        self._wear(at, count)
        self._at = end % self.size
        if self.bit_error_rate:
            buf[:] = self._disturbed(buf)
        return True

    def stop(self):
        """STOP condition: nothing to do, every acknowledged byte is in the memory already."""

    def worst_row(self):
        """Most accesses that any row has had."""
        return max(self.accesses)

    def _wear(self, at, count):
        accesses = self.accesses
        if accesses is not None:
            for row in range(at // ROW, (at + count - 1) // ROW + 1):
                accesses[row % len(accesses)] += 1

    def _disturbed(self, data):
        out = bytearray(data)
        limit = int(self.bit_error_rate * 2147483647)
        rng = self._rng
        for i in range(len(out)):
            for bit in range(8):
                if rng.below(2147483647) < limit:
                    out[i] ^= 1 << bit
        return out
