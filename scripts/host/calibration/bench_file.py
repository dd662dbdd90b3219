"""The bench file (bench.toml): what a test certificate says of the bench, shared by calibrate and verify."""

import tomllib
from dataclasses import dataclass, field
from typing import Any

from host.cli.refused import RefusedError, read_text

MOST_PERCENT = 1.0
REFERENCE_PERCENT = 0.02  # uncertainty of the reference, k = 2, where nothing is said
TEXTS = {
    "reference": ("name", "serial", "certificate"),
    "source": ("name", "serial"),
    "place": ("name", "operator"),
    "meter": ("ct1_serial", "ct2_serial", "seals"),
}
NUMBERS = {
    "reference": ("uncertainty_percent", "uncertainty_pf_half_percent"),
    "source": ("stability_percent",),
    "place": ("temperature_c",),
}
LIMITS = {"temperature_c": (-40.0, 85.0)}  # the others: 0 to MOST_PERCENT


@dataclass(frozen=True)
class BenchFile:
    """What bench.toml says: `texts` and `numbers` by (table, key). What it does not say is not there."""

    path: str = ""
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    numbers: dict[tuple[str, str], float] = field(default_factory=dict)

    def text(self, table: str, key: str) -> str:
        """A text; empty where the file does not have it."""
        return self.texts.get((table, key), "")

    def number(self, table: str, key: str, default: float) -> float:
        """A number, in the unit that its key names."""
        return self.numbers.get((table, key), default)

    def reference_percent(self, degrees: float) -> float:
        """Uncertainty of the reference where the current lags or leads by `degrees`, k = 2."""
        unity = self.number("reference", "uncertainty_percent", REFERENCE_PERCENT)
        return unity if degrees == 0 else self.number("reference", "uncertainty_pf_half_percent", unity)


def load(path: str) -> BenchFile:
    """The bench file at `path`; RefusedError names the table and key that is unusable, and what is allowed."""
    try:
        data = tomllib.loads(read_text(path, "bench file"))
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(f"bench file {path}: not valid TOML: {error}") from None
    texts: dict[tuple[str, str], str] = {}
    numbers: dict[tuple[str, str], float] = {}
    for table, rows in data.items():
        if table not in TEXTS or not isinstance(rows, dict):
            raise RefusedError(f"bench file {path}: {table}: allowed: the tables {', '.join(TEXTS)}")
        for key, value in rows.items():
            if key in TEXTS[table]:
                texts[table, key] = _text(path, f"{table}.{key}", value)
            elif key in NUMBERS.get(table, ()):
                numbers[table, key] = _number(path, table, key, value)
            else:
                known = ", ".join((*TEXTS[table], *NUMBERS.get(table, ())))
                raise RefusedError(f"bench file {path}: {table}.{key}: allowed in [{table}]: {known}")
    return BenchFile(path, texts, numbers)


def _text(path: str, where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise RefusedError(f'bench file {path}: {where}: allowed: a text in quotes, such as "17"')
    return value


def _number(path: str, table: str, key: str, value: Any) -> float:
    least, most = LIMITS.get(key, (0.0, MOST_PERCENT))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise RefusedError(f"bench file {path}: {table}.{key}: allowed: a number from {least:g} to {most:g}")
    return float(value)
