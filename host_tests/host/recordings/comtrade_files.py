"""COMTRADE recordings for tests: a plain one, of which a test changes what it is about."""

from pathlib import Path

import numpy as np

CFG = """\
BENCH,1,1999
2,2A,0D
1,VA,A,,V,0.01,0,0,-32767,32767,1,1,P
2,IA,A,,A,0.001,0,0,-32767,32767,1,1,P
60
1
1920,1920
01/02/2024,03:04:05.000000
01/02/2024,03:04:05.000000
ASCII
1
"""
WATTS = 1200.0  # 120 V, 10 A in phase


def samples(count: int = 1920, rate: float = 1920.0, hz: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    """Raw values of VA and IA."""
    wave = np.sin(2 * np.pi * hz * np.arange(count) / rate) * np.sqrt(2)
    return np.round(12000 * wave).astype(int), np.round(10000 * wave).astype(int)


def dat(*columns: np.ndarray, rate: float = 1920.0) -> str:
    """Rows of an ASCII .dat."""
    times = np.round(np.arange(len(columns[0])) / rate * 1e6).astype(int)
    rows = zip(range(1, len(times) + 1), times, *columns)
    return "".join(",".join(str(cell) for cell in row) + "\r\n" for row in rows)


def save(folder: Path, cfg: str | bytes = CFG, data: str | bytes | None = None, name: str = "a") -> str:
    """Write a.cfg and a.dat; the .cfg's path. Without `data`: the plain samples."""
    data = dat(*samples()) if data is None else data
    for end, content in ((".cfg", cfg), (".dat", data)):
        (folder / (name + end)).write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(folder / (name + ".cfg"))
