"""What the firmware asks for is there in its modules as a device gets them, or `./scripts/flash` refuses."""

import pytest

from host.flash import deploy, inline, resolved

WHOLE = {
    "board.py": "NAME = 'small'\n",
    "openkh/app.py": (
        "if not __name__:\n    append.first.second\n"
        "import gc, board\nfrom openkh import late\nfrom openkh.late import table as t\n"
        "def f(late_: 'Any', board_=None) -> Any:\n    gc.collect()\n    return late.table, t, board.NAME, len(t)\n"
        "def g(late):\n    return late.whatever\n"
        "def h():\n    from openkh.drivers import sensor\n    return sensor.read()\n"
    ),
    "openkh/late.py": "import rp2\ntable = [1]\ndef program(): wrap_target()\nx = rp2.asm_pio(out_init=0)(program)\n",
}
SENSOR = ("openkh/drivers/sensor.py",)


def test_a_whole_firmware_passes() -> None:
    resolved.check(WHOLE, SENSOR)


@pytest.mark.parametrize(
    ("late", "said"),
    [
        ("from openkh.app import nothing\n", "openkh.late.py: openkh.app has no nothing"),
        ("from openkh import app\ndef i():\n    return app.nothing\n", "openkh.late.py: app has no nothing"),
        ("import board\ndef i():\n    return board.MEMORY\n", "openkh.late.py: board has no MEMORY"),
        ("from openkh import gone\n", "openkh.late.py: openkh has no gone"),
        ("import openkh.gone\n", "openkh.late.py: there is no module openkh.gone"),
        ("def i():\n    return lost\n", "openkh.late.py: lost is not there"),
    ],
)
def test_what_is_not_there_is_told(late: str, said: str) -> None:
    with pytest.raises(resolved.GoneError, match=said):
        resolved.check({**WHOLE, "openkh/late.py": WHOLE["openkh/late.py"] + late}, SENSOR)


def test_a_sensor_that_is_left_out_by_mistake_is_told() -> None:
    with pytest.raises(resolved.GoneError, match="openkh.drivers has no sensor"):
        resolved.check(WHOLE)


def test_constants_of_a_module_whose_name_is_an_argument_too_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its users are left alone then, and the constants are gone all the same."""
    made = inline.Modules.__init__
    screens = "openkh/display/screens.py"

    def with_argument(self: inline.Modules, sources: dict[str, str]) -> None:
        more = "\ndef lit(glass: object) -> bool:\n    return glass is not None\n"
        made(self, {**sources, screens: sources[screens] + more})

    monkeypatch.setattr(inline.Modules, "__init__", with_argument)
    deploy._of_any_board.cache_clear()
    try:
        with pytest.raises(resolved.GoneError, match="openkh/display/screens.py: glass has no "):
            deploy.texts("reference")
    finally:
        deploy._of_any_board.cache_clear()
