"""./scripts/flash: puts the firmware on a board over USB; see `deploy` for what lies where on the board."""

import argparse
import sys
import time

from host.cli.parser import Parser, command_parser
from host.cli.refused import FailedError
from host.cli.status import DONE, reported
from host.cli.values import model_code
from host.flash import board_files, deploy
from host.flash.deploy import BUNDLE, CHECK, LOADER
from host.port.prompt import CodeError, SerialPrompt
from host.port.serial_ports import only_board

UF2_HELP = """\
MicroPython for the board (once):
 1. Download the newest firmware .uf2 for "Raspberry Pi Pico" (RPI_PICO, not Pico W, not Pico 2), version 1.27 or later,
    from https://micropython.org/download/RPI_PICO/
 2. Unplug the board, hold its BOOTSEL button, plug it in, let go: a drive RPI-RP2 appears.
 3. Copy the .uf2 onto that drive. It disappears by itself, and the board restarts with MicroPython.
 4. Run ./scripts/flash again.
Only with the meter's mains connections off and open: the metering side is at mains potential (docs/hardware.md)."""

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
# RS485 is pins or None; what an older firmware does not know is "".
CHOSEN = "(lambda b:{n:getattr(b,n,'')for n in('NAME','MEMORY','DISPLAY','RS485')})(__import__('board'))"


ARCH_SHIFT = 10  # the processor in sys.implementation._mpy
DEFAULT_BOARD = "breadboard"
PROVISION_TRIES = 2  # on a board that keeps its register in flash the first one lays the flash out
PROVISION_S = 60.0  # which takes a quarter of a minute


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def check_micropython(device: SerialPrompt) -> None:
    """Refuse what the firmware does not run on."""
    name, version, mpy, platform = device.value(
        "(lambda s:(s.implementation.name,tuple(s.implementation.version[:3]),"
        "getattr(s.implementation,'_mpy',0),s.platform))(__import__('sys'))"
    )
    number = ".".join(str(part) for part in version)
    if name != "micropython":
        raise FailedError(f"the board runs {name} {number}, not MicroPython: see ./scripts/flash --uf2")
    if platform != "rp2":
        raise FailedError(f"the board is no RP2040 (it says {platform!r}); nothing was changed")
    if tuple(version[:2]) < deploy.OLDEST_MICROPYTHON:
        oldest = ".".join(str(part) for part in deploy.OLDEST_MICROPYTHON)
        raise FailedError(
            f"the board has MicroPython {number}, {oldest} or later is needed: ./scripts/flash --uf2 says how to get it"
        )
    if mpy >> ARCH_SHIFT != deploy.MPY >> ARCH_SHIFT:
        raise FailedError("the board is no RP2040: its processor is another one (a Pico 2?); nothing was changed")
    if mpy != deploy.MPY:
        raise FailedError(
            f"MicroPython {number} on the board takes .mpy version {_version(mpy)}, this firmware is compiled to "
            f"version {_version(deploy.MPY)}: ./scripts/flash --uf2 says how to get one that fits"
        )


def _version(mpy: int) -> str:
    """Of sys.implementation._mpy: the version of byte code, and that of machine code."""
    return f"{mpy & 0xFF}.{mpy >> 8 & 3}"


def modules_there(device: SerialPrompt, slot: str) -> dict[str, tuple[int, int]]:
    """Hash of each module of a slot's bundle -> (offset, size); empty where there is no such slot."""
    try:
        out = device.execute(f"{MODULES}\n_modules('/{slot}/{BUNDLE}')", 30.0)
    except CodeError:
        return {}
    words = (line.split() for line in out.splitlines())
    return {digest: (int(offset), int(size)) for digest, offset, size in words}


def running_slot(device: SerialPrompt) -> str:
    """The slot that the board has started, or would; "" on a board without the firmware."""
    started = device.execute("import sys\nprint(sys.path[0])").strip()
    if started in [f"/fw/{slot}" for slot in deploy.SLOTS]:
        return started[-1]  # not always the one that /slot names: the launcher passes over what does not start
    try:
        slot = device.execute("print(open('/slot').read(1))").strip()
    except CodeError:
        return ""
    return slot if slot in deploy.SLOTS else ""


def chosen(device: SerialPrompt, options: argparse.Namespace) -> tuple[str, dict[str, str]]:
    """The board, and what its file leaves to choose: as asked for, else as it is on the board, else as in the file."""
    try:
        there = device.value(CHOSEN)
    except CodeError:
        there = {}
    if there.get("RS485", "") != "":
        there["RS485"] = "port" if there["RS485"] else "none"
    board = options.board or there.get("NAME")
    if board not in board_files.boards():
        board = DEFAULT_BOARD
    found = {}
    for name, allowed in board_files.CHOICES.items():
        value = getattr(options, name.lower())
        if value is None and board == there.get("NAME") and there.get(name) in allowed:
            value = there[name]
        if value is not None:
            found[name] = value
        if name == "MEMORY" and value is not None and there.get(name) not in (None, "", value):
            say(f"the register moves from {there[name]} to {value}: what the board has stored so far stays behind")
    return board, found


def metering(device: SerialPrompt) -> bool:
    """Whether a meter runs on the board."""
    return "True" in device.execute(RUNNING)


def enter_service_mode(device: SerialPrompt) -> None:
    """A running meter saves its register and restarts without metering or watchdog."""
    if metering(device):
        say("the meter saves and goes into service mode")
        device.reset_by("import openkh.service\nopenkh.service.update_mode()")


def holds(device: SerialPrompt, slot: str, files: dict[str, bytes]) -> bool:
    """Whether the folder of a slot has these files, as sent."""
    return all(device.file_hash(f"/{slot}/{name}") == deploy.digest(data) for name, data in files.items())


def fill(device: SerialPrompt, slot: str, modules: dict[str, bytes], running: str) -> None:
    """Make the folder of a slot that is not in use hold the firmware; takes from slot `running` what is the same."""
    folder = f"/{slot}"
    files = deploy.slot_files(modules)
    if holds(device, slot, files):
        say(f"slot {slot} has this firmware already")
        return
    there = modules_there(device, running) if running else {}
    device.execute(f"FOLDER={folder!r}\n{CLEAR}")
    device.execute(f"{COPY}\nf=open('{folder}/{BUNDLE}','wb')")
    device.append(deploy.bundle_head(modules))
    copied = 0
    for path in sorted(modules):
        place = there.get(deploy.digest(modules[path]))
        if place:
            device.execute(f"_copy('/{running}/{BUNDLE}',{place[0]},{place[1]})")
            copied += 1
        else:
            device.append(modules[path])
    device.execute("f.close();del f")
    for name in (LOADER, CHECK):
        device.write_file(f"{folder}/{name}", files[name])
    say(f"slot {slot}: {len(modules) - copied} parts sent, {copied} taken over from the running firmware")
    if not holds(device, slot, files):
        raise FailedError("after writing, the files on the board are not what was sent; the old firmware stays")


def replace(device: SerialPrompt, path: str, data: bytes) -> None:
    """Write a file by the side and put it in place by one rename: old or new, never half."""
    device.write_file(path + ".new", data)
    device.execute(f"import os\nos.rename({path + '.new'!r}, {path!r})")


def install_launcher(device: SerialPrompt, board: str) -> None:
    """boot.py and main.py of the root; somebody else's main.py is kept beside."""
    for name, data in deploy.launcher(board).items():
        there = device.file_hash(f"/{name}")
        if there == deploy.digest(data):
            continue
        if there and not running_slot(device):
            device.execute(f"import os\nos.rename('/{name}', '/before-openkh-{name}')")
            say(f"the board's own {name} is kept as before-openkh-{name}")
        replace(device, f"/{name}", data)


def provisioned(device: SerialPrompt) -> bool:
    """Factory data are there."""
    return device.execute("import openkh.service\nopenkh.service.provisioned()").strip() == "True"


def provision(device: SerialPrompt, options: argparse.Namespace) -> None:
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
    factory_data = (options.model, options.service, options.serial, date)
    for _ in range(PROVISION_TRIES):
        said = device.reset_by(f"import openkh.service\nopenkh.service.provision{factory_data!r}", PROVISION_S)
        if provisioned(device):
            say(f"factory data written: {' '.join(factory_data)}")
            return
    raise FailedError(f"the board did not take the factory data: {said}")


def report(device: SerialPrompt) -> None:
    """Identity and first measured values, read back from the running meter."""
    time.sleep(2)
    for name in ("identity", "status", "lines"):
        print(device.execute(f"import openkh.service\nopenkh.service.{name}()").strip())


def flash(options: argparse.Namespace) -> None:
    device = SerialPrompt(options.port or only_board())
    try:
        check_micropython(device)
        board, choice = chosen(device, options)
        modules = deploy.parts(board, choice)
        running = running_slot(device)
        if running and holds(device, running, deploy.slot_files(modules)):
            say("the board has this firmware already")
            install_launcher(device, board)
            if not metering(device):
                say("no metering there: restarting")
                device.reset_by("import machine\nmachine.reset()")
        else:
            target = "b" if running == "a" else "a"
            try:
                enter_service_mode(device)
                fill(device, target, modules, running)
                install_launcher(device, board)
                replace(device, "/slot", target.encode())
            except (FailedError, KeyboardInterrupt):
                if not device.restart_blind():
                    say("the board may be in service mode, without metering: unplug it, and plug it in again")
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
    add("--board", choices=board_files.boards(), help=f"which board ({known})")
    for name, allowed in board_files.CHOICES.items():
        add(f"--{name.lower()}", choices=allowed, help="default: as it was flashed, else as in the board's file")
    new = "of a board without factory data "
    add("--model", type=model_code, metavar="CODE", default="MDNCT-1SC", help=new + "(default %(default)s)")
    add("--service", choices=("60Hz", "50Hz"), default="60Hz", help=new + "(default %(default)s)")
    add("--serial", metavar="12_DIGITS", help=new.strip())
    add("--date", metavar="YYMMDD", help=new + "(default today): its manufacture")
    add("--uf2", action="store_true", help="say where to get MicroPython and how to put it on, and end")
    return p


@reported("interrupted; the board starts the firmware it had, or the new one")
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
