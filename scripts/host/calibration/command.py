"""./scripts/calibrate: guided calibration of a real or virtual board over its service prompt."""

import argparse
import json
import sys
from typing import Any

from host.calibration import bench_file, kept, second_temperature, testbed
from host.calibration.calibrator import MOST_WINDOWS, Calibrator
from host.calibration.ct_curve import Curve, load_certificate
from host.calibration.readings import LineResult
from host.calibration.testbed import Testbed
from host.cli.parser import command_parser
from host.cli.refused import RefusedError, writable
from host.cli.status import DONE, begun, reported, writing
from host.sim.link import TOP
from host.sim.memory import write_whole
from openkh.model import Model

DESCRIPTION = """\
Calibrates the meter on a serial port, line by line: voltage and current gain, power gain at unity power factor, phase
at 0.5 lagging, the CT's curve at 10 and 2 % of class, offset at 1 %; in a step of its own, at a second temperature, the
drift. The meter goes on metering; its seal must be open. See docs/calibration.md."""

EXAMPLES = """\
  ./scripts/calibrate --port /dev/ttyACM0                        guided; reference readings are typed in
  ./scripts/calibrate --port /dev/ttyACM0 --reference day.csv    reference readings from a file
  ./scripts/calibrate --virtual --new                            a raw virtual board, without a hand on it
  ./scripts/calibrate --port /dev/ttyACM0 --ct ct.csv            the CT's curve from its certificate
  ./scripts/calibrate --port /dev/ttyACM0 --second-temperature 55    later, in a chamber: the drift
  ./scripts/calibrate --port /dev/ttyACM0 --resume               go on where it was interrupted
  ./scripts/calibrate --port /dev/ttyACM0 --undo                 back to the calibration before"""
STATUSES = """\
0 calibrated and stored; 1 failed or refused, the old calibration is in force; 2 unusable arguments or files; 130 given
up by Ctrl-C, the old calibration is in force"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = command_parser("calibrate", DESCRIPTION, EXAMPLES, STATUSES)
    add = p.add_argument
    testbed.add_options(add)
    add("--line", type=int, choices=(1, 2), help="only this line (default: all)")
    add("--windows", type=int, default=3, metavar="N", help="measuring windows a point, 2 to 8 (default 3)")
    add("--reference-uncertainty", type=float, metavar="PERCENT", help="of the reference, k=2 (--bench's, else 0.02)")
    add(
        "--ct", metavar="FILE.csv", help="the CTs' curve: percent,ratio_percent,lead_minutes[,line]; it is not measured"
    )
    add("--no-curve", action="store_true", help="no curve: one gain, delay and offset a line")
    add("--second-temperature", type=float, metavar="C", help="only this step: the drift, at C degrees Celsius")
    add("--yes", action="store_true", help="store without asking")
    kept.add_option(add)
    add("--undo", action="store_true", help="back to the stored calibration before this one, and store it")
    add("--json", metavar="FILE", help="write what was done to FILE as well")
    return p


@reported("given up; the calibration is as it was")
def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    args = parser().parse_args(argv)
    day = testbed.date_of(args.date)
    bench = bench_file.load(args.bench) if args.bench is not None else bench_file.BenchFile()
    args.reference_percent = (bench.reference_percent(0.0), bench.reference_percent(60.0))
    if args.reference_uncertainty is not None:
        args.reference_percent = (args.reference_uncertainty, args.reference_uncertainty)
        if not 0 <= args.reference_uncertainty <= 1:
            raise RefusedError(f"--reference-uncertainty {args.reference_uncertainty:g}: allowed: 0 to 1 percent")
    if not 2 <= args.windows <= MOST_WINDOWS:
        raise RefusedError(f"--windows {args.windows}: allowed: 2 to {MOST_WINDOWS}")
    if args.second_temperature is not None and not -40 <= args.second_temperature <= 85:
        raise RefusedError(f"--second-temperature {args.second_temperature:g}: allowed: -40 to 85 degrees Celsius")
    if (args.ct is not None) + args.no_curve + args.undo + (args.second_temperature is not None) > 1:
        raise RefusedError("--ct, --no-curve, --second-temperature and --undo: allowed: one of them")
    if args.json is not None:
        writable(args.json, "--json")
    with testbed.opened(args) as bed:
        model = bed.service.call("identity()")["model"]
        if args.line == 2 and model[1] == "S":
            raise RefusedError(f"--line 2: {model} has one element: allowed: 1")
        service = bed.service.call("identity()")["service"]
        curve = True if args.ct is None else load_certificate(args.ct, Model(model, service))
        with begun():
            if args.undo:
                return _undo(bed, day, args.yes or args.virtual)
            return _calibrate(bed, args, day, False if args.no_curve else curve)


def _calibrate(bed: Testbed, args: argparse.Namespace, day: str, curve: bool | dict[int, Curve]) -> int:
    began_s = bed.bench_s()
    unity, lag = (0.0, 0.0) if args.virtual else args.reference_percent
    identity = bed.service.call("identity()")
    readings = _readings(bed, args, identity)
    calibrator = Calibrator(bed.service, bed.bench, _say, args.windows, unity, curve, readings, lag)
    if readings.about is not None and readings.about["before"] != calibrator.before:
        calibrator.before = readings.about["before"]  # an interrupted run has left something else in force
        calibrator.put_back()
    _say(f"Meter {identity['serial']}, {identity['model']}, {identity['service']}, firmware {identity['revision']}")
    _say(f"Calibrated so far: {'yes, ' + calibrator.before['date'] if calibrator.before['calibrated'] else 'no'}")
    with kept.told(readings):
        status = _done(bed, args, day, calibrator, began_s)
    readings.remove()
    return status


def _readings(bed: Testbed, args: argparse.Namespace, identity: dict[str, Any]) -> kept.Kept:
    """Where the readings go, and what an interrupted run has left of them."""
    (TOP / "build").mkdir(exist_ok=True)
    path = str(TOP / "build" / f"calibration-{identity['serial']}{kept.SUFFIX}")
    before = bed.service.call("cal()")
    about = {
        "calibrate": identity["serial"],
        "model": identity["model"],
        "service": identity["service"],
        "calibration_count": before["calibration_count"],
        "windows": args.windows,
        "curve": "none" if args.no_curve else args.ct or "measured",
        "second_temperature": args.second_temperature,
        "before": before,
    }
    left = kept.about_at(path)
    if left.get("calibration_count") == before["calibration_count"]:
        about["before"] = left.get("before", before)  # what the run found that was interrupted, and may have left this
    return kept.opened(args, path, about, identity["serial"])


def _done(bed: Testbed, args: argparse.Namespace, day: str, calibrator: Calibrator, began_s: float | None) -> int:
    lines = (args.line,) if args.line else tuple(range(1, calibrator.model.elements + 1))
    done: list[dict[str, Any]]
    if args.second_temperature is not None:
        if not calibrator.before["calibrated"]:
            raise RefusedError("not calibrated yet: allowed after a calibration at the first temperature")
        drifts = second_temperature.run(calibrator, lines, args.second_temperature, _say)
        done = [vars(drift) for drift in drifts]
        if not any(drift.corrected for drift in drifts):
            _say("Nothing to store.")
            return DONE
    else:
        done = [as_json(result) for result in calibrator.run(lines)]
    with calibrator.kept_only_if_stored():
        if began_s is not None:
            _say(f"\nBench time: {(bed.bench_s() or 0.0) - began_s:.0f} s")
        if not (args.yes or args.virtual) and not _agreed("Store this calibration in the meter?"):
            raise RefusedError("not stored; the calibration is as it was")
        saved = bed.service.call(f'save("{day}")')
    _say(f"Stored, dated {day}; calibration number {saved['calibration_count']}. Verify next, then close the seal.")
    if args.json is not None:
        with writing(f"--json {args.json}"):
            write_whole(args.json, (json.dumps(done, indent=1) + "\n").encode())
    return DONE


def _undo(bed: Testbed, day: str, agreed: bool) -> int:
    calibrator = Calibrator(bed.service, bed.bench, _say)
    before = calibrator.before
    with calibrator.kept_only_if_stored():
        bed.service.call("undo()")
        after = bed.service.call("cal()")
        for old, new in zip(before["lines"], after["lines"], strict=True):
            for name in ("wgain", "phcal", "wattos", "vgain", "igain", "tempco", "lead_tempco", "curve"):
                _say(f"  line {old['line']}  {name:<12}{old[name]!s:>11} -> {new[name]}")
        if before["lines"] == after["lines"]:
            raise RefusedError("there is no earlier calibration")
        if not agreed and not _agreed("Store this one?"):
            raise RefusedError("not stored; the calibration is as it was")
        bed.service.call(f'save("{day}")')
    _say(f"Stored, dated {day}.")
    return DONE


def as_json(result: LineResult) -> dict[str, Any]:
    """A line's calibration for a program."""
    return {
        "line": result.line,
        "before": vars(result.before),
        "after": vars(result.after),
        "gain_percent": result.errors.gain * 100,
        "lead_minutes": result.errors.lead * 60,
        "offset_w": result.errors.offset_w,
        "curve": [vars(node) for node in result.curve.nodes],
        "points": [
            {
                "point": taken.point.key,
                "watts": taken.watts,
                "errors_percent": taken.errors_percent,
                "uncertainty_percent": taken.uncertainty_percent,
                "before_percent": result.before_percent[taken.point.key],
                "left_percent": result.left_percent[taken.point.key],
            }
            for taken in result.points
        ],
    }


def _say(text: str) -> None:
    print(text, flush=True)


def _agreed(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


if __name__ == "__main__":
    sys.exit(main())
