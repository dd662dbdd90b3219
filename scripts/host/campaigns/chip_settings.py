"""Which way each open question of the front end's data sheet may be, for campaigns to draw from (CH-2)."""

import random
from typing import Any

# Setting of chip1 and chip2 in a scenario -> what it may be; what stands more often is drawn more often.
SETTINGS: dict[str, tuple[Any, ...]] = {
    "checksum_live_bits": (False, True),
    "checksum_delay_ms": (0.0, 0.0, 3.0, 10.0),
    "checksum_seed": (0, 1, 77_777),
    "counter_end": ("wrap", "stop"),
    "phcal_sign": (1, -1),
    "var_sign": (1, -1),
    "version": (3, 1, 254),
    "last_changes": (False, True),
    "silent_ms": (40.0, 0.0, 12.5, 100.0),
    "flags_return": (False, True),
    "key_strict": (True, False),
    "noise": (False, False, True),
    "ripple": (False, False, True),
    "period_settle_ms": (40.0, 0.0),
}


def draw_chips(seed: int, count: int = 2) -> dict[str, dict[str, Any]]:
    """[board] chip1 and chip2 with every setting drawn; one chip in eight is the likeliest one."""
    r = random.Random(f"chips {seed}")
    chips = {}
    for n in range(1, count + 1):
        drawn = {key: r.choice(ways) for key, ways in SETTINGS.items()}
        chips[f"chip{n}"] = {} if r.random() < 0.125 else drawn
    return chips


def toml(value: Any) -> str:
    """A value as a scenario file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def board_rows(seed: int) -> str:
    """The rows of both chips for [board]."""
    return "\n".join(f"{key} = {toml(value)}" for key, value in draw_chips(seed).items())
