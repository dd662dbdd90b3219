"""The one table of what the RS-485 port gives (AM-3, AM-4): every register with its name, type, unit and meaning.

From it are made `firmware/openkh/remote/layout.py` (what the device needs of it, in a few hundred bytes), the tables in
`docs/modbus.md`, what `./scripts/read` decodes, and what the tests expect. `python -m host.remote.layout_made` makes
the first two anew. A register's name is the name of the attribute of `openkh.remote.reading.Reading` that it shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from openkh.metrology.status import NAMES

MAP_VERSION = 1
OWN_FIRST = 0
INTERVALS_FIRST = 1000
SUNSPEC_FIRST = 40000
MOST_REGISTERS = 125  # in one answer

# Types: number of registers of each that has a fixed one. Words high first, bytes high first (Modbus' own order).
WORDS = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "u64": 4}
NOT_AVAILABLE = {"u16": 0xFFFF, "i16": -0x8000, "u32": 0xFFFFFFFF, "i32": -0x80000000}
"""What stands in a register whose value does not exist, for instance of line 2 on a single-element meter."""


@dataclass(frozen=True)
class Register:
    """A value in the map: `words` registers from `address` on. `scale`: one unit of the number is so many `unit`."""

    name: str
    kind: str
    unit: str
    scale: float
    meaning: str
    address: int
    words: int


def _line(n: int) -> list[tuple[str, str, str, float, str]]:
    own = f"l{n}_"
    return [
        (own + "mv", "u32", "V", 1e-3, f"line {n}: rms voltage"),
        (own + "ma", "u32", "A", 1e-3, f"line {n}: rms current"),
        (own + "mw", "i32", "W", 1e-3, f"line {n}: active power, mean of the last second; negative is received"),
        (own + "mvar", "i32", "var", 1e-3, f"line {n}: reactive power, the same way; positive is lagging"),
        (own + "pf_milli", "i16", "", 1e-3, f"line {n}: power factor, with the sign of the active power"),
        (own + "mhz", "u16", "Hz", 1e-3, f"line {n}: frequency"),
        (own + "conditions", "u16", "", 1, f"line {n}: conditions that stand, a bit each (bit 2 = condition 2 ...)"),
    ]


# (name, type or text of so many characters, unit, scale, meaning), in order from OWN_FIRST on, without a gap.
_OWN: list[tuple[str, str, str, float, str]] = [
    ("map_version", "u16", "", 1, "of this table; a new one only adds registers at the end of the first block"),
    ("elements", "u16", "", 1, "measured lines, 1 or 2"),
    ("delivered_wh", "u32", "Wh", 1, "energy delivered, whole Wh; rolls over at 1,000,000,000"),
    ("delivered_counts", "u16", "", 1, "its remainder in counts of the front end"),
    ("counts_per_wh", "u16", "", 1, "counts in one Wh"),
    ("received_wh", "u32", "Wh", 1, "energy received, whole Wh"),
    ("received_counts", "u16", "", 1, "its remainder in counts"),
    ("rolls", "u16", "", 1, "how often the delivered register has rolled over"),
    ("delivered_mwh", "u64", "Wh", 1e-3, "energy delivered in mWh, cut off"),
    ("received_mwh", "u64", "Wh", 1e-3, "energy received in mWh, cut off"),
    ("power_mw", "i32", "W", 1e-3, "active power of all lines, mean of the last second; negative is received"),
    ("interval_mw", "u32", "W", 1e-3, "newest 15-minute demand; 0 before the first"),
    ("max_mw", "u32", "W", 1e-3, "largest demand so far in the running 24 h period"),
    ("shown_mw", "u32", "W", 1e-3, "maximum demand as the display shows it"),
    ("periods", "u16", "", 1, "finished 24 h periods since power-up"),
    ("edges_10", "u32", "", 1, "pulses given on output 10 (10 Wh each)"),
    ("edges_100", "u32", "", 1, "pulses given on output 100"),
    ("edges_1000", "u32", "", 1, "pulses given on output 1000"),
    ("counter_given", "u32", "", 1, "counts given to the mechanical counter"),
    ("counter_wh", "u16", "Wh", 1, "energy of one of its counts"),
    ("condition", "u16", "", 1, "the condition shown, see below"),
    ("condition_lines", "u16", "", 1, "lines that have it: bit 0 line 1, bit 1 line 2"),
    ("failures", "u16", "", 1, "failures that stand: bit 0 FAIL 01 ... bit 4 FAIL 05"),
    ("rail12", "u16", "", 1, "state of the 12 V: 0 off, 1 on, 2 failed, to be tried again, 3 off for good"),
    ("run_s", "u32", "s", 1, "run time since power-up"),
    ("power_ups", "u16", "", 1, "number of this power-up, modulo 65,536"),
    ("events", "u32", "", 1, "order number of the newest entry of the event log"),
    ("calibration_count", "u16", "", 1, "how often a calibration was saved"),
    ("configuration_count", "u16", "", 1, "how often factory data were written"),
    *_line(1),
    *_line(2),
    ("model_code", "16", "", 1, "model code"),
    ("service", "4", "", 1, "service, 60Hz or 50Hz"),
    ("serial", "12", "", 1, "serial number; blank where none was given"),
    ("date", "6", "", 1, "manufacture date YYMMDD"),
    ("revision", "8", "", 1, "software revision"),
    ("image", "raw32", "", 1, "SHA-256 of the firmware's files, 32 bytes; zeros until it has been worked out"),
    ("intervals_capacity", "u32", "", 1, "slots of the interval memory; 0 where there is none"),
    ("intervals_oldest", "u32", "", 1, "number of the oldest slot that can be read"),
    ("intervals_next", "u32", "", 1, "number of the next slot to be written: the newest is one less"),
    ("intervals_end_wh", "u32", "Wh", 1, "energy delivered at the end of the newest interval, whole Wh"),
    ("intervals_end_tenths", "u16", "Wh", 0.1, "and tenths"),
    ("intervals_end_received_wh", "u32", "Wh", 1, "energy received at the end of the newest interval, whole Wh"),
    ("intervals_end_received_tenths", "u16", "Wh", 0.1, "and tenths"),
    ("intervals_start_s", "u32", "s", 1, "run time at which the running interval began"),
    ("intervals_flags", "u16", "", 1, "quality of the running interval so far, see below"),
]


def words_of(kind: str) -> int:
    """Registers that a value of this type takes."""
    if kind.startswith("raw"):
        return int(kind[3:]) // 2
    return WORDS[kind] if kind in WORDS else int(kind) // 2


def _placed(rows: list[tuple[str, str, str, float, str]], first: int) -> Iterator[Register]:
    at = first
    for name, kind, unit, scale, meaning in rows:
        yield Register(name, kind, unit, scale, meaning, at, words_of(kind))
        at += words_of(kind)


OWN: tuple[Register, ...] = tuple(_placed(_OWN, OWN_FIRST))
OWN_WORDS = sum(register.words for register in OWN)

# One slot of the interval memory: number n lies at INTERVALS_FIRST + INTERVAL_WORDS * (n modulo intervals_capacity).
_INTERVAL: list[tuple[str, str, str, float, str]] = [
    ("number", "u16", "", 1, "number of the slot, its lower 16 bits: tells whether it has been written over meanwhile"),
    ("power_up", "u16", "", 1, "number of the power-up that the interval belongs to"),
    ("flags", "u16", "", 1, "quality, see below"),
    ("end_s", "u32", "s", 1, "run time at the interval's end"),
    ("delivered", "u32", "Wh", 0.1, "energy delivered in the interval"),
    ("received", "u32", "Wh", 0.1, "energy received in it"),
]
INTERVAL: tuple[Register, ...] = tuple(_placed(_INTERVAL, 0))
INTERVAL_WORDS = sum(register.words for register in INTERVAL)

FLAGS = {
    1: "power was lost in it",
    2: "gap: counts could not be measured, or placed, for a part of it",
    4: "a failure stood in it",
    0x4000: "the slot is damaged: its energy is not known",
    0x8000: "no interval: the slot holds a mark of the memory itself, or nothing",
}

CONDITIONS = NAMES  # by number, as in the register `condition`
