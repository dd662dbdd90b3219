"""Which of the meter's values stands in which point of the SunSpec models 1, 201 and 202 (AM-3).

Names, order and lengths of the points are those of the definition files that come with pysunspec2. What is not named
here is not measured, and says "not implemented".

Delivered is Imported: the meter stands where the load is fed, so what flows from the grid into the load is delivered to
it, and imported by whoever owns it. W is positive in that direction. The definition files do not say whose view it is
(docs/modbus.md has the sources).
"""

import json
from dataclasses import dataclass
from importlib import resources

COMMON = 1
SINGLE = 201
DUAL = 202
END = (0xFFFF, 0)
MARKER = b"SunS"

# Point -> attribute of openkh.remote.reading.Reading, or a number that never changes.
_COMMON: dict[str, str | int] = {
    "Mn": "maker",
    "Md": "model_code",
    "Opt": "service",
    "Vr": "revision",
    "SN": "serial",
    "DA": "unit",
}
_METER: dict[str, str | int] = {
    "A": "sun_a",
    "AphA": "l1_sun_a",
    "A_SF": "sun_a_sf",
    "PhV": "sun_v",
    "PhVphA": "l1_sun_v",
    "V_SF": -1,
    "Hz": "sun_hz",
    "Hz_SF": -2,
    "W": "sun_w",
    "WphA": "l1_sun_w",
    "W_SF": "sun_w_sf",
    "VA": "sun_va",
    "VAphA": "l1_sun_va",
    "VA_SF": "sun_w_sf",
    "VAR": "sun_var",
    "VARphA": "l1_sun_var",
    "VAR_SF": "sun_w_sf",
    "PF": "sun_pf",
    "PFphA": "l1_pf_milli",
    "PF_SF": -1,
    "TotWhExp": "received_wh",
    "TotWhImp": "delivered_wh",
    "TotWh_SF": 0,
    "TotVAh_SF": 0,
    "TotVArh_SF": 0,
    "Evt": "sun_events",
}
_LINE_2: dict[str, str | int] = {
    "AphB": "l2_sun_a",
    "AphC": 0,  # mandatory in model 202, and there is no third phase
    "PhVphB": "l2_sun_v",
    "WphB": "l2_sun_w",
    "VAphB": "l2_sun_va",
    "VARphB": "l2_sun_var",
    "PFphB": "l2_pf_milli",
}
SOURCES: dict[int, dict[str, str | int]] = {COMMON: _COMMON, SINGLE: _METER, DUAL: {**_METER, **_LINE_2}}

NOT_IMPLEMENTED = {"int16": 0x8000, "sunssf": 0x8000, "pad": 0x8000, "uint16": 0xFFFF}  # acc32 and strings: zeros

EVENTS = {
    3: "low voltage on a line",
    4: "bad power factor on a line",
    5: "over current on a line",
    6: "over voltage on a line",
    7: "a front end does not answer (FAIL 01)",
    16: "OEM01: reverse energy on a line",
    17: "OEM02: another failure stands (FAIL 02 to 05)",
}


@dataclass(frozen=True)
class Point:
    """A point of a model as its definition has it; `source` as above, None: not implemented."""

    name: str
    kind: str
    words: int
    mandatory: bool
    label: str
    units: str
    source: str | int | None


def points(model: int) -> list[Point]:
    """The points of a model after ID and L, in order."""
    text = resources.files("sunspec2").joinpath(f"models/json/model_{model}.json").read_text()
    found = []
    for point in json.loads(text)["group"]["points"][2:]:
        source = SOURCES[model].get(point["name"])
        mandatory = point.get("mandatory") == "M"
        found.append(
            Point(
                point["name"],
                point["type"],
                point["size"],
                mandatory,
                point.get("label", ""),
                point.get("units", ""),
                source,
            )
        )
    return found


def length(model: int) -> int:
    """L of a model."""
    return sum(point.words for point in points(model))
