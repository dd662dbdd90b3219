"""The prompt's commands (docs/service.md). Each prints a short answer, or with `json=True` one line of JSON.

A command that is refused prints one line, `ERROR what: allowed ...`. The list of commands is in catalogue.py; the
modules that carry them out are imported on first use.
"""

from openkh.service.catalogue import COMMANDS, find, usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Command:
    """A command as it stands at the prompt. Called, it runs; typed without brackets, it tells how it is typed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *given: "Any", **named: "Any") -> None:
        from openkh.service import commands

        commands.run(self._name, given, named)

    def __repr__(self) -> str:
        row = find(self._name)
        return "%s: %s" % (usage(row), row[3])


for _row in COMMANDS:
    globals()[_row[0]] = Command(_row[0])


def names() -> "dict[str, Any]":
    """For the prompt's globals: each command by its name, and all of them as `s`."""
    import sys

    found: dict[str, Any] = {"s": sys.modules[__name__]}
    for row in COMMANDS:
        found[row[0]] = globals()[row[0]]
    return found
