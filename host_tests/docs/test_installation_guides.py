"""The installation guide is one guide in three languages: the same tables, pictures, numbers and scenarios in each."""

import re
from collections import Counter

import pytest

from host.docs_made import panels
from host.sim.link import TOP
from openkh.model import Model

DOCS = TOP / "docs"
ENGLISH = (DOCS / "installation.md").read_text()
OTHERS = ("fr", "es")


def rows(text):
    """The tables of a guide, each a list of rows of cells."""
    tables, table = [], []
    for line in [*text.splitlines(), ""]:
        line = line.strip()
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip("|").split("|")])
        elif table:
            tables.append(table)
            table = []
    return tables


def pictures(text):
    return re.findall(r"img/([\w.]+)", text)


def marks(text):
    """What must stand in each language alike: code in backticks, where line breaks do not count."""
    return Counter(re.sub(r"\s+", " ", code) for code in re.findall(r"`([^`]+)`", text))


def numbers(text):
    """All figures, in the English manner: 0,1 and 36 000 of French become 0.1 and 36000."""
    text = re.sub(r"(?<=\d)[,  ](?=\d{3}\b)", "", text)
    text = re.sub(r"(?<=\d),(?=\d)", ".", text)
    return Counter(re.findall(r"\d+(?:\.\d+)?", re.sub(r"\]\([^)]*\)", "]", text)))


@pytest.mark.parametrize("language", OTHERS)
def test_tables_have_the_same_rows_and_pictures_the_same_order(language):
    text = (DOCS / language / "installation.md").read_text()
    assert [[len(row) for row in table] for table in rows(text)] == [
        [len(row) for row in table] for table in rows(ENGLISH)
    ]
    assert pictures(text) == pictures(ENGLISH)
    assert [line.count("#") for line in text.splitlines() if line.startswith("#")] == [
        line.count("#") for line in ENGLISH.splitlines() if line.startswith("#")
    ]


@pytest.mark.parametrize("language", OTHERS)
def test_codes_screens_scenarios_and_numbers_are_the_same(language):
    text = (DOCS / language / "installation.md").read_text()
    assert marks(text) == marks(ENGLISH)
    assert numbers(text) == numbers(ENGLISH)


def test_every_scenario_of_the_folder_stands_in_the_guide_and_every_picture_exists():
    scenarios = {path.stem for path in (DOCS / "scenarios").glob("*.toml")}
    table = next(table for table in rows(ENGLISH) if table[0][0] == "scenario")
    assert {row[0].strip("`") for row in table[2:]} == scenarios
    assert not [name for name in pictures(ENGLISH) if not (DOCS / "img" / name).is_file()]


def test_ID_1_the_table_of_the_model_code_is_what_the_firmware_takes():
    table = next(table for table in rows(ENGLISH) if table[0][0] == "position")
    allowed = [re.findall(r"`(\w+)`", row[1]) for row in table[2:]]
    assert [int(row[0]) for row in table[2:]] == [first for first, _ in panels.CODE_PARTS]
    for service in panels.SERVICES.values():
        Model(service.model, "50Hz" if "50 Hz" in service.source else "60Hz")
    for s in allowed[1]:
        for counter in allowed[2]:
            for rating in allowed[4]:
                for core in allowed[5]:
                    assert Model(f"M{s}{counter}T-{rating}{core}", "60Hz").rating_a == 100 * int(rating)


def test_the_wiring_drawings_are_current(tmp_path):
    for path in panels.write(tmp_path):
        kept = DOCS / "img" / path.name
        assert kept.read_text() == path.read_text(), f"draw {path.name} anew: python -m host.docs_made.panels"


def test_TB_1_the_drawings_terminals_are_the_guides():
    """Left to right, with the colours of the leads."""
    table = next(table for table in rows(ENGLISH) if table[0] == ["terminal", "wire", "what"])
    words = {panels.BLACK: "black", panels.RED: "red", panels.WHITE: "white"}
    drawn = [name for name in panels.TERMINALS if name in panels.LEADS]
    assert [row[0] for row in table[2 : 2 + len(drawn)]] == drawn
    for row in table[2 : 2 + len(drawn)]:
        assert row[1].startswith(words[panels.LEADS[row[0]]])
