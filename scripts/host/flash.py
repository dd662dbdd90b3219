"""./scripts/flash: puts the firmware on a board over USB; see `deploy` for what lies where on the board."""

import argparse
import sys
import time

from host import deploy
from host.deploy import MANIFEST, DeployError
from host.device import Device, DeviceCodeError, DeviceError, ports

UF2_HELP = """\
MicroPython for the board (once):
 1. Download the newest firmware .uf2 for "Raspberry Pi Pico" (RPI_PICO, not Pico W, not Pico 2), version 1.27 or later,
    from https://micropython.org/download/RPI_PICO/
 2. Unplug the board, hold its BOOTSEL button, plug it in, let go: a drive RPI-RP2 appears.
 3. Copy the .uf2 onto that drive. It disappears by itself, and the board restarts with MicroPython.
 4. Run ./scripts/flash again.
Only with the meter's mains connections off and open: the metering side is at mains potential (docs/hardware.md)."""

NO_BOARD = """\
no board with MicroPython found on USB
  - is it plugged in, with a cable that carries data?
  - a new Pico has no MicroPython yet: ./scripts/flash --uf2 says how to put it on
  - elsewhere than the usual ports: --port NAME"""

# Prints the hash of each file of a folder, and the folders: what is on the board counts, not what a manifest claims.
HASH = """
import os, hashlib, binascii
def _hash(p):
    h = hashlib.sha256()
    with open(p, "rb") as f:
        while True:
            b = f.read(512)
            if not b: break
            h.update(b)
    print(binascii.hexlify(h.digest()).decode(), p)
"""
HASHES = (
    HASH
    + """
def _walk(p):
    for e in os.ilistdir(p):
        n = p + "/" + e[0]
        if e[1] & 0x4000:
            _walk(n)
        else:
            _hash(n)
try:
    _walk(FOLDER)
except OSError:
    pass
"""
)

# A meter that is measuring: not one that was never flashed, nor one in service mode.
RUNNING = """
import sys
print("openkh.app" in sys.modules and sys.modules["openkh.app"].meter is not None)
"""

# Copies what is the same in the running firmware from slot to slot: fewer bytes over the wire.
COPY = """
def _copy(a, b):
    with open(a, "rb") as f, open(b, "wb") as g:
        while True:
            d = f.read(512)
            if not d: break
            g.write(d)
"""


PROVISION_TRIES = 2  # on a board that keeps its register in flash the first one lays the flash out
PROVISION_S = 60.0  # which takes a quarter of a minute


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def choose(port: str | None) -> str:
    """The port to use: the one named, or the only board there is."""
    if port:
        return port
    found = ports()
    if not found:
        raise DeviceError(NO_BOARD)
    if len(found) > 1:
        lines = "\n".join(f"  --port {name}    (board {number})" for name, number in found)
        raise DeviceError(f"{len(found)} boards found; say which one:\n{lines}")
    return found[0][0]


def check_micropython(device: Device) -> None:
    """Refuse what the firmware does not run on."""
    name, version, mpy, platform = device.value(
        "(lambda s:(s.implementation.name,tuple(s.implementation.version[:3]),"
        "getattr(s.implementation,'_mpy',0),s.platform))(__import__('sys'))"
    )
    number = ".".join(str(part) for part in version)
    if name != "micropython":
        raise DeviceError(f"the board runs {name} {number}, not MicroPython: see ./scripts/flash --uf2")
    if platform != "rp2":
        raise DeviceError(f"the board is no RP2040 (it says {platform!r}); nothing was changed")
    if tuple(version[:2]) < deploy.OLDEST_MICROPYTHON:
        oldest = ".".join(str(part) for part in deploy.OLDEST_MICROPYTHON)
        raise DeviceError(
            f"the board has MicroPython {number}, {oldest} or later is needed: ./scripts/flash --uf2 says how to get it"
        )
    if mpy & 0xFF != deploy.MPY_VERSION:
        raise DeviceError(
            f"MicroPython {number} on the board takes .mpy version {mpy & 0xFF}, this firmware is compiled to "
            f"version {deploy.MPY_VERSION}: ./scripts/flash --uf2 says how to get one that fits"
        )


def hashes(device: Device, folder: str) -> dict[str, str]:
    """Path within `folder` -> hash, for every file in it."""
    out = device.run(f"FOLDER={folder!r}\n{HASHES}", timeout_s=60)
    return {path[len(folder) + 1 :]: value for value, _, path in (line.partition(" ") for line in out.splitlines())}


def running_slot(device: Device) -> str:
    """The slot that starts at the next reset; "" on a board without the firmware."""
    try:
        slot = device.run("print(open('/slot').read(1))").strip()
    except DeviceCodeError:
        return ""
    return slot if slot in deploy.SLOTS else ""


def enter_service_mode(device: Device) -> None:
    """A running meter saves its register and restarts without metering or watchdog."""
    if "True" in device.run(RUNNING):
        say("the meter saves and goes into service mode")
        device.reset_by("import openkh.service\nopenkh.service.update_mode()")


def fill(device: Device, slot: str, files: dict[str, bytes], other: dict[str, str]) -> None:
    """Make folder /slot hold exactly `files`; `other` = hashes of the firmware in the other slot."""
    folder = f"/{slot}"
    there = hashes(device, folder)
    wanted = {path: deploy.digest(data) for path, data in files.items()}
    elsewhere: dict[str, str] = {value: path for path, value in other.items()}
    # The manifest goes first and comes last: a slot without it is known to be unfinished.
    old = [path for path in there if path not in wanted] + [MANIFEST] * (MANIFEST in there)
    for path in sorted(set(old), key=lambda path: path != MANIFEST):
        if wanted.get(path) != there[path]:
            device.run(f"import os\nos.remove({folder + '/' + path!r})")
    folders = {folder}
    for path in files:
        parts = path.split("/")[:-1]
        folders.update(folder + "/" + "/".join(parts[:n]) for n in range(1, len(parts) + 1))
    for name in sorted(folders):
        device.run(f"import os\ntry: os.mkdir({name!r})\nexcept OSError: pass")
    device.run(COPY)
    sent = copied = 0
    for path in sorted(files, key=lambda path: (path == MANIFEST, path)):
        if there.get(path) == wanted[path]:
            continue
        source = elsewhere.get(wanted[path])
        if source:
            device.run(f"_copy('/{'b' if slot == 'a' else 'a'}/{source}', {folder + '/' + path!r})")
            copied += 1
        else:
            device.write(f"{folder}/{path}", files[path])
            sent += 1
    say(f"slot {slot}: {sent} files sent, {copied} taken over from the running firmware, {len(files)} in all")
    now = hashes(device, folder)
    if now != wanted:
        wrong = sorted(path for path in now.keys() | wanted.keys() if now.get(path) != wanted.get(path))
        raise DeviceError(
            f"after writing, {', '.join(wrong)} on the board is not what was sent; the old firmware stays"
        )


def replace(device: Device, path: str, data: bytes) -> None:
    """Write a file by the side and put it in place by one rename: old or new, never half."""
    device.write(path + ".new", data)
    device.run(f"import os\nos.rename({path + '.new'!r}, {path!r})")


def install_launcher(device: Device) -> None:
    """boot.py and main.py of the root; somebody else's main.py is kept beside."""
    for name, data in deploy.launcher().items():
        try:
            there = device.run(f"{HASH}\n_hash({'/' + name!r})").split(" ")[0]
        except DeviceCodeError:
            there = ""
        if there == deploy.digest(data):
            continue
        if there and not running_slot(device):
            device.run(f"import os\nos.rename('/{name}', '/before-openkh-{name}')")
            say(f"the board's own {name} is kept as before-openkh-{name}")
        replace(device, f"/{name}", data)


def provisioned(device: Device) -> bool:
    """Factory data are there."""
    return device.run("import openkh.service\nopenkh.service.provisioned()").strip() == "True"


def provision(device: Device, options: argparse.Namespace) -> None:
    """Factory data where there are none (ID-5, CA-4); an update never touches them."""
    if provisioned(device):
        return
    if options.serial is None:
        say(
            "the board has no factory data yet, and stores nothing; give them once:\n"
            f"  ./scripts/flash --model {options.model} --service {options.service} --serial 12_DIGITS [--date YYMMDD]"
        )
        return
    date = options.date or time.strftime("%y%m%d")
    given = (options.model, options.service, options.serial, date)
    for _ in range(PROVISION_TRIES):
        said = device.reset_by(f"import openkh.service\nopenkh.service.provision{given!r}", PROVISION_S)
        if provisioned(device):
            say(f"factory data written: {' '.join(given)}")
            return
    raise DeviceError(f"the board did not take the factory data: {said}")


def report(device: Device) -> None:
    """Identity and first measured values, read back from the running meter."""
    time.sleep(2)
    for name in ("identity", "status", "lines"):
        print(device.run(f"import openkh.service\nopenkh.service.{name}()").strip())


def flash(options: argparse.Namespace) -> None:
    files = deploy.build(options.board)
    device = Device(choose(options.port))
    try:
        check_micropython(device)
        slot = running_slot(device)
        current = hashes(device, f"/{slot}") if slot else {}
        if current == {path: deploy.digest(data) for path, data in files.items()}:
            say("the board has this firmware already")
            install_launcher(device)
        else:
            enter_service_mode(device)
            target = "b" if slot == "a" else "a"
            try:
                fill(device, target, files, current)
                install_launcher(device)
                replace(device, "/slot", target.encode())
            except (DeviceError, KeyboardInterrupt):
                device.restart_blind()  # a meter must not be left in service mode
                raise
            say("restarting with the new firmware")
            device.reset_by("import machine\nmachine.reset()")
        provision(device, options)
        report(device)
    finally:
        device.close()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/flash",
        description="Puts the firmware on a board over USB. An update keeps register, calibration, factory data and "
        "log; interrupted at any point, the board starts the old firmware or the new one.",
    )
    parser.add_argument("--port", help="serial port of the board; default: the only one found")
    parser.add_argument(
        "--board", default="breadboard", choices=deploy.boards(), help="which board (default: %(default)s)"
    )
    parser.add_argument(
        "--model", default="MDNCT-1SC", help="model code for a board without factory data (default: %(default)s)"
    )
    parser.add_argument("--service", default="60Hz", choices=("60Hz", "50Hz"), help="likewise (default: %(default)s)")
    parser.add_argument("--serial", help="likewise: serial number, 12 digits")
    parser.add_argument("--date", help="likewise: manufacture date YYMMDD (default: today)")
    parser.add_argument("--uf2", action="store_true", help="say where to get MicroPython and how to put it on, and end")
    options = parser.parse_args(arguments)
    if options.uf2:
        print(UF2_HELP)
        return 0
    try:
        flash(options)
    except (DeviceError, DeployError) as error:
        say(f"flash: {error}")
        return 1
    except KeyboardInterrupt:
        say("flash: interrupted; the board goes on with the firmware it had")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
