"""A real littlefs on the simulated flash: what the firmware's raw blocks live beside (DR-12, DR-13)."""

import random

from littlefs import LittleFS, LittleFSError
from littlefs.context import UserContext

from boards.virtual.rp2040.flash import BLOCK
from openkh.drivers import flash as driver


class Context(UserContext):
    """littlefs on the chip, as MicroPython's port does it: 256-byte pages, 4096-byte blocks."""

    def __init__(self, chip):
        super().__init__(0)
        self.chip = chip

    def read(self, _cfg, block, off, size):
        buf = bytearray(size)
        self.chip.readblocks(block, buf, off)
        return buf

    def prog(self, _cfg, block, off, data):
        self.chip.writeblocks(block, data, off)
        return 0

    def erase(self, _cfg, block):
        self.chip.ioctl(6, block)
        return 0

    def sync(self, _cfg):
        return 0


class Files:
    """open and os.mkdir on that littlefs."""

    def __init__(self, chip, fresh=False):
        self.fs = LittleFS(
            context=Context(chip),
            block_size=BLOCK,
            block_count=chip.blocks,
            read_size=256,
            prog_size=256,
            cache_size=1024,
            lookahead_size=128,
            mount=False,
        )
        if fresh:
            self.fs.format()
        self.fs.mount()

    def open(self, path, mode):
        try:
            return self.fs.open(path, mode)
        except LittleFSError as error:
            raise OSError(error.code) from None

    def mkdir(self, path):
        try:
            self.fs.mkdir(path)
        except LittleFSError as error:
            raise OSError(error.code) from None

    def create(self, chip, count, seed=1):
        return driver.create(chip, count, self.open, self.mkdir, random.Random(seed).randbytes)
