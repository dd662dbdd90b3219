"""Runs a command of the prompt: finds the module that has it, prints the answer as text or JSON."""

import json as _json

from openkh import app
from openkh.service.refused import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MODULES = {
    "reports": ("help", "status", "lines", "events", "faults", "identity", "provisioned", "image", "cal"),
    "tuning": ("cal_gain", "cal_phase", "cal_offset", "cal_volts", "cal_amps", "cal_set", "save", "undo", "window"),
    "works": ("provision", "bench", "rail12_reset", "restart", "update_mode"),
}
_WITHOUT_METER = ("help", "restart")
_quiet = False


def say(text: str) -> None:
    """What a long command has to tell a person meanwhile."""
    if not _quiet:
        print(text)


def run(name: str, json: bool, given: "tuple[Any, ...]") -> None:
    """Print the answer of command `name`, or one line that says why it is refused."""
    global _quiet
    _quiet = json
    try:
        if app.meter is None and name not in _WITHOUT_METER:
            raise RefusedError(
                "no metering (service mode, or a soft reset): allowed now: help(), restart() into metering"
            )
        module = _module(name)
        answer = getattr(module, name)(app.meter, *given)
        if json:
            text = _json.dumps(answer)
        elif hasattr(module, name + "_text"):
            text = getattr(module, name + "_text")(answer)
        else:
            text = "OK " + answer["text"]
    except (RefusedError, ValueError, TypeError) as error:
        text = _json.dumps({"error": str(error)}) if json else "ERROR %s" % error
    print(text)


def _module(name: str) -> "Any":
    for module, names in _MODULES.items():
        if name in names:
            return __import__("openkh.service." + module, None, None, ("x",))
    raise RefusedError("no command %s: allowed: help() lists them" % name)
