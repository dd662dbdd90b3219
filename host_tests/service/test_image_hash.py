"""The hash of the firmware's files: the same where they lie in a slot's bundle, as on a device (ID-5, WELMEC P2)."""

import hashlib
import subprocess
from pathlib import Path

from host.flash import deploy
from host.sim.link import TOP

PROBE = """
class Openkh:
    __file__ = "/fw/openkh/__init__.mpy"

vfs.mount(_Bundle("%s"), "/fw")
sys.modules["openkh"] = Openkh
exec(open("%s").read())
print(*of_firmware())
"""


def test_CA_2_the_image_hash_is_over_each_module_of_a_bundle_and_no_more(tmp_path):
    modules = {name: path.read_bytes() for name, path in deploy.sources("reference").items()}
    bundle = tmp_path / "bundle"
    bundle.write_bytes(deploy.bundle(modules))
    slot = (TOP / "scripts/host/flash/launcher/slot.py").read_text().split("_slot = __file__")[0]
    probe = tmp_path / "probe.py"
    probe.write_text(slot + PROBE % (bundle, TOP / "firmware/openkh/service/image_hash.py"))
    command = [str(Path(TOP) / ".venv/bin/micropython"), str(probe)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    wanted = hashlib.sha256()
    for name in sorted(modules):
        wanted.update((name + "\n").encode() + modules[name])
    assert said.stdout.split() == [str(len(modules)), wanted.hexdigest()], said


DEPLOYED = """
import os, sys, vfs
vfs.mount(_Bundle("%s"), "/fw")
sys.path[:] = ("/fw", ".frozen")
from openkh.service.image_hash import of_firmware
print(*of_firmware())
"""


def test_CA_2_a_device_finds_the_files_of_its_own_bundle(tmp_path):
    """The modules as a device has them, what only names numbers and texts left out."""
    modules = deploy.parts("reference")
    bundle = tmp_path / "bundle"
    bundle.write_bytes(deploy.bundle(modules))
    slot = (TOP / "scripts/host/flash/launcher/slot.py").read_text().split("_slot = __file__")[0]
    probe = tmp_path / "probe.py"
    probe.write_text(slot + DEPLOYED % bundle)
    command = [str(Path(TOP) / ".venv/bin/micropython"), str(probe)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    wanted = hashlib.sha256()
    code = {name: data for name, data in modules.items() if name != deploy.NAMES}
    for name in sorted(code):
        wanted.update((name + "\n").encode() + code[name])
    assert said.stdout.split() == [str(len(code)), wanted.hexdigest()], said
