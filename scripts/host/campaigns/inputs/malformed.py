"""Damaged recordings and load profiles: each is refused in one line, or read; never a traceback, never a hang.

for said in trials("NEM12", count, seed): ...     what is wrong with a trial; nothing: it was as it should be
"""

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from host.campaigns.inputs import profile_samples, recordings
from host.cli.refused import RefusedError
from host.stimulus.profiles import reader
from host.stimulus.profiles.profile import Options as LoadOptions
from host.stimulus.recordings import player
from host.stimulus.recordings.lines import Options
from openkh.model import Model

SLOW_S = 20.0
METER = Model("MDNCT-2SC", "60Hz")
RECORDINGS = ("COMTRADE .cfg", "COMTRADE .dat", "columns", "sound")
ODD = (
    b"",
    b"\0",
    b"nan",
    b"inf",
    b"1e999",
    b"-1",
    b"99999999999999999999",
    b"\xff\xfe",
    b",,,,",
    b'"',
    b"\x1a",
    b"<",
    b"&x;",
)


def formats() -> list[str]:
    """Every kind of file that is read."""
    return [*RECORDINGS, *profile_samples.samples()]


def damaged(data: bytes, draw: random.Random) -> bytes:
    """The bytes with one to four things wrong."""
    out = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(out) + 1) if draw.random() < 0.5 else draw.randrange(min(len(out), 400) + 1)
        what = draw.randrange(7)
        if what == 0:
            out[at : at + draw.randint(1, 40)] = b""
        elif what == 1:
            out[at:at] = draw.choice(ODD)
        elif what == 2 and at < len(out):
            out[at] = draw.randrange(256)
        elif what == 3:
            del out[at:]
        elif what == 4:
            out[at:at] = out[draw.randrange(len(out) + 1) :][: draw.randint(1, 200)]
        elif what == 5:
            lines = bytes(out).split(b"\n")
            draw.shuffle(lines) if len(lines) < 50 else lines.insert(0, lines.pop())
            out = bytearray(b"\n".join(lines))
        else:
            cells = bytes(out).split(b",")
            cells[draw.randrange(len(cells))] = draw.choice(ODD)
            out = bytearray(b",".join(cells))
    return bytes(out)


def trials(name: str, count: int, seed: int = 1) -> Iterator[str]:
    """One text a trial: what went wrong, or nothing."""
    draw = random.Random(f"{name} {seed}")
    with tempfile.TemporaryDirectory() as folder:
        if name in RECORDINGS:
            path, whole, options = _recording(name, Path(folder))
        else:
            sample = profile_samples.samples()[name]
            path, whole, load = Path(folder) / "load", sample.text.encode(), sample.options
        for _ in range(count):
            data = damaged(whole, draw)
            path.write_bytes(data)
            began = time.perf_counter()
            try:
                if name in RECORDINGS:
                    player.source(str(path), options, METER)
                else:
                    _walk(str(path), load)
                said = ""
            except RefusedError as e:
                said = f"{name}: more than one line: {e}" if "\n" in str(e) or len(str(e)) > 600 else ""
            except Exception as e:  # whatever it is: that is what is looked for
                said = f"{name}: {type(e).__name__}: {e} ({data[:60]!r}...)"
            if time.perf_counter() - began > SLOW_S:
                said = f"{name}: longer than {SLOW_S:g} s ({data[:60]!r}...)"
            yield said


def _walk(path: str, options: LoadOptions) -> None:
    """Read it as a run would, to its end."""
    for number, _ in enumerate(reader.source(path, options, METER).segments()):
        if number > 100_000:
            break


def _recording(name: str, folder: Path) -> tuple[Path, bytes, Options]:
    if name.startswith("COMTRADE"):
        seed = next(seed for seed in range(1, 100) if not recordings.make(seed, str(folder)).refused)
        for old in folder.iterdir():
            old.unlink()
        trial = recordings.make(seed, str(folder))
        path = next(p for p in folder.iterdir() if p.suffix.lower() == name[-4:])
        return path, path.read_bytes(), trial.options
    angle = 2 * np.pi * 60 * np.arange(3000) / 30_000
    pair = np.column_stack((np.sin(angle) * 14, np.sin(angle) * 170))
    if name == "columns":
        path = folder / "12.csv"
        np.savetxt(path, pair, fmt="%.4f", delimiter=",")
        return path, path.read_bytes(), Options("V1=2,I1=1", rate_hz=30_000)
    import soundfile

    path = folder / "a.wav"
    soundfile.write(path, pair / 200, 30_000, subtype="PCM_16")
    return path, path.read_bytes(), Options("V1=2,I1=1", "V=200,I=200")


def rows(count: int) -> list[tuple[str, Any, str]]:
    """Figures of `count` damaged files of each format; each that is met wrongly is told as it comes."""
    wrong = 0
    names = formats()
    for name in names:
        for said in trials(name, count):
            if said:
                wrong += 1
                print(f"  {said}", flush=True)
    return [("formats", len(names), ""), ("damaged files", count * len(names), ""), ("met wrongly", wrong, "")]
