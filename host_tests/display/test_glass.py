"""Font, glass map and drawing: what is written into the frame is what a person reads on the glass."""

import board
import pytest

from boards.virtual.parts import glass as person
from openkh.display import glass
from openkh.display.glyphs import FONT

MAP = board.GLASS


def read(frame):
    image = glass.Glass(MAP).draw(frame)
    return person.Glass(MAP).read(image)


def frame_of(text=b"", identity=b" "):
    frame = glass.Frame()
    frame.clear()
    frame.characters[0] = identity[0]
    frame.text(text)
    return frame


def test_the_map_names_every_dot_once_within_32_segment_lines():
    digits = {f"{d}{s}" for d in range(9) for s in "abcdefg"}
    rest = {f"P{d}" for d in range(1, 8)} | {"COL", "BAR1", "BAR2", "BAR3", "BAR4", "LEFT", "RIGHT"}
    assert set(MAP) == digits | rest | {"L1", "L2", "MAX", "SUM", "k", "W", "h", "Hz"}
    assert len(set(MAP.values())) == len(MAP)
    assert all(0 <= segment < 32 and 0 <= common < 4 for segment, common in MAP.values())


def test_a_map_that_lacks_a_dot_is_refused_by_name():
    with pytest.raises(ValueError, match="dot 3c is missing"):
        glass.Glass({name: MAP[name] for name in MAP if name != "3c"})
    with pytest.raises(ValueError, match="dot Hz"):
        glass.Glass(dict(MAP, Hz=(40, 0)))


def test_a_digit_lies_in_the_order_of_the_controller():
    """1:4 multiplex: a c b DP on one segment line, f e g d on the next (data sheet)."""
    frame = frame_of(b"7.0000000")
    image = glass.Glass(MAP).draw(frame)
    assert image[1] == 0b11110000  # 7 and its point
    assert image[2] == 0b11101101  # 0


@pytest.mark.parametrize(
    "text",
    [
        *("FAIL 01", "FAIL 05", "Err rC1", "Err PF2", "Err LU1", "Err HU2", "Err HC1", "1 ELt", "2 ELt", "cnt 0.1"),
        *("cnt 1.0", "100:0.1", "200:0.1", "0.10", "261121", "--------", "0.00", "99999.99", "100000.0", "-0.015"),
        "12345678",
    ],
)
def test_LC_1_LC_2_every_text_of_the_meter_is_read_as_written(text):
    assert read(frame_of(text.encode()))["text"] == text


@pytest.mark.parametrize("identity", "dEoCSnr81234F")
def test_LC_1_every_screen_ID_is_read_as_written(identity):
    assert read(frame_of(b"", identity.encode()))["screen"] == identity


def test_glyphs_that_a_person_tells_apart():
    """Only S and 5 share a shape; every other character of the font has its own."""
    shapes = {}
    for code, segments in enumerate(FONT):
        if segments:
            shapes.setdefault(segments, []).append(chr(code))
    assert sorted(c for c in shapes.values() if len(c) > 1) == [["5", "S"]]


@pytest.mark.parametrize(
    "value, decimals, text",
    [
        (0, 2, "0.00"),
        (1, 2, "0.01"),
        (10, 2, "0.10"),
        (100, 2, "1.00"),
        (9_999_999, 2, "99999.99"),
        (1_000_000, 1, "100000.0"),
        (9_999_999, 1, "999999.9"),
        (0, 3, "0.000"),
        (-15, 3, "-0.015"),
        (58_080, 3, "58.080"),
        (-58_080, 3, "-58.080"),
        (7, 0, "7"),
        (0, 0, "0"),
        (99_999_999, 3, "99999.999"),
    ],
)
def test_LC_5_numbers_right_aligned_without_leading_zeros_sign_first(value, decimals, text):
    frame = frame_of()
    frame.number(value, decimals)
    assert read(frame)["text"] == text
    assert frame.characters[8] == ord(text[-1])


def test_every_dot_lights_by_its_own_name():
    """Each dot of the map alone: the glass as read shows exactly that one (symbols and bar by the frame's bits)."""
    for bit, name in enumerate(("L1", "L2", "MAX", "SUM", "k", "W", "h", "Hz")):
        frame = frame_of()
        frame.symbols = 1 << bit
        assert read(frame)["lit"] == [name]
    for bit, name in enumerate(("BAR1", "BAR2", "BAR3", "BAR4", "LEFT", "RIGHT")):
        frame = frame_of()
        frame.bar = 1 << bit
        assert read(frame)["lit"] == [name]
    for digit in range(1, 8):
        frame = frame_of()
        frame.points = 1 << digit
        assert read(frame)["lit"] == [f"P{digit}"]
    frame = frame_of()
    frame.colon = True
    assert read(frame)["lit"] == ["COL"]


def test_LC_1_all_segments():
    frame = frame_of(b"", b"8")
    frame.all = True
    assert read(frame)["lit"] == sorted(MAP)
