"""Keeps what was typed before the prompt opened away from it."""

import select
import sys

QUIET_MS = 20


def drain() -> None:
    """Drop what has come in, until nothing has come for QUIET_MS; metering goes on meanwhile."""
    waiting = select.poll()
    waiting.register(sys.stdin, select.POLLIN)
    while waiting.poll(QUIET_MS):
        sys.stdin.buffer.read(1)
