"""A slot's `boot`: mounts the slot's bundle at /fw and runs the boot.py that is in it.

The bundle is one file (`deploy.bundle` makes it): a line `openkh-bundle INDEX_BYTES MODULES_BYTES`, the index, the
modules one after the other. The index is a line for each folder: its path, a space, and `/name offset size` for each
module in it. To import from one open file takes half the time of a file a module.
"""

import io
import sys

import vfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = 0x8000
_FOLDER = (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
_ENOENT = 2
_GET_BUFFER_SIZE = 11  # of MicroPython's stream protocol
_BUFFER_BYTES = 255  # the most that an import takes at once
_NUMBERED = "/openkh/app.mpy"  # whose names begin a row
_PLACES = 64  # of names that MicroPython remembers
_NUMBER_SHIFT = 3  # id() of a name is its number and three more bits


class _Module(io.IOBase):
    """The module opened last. Its `readinto` is the bundle file's own: whoever reads stops after the module's size."""

    def ioctl(self, request: int, _argument: int) -> int:
        return _BUFFER_BYTES if request == _GET_BUFFER_SIZE else 0


class _Bundle:
    """A file system, as far as `import`, os.stat and os.listdir ask for one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._module = _Module()
        self._take_up()

    def _take_up(self) -> None:
        """Open the file and read its index: bytes, because to make a str searches all names there are."""
        self._file = file = open(self._path, "rb")  # noqa: SIM115  stays open for the imports to come
        self._module.readinto = file.readinto
        magic, index, modules = file.readline().split()
        if magic != b"openkh-bundle":
            raise ValueError("no bundle")
        self._folders = folders = {}
        for line in file.read(int(index)).split(b"\n"):
            folder, _, inside = line.partition(b" ")
            folders[folder] = inside
        self._modules_at = file.tell()
        if file.seek(0, 2) != self._modules_at + int(modules):
            raise ValueError("a bundle cut short")

    def rest(self) -> None:
        """Let go of the file and its index; the next import takes them up again."""
        self._file.close()
        self._file = self._folders = self._module.readinto = None

    def mount(self, _readonly: bool, _mkfs: bool) -> None:
        pass

    def _place(self, path: str) -> "list[bytes] | None":
        """[offset, size] of a module, None of a folder. OSError where there is neither."""
        if self._folders is None:
            self._take_up()
        key = path.encode()
        if key in self._folders:
            return None
        at = key.rfind(b"/")
        inside = self._folders.get(key[:at], b"")
        key = key[at:] + b" "
        at = inside.find(key)
        if at < 0:
            raise OSError(_ENOENT)
        return inside[at + len(key) :].split(b"/", 1)[0].split()

    def stat(self, path: str) -> "tuple[int, ...]":
        place = self._place(path)
        return (_FILE, 0, 0, 0, 0, 0, int(place[1]), 0, 0, 0) if place else _FOLDER

    def open(self, path: str, _mode: str) -> _Module:
        if path == _NUMBERED:
            self._begin_row()
        self._seek(path)
        return self._module

    def _seek(self, path: str) -> int:
        """Go to where a file of the bundle begins; its size."""
        offset, size = self._place(path)
        self._file.seek(self._modules_at + int(offset))
        return int(size)

    def _begin_row(self) -> None:
        """Have MicroPython number names until the next one gets a number that PLACES divides. It remembers where it
        found a name last by the number's rest, and the firmware's names stand in an order that minds this."""
        for name in self._file.read(self._seek("/names")).split(b" "):
            keeper = _Keeper()
            setattr(keeper, str(name, "ascii"), None)
            if (id(next(iter(keeper.__dict__))) >> _NUMBER_SHIFT) % _PLACES == _PLACES - 1:
                return

    def ilistdir(self, path: str) -> "Iterator[tuple[str, int, int]]":
        path = path.rstrip("/")
        self._place(path)
        for entry in self._folders[path.encode()].decode().split("/")[1:]:
            yield entry.split(" ")[0], _FILE, 0
        for folder in self._folders:
            folder = folder.decode()
            if folder and folder[: folder.rfind("/")] == path:
                yield folder[len(path) + 1 :], _FOLDER[0], 0


class _Keeper:
    """Has an attribute, for whose name MicroPython then has a number."""


def rest() -> None:
    """The firmware has started: let go of what only its start needs, and give the prompt its usual path."""
    _bundle.rest()
    sys.path += ("", "/lib")


_slot = __file__[: __file__.rfind("/")]
_bundle = _Bundle(_slot + "/bundle")
vfs.mount(_bundle, "/fw" + _slot)
sys.path[:] = ("/fw" + _slot, ".frozen")  # and nothing else while the firmware starts: each folder costs 5 ms an import
sys.modules.pop(__name__)
import boot  # noqa: E402  the bundle's

prompt = boot.prompt
