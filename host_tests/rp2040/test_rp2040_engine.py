"""The link to a meter on an emulated chip, as far as it needs no image."""

import pytest

from host.rp2040 import emulator, engine

CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1}


@pytest.fixture(autouse=True)
def _no_firmware(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing starts here, so that nothing need be compiled."""
    monkeypatch.setattr(engine, "filesystem", lambda _board_dir, _chosen: emulator.filesystem({}))


def reference(board_dir: str, **options: str):
    with engine.Rp2040Link({**CONFIG, "board": options}, board_dir) as link:
        return link.engine.reference


def test_each_meter_of_a_process_has_the_board_and_the_memory_that_were_asked_for_it() -> None:
    """A meter on FRAM after one on flash had no FRAM on its simulated board, and so no factory data."""
    assert reference("boards/reference", memory="flash").memory_kind == "flash"
    assert reference("boards/reference").memory_kind == "fram"
    assert reference("boards/breadboard").parts.__file__.endswith("breadboard/board.py")
