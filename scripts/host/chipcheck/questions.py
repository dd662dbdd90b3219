"""The open questions of the ADE7953's data sheet, put to one chip. Runs on a Pico (MicroPython) and on CPython.

`bus` reads and writes registers, moves the RESET pin and tells the time: pico_bus.py on a Pico, simulated.py on the
simulated chip. Each function returns a small dict: what was found, `None` where it cannot be told. Nothing here knows
the firmware. DS = data sheet Rev. C.
"""

LCYCMODE, DISNOLOAD, SAGCYC, VERSION = 0x004, 0x001, 0x000, 0x702
CONFIG, CF1DEN, PHCALA, PERIOD, OPTIMUM, KEY = 0x102, 0x103, 0x108, 0x10E, 0x120, 0x0FE
ACCMODE, AP_NOLOAD, AVA, AWATT, AVAR, IRMSA, IRMSB, VRMS = 0x201, 0x203, 0x210, 0x212, 0x214, 0x21A, 0x21B, 0x21C
AENERGYA, IRQENA, IRQSTATA, RSTIRQSTATA, BVAOS, CRC = 0x21E, 0x22C, 0x22D, 0x22E, 0x297, 0x37F
LAST_OP, LAST_ADD, LAST_24 = 0x0FD, 0x1FE, 0x2FF
RESERVED = (0x285, 0x287, 0x291, 0x293, 0x294)
ALIVE = ((AP_NOLOAD, 0xE419), (CONFIG, 0x8004), (CF1DEN, 0x003F))  # after a reset, DS p.60-62
NO_LOAD_BITS = 0x3F0000  # of ACCMODE, DS p.65
PATIENCE_US = 300_000
SETTLED_US = 30_000


def signed(value):
    """24 bits as a signed number."""
    return value - 0x1000000 if value & 0x800000 else value


def reset(bus):
    """Reset the chip, wait until it answers, lock its interface, leave it as the reset left it."""
    bus.reset(20)
    bus.sleep_us(150_000)
    bus.read(RSTIRQSTATA)
    bus.write(CONFIG, 0x0004)


def alive(bus):
    """What a chip fresh from its reset reads as: [address, expected, found] of the first that is wrong, or []."""
    bus.reset(20)
    bus.sleep_us(150_000)
    for address, expected in ALIVE:
        found = bus.read(address)
        if found != expected:
            return {"wrong": [address, expected, found]}
    return {"wrong": []}


def silence(bus):
    """How long the chip is silent after a reset, when its IRQ pin falls, and whether what is written then is lost."""
    bus.reset(20)
    start = bus.ticks_us()
    bus.write(SAGCYC, 5)
    early = bus.read(AP_NOLOAD) == 0xE419
    fell = 0 if not bus.irq() else None
    answered = bus.since(start) if early else None
    while answered is None or fell is None:
        now = bus.since(start)
        if now > PATIENCE_US:
            break
        if fell is None and not bus.irq():
            fell = now
        if answered is None and bus.read(AP_NOLOAD) == 0xE419:
            answered = now
        bus.sleep_us(20)
    kept = bus.read(SAGCYC) == 5
    return {"silent_us": answered, "irq_us": fell, "early": early, "kept": kept}


def version(bus):
    """The version register, and bytes that the data sheet does not document."""
    reset(bus)
    return {"version": bus.read(VERSION), "reserved": [bus.read(address) for address in RESERVED]}


def _checksum_on(bus):
    reset(bus)
    bus.write(CONFIG, 0x0104)
    bus.sleep_us(SETTLED_US)


def checksum(bus):
    """The checksum of the reset values, with the interface unlocked as the data sheet has it, DS p.59, and no live bit
    set in ACCMODE."""
    bus.reset(20)
    bus.sleep_us(150_000)
    bus.write(DISNOLOAD, 7)
    bus.sleep_us(200_000)
    bus.write(CONFIG, 0x8104)
    bus.sleep_us(SETTLED_US)
    return {"checksum": bus.read(CRC)}


def live_bits(bus):
    """Whether the checksum follows ACCMODE's no-load bits, moved by the no-load switches, which it leaves out."""
    _checksum_on(bus)
    seen = []
    for switches in (0, 7, 0):
        bus.write(DISNOLOAD, switches)
        bus.sleep_us(200_000)
        seen.append((bus.read(ACCMODE) & NO_LOAD_BITS, bus.read(CRC)))
    moved = seen[0][0] != seen[1][0]
    return {
        "accmode": [seen[0][0], seen[1][0]],
        "live": seen[0][1] != seen[1][1] if moved and seen[0][1] == seen[2][1] else None,
    }


def checksum_delay(bus):
    """How late checksum and interrupt follow a change of a register that is covered for certain."""
    _checksum_on(bus)
    bus.write(IRQENA, 0x300000)
    bus.sleep_us(SETTLED_US)
    bus.read(RSTIRQSTATA)
    before = bus.read(CRC)
    bus.write(BVAOS, 1)
    start = bus.ticks_us()
    followed = fell = None
    while followed is None or fell is None:
        now = bus.since(start)
        if now > PATIENCE_US:
            break
        if fell is None and not bus.irq():
            fell = now
        if followed is None and bus.read(CRC) != before:
            followed = now
        bus.sleep_us(20)
    return {"delay_us": followed, "irq_us": fell}


def last(bus):
    """Whether reading LAST_* changes them, and whether each width keeps its own data."""
    reset(bus)
    value = bus.read(AP_NOLOAD)
    address = bus.read(LAST_ADD)
    operation = bus.read(LAST_OP)
    again = bus.read(LAST_ADD)
    data = bus.read(LAST_24)
    return {
        "first": address == AP_NOLOAD and operation == 0x35,
        "changes": again != AP_NOLOAD,
        "own_data": data == value,
    }


def flags(bus):
    """Whether the flag of a no-load that lasts is raised again when it is cleared."""
    reset(bus)
    bus.write(DISNOLOAD, 7)
    bus.sleep_us(200_000)
    bus.read(RSTIRQSTATA)
    bus.write(DISNOLOAD, 0)
    bus.sleep_us(500_000)
    raised = bus.read(RSTIRQSTATA) >> 6 & 1
    bus.sleep_us(50_000)
    return {"raised": raised, "returns": bool(bus.read(IRQSTATA) >> 6 & 1) if raised else None}


def key(bus):
    """Whether 0x120 wants its key in the frame directly before, and reads back what was written."""
    reset(bus)
    bus.write(KEY, 0xAD)
    bus.read(CONFIG)
    bus.write(OPTIMUM, 0x0030)
    late = bus.read(OPTIMUM) == 0x0030
    bus.write(KEY, 0xAD)
    bus.write(OPTIMUM, 0x0030)
    return {"late": late, "direct": bus.read(OPTIMUM) == 0x0030}


def noise(bus):
    """Levels and their range without a signal, over two seconds."""
    reset(bus)
    bus.write(LCYCMODE, 0)
    bus.sleep_us(500_000)
    found = {}
    for name, address in (("irms_a", IRMSA), ("irms_b", IRMSB), ("vrms", VRMS)):
        found[name] = _range(bus, address, False)
    for name, address in (("ava", AVA), ("awatt", AWATT), ("avar", AVAR)):
        found[name] = _range(bus, address, True)
    found["accmode"] = bus.read(ACCMODE)
    return found


def _range(bus, address, is_signed):
    low = high = None
    for _ in range(40):
        value = bus.read(address)
        if is_signed:
            value = signed(value)
        low = value if low is None or value < low else low
        high = value if high is None or value > high else high
        bus.sleep_us(7_300)
    return [low, high]


# With a signal


def tuned(bus):
    """Ready to measure: the optimum setting, registers that run free, no-load detection off."""
    reset(bus)
    bus.write(KEY, 0xAD)
    bus.write(OPTIMUM, 0x0030)
    bus.write(LCYCMODE, 0)
    bus.write(DISNOLOAD, 7)


def level(bus):
    """Voltage, current and powers, means of half a second; the range of active power."""
    tuned(bus)
    bus.sleep_us(600_000)
    return _level(bus)


def _level(bus):
    watts = vars_ = 0
    low = high = None
    for _ in range(64):
        watt = signed(bus.read(AWATT))
        watts += watt
        vars_ += signed(bus.read(AVAR))
        low = watt if low is None or watt < low else low
        high = watt if high is None or watt > high else high
        bus.sleep_us(7_300)
    return {
        "vrms": bus.read(VRMS),
        "irms": bus.read(IRMSA),
        "watt": watts // 64,
        "var": vars_ // 64,
        "range": [low, high],
    }


def phase(bus):
    """Active and reactive power at a lagging current, with the phase register at 0 and at 256 steps."""
    tuned(bus)
    bus.sleep_us(600_000)
    plain = _level(bus)
    bus.write(PHCALA, 0x100)
    bus.sleep_us(300_000)
    moved = _level(bus)
    return {"plain": plain, "moved": moved}


def period(bus):
    """The period register each 2 ms, its changes as [ms, value], while the frequency is moved. Twenty seconds at most:
    until it has stood for a second after it moved by more than a hundredth."""
    tuned(bus)
    bus.sleep_us(600_000)
    first = bus.read(PERIOD)
    bus.step_frequency()
    start = bus.ticks_us()
    seen = [[0, first]]
    began = None
    while bus.since(start) < 20_000_000:
        bus.sleep_us(2_000)
        value = bus.read(PERIOD)
        now = bus.since(start) // 1000
        if abs(value - seen[-1][1]) > 1:
            seen.append([now, value])
            if began is None and abs(value - first) * 100 > first:
                began = now
        if began is not None and now - seen[-1][0] > 1000:
            break
    return {"first": first, "seen": seen[:60]}


def counter_begin(bus):
    """Let the energy register run to its end."""
    tuned(bus)
    bus.write(0x282, 0x600000)  # AWGAIN: half as fast again
    bus.sleep_us(600_000)
    start = signed(bus.read(AENERGYA))
    bus.sleep_us(1_000_000)
    return {"per_s": signed(bus.read(AENERGYA)) - start}


def counter_now(bus):
    """The register, and whether it says that it went over its end."""
    return {"count": signed(bus.read(AENERGYA)), "over": bus.read(IRQSTATA) >> 3 & 1}
