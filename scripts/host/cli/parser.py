"""The command line that every command has: the same manner of help, refused in one line."""

import argparse
from typing import NoReturn

from host.cli.refused import RefusedError


class Parser(argparse.ArgumentParser):
    """A command line that is refused in one line. Subcommands get one of their own kind."""

    def error(self, message: str) -> NoReturn:
        raise RefusedError(f"{message} (see --help)")


def command_parser(name: str, description: str, examples: str = "", statuses: str = "") -> Parser:
    """The parser of ./scripts/NAME. `examples`: lines of commands and what they do; `statuses`: of the exit statuses,
    where more is to be said than what all commands have in common."""
    epilog = f"examples:\n{examples.rstrip()}\n\n" if examples else ""
    epilog += "exit status: " + (statuses or "0 done; 1 failed; 2 unusable arguments or files; 130 stopped by Ctrl-C")
    return Parser(
        prog=f"./scripts/{name}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
