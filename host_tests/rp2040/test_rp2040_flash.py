"""scripts/flash on an emulated RP2040: files in two slots; a power cut at any point starts one whole firmware."""

import contextlib
import subprocess
import sys

import pytest

from host import deploy, flash
from host.device import Device, DeviceCodeError, DeviceError
from host_tests.rp2040 import emulator

pytestmark = pytest.mark.rp2040

CUTS = 7
SERVICE = """
def provisioned(): return True
def identity(): print("OK identity version=%s" % VERSION)
def status(): print("OK status")
"""


class ConsoleDevice(Device):
    """`Device` on an emulated chip's console, in emulated time."""

    def __init__(self, chip: emulator.Chip) -> None:
        self.port = "emulated"
        self.chip = chip
        chip.console.raw_repl()

    def run(self, code: str, timeout_s: float = 20.0) -> str:
        try:
            return self.chip.console.exec(code, int(timeout_s * 1e9))
        except RuntimeError as error:
            raise DeviceCodeError(str(error)) from error

    def reset_by(self, code: str, wait_s: float = 15.0) -> None:
        resets = len(self.chip.resets)
        self.chip.console.send(code.encode() + b"\x04")
        while len(self.chip.resets) == resets:
            self.chip.run(5_000_000)
            wait_s -= 0.005
            if wait_s < 0:
                raise DeviceError("no reset")
        self.chip.console.raw_repl()

    def restart_blind(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def firmware(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """Makes `deploy.build` give a small firmware of the version that it is called with."""

    def version(number: int) -> None:
        sources = {
            "boot.py": "from openkh.service import VERSION\nprint('boot', VERSION)\n",
            "main.py": "import openkh.app\n",
            "board.py": "NAME = 'small'\n",
            "openkh/app.py": "meter = None\n",
            "openkh/service.py": f"VERSION = {number}\n{SERVICE}",
            "openkh/same.py": "TABLE = (" + "1234567, " * 300 + ")\n",
        }
        if number > 1:
            sources["openkh/new.py"] = "x = 1\n"
        files = {}
        for name, text in sources.items():
            path = tmp_path / "source.py"
            path.write_text(text)
            files[name[:-3] + ".mpy"] = deploy.compile_file(path, name)
        files[deploy.MANIFEST] = deploy.manifest(files, "small")
        monkeypatch.setattr(deploy, "build", lambda _board: files)

    return version


def install(chip: emulator.Chip, monkeypatch: pytest.MonkeyPatch) -> int:
    """One ./scripts/flash."""
    monkeypatch.setattr(flash, "Device", lambda _port: ConsoleDevice(chip))
    monkeypatch.setattr(flash.time, "sleep", lambda _s: None)
    return flash.main(["--port", "emulated"])


def running_version(chip: emulator.Chip) -> int:
    """What a freshly started chip runs, by its own word."""
    chip.console.raw_repl()
    return int(chip.console.exec("import openkh.service, openkh.same, openkh.app\nprint(openkh.service.VERSION)"))


def test_first_installation_and_updates(firmware, monkeypatch, capsys) -> None:
    chip = emulator.Chip(fs=emulator.filesystem({"main.py": b"print('something else')\n"}), usb=True)
    firmware(1)
    assert install(chip, monkeypatch) == 0
    said = capsys.readouterr()
    assert "OK identity version=1" in said.out
    assert "slot a: 7 files sent" in said.err
    assert "kept as before-openkh-main.py" in said.err
    assert b"something else" in emulator.read_file(chip.files(), "before-openkh-main.py")

    assert install(chip, monkeypatch) == 0
    assert "has this firmware already" in capsys.readouterr().err

    firmware(2)
    assert install(chip, monkeypatch) == 0
    said = capsys.readouterr()
    assert "OK identity version=2" in said.out
    assert "slot b: 3 files sent, 5 taken over from the running firmware" in said.err

    firmware(1)  # back again: slot a still has it
    assert install(chip, monkeypatch) == 0
    said = capsys.readouterr()
    assert "OK identity version=1" in said.out
    assert "slot a: 0 files sent" in said.err


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
        [sys.executable, "-m", "host_tests.rp2040.serve"], stdout=subprocess.PIPE, text=True, cwd=deploy.TOP
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
