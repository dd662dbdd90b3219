"""The whole meter on its virtual board in the tests' own process: an engine in a thread, one at a time.

    def test_something(prompt_here):
        prompt = prompt_here(amps=10.0)

It starts quicker than a process does, and a test may look at the firmware's own objects while its time stands still.
"""

import builtins
import queue
import sys
import threading

from boards.virtual.board import STAND_INS
from boards.virtual.engine.engine import FIRMWARE, Engine

WAIT_S = 60.0


def _aside():
    """Take the firmware and what stands in for MicroPython's modules out of sys.modules."""
    names = [name for name in sys.modules if name in (*FIRMWARE, *STAND_INS) or name.split(".")[0] == "openkh"]
    return {name: sys.modules.pop(name) for name in names}


class Here:
    """In place of link._Process: both ends of the messages to an engine."""

    def __init__(self, _command, _console):
        self._asked = queue.Queue()
        self._told = queue.Queue()
        self._kept = sys.stdin, builtins.print
        self._others = _aside()
        self._thread = threading.Thread(target=Engine(self._Engines(self)).serve, daemon=True)
        self._thread.start()

    class _Engines:
        """The engine's end."""

        def __init__(self, here):
            self.send = here._told.put
            self.receive = here._asked.get

    def send(self, text):
        self._asked.put(text)

    def receive(self):
        return self._told.get(timeout=WAIT_S)

    def close(self):
        if self._thread is None:
            return
        self._asked.put("")
        self._thread.join(WAIT_S)
        self._thread = None
        _aside()
        sys.modules.update(self._others)
        sys.stdin, builtins.print = self._kept


def meter():
    """The firmware's running meter."""
    return sys.modules["openkh.app"].meter


def module(name):
    """A module of the running firmware, by its name below `openkh`."""
    return sys.modules["openkh." + name]
