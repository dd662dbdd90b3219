"""The meter's values, whichever way they were read: numbers by the names of the table, and what a person sees."""

from typing import Any

from host.remote import registers
from host.remote.registers import CONDITIONS, NOT_AVAILABLE, OWN, Register

Values = dict[str, Any]  # by name: int, str, or None where it does not exist
_RAIL12 = ("off", "on", "waiting", "latched")


def decode(words: list[int], table: tuple[Register, ...] = OWN) -> Values:
    """The values of `table` from the words that stand from its first register on."""
    first = table[0].address
    return {register.name: _one(register, words[register.address - first :][: register.words]) for register in table}


def _one(register: Register, words: list[int]) -> int | str | None:
    data = b"".join(word.to_bytes(2, "big") for word in words)
    if register.kind.startswith("raw"):
        return data.hex() if any(data) else None
    if register.kind not in registers.WORDS:
        return data.rstrip(b"\0").decode("ascii", "replace")
    number = int.from_bytes(data, "big", signed=register.kind.startswith("i"))
    return None if number == _missing(register) else number


def _missing(register: Register) -> int | None:
    """What says that a value does not exist: only lines and their sum can be without one, and counts that are lost."""
    optional = ("l1_", "l2_", "power_mw", "calibration_count", "configuration_count")
    return NOT_AVAILABLE.get(register.kind) if register.name.startswith(optional) else None


def scaled(register: Register, number: int) -> float | int:
    """A number in the register's unit."""
    return number if register.scale == 1 else number * register.scale


def _kwh(wh: int, mwh: int) -> str:
    return f"{wh // 1000}.{wh % 1000:03d}{mwh % 1000 // 100}"


def _number(value: int | None, factor: float, digits: int, unit: str) -> str:
    return "not known" if value is None else f"{value * factor:.{digits}f} {unit}".rstrip()


def table(values: Values) -> str:
    """The values for people: a line each."""
    rows = [
        ("meter", f"{values['model_code']} {values['service']}, serial {values['serial'] or 'none'}"),
        ("software", values["revision"]),
        ("condition", _condition(values)),
        ("energy delivered", _kwh(values["delivered_wh"], values["delivered_mwh"]) + " kWh"),
        ("energy received", _kwh(values["received_wh"], values["received_mwh"]) + " kWh"),
        ("power", _number(values["power_mw"], 1e-3, 1, "W")),
        ("demand", _number(values["interval_mw"], 1e-6, 3, "kW")),
        ("maximum demand", _number(values["shown_mw"], 1e-6, 3, "kW")),
    ]
    for n in range(1, values["elements"] + 1):
        rows.append((f"line {n}", _line(values, n)))
    rows += [
        (
            "pulses given",
            f"{values['edges_10']} of 10 Wh, {values['edges_100']} of 100, {values['edges_1000']} of 1000",
        ),
        ("counter", f"{values['counter_given']} counts of {values['counter_wh']} Wh"),
        ("12 V", _RAIL12[values["rail12"]] if values["rail12"] < len(_RAIL12) else str(values["rail12"])),
        ("run time", _time(values["run_s"]) + f", power-up {values['power_ups']}"),
        ("calibrations", "not known" if values["calibration_count"] is None else str(values["calibration_count"])),
    ]
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name:{width}}{text}" for name, text in rows)


def _line(values: Values, n: int) -> str:
    found = (
        _number(values[f"l{n}_mv"], 1e-3, 2, "V"),
        _number(values[f"l{n}_ma"], 1e-3, 3, "A"),
        _number(values[f"l{n}_mw"], 1e-3, 1, "W"),
        _number(values[f"l{n}_mvar"], 1e-3, 1, "var"),
        "PF " + _number(values[f"l{n}_pf_milli"], 1e-3, 3, ""),
        _number(values[f"l{n}_mhz"], 1e-3, 3, "Hz"),
    )
    return "  ".join(found)


def _condition(values: Values) -> str:
    number = values["condition"]
    text = CONDITIONS[number].replace("_", " ") if number < len(CONDITIONS) else str(number)
    lines = "".join(f" L{n + 1}" for n in range(2) if values["condition_lines"] >> n & 1)
    failures = "".join(f" FAIL {n + 1:02d}" for n in range(5) if values["failures"] >> n & 1)
    return text + lines + failures


def _time(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    return (f"{days} d " if days else "") + f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
