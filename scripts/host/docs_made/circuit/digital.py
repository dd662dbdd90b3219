"""Circuit diagrams of what works with bits: the controller, a front end's digital side, memory, display, seal."""

import schemdraw
from schemdraw import elements as elm

from host.docs_made.circuit.data import Circuit, Point, chip, dot, ground, new, part, port, supply, text, wire


def _spread(*pins: str) -> tuple[str, ...]:
    """Pins of a chip with room for two more below each."""
    return tuple(place for pin in pins for place in (pin, "", ""))


def decoupling(d: schemdraw.Drawing, circuit: Circuit, at: Point, net: str, kinds: tuple[str, ...]) -> None:
    """All capacitors of a net to ground, hanging side by side from its mark."""
    x, y = at
    wire(d, (x, y), (x + 2.4 * (len(kinds) - 1), y))
    supply(d, (x, y), net)
    for column, kind in enumerate(kinds):
        here = x + 2.4 * column
        dot(d, (here, y))
        part(d, elm.Capacitor(), (here, y), (here, y - 2.2), circuit.counted(kind, net, "AGND"))
        ground(d, (here, y - 2.2))


def pulled_up(d: schemdraw.Drawing, circuit: Circuit, at: Point, net: str, name: str) -> None:
    """A net from a port to a point, with its pull-up to 3.3 V."""
    x, y = at
    port(d, (x - 5, y), name)
    wire(d, (x - 5, y), (x, y))
    dot(d, (x - 2.4, y))
    part(d, elm.Resistor(), (x - 2.4, y), (x - 2.4, y + 2.2), circuit.between("3V3", net, "R"), "bottom")
    supply(d, (x - 2.4, y + 2.2), "3V3")


def crystal(d: schemdraw.Drawing, circuit: Circuit, pins: tuple[Point, Point], nets: tuple[str, str]) -> None:
    """A crystal between two pins on the left of a chip, `pins` upper first, with its two load capacitors."""
    (x, upper), (_, lower) = pins
    first, second = nets
    here = x - 1.6
    wire(d, (x, upper), (here, upper))
    wire(d, (x, lower), (here, lower))
    part(d, elm.Crystal(), (here, lower), (here, upper), circuit.between(first, second, "Y"), "top")
    for level, net in ((upper, first), (lower, second)):
        dot(d, (here, level))
        away = level + (0.9 if level == upper else -0.9)
        wire(d, (here, level), (here, away), (here - 2.6, away))
        part(d, elm.Capacitor(), (here - 2.6, away), (here - 5, away), circuit.between(net, "AGND", "C"))
        ground(d, (here - 5, away))


def controller(circuit: Circuit) -> schemdraw.Drawing:
    """RP2040 with its clock, program memory, reset, USB and supplies."""
    d = new()
    left = (*_spread("XIN"), "XOUT", "", "RUN", "", "USB_DP", "USB_DM", "GND")
    quad = ("SS", "SCLK", "SD0", "SD1", "SD2", "SD3")
    right = (*("QSPI_" + pin for pin in quad), "", "SWCLK", "SWDIO", "GPIO0..29")
    at = chip(d, (0, 0), left, right, circuit.named("RP2040", XIN="XIN"))
    (x, upper), (_, lower) = at["XIN"], at["XOUT"]
    part(d, elm.Resistor(), (x, lower), (x - 2.4, lower), circuit.between("XOUT", "XTAL_2", "R"))
    crystal(d, circuit, ((x - 2.4, upper), (x - 2.4, lower)), ("XIN", "XTAL_2"))
    wire(d, (x, upper), (x - 2.4, upper))
    x, y = at["RUN"]
    wire(d, (x, y), (x - 1.6, y))
    part(d, elm.Resistor(), (x - 1.6, y), (x - 4.2, y), circuit.between("3V3", "RUN", "R"))
    supply(d, (x - 4.2, y), "3V3")
    for pin, net in (("USB_DP", "DP"), ("USB_DM", "DM")):
        x, y = at[pin]
        part(d, elm.Resistor(), (x, y), (x - 2.4, y), "", "top")
        label = circuit.between(f"RP_{net}", f"USB_{net}", "R").replace("\n", " ")
        text(d, (x - 1.2, y + 0.42), label, "center")
        port(d, (x - 2.4, y), f"USB {net}")
    ground(d, at["GND"])
    memory = chip(d, (9, 0), quad, ("VCC", "", "", "", "", "GND"), circuit.named("FLASH", SS="QSPI_SS"), 3.6)
    for pin in quad:
        wire(d, at["QSPI_" + pin], memory[pin])
    x, y = memory["SS"]
    dot(d, (x - 1, y))
    part(d, elm.Resistor(), (x - 1, y), (x - 1, y + 2.2), circuit.between("3V3", "QSPI_SS", "R"), "bottom")
    supply(d, (x - 1, y + 2.2), "3V3")
    supply(d, memory["VCC"], "3V3")
    ground(d, memory["GND"])
    for pin in ("SWCLK", "SWDIO"):
        port(d, at[pin], pin, "right")
    port(d, at["GPIO0..29"], "board.py", "right")
    decoupling(d, circuit, (10.2, -9), "3V3", ("C 100n", "C 1u", "C 10u"))
    decoupling(d, circuit, (18, -9), "1V1", ("C 100n", "C 1u"))
    text(d, (10, -12.4), "3V3: IOVDD, VREG_IN, ADC_AVDD, USB_VDD;  1V1: VREG_OUT to DVDD")
    return d


def front_end_chip(circuit: Circuit) -> schemdraw.Drawing:
    """The digital side of line 1's ADE7953: pull-ups, clock, references."""
    d = new()
    _, sck, mosi, miso, cs, irq, reset = circuit.board.FRONT_ENDS[0]
    left = (*_spread("CS", "SCLK", "RESET", "IRQ"), "MOSI", "", "MISO")
    right = ("VDD", "PULL_HIGH", "PULL_LOW, IBP, IBN", "", *_spread("VINTD", "VINTA", "REF"), "CLKIN", "CLKOUT")
    at = chip(d, (0, 0), left, right, circuit.named("ADE7953", CS=f"GPIO{cs}"), 6)
    for pin, gpio in (("CS", cs), ("SCLK", sck), ("RESET", reset), ("IRQ", irq)):
        pulled_up(d, circuit, at[pin], f"GPIO{gpio}", f"GPIO{gpio}")
    for pin, gpio in (("MOSI", mosi), ("MISO", miso)):
        x, y = at[pin]
        wire(d, (x, y), (x - 5, y))
        port(d, (x - 5, y), f"GPIO{gpio}")
    (x, y), (_, lower) = at["VDD"], at["PULL_HIGH"]
    wire(d, (x, lower), (x + 0.6, lower), (x + 0.6, y), (x, y))
    supply(d, (x + 0.6, y), "3V3")
    ground(d, at["PULL_LOW, IBP, IBN"])
    for pin in ("VINTD", "VINTA", "REF"):
        x, y = at[pin]
        wire(d, (x, y), (x + 4.6, y))
        for column, kind in ((x + 1.6, "C 4.7u"), (x + 4.6, "C 100n")):
            dot(d, (column, y))
            part(d, elm.Capacitor(), (column, y), (column, y - 1.8), circuit.between(f"U1_{pin}", "AGND", "C", kind))
            ground(d, (column, y - 1.8))
    (x, upper), (_, lower) = at["CLKIN"], at["CLKOUT"]
    here = x + 2.4
    wire(d, (x, upper), (here, upper), (here, upper + 0.2))
    wire(d, (x, lower), (here, lower), (here, lower - 0.2))
    part(d, elm.Crystal(), (here, upper + 0.2), (here, lower - 0.2), "", "bottom")
    text(d, (here + 0.5, (upper + lower) / 2), circuit.between("U1_CLKIN", "U1_CLKOUT", "Y"))
    for level, net in ((upper + 0.2, "U1_CLKIN"), (lower - 0.2, "U1_CLKOUT")):
        dot(d, (here, level))
        wire(d, (here, level), (here + 4, level))
        part(d, elm.Capacitor(), (here + 4, level), (here + 6.4, level), circuit.between(net, "AGND", "C"))
        ground(d, (here + 6.4, level))
    return d


def memory_and_display(circuit: Circuit) -> schemdraw.Drawing:
    """FRAM and LCD controller, each on its own I2C bus with its pull-ups, and the connector of the other controller."""
    d = new()
    board = circuit.board
    for y, kind, bus, extra in (
        (0, "FRAM", board.I2C_MEMORY, "A0, A1, A2, WP, GND"),
        (-8, "LCD_DRIVER", board.I2C_DISPLAY, "SA0, A0, A1, A2, OSC, VSS"),
    ):
        _, scl, sda = bus
        if kind == "FRAM":
            right: tuple[str, ...] = ("VCC", extra)
        else:
            right = ("VDD, VLCD", extra, f"{circuit.pins(kind, 'S')} x S, {circuit.pins(kind, 'BP')} x BP")
        at = chip(d, (0, y), (*_spread("SCL"), "SDA"), right, circuit.named(kind, SCL=f"GPIO{scl}"), 7)
        for pin, gpio in (("SCL", scl), ("SDA", sda)):
            pulled_up(d, circuit, at[pin], f"GPIO{gpio}", f"GPIO{gpio}")
        supply(d, at[right[0]], "3V3")
        ground(d, at[extra])
        if kind == "LCD_DRIVER":
            port(d, at[right[2]], circuit.named("GLASS", BP0="BP0"), "right")
    cs, wr, data = board.HT1621_PINS
    text(d, (0, -14.2), f"{circuit.reference('CONNECTOR', CS=f'GPIO{cs}')}, for an HT1621 in its place:")
    for row, (name, gpio) in enumerate((("CS", cs), ("WR", wr), ("DATA", data))):
        port(d, (3.4 * row, -15.2), f"{name} = GPIO{gpio}", "right")
    return d


def inputs(circuit: Circuit) -> schemdraw.Drawing:
    """Seal switch and service strap."""
    d = new()
    seal, strap = f"GPIO{circuit.board.PIN_SEAL}", f"GPIO{circuit.board.PIN_SERVICE_STRAP}"
    port(d, (0, 0), seal)
    wire(d, (0, 0), (1.6, 0))
    dot(d, (1.6, 0))
    part(d, elm.Capacitor(), (1.6, 0), (1.6, -2.4), circuit.between(seal, "AGND", "C"))
    ground(d, (1.6, -2.4))
    part(d, elm.Resistor(), (1.6, 0), (5.4, 0), circuit.between("SEAL", seal, "R"))
    part(d, elm.Switch(), (5.4, 0), (8, 0), circuit.between("SEAL", "AGND", "S").replace("\n", " "))
    ground(d, (8, 0))
    text(d, (3.8, -1.4), "pull-up: the RP2040's own,")
    text(d, (3.8, -1.9), "50 to 80 kohm")
    port(d, (0, -5), strap)
    part(d, elm.Switch(), (0, -5), (8, -5), circuit.reference("CONNECTOR", STRAP=strap) + " strap")
    ground(d, (8, -5))
    return d
