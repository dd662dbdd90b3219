"""The guided order of a line's calibration: a step's error holds those of the steps before, so that they come first."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.meter import Meter

STEPS = ("gain", "phase", "offset")

_done: "list[list[str]]" = [[], []]  # of each line, since the start


def steps_done(meter: "Meter", n: int) -> "list[str]":
    """Steps that line n + 1 has behind it; all of them once it is calibrated."""
    return list(STEPS) if meter.stored.found else list(_done[n])


def step_taken(n: int, step: str) -> None:
    """Line n + 1 has taken `step`, which may be none of STEPS ("")."""
    if step and step not in _done[n]:
        _done[n].append(step)
