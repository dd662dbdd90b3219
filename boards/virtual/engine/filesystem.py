"""The filesystem on the flash of a board that is being provisioned: MicroPython's own littlefs, mounted where the
firmware keeps its raw blocks (FOLDER of drivers/flash.py). Only the unix port has littlefs.

An exception of the simulation, such as a power cut, goes through littlefs' C code; that instance is then thrown away.
"""

FOLDER = "/blocks"
_MAGIC = b"littlefs"  # at 8 of block 0 or 1


class _Device:
    """The flash as littlefs sees it until the supply goes: a file that is closed later writes nothing any more."""

    def __init__(self, flash):
        self._flash = flash
        self.there = True

    def _alive(self):
        if not self.there:
            raise OSError(19)

    def readblocks(self, block, buf, offset=0):
        """See rp2.Flash."""
        self._alive()
        self._flash.readblocks(block, buf, offset)

    def writeblocks(self, block, buf, offset=None):
        """See rp2.Flash."""
        self._alive()
        self._flash.writeblocks(block, buf, offset)

    def ioctl(self, op, arg):
        """See rp2.Flash."""
        self._alive()
        return self._flash.ioctl(op, arg)


class Filesystem:
    """The filesystem: `mount` is called at a start, as the port's own _boot.py does it, `drop` at its end."""

    def __init__(self, flash):
        self._flash = flash
        self._device = None

    def mount(self):
        """Mount the filesystem, which is made first where there is none."""
        import vfs

        self._device = _Device(self._flash)
        try:
            files = vfs.VfsLfs2(self._device, progsize=256)
        except OSError:
            vfs.VfsLfs2.mkfs(self._device, progsize=256)
            files = vfs.VfsLfs2(self._device, progsize=256)
        vfs.mount(files, FOLDER)

    def drop(self):
        """Let go of the filesystem, because the program has ended."""
        if self._device is None:
            return
        import vfs

        self._device.there = False
        self._device = None
        vfs.umount(FOLDER)


def of(flash, blank):
    """The filesystem on the flash of a blank board, or of one that was blank once; None where it came laid out.

    ValueError where the interpreter has no littlefs.
    """
    if not blank and _MAGIC not in (bytes(flash.memory[8:16]), bytes(flash.memory[4104:4112])):
        return None
    try:
        from vfs import VfsLfs2  # noqa: F401
    except ImportError:
        raise ValueError('a blank board with memory = "flash": allowed on the engine micropython') from None
    return Filesystem(flash)
