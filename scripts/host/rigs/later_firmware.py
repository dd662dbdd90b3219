"""A later firmware with another layout of the memory: the changes that docs/memory.md asks for to add a field to the
stored state and one to the factory data.
"""

import shutil
from pathlib import Path

from host.sim.link import TOP

_DEFAULT = "        self.periods = 0\n"
_COPY = "        self.periods = other.periods\n"
_PACK = '    pack_into("<iiiH", buf, 67'
_CHANGES = {
    "openkh/state.py": [
        ('    "periods",  #', '    "periods",\n    "starts",  #'),
        (_DEFAULT + "        self.at_us", _DEFAULT + "        self.starts = 77\n        self.at_us"),
        (_COPY, _COPY + "        self.starts = other.starts\n"),
    ],
    "openkh/storage/records.py": [(_PACK, '    pack_into("<i", buf, 81, state.starts)\n' + _PACK)],
    "openkh/storage/layout.py": [
        ("LAYOUT = 0", "LAYOUT = 1"),
        ("RECORD_BYTES = 85", "RECORD_BYTES = 89"),
        ("RECORD_FORMAT = 0x51", "RECORD_FORMAT = 0x52"),
        ("FRAM_JOURNAL = (0x0000, 16, 88)", "FRAM_JOURNAL = (0x2000, 13, 92)"),
        (" = ()\n", " = ((0x51, 22, 85, (0x0000, 16, 88)),)\n"),
    ],
    "openkh/identity.py": [("str(self.count))", 'str(self.count), "maker 7")')],
}


def later_firmware(folder: Path) -> Path:
    """A copy in `folder` of the firmware with those changes."""
    firmware = folder / "firmware"
    shutil.copytree(TOP / "firmware", firmware, ignore=shutil.ignore_patterns("__pycache__"))
    for path, changes in _CHANGES.items():
        text = (firmware / path).read_text()
        for old, new in changes:
            assert text.count(old) == 1, (path, old)
            text = text.replace(old, new)
        (firmware / path).write_text(text)
    return firmware
