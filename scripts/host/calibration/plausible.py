"""Whether a reading of the reference can be: against what was asked for, itself, and the meter (CA-3)."""

import math

from host.calibration.bench_source import Bench, LineLoad, Reading
from host.cli.refused import RefusedError

# What no sound bench gives, in percent: beyond it somebody has typed or wired something else.
VOLTS_OFF = 15.0
AMPS_OFF = 30.0
METER_OFF = 12.0  # of a meter's power: chips +-3 %, dividers, burden and CT
ANGLE_OFF = 8.0  # degrees


def check(reading: Reading, wanted: LineLoad, meter_w: float | None, line: int) -> None:
    """RefusedError, with the reason, for a reading of the reference that cannot belong to this point, or to this meter
    (`meter_w` None: the meter is what is to be judged)."""
    volts, amps, watts = reading.volts, reading.amps, reading.watts
    if not all(math.isfinite(x) for x in (volts, amps, watts)) or min(volts, amps) <= 0:
        raise RefusedError(f"line {line}: reference {volts:g} V, {amps:g} A: they must be above 0")
    if abs(volts / wanted.volts - 1) * 100 > VOLTS_OFF:
        raise RefusedError(f"line {line}: reference {volts:g} V, where {wanted.volts:g} V were to be set")
    if abs(amps / wanted.amps - 1) * 100 > AMPS_OFF:
        raise RefusedError(f"line {line}: reference {amps:g} A, where {wanted.amps:g} A were to be set")
    if watts <= 0:
        raise RefusedError(f"line {line}: reference {watts:g} W: the load must draw power; is the reference turned?")
    if watts > volts * amps * 1.002:
        raise RefusedError(
            f"line {line}: reference {watts:g} W is more than its own {volts:g} V x {amps:g} A = {volts * amps:.6g} VA"
        )
    degrees = math.degrees(math.acos(min(1.0, watts / (volts * amps))))
    if abs(degrees - abs(wanted.degrees)) > ANGLE_OFF:
        raise RefusedError(
            f"line {line}: reference {watts:g} W of {volts * amps:.6g} VA is an angle of {degrees:.1f} degrees, where "
            f"{abs(wanted.degrees):.0f} were to be set"
        )
    if meter_w is None:
        return
    if meter_w < 0:
        raise RefusedError(
            f"line {line}: the meter reads {meter_w:.1f} W, the reference {watts:g} W: the CT is turned, or belongs to "
            "the other line"
        )
    # The angle that a CT leads by weighs more at a low power factor.
    allowed = METER_OFF + 1.75 * 4.0 * abs(math.tan(math.radians(wanted.degrees)))
    if abs(meter_w / watts - 1) * 100 > allowed:
        raise RefusedError(
            f"line {line}: the meter reads {meter_w:.1f} W, the reference {watts:g} W: more than {allowed:.0f} % "
            "apart, which no sound board is; check the CT's rating, the wiring, and the figures typed"
        )


def checked(
    bench: Bench, point: str, line: int, window: int, wanted: LineLoad, meter_w: float, judged: bool = False
) -> Reading:
    """The reference's reading, checked; where a person types it, asked for again as long as it cannot be.

    What is typed twice alike is meant so: RefusedError with the reason; where the meter is `judged`, a reading that
    only the meter contradicts is taken.
    """
    again = getattr(bench, "again", None)
    reading = bench.read(point, line, window)
    while True:
        try:
            check(reading, wanted, None if judged and again is None else meter_w, line)
            return reading
        except RefusedError as error:
            if again is None:
                raise
            before, reading = reading, again(point, line, window, str(error))
            if reading == before:
                check(reading, wanted, None if judged else meter_w, line)
                return reading
