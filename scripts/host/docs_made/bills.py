"""The bills of materials in docs/hardware.md, from the boards' circuits.

PYTHONPATH=scripts:.:firmware:boards/reference .venv/bin/python -m host.docs_made.bills   writes them into the page
"""

from host.flash.board_files import TOP, load

PAGE = TOP / "docs" / "hardware.md"
BOARDS = ("reference", "low_voltage")
HEAD = "| kind | what | maker's part | second source | read in | pieces |\n| --- | --- | --- | --- | --- | --- |\n"


def table(board: str) -> str:
    """A board's bill, for two elements at 60 Hz, as Markdown."""
    rows = load(board, "bill").bill(load(board, "circuit").circuit())
    return HEAD + "".join(f"| {' | '.join(str(cell) for cell in row)} |\n" for row in rows)


def inserted(text: str) -> str:
    """The page's text with each table in its place."""
    for board in BOARDS:
        begin, end = f"<!-- bill: {board} -->\n", "<!-- bill: end -->\n"
        head, rest = text.split(begin)
        text = f"{head}{begin}\n{table(board)}\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(inserted(PAGE.read_text()))
