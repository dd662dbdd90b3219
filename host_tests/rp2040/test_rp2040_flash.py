"""scripts/flash on an emulated RP2040: files in two slots; a power cut at any point starts one whole firmware."""

import ast
import contextlib
import os
import re
import subprocess
import sys

import pytest
from mpremote.transport import Transport, TransportExecError

from boards.virtual import reference
from host.flash import board_files, deploy
from host.flash import command as flash
from host.port.prompt import CodeError, PortError, SerialPrompt
from host.rp2040 import emulator, engine
from openkh.model import Model

pytestmark = pytest.mark.rp2040

CUTS = 7
START_NS = 2_000_000_000  # what a real port needs anyway before it can be opened again
SERVICE = """
def provisioned(): print(True)
def identity(): print("OK identity version=%s" % VERSION)
def status(): print("OK status")
def lines(): print("OK L1")
"""


class ConsoleTransport(Transport):
    """mpremote's file verbs on an emulated chip's console."""

    def __init__(self, chip: emulator.Chip) -> None:
        self.chip = chip

    def exec(self, command: str) -> bytes:
        try:
            return self.chip.console.exec(command, 60_000_000_000).encode()
        except RuntimeError as error:
            raise TransportExecError(b"", str(error)) from error

    def eval(self, expression: str) -> object:
        return ast.literal_eval(self.exec(f"print(repr({expression}))").decode().strip())


class ConsoleDevice(SerialPrompt):
    """`SerialPrompt` on an emulated chip's console, in emulated time."""

    def __init__(self, chip: emulator.Chip) -> None:
        self.device = "emulated"
        self.chip = chip
        self._transport = ConsoleTransport(chip)
        chip.console.raw_repl()

    def execute(self, code: str, seconds: float = 20.0) -> str:
        try:
            return self.chip.console.exec(code, int((20.0 + seconds) * 1e9))
        except RuntimeError as error:
            raise CodeError(str(error)) from error

    def reset_by(self, code: str, done_s: float = 1.0, wait_s: float = 15.0) -> str:
        wait_s += done_s
        resets = len(self.chip.resets)
        self.chip.console.received.clear()
        self.chip.console.send(code.encode() + b"\x04")
        while len(self.chip.resets) == resets:
            self.chip.run(5_000_000)
            wait_s -= 0.005
            if wait_s < 0:
                raise PortError(f"no reset: {bytes(self.chip.console.received)!r}")
        printed = bytes(self.chip.console.received).decode()
        self.chip.run(START_NS)
        self.chip.console.raw_repl()
        return printed

    def restart_blind(self) -> bool:
        return True

    def close(self) -> None:
        pass


@pytest.fixture
def firmware(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """Makes `deploy.parts` give a small firmware of the version that it is called with."""

    def version(number: int) -> None:
        sources = {
            "boot.py": "from openkh.service import VERSION\nprint('boot', VERSION)\nprompt = {}\n",
            "main.py": "import openkh.app\nprompt = {'answer': 42}\n",
            "board.py": "NAME = 'small'\n",
            "openkh/app.py": "meter = None\n",
            "openkh/service.py": f"VERSION = {number}\n{SERVICE}",
            "openkh/same.py": "TABLE = (" + "1234567, " * 300 + ")\n",
        }
        if number > 1:
            sources["openkh/new.py"] = "x = 1\n"
        modules = {}
        for name, text in sources.items():
            path = tmp_path / "source.py"
            path.write_text(text)
            modules[name[:-3] + ".mpy"] = deploy.compile_file(path, name)
        modules[deploy.NAMES] = b"one two"
        monkeypatch.setattr(deploy, "parts", lambda _board, _chosen: modules)

    return version


def install(chip: emulator.Chip, monkeypatch: pytest.MonkeyPatch) -> int:
    """One ./scripts/flash."""
    monkeypatch.setattr(flash, "SerialPrompt", lambda _port: ConsoleDevice(chip))
    monkeypatch.setattr(flash.time, "sleep", lambda _s: None)
    return flash.main(["--port", "emulated"])


def running_version(chip: emulator.Chip) -> int:
    """What a freshly started chip runs, by its own word; `answer` is there once its main.py has run."""
    chip.console.raw_repl()
    return int(chip.console.exec("import openkh.service, openkh.same\nprint(openkh.service.VERSION * (answer == 42))"))


def test_first_installation_and_updates(firmware, monkeypatch, capsys) -> None:
    chip = emulator.Chip(fs=emulator.filesystem({"main.py": b"print('something else')\n"}), usb=True)
    firmware(1)
    assert install(chip, monkeypatch) == 0
    said = capsys.readouterr()
    assert "OK identity version=1" in said.out
    assert "slot a: 7 parts sent" in said.err
    assert "kept as before-openkh-main.py" in said.err
    assert b"something else" in emulator.read_file(chip.files(), "before-openkh-main.py")

    assert install(chip, monkeypatch) == 0
    assert "has this firmware already" in capsys.readouterr().err

    firmware(2)
    assert install(chip, monkeypatch) == 0
    said = capsys.readouterr()
    assert "OK identity version=2" in said.out
    assert "slot b: 2 parts sent, 6 taken over from the running firmware" in said.err

    firmware(1)  # back again: slot a still has it
    assert install(chip, monkeypatch) == 0
    said = capsys.readouterr()
    assert "OK identity version=1" in said.out
    assert "slot a has this firmware already" in said.err


@pytest.mark.parametrize(("board", "serial"), [("reference", "123456789012"), ("breadboard", "000000000007")])
def test_CA_4_from_a_blank_board_to_a_running_meter(board: str, serial: str, monkeypatch, capsys) -> None:
    """The real firmware on the simulated board: installed, provisioned, measuring; then an update keeps everything."""
    parts = board_files.load(board)
    meter = engine.Board(1, b"")
    composed = reference.Reference(parts, Model("MDNCT-1SC", "60Hz"), {}, meter)
    composed.mains.add(["mains", 0, 0, [120.0, 10.0, 0.0, 0.0], [120.0, 5.0, 0.0, 180.0], 60.0])
    meter.run_to(200_000)
    monkeypatch.setattr(flash, "SerialPrompt", lambda _port: ConsoleDevice(meter.chip))
    monkeypatch.setattr(flash.time, "sleep", lambda s: meter.chip.run(int(s * 1e9)))
    arguments = ["--port", "emulated", "--board", board]
    assert flash.main([*arguments, "--serial", serial, "--date", "260131"]) == 0
    said = capsys.readouterr()
    assert f"OK identity model MDNCT-1SC, service 60Hz, serial {serial}, date 260131" in said.out
    watts = re.search(r"L1 +120\.000 V +10\.000 A +([\d.]+) W", said.out).group(1)
    assert abs(float(watts) - 1200) < 0.5
    if board == "breadboard":
        return  # whose first start, laying the flash out, took long enough
    meter.chip.run(8_000_000_000)
    monkeypatch.setattr(deploy, "compile_text", _other_compiler(deploy.compile_text))
    assert flash.main(arguments) == 0
    said = capsys.readouterr()
    assert "the meter saves and goes into service mode" in said.err
    assert "taken over from the running firmware" in said.err
    assert f"serial {serial}" in said.out
    delivered = float(re.search(r"([\d.]+) Wh delivered", said.out).group(1))
    assert delivered > 8 * 1800 / 3600
    assert "FAIL" not in said.out


def _other_compiler(compile_text):
    """A next version: one module differs."""

    def compiled(text: str, name: str) -> bytes:
        if name != "drivers/fram":
            return compile_text(text, name)
        return compile_text(text, "drivers/fram_")  # another name in the tracebacks

    return compiled


def test_a_power_cut_at_any_point_of_an_update_starts_the_old_or_the_new_firmware(firmware, monkeypatch) -> None:
    chip = emulator.Chip(fs=emulator.filesystem({}), usb=True)
    firmware(1)
    assert install(chip, monkeypatch) == 0
    before = chip.flash_image()
    firmware(2)
    done = len(chip.flash_operations)
    assert install(chip, monkeypatch) == 0
    operations = len(chip.flash_operations) - done
    versions = []
    for n in range(CUTS):
        chip = emulator.Chip(flash=before, usb=True)
        chip.cut_at_operation = 1 + n * (operations - 1) // (CUTS - 1)
        with contextlib.suppress(emulator.PowerCutError):
            install(chip, monkeypatch)
        chip = emulator.Chip(flash=chip.flash_image(), usb=True)
        versions.append(running_version(chip))
        assert install(chip, monkeypatch) == 0
        assert running_version(chip) == 2
    assert versions == sorted(versions)
    assert versions[0] == 1


def test_mpremote_and_flash_over_a_port(firmware, capsys) -> None:
    """The real serial path: mpremote's transport, a reset that takes the port away."""
    server = subprocess.Popen(
        [sys.executable, "-m", "host.rp2040.serve"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=deploy.TOP,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        port = f"socket://127.0.0.1:{int(server.stdout.readline().split()[1])}"
        firmware(1)
        assert flash.main(["--port", port]) == 0
        assert "OK identity version=1" in capsys.readouterr().out
        command = [sys.executable, "-m", "mpremote", "connect", port, "resume", "exec", "print(6 * 7)"]
        assert subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip() == "42"
    finally:
        server.terminate()
        server.wait(10)
