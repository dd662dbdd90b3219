"""What options of several commands mean: written one way, read in one place."""

import re

from host.cli.refused import RefusedError

LONGEST_S = 3_200_000_000
DURATIONS = "90s, 15m, 24h, 30d"


def duration_s(text: str, option: str, most_s: float = LONGEST_S) -> float:
    """`90s`, `15m`, `24h`, `30d` in seconds; RefusedError for anything else, for 0 and beyond `most_s`."""
    found = re.fullmatch(r"(\d{1,10}(?:\.\d{1,6})?)([smhd])", text, re.ASCII)
    seconds = float(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]] if found else 0.0
    if not 0 < seconds <= most_s:
        most = f", at most {most_s:g}s" if most_s < LONGEST_S else ""
        raise RefusedError(f"{option} {text}: allowed: a time above 0 such as {DURATIONS}{most}")
    return seconds


def model_code(text: str) -> str:
    """A model code as it is on the label, typed in any case."""
    return text.upper()
