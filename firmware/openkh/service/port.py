"""What was typed before the prompt opens is not for it."""

import select
import sys

QUIET_MS = 20


def drain() -> None:
    """Drop what comes in, until nothing has come for a while; metering goes on meanwhile."""
    waiting = select.poll()
    waiting.register(sys.stdin, select.POLLIN)
    while waiting.poll(QUIET_MS):
        sys.stdin.buffer.read(1)
