"""./scripts/read: what a meter says, over RS-485, over the prompt on USB, or of a virtual meter (AM-7)."""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO, Any

from host.cli.parser import command_parser
from host.cli.refused import FailedError, RefusedError, writable
from host.cli.status import DONE, reported, writing
from host.remote import intervals, values
from host.remote.bus import PARITIES, Bus, BusError
from host.remote.prompt import UsbMeter
from host.remote.registers import OWN
from host.remote.virtual import virtual_port
from host.sim.memory import write_whole
from openkh.remote.settings import BAUDS, Settings

DESCRIPTION = """\
Reads a meter: energy, power, demand, each line, condition, outputs, and its interval data. Nothing here changes
anything in the meter. Without --port or --usb it reads a virtual meter that runs for the occasion."""

EXAMPLES = """\
  ./scripts/read                                             a virtual meter, once
  ./scripts/read --port /dev/ttyUSB0                         over an RS-485 adapter: unit 1, 19200 baud, 8N1
  ./scripts/read --port /dev/ttyUSB0 --unit 7 --baud 9600 --json
  ./scripts/read --port /dev/ttyUSB0 --every 10 --csv day.csv
  ./scripts/read --usb /dev/ttyACM0 --intervals quarters.csv
  ./scripts/run --serial                                     in another terminal; --port is what it prints"""

LEAST_EVERY_S = 1.0
_FAILURES = 5  # readings in a row that may fail with --every


def parser() -> argparse.ArgumentParser:
    """The command line."""
    new = Settings()
    p = command_parser("read", DESCRIPTION, EXAMPLES)
    add = p.add_argument
    where = p.add_mutually_exclusive_group()
    where.add_argument("--port", metavar="P", help="port of an RS-485 adapter, or what ./scripts/run --serial prints")
    where.add_argument("--usb", metavar="P", help="USB port of the meter's prompt; its seal must be open")
    add("--unit", type=int, metavar="N", help=f"the meter's unit number, 1 to 247 (default {new.unit})")
    add("--baud", type=int, metavar="B", help=f"{', '.join(str(baud) for baud in BAUDS)} (default {new.baud})")
    add("--parity", choices=tuple(PARITIES), help=f"default {new.parity}")
    add("--every", type=float, metavar="S", help="again every S seconds, until Ctrl-C")
    add("--count", type=int, metavar="N", help="with --every: so many times")
    add("--json", action="store_true", help="a JSON object a reading, in the numbers of docs/modbus.md")
    add("--csv", metavar="FILE", help="a line a reading to FILE, - for standard output")
    add(
        "--intervals",
        metavar="FILE.csv",
        help="interval data with local and UTC time to FILE, - for standard output",
    )
    return p


@reported("stopped")
def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    args = parser().parse_args(argv)
    _check(args)
    with _opened(args) as meter:
        try:
            if args.intervals is not None:
                return _intervals(meter, args.intervals)
            return _readings(meter, args)
        except BusError as error:
            raise FailedError(str(error)) from None


def _check(args: argparse.Namespace) -> None:
    for option in ("unit", "baud", "parity"):
        if getattr(args, option) is not None and args.port is None:
            raise RefusedError(f"--{option}: goes with --port")
    new = Settings()
    args.unit = new.unit if args.unit is None else args.unit
    args.baud = new.baud if args.baud is None else args.baud
    args.parity = new.parity if args.parity is None else args.parity
    if not 1 <= args.unit <= 247:
        raise RefusedError(f"--unit {args.unit}: allowed: 1 to 247")
    if args.baud not in BAUDS:
        raise RefusedError(f"--baud {args.baud}: allowed: {', '.join(str(baud) for baud in BAUDS)}")
    if args.every is not None and not LEAST_EVERY_S <= args.every <= 86_400:
        raise RefusedError(f"--every {args.every:g}: allowed: {LEAST_EVERY_S:g} to 86400 seconds")
    if args.count is not None and (args.every is None or args.count < 1):
        raise RefusedError("--count: allowed: 1 and more, with --every")
    if args.intervals is not None and (args.every or args.json or args.csv):
        raise RefusedError("--intervals: not with --every, --json or --csv")
    for option in ("csv", "intervals"):
        path = getattr(args, option)
        if path not in (None, "-"):
            writable(path, f"--{option}")


@contextlib.contextmanager
def _opened(args: argparse.Namespace) -> Iterator[Any]:
    with contextlib.ExitStack() as stack:
        if args.usb is not None:
            meter: Any = UsbMeter(args.usb)
        else:
            port = args.port if args.port is not None else stack.enter_context(virtual_port())
            meter = Bus(port, args.unit, args.baud, args.parity)
        stack.callback(meter.close)
        yield meter


# Readings


def _readings(meter: Any, args: argparse.Namespace) -> int:
    done = failed = 0
    with contextlib.ExitStack() as stack:
        out: IO[str] | None = None
        began = time.monotonic()
        while True:
            try:
                said = meter.values()
                failed = 0
            except BusError as error:
                failed += 1
                if args.every is None or failed >= _FAILURES:
                    raise
                print(f"openkh: {error}; trying again", file=sys.stderr)
            else:
                if args.csv is not None and out is None:  # what was there stays until a meter has answered
                    out = stack.enter_context(_begun_csv(args.csv))
                _tell(said, args, out)
                done += 1
            if args.every is None or done == args.count:
                return DONE
            time.sleep(max(0.0, began + args.every * (done + failed) - time.monotonic()))


@contextlib.contextmanager
def _begun_csv(path: str) -> Iterator[IO[str]]:
    """The file, or standard output, with the header in it."""
    with contextlib.ExitStack() as stack:
        out = sys.stdout
        with writing(f"--csv {path}"):
            if path != "-":
                out = stack.enter_context(open(path, "w", encoding="utf-8"))
            print("time_utc," + ",".join(register.name for register in OWN), file=out, flush=True)
        yield out


def _tell(said: values.Values, args: argparse.Namespace, out: IO[str] | None) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    if out is not None:
        print(",".join([now, *(_cell(said[register.name]) for register in OWN)]), file=out, flush=True)
    if args.json:
        print(json.dumps({"time_utc": now, **said}), flush=True)
    elif out is not sys.stdout:
        print((f"{now}\n" if args.every else "") + values.table(said), flush=True)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


# Interval data


def _intervals(meter: Any, path: str) -> int:
    said = meter.values()
    if not said["intervals_capacity"]:
        raise FailedError("this meter has no memory for interval data")
    now = datetime.now(UTC)
    first, end = said["intervals_oldest"], said["intervals_next"]
    slots = list(meter.slots(first, end, said["intervals_capacity"], _progress(end - first)))
    found = intervals.placed(slots, said["power_ups"], said["run_s"], now)
    text = intervals.csv_text(found)
    if path == "-":
        print(text, end="")
    else:
        with writing(f"--intervals {path}"):
            write_whole(path, text.encode())
    print(_summary(found), file=sys.stderr)
    return DONE


def _progress(total: int) -> Callable[[int], None]:
    """A line that is written over, on a terminal."""
    if not sys.stderr.isatty() or not total:
        return lambda _done: None

    def told(done: int) -> None:
        end = "\n" if done >= total else ""
        print(f"\r{done} of {total} slots\x1b[K", end=end, file=sys.stderr, flush=True)

    return told


def _summary(found: list[intervals.Interval]) -> str:
    delivered = sum(interval.slot.delivered for interval in found) / 10_000
    received = sum(interval.slot.received for interval in found) / 10_000
    without = sum(interval.start is None for interval in found)
    text = f"{len(found)} intervals, {delivered:.4f} kWh delivered, {received:.4f} kWh received"
    if without:
        text += f"; {without} of earlier power-ups have no clock time: how long the meter was off is not known"
    return text


if __name__ == "__main__":
    sys.exit(main())
