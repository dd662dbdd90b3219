"""What the page teaches with: the glass's shapes, the scenarios and what the installation guide says of each look.

Everything is read from where it stands already (docs/scenarios, docs/installation.md and its translations, the glass of
the documentation's pictures, the default household), so that the page cannot say something else.
"""

import json
import re
from pathlib import Path
from typing import Any

from host.docs_made import glass_svg
from host.sim.link import TOP
from host.stimulus import scenario
from host.stimulus.profiles import household
from host.stimulus.windows import Stimulus
from openkh.model import Model

LANGUAGES = ("en", "fr", "es")
STRINGS = Path(__file__).parent / "page" / "strings"
SCENARIOS = TOP / "docs" / "scenarios"
SCENARIO_S = 90.0  # every scenario of the guide has shown its glass by then
DAYS = (("MDNCT-1SC", "60Hz"), ("MSNCT-1SC", "60Hz"), ("MSNCT-1SC", "50Hz"))
QUARTERS = 96
# The rows of the guide's table of looks, by the picture in each; the last has none.
LOOKS = {
    "normal": "lcd_normal_1",
    "failure": "lcd_fail_01",
    "reverse_energy": "lcd_reverse_1",
    "bad_power_factor": "lcd_power_factor_2",
    "low_voltage": "lcd_low_voltage_2",
    "over_voltage": "lcd_over_voltage_1",
    "over_current": "lcd_over_current_1",
    "low_current": "lcd_low_current_2",
    "dark": "",
}


def data() -> dict[str, Any]:
    """Everything that data.json holds."""
    return {
        "glass": glass(),
        "scenarios": scenarios(),
        "days": {f"{code} {service}": day(Model(code, service)) for code, service in DAYS},
        "conditions": {language: conditions(guide(language)) for language in LANGUAGES},
        "strings": {language: json.loads((STRINGS / f"{language}.json").read_text()) for language in LANGUAGES},
    }


def glass() -> dict[str, Any]:
    """The glass: its size and, for each dot, the path of its shape (SVG)."""
    return {
        "width": glass_svg.WIDTH,
        "height": glass_svg.HEIGHT,
        "dots": {name: glass_svg.path(polygons) for name, polygons in glass_svg.POLYGONS.items()},
    }


def scenarios() -> list[dict[str, Any]]:
    """The guide's wiring scenarios as the engine takes them: board and all stimulus items of SCENARIO_S."""
    found = []
    for path in sorted(SCENARIOS.glob("*.toml")):
        checked = scenario.load(str(path))
        assert checked.model and checked.service, f"{path.name} names no model or service"
        model = Model(checked.model, checked.service)
        items = Stimulus(model, checked.source(model)).window(round(SCENARIO_S * 1e6))
        found.append(
            {
                "name": path.stem,
                "config": {
                    "model": model.code,
                    "service": model.service,
                    "seed": checked.seed,
                    "board": checked.board,
                    "memory": {},
                },
                "items": items,
            }
        )
    return found


def day(model: Model) -> dict[str, Any]:
    """The default household's day: amps on each line in each quarter of an hour, and the angle by which they lag."""
    segments = household.household_source(model).segments()
    lines = [next(segments).first[0] for _ in range(QUARTERS)]
    return {"amps": [round(line.amps, 3) for line in lines], "degrees": round(lines[0].degrees, 3)}


def guide(language: str) -> str:
    """The installation guide in a language; English where it has not been translated."""
    translated = TOP / "docs" / language / "installation.md"
    return (translated if translated.is_file() else TOP / "docs" / "installation.md").read_text()


def conditions(text: str) -> dict[str, list[str]]:
    """Of each look of the glass, from the guide's table: how it looks, what it means, what to look for."""
    rows: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        if f"{LOOKS['normal']}.png" in block and block.lstrip().startswith("|"):
            rows = block.strip().splitlines()[2:]
    assert len(rows) == len(LOOKS), f"the guide's table of looks has {len(rows)} rows, not {len(LOOKS)}"
    found = {}
    for (name, picture), row in zip(LOOKS.items(), rows):
        assert picture in row, f"the row of {name} is not where it is expected"
        found[name] = [_plain(cell) for cell in row.strip().strip("|").split("|")]
    return found


def _plain(markdown: str) -> str:
    """A table cell's text without pictures and marks."""
    text = re.sub(r"<[^>]+>", " ", markdown)
    return " ".join(re.sub(r"[`*]", "", text).split())
