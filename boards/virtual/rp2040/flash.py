"""The W25Q16JV, the RP2040's flash: the filesystem's region as rp2.Flash shows it, and what a cut does to NOR flash.

Data sheet (Winbond W25Q16JV): programming only clears bits, a page of 256 bytes in 0.4 ms (3 ms at most); an erase of a
sector of 4 KiB takes 45 ms (400 ms at most); a sector lasts for 100,000 erases. While the flash works, the RP2040 can
neither run code from it nor take interrupts. A power cut in the middle leaves some bits done, some not, and some that
read differently each time.
"""

from boards.virtual.rng import Rng

BLOCK = 4096
PAGE = 256
PROGRAM_US = 400
PROGRAM_WORST_US = 3_000
ERASE_US = 45_000
ERASE_WORST_US = 400_000
MAGIC = b"OpenKh blocks 1\n"


class Flash:
    """`blocks` of 4096 bytes with rp2.Flash's own methods. `clock` spends the times, with `worst` the longest ones.

    Faults: `silent` (all reads ones, nothing kept), `stuck` (nothing kept), `bit_error_rate` (reads). `cut_in`: the
    operation so many from now (0 = the next) is cut at `cut_fraction` of its time and `on_cut()` is called.
    """

    def __init__(self, blocks=352, clock=None, seed=1, worst=False):
        self.blocks = blocks
        self.memory = bytearray(b"\xff" * (blocks * BLOCK))
        self.erases = [0] * blocks
        self.silent = False
        self.stuck = False
        self.bit_error_rate = 0.0
        self.cut_in = -1
        self.cut_fraction = 0.5
        self.on_cut = None
        self.half_erased = 0  # erases that were cut
        self.worst = worst
        self._clock = clock
        self._rng = Rng(seed, 51)
        self._weak = {}  # address -> bits that read by chance
        self._busy = None  # (start_us, length_us, address, data or None for an erase)

    # rp2.Flash

    def readblocks(self, block, buf, offset=0):
        """Fill `buf` from a block."""
        at = block * BLOCK + offset
        count = len(buf)
        self._inside(at, count)
        if self.silent:
            for i in range(count):
                buf[i] = 0xFF
            return
        buf[:] = self.memory[at : at + count]
        if self._weak:
            # In order of addresses on every interpreter, and along the shorter of the two.
            for address in range(at, at + count) if count < len(self._weak) else sorted(self._weak):
                if at <= address < at + count and address in self._weak:
                    buf[address - at] ^= self._weak[address] & self._rng.below(256)
        if self.bit_error_rate:
            # A draw for 256 bits where two of them are hardly wrong at once: the firmware reads hundreds of KB when it
            # starts, and each draw takes heap on 32 bits.
            bits = 256 if self.bit_error_rate <= 1e-3 else 1
            limit = int(self.bit_error_rate * bits * 2147483647)
            for first in range(0, 8 * count, bits):
                if self._rng.below(2147483647) < limit:
                    i = first + (self._rng.below(bits) if bits > 1 else 0)
                    if i < 8 * count:
                        buf[i >> 3] ^= 1 << (i & 7)

    def writeblocks(self, block, buf, offset=None):
        """Without offset: erase, then program; with: program only. Pages of 256 bytes."""
        at = block * BLOCK
        if offset is None:
            for i in range(0, len(buf), BLOCK):
                self._erase(at + i)
        else:
            at += offset
        if at % PAGE or len(buf) % PAGE:
            raise ValueError("flash is programmed in whole pages")
        self._inside(at, len(buf))
        for i in range(0, len(buf), PAGE):
            self._run(PROGRAM_WORST_US if self.worst else PROGRAM_US, at + i, bytes(buf[i : i + PAGE]))
        self._callbacks()

    def ioctl(self, op, arg):
        """Block device control: 4 number of blocks, 5 block size, 6 erase a block."""
        if op == 4:
            return self.blocks
        if op == 5:
            return BLOCK
        if op == 6:
            self._erase(arg * BLOCK)
            self._callbacks()
        return 0 if op in (1, 2, 3, 6) else None

    # The chip

    def power(self, on):
        """The supply comes or goes; an operation that runs is cut."""
        if not on and self._busy is not None:
            start_us, length_us, at, data = self._busy
            self._busy = None
            self._half(at, data, (self._clock.now_us - start_us) / length_us)

    def prepare(self, count, first=40):
        """What the filesystem holds of a provisioned board: `count` empty one-block files and the map of them."""
        entry = bytearray(MAGIC)
        for i in range(count):
            number = first + 1 + i + i // 7  # files lie where there was room
            entry += bytes((number & 255, number >> 8))
        total = sum(entry)
        entry += bytes((255, 255, total & 255, total >> 8 & 255))
        self.memory[first * BLOCK : first * BLOCK + len(entry)] = entry

    def image(self):
        """What the chip holds, to be kept between runs."""
        return bytes(self.memory)

    def load(self, image):
        """Take over an image of the same size."""
        if len(image) != len(self.memory):
            raise ValueError("flash image has %d bytes, not %d" % (len(image), len(self.memory)))
        self.memory[:] = image

    def _callbacks(self):
        """Let what was due meanwhile run at the caller's next byte code."""
        if self._clock is not None and self._clock.run_soft is not None:
            self._clock.run_soft()

    def _inside(self, at, count):
        if at < 0 or at + count > len(self.memory):
            raise OSError(5)

    def _erase(self, at):
        self._inside(at, BLOCK)
        self._run(ERASE_WORST_US if self.worst else ERASE_US, at, None)

    def _run(self, us, at, data):
        """Carry out an operation, which takes its time, in which the power may go."""
        if self.silent or self.stuck:
            return
        if self.cut_in == 0:
            self.cut_in = -1
            self._half(at, data, self.cut_fraction)
            self.on_cut()
            return
        if self.cut_in > 0:
            self.cut_in -= 1
        if self._clock is not None:
            self._busy = (self._clock.now_us, us, at, data)
            try:
                self._clock.stall(us)
            finally:
                # Whatever stopped the CPU, the chip finishes what it has begun, unless power() has cut it.
                busy = self._busy
                self._busy = None
                if busy is not None:
                    self._whole(at, data)
        else:
            self._whole(at, data)

    def _whole(self, at, data):
        memory = self.memory
        if data is None:
            memory[at : at + BLOCK] = b"\xff" * BLOCK
            self.erases[at // BLOCK] += 1
            if self._weak:
                self._weak = {a: self._weak[a] for a in self._weak if not at <= a < at + BLOCK}
            return
        for i in range(len(data)):
            if data[i] != 0xFF:
                memory[at + i] &= data[i]
                if self._weak and at + i in self._weak:
                    self._weak[at + i] &= data[i]

    def _half(self, at, data, fraction):
        """Leave an operation that was cut: each bit that was to change is done, not done, or weak."""
        rng = self._rng
        memory = self.memory
        done = int(max(0.0, min(1.0, fraction)) * 256)
        if data is not None:
            for i in range(len(data)):
                for bit in range(8):
                    mask = 1 << bit
                    if not data[i] & mask and memory[at + i] & mask:
                        if rng.below(256) < done:
                            memory[at + i] &= 255 ^ mask
                        elif rng.below(16) == 0:
                            self._weak[at + i] = self._weak.get(at + i, 0) | mask
            return
        self.erases[at // BLOCK] += 1
        self.half_erased += 1
        # First the chip programs everything to 0 (a third of the time), then the bits rise to 1.
        clearing = done < 85
        level = done * 3 if clearing else (done - 85) * 256 // 171
        for i in range(at, at + BLOCK):
            chance = rng.below(65536)
            if clearing:
                if (chance & 255) < level:
                    memory[i] &= chance >> 8
            elif (chance & 255) < level:
                memory[i] = 0xFF if chance & 0x300 else chance >> 8
            else:
                memory[i] &= chance >> 8
            if chance & 127 == 5:
                self._weak[i] = 1 << (chance >> 13)
