"""A reader of the RS-485 port within the engine, for days of polling. It asks the firmware's slave directly, without
the wire, through the queue of soft callbacks as a burst is served, and judges each answer (AM-5, EN-1, PO-1).
"""

import sys

from boards.virtual.rng import Rng

MOST_TOLD = 10
BEHIND = {10: 2, 100: 1, 1000: 1}  # by so many edges an output may be behind the register under load
JITTER_US = 40_000  # polls come late by up to this, so that they wander through the measuring cycle


class Reader:
    """Sends `request`, a read of registers from `first` on; `places` has the address of each register by its name.

    `tell(item)` is called for what is wrong, the first few times. `polls` counts the answers, `wrong` those that were
    wrong.
    """

    def __init__(self, clock, cpu, period_us, request, first, places, tell):
        self._clock = clock
        self._cpu = cpu
        self._period_us = period_us
        self._request = bytearray([ord(character) for character in request])
        self._at = {name: 3 + 2 * (address - first) for name, address in places.items()}
        self._tell = tell
        self._rng = Rng(1, 50)
        self._due_us = clock.now_us
        self._delivered = 0
        self._received = 0
        self._ask = self._poll
        self.polls = 0
        self.wrong = 0
        self._next()

    def _next(self):
        self._due_us += self._period_us
        self._clock.at(self._due_us + self._rng.below(JITTER_US), self._queue)

    def _queue(self):
        self._cpu.schedule(self._ask, None)
        self._next()

    def _poll(self, _arg):
        app = sys.modules.get("openkh.app")
        if app is None or app.meter is None or app.meter.port is None:
            return
        slave = app.meter.port.slave
        if not slave.answer(self._request, len(self._request)):
            self._wrong("no answer")
            return
        self.polls += 1
        self._judge(slave.buf[slave.first : slave.first + slave.length])

    def _judge(self, answer):
        at = self._at
        wh = _number(answer, at["delivered_wh"], 4)
        delivered = _number(answer, at["delivered_mwh"], 8)
        received = _number(answer, at["received_mwh"], 8)
        per_wh = _number(answer, at["counts_per_wh"], 2)
        if delivered != wh * 1000 + _number(answer, at["delivered_counts"], 2) * 1000 // per_wh:
            self._wrong("delivered %d mWh, %d Wh" % (delivered, wh))
        received_wh = _number(answer, at["received_wh"], 4)
        if received != received_wh * 1000 + _number(answer, at["received_counts"], 2) * 1000 // per_wh:
            self._wrong("received %d mWh, %d Wh" % (received, received_wh))
        if delivered < self._delivered or received < self._received:
            self._wrong("from %d and %d back to %d and %d mWh" % (self._delivered, self._received, delivered, received))
        self._delivered = delivered
        self._received = received
        for weight, most in BEHIND.items():
            behind = wh // weight - _number(answer, at["edges_%d" % weight], 4)
            if not 0 <= behind <= most:
                self._wrong("output %d is %d edges behind %d Wh" % (weight, behind, wh))

    def _wrong(self, what):
        self.wrong += 1
        if self.wrong <= MOST_TOLD:
            self._tell(["reader", self._clock.now_us, what])


def _number(data, at, size):
    number = 0
    for i in range(at, at + size):
        number = number << 8 | data[i]
    return number
