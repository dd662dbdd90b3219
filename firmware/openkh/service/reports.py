"""The prompt's commands that only read. Nothing here changes anything or uses a bus."""

from math import atan2, degrees
from time import sleep_ms

from openkh import REVISION, calibration, event_codes, failures
from openkh.drivers.ade7953_registers import PERIOD_CLOCK_MILLIHZ
from openkh.metrology.correction import TOTAL
from openkh.metrology.energy import wh_text
from openkh.metrology.status import NAMES
from openkh.model import WGAIN_NOMINAL, WGAIN_UNITY
from openkh.service.refused import RefusedError
from openkh.service.steps import steps_done
from openkh.storage.layout import LAYOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openkh.meter import Meter

    Answer = dict[str, Any]

_MEASURED = ("v_mv", "i_ma", "p_mw", "q_mvar", "pf_milli", "angle_mdeg", "mhz")  # what a line measures,
_COLUMNS = ((8, 3), (8, 3), (10, 3), (10, 3), (6, 3), (7, 2), (6, 3))  # with width and decimal places of each as text
_FAULTS = ("spoilt", "rejected", "resets", "repairs", "gap_ms")
# Units of the offset register for one count per s are _OFFSET_UNITS / _OFFSET_PER: 163,840 * 128 * 512 / 895,000, with
# 512 and 895,000 each divided by 4.
_OFFSET_UNITS = 16384 * 163_840
_OFFSET_PER = 223_750
NEWER = "\nNOTHING IS STORED: newer software has laid out this memory (layout %d). Put that software back."
_LOG_MS = 60_000  # how long reading the log may take; the cycle reads four entries at a time


def units_per_watt(counts_per_wh: int) -> float:
    """Units of the offset register for one watt. A count is 163,840 times the power's LSB, which the chip adds up every
    128 / 895,000 s; a unit of the offset is 2^-9 of that LSB (DS p.25, p.35)."""
    return counts_per_wh / 3600 * (_OFFSET_UNITS / _OFFSET_PER)


def line_number(meter: "Meter", line: int) -> int:
    """The index (0, 1) of a line (1, 2); RefusedError for a line that the model does not have."""
    if line not in range(1, meter.model.elements + 1):
        raise RefusedError("line %r: allowed %s" % (line, "1 or 2" if meter.model.elements == 2 else "1"))
    return line - 1


def status_line(meter: "Meter", n: int) -> "Any":
    """Status.line_1 or line_2, for line n + 1."""
    return meter.status.line_2 if n else meter.status.line_1


def date_text(date: int) -> str:
    """A date as YYMMDD; empty where there is none."""
    return "%06d" % date if date else ""


def saved(meter: "Meter") -> bool:
    """Whether the calibration in force is the one that is stored."""
    return meter.calibration[0].equals(meter.stored.lines[0]) and meter.calibration[1].equals(meter.stored.lines[1])


def status(meter: "Meter") -> "Answer":
    """See help()."""
    state = meter.state
    model = meter.model
    found = identity(meter)
    found.update(
        {
            "provisioned": not meter.factory.damaged and meter.factory.provisioned,
            "calibrated": meter.stored.found,
            "saved": saved(meter),
            "calibration_date": date_text(meter.stored.date),
            "calibration_count": None if meter.stored.count < 0 else meter.stored.count,
            "configuration_count": None if meter.factory.identity.count < 0 else meter.factory.identity.count,
            "condition": NAMES[meter.status.condition],
            "condition_lines": [n + 1 for n in range(model.elements) if meter.status.lines >> n & 1],
            "failures": [n + 1 for n in range(failures.HIGHEST) if meter.status.failures >> n & 1],
            "delivered_wh": wh_text(state.delivered_wh, state.delivered_counts, model.counts_per_wh),
            "received_wh": wh_text(state.received_wh, state.received_counts, model.counts_per_wh),
            "delivered_counts": state.delivered_counts,
            "counts_per_wh": model.counts_per_wh,
            "counter": state.counter_given,
            "memory_layout": meter.factory_vault.layout,
            "max_w": state.shown_mw() // 1000,
            "run_s": state.run_s,
            "seal": "open" if meter.seal.open else "closed",
            "fine_mwh": meter.pulses.fine_mwh,
            "rail12": meter.rail12.name(),
            "supply": meter.supply.name(),
            "cycles": meter.cycle.cycles,
            "late": meter.cycle.late,
            "errors": meter.cycle.errors,
        }
    )
    return found


def status_text(found: "Answer") -> str:
    if found["calibrated"]:
        calibrated = "calibrated %s, no. %s" % (found["calibration_date"], found["calibration_count"])
    else:
        calibrated = "NOT CALIBRATED: nominal constants"
    if not found["saved"]:
        calibrated += " (changes not saved)"
    return "\n".join(
        (
            "OK %s %s serial %s, software %s, seal %s"
            % (found["model"], found["service"], found["serial"] or "none", found["revision"], found["seal"]),
            "%s Wh delivered, %s Wh received" % (found["delivered_wh"], found["received_wh"]),
            "condition: %s%s%s"
            % (
                found["condition"],
                "".join([" L%d" % n for n in found["condition_lines"]]),
                "".join([" FAIL %02d" % n for n in found["failures"]]),
            ),
            calibrated,
            "run time %d s, maximum %d W, 12 V %s, supply %s"
            % (found["run_s"], found["max_w"], found["rail12"], found["supply"]),
        )
    ) + (NEWER % found["memory_layout"] if found["memory_layout"] > LAYOUT else "")


def identity(meter: "Meter") -> "Answer":
    """See help()."""
    found = meter.factory.identity
    return {
        "revision": REVISION,
        "model": meter.model.code,
        "service": meter.model.service,
        "serial": found.serial,
        "date": found.date,
        "memory": "flash" if meter.memory.journal.group else "fram",
    }


def identity_text(found: "Answer") -> str:
    return "OK identity model %s, service %s, serial %s, date %s, software %s, memory %s" % (
        found["model"],
        found["service"],
        found["serial"] or "none",
        found["date"] or "none",
        found["revision"],
        found["memory"],
    )


def provisioned(meter: "Meter") -> "Answer":
    """See help()."""
    return {"provisioned": meter.factory.provisioned and not meter.factory.damaged}


def provisioned_text(found: "Answer") -> str:
    return str(found["provisioned"])


def angle_of(active: int, reactive: int) -> float:
    """The phase angle in degrees, -180 to 180; positive where the current lags."""
    return degrees(atan2(reactive, active))


def lines(meter: "Meter") -> "Answer":
    """See help()."""
    return {
        "lines": [_line(meter, n) for n in range(meter.model.elements)],
        "centi_celsius": meter.thermometer.centi,
    }


def _line(meter: "Meter", n: int) -> "Answer":
    """What line n + 1 measures. None stands for what is not measured: everything where the front end is silent, the
    frequency of a line without voltage, power factor and angle without apparent power."""
    element = meter.elements[n]
    found: Answer = {"line": n + 1, "silent": element.silent}
    for name in _MEASURED:
        found[name] = None
    found["chip_register"] = element.raw
    found["corrected"] = meter.corrected.lines[n].in_force
    found["correction_register"] = meter.corrected.lines[n].terms[TOTAL]
    if element.silent:
        return found
    line = status_line(meter, n)
    found["v_mv"] = element.v_mv
    found["i_ma"] = element.i_ma
    found["p_mw"] = p_mw = line.p_mw()
    found["q_mvar"] = q_mvar = line.q_mvar()
    va = element.v_mv / 1000 * element.i_ma / 1000
    if va >= 1:
        found["pf_milli"] = max(-1000, min(1000, round(p_mw / va)))
        found["angle_mdeg"] = round(1000 * angle_of(p_mw, q_mvar))
    if element.period_raw and element.v_mv * 5 >= meter.model.nominal_mv:
        found["mhz"] = PERIOD_CLOCK_MILLIHZ // (element.period_raw + 1)
    return found


def lines_text(found: "Answer") -> str:
    rows = []
    for line in found["lines"]:
        values = tuple([_shown(line[_MEASURED[i]], *_COLUMNS[i]) for i in range(len(_MEASURED))])
        row = "OK L%d %s V %s A %s W %s var  PF %s  %s deg  %s Hz" % ((line["line"],) + values)
        if line["corrected"]:
            row += "  %d of the chip + %d" % (line["chip_register"], line["correction_register"])
        rows.append(row + ("  NO ANSWER" if line["silent"] else ""))
    return "\n".join(rows)


def _shown(thousandths: "int | None", width: int, places: int) -> str:
    """A value in a column; dashes for what is not measured."""
    if thousandths is None:
        return " " * (width - 2) + "--"
    return "%*.*f" % (width, places, thousandths / 1000)


def log_entries(meter: "Meter") -> "list[tuple[int, int, int, int, int]]":
    """All entries of the log, the oldest first, as EventLog.sorted gives them. The cycle reads them, which takes some
    seconds."""
    log = meter.log
    found = log.collect()
    left_ms = _LOG_MS
    while log.wanted is found:
        if left_ms <= 0:
            raise RefusedError("the log cannot be read: the memory does not answer")
        left_ms -= 20
        sleep_ms(20)
    return log.sorted(found)


def events(meter: "Meter", n: int) -> "Answer":
    """See help()."""
    if not isinstance(n, int) or n < 1:
        raise RefusedError("%r events: allowed 1 and more" % (n,))
    entries = log_entries(meter)[-n:]
    names = event_codes.NAMES
    return {
        "events": [
            {"order": order, "run_s": run_s, "event": names.get(code, str(code)), "a": a, "b": b}
            for order, run_s, code, a, b in entries
        ]
    }


def events_text(found: "Answer") -> str:
    rows = ["OK %d events; run time in s, event, two values" % len(found["events"])]
    for entry in found["events"]:
        rows.append("%10d %-18s %d %d" % (entry["run_s"], entry["event"], entry["a"], entry["b"]))
    return "\n".join(rows)


def faults(meter: "Meter") -> "Answer":
    """See help()."""
    cycle = meter.cycle
    log = meter.log
    found: Answer = {
        "cycles": cycle.cycles,
        "late": cycle.late,
        "errors": cycle.errors,
        "last_error": "" if cycle.last_error is None else repr(cycle.last_error),
        "display_errors": meter.tasks.display_errors,
        "journal_errors": meter.journal.errors,
        "log_errors": log.errors,
        "log_lost": log.lost,
        "log_held_back": log.held_back,
        "rail12_failures": meter.rail12.failures,
        "calibration_damaged": meter.calibration_vault.damaged,
        "factory_damaged": meter.factory_vault.damaged,
        "lines": [],
    }
    for n in range(meter.model.elements):
        line = {"line": n + 1}
        for name in _FAULTS:
            line[name] = getattr(meter.elements[n], name)
        found["lines"].append(line)
    return found


def faults_text(found: "Answer") -> str:
    rows = ["OK %s" % _pairs(found)]
    for line in found["lines"]:
        rows.append("L%d %s" % (line["line"], _pairs(line)))
    return "\n".join(rows)


def _pairs(found: "Answer") -> str:
    return ", ".join(["%s %s" % (name, found[name]) for name in sorted(found) if name not in ("lines", "line")])


def cal(meter: "Meter") -> "Answer":
    """See help()."""
    model = meter.model
    found = []
    for n in range(model.elements):
        line = meter.calibration[n]
        found.append(
            {
                "line": n + 1,
                "wgain": line.wgain,
                "phcal": calibration.phase_steps(line.phcal),
                "phcal_sign": -1 if line.phcal & calibration.PHCAL_REVERSED else 1,
                "var_sign": -1 if line.phcal & calibration.VAR_REVERSED else 1,
                "wattos": line.wattos,
                "vgain": line.vgain,
                "igain": line.igain,
                "tempco": line.tempco,
                "lead_tempco": line.lead_tempco,
                "reference": line.reference,
                "curve": [
                    [current * model.rating_a / 10_000, ratio / 10_000, lead / 100]
                    for current, ratio, lead in line.curve
                ],
                "gain_percent": 100 * (line.wgain - WGAIN_NOMINAL) / WGAIN_NOMINAL,
                "phase_degrees": calibration.phase_steps(line.phcal) * 360 * model.hz / calibration.PHASE_HZ,
                "offset_w": line.wattos / units_per_watt(model.counts_per_wh),
                "volts_percent": 100 * (line.vgain - WGAIN_UNITY) / WGAIN_UNITY,
                "amps_percent": 100 * (line.igain - WGAIN_UNITY) / WGAIN_UNITY,
                "steps": steps_done(meter, n),
            }
        )
    return {
        "model": model.code,
        "counts_per_wh": model.counts_per_wh,
        "wgain_nominal": WGAIN_NOMINAL,
        "unity": WGAIN_UNITY,
        "degrees_per_phcal": 360 * model.hz / calibration.PHASE_HZ,
        "calibrated": meter.stored.found,
        "saved": saved(meter),
        "date": date_text(meter.stored.date),
        "calibration_count": None if meter.stored.count < 0 else meter.stored.count,
        "lines": found,
    }


def cal_text(found: "Answer") -> str:
    if found["calibrated"]:
        head = "OK calibrated %s, no. %s" % (found["date"], found["calibration_count"])
    else:
        head = "OK not calibrated: nominal constants"
    rows = [head + ("" if found["saved"] else "; in force, but NOT SAVED:")]
    for line in found["lines"]:
        rows.append(
            "L%d gain %+.4f %% (%d), phase %+.4f deg (%d), offset %+.3f W (%d), volts %+.3f %% (%d), amps %+.3f %% (%d)"
            % (
                line["line"],
                line["gain_percent"],
                line["wgain"],
                line["phase_degrees"],
                line["phcal"],
                line["offset_w"],
                line["wattos"],
                line["volts_percent"],
                line["vgain"],
                line["amps_percent"],
                line["igain"],
            )
        )
        if line["tempco"] or line["lead_tempco"]:
            rows.append(
                "L%d temperature %+.2f ppm/K (%d), lead %+.3f minutes/K (%d), from %.2f degC (%d)"
                % (
                    line["line"],
                    line["tempco"] / 100,
                    line["tempco"],
                    line["lead_tempco"] / 1000,
                    line["lead_tempco"],
                    line["reference"] / 100,
                    line["reference"],
                )
            )
        if line["curve"]:
            points = ["%g A %+.4f %% %+.2f minutes" % tuple(point) for point in line["curve"]]
            rows.append("L%d curve: %s" % (line["line"], ", ".join(points)))
    return "\n".join(rows)


def image(_meter: "Meter") -> "Answer":
    """See help()."""
    from openkh.service import image_hash

    files, digest = image_hash.of_firmware()
    return {"revision": REVISION, "image": digest, "files": files}


def image_text(found: "Answer") -> str:
    return "OK software %s, image %s (%d files)" % (found["revision"], found["image"], found["files"])


def help(_meter: "Meter") -> "Answer":
    """See help()."""
    from openkh.service.catalogue import COMMANDS, NOTES, usage

    return {"text": "\n".join(["%-40s %s" % (usage(row), row[3]) for row in COMMANDS] + [NOTES])}


def help_text(found: "Answer") -> str:
    return found["text"]
