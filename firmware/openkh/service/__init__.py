"""The prompt's commands (docs/service.md). Each prints a short answer, with `json=True` one JSON line instead.

What is refused is one line, `ERROR what: allowed ...`. The modules that do the work are imported on first use.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _run(name: str, json: bool, *given: "Any") -> None:
    from openkh.service import commands

    commands.run(name, json, given)


def help(json: bool = False) -> None:
    """What there is."""
    _run("help", json)


def status(json: bool = False) -> None:
    """Identity, register, condition, failures, calibration."""
    _run("status", json)


def lines(json: bool = False) -> None:
    """What each line measures."""
    _run("lines", json)


def events(n: int = 20, json: bool = False) -> None:
    """The newest `n` entries of the log."""
    _run("events", json, n)


def faults(json: bool = False) -> None:
    """Counters of what went wrong and was mended."""
    _run("faults", json)


def identity(json: bool = False) -> None:
    """Model, service, serial number, date, software revision."""
    _run("identity", json)


def provisioned(json: bool = False) -> None:
    """True or False: factory data are there."""
    _run("provisioned", json)


def image(json: bool = False) -> None:
    """SHA-256 over the firmware's files."""
    _run("image", json)


def provision(model: str, service: str, serial: str, date: str, json: bool = False) -> None:
    """Write factory data on blank memory, then restart."""
    _run("provision", json, model, service, serial, date)


def cal(json: bool = False) -> None:
    """The calibration in force."""
    _run("cal", json)


def window(seconds: int = 10, json: bool = False) -> None:
    """Counts, time, volts and amps over whole line cycles."""
    _run("window", json, seconds)


def cal_gain(line: int, error: "Any", json: bool = False) -> None:
    """Active power's gain, from its error in percent at unity power factor."""
    _run("cal_gain", json, line, error)


def cal_phase(line: int, error: "Any", degrees: float = 60, json: bool = False) -> None:
    """Phase, from active power's error in percent at a lagging current."""
    _run("cal_phase", json, line, error, degrees)


def cal_offset(line: int, error: "Any", watts: "float | None" = None, json: bool = False) -> None:
    """Small-signal offset, from active power's error in percent at 1 % of class."""
    _run("cal_offset", json, line, error, watts)


def cal_volts(line: int, error: "Any", json: bool = False) -> None:
    """The voltage's gain, from its error in percent."""
    _run("cal_volts", json, line, error)


def cal_amps(line: int, error: "Any", json: bool = False) -> None:
    """The current's gain, from its error in percent."""
    _run("cal_amps", json, line, error)


def cal_set(
    line: int,
    wgain: "int | None" = None,
    phcal: "int | None" = None,
    wattos: "int | None" = None,
    vgain: "int | None" = None,
    igain: "int | None" = None,
    json: bool = False,
) -> None:
    """Register values as they are; phcal as a signed number of steps."""
    _run("cal_set", json, line, wgain, phcal, wattos, vgain, igain)


def save(date: str, json: bool = False) -> None:
    """Store the calibration in force; `date` as "YYMMDD"."""
    _run("save", json, date)


def undo(json: bool = False) -> None:
    """Back to what is stored, or to the version before."""
    _run("undo", json)


def bench(weight: float, seconds: int = 60, json: bool = False) -> None:
    """The 10 Wh output with a weight of 1 or 0.1 Wh for a time; 0 ends it."""
    _run("bench", json, weight, seconds)


def rail12_reset(json: bool = False) -> None:
    """Switch the 12 V on again."""
    _run("rail12_reset", json)


def restart(json: bool = False) -> None:
    """Save and restart."""
    _run("restart", json)


def update_mode(json: bool = False) -> None:
    """Save and restart without metering, for new firmware."""
    _run("update_mode", json)


COMMANDS = (
    (help, status, lines, events, faults, identity, image, cal, window, cal_gain, cal_phase, cal_offset, cal_volts)
    + (cal_amps, cal_set, save, undo, bench, rail12_reset, provision, provisioned, restart, update_mode)
)  # fmt: skip


def names() -> "dict[str, Any]":
    """For the prompt's globals: each command by its name, and all of them as `s`."""
    import sys

    found: dict[str, Any] = {"s": sys.modules[__name__]}
    for command in COMMANDS:
        found[command.__name__] = command
    return found
