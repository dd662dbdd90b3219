"""The prompt's commands: the one list of them, in the order in which help() tells them (docs/service.md).

Each row has the command's name; the module of this folder in which the function of that name carries it out; its
arguments as they are typed, `name=value` where one may be left out; and what it does. Each command takes `json=True` as
well. The function returns the answer as a dict. A function NAME_text in the same module makes a text of it; without one
the answer's "text" is printed.

The commands of `reports`, and `readings`, only read what the cycle has left in memory. The others post a request, which
the cycle carries out between two measurements (requests.py).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMMANDS = (
    ("status", "reports", "", "identity, register, condition, failures, calibration"),
    ("lines", "reports", "", "what each line measures"),
    ("events", "reports", "n=20", "the newest n entries of the log"),
    ("faults", "reports", "", "counters of what went wrong and was mended"),
    ("identity", "reports", "", "model, service, serial number, date, software, memory"),
    ("provisioned", "reports", "", "True or False: factory data are there"),
    ("image", "reports", "", "SHA-256 over the firmware's files"),
    ("help", "reports", "", "this list"),
    ("readings", "remote", "", "what the RS-485 port's own registers say, by name"),
    ("intervals", "remote", "n=20, before=None", "energy of each 15 minutes: the newest n slots, or those before one"),
    ("rs485", "remote", "baud=None, parity=None, unit=None", "settings of the RS-485 port; with values new ones"),
    ("cal", "reports", "", "the calibration in force"),
    ("window", "tuning", "seconds=10", "counts, time, V, A over whole line cycles"),
    ("cal_volts", "tuning", "line, error", "gain of the voltage, from its error in %"),
    ("cal_amps", "tuning", "line, error", "gain of the current, from its error in %"),
    ("cal_gain", "tuning", "line, error", "gain of active power, from its error in % at unity power factor"),
    ("cal_phase", "tuning", "line, error, degrees=60, lagging=0", "phase, from the error in % at a lagging current"),
    ("cal_offset", "tuning", "line, error, watts=None", "offset, from the error in % at 1 % of class"),
    (
        "cal_temperature",
        "correcting",
        "line, error, lag_error=None",
        "drift, from the errors in % when warmer or colder",
    ),
    ("cal_curve", "correcting", "line, points", "the CT's errors as ((amps, %, minutes), ...), up to 4; () for none"),
    (
        "cal_set",
        "tuning",
        "line, wgain=None, phcal=None, wattos=None, vgain=None, igain=None, tempco=None, lead_tempco=None, "
        "reference=None",
        "register values and corrections",
    ),
    ("save", "tuning", "date", "store the calibration in force; date as 'YYMMDD'"),
    ("undo", "tuning", "", "back to what is stored, or to the version before"),
    ("fine_pulses", "works", "weight, seconds=60", "the 10 Wh output gives 1 or 0.1 Wh a pulse for a time; 0 ends it"),
    ("rail12_reset", "works", "", "switch the 12 V on again"),
    ("restart", "works", "", "save and restart"),
    ("update_mode", "works", "", "save and restart without metering, for new firmware"),
    ("provision", "works", "model, service, serial, date", "write factory data on blank memory, then restart"),
)

NOTES = """\
error = (meter - reference) / reference * 100; several windows as (e1, e2, ...)
Each also with json=True. Nothing here sets the register or the counter. Close the seal when done."""


def find(name: str) -> "tuple[str, str, str, str]":
    """The row of a command; KeyError where there is none."""
    for row in COMMANDS:
        if row[0] == name:
            return row
    raise KeyError(name)


def usage(row: "tuple[str, str, str, str]") -> str:
    """The command of a row as it is typed."""
    return "%s(%s)" % (row[0], row[2].replace("=None", "="))


def bind(row: "tuple[str, str, str, str]", given: "tuple[Any, ...]", named: "dict[str, Any]") -> "list[Any]":
    """The arguments of a call in the order of the row, made of those `given` by place and those `named`. For an
    argument that is left out it takes the row's value, a whole number or None. TypeError, in words for the prompt,
    where an argument is missing, unknown or given twice.
    """
    parts = row[2].split(", ") if row[2] else []
    if len(given) > len(parts):
        raise TypeError("%s: %d values given, allowed %d" % (usage(row), len(given), len(parts)))
    values = list(given)
    for n in range(len(parts)):
        name, _, default = parts[n].partition("=")
        if n < len(given):
            if name in named:
                raise TypeError("%s: %s given twice" % (usage(row), name))
        elif name in named:
            values.append(named.pop(name))
        elif default:
            values.append(None if default == "None" else int(default))
        else:
            raise TypeError("%s: %s is missing" % (usage(row), name))
    for name in named:
        raise TypeError("%s: no argument %s" % (usage(row), name))
    return values
