"""The command line that every command has: the same manner of help, refused in one line."""

import argparse
import textwrap
from typing import NoReturn

from host.cli.refused import RefusedError


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Paragraphs wrapped to the terminal's width; an example that does not fit has its words on a line below it."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:  # noqa: ARG002
        width += 2  # of the terminal, of which argparse leaves two columns free
        return "\n\n".join(_filled(block, width) for block in text.strip("\n").split("\n\n"))


def _filled(block: str, width: int) -> str:
    """A paragraph, or a heading with examples below it, each a command and what it does, two blanks or more apart."""
    lines = block.split("\n")
    examples = [line for line in lines if line.startswith("  ")]
    if not examples or max(map(len, examples)) <= width:
        return block if examples else textwrap.fill(" ".join(lines), width)
    found = [line for line in lines if line not in examples]
    for line in examples:
        command, _, words = line.strip().partition("  ")
        found.append("  " + command)
        if words:
            found.append(textwrap.fill(words.strip(), width, initial_indent=" " * 6, subsequent_indent=" " * 6))
    return "\n".join(found)


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
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
