"""The gallery is current: the page and, dot by dot, every picture of it, against the firmware as it runs now."""

import board
import pytest

from host.docs_made import gallery, glass_svg
from host.sim.link import TOP

DOCS = TOP / "docs"


@pytest.fixture(scope="module")
def made():
    return gallery.make()


def changes(looks):
    """Looks without those that repeat the one before: a picture file holds them once, for longer."""
    return [look for i, look in enumerate(looks) if i == 0 or look != looks[i - 1]]


def test_the_page_is_what_the_firmware_shows(made):
    assert gallery.page(made) == (DOCS / "display.md").read_text(), "make the gallery anew: host/docs_made/gallery.py"


def test_every_picture_shows_the_dots_that_the_firmware_lights(made):
    for name, picture in made.pictures.items():
        shown = gallery.seen(DOCS / "img" / f"lcd_{name}.png")
        assert shown == changes(picture.looks), name


def test_no_picture_is_missing_or_left_over(made):
    names = set(made.pictures)
    assert {p.stem[4:] for p in (DOCS / "img").glob("lcd_*.png")} == names
    assert gallery.names_in((DOCS / "display.md").read_text()) == names
    assert gallery.names_in((DOCS / "installation.md").read_text()) <= names


def test_every_screen_and_every_error_is_there(made):
    """Issue: every startup screen, every runtime screen, every error on line 1, line 2, both, each failure."""
    shown = {p.name: (p.screen, p.text) for p in made.pictures.values()}
    assert {screen for screen, _ in shown.values()} == set("dEoCSnr81234")
    for name, (_, _, error) in gallery.CONDITIONS.items():
        if not error:
            continue  # a warning has no error screen
        for suffix, line, lit in (("1", 1, {"L1"}), ("2", 2, {"L2"}), ("both", 1, {"L1", "L2"})):
            assert shown[f"{name}_{suffix}"] == ("4", f"{error}{line}")
            assert made.pictures[f"{name}_{suffix}"].looks[0] & {"L1", "L2"} == lit
            assert ("LEFT" in made.pictures[f"{name}_{suffix}"].looks[0]) == (name == "reverse")
    for n in range(1, 6):
        assert shown[f"fail_0{n}"] == ("4", f"FAIL 0{n}")
        assert {gallery.read(look)[0] for look in made.pictures[f"fail_0{n}"].looks} == {"4", "F"}


def test_the_drawing_has_a_shape_for_every_dot_of_the_board():
    assert set(glass_svg.POLYGONS) == set(board.GLASS)
    for lit in (frozenset(), frozenset(board.GLASS), frozenset(["0a", "P3", "COL", "SUM", "BAR2"])):
        assert glass_svg.lit_in(glass_svg.image(lit)) == lit


def test_the_svg_names_every_dot():
    text = glass_svg.svg(["0a"])
    assert text.count("<path ") == len(board.GLASS)
    assert text.count(f'fill="{glass_svg.LIT}"') == 1
    assert text == (DOCS / "img" / "lcd_dots.svg").read_text().replace(glass_svg.LIT, glass_svg.GHOST).replace(
        f'id="0a" fill="{glass_svg.GHOST}"', f'id="0a" fill="{glass_svg.LIT}"'
    )
