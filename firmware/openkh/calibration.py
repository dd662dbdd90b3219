"""Calibration of a line: its chip's registers, so that one energy count is the model's fixed energy (EN-6)."""

from struct import pack_into, unpack_from

from openkh.model import WGAIN_NOMINAL, WGAIN_UNITY

ITEMS = ("wgain", "phcal", "wattos", "vgain", "igain")
_FORMAT = "<5i"
LINE_BYTES = 20


class Calibration:
    """Register values of one line, all as the chip takes them (data sheet p.34-35).

    `wgain` `vgain` `igain`: times 0x400000. `phcal`: sign and magnitude, 1.117 us per unit, bit 9 = advance.
    `wattos`: signed, 2^-9 power LSB. A new one is nominal.
    """

    def __init__(self) -> None:
        self.wgain = WGAIN_NOMINAL
        self.phcal = 0
        self.wattos = 0
        self.vgain = WGAIN_UNITY
        self.igain = WGAIN_UNITY


def pack(lines: "tuple[Calibration, ...]") -> bytes:
    """Both lines as stored in the vault."""
    buf = bytearray(LINE_BYTES * len(lines))
    for n, line in enumerate(lines):
        pack_into(_FORMAT, buf, n * LINE_BYTES, line.wgain, line.phcal, line.wattos, line.vgain, line.igain)
    return bytes(buf)


def unpack(data: bytes, lines: "tuple[Calibration, ...]") -> None:
    """Set `lines` from the vault's data; ValueError if the length is not theirs."""
    if len(data) < LINE_BYTES * len(lines):
        raise ValueError("calibration: %d bytes, %d expected" % (len(data), LINE_BYTES * len(lines)))
    for n, line in enumerate(lines):
        values = unpack_from(_FORMAT, data, n * LINE_BYTES)
        line.wgain, line.phcal, line.wattos, line.vgain, line.igain = values
