"""Runs inside MicroPython: whole cycles of the real meter on the virtual board with the heap locked (DR-7).

The simulation allocates, so every way into it (bus, pin, converter, PIO, clock) unlocks the heap for its own time.
"""

from micropython import heap_lock, heap_unlock

locked = False


def open_heap(owner, name):
    """Let `owner.name` (at most four arguments) use the heap while it runs."""
    inner = getattr(owner, name)

    def outer(a=None, b=None, c=None, d=None):
        if locked:
            heap_unlock()
        try:
            if d is not None:
                return inner(a, b, c, d)
            if c is not None:
                return inner(a, b, c)
            if b is not None:
                return inner(a, b)
            return inner() if a is None else inner(a)
        finally:
            if locked:
                heap_lock()

    setattr(owner, name, outer)


class Transfer:
    """Has the `write_readinto` of one SPI controller."""


def opened_transfer(make):
    """`make`, which makes a controller's `write_readinto`, so that what it makes may use the heap."""

    def opened(bus, us, clock, cpu):
        spi = Transfer()
        spi.write_readinto = make(bus, us, clock, cpu)
        open_heap(spi, "write_readinto")
        return spi.write_readinto

    return opened


made = None
meter = None
run = refresh = look_after = None
later = False


def prepare():
    """The way into the simulation, and the board with a new meter's memory."""
    global made
    import sys

    from boards.virtual import reference
    from boards.virtual.engine import heap, image
    from boards.virtual.rp2040 import pio
    from boards.virtual.standins import machine, machine_buses, simtime

    sys.modules["gc"] = heap.Quiet()  # the firmware collects where its frames are deep

    for owner, names in (
        (machine.SPI, ("write",)),
        (machine.I2C, ("writeto", "readfrom_into")),
        (machine.Pin, ("__call__", "value")),
        (machine.ADC, ("read_u16",)),
        (machine.WDT, ("feed",)),
        (pio.StateMachine, ("put", "tx_fifo")),
        (machine._Memory, ("__setitem__", "__getitem__")),
        (machine, ("disable_irq", "enable_irq")),
        (simtime, ("ticks_us", "ticks_ms", "ticks_diff", "ticks_add", "sleep_us")),
    ):
        for name in names:
            open_heap(owner, name)
    machine_buses.transfer = opened_transfer(machine_buses.transfer)
    import board as parts

    made = reference.new_board({"seed": 3})
    made.install()
    from openkh.model import Model

    model = Model("MDNCT-1SC", "60Hz")
    rig = reference.Reference(parts, model, {}, made)
    image.new_meter("fram", rig.memory, made.unique_id, model, 1000)
    load = [120.0, 100.0, 30.0, 0.0]
    rig.mains.add(["mains", 0, 0, load, load, 60.0])


def start():
    """The firmware, until it has found its pace; from then on `play` calls what its timers would."""
    global meter, run, refresh, look_after
    made.clock.sleep(200_000)
    import boot  # noqa: F401
    import main  # noqa: F401
    from openkh import app

    meter = app.meter
    made.clock.sleep(500_000)
    for alarm in list(made.cpu.alarms):
        alarm.cancel()
    correct()
    meter.cycle.aside = ask_for_later
    run = meter.cycle.run
    look_after = meter.cycle.look_after
    refresh = meter.tasks.refresh


def ask_for_later():
    """In place of the queue of callbacks, which takes heap in the simulation."""
    global later
    later = True


def correct():
    """Put corrections of both lines in force (CA-1a)."""
    from openkh.metrology.correction import prepare

    for n in range(2):
        own = meter.calibration[n]
        own.tempco, own.lead_tempco, own.reference = -11_734, 60, 2300
        own.curve = ((200, -3000, 1500), (1000, -1000, 700), (12_000, 0, 10))
        meter.corrected.lines[n].take(own, prepare(own, meter.model))
    meter.corrected.changed()


def asked(n):
    """A request of the RS-485 port's: each block of its map, identification, a refusal."""
    body = (
        (1, 3, 0, 0, 0, 123),
        (1, 4, 0x9C, 0x40, 0, 125),
        (1, 3, 3, 0xE8, 0, 117),
        (1, 17),
        (1, 43, 14, 3, 0),
        (1, 3, 0, 0, 0, 0),
    )[n % 6]
    frame = bytearray(body)
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return frame + bytes([crc & 255, crc >> 8])


def play(cycles):
    """So many measuring cycles, each with an answer of the RS-485 port, a display each fourth and a look at the
    thermometer each tenth, with the heap locked; MemoryError if one allocates."""
    global locked, later
    for n in range(cycles):
        made.clock.spend(100_000)
        request = asked(n)
        locked = True
        heap_lock()
        run()
        while later:
            later = False
            look_after()
        if n & 3 == 0:
            refresh()
        if n % 10 == 0:
            meter.tasks.warm()
        answered = meter.port.slave.answer(request, len(request))
        locked = False
        heap_unlock()
        if not answered:
            raise ValueError("the port did not answer request %d" % n)
        if meter.cycle.errors or meter.tasks.display_errors:
            raise meter.cycle.last_error
