"""Creep: an offset beyond half of the no-load level is accepted only on evidence (CA-3, EN-5).

The front end counts nothing below its no-load level. So large an offset comes near this level by itself. A measuring
window with voltage and without current therefore has to be taken before the offset is changed, and again after: if
nothing is counted in it, the meter does not creep.
"""

from openkh.metrology.element import NOLOAD
from openkh.service.refused import RefusedError
from openkh.service.reports import units_per_watt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openkh.meter import Meter

LEAST_S = 60  # a window has to be so long
_VOLTS_PERCENT = 80  # and have this part of nominal voltage
_before = [False, False]  # whether each line has had such a window since the start
_creep_free = ["", ""]  # the registers, as text, with which each line's newest such window has counted nothing


def half_level(meter: "Meter") -> int:
    """Half of the no-load level, in units of the offset register (data sheet p.40)."""
    watts = meter.model.full_scale_w / (1.4 * (65_536 - NOLOAD)) / 2
    return int(watts * units_per_watt(meter.model.counts_per_wh))


def note(meter: "Meter", answer: "dict[str, Any]") -> None:
    """Take the `answer` of a measuring window as evidence for each line that had voltage and no current in it."""
    for line in answer["lines"]:
        n = line["line"] - 1
        quiet = line["i_ma"] < meter.model.start_ma and line["v_mv"] * 100 >= meter.model.nominal_mv * _VOLTS_PERCENT
        if quiet and line["us"] >= LEAST_S * 990_000:
            _before[n] = True
            _creep_free[n] = "" if line["counts"] else _registers(meter, n)


def check_before(meter: "Meter", n: int, wattos: int) -> None:
    """RefusedError where the offset `wattos` of line n + 1 needs a window before it, and there was none."""
    if abs(wattos) > half_level(meter) and wattos != meter.stored.lines[n].wattos and not _before[n]:
        _refuse(meter, n, wattos, "")


def check_after(meter: "Meter") -> None:
    """RefusedError where an offset in force needs a window after it, and there was none that counted nothing."""
    for n in range(meter.model.elements):
        wattos = meter.calibration[n].wattos
        known = wattos == meter.stored.lines[n].wattos or _creep_free[n] == _registers(meter, n)
        if abs(wattos) > half_level(meter) and not known:
            _refuse(meter, n, wattos, ", that counts nothing")


def _refuse(meter: "Meter", n: int, wattos: int, more: str) -> None:
    raise RefusedError(
        "line %d: offset %d is beyond half of the no-load level (%d): allowed after window(%d) with voltage, "
        "without current%s" % (n + 1, wattos, half_level(meter), LEAST_S, more)
    )


def _registers(meter: "Meter", n: int) -> str:
    """The registers of line n + 1 that decide whether it creeps, as text."""
    line = meter.calibration[n]
    return "%d %d %d %d" % (line.wgain, line.wattos, line.vgain, line.igain)
