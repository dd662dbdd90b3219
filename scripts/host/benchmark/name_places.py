"""./scripts/bench names: in which order MicroPython shall take up the firmware's names, so that it finds them quickly.

MicroPython numbers names as they come. It remembers at which place of a table it found one last, in a list of 64, by
the name's number modulo 64: names that meet there push each other out, unless they stand at the same place of their
tables. What is sought is an order in which those that are looked up while the meter meters (`look_ups.py`) disturb each
other least: by simulated annealing, two names at a time. The result is PLACES_FILE, which goes onto the device
(launcher/slot.py).
"""

import math
import random
from typing import Any

import rich.console
import rich.progress

from host.benchmark import look_ups
from host.benchmark.look_ups import LookUp
from host.flash.names import PLACES, PLACES_FILE, before, listed

STEPS = 6_000_000
WARM = 3.0  # look-ups; at first a change for the worse by so many is often kept, at the end none is

HEAD = "# Names in the order in which a device takes them up, 64 places a row: ./scripts/bench names writes this.\n"

Seen = list[tuple[int, int, int]]  # of a name: when, at which place of its table, the table's size


def rows() -> list[tuple[str, Any, str]]:
    """Writes PLACES_FILE; rows for ./scripts/bench."""
    before = PLACES_FILE.read_text()
    try:
        _write([])  # without a list all names of the cycle's modules stay
        notes, numbers, first = look_ups.run()
        _write(_chosen({note.number for note in notes}, numbers, first))
        # Names that are not in the list are words now, and tables of attributes look different.
        notes, numbers, _ = look_ups.run()
        places = Places(notes, {name: numbers[name] for name in listed()})
        at_first = places.missed
        places.improve(STEPS, random.Random(1))
        _write(places.order())
    except BaseException:
        PLACES_FILE.write_text(before)
        raise
    return [
        ("look-ups that find a name, in a cycle and the tasks beside it", len(notes) // look_ups.CYCLES, ""),
        ("names that are placed", len(listed()), ""),
        ("look-ups whose name is not where it is looked for first, placed at random", at_first // look_ups.CYCLES, ""),
        ("the same, as placed now", places.missed // look_ups.CYCLES, ""),
    ]


def _chosen(seen: set[int], numbers: dict[str, int], first: int) -> list[str]:
    """The names that are looked up and are not there before the firmware's, and as many others as fill a row."""
    movable = [name for name, number in numbers.items() if number >= first and name not in before()]
    found = [name for name in movable if numbers[name] in seen]
    others = [name for name in movable if numbers[name] not in seen and not name.startswith("_")]
    return found + others[: -len(found) % PLACES]


def _write(order: list[str]) -> None:
    rows = [order[begin : begin + PLACES] for begin in range(0, len(order), PLACES)]
    PLACES_FILE.write_text(HEAD + "".join(" ".join(row) + "\n" for row in rows))


class Places:
    """Which name has which place. `numbers`: of those to be placed, as they are now; whole rows of them."""

    def __init__(self, notes: list[LookUp], numbers: dict[str, int]) -> None:
        names = {number: name for name, number in numbers.items()}
        self._seen: dict[str, Seen] = {name: [] for name in numbers}
        self._fixed: list[Seen] = [[] for _ in range(PLACES)]
        for when, note in enumerate(notes):
            seen = self._seen[names[note.number]] if note.number in names else self._fixed[note.number % PLACES]
            seen.append((when, note.at, note.size))
        order = sorted(numbers)
        random.Random(0).shuffle(order)
        self._names = [order[place::PLACES] for place in range(PLACES)]
        self._missed = [self._misses(place) for place in range(PLACES)]

    @property
    def missed(self) -> int:
        """Look-ups whose name is not where it is looked for first."""
        return sum(self._missed)

    def _misses(self, place: int) -> int:
        return misses(sum((self._seen[name] for name in self._names[place]), self._fixed[place]))

    def improve(self, steps: int, rng: random.Random) -> None:
        """Try to let two names change places, `steps` times."""
        deep = len(self._names[0])
        console = rich.console.Console(stderr=True)
        for step in rich.progress.track(range(steps), "names", console=console):
            spots = [(rng.randrange(PLACES), rng.randrange(deep)) for _ in range(2)]
            self._try(spots, rng.random(), WARM * (1 - step / steps) + 0.01)

    def _try(self, spots: list[tuple[int, int]], chance: float, warm: float) -> None:
        (a, i), (b, j) = spots
        if a == b:
            return
        self._swap(a, i, b, j)
        missed = [self._misses(a), self._misses(b)]
        worse = sum(missed) - self._missed[a] - self._missed[b]
        if worse <= 0 or chance < math.exp(-worse / warm):
            self._missed[a], self._missed[b] = missed
        else:
            self._swap(a, i, b, j)

    def _swap(self, a: int, i: int, b: int, j: int) -> None:
        self._names[a][i], self._names[b][j] = self._names[b][j], self._names[a][i]

    def order(self) -> list[str]:
        """The names, row by row. Those looked up most come first: a module's first 127 names take a byte less at each
        use."""
        columns = [sorted(column, key=lambda name: (-len(self._seen[name]), name)) for column in self._names]
        return [column[n] for n in range(len(columns[0])) for column in columns]


def misses(seen: Seen) -> int:
    """How many look-ups of names that share a place do not find theirs where the one before was found."""
    missed = last = 0
    for _, at, size in sorted(seen):
        if last % size != at:
            missed += 1
            last = at
    return missed
