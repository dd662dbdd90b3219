"""./scripts/flash: puts the firmware on a board over USB; see `deploy` for what lies where on the board."""

import argparse
import sys
import time

from host.cli.parser import Parser, command_parser
from host.cli.refused import RefusedError
from host.cli.status import DONE, reported
from host.flash import deploy
from host.flash.deploy import BUNDLE, LOADER
from host.port.device import Device, DeviceCodeError, DeviceError, ports

UF2_HELP = """\
MicroPython for the board (once):
 1. Download the newest firmware .uf2 for "Raspberry Pi Pico" (RPI_PICO, not Pico W, not Pico 2), version 1.27 or later,
    from https://micropython.org/download/RPI_PICO/
 2. Unplug the board, hold its BOOTSEL button, plug it in, let go: a drive RPI-RP2 appears.
 3. Copy the .uf2 onto that drive. It disappears by itself, and the board restarts with MicroPython.
 4. Run ./scripts/flash again.
Only with the meter's mains connections off and open: the metering side is at mains potential (docs/hardware.md)."""

NO_BOARD = """\
no board with MicroPython on USB: plug it in with a cable that carries data, or name its port with --port; a new Pico
has no MicroPython yet (./scripts/flash --uf2 says how to put it on)"""

DESCRIPTION = """\
Puts the firmware on a board over USB. An update keeps register, calibration, factory data and log; interrupted at any
point, the board starts the old firmware or the new one."""
EXAMPLES = """\
  ./scripts/flash --uf2                     where to get MicroPython, and how to put it on; once
  ./scripts/flash --serial 000000000001     the firmware and, on a new board, its serial number
  ./scripts/flash --board reference         for the metering board; later updates remember it"""

# On the board: hash of a file, or of a part of it.
HASH = """
import hashlib, binascii
def _hash(p, at=0, n=1 << 24):
    h = hashlib.sha256()
    with open(p, "rb") as f:
        f.seek(at)
        while n:
            b = f.read(min(512, n))
            if not b: break
            h.update(b)
            n -= len(b)
    return binascii.hexlify(h.digest()).decode()
"""
# The hash of each module of a bundle, and where it lies: what is on the board counts, not what an index claims.
MODULES = (
    HASH
    + """
def _modules(p):
    with open(p, "rb") as f:
        t = f.read(int(f.readline().split()[1]))
        base = f.tell()
    for w in t.replace(b"\\n", b"/").split(b"/"):
        w = w.split()
        if len(w) == 3:
            print(_hash(p, base + int(w[1]), int(w[2])), base + int(w[1]), int(w[2]))
"""
)

# A meter that is measuring: not one that was never flashed, nor one in service mode.
RUNNING = """
import sys
print("openkh.app" in sys.modules and sys.modules["openkh.app"].meter is not None)
"""

# Copies a part of another file into the open file `f`: fewer bytes over the wire.
COPY = """
def _copy(p, at, n):
    with open(p, "rb") as g:
        g.seek(at)
        while n:
            d = g.read(min(512, n))
            if not d: break
            n -= f.write(d)
"""
# Empties a folder, or makes it.
CLEAR = """
import os
def _clear(p):
    for e in os.ilistdir(p):
        n = p + "/" + e[0]
        if e[1] & 0x4000:
            _clear(n)
            os.rmdir(n)
        else:
            os.remove(n)
try:
    os.mkdir(FOLDER)
except OSError:
    _clear(FOLDER)
"""
CHOSEN = "(lambda b:{n:getattr(b,n,None)for n in('NAME','MEMORY','DISPLAY')})(__import__('board'))"


DEFAULT_BOARD = "breadboard"
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
        listed = ", ".join(f"--port {name} (board {number})" for name, number in found)
        raise RefusedError(f"{len(found)} boards found; say which one: {listed}")
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


def file_hash(device: Device, path: str) -> str:
    """Hash of a file on the board; "" where there is none."""
    try:
        return device.run(f"{HASH}\nprint(_hash({path!r}))", timeout_s=60).strip()
    except DeviceCodeError:
        return ""


def modules_there(device: Device, slot: str) -> dict[str, tuple[int, int]]:
    """Hash of each module of a slot's bundle -> (offset, size); empty where there is no such slot."""
    try:
        out = device.run(f"{MODULES}\n_modules('/{slot}/{BUNDLE}')", timeout_s=60)
    except DeviceCodeError:
        return {}
    words = (line.split() for line in out.splitlines())
    return {digest: (int(offset), int(size)) for digest, offset, size in words}


def running_slot(device: Device) -> str:
    """The slot that the board has started, or would; "" on a board without the firmware."""
    started = device.run("import sys\nprint(sys.path[0])").strip()
    if started in [f"/fw/{slot}" for slot in deploy.SLOTS]:
        return started[-1]  # not always the one that /slot names: the launcher passes over what does not start
    try:
        slot = device.run("print(open('/slot').read(1))").strip()
    except DeviceCodeError:
        return ""
    return slot if slot in deploy.SLOTS else ""


def chosen(device: Device, options: argparse.Namespace) -> tuple[str, dict[str, str]]:
    """The board, and what its file leaves to choose: as asked for, else as it is on the board, else as in the file."""
    try:
        there = device.value(CHOSEN)
    except DeviceCodeError:
        there = {}
    board = options.board or there.get("NAME")
    if board not in deploy.boards():
        board = DEFAULT_BOARD
    found = {}
    for name, allowed in deploy.CHOICES.items():
        value = getattr(options, name.lower())
        if value is None and board == there.get("NAME") and there.get(name) in allowed:
            value = there[name]
        if value is not None:
            found[name] = value
        if name == "MEMORY" and value is not None and there.get(name) not in (None, value):
            say(f"the register moves from {there[name]} to {value}: what the board has stored so far stays behind")
    return board, found


def enter_service_mode(device: Device) -> None:
    """A running meter saves its register and restarts without metering or watchdog."""
    if "True" in device.run(RUNNING):
        say("the meter saves and goes into service mode")
        device.reset_by("import openkh.service\nopenkh.service.update_mode()")


def fill(device: Device, slot: str, modules: dict[str, bytes], running: str) -> None:
    """Make the folder of a slot that is not in use hold the firmware; takes from slot `running` what is the same."""
    folder = f"/{slot}"
    wanted = {BUNDLE: deploy.digest(deploy.bundle(modules)), LOADER: deploy.digest(deploy.loader())}
    if all(file_hash(device, f"{folder}/{name}") == value for name, value in wanted.items()):
        say(f"slot {slot} has this firmware already")
        return
    there = modules_there(device, running) if running else {}
    device.run(f"FOLDER={folder!r}\n{CLEAR}")
    device.run(f"{COPY}\nf=open('{folder}/{BUNDLE}','wb')")
    device.append(deploy.bundle_head(modules))
    copied = 0
    for path in sorted(modules):
        place = there.get(deploy.digest(modules[path]))
        if place:
            device.run(f"_copy('/{running}/{BUNDLE}',{place[0]},{place[1]})")
            copied += 1
        else:
            device.append(modules[path])
    device.run("f.close();del f")
    device.write(f"{folder}/{LOADER}", deploy.loader())
    say(f"slot {slot}: {len(modules) - copied} modules sent, {copied} taken over from the running firmware")
    for name, value in wanted.items():
        if file_hash(device, f"{folder}/{name}") != value:
            raise DeviceError(f"after writing, {name} on the board is not what was sent; the old firmware stays")


def replace(device: Device, path: str, data: bytes) -> None:
    """Write a file by the side and put it in place by one rename: old or new, never half."""
    device.write(path + ".new", data)
    device.run(f"import os\nos.rename({path + '.new'!r}, {path!r})")


def install_launcher(device: Device, board: str) -> None:
    """boot.py and main.py of the root; somebody else's main.py is kept beside."""
    for name, data in deploy.launcher(board).items():
        there = file_hash(device, f"/{name}")
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
    device = Device(choose(options.port))
    try:
        check_micropython(device)
        board, choice = chosen(device, options)
        modules = deploy.parts(board, choice)
        running = running_slot(device)
        if running and file_hash(device, f"/{running}/{BUNDLE}") == deploy.digest(deploy.bundle(modules)):
            say("the board has this firmware already")
            install_launcher(device, board)
        else:
            enter_service_mode(device)
            target = "b" if running == "a" else "a"
            try:
                fill(device, target, modules, running)
                install_launcher(device, board)
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


def parser() -> Parser:
    """The command line."""
    p = command_parser("flash", DESCRIPTION, EXAMPLES)
    add = p.add_argument
    add("--port", metavar="PORT", help="serial port of the board (default: the only one found)")
    known = "default: the one it was flashed as, else " + DEFAULT_BOARD
    add("--board", choices=deploy.boards(), help=f"which board ({known})")
    for name, allowed in deploy.CHOICES.items():
        add(f"--{name.lower()}", choices=allowed, help="default: as it was flashed, else as in the board's file")
    new = "of a board without factory data "
    add("--model", metavar="CODE", default="MDNCT-1SC", help=new + "(default %(default)s)")
    add("--service", choices=("60Hz", "50Hz"), default="60Hz", help=new + "(default %(default)s)")
    add("--serial", metavar="12_DIGITS", help=new)
    add("--date", metavar="YYMMDD", help=new + ": its manufacture (default today)")
    add("--uf2", action="store_true", help="say where to get MicroPython and how to put it on, and end")
    return p


@reported("interrupted; the board goes on with the firmware it had")
def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    options = parser().parse_args(argv)
    if options.uf2:
        print(UF2_HELP)
        return DONE
    flash(options)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
