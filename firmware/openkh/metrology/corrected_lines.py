"""The corrections of all lines in the measuring cycle (CA-1a); correction.py has those of one."""

from openkh.bound import bind
from openkh.metrology.correction import corrected

TURNS = 8  # cycles from one look at a line's current to the next

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from openkh.metrology.correction import Correction

    class Counts(Protocol):
        """What is corrected: the counts of a front end in this cycle, 0 where it has none (metrology/element.py)."""

        active: int
        reactive: int
        i_ma: int


class CorrectedLines:
    """The corrections of all lines in the measuring cycle.

    `in_force`  whether any line is corrected; where none is, nothing here runs in the cycle
    """

    def __init__(self, elements: "tuple[Counts, ...]", lines: "tuple[Correction, ...]") -> None:
        self.lines = lines
        self._one = lines[0]
        self._element_one = elements[0]
        self._two = lines[1] if len(lines) > 1 else None
        self._element_two = elements[len(lines) - 1]
        self._pair_one = (elements[0], lines[0].terms)
        self._pair_two = (elements[1], lines[1].terms) if len(lines) > 1 else None
        self.in_force = False
        bind(self, "correct")
        self.changed()

    def changed(self) -> None:
        """Call when a line has got other corrections."""
        self.in_force = self._one.in_force or (self._two is not None and self._two.in_force)

    def correct(self, turn: int) -> None:
        """Correct the counts that both front ends were just read to have. For time, the coefficients of each line
        follow its current only in every eighth cycle; `turn` counts the cycles. Takes no heap."""
        correct = corrected
        element, terms = self._pair_one
        element.active = correct(terms, element.active, element.reactive)
        pair = self._pair_two
        if pair is not None:
            element, terms = pair
            element.active = correct(terms, element.active, element.reactive)
        if ~turn & (TURNS >> 1) - 1:  # not in the first cycles, whose currents are not known yet
            return
        if turn & TURNS >> 1:
            self._one.follow(self._element_one.i_ma)
        elif self._two is not None:
            self._two.follow(self._element_two.i_ma)

    def undo(self) -> None:
        """Take this cycle's corrections back: see Correction.undo."""
        self._one.undo()
        if self._two is not None:
            self._two.undo()

    def current_unknown(self) -> bool:
        """Whether a line's current has not been measured since the start, or there is none."""
        return self._element_one.i_ma == 0 or self._element_two.i_ma == 0

    def warm(self, centi: "int | None") -> None:
        """Take the board's temperature, in 0.01 degC; None: it is not known."""
        self._one.warm(centi)
        if self._two is not None:
            self._two.warm(centi)
