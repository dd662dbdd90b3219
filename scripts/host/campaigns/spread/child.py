"""The process in which a worker runs a campaign's jobs, one after the other: python -m host.campaigns.spread.child

A request on standard input is 8 bytes of length and a pickle of (module, function, arguments); the answer on standard
output is the same length and (True, result), or (False, what went wrong in one line). It ends with its input.
"""

import importlib
import os
import pickle
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from host.cli.refused import OneLineError

TOP = Path(__file__).resolve().parents[4]
IDLE_S = 600  # without a request for so long, whoever asked has gone without a word
MOST_SAID = 600


def answer(module: str, function: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    """What the answer holds."""
    try:
        return True, getattr(importlib.import_module(module), function)(*arguments)
    except Exception as error:  # whatever it is, the one who asked has to hear of it
        return False, said(error)


def said(error: Exception) -> str:
    """An error in a line: its text, and where in the project it was raised, but for those that are made for people."""
    text = " ".join(str(error).split())[-MOST_SAID:]
    if isinstance(error, OneLineError):
        return text
    ours = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(TOP)]
    at = f" ({Path(ours[-1].filename).relative_to(TOP)}:{ours[-1].lineno})" if ours else ""
    return f"{type(error).__name__}: {text}{at}"


def main() -> None:
    """Serve until the input ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a job prints is no answer
    signal.alarm(IDLE_S)
    while size := requests.read(8):
        request = pickle.loads(requests.read(int.from_bytes(size)))
        signal.alarm(0)
        data = pickle.dumps(answer(*request))
        answers.write(len(data).to_bytes(8) + data)
        answers.flush()
        signal.alarm(IDLE_S)


if __name__ == "__main__":
    main()
