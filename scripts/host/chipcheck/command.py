"""./scripts/chipcheck: which way the open questions of the ADE7953's data sheet are on the silicon in hand."""

import argparse
import contextlib
import datetime
import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from host.chipcheck import findings
from host.chipcheck.chips import Chip, PicoChip, SimulatedChip, prepare
from host.cli.parser import command_parser
from host.cli.refused import FailedError, RefusedError, writable
from host.cli.status import DONE, begun, reported, writing
from host.flash import board_files
from host.port.prompt import SerialPrompt
from host.port.serial_ports import only_board
from host.stimulus import scenario
from openkh import REVISION

DESCRIPTION = """\
Finds out which way the open questions of the front end's data sheet are on a chip: a Pico and a bare ADE7953 breakout,
without mains and without a signal, in less than a minute; with a bench source (--signal) the rest. Prints a report that
is made to be sent (docs/chips.md), with what this firmware makes of it."""

EXAMPLES = """\
  ./scripts/chipcheck --port /dev/ttyACM0                       a breakout on a Pico, wired as in docs/chips.md
  ./scripts/chipcheck --port /dev/ttyACM0 --signal --json a.json   with a bench source as well; a file to send
  ./scripts/chipcheck --virtual                                 the simulated chip
  ./scripts/chipcheck --virtual --chip 'checksum_live_bits = true, counter_end = "stop"'"""

STATUSES = """0 told; 1 no chip answers, or this firmware does not bear what was found;
2 unusable arguments or files; 130 stopped by Ctrl-C"""

WITHOUT_SIGNAL = (
    ("silence", "silence after a reset"),
    ("version", "version, undocumented bytes"),
    ("checksum", "checksum of the reset values"),
    ("live_bits", "checksum and live bits, through the no-load switches"),
    ("checksum_delay", "how late the checksum follows"),
    ("last", "LAST_ADD, LAST_OP, LAST_RWDATA"),
    ("flags", "flags that are raised again"),
    ("key", "the key of 0x120"),
    ("noise", "noise floor"),
)
COUNTER_LIMIT_S = 900
HALF_RANGE = 0x800000


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = command_parser("chipcheck", DESCRIPTION, EXAMPLES, STATUSES)
    where = p.add_mutually_exclusive_group()
    where.add_argument("--port", metavar="PORT", help="serial port of the Pico (default: the only one there is)")
    where.add_argument("--virtual", action="store_true", help="the simulated chip")
    p.add_argument("--chip", metavar="SETTINGS", help="settings of the simulated chip, as chip1 = {...} in a scenario")
    p.add_argument(
        "--board", choices=board_files.boards(), default="reference", help="whose pins the chips are on (reference)"
    )
    p.add_argument("--signal", action="store_true", help="a bench source is connected: ask what needs one, too")
    p.add_argument("--json", metavar="FILE", help="write everything that was found to FILE")
    return p


@reported("stopped; nothing is left on the chip that a reset does not take away")
def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    args = parser().parse_args(argv)
    if args.chip is not None and not args.virtual:
        raise RefusedError("--chip: allowed with --virtual only")
    if args.json is not None:
        writable(args.json, "--json")
    settings = chip_settings(args.chip or "")
    with _opened(args, settings) as chips, begun():
        reports = []
        for chip in chips:
            _progress(f"{chip.title}:")
            report = examine(chip, args.signal)
            if report is not None:
                reports.append(report)
    if not reports:
        raise FailedError("no ADE7953 answers: check supply, ground, the four SPI wires, RESET (docs/chips.md)")
    for report in reports:
        print(text_of(report))
    if args.json is not None:
        with writing(f"--json {args.json}"), open(args.json, "w") as file:
            json.dump(as_json(reports, args), file, indent=1)
            file.write("\n")
    if not all(report["borne"] for report in reports):
        raise FailedError("this firmware does not bear all of it: please send the report (docs/chips.md)")
    return DONE


def chip_settings(text: str) -> dict[str, Any]:
    """The settings of --chip; RefusedError where one is unusable."""
    try:
        plan = scenario.parse(f"[board]\nchip1 = {{{text}}}\n", "--chip")
    except RefusedError as error:
        said = str(error).removeprefix("scenario --chip:2: ").removeprefix("board.chip1.")
        raise RefusedError(f"--chip: {said}") from None
    found: dict[str, Any] = plan.board["chip1"]
    return found


@contextlib.contextmanager
def _opened(args: argparse.Namespace, settings: dict[str, Any]) -> Iterator[list[Chip]]:
    if args.virtual:
        yield [SimulatedChip(settings)]
        return
    with SerialPrompt(args.port or only_board()) as prompt:
        prepare(prompt)
        yield [PicoChip(prompt, wires, _person) for wires in board_files.load(args.board).FRONT_ENDS]


def _person(words: str) -> None:
    try:
        input(f"{words}: ")
    except EOFError:
        raise FailedError("nobody answers: standard input has ended") from None


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def examine(chip: Chip, signal: bool) -> dict[str, Any] | None:
    """Put all questions to one chip; None where nobody answers."""
    wrong = chip.ask("alive")["wrong"]
    if wrong:
        address, expected, found = wrong
        shifted = " (shifted by one bit: SPI clock phase)" if found == expected >> 1 else ""
        _progress(
            f"  no ADE7953: register 0x{address:03X} reads 0x{found:X} after a reset, not 0x{expected:X}{shifted}"
        )
        return None
    raw: dict[str, Any] = {}
    number = len(WITHOUT_SIGNAL) + 4 * signal
    for n, (question, title) in enumerate(WITHOUT_SIGNAL, 1):
        _progress(f"  {n} of {number}: {title}")
        raw[question] = chip.ask(question)
    found = findings.without_signal(raw)
    if signal:
        _ask_with_signal(chip, raw, len(WITHOUT_SIGNAL), number)
        told = {finding.setting: finding for finding in findings.with_signal(raw)}
        found = [told.get(finding.setting, finding) for finding in found]
    return {
        "chip": chip.title,
        "borne": all(finding.borne for finding in found),
        "findings": [asdict(finding) for finding in found],
        "raw": raw,
    }


def _ask_with_signal(chip: Chip, raw: dict[str, Any], done: int, number: int) -> None:
    _progress(f"  {done + 1} of {number}: phase register, sign of reactive power")
    chip.set_signal("60 % of full scale in voltage, 40 % in current, 60 degrees lagging, 60 Hz", 0.6, 0.4, 60.0)
    raw["phase"] = chip.ask("phase")
    _progress(f"  {done + 2} of {number}: ripple")
    chip.set_signal("the same at 0 degrees (power factor 1)", 0.6, 0.4, 0.0)
    raw["level"] = chip.ask("level")
    _progress(f"  {done + 3} of {number}: period register")
    raw["period"] = chip.ask("period")
    _progress(f"  {done + 4} of {number}: the energy register's end")
    chip.set_signal("as much as the inputs take without clipping, power factor 1", 0.98, 0.98, 0.0)
    raw["counter"] = _counter(chip)


def _counter(chip: Chip) -> dict[str, Any]:
    """Watch the energy register on its way over its end, or to it."""
    rate = chip.ask("counter_begin")["per_s"]
    if abs(rate) * COUNTER_LIMIT_S < HALF_RANGE:
        return {"why": f"the signal is too small: its end would be reached after {HALF_RANGE // max(1, abs(rate))} s"}
    limit_s = HALF_RANGE / abs(rate) + 10
    waited = 0.0
    before = chip.ask("counter_now")["count"]
    while waited < limit_s:
        chip.wait(2.0)
        waited += 2.0
        now = chip.ask("counter_now")
        _progress(f"    {now['count']} counts, {rate} a second")
        if now["count"] == before and abs(before) >= HALF_RANGE - 1:
            return {"end": "stop", "per_s": rate, "over": now["over"]}
        if (now["count"] > 0) != (rate > 0) and abs(now["count"]) > HALF_RANGE // 2:
            return {"end": "wrap", "per_s": rate, "over": now["over"]}
        before = now["count"]
    return {"why": "the register neither came over its end nor stopped there; has the signal changed?"}


def text_of(report: dict[str, Any]) -> str:
    """The report for people."""
    rows = [f"ADE7953 on {report['chip']}"]
    for finding in report["findings"]:
        value = finding["value"]
        told = "?" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        mark = "" if finding["borne"] else "  NOT BORNE"
        rows.append(f"  ({finding['letter']}) {finding['setting']:<20}{told:<8}{finding['text']}{mark}")
    bytes_ = " ".join(f"{value:02X}" for value in report["raw"]["version"]["reserved"])
    rows.append(f"      undocumented registers 0x285, 0x287, 0x291, 0x293, 0x294: {bytes_}")
    judgement = "this firmware bears all of it" if report["borne"] else "this firmware does NOT bear what is marked"
    rows.append(f"  OpenKh {REVISION}: {judgement}.")
    return "\n".join(rows)


def as_json(reports: list[dict[str, Any]], args: argparse.Namespace) -> dict[str, Any]:
    """The report for a program, and to be sent."""
    return {
        "tool": "chipcheck",
        "firmware": REVISION,
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "host": platform.platform(),
        "simulated": args.virtual,
        "signal": args.signal,
        "chips": reports,
    }
