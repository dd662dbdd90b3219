"""./scripts/run: the meter's firmware on the virtual board, live in the terminal or headless."""

import argparse
import re
import sys
from typing import Any

from host.cli.parser import command_parser
from host.cli.refused import RefusedError, apart, writable
from host.cli.status import DONE, FAILED, INTERRUPTED, UNUSABLE, reported, say_error, why_not_written, writing
from host.cli.values import DURATIONS, duration_s, model_code
from host.run import headless, inputs, report
from host.sim import link
from host.sim.memory import MemoryDir, write_whole
from host.sim.session import FirmwareError, Session, Setup
from host.sim.terminals import Terminals
from host.sim.trace import Trace
from host.stimulus import scenario
from host.stimulus.scenario import Scenario
from openkh.model import Model

DEFAULT_MODEL, DEFAULT_SERVICE = "MDNCT-1SC", "60Hz"

DESCRIPTION = """\
Runs the meter's firmware on the virtual board: live in the terminal, or at full speed without
(--headless). With none of --scenario, --load, --waveform: a standard household's day (BDEW H25)."""

EXAMPLES = """\
  ./scripts/run                                          watch a household's day, live
  ./scripts/run --speed 60                               the same, a minute each second
  ./scripts/run --headless --for 24h --report r.json     the whole day at once
  ./scripts/run --scenario storm.toml --trace edges.csv  what a scenario does, with every edge"""


def speed_of(text: str | None, live: bool, ports: bool = False) -> float | None:
    """Simulated seconds per second; None as fast as it goes. RefusedError where `text` is neither. `ports`: other
    programs talk to the meter, whose time-outs are by the clock on the wall."""
    if text is None:
        return 1.0 if live or ports else None
    if text == "max":
        if ports:
            raise RefusedError("--speed max: not with --serial or --prompt: allowed a number")
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII) and 0.01 <= float(text) <= 1e6:
        return float(text)
    raise RefusedError(f"--speed {text}: allowed: max, or a number from 0.01 to 1000000")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = command_parser("run", DESCRIPTION, EXAMPLES)
    inputs.add_options(p)
    add = p.add_argument
    add("--model", type=model_code, metavar="CODE", help=f"the meter's model code (default {DEFAULT_MODEL})")
    add("--service", metavar="60Hz|50Hz", help=f"the service it is built for (default {DEFAULT_SERVICE})")
    add("--speed", metavar="N|max", help="simulated seconds per second (default 1 live, max headless)")
    add("--headless", action="store_true", help="no terminal view; progress on standard error")
    add("--for", dest="duration", metavar="DURATION", help=f"simulated time: {DURATIONS}")
    add(
        "--report",
        metavar="FILE",
        help="write what happened: FILE.json, FILE.html (a page with plots), - (standard output)",
    )
    add("--trace", metavar="FILE.csv", help="write every change of outputs, LED, counter and 12 V rail")
    add("--state", metavar="DIR", help="the board's memory, kept between runs (else a new meter each time)")
    add("--serial", action="store_true", help="the RS-485 port as a pseudo-terminal; says which on standard error")
    add("--prompt", action="store_true", help="the service prompt as a pseudo-terminal, the same way")
    add("--engine", choices=link.ENGINES, default=link.ENGINES[0], metavar="NAME", help=" or ".join(link.ENGINES))
    return p


def setup_of(args: argparse.Namespace) -> Setup:
    """Everything checked and opened; RefusedError where something is unusable."""
    duration = round(duration_s(args.duration, "--for") * 1e6) if args.duration is not None else None
    plan = scenario.load(args.scenario) if args.scenario is not None else Scenario()
    try:
        code, service = (
            _first(args.model, plan.model, DEFAULT_MODEL),
            _first(args.service, plan.service, DEFAULT_SERVICE),
        )
        model = Model(code, service)
    except ValueError as e:
        given = (args.model, args.service) != (None, None) or (plan.model, plan.service) == (None, None)
        raise RefusedError(str(e) if given else f"scenario {plan.path}: {e}") from None
    source = inputs.source_of(args, plan, model)
    if duration is None and args.headless and not args.explain:
        if source.end_s is None:
            raise RefusedError("--headless needs --for DURATION: the input does not end by itself")
        duration = round(source.end_s * 1e6)
    if args.explain:
        return Setup(model, source)
    if args.report not in (None, report.STANDARD_OUTPUT):
        writable(args.report, "--report")
    _apart(args)
    setup = Setup(model, source, args.engine, plan.seed, plan.board, duration_us=duration, live=not args.headless)
    setup.memory_dir = MemoryDir(args.state) if args.state is not None else None
    setup.trace = Trace(args.trace) if args.trace is not None else None
    setup.terminals = Terminals(args.serial, args.prompt) if args.serial or args.prompt else None
    return setup


def _first(*values: str | None) -> str:
    """The first value that is given, be it empty."""
    return next(value for value in values if value is not None)


def _apart(args: argparse.Namespace) -> None:
    """RefusedError where report or trace would be written over another file of the same run."""
    files = {f"--{name}": getattr(args, name) for name in ("scenario", "load", "waveform", "report", "trace")}
    apart({option: path for option, path in files.items() if path != report.STANDARD_OUTPUT}, ("--report", "--trace"))


@reported()
def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    args = parser().parse_args(argv)
    live = not args.headless
    speed = speed_of(args.speed, live, args.serial or args.prompt)
    seen = sys.stdin.isatty() and sys.stderr.isatty()  # the view is drawn on standard error
    if live and not seen and not args.explain:
        raise RefusedError("the live view needs a terminal; use --headless --for DURATION without one")
    setup = setup_of(args)
    if args.explain:
        print(inputs.explained(setup.source))
        return DONE
    try:
        return _run(args, setup, speed)
    except FirmwareError as e:
        say_error(f"the firmware failed {e}\n{e.trace}")
        return FAILED


def _run(args: argparse.Namespace, setup: Setup, speed: float | None) -> int:
    status = DONE
    for line in setup.terminals.names() if setup.terminals else ():
        print(line, file=sys.stderr, flush=True)
    session = Session(setup, link.Link)
    try:
        if args.headless:
            assert setup.duration_us is not None
            fine = args.report is not None and report.is_page(args.report)
            if not headless.run(session, setup.duration_us, speed, fine):
                status = INTERRUPTED
                say_error("stopped before the end")
        else:
            from host.run.view import view  # here, because a headless run does without

            if not view(session, speed):
                return FAILED
        if not _told(args.report, session):
            status = UNUSABLE
    finally:
        session.close()
    return status


def _told(path: str | None, session: Session) -> bool:
    """The report in the file or on standard output, and the summary, which keeps away from there.

    False where one of them or the memory cannot be written, which is said; the others are written all the same.
    """
    failed: list[OSError] = []
    try:
        found = session.report()
    except OSError as error:  # the run has ended, its memory cannot be kept
        failed.append(error)
        found = session.report()
    try:
        _write_report(path, found, session)
    except OSError as error:
        failed.append(error)
    try:
        summary = headless.summary(found, session.setup.source, session.setup.begin_wh)
        print(summary, file=sys.stderr if path == report.STANDARD_OUTPUT else sys.stdout, flush=True)
    except OSError as error:
        failed.append(error)
    for error in failed:
        say_error(why_not_written(error))
    return not failed


def _write_report(path: str | None, found: dict[str, Any], session: Session) -> None:
    if path is None:
        return
    text = report.page(found, session.history, session.setup.source) if report.is_page(path) else report.text(found)
    with writing(f"--report {path}"):
        if path == report.STANDARD_OUTPUT:
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            write_whole(path, text.encode(errors="backslashreplace"))  # the name of an input may be no UTF-8


if __name__ == "__main__":
    sys.exit(main())
