"""Campaigns at the service port: Ctrl-C at any moment (EN-2, CA-1), and a sealed meter that is typed at (CA-2).

./scripts/bench --ctrl-c N and --sealed-port N run them at any size, the tests at a small one.
"""

import random
from typing import TYPE_CHECKING, Any

from host.port.prompt import CodeError
from host.rigs.prompt_rig import Prompt, started

if TYPE_CHECKING:
    from host.campaigns.spread.spread import Spread

Row = tuple[str, Any, str]

NAMES = ("power_up", "seal_opened", "seal_closed", "restart")  # what a service without changes logs
HANDSHAKE = "\r\x03\x03\r\x01"  # mpremote's
ITEMS = ("wgain", "phcal", "wattos", "vgain", "igain")
NOMINAL = (4_234_704, 0, 0, 4_194_304, 4_194_304)


class AbuseError(Exception):
    """The meter did not bear it; the text says what."""


def _must(condition: bool, text: str) -> None:
    if not condition:
        raise AbuseError(text)


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------


def values_of(k: int) -> tuple[int, int, int, int, int]:
    """Set k of calibration values: each of them tells k, so that a mixture of two sets shows."""
    return 4_200_000 + k, k % 50, 1000 + k, 4_180_000 + k, 4_190_000 + k


def _calls(r: random.Random, k: int) -> str:
    setting = ", ".join(f"{name}={value}" for name, value in zip(ITEMS, values_of(k), strict=True))
    return r.choice(
        (
            "s.status()",
            "s.lines()",
            "s.window(3)",
            "s.events(60)",
            "s.faults()",
            "s.image()",
            f"s.cal_set({1 + k % 2}, {setting})",
            f"s.cal_set({1 + k % 2}, {setting})",
            "s.save('260201')",
            "s.undo()",
            "s.fine_pulses(1, 5)",
            "s.rail12_reset()",
            "import time\nwhile 1: time.sleep_ms(1)",
        )
    )


def ctrl_c(count: int, memory: str = "fram", interleave: bool = False, seed: int = 9) -> int:
    """`count` interrupts at random moments of commands under load. Returns how many met running code.

    AbuseError if a count is lost, the meter restarts, fails, or is left with half a calibration.
    """
    r = random.Random(seed)
    with started("micropython", amps=70.0, board={"memory": memory}, interleave=interleave) as prompt:
        for k in range(1, count + 1):
            call = _calls(r, k)
            prompt.type("\r\x03\r\x01" + call + "\x04")
            prompt.go(r.choice((r.uniform(0.0, 0.03), r.uniform(0.0, 0.4))))
            prompt.type("\x03")
            prompt.go(r.uniform(0.02, 0.2))
            if k % 50 == 0 or k == count:
                _check_between(prompt, count)
        prompt.restarted()
        prompt.settle()
        counted = sum(prompt.snap["counted"])
        _must(prompt.delivered_counts == counted, f"register {prompt.delivered_counts}, chips {counted} counts")
        _must(prompt.boots() == ["power"], f"restarts: {prompt.boots()}")
        return prompt.said.count("KeyboardInterrupt")


def _check_between(prompt: Prompt, count: int) -> None:
    """The prompt answers, and what is in force is one of the sets that were asked for, whole."""
    prompt.type("\x03\r\x02")
    prompt.restarted()
    prompt.go(1.5)  # a request that was begun is carried out
    _must(not prompt.errors(), f"the firmware raised: {prompt.errors()}")
    status = prompt.json("s.status()")
    _must(status["failures"] == [] and status["errors"] == 0, f"failures: {status['failures']}")
    allowed = {values_of(k) for k in range(1, count + 1)} | {NOMINAL}
    for line in prompt.json("s.cal()")["lines"]:
        found = tuple(line[name] for name in ITEMS)
        _must(found in allowed, f"line {line['line']}: a mixture of calibrations: {found}")
    _must(all(not line["repairs"] for line in prompt.json("s.faults()")["lines"]), "the chips hold something else")


# Raises Ctrl-C at line number LEFT of the prompt's own code: on the RP2040 it can come between any two byte codes. The
# cycle runs in a callback, where MicroPython's rp2 port lets no Ctrl-C in; the 12 V guard is an interrupt.
_AT_LINE = """
import sys
from boards.virtual.standins import simmicropython
left = [%d]
def look(frame, event, arg):
    if simmicropython._cpu.in_callback or "openkh/service" not in frame.f_code.co_filename:
        return None
    if event == "line":
        left[0] -= 1
        if left[0] == 0:
            sys.settrace(None)
            raise KeyboardInterrupt
    return look
sys.settrace(look)
try:
    %s
finally:
    sys.settrace(None)
print("left", left[0])
"""
_WHOLE = 1 << 30
_LINE_CALLS = (
    "s.cal_set(1, " + ", ".join(f"{name}={value}" for name, value in zip(ITEMS, values_of(1), strict=True)) + ")",
    "s.cal_set(2, " + ", ".join(f"{name}={value}" for name, value in zip(ITEMS, values_of(2), strict=True)) + ")",
    "s.save('260201')",
    "s.undo()",
    "s.window(1)",
    "s.events(5)",
    "s.status()",
    "s.fine_pulses(1, 5)",
)


def ctrl_c_at_lines(each: int, seed: int = 5) -> int:
    """Ctrl-C at `each` random lines of every command's own code. Returns how many interrupts there were."""
    r = random.Random(seed)
    interrupts = 0
    with started("cpython", amps=70.0) as prompt:
        prompt.execute("from openkh.service import reports, tuning, works, windows, requests")
        for call in _LINE_CALLS:
            said = prompt.execute(_AT_LINE % (_WHOLE, call))
            lines = _WHOLE - int(said.split("left ")[1])
            for at in sorted(r.randint(1, lines) for _ in range(each)):
                try:
                    prompt.execute(_AT_LINE % (at, call))
                except CodeError as error:
                    _must("KeyboardInterrupt" in str(error), str(error))
                    interrupts += 1
        _check_between(prompt, 2)
        prompt.settle()
        _must(prompt.delivered_counts == sum(prompt.snap["counted"]), "counts are lost")
        _must(prompt.boots() == ["power"], f"restarts: {prompt.boots()}")
    return interrupts


def ctrl_c_rows(count: int) -> list[Row]:
    """For ./scripts/bench."""
    rows: list[Row] = []
    for memory in ("fram", "flash"):
        for interleave in (False, True):
            met = ctrl_c(count, memory, interleave)
            mode = ", cycle between bus calls" if interleave else ""
            rows.append((f"Ctrl-C at random moments, {memory}{mode}", count, ""))
            rows.append(("  of them in the middle of a command", met, ""))
    rows.append(("Ctrl-C at random lines of the commands' code", ctrl_c_at_lines(max(1, count // 8)), ""))
    rows.append(("counts lost", 0, ""))
    return rows


# -- power cuts in save() ----------------------------------------------------------------------------------------------

# The supply goes in the middle of writing number K to the memory from here on: bytes on FRAM, operations on flash.
_CUT_IN = """
from boards.virtual.standins import machine
board = machine._board
chip = [device for device in board.devices if hasattr(device, "cut_in")][0]
def back():
    for device in board.devices:
        device.power(True)
def cut():
    board.clock.at(board.clock.now_us + 5000, back)
    board.power(False)
chip.on_cut = cut
chip.cut_fraction = %r
chip.cut_in = %d
print(s.save(%r))
chip.cut_in = -1
"""
_FLASH_OPERATIONS = 10  # of a save(); every cut spoils a place, and the saves after it get longer
_FRACTIONS = {"fram": (0.0,), "flash": (0.0, 0.3, 0.9)}


def save_cuts(memory: str, stride: int = 1) -> int:
    """Power cuts in save(), at every `stride`-th byte (FRAM) or operation (flash) of it; returns how many there were.

    AbuseError where not the old or the new calibration, whole, is in force after it.
    """
    cuts = 0
    with started("micropython", amps=0.0, board={"memory": memory}) as prompt:
        count, old, k = 1, 1, 1
        _set_and_save(prompt, k)
        for fraction in _FRACTIONS[memory]:
            at, cut = 0, True
            while cut and (memory == "fram" or at < _FLASH_OPERATIONS):
                k += 1
                _set(prompt, k)
                cut = _cut_in_save(prompt, fraction, at)
                cuts += cut
                status = prompt.json("s.status()")
                _must(status["failures"] == [] and status["calibrated"], f"cut at {at}: {status['failures']}")
                line = prompt.json("s.cal()")["lines"][0]
                found = tuple(line[name] for name in ITEMS)
                _must(found in (values_of(old), values_of(k)), f"cut at {at}: {found}")
                _must(cut or found == values_of(k), f"saved, but {found}")
                new = found == values_of(k)
                count += new
                told = status["calibration_count"]
                _must(told == count, f"cut at {at}: no. {told}, {count} expected")
                old = k if new else old
                at += stride
    return cuts


def _set(prompt: Prompt, k: int) -> None:
    setting = ", ".join(f"{name}={value}" for name, value in zip(ITEMS, values_of(k), strict=True))
    answer = prompt.json(f"s.cal_set(1, {setting})")
    _must(answer.get("ok", False), f"cal_set: {answer}")
    prompt.go(0.5)  # the log is written


def _set_and_save(prompt: Prompt, k: int) -> None:
    _set(prompt, k)
    answer = prompt.json("s.save('260201')")
    _must(answer.get("ok", False), f"save: {answer}")


def _cut_in_save(prompt: Prompt, fraction: float, at: int) -> bool:
    """True where the supply went before save() had answered."""
    starts = len(prompt.boots())
    prompt.type(_CUT_IN % (fraction, at, "260201") + "\x04")
    said = ""
    for _ in range(800):  # on flash each place that a cut has spoilt costs another 0.2 s, and then the log is read
        said += prompt.go(0.1)
        if "OK calibration no." in said or len(prompt.boots()) > starts:
            break
    cut = len(prompt.boots()) > starts
    _must(cut or "OK calibration no." in said, f"save() said {said!r}")
    prompt.go(3.0 if cut else 0.2)
    if cut:
        prompt.restarted()
    return cut


def save_cut_rows() -> list[Row]:
    """For ./scripts/bench."""
    return [
        (f"power cuts in save(), {memory}: the old or the new is in force", save_cuts(memory), "")
        for memory in ("fram", "flash")
    ]


# -- the sealed meter --------------------------------------------------------------------------------------------------


def noise(r: random.Random) -> str:
    """Something that a port may get."""
    return r.choice(
        (
            HANDSHAKE,
            HANDSHAKE + "\x05A\x01s.cal_set(1, wgain=4300000)\x04",
            "\x03" * r.randint(1, 9),
            "\x04" * r.randint(1, 3),
            "\x01\x02\x03\x04\x05",
            "s.cal_set(1, wgain=4300000)\r",
            "import machine; machine.reset()\r\n",
            "import openkh.service as s; s.provision('MSNCT-1SC','60Hz','000000000001','260101')\r",
            "".join(chr(r.randrange(32)) for _ in range(r.randint(1, 40))),
            "".join(chr(r.randrange(256)) for _ in range(r.randint(1, 60))),
        )
    )


def _closed(prompt: Prompt, r: random.Random, attacked: bool) -> None:
    """Power comes, two seconds under load, a restart by the supply, again; typed at from before the reset's end on."""
    for _ in range(2):
        begin_us = prompt.now_us
        if attacked:
            moments = [r.randrange(400_000) for _ in range(60)] + [r.randrange(2_500_000) for _ in range(40)]
            # The first statements of boot.py and main.py, to the microsecond.
            moments += [69_990 + n for n in range(0, 40, 3)]
            for at_us in moments:
                prompt.type(noise(r), begin_us + at_us)
        prompt.go(2.5)
        prompt.stimulus([["power", None, 0]])
        prompt.go(1.0)
        prompt.stimulus([["power", None, 1]])
    prompt.go(3.0)


def _open(prompt: Prompt, r: random.Random, attacked: bool) -> None:
    """The seal is opened; without a pause of 20 ms something comes in until after the prompt would be there."""
    open_us = prompt.now_us + 200_000
    prompt.stimulus([["seal", open_us, 0]])
    if attacked:
        at_us = prompt.now_us
        while at_us < open_us + 3_000_000:
            prompt.type(noise(r), at_us)
            at_us += r.randrange(1_000, 19_000)
    prompt.go(5.0)


def sealed(seed: int, memory: str = "fram") -> int:
    """One sealed meter that is typed at and one that is left alone: they must not differ, closed or opened after it.

    Returns the number of characters typed. AbuseError where they differ.
    """
    found = []
    typed = 0
    for attacked in (False, True):
        r = random.Random(seed)
        with Prompt("micropython", board={"seal": "closed", "memory": memory}) as prompt:
            prompt.load(30.0)
            _closed(prompt, r, attacked)
            _must(prompt.said == "", f"a sealed meter said {prompt.said!r}")
            closed = (prompt.snap["delivered"], prompt.snap["received"], prompt.snap["status"], prompt.boots())
            _open(prompt, r, attacked)
            _must(prompt.said.count(">>> ") == 1, f"at the prompt: {prompt.said!r}")
            typed += prompt.typed
            events = [event["event"] for event in prompt.json("s.events(99)")["events"]]
            opened = [prompt.json("s.cal()"), prompt.json("s.identity()"), prompt.json("s.status()")["failures"]]
            _must(set(events) <= set(NAMES) | {"power_fail"}, f"events: {events}")
            found.append((closed, opened, events, prompt.boots()))
    _must(found[0] == found[1], f"left alone {found[0]}, typed at {found[1]}")
    return typed


def sealed_rows(spread: "Spread", count: int) -> list[Row]:
    """For ./scripts/bench."""
    jobs = {f"seed {seed}": (sealed, seed, ("fram", "flash")[seed % 2]) for seed in range(1, count + 1)}
    return [
        ("sealed meters typed at, from the reset on and across opening", count, ""),
        ("characters typed", sum(spread.each("sealed meters", jobs)), ""),
        ("prompts reached, changes, differences to a meter left alone", 0, ""),
    ]
