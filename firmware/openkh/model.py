"""Model code and service: what the meter is, and the limits that follow from it (ID-1 to ID-3, EN-5, EN-6, DX)."""

# The chip's watt gain makes an energy count a fixed amount on each model (EN-6). Full scale of the chips is 200 V (400
# V at 240 V service) and 117.85 A (235.7 A with 200 A CTs). There a chip at unity gain counts 4,862,401 * 895,000 / 128
# / 163,840 = 207,512 per second (DS p.24-25), so 32,000 counts per Wh at 23,570 W ask for a gain of 1.009634, on every
# model.
WGAIN_UNITY = 0x400000
WGAIN_NOMINAL = 4_234_704  # round(0x400000 * 32000 * 23570 / (3600 * 207512.326))

RMS_FULL_SCALE = 9_032_007  # VRMS and IRMS at full scale, DS p.23


def _wrong(code: str, position: int, found: str, allowed: str) -> ValueError:
    return ValueError("model code %r: position %d is %r, allowed: %s" % (code, position, found, allowed))


class Model:
    """A model code together with the service it is built for.

    `code` is one such as `MDNCT-1SC` (ID-1), `service` is `60Hz` or `50Hz` (ID-2). ValueError that names the position
    which is wrong and what it may be, or the combination that is refused (dual element at 50 Hz).
    """

    def __init__(self, code: str, service: str) -> None:
        rest = self._parse(code)
        if service not in ("60Hz", "50Hz"):
            raise ValueError("service %r: allowed: 60Hz, 50Hz" % (service,))
        self.code = code
        self.service = service
        self.hz = 60 if service == "60Hz" else 50
        self.core = rest
        if self.hz == 50 and self.elements == 2:
            raise ValueError("model %s at 50Hz: a dual-element meter is for 60Hz only; use MS... or 60Hz" % code)

        high = 2 if self.hz == 50 else 1  # 240 V nominal
        wide = self.rating_a // 100
        self.nominal_mv = 120_000 * high
        self.full_scale_mv = 200_000 * high
        self.full_scale_ma = 117_850 * wide
        self.full_scale_w = 23_570 * high * wide
        self.counts_per_wh = 32_000 // (high * wide)
        self.start_ma = 50 * wide  # starting current, 0.05 % of the CT rating (EN-5)
        self.lu_mv = 102_000 * high  # low voltage below, over voltage above (DX, DX-4)
        self.hu_mv = 138_000 * high
        self.hc_ma = 110_000 * wide  # over current above
        self.most_w = self.elements * (self.hu_mv // 1000) * (self.hc_ma // 1000)  # all lines at both of these limits

    def _parse(self, code: str) -> str:
        """Set elements, rating_a and counter_wh; return the kind of CT."""
        if code[:1] != "M":
            raise _wrong(code, 1, code[:1], "M (OEM module)")
        if code[1:2] not in ("S", "D") or not code[1:2]:
            raise _wrong(code, 2, code[1:2], "S (single element) or D (dual element)")
        if code[2:4] not in ("NC", "TC"):
            raise _wrong(code, 3, code[2:4], "NC (counter 0.1 kWh) or TC (counter 1 kWh)")
        if code[4:5] != "T":
            raise _wrong(code, 5, code[4:5], "T (normal terminals)")
        if code[5:6] != "-":
            raise _wrong(code, 6, code[5:6], "-")
        if code[6:7] not in ("1", "2") or not code[6:7]:
            raise _wrong(code, 7, code[6:7], "1 (100 A) or 2 (200 A)")
        if code[7:] not in ("SC", "SP", "NC"):
            raise _wrong(code, 8, code[7:], "SC (solid core), SP (split core) or NC (no CTs)")
        self.elements = 2 if code[1] == "D" else 1
        self.counter_wh = 100 if code[2] == "N" else 1000
        self.rating_a = 100 * int(code[6])
        return code[7:]
