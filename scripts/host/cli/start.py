"""Starts a command: a Ctrl-C while its modules are being loaded ends it without a traceback, nothing has begun yet.

python -m host.cli.start calibration ARGUMENTS...
"""

import importlib
import io
import os
import signal
import sys


def main() -> int:
    """Entry point."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # the name of a file may be no UTF-8
    command = importlib.import_module(f"host.{sys.argv[1]}.command")
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what may be typed next (docs/run.md)
        import argcomplete

        argcomplete.autocomplete(command.parser())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    status: int = command.main(sys.argv[2:])
    return status


if __name__ == "__main__":
    sys.exit(main())
