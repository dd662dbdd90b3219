"""The FRAM on I2C, an MB85RC256V or an FM24CL64B, byte by byte.

MB85RC256V data sheet DS501-00017 (Fujitsu): an address has two bytes, of which the highest bits are ignored (p.7);
writing and reading go on from the first byte at the end of the memory (p.8-10); a byte is in the memory once it is
acknowledged, without any time to write; each row of 8 bytes lasts for 10^12 accesses, reads included (p.1). The
FM24CL64B has the same protocol, 8 KiB and 10^14 accesses.
"""

from boards.virtual.rng import Rng

ROW = 8


class Fram:
    """The memory as an I2C device (write, read, stop). Its faults are `silent`, `stuck` and `bit_error_rate`.

    `cut_in`: after so many further bytes written the supply is gone and `on_cut()` is called. With `count_wear`
    `accesses` counts the reads and writes of each row.
    """

    def __init__(self, size=32768, seed=1, count_wear=True):
        self.size = size
        self.memory = bytearray(size)
        self.silent = False
        self.stuck = False  # the data line is held low: all looks acknowledged, reads give zeros, and nothing is kept
        self.bit_error_rate = 0.0
        self.cut_in = -1
        self.on_cut = None
        self.accesses = [0] * (size // ROW) if count_wear else None
        self._rng = Rng(seed, 50)
        self._at = 0
        self._powered = True

    def power(self, on):
        """The supply comes or goes. The memory keeps its bytes over it, but not its address pointer."""
        self._powered = on
        self._at = 0
        self.cut_in = -1

    def write(self, data):
        """One write transfer: an address, then data. Returns how many bytes were acknowledged, -1 where nobody
        answers."""
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
        """Fill `buf` from the address pointer on; False where nobody answers."""
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
        """A STOP condition: does nothing, because every acknowledged byte is in the memory already."""

    def worst_row(self):
        """How many accesses the row has had that was used most."""
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
