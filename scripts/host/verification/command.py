"""./scripts/verify: accuracy verification of a meter, with a report."""

import argparse
import dataclasses
import datetime
import json
import math
import os
import sys

from host.calibration import bench_file, kept, testbed
from host.calibration.testbed import Testbed
from host.cli.parser import command_parser
from host.cli.refused import RefusedError, apart, read_text, writable
from host.cli.status import DONE, FAILED, begun, reported, writing
from host.cli.values import duration_s
from host.sim.link import TOP
from host.sim.memory import write_whole
from host.verification import report
from host.verification.report import Certificate
from host.verification.verifier import Scope, Verifier

DESCRIPTION = """\
Verifies a meter's accuracy: load curves at power factor 1, 0.5 lagging and 0.866 leading, voltage, frequency, starting,
no load, repeatability, independence of the elements, distorted waveforms, register and pulses. Writes a report with
plots. See docs/calibration.md."""

EXAMPLES = """\
  ./scripts/verify --virtual                                       the virtual board that calibrate --virtual has left
  ./scripts/verify --virtual --class 0.2 --temperatures=-20,50     in the virtual chamber, by the finer limits
  ./scripts/verify --port /dev/ttyACM0 --report meter.html         guided; reference readings are typed in
  ./scripts/verify --port /dev/ttyACM0 --reference day.csv         reference readings from a file
  ./scripts/verify --port /dev/ttyACM0 --report meter.html --resume    go on where it was interrupted
  ./scripts/verify --virtual --bench bench.toml --as-found a.json  a certificate: bench, as found and as left"""
STATUSES = """\
0 passed (or reported, not judged: split-core CTs); 1 failed, or could not be done; 2 unusable arguments or files; 130
given up by Ctrl-C"""


IN_FORCE = ("wgain", "phcal", "wattos", "vgain", "igain", "tempco", "lead_tempco", "curve")  # of a line's cal()


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = command_parser("verify", DESCRIPTION, EXAMPLES, STATUSES)
    add = p.add_argument
    testbed.add_options(add)
    add("--report", metavar="FILE.html", help="the report (default build/verification-SERIAL.html)")
    add("--json", metavar="FILE", help="write every figure to FILE as well")
    add("--note", action="append", default=[], metavar="TEXT", help="goes into the report: reference, place, name, ...")
    add("--no-load", default="1h", metavar="DURATION", help="length of the no-load test (default 1h)")
    add("--as-found", metavar="FILE.json", help="figures of an earlier verification (its --json), shown beside these")
    add("--temperatures", metavar="C,C", help="load points at these temperatures, too, such as --temperatures=-20,50")
    kept.add_option(add)
    add("--class", dest="accuracy_class", choices=("0.5", "0.2"), default="0.5", help="of the limits (default 0.5)")
    return p


@reported("given up; no report was written")
def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    args = parser().parse_args(argv)
    day = testbed.date_of(args.date)
    args.no_load_s = duration_s(args.no_load, "--no-load", 86_400)
    temperatures = _temperatures(args.temperatures) if args.temperatures is not None else ()
    scope = Scope(no_load_s=args.no_load_s, temperatures=temperatures, fine=args.accuracy_class == "0.2")
    _check_files(args)
    bench = bench_file.load(args.bench) if args.bench is not None else bench_file.BenchFile()
    whose, as_found = _as_found(args.as_found) if args.as_found is not None else ({}, {})
    with testbed.opened(args) as bed, begun():
        _check_whose(args.as_found, whose, bed.service.call("identity()"))
        return _verify(bed, args, day, scope, Certificate(bench, began=_now(), as_found=as_found))


def _check_files(args: argparse.Namespace) -> None:
    """RefusedError where report or figures cannot be put where they are to go."""
    for option, path in (("--report", args.report), ("--json", args.json)):
        if path is None:
            continue
        writable(path, option)
        if os.path.splitext(path)[1] == kept.SUFFIX:
            raise RefusedError(
                f"{option} {path}: readings are kept in files of that name: allowed: one without {kept.SUFFIX}"
            )
    files = {"--reference": args.reference, "--bench": args.bench, "--as-found": args.as_found}
    apart({**files, "--report": args.report, "--json": args.json}, ("--report", "--json"))


def _now() -> str:
    return datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _temperatures(text: str) -> tuple[float, ...]:
    """From the argument; RefusedError where it is none."""
    try:
        found = tuple(float(word) for word in text.split(","))
        if not all(-40 <= celsius <= 85 for celsius in found):
            raise ValueError
    except ValueError:
        raise RefusedError(f"--temperatures {text}: allowed: -40 to 85 degrees Celsius, such as -20,50") from None
    return found


_WHOSE = ("serial", "model", "service")


def _as_found(path: str) -> tuple[dict[str, object], dict[tuple[str, int], float]]:
    """The meter of an earlier verification, and its load errors by point and line; RefusedError where the file has
    none."""
    try:
        content = json.loads(read_text(path, "--as-found"))
        whose = {name: content["identity"][name] for name in _WHOSE}
        found = {(row["key"], row["line"]): float(row["value"]) for row in content["rows"] if row["group"] == "load"}
    except (ValueError, KeyError, TypeError):
        found = {}
    if not found or not all(map(math.isfinite, found.values())):
        raise RefusedError(f"--as-found {path}: no load points: allowed: what verify --json has written")
    return whose, found


def _check_whose(path: str | None, whose: dict[str, object], identity: dict[str, object]) -> None:
    """RefusedError where the earlier verification was another meter's."""
    for name, value in whose.items():
        if value != identity[name]:
            raise RefusedError(f"--as-found {path}: {name} {value}: this meter has {identity[name]}")


def _verify(bed: Testbed, args: argparse.Namespace, day: str, scope: Scope, certificate: Certificate) -> int:
    identity = bed.service.call("identity()")
    (TOP / "build").mkdir(exist_ok=True)
    usual = str(TOP / "build" / f"verification-{identity['serial'] or 'unprovisioned'}.html")
    path = args.report or usual
    beside = usual if os.path.exists(path) and not os.path.isfile(path) else path  # not beside a device or a pipe
    about = {
        "verify": identity["serial"],
        "model": identity["model"],
        "service": identity["service"],
        "calibration": [[line.get(name) for name in IN_FORCE] for line in bed.service.call("cal()")["lines"]],
        "scope": dataclasses.asdict(scope),
    }
    readings = kept.opened(args, os.path.splitext(beside)[0] + kept.SUFFIX, about, identity["serial"])
    with kept.told(readings):
        verifier = Verifier(bed.service, bed.bench, lambda text: print(text, flush=True), scope, readings)
        verdict = verifier.run()
    verdict.notes += args.note
    print(f"\n{verdict.word}")
    for row in verdict.failed:
        print(f"  beyond its limit: {row.title}, line {row.line or 'sum'}: {row.value:+.4f} {row.unit}")
    page = report.page(verdict, day, dataclasses.replace(certificate, ended=_now()))
    with writing(f"--report {path}"):
        write_whole(path, page.encode(errors="backslashreplace"))  # a note may be no UTF-8
    readings.remove()
    if args.json is not None:
        figures = [vars(row) for row in verdict.rows]
        content = {"verdict": verdict.word, "date": day, "identity": verdict.identity, "rows": figures}
        with writing(f"--json {args.json}"):
            write_whole(args.json, (json.dumps(content, indent=1) + "\n").encode())
    print(f"Report in {path}")
    return DONE if verdict.passed or not verdict.judged else FAILED


if __name__ == "__main__":
    sys.exit(main())
