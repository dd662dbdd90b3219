"""The picture of the live view for the README: `python -m host.docs_made.picture FOLDER` writes run.png there.

It is painted from the view's own cells, with block characters as rectangles, so that the glass has no seams.
"""

import asyncio
import sys
from importlib import resources
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

SIZE = (100, 30)
CELL = (10, 20)
MARGIN = 12
BACKGROUND = "#14181c"
START_S = 25 * 60  # demand and its largest are there
REGISTER_WH = 48_205_730  # what the meter has counted before


def paint(strips: list[Any], width: int) -> Image.Image:
    """The rows of cells that a Textual screen shows, as an image."""
    fonts = resources.files("matplotlib") / "mpl-data" / "fonts" / "ttf"
    plain, bold = (
        ImageFont.truetype(str(fonts / name), CELL[1] - 4) for name in ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")
    )
    cell_w, cell_h = CELL
    image = Image.new("RGB", (width * cell_w + 2 * MARGIN, len(strips) * cell_h + 2 * MARGIN), BACKGROUND)
    draw = ImageDraw.Draw(image)
    for row, strip in enumerate(strips):
        top = MARGIN + row * cell_h
        column = 0
        for segment in strip:
            style = segment.style
            fore = style.color.get_truecolor() if style and style.color else (213, 219, 224)
            back = style.bgcolor.get_truecolor(foreground=False) if style and style.bgcolor else BACKGROUND
            if style and style.reverse:
                fore, back = back, fore
            for character in segment.text:
                left = MARGIN + column * cell_w
                box = (left, top, left + cell_w - 1, top + cell_h - 1)
                draw.rectangle(box, back if isinstance(back, str) else tuple(back))
                _character(draw, character, box, tuple(fore), bold if style and style.bold else plain)
                column += 1
    return image


def _character(draw: ImageDraw.ImageDraw, character: str, box: tuple, fore: tuple, font: Any) -> None:
    left, top, right, bottom = box
    middle, centre = (top + bottom) // 2, (left + right) // 2
    quarters = {"▀": "12", "▄": "34", "█": "1234", "▌": "13", "▐": "24", "▛": "123", "▜": "124", "▙": "134", "▟": "234"}
    if character in quarters:
        boxes = {
            "1": (left, top, centre, middle),
            "2": (centre + 1, top, right, middle),
            "3": (left, middle + 1, centre, bottom),
            "4": (centre + 1, middle + 1, right, bottom),
        }
        for quarter in quarters[character]:
            draw.rectangle(boxes[quarter], fore)
    elif character == "●":
        radius = (right - left) // 2
        draw.ellipse((centre - radius + 1, middle - radius + 1, centre + radius, middle + radius), fore)
    elif character != " ":
        draw.text((left, top), character, fore, font)


async def _shoot(folder: Path) -> None:
    from host.run.view import MeterView
    from host.sim import link
    from host.sim.session import Session, Setup
    from host.stimulus.profiles import household
    from openkh.model import Model

    model = Model("MDNCT-1SC", "60Hz")
    setup = Setup(model, household.household_source(model), board={"start_delivered_wh": REGISTER_WH})
    session = Session(setup, link.Link)
    try:
        while session.now_us < START_S * 1_000_000:
            session.advance(session.now_us + 60_000_000)
        app = MeterView(session, 1.0)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("l", "up", "up", "right")
            for _ in range(200):  # until the glass shows the energy and the load LED is lit
                await pilot.pause(0.1)
                if session.snap["lcd"]["screen"] == "1" and session.snap["pins"]["led"]:
                    break
            paint(app.screen._compositor.render_strips(), SIZE[0]).save(folder / "run.png", optimize=True)
            await pilot.press("q")
    finally:
        session.close()


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_shoot(folder))


if __name__ == "__main__":
    main()
