"""The meter's own supply: sees it fail early enough to save, and sees it come back (ST-1, ID-6, CO-4).

Two witnesses tell of it, and each alone is enough: the sag flag of the front end on line 1, from which the meter is
fed, and the bulk voltage of the 12 V supply when it is below 10 V. Either can be wrong, and while one is believed that
the supply fails all outputs stand still. Therefore:

- A witness that says "failing" for a second in sum while line 1 measures a good voltage is not believed any longer,
  until it has said "good" for a minute without a break. The bulk voltage is not judged so while the sag flag agrees.
- A front end that has given no reading for a second is no witness. There is none left then to bear out a low bulk
  voltage, and after a second of it that is not believed either: a supply that really failed would have ended the meter
  by then.
- A sag that has stood for a second is a brown-out: the meter is still fed, so the sag does not count as failing any
  longer, and the bulk voltage alone warns of the end.
"""

from openkh import bound, event_codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from machine import ADC

    from openkh.metrology.element import Element
    from openkh.storage.events import EventLog

LOW_MV = 10_000
GOOD_MV = 10_500  # a low bulk voltage is good again above this
_FULL_SCALE_MV = 3_300  # of the ADC
_FULL_SCALE = 65_535

_GOOD_PERCENT = 80  # of nominal: from here on the voltage of line 1 is good
PATIENCE_US = 1_000_000  # so long a witness may be wrong in sum, a front end silent, a sag stand
_AGAIN_US = 60_000_000  # a witness that has said "good" for so long is believed again
_FORGET_SHIFT = 3  # time held against a witness is taken off at an eighth of the pace at which it is right
_ONCE_US = 20_000  # what is held against a witness that was wrong at a single judgement

# The witnesses' numbers in events.
SAG = 1
BULK = 2


class Witness:
    """One of the two, and how far it is believed. `out`: it is not believed any longer."""

    def __init__(self, number: int, log: "EventLog") -> None:
        self._number = number
        self._log = log
        self._wrong_us = 0  # how long it was wrong, less what is forgotten; held against it
        self._right_us = 0  # for how long without a break it has said that the supply is good
        self._low = False  # what it said at the judgement before; what it says both times it has said all the while
        self.out = False

    def judge(self, low: bool, wrong: bool, dt_us: int) -> None:
        """Take in what it has said in the last `dt_us`. `low`: that the supply fails; `wrong`: this cannot be so."""
        stood = low and self._low
        self._low = low
        if low:
            self._right_us = 0
            if wrong and not self.out:
                self._wrong_us += dt_us if stood else _ONCE_US
                if self._wrong_us >= PATIENCE_US:
                    self.out = True
                    self._log.add(event_codes.SUPPLY_SENSOR_WRONG, self._number)
            return
        if self.out:
            self._right_us += dt_us
            if self._right_us >= _AGAIN_US:
                self.out = False
                self._wrong_us = 0
                self._log.add(event_codes.SUPPLY_SENSOR_BACK, self._number)
        elif self._wrong_us:
            self._wrong_us = max(0, self._wrong_us - (dt_us >> _FORGET_SHIFT))

    def calm(self) -> bool:
        """Whether it says that the supply is good, and nothing is held against it."""
        return not (self._low or self.out or self._wrong_us)


class Supply:
    """Watches bulk voltage and sag. `failing` is True from the first sign that is believed until none is left.

    `adc` reads the bulk voltage, divided by `divider`; `nominal_mv` is line 1's nominal voltage. `ending`: the bulk
    voltage is low, and believed. `blind`: neither witness is of use, so that a loss of power comes without warning
    (FAIL 04). `at_once` is called in the guard's interrupt where the bulk voltage becomes low; Tasks sets it.
    """

    at_once: "Callable[[], None]"

    def __init__(self, adc: "ADC", divider: int, nominal_mv: int, log: "EventLog") -> None:
        self.read = adc.read_u16  # only the guard calls this, in its interrupt: a reading within another spoils it
        self._log = log
        self.low = LOW_MV * _FULL_SCALE // (_FULL_SCALE_MV * divider)
        self._good = GOOD_MV * _FULL_SCALE // (_FULL_SCALE_MV * divider)
        self._mv_full = _FULL_SCALE_MV * divider
        self._good_mv = nominal_mv * _GOOD_PERCENT // 100
        self.bulk_raw = _FULL_SCALE  # the bulk voltage as the guard read it last, 0 .. 65,535
        self.bulk_low = False
        self.judged_below = self.low  # a reading below this has to be judged: where `bulk_low` is set each of them
        self.sag = Witness(SAG, log)
        self.bulk = Witness(BULK, log)
        self.failing = False
        self.ending = False
        self.blind = False
        self._unheard_us = 0  # time since the front end's last verified reading
        self._borne_us = 0  # how long the sag has stood
        self._sagging = False  # whether it stands and is believed
        self._calm = False  # whether there is nothing to follow up, so that `step` has nothing to judge
        bound.at_once(self, "step")

    def sample(self) -> None:
        """Judge `bulk_raw`, which the guard has just read. Calls `at_once` where it becomes low and is believed. The
        guard has to call this only where it is below `judged_below`. Runs in a hard interrupt, takes no heap."""
        if self.bulk_low:
            if self.bulk_raw > self._good:
                self.bulk_low = False
                self.judged_below = self.low
        elif self.bulk_raw < self.low:
            self.bulk_low = True
            self.judged_below = _FULL_SCALE + 1
            if not self.bulk.out:
                self.at_once()

    def bulk_mv(self) -> int:
        """The bulk voltage as sampled last, in mV."""
        return self.bulk_raw * (self._mv_full // 100) // _FULL_SCALE * 100

    def step(self, dt_us: int, line_1: "Element") -> bool:
        """Judge the supply, once a cycle and before the outputs are driven. `dt_us`: since the last cycle; `line_1`:
        the element of line 1, which has been polled in this one. True where `failing` has changed."""
        fresh = line_1.fresh
        if fresh and self._calm and not line_1.sag and not self.bulk_low:
            return False  # nearly always
        if dt_us > PATIENCE_US:
            dt_us = PATIENCE_US  # a late cycle proves no more than a second
        self._unheard_us = 0 if fresh else min(self._unheard_us + dt_us, PATIENCE_US)
        if self._unheard_us >= PATIENCE_US:
            self._judge(dt_us, False, True)
        else:
            self._judge(dt_us, line_1.sag, line_1.v_mv >= self._good_mv)
        failing = self._sagging or self.ending
        self._calm = not (failing or self._unheard_us or self._borne_us) and self.sag.calm() and self.bulk.calm()
        if failing == self.failing:
            return False
        self.failing = failing
        if failing:
            self._log.add(
                event_codes.POWER_FAIL, self.bulk_mv(), (SAG if self._sagging else 0) + (BULK if self.ending else 0)
            )
        else:
            self._log.add(event_codes.POWER_BACK)
        return True

    def _judge(self, dt_us: int, sag: bool, good: bool) -> None:
        """Decide how far each witness is believed and what follows. `sag`: what the first says; `good`: the supply is
        good by all that is known beside them."""
        self.sag.judge(sag, good, dt_us)
        self._borne_us = min(self._borne_us + dt_us, PATIENCE_US) if sag else 0
        borne = self._borne_us >= PATIENCE_US
        self._sagging = sag and not self.sag.out and not borne
        self.bulk.judge(self.bulk_low, good and not self._sagging, dt_us)
        self.ending = self.bulk_low and not self.bulk.out
        self.blind = self.bulk.out and (self._unheard_us >= PATIENCE_US or self.sag.out or borne)

    def name(self) -> str:
        """The supply's state in words, for the prompt."""
        if self.blind:
            return "no warning of a power cut"
        if self.failing:
            return "failing"
        if self.bulk.out:
            return "bulk sensor not believed"
        if self.sag.out:
            return "sag flag not believed"
        return "good"
