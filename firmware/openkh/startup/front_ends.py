"""Brings the front ends up at a start. One that is found running goes on counting (EN-2).

This takes up to 0.3 s for each front end, and heap, so it is done before the first cycle only.
"""

import board

from openkh.calibration import Calibration
from openkh.calibration import check as check_calibration
from openkh.drivers.ade7953 import lock_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.drivers.ade7953 import Ade7953
    from openkh.meter import Meter


def shared(number: int) -> bool:
    """Whether any of the first `number` front ends share a bus."""
    used = board.FRONT_ENDS[:number]
    return len({front_end[0] for front_end in used}) < number


def begin(chips: "tuple[Ade7953, ...]") -> None:
    """Reset what was not set up since its last reset, so that it starts while the memory is read. On a shared bus
    nothing is accessed before all are locked."""
    if not shared(len(chips)):
        for chip in chips:
            chip.begin()


def bring_up(meter: "Meter", chips: "tuple[Ade7953, ...]") -> bool:
    """Start every front end. Those on a shared bus are locked before any of them is accessed.

    True where one of them runs on with a calibration that was tried at the prompt and not stored; `meter.calibration`
    holds this one then.
    """
    if shared(len(chips)):
        lock_all(chips)
    tried = False
    for n in range(len(chips)):
        raw = meter.state.raw_2 if n else meter.state.raw_1
        tried = _start(meter, n, raw) or tried
    return tried


def _start(meter: "Meter", n: int, raw: int) -> bool:
    """Start front end `n`, whose counter was `raw` when it was booked last (-1: not known).

    One that runs with another calibration than the stored one is not reset for it, because its counts would be lost:
    the calibration found in it is taken over, and True returned.
    """
    element = meter.elements[n]
    calibration = meter.calibration[n]
    found = Calibration()
    found.take(calibration)  # the chip does not hold which way its phase register works
    if (raw >= 0 or meter.factory.unread) and element.found(found) and not found.same_registers(calibration):
        try:
            check_calibration(found, meter.model.hz)
        except ValueError:
            pass  # the chip was reset, or is not ready, and holds no calibration
        else:
            calibration.take_registers(found)
            element.calibrate(found)
            element.start(raw)
            return True
    element.start(raw, meter.resuming.continued)
    return False
