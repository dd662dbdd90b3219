"""What calibrate and verify are run at: a real meter on a serial port with a person at the bench, or the virtual board
with its own prompt on a pseudo-terminal; both through mpremote's transport."""

import argparse
import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from host.calibration import bench_source, raw_boards
from host.calibration.bench_source import Bench, PersonBench, VirtualBench
from host.cli.refused import FailedError, RefusedError, read_text
from host.cli.values import model_code
from host.port.prompt import SerialPrompt
from host.port.serial_ports import names
from host.port.service import Service
from host.sim.link import ENGINES, TOP, EngineError
from host.sim.memory import MemoryDir, write_whole
from host.sim.virtual_board import VirtualBoard
from openkh.model import Model

STATE = TOP / "build" / "bench"
BOARD_FILE = "board.json"
SPEED = 200.0
TALK_SPEED = 5.0  # while mpremote and the prompt talk: what they take counts as bench time


@dataclass
class Testbed:
    """A meter and a bench. `bench_s()`: meter seconds gone since it was opened, on a virtual one."""

    service: Service
    bench: Bench
    virtual: VirtualBoard | None = None

    def bench_s(self) -> float | None:
        """Bench time used so far, where it can be told."""
        return None if self.virtual is None else self.virtual.now_us / 1e6


def add_options(add: Any) -> None:
    """The options of both commands."""
    add("--port", metavar="PORT", help="the meter's serial port, such as /dev/ttyACM0")
    add("--virtual", action="store_true", help="the virtual board and bench instead of a real one")
    add("--reference", metavar="FILE.csv", help="reference readings: point,line,volts,amps,watts[,window]")
    add("--bench", metavar="FILE.toml", help="the bench: reference, source, place, serials (docs/calibration.md)")
    add("--date", metavar="YYMMDD", help="today's date (the meter has no clock); default: this computer's")
    virtual = "virtual board: "
    add("--state", metavar="DIR", default=str(STATE), help=virtual + "kept here between runs (default build/bench)")
    add("--new", action="store_true", help=virtual + "a new raw one, its parts drawn from --seed")
    add("--seed", type=int, default=1, metavar="N", help=virtual + "of a new one's parts")
    add(
        "--model",
        type=model_code,
        metavar="CODE",
        default="MDNCT-1SC",
        help=virtual + "a new one's model code (..SP: split-core CTs)",
    )
    add("--service", choices=("60Hz", "50Hz"), default="60Hz", help=virtual + "a new one's service")
    add("--speed", type=float, default=SPEED, metavar="N", help=virtual + f"times real time (default {SPEED:g})")
    add("--engine", choices=ENGINES, default=ENGINES[0], metavar="NAME", help=virtual + " or ".join(ENGINES))


def date_of(text: str | None) -> str:
    """YYMMDD as given, or today's; RefusedError where it is no date."""
    if text is None:
        return date.today().strftime("%y%m%d")
    try:
        if len(text) != 6 or not text.isascii() or not text.isdigit():
            raise ValueError
        date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        raise RefusedError(f"--date {text}: allowed: a date as YYMMDD, such as 260131") from None
    return text


@contextlib.contextmanager
def opened(args: argparse.Namespace) -> Iterator[Testbed]:
    """The testbed that the arguments ask for; RefusedError where there is none."""
    if args.virtual == (args.port is not None):
        here = names() or "none"
        raise RefusedError(
            f"one of --port PORT (a real meter; ports here: {here}) and --virtual is needed (see --help)"
        )
    if args.virtual and args.reference is not None:
        raise RefusedError("--reference: the virtual bench has its own; leave it out")
    if args.virtual:
        with _virtual(args) as bed:
            yield bed
        return
    rows = bench_source.load_csv(args.reference) if args.reference is not None else None
    with SerialPrompt(args.port) as port:
        yield Testbed(Service(port), PersonBench(rows=rows))


class _Paced:
    """A virtual board that runs fast while nobody talks to it (SimulatedMains)."""

    def __init__(self, board: VirtualBoard, speed: float) -> None:
        self._board = board
        self._speed = speed
        self.out = board.out
        self.stimulus = board.stimulus
        self.look = board.look

    def pace(self, fast: bool) -> None:
        self._board.speed = self._speed if fast else min(TALK_SPEED, self._speed)

    @property
    def now_us(self) -> int:
        return self._board.now_us

    def wait(self, seconds: float) -> dict[str, Any]:
        self.pace(True)
        try:
            return self._board.wait(seconds)
        finally:
            self.pace(False)


@contextlib.contextmanager
def _virtual(args: argparse.Namespace) -> Iterator[Testbed]:
    if not 0.01 <= args.speed <= 10_000:
        raise RefusedError(f"--speed {args.speed:g}: allowed: 0.01 to 10000")
    folder = MemoryDir(args.state)
    try:
        config = _config(args, folder)
        model = Model(config["model"], config["service"])
        with VirtualBoard(config, args.engine, args.speed) as board:
            volts = model.nominal_mv / 1000
            board.mains((volts, 0.0, 0.0), (volts, 0.0, 0.0), float(model.hz))
            paced = _Paced(board, args.speed)
            paced.wait(1.5)  # it starts
            try:
                with SerialPrompt(board.port, paced.pace) as port:
                    yield Testbed(Service(port), VirtualBench(paced, model), board)
            finally:  # also where it is given up: the board has metered meanwhile
                folder.save(board.finish()["memory"])
    except ValueError as error:
        raise RefusedError(str(error)) from None
    except EngineError as error:
        raise FailedError(f"the virtual board ended: {str(error).strip().splitlines()[-1]}") from None
    finally:
        folder.close()


def _config(args: argparse.Namespace, folder: MemoryDir) -> dict[str, Any]:
    """Of the board in the folder; of a new one where there is none or one is asked for."""
    path = Path(folder.path) / BOARD_FILE
    if not args.new:
        if path.exists():
            return {**_kept(path), "memory": folder.load()}
        if folder.names():
            raise RefusedError(
                f"--state {folder.path}: the memory of a board whose parts are not known ({BOARD_FILE} is missing): "
                "allowed: another folder, or --new, which throws it away"
            )
    model = Model(args.model, args.service)
    core = "split" if model.core == "SP" else "solid"
    config = {
        "model": model.code,
        "service": model.service,
        "seed": args.seed,
        "board": raw_boards.board(args.seed, core),
    }
    for name in folder.names():
        os.unlink(Path(folder.path) / f"{name}.bin")
    write_whole(str(path), (json.dumps(config, indent=1) + "\n").encode())
    return {**config, "memory": {}}


def _kept(path: Path) -> dict[str, Any]:
    """The configuration of the board in the folder."""
    try:
        kept = json.loads(read_text(str(path), "virtual board"))
        if not isinstance(kept, dict) or not isinstance(kept.get("board"), dict) or type(kept.get("seed")) is not int:
            raise ValueError
        Model(kept.get("model", ""), kept.get("service", ""))
    except (ValueError, TypeError, AttributeError):
        raise RefusedError(f"virtual board {path}: damaged: allowed: --new, which makes another one") from None
    return kept
