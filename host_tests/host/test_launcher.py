"""What starts on a device: the launcher runs on MicroPython's unix port, in a file system of its own, with small slots.

The emulated RP2040 runs the same launcher with the whole firmware (host_tests/rp2040).
"""

import subprocess
from pathlib import Path

import pytest

from host.flash import deploy
from host.sim.link import command

MODULES = {
    "boot.py": "VERSION = 'WHICH'\nprompt = {'early': lambda: VERSION}\n",
    "main.py": "import boot\nprompt = {'running': lambda: boot.VERSION}\n",
}

# A device with the files of FOLDER; what its watchdog and its seal are told is kept in `told`.
DEVICE = """
import sys, time, vfs
vfs.umount("/")
vfs.mount(vfs.VfsPosix(FOLDER), "/")
told = []

class Reset(BaseException):
    pass

class Machine:
    mem32 = {0x40058000: 0}
    class Pin:
        IN = PULL_UP = None
        def __init__(self, *_a):
            self.since_ms = time.ticks_ms()  # from when on its pull-up charges the capacitor at the switch
        def __call__(self):
            return 0 if SEALED or time.ticks_diff(time.ticks_ms(), self.since_ms) < 8 else 1
    class Timer:
        def __init__(self, _number, period, callback):
            told.append(callback)
    @classmethod
    def WDT(cls, timeout):
        told.append("watched")
        cls.mem32[0x40058000] |= 1 << 30
    @staticmethod
    def reset():
        raise Reset

class Rp2:
    # A DMA that moves nothing: the processor makes each check.
    class DMA:
        channel = 0
        def pack_ctrl(self, **_fields):
            return 0
        def config(self, **_fields):
            pass
        def active(self):
            return False
        def close(self):
            pass

def start():
    for name in list(sys.modules):
        if name != "__main__":
            sys.modules.pop(name)
    sys.modules["machine"] = Machine
    sys.modules["rp2"] = Rp2
    sys.path[:] = ("/", ".frozen")
    Machine.mem32[0x40058000] = 0
    for slot in "ab":
        try:
            vfs.umount("/fw/" + slot)
        except Exception:  # none is mounted, or it has no umount of its own
            pass
    names = {"__name__": "__main__"}
    for name in ("/boot.py", "/main.py"):
        with open(name) as f:
            exec(f.read(), names)
    return names
"""
SAY = """
names = start()
print(names["early"](), names["running"](), told, Machine.mem32[0x40058000])
"""
# Every 16th byte of each file of slot a, inverted and cut there.
SWEEP = """
runs = wrong = 0
for name in ("boot.mpy", "bundle", "crc32"):
    with open("/a/" + name, "rb") as f:
        whole = f.read()
    for at in range(0, len(whole), 16):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1:]):
            with open("/a/" + name, "wb") as f:
                f.write(damaged)
            runs += 1
            wrong += start()["running"]() != "good"
    with open("/a/" + name, "wb") as f:
        f.write(whole)
print(runs > 100, wrong, start()["running"]())
"""
GIVE_UP = """
try:
    start()
except Reset:
    print("reset", Machine.mem32[0x40058000])
except Exception as error:
    print(type(error), Machine.mem32[0x40058000])
    look = told.pop()
    look(None)
    SEALED = True
    try:
        look(None)
    except Reset:
        print("reset once it is sealed")
"""


def slot(version: str) -> dict[str, bytes]:
    """A small firmware's files."""
    texts = {name: text.replace("WHICH", version) for name, text in MODULES.items()}
    return deploy.slot_files({name[:-3] + ".mpy": deploy.compile_text(text, name) for name, text in texts.items()})


def run(folder: Path, slots: dict[str, dict[str, bytes]], script: str, named: str = "a", sealed: bool = False) -> str:
    """What `script` prints on a device with these slots and the launcher."""
    root = folder / "device"
    for name, files in slots.items():
        (root / name).mkdir(parents=True)
        for file, data in files.items():
            (root / name / file).write_bytes(data)
    root.mkdir(exist_ok=True)
    (root / "slot").write_text(named)
    for file, data in deploy.launcher("reference").items():
        (root / file).write_bytes(data)
    asked = folder / "ask.py"
    asked.write_text(f"FOLDER = {str(root)!r}\nSEALED = {sealed}\n{DEVICE}{script}")
    done = subprocess.run([*command("micropython"), asked], capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


@pytest.mark.parametrize("named", ["a", "b"])
def test_the_slot_that_is_named_starts_and_its_names_are_at_the_prompt(named: str, tmp_path: Path) -> None:
    """The loader's watchdog is off again where none ran before: main.py starts the meter's own."""
    said = run(tmp_path, {"a": slot("a"), "b": slot("b")}, SAY, named)
    assert said == f"{named} {named} ['watched'] 0\n"


def test_the_other_slot_starts_at_any_damage(tmp_path: Path) -> None:
    assert run(tmp_path, {"a": slot("bad"), "b": slot("good")}, SWEEP) == "True 0 bad\n"


@pytest.mark.parametrize("missing", [deploy.BUNDLE, deploy.LOADER, deploy.CHECK])
def test_a_slot_without_one_of_its_files_is_passed_over(missing: str, tmp_path: Path) -> None:
    bad = slot("bad")
    del bad[missing]
    assert run(tmp_path, {"a": bad, "b": slot("good")}, SAY).startswith("good good")


def test_where_nothing_can_start_the_console_is_open_with_the_seal_alone(tmp_path: Path) -> None:
    assert run(tmp_path, {}, GIVE_UP) == "<class 'OSError'> 0\nreset once it is sealed\n"
    assert run(tmp_path, {}, GIVE_UP, sealed=True).startswith("reset")


def test_the_firmware_has_what_the_launcher_takes_from_it() -> None:
    for name in ("boot.py", "main.py"):
        assert "\nprompt = " in (deploy.FIRMWARE / name).read_text()
