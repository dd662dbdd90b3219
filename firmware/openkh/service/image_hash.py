"""SHA-256 over the firmware's files as they lie on the device: it tells exactly which software this is."""

import hashlib
import os
from binascii import hexlify

import openkh

_PORTION = 512  # bytes that are read at once
_TOP = ("boot", "main", "board", "glass", "parts")
_DIRECTORY = 0x4000  # the bit of os.stat's mode


def of_firmware() -> "tuple[int, str]":
    """The number of files, and the hash over names and contents in the order of the names, as 64 hexadecimal digits."""
    package = openkh.__file__
    package = package[: package.rfind("/")]
    root = package[: package.rfind("/") + 1]
    names: list[str] = []
    _walk(root, "openkh", names)
    for name in os.listdir(root or "."):
        if _is_code(name) and name[: name.rfind(".")] in _TOP:
            names.append(name)
    digest = hashlib.sha256()
    buf = bytearray(_PORTION)
    view = memoryview(buf)
    for name in sorted(names):
        digest.update((name + "\n").encode())
        # Only as many bytes as the file has: in a slot's bundle (scripts/host/flash/launcher/slot.py) the next module
        # follows it, and what opens it there has no close().
        left = os.stat(root + name)[6]
        file = open(root + name, "rb")  # noqa: SIM115
        while left:
            count = file.readinto(view[: min(left, _PORTION)])
            if not count:
                break
            digest.update(view[:count])
            left -= count
        if hasattr(file, "close"):
            file.close()
    return len(names), hexlify(digest.digest()).decode()


def _walk(root: str, folder: str, names: "list[str]") -> None:
    for name in os.listdir(root + folder):
        path = folder + "/" + name
        if os.stat(root + path)[0] & _DIRECTORY:
            if not name.startswith("_"):
                _walk(root, path, names)
        elif _is_code(name):
            names.append(path)


def _is_code(name: str) -> bool:
    return name.endswith(".py") or name.endswith(".mpy")  # noqa: PIE810  no tuples in MicroPython 1.27
