"""Random boards as they come from assembly: parts within their tolerances, nothing calibrated.

What is drawn, and from where (docs/accuracy.md):
- ADE7953: voltage and current channel +-3 % (data sheet p.5, gain error of the reference and the channels), noise floor
  (p.5), crystal +-50 ppm, phase between the channels +-3 minutes (p.5: 0.05 degrees).
- Voltage divider: resistors of 1 %, in the worst case 2 % of ratio. Burden 3 ohm: 1 %.
- Drift: the ADE7953's reference (p.5: 50 ppm/K at most; one board in two at that limit, either sign, the others evenly
  between) and its curve over temperature, which takes up to a tenth of the drift over 40 K; crystal 20 ppb/K^2; divider
  chain 25 ppm/K, burden 15 ppm/K; CT ratio 5 ppm/K, and its lead by 0.1 to 0.4 % of itself a kelvin, as the copper of
  the winding has 0.39 %/K.
- Solid-core CT: within accuracy class 0.2, on top of a ratio error and a lead that are the same at every current.
  Split core: its larger errors and their larger change, reported only.
"""

import math
import random
from typing import Any

from host.verification.points import CURVES, limit_of

CURRENTS = (0.05, 1.0, 5.0, 20.0, 100.0)  # percent of rating
# Change of (ratio percent, lead minutes) from that at the rating, at its largest; the lower the current, the more
# of it is magnetising current. Class 0.2: 0.4 % and 30' at 1 %, 0.2 % and 15' at 5 % of rating (metering.md 7).
CHANGES = {
    "solid": ((-0.45, 22.0), (-0.3, 18.0), (-0.12, 9.0), (-0.05, 4.0), (0.0, 0.0)),
    "split": ((-1.5, 60.0), (-0.8, 40.0), (-0.4, 20.0), (-0.15, 8.0), (0.0, 0.0)),
}
REFERENCE_PPM = 50.0
CALIBRATED_C = 23.0
CONSTANT = {"solid": (0.5, (3.0, 30.0)), "split": (1.0, (60.0, 120.0))}  # ratio +- percent, lead from..to minutes


def board(seed: int, core: str = "solid") -> dict[str, Any]:
    """The [board] table of a scenario, for a random board. `core`: "solid" or "split"."""
    draw = random.Random(f"{core} {seed}")
    made: dict[str, Any] = {}
    for line in (1, 2):
        ratio, (least, most) = CONSTANT[core]
        of_ratio, of_phase = draw.uniform(0.2, 1.0), draw.uniform(0.2, 1.0)
        made[f"ct{line}"] = {
            "ratio_percent": round(draw.uniform(-ratio, ratio) + draw.uniform(-1.0, 1.0), 4),  # with the burden
            "phase_minutes": round(draw.uniform(least, most), 3),
            "table": [
                [percent, round(change * of_ratio, 4), round(minutes * of_phase, 3)]
                for percent, (change, minutes) in zip(CURRENTS, CHANGES[core], strict=True)
            ],
        }
        made[f"chip{line}"] = {
            "v_gain_percent": round(draw.uniform(-3.0, 3.0) + draw.uniform(-2.0, 2.0), 4),  # with the divider
            "i_gain_percent": round(draw.uniform(-3.0, 3.0), 4),
            "phase_minutes": round(draw.uniform(-3.0, 3.0), 3),
            "clkin_ppm": draw.randint(-50, 50),
            "noise": True,
        }
    made["temperature"] = CALIBRATED_C
    _drift(made, random.Random(f"{core} {seed} drift"))
    return made


def _drift(made: dict[str, Any], draw: random.Random) -> None:
    """Coefficients of temperature, in place."""
    for line in (1, 2):
        limit = draw.choice((-REFERENCE_PPM, REFERENCE_PPM))
        made[f"chip{line}"].update(
            tempco_ppm=limit if draw.random() < 0.5 else round(draw.uniform(-REFERENCE_PPM, REFERENCE_PPM), 3),
            tempco_curve_ppb=round(draw.uniform(-125.0, 125.0), 2),
            divider_tempco_ppm=round(draw.uniform(-25.0, 25.0), 3),
            burden_tempco_ppm=round(draw.uniform(-15.0, 15.0), 3),
            clkin_curve_ppb=round(draw.uniform(-20.0, 20.0), 3),
        )
        made[f"ct{line}"].update(
            ratio_tempco_ppm=round(draw.uniform(-5.0, 5.0), 3),
            phase_tempco_percent=round(draw.uniform(0.1, 0.4), 4),
        )


def in_class_by_chance(made: dict[str, Any], elements: int) -> bool:
    """Whether the errors of this board's parts cancel so well that it is in the envelope without a calibration:
    worked out from the parts, at the currents of the CT's table."""
    return all(_within(made[f"ct{n}"], made[f"chip{n}"]) for n in range(1, elements + 1))


def _within(ct: dict[str, Any], chip: dict[str, Any]) -> bool:
    for percent, change, minutes in ct["table"]:
        gain = (1 + chip["v_gain_percent"] / 100) * (1 + chip["i_gain_percent"] / 100)
        gain *= 1 + (ct["ratio_percent"] + change) / 100
        lead = math.radians((ct["phase_minutes"] + minutes + chip["phase_minutes"]) / 60)
        for degrees in CURVES:
            limit = limit_of(percent / 100, degrees)
            angle = math.radians(degrees)
            error = (gain * math.cos(angle - lead) / math.cos(angle) - 1) * 100
            if percent >= 1 and limit is not None and abs(error) > limit:
                return False
    return True
