"""chipcheck --port on an emulated Pico without a firmware, with a simulated ADE7953 on its SPI (CH-3)."""

import json

import pytest

from boards.virtual.ade7953.chip import Ade7953
from host.chipcheck import command
from host.flash import board_files
from host.rp2040 import emulator
from host.rp2040.engine import Board

pytestmark = pytest.mark.rp2040

WALL_S = 1_200.0


class Pico:
    """The board, and its prompt as chipcheck uses it (host.port.prompt.SerialPrompt)."""

    device = "emulated Pico"

    def __init__(self, wires, settings) -> None:
        number, sck, _mosi, _miso, cs, irq, reset = wires
        self.board = board = Board(1, emulator.filesystem({}))
        chip = Ade7953(board.clock, board.pins[irq].drive, 1, **settings)
        for pin in (sck, cs, irq, reset):
            board.pins[pin].board_pull(1)
        board.spi[number].attach(chip, board.pins[cs])
        board.pins[reset].listen(lambda level, _t_us: chip.reset_pin(level))
        board.devices.append(chip)
        board.power(True)
        self.console = board.chip.console
        self.console.raw_repl()

    def execute(self, code: str, _seconds: float = 0.0) -> str:
        return self.console.exec(code, wall_s=WALL_S)

    def __enter__(self) -> "Pico":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to let go of."""


def test_CH_3_chipcheck_tells_a_chip_on_a_pico_as_it_is_and_misses_the_other(monkeypatch, tmp_path, capsys) -> None:
    settings = {
        "checksum_live_bits": True,
        "version": 254,
        "last_changes": True,
        "silent_ms": 12.5,
        "flags_return": True,
        "key_strict": False,
        "checksum_delay_ms": 10.0,
        "noise": True,
    }
    wires = board_files.load("breadboard").FRONT_ENDS[0]
    monkeypatch.setattr(command, "SerialPrompt", lambda _port: Pico(wires, settings))
    file = tmp_path / "found.json"
    assert command.main(["--port", Pico.device, "--board", "breadboard", "--json", str(file)]) == 0
    out, err = capsys.readouterr()
    assert "SPI0, CS on GPIO17" in out
    assert "no ADE7953: register 0x203 reads 0x0 after a reset, not 0xE419" in err
    (report,) = json.loads(file.read_text())["chips"]
    told = {finding["setting"]: finding["value"] for finding in report["findings"]}
    for setting, wanted in settings.items():
        if setting in ("silent_ms", "checksum_delay_ms"):
            assert told[setting] == pytest.approx(wanted, abs=2.0)
        else:
            assert told[setting] == wanted, (setting, told[setting])
    assert told["counter_end"] is None
