"""What the answers of questions.py mean: which way each setting is, in words, and whether this firmware bears it."""

from dataclasses import dataclass
from typing import Any

DOCUMENTED = 0x48739163  # checksum of the reset values, data sheet p.59

# What the firmware bears (openkh.drivers.ade7953, ade7953_config, openkh.metrology.element).
SILENT_MOST_US = 105_000
DELAY_MOST_US = 10_000
RMS_MOST = 2_000
POWER_MOST = 247  # its no-load level, codes of active power

LIVE_BITS = {
    None: "cannot be told: the no-load bits of ACCMODE did not move with their switches",
    True: "the configuration checksum covers the live bits of ACCMODE",
    False: "the configuration checksum leaves the live bits of ACCMODE out",
}
FLAGS = {
    None: "cannot be told: the no-load flag was not raised",
    True: "a flag whose cause lasts is raised again when it is cleared",
    False: "a flag whose cause lasts stays cleared",
}
NO_SIGNAL = "cannot be told without a signal"


@dataclass
class Finding:
    """One setting of CH-1. `value` None: it cannot be told, and `text` says why. `borne` False: the firmware does not
    work with it as it should."""

    letter: str
    setting: str
    value: Any
    text: str
    borne: bool = True


def without_signal(raw: dict[str, Any]) -> list[Finding]:
    """From what the questions without a signal have answered."""
    return [
        _seen("a", "checksum_live_bits", raw["live_bits"]["live"], LIVE_BITS),
        Finding("b", "counter_end", None, NO_SIGNAL),
        Finding("c", "phcal_sign", None, NO_SIGNAL),
        _version(raw["version"]),
        _checksum(raw["checksum"]),
        _last(raw["last"]),
        Finding("f", "var_sign", None, NO_SIGNAL),
        _silence(raw["silence"]),
        _delay(raw["checksum_delay"]),
        _seen("i", "flags_return", raw["flags"]["returns"], FLAGS),
        _key(raw["key"]),
        _noise(raw["noise"]),
        Finding("k", "ripple", None, NO_SIGNAL),
        Finding("l", "period_settle_ms", None, NO_SIGNAL),
    ]


def _seen(letter: str, setting: str, seen: bool | None, texts: dict[bool | None, str]) -> Finding:
    """One of two ways; None where the chip did not show which."""
    return Finding(letter, setting, seen, texts[seen])


def _version(raw: dict[str, Any]) -> Finding:
    value = raw["version"]
    return Finding("d", "version", value, f"silicon version {value}", value not in (0x00, 0xFF))


def _checksum(raw: dict[str, Any]) -> Finding:
    value = raw["checksum"]
    if value == 0xFFFFFFFF:
        return Finding("d", "checksum_seed", None, "the checksum is not computed (it reads all ones)", False)
    text = f"checksum of the reset values 0x{value:08X}, "
    text += "as documented" if value == DOCUMENTED else f"not the documented 0x{DOCUMENTED:08X}"
    return Finding("d", "checksum_seed", 0 if value == DOCUMENTED else "other", text)


def _last(raw: dict[str, Any]) -> Finding:
    text = "reading LAST_* changes them" if raw["changes"] else "reading LAST_* leaves them as they are"
    borne = raw["first"] and raw["own_data"]
    if not raw["first"]:
        text = "LAST_ADD and LAST_OP do not tell of the access before"
    elif not raw["own_data"]:
        text += "; the data of a 24-bit access do not outlive a look at the others"
    return Finding("e", "last_changes", raw["changes"] if raw["first"] else None, text, borne)


def _silence(raw: dict[str, Any]) -> Finding:
    us = 0 if raw["early"] else raw["silent_us"]
    if us is None:
        return Finding("g", "silent_ms", None, "no answer for 300 ms after a reset", False)
    irq = "" if raw["irq_us"] is None else f", its interrupt pin falls after {raw['irq_us'] / 1000:.1f} ms"
    kept = "kept" if raw["kept"] else "lost"
    text = f"silent for {us / 1000:.1f} ms after a reset{irq}; what is written at once is {kept}"
    return Finding("g", "silent_ms", round(us / 1000, 1), text, us <= SILENT_MOST_US)


def _delay(raw: dict[str, Any]) -> Finding:
    us = raw["delay_us"]
    if us is None:
        return Finding("h", "checksum_delay_ms", None, "the checksum does not follow a change", False)
    irq = "its interrupt does not come" if raw["irq_us"] is None else f"its interrupt {raw['irq_us'] / 1000:.2f} ms"
    text = f"the checksum follows a change after {us / 1000:.2f} ms, {irq}"
    return Finding("h", "checksum_delay_ms", round(us / 1000, 1) if us > 500 else 0, text, us <= DELAY_MOST_US + 500)


def _key(raw: dict[str, Any]) -> Finding:
    if not raw["direct"]:
        return Finding(
            "j", "key_strict", None, "0x120 does not read back what is written directly after its key", False
        )
    text = "0x120 takes a write directly after its key"
    return Finding("j", "key_strict", not raw["late"], text + (", or later" if raw["late"] else " only"))


def _noise(raw: dict[str, Any]) -> Finding:
    rms = max(raw["irms_a"][1], raw["irms_b"][1])
    power = max(abs(code) for code in (*raw["awatt"], *raw["avar"]))
    text = (
        f"without a signal IRMSA {_range(raw['irms_a'])}, IRMSB {_range(raw['irms_b'])}, VRMS {_range(raw['vrms'])}, "
        f"AWATT {_range(raw['awatt'])}, AVAR {_range(raw['avar'])}, AVA {_range(raw['ava'])} codes, "
        f"ACCMODE 0x{raw['accmode']:06X}"
    )
    return Finding("k", "noise", rms > 100 or power > 5, text, rms <= RMS_MOST and power < POWER_MOST)


def _range(ends: list[int]) -> str:
    return f"{ends[0]}" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def with_signal(raw: dict[str, Any]) -> list[Finding]:
    """From what the questions with a signal have answered; in the place of those of the same setting."""
    found = []
    if "phase" in raw:
        found += [_phcal(raw["phase"]), _var(raw["phase"])]
    if "level" in raw:
        found.append(_ripple(raw["level"]))
    if "period" in raw:
        found.append(_period(raw["period"]))
    if "counter" in raw:
        found.append(_counter(raw["counter"]))
    return found


def _phcal(raw: dict[str, Any]) -> Finding:
    plain, moved = raw["plain"]["watt"], raw["moved"]["watt"]
    if abs(raw["plain"]["var"]) < abs(plain) // 4 or abs(moved - plain) < abs(raw["plain"]["var"]) // 50:
        return Finding("c", "phcal_sign", None, "cannot be told: the current does not lag by enough, or is too small")
    delays = moved < plain
    text = f"256 steps of PHCAL take active power from {plain} to {moved} at a lagging current: "
    return Finding("c", "phcal_sign", 1 if delays else -1, text + ("it delays" if delays else "it advances"))


def _var(raw: dict[str, Any]) -> Finding:
    plain, var = raw["plain"]["watt"], raw["plain"]["var"]
    if abs(var) < abs(plain) // 4:
        return Finding("f", "var_sign", None, "cannot be told: the current does not lag by enough, or is too small")
    word = "positive" if var > 0 else "negative"
    return Finding("f", "var_sign", 1 if var > 0 else -1, f"reactive power is {word} where the current lags")


def _ripple(raw: dict[str, Any]) -> Finding:
    low, high = raw["range"]
    if raw["watt"] < 20_000:
        return Finding("k", "ripple", None, "cannot be told: the signal is too small")
    percent = (high - low) / raw["watt"] * 100
    return Finding("k", "ripple", percent > 2.0, f"active power ripples by {percent:.1f} % from peak to peak")


def _period(raw: dict[str, Any]) -> Finding:
    seen = raw["seen"]
    moves = [at for at, value in seen if abs(value - raw["first"]) * 100 > raw["first"]]
    if not moves:
        return Finding("l", "period_settle_ms", None, "cannot be told: the frequency was not moved")
    took = seen[-1][0] - seen[1][0] + 2 if len(seen) > 2 else 0
    return Finding(
        "l", "period_settle_ms", took, f"the period register takes {took} ms to follow a change of frequency"
    )


def _counter(raw: dict[str, Any]) -> Finding:
    end = raw.get("end")
    if end is None:
        return Finding("b", "counter_end", None, f"cannot be told: {raw['why']}")
    text = {"wrap": "the energy register wraps at its end", "stop": "the energy register stops at its end"}[end]
    return Finding("b", "counter_end", end, text)
