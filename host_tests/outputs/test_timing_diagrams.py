"""The diagrams of docs/outputs.md are drawn by a script from what the firmware does."""

import re
from pathlib import Path

from host.docs_made import timing_diagrams

TOP = Path(__file__).resolve().parents[2]


def test_a_diagram_is_drawn_from_a_trace(tmp_path):
    timing_diagrams.delay(tmp_path)
    assert (tmp_path / "outputs_delay.svg").read_text().startswith("<?xml")


def test_the_page_shows_every_diagram():
    page = (TOP / "docs" / "outputs.md").read_text()
    shown = set(re.findall(r"\(img/outputs_(\w+)\.svg\)", page))
    assert shown == {draw.__name__ for draw in timing_diagrams.DIAGRAMS}
    for name in shown:
        assert (TOP / "docs" / "img" / f"outputs_{name}.svg").exists()
