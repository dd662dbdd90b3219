"""The order of the steps by which a line is calibrated. The error measured in a step contains the errors that the steps
before it take away, so those have to come first."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.meter import Meter

STEPS = ("gain", "phase", "offset")

_done: "list[list[str]]" = [[], []]  # the steps that each line has taken since the start


def steps_done(meter: "Meter", n: int) -> "list[str]":
    """The steps that line n + 1 has taken; all of them if a calibration is stored."""
    return list(STEPS) if meter.stored.found else list(_done[n])


def step_taken(n: int, step: str) -> None:
    """Line n + 1 has taken `step`, which may be none of STEPS ("")."""
    if step and step not in _done[n]:
        _done[n].append(step)
