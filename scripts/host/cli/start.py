"""Starts a command: a Ctrl-C while its modules are being loaded ends it without a traceback, nothing has begun yet.

python -m host.cli.start calibration ARGUMENTS...
"""

import importlib
import os
import signal
import sys


def main() -> int:
    """Entry point."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    command = importlib.import_module(f"host.{sys.argv[1]}.command")
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what may be typed next (docs/run.md)
        import argcomplete

        argcomplete.autocomplete(command.parser())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    status: int = command.main(sys.argv[2:])
    return status


if __name__ == "__main__":
    sys.exit(main())
