"""Runs inside MicroPython: the front end's part of the measuring cycle under heap_lock().

A scenario runs once on the rig while everything that goes over the pins is recorded; then the same firmware runs
again on the recording, whose pins take nothing from the heap, with the heap locked in every poll. The second run must
send the same frames, and give the same results.
"""

import micropython

from host_tests.mp.front_end import Calibration, FrontEndRig, ade7953, ade7953_config, ade7953_link, recovery, simtime
from host_tests.mp.front_end import element_module as element


class Tape:
    """Everything the firmware reads from outside, in order."""

    def __init__(self):
        self.items = []
        self.n = 0

    def next(self):
        item = self.items[self.n]
        self.n += 1
        return item


class Recorder:
    """The rig's SPI and IRQ pin, written down as they are used."""

    def __init__(self, tape, spi, irq):
        self._tape = tape
        self._spi = spi
        self._irq = irq

    def write_readinto(self, tx, rx):
        self._spi.write_readinto(tx, rx)
        self._tape.items.append((bytes(tx), bytes(rx)))

    def __call__(self):
        level = self._irq()
        self._tape.items.append(level)
        return level


class Player:
    """The same from the tape, without heap use."""

    def __init__(self, tape):
        self._tape = tape

    def write_readinto(self, tx, rx):
        item = self._tape.next()
        sent = item[0]
        answer = item[1]
        for n in range(len(rx)):
            if tx[n] != sent[n]:
                raise ValueError
            rx[n] = answer[n]

    def __call__(self, _level=None):
        return self._tape.next()


class QuietLog:
    def __init__(self):
        self.count = 0

    def add(self, _code, _a=0, _b=0):
        self.count += 1


def idle(_us_or_level):
    """Stands for sleep_us and for an output pin."""


def set_ticks(fn):
    """Where the front end's modules have their ticks from."""
    element.ticks_us = recovery.ticks_us = ade7953.ticks_us = ade7953_config.ticks_us = fn


def set_sleep(fn):
    """The same for the time they wait."""
    ade7953.sleep_us = ade7953_config.sleep_us = ade7953_link.sleep_us = fn


def play(scenario):
    """Record `scenario(rig, poll)`, replay it with the heap locked; returns (polls, frames, counts booked).

    Long because the replay is given, item by item, what the recording has left in these variables.
    """
    tape = Tape()
    ticks = []
    polls = []

    def watched_ticks():
        now = simtime.ticks_us()
        ticks.append(now)
        return now

    rig = FrontEndRig(ticks_us=0)
    line = rig.line
    driver = rig.driver
    recorder = Recorder(tape, line.spi, driver.irq)
    driver._transfer = recorder.write_readinto
    driver.irq = recorder
    set_ticks(watched_ticks)

    def poll(change=None):
        if change is None:
            now = simtime.ticks_us()
            polls.append((line.raw, now, None))
            line.element.poll(line.raw, now)
            line.total += line.element.active
            line.raw = line.element.raw
            if line.element.high:
                line.element.take_down()
        else:
            polls.append((0, 0, change))
            line.element.apply(change)

    line.element.calibrate(Calibration())
    line.element.start(-1)
    scenario(rig, poll)
    expected = line.element

    player = Player(tape)
    copy = ade7953.Ade7953(player, idle, player, idle)
    log = QuietLog()
    replayed = element.Element(copy, rig.model, 0, log)
    n = 0

    def replayed_ticks():
        nonlocal n
        n += 1
        return ticks[n - 1]

    set_ticks(replayed_ticks)
    element.ticks_diff = ade7953.ticks_diff = ade7953_config.ticks_diff = simtime.ticks_diff
    set_sleep(idle)
    replayed.calibrate(Calibration())
    replayed.start(-1)
    total = 0
    for raw, now, change in polls:
        micropython.heap_lock()
        try:
            if change is None:
                replayed.poll(raw, now)
                if replayed.high:
                    replayed.take_down()
            else:
                replayed.apply(change)
        finally:
            micropython.heap_unlock()
        if change is None:
            total += replayed.active
    set_ticks(simtime.ticks_us)
    set_sleep(simtime.sleep_us)
    assert tape.n == len(tape.items), "not every frame was used"
    for name in (
        "raw",
        "active",
        "reactive",
        "v_mv",
        "i_ma",
        "period_raw",
        "silent",
        "altered",
        "sag",
        "spoilt",
        "gap_ms",
    ):
        assert getattr(replayed, name) == getattr(expected, name), name
    assert total == line.total
    assert log.count == len(rig.log.events)
    return len(polls), len(tape.items), total


def cycles(rig, poll, n, period_us=100000):
    for _ in range(n):
        rig.clock.sleep(period_us)
        poll()


def quiet(rig, poll):
    rig.drive()
    cycles(rig, poll, 16)


def chip_reset(rig, poll):
    rig.drive()
    cycles(rig, poll, 3)
    rig.chip.fault("reset")
    cycles(rig, poll, 4)


def altered(rig, poll):
    rig.drive()
    cycles(rig, poll, 2)
    for address in (0x282, 0x203, 0x285):  # watt gain; no-load level, outside the checksum; a reserved one
        rig.chip.poke(address, 0x1234)
        cycles(rig, poll, 7)


def silent(rig, poll):
    rig.drive()
    cycles(rig, poll, 2)
    rig.chip.fault("silent")
    cycles(rig, poll, 12)
    rig.chip.unfault("silent")
    cycles(rig, poll, 4)


def sag(rig, poll):
    rig.drive()
    cycles(rig, poll, 4)
    rig.drive(volts=60)
    cycles(rig, poll, 4)
    rig.drive()
    cycles(rig, poll, 6)


def calibration(rig, poll):
    rig.drive()
    cycles(rig, poll, 3)
    poll(Calibration(4300000, 0x203, -500, 0x410000, 0x3F0000))
    cycles(rig, poll, 3)


def noise(rig, poll):
    rig.drive(amps=90)
    rig.chip.fault("bit_error", {"rate": 3e-3})
    cycles(rig, poll, 12)


def full_scale(rig, poll):
    rig.drive(volts=199.9, amps=117.8, cosine=-1.0)
    cycles(rig, poll, 2)
    cycles(rig, poll, 2, 30000000)


SCENARIOS = {
    "quiet": quiet,
    "chip_reset": chip_reset,
    "altered": altered,
    "silent": silent,
    "sag": sag,
    "calibration": calibration,
    "noise": noise,
    "full_scale": full_scale,
}
