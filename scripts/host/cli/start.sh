#!/bin/sh
# Starts a command: start.sh PACKAGE ARGUMENTS... runs main() of host.PACKAGE.command, set up on first use.
set -eu
top=$(cd "$(dirname "$0")/../../.." && pwd)
"$top/scripts/setup"
PYTHONPATH="$top/scripts:$top:$top/firmware:$top/boards/reference${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH
# -P: nothing is imported from the folder where it is started, which may be another checkout.
exec "$top/.venv/bin/python" -P -m host.cli.start "$@"
