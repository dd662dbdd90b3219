"""Power cuts in the middle of the flash journal's erases and programs, on the emulated RP2040: the deployed firmware,
the port's own rp2.Flash, the raw blocks within the device's littlefs. For a test and for ./scripts/bench."""

import random

from host.rp2040.engine import Rp2040Link

CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {"memory": "flash", "start_delivered_wh": 1000}}
LOAD = ["mains", 0, 0, [120.0, 100.0, 0.0, 0.0], [120.0, 100.0, 0.0, 180.0], 60.0]  # 24 kW
COUNTS_PER_WH = 32_000
START_COUNTS = 1000 * COUNTS_PER_WH
PROGRAM = 2  # command of the flash chip
OPERATIONS = 9  # that a life begins with: log, start record, the next block erased ahead
LIFE_US = 1_400_000  # a start is over by then, and what OPERATIONS counts has begun
SECOND_US = 1_000_000
# What the glass has no part in; asked over the console as a person would.
ASK = """
import openkh.app
_m = openkh.app.meter
_s = _m.state
print(_s.delivered_wh * 32000 + _s.delivered_counts, _m.factory.provisioned, _m.status.failures,
    _m.journal.errors, _m.cycle.errors)
"""


class BrokenBoundError(Exception):
    """A register that was never measured, or lost more than it may."""


def sweep(cuts: int, seed: int = 1) -> dict[str, int]:
    """Lose the supply so often, without a warning, most times in the middle of an operation; figures.

    BrokenBoundError where the register is above what was measured, below what it was as the life before began, or the
    meter does not know itself or its memory any more.
    """
    chance = random.Random(seed)
    hit = erases = most_lost = 0
    least = START_COUNTS
    with Rp2040Link(CONFIG) as link:
        board = link.engine.board

        def measured() -> int:
            return START_COUNTS + sum(front_end.counted_total() for front_end in link.engine.reference.chips)

        board.cut_next = 1 + chance.randrange(OPERATIONS)
        link.run(200_000, [LOAD])
        for n in range(cuts):
            chip = board.chip
            chip.cut_fraction = chance.choice((0.02, 0.2, 0.5, 0.8, 0.98))
            for _ in range(5):
                began = measured()
                link.run(link.engine.clock.now_us + LIFE_US // 4)
                if board.chip is not chip:
                    hit += 1
                    erases += chip.flash_operations[-1][1] != PROGRAM
                    link.run(link.engine.clock.now_us + LIFE_US)
                    break
            else:
                began = measured()  # it was over before the chosen operation came
                board.lose_power()
                link.run(link.engine.clock.now_us + LIFE_US)
            register, *rest = _ask(board)
            where = f"life {n + 1} of seed {seed}, ended at operation {len(chip.flash_operations)}"
            if register > measured():
                raise BrokenBoundError(f"{where}: {register} counts booked, {measured()} measured")
            if register < least or rest != [1, 0, 0, 0]:
                raise BrokenBoundError(f"{where}: {register} counts, {rest}; at the start before it was {least}")
            most_lost = max(most_lost, measured() - register)
            least = register - (measured() - began)
            board.cut_next = 1 + chance.randrange(OPERATIONS)
            board.lose_power()
    return {
        "power cuts in an operation on the flash": hit,
        "of them in an erase": erases,
        "registers above what was measured, or below what they had been": 0,
        "most energy lost by all of them together, Wh": most_lost // COUNTS_PER_WH,
    }


def _ask(board) -> list[int]:
    console = board.chip.console
    console.raw_repl()
    return [int(eval(word)) for word in console.exec(ASK).split()]  # numbers, True and False
