"""Runs a command of the prompt: finds the module that carries it out, and prints the answer as text or JSON."""

import gc
import json as _json

from openkh import app
from openkh.service.catalogue import bind, find
from openkh.service.refused import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WITHOUT_METER = ("help", "restart")
_quiet = False  # whether the running command is to print JSON, and nothing else


def say(text: str) -> None:
    """Print what a long command has to tell a person while it runs; nothing where the answer is JSON."""
    if not _quiet:
        print(text)


def run(name: str, given: "tuple[Any, ...]", named: "dict[str, Any]") -> None:
    """Print the answer of command `name` to its arguments, or one line that says why it is refused."""
    global _quiet
    json = named.pop("json", False)
    _quiet = json
    try:
        if app.meter is None and name not in _WITHOUT_METER:
            raise RefusedError(
                "no metering (service mode, or a soft reset): allowed now: help(), restart() into metering"
            )
        row = find(name)
        arguments = bind(row, given, named)
        gc.collect()  # its holes are too small for a module, once the rest of the heap is used up
        module = __import__("openkh.service." + row[1], None, None, ("x",))
        answer = getattr(module, name)(app.meter, *arguments)
        if json:
            text = _json.dumps(answer)
        elif hasattr(module, name + "_text"):
            text = getattr(module, name + "_text")(answer)
        else:
            text = "OK " + answer["text"]
    except (RefusedError, ValueError, TypeError) as error:
        text = _json.dumps({"error": str(error)}) if json else "ERROR %s" % error
    print(text)
