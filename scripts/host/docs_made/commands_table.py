"""The table of service commands in docs/service.md, from the firmware's catalogue.

PYTHONPATH=scripts:firmware .venv/bin/python -m host.docs_made.commands_table   writes it into the page
"""

from pathlib import Path

from openkh.service import catalogue

PAGE = Path(__file__).resolve().parents[3] / "docs" / "service.md"
BEGIN, END = "<!-- commands: begin -->\n", "<!-- commands: end -->\n"
READS = ("reports",)  # modules whose commands only read; what the others want is carried out by the measuring cycle,
READINGS = ("readings",)  # except these


def table() -> str:
    """All rows as Markdown."""
    rows = ["| command | does | carried out by |", "| --- | --- | --- |"]
    for row in catalogue.COMMANDS:
        by = "the prompt" if row[1] in READS or row[0] in READINGS else "the cycle"
        rows.append(f"| `{catalogue.usage(row)}` | {row[3]} | {by} |")
    return "\n".join(rows) + "\n"


def inserted(text: str) -> str:
    """The page's text with the table in its place."""
    head, rest = text.split(BEGIN)
    return head + BEGIN + "\n" + table() + "\n" + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(inserted(PAGE.read_text()))
