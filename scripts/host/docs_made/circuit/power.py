"""Circuit diagrams of what is fed with power and what drives something: supply, 12 V side, outputs, RS-485 port."""

import schemdraw
from schemdraw import elements as elm

from host.docs_made.circuit.data import Circuit, Point, chip, dot, ground, new, part, port, text, wire


def mains_supply(circuit: Circuit) -> schemdraw.Drawing:
    """Mains to 12 V with its hold-up, 5 V and 3.3 V, and USB on the bench."""
    d = new()
    port(d, (0, 0), "L1")
    part(d, elm.FuseIEC(), (0, 0), (2.6, 0), circuit.between("L1", "L1_FUSED", "F"))
    dot(d, (2.6, 0))
    part(d, elm.RBoxVar(), (2.6, 0), (2.6, -3), circuit.between("L1_FUSED", "AGND", "RV"))
    ground(d, (2.6, -3), "N = AGND")
    part(d, elm.RBox(), (2.6, 0), (7, 0), circuit.named("AC_DC", PLUS="12V_RAW"))
    dot(d, (7, 0))
    wire(d, (7, 0), (7, 1))
    port(d, (7, 1), "12V_RAW", "right")
    part(d, elm.Schottky(), (7, 0), (10, 0), circuit.named("SCHOTTKY", anode="12V_RAW"))
    dot(d, (10, 0))
    part(d, elm.Capacitor(polar=True), (10, 0), (10, -3), circuit.between("12V_BULK", "AGND", "C"))
    ground(d, (10, -3))
    text(d, (10.2, 0.35), "12V_BULK")
    wire(d, (10, 0), (13.4, 0))
    dot(d, (13.4, 0))
    adc = f"GPIO{circuit.board.ADC_BULK}"
    part(d, elm.Resistor(), (13.4, 0), (13.4, -2.6), circuit.between("12V_BULK", adc, "R"))
    dot(d, (13.4, -2.6))
    part(d, elm.Resistor(), (13.4, -2.6), (13.4, -5.2), circuit.between(adc, "AGND", "R"))
    ground(d, (13.4, -5.2))
    wire(d, (13.4, -2.6), (16.4, -2.6))
    dot(d, (15.6, -2.6))
    part(d, elm.Capacitor(), (15.6, -2.6), (15.6, -5.2), circuit.between(adc, "AGND", "C"))
    ground(d, (15.6, -5.2))
    port(d, (16.4, -2.6), adc, "right")
    part(d, elm.RBox(), (13.4, 0), (17.4, 0), circuit.named("DC_DC", VIN="12V_BULK"))
    part(d, elm.Schottky(), (17.4, 0), (20.2, 0), circuit.named("SCHOTTKY", anode="5V_RAW"))
    dot(d, (20.2, 0))
    text(d, (20.3, 0.35), "5V")
    port(d, (17.4, -1.6), "USB")
    part(d, elm.Schottky(), (17.4, -1.6), (20.2, -1.6), circuit.named("SCHOTTKY", anode="VBUS"))
    wire(d, (20.2, -1.6), (20.2, 0))
    dot(d, (20.2, -1.6))
    part(d, elm.Capacitor(), (20.2, -1.6), (20.2, -4.2), circuit.between("5V", "AGND", "C"))
    ground(d, (20.2, -4.2))
    part(d, elm.RBox(), (20.2, 0), (24.2, 0), circuit.named("LDO", IN="5V"))
    dot(d, (24.2, 0))
    part(d, elm.Capacitor(), (24.2, 0), (24.2, -3), circuit.counted("C 10u", "3V3", "AGND"))
    ground(d, (24.2, -3))
    wire(d, (24.2, 0), (25, 0))
    port(d, (25, 0), "3V3", "right")
    return d


def rail12(circuit: Circuit) -> schemdraw.Drawing:
    """Limiter, switch, coil driver and shunt of the 12 V side."""
    d = new()
    board = circuit.board
    port(d, (0, 0), "12V_RAW")
    wire(d, (0, 0), (2.2, 0))
    _limiter(d, circuit)
    wire(d, (8.2, 0), (11.6, 0))
    _switch(d, circuit, 11.6, ("12V_LIMITED", "RAIL_G", "RAIL_B", "OUT_12V"), board.PIN_RAIL12_ENABLE)
    wire(d, (15.2, 0), (15.2, 1.2))
    dot(d, (15.2, 0))
    port(d, (15.2, 1.2), "+12VDC", "right")
    wire(d, (13.87, 0), (19.2, 0))
    _switch(d, circuit, 19.2, ("OUT_12V", "COIL_G", "COIL_B", "COUNTER_1"), board.PIN_COUNTER)
    wire(d, (21.47, 0), (26.4, 0))
    dot(d, (25.0, 0))
    port(d, (26.4, 0), "COUNTER 1", "right")
    part(d, elm.Zener(), (25.0, 0), (25.0, -2), circuit.named("ZENER12", anode="COUNTER_1"))
    part(d, elm.Diode(), (25.0, -4), (25.0, -2), circuit.named("DIODE", anode="RETURN_12V"), "bottom")
    dot(d, (25.0, -4))
    wire(d, (25.0, -4), (26.4, -4))
    port(d, (26.4, -4), "COUNTER 2", "right")
    wire(d, (25.0, -4), (25.0, -6))
    dot(d, (25.0, -6))
    part(d, elm.Resistor(), (25.0, -6), (25.0, -8.6), circuit.between("RETURN_12V", "AGND", "R"))
    ground(d, (25.0, -8.6))
    _current_sense(d, circuit)
    return d


def _limiter(d: schemdraw.Drawing, circuit: Circuit) -> None:
    """From (1.2, 0) to (8.2, 0)."""
    dot(d, (1.2, 0))
    part(d, elm.Resistor(), (2.2, 0), (4.8, 0), circuit.between("12V_RAW", "LIMIT_E", "R"))
    wire(d, (4.8, 0), (6.4, 0))
    dot(d, (5.4, 0))
    d += elm.BjtPnp(circle=True).at((6.4, 0)).anchor("emitter").theta(90)
    text(d, (6.0, 0.9), circuit.named("PNP_1W", base="LIMIT_B"))
    wire(d, (7.8, 0), (8.2, 0))
    wire(d, (1.2, 0), (1.2, -1.1))
    d += elm.BjtPnp(circle=True).at((1.2, -1.1)).anchor("emitter").theta(180).flip()
    text(d, (0.2, -1.8), circuit.named("PNP", collector="LIMIT_B"), "right")
    wire(d, (1.95, -1.8), (5.4, -1.8), (5.4, 0))
    wire(d, (1.2, -2.5), (1.2, -3.4), (7.1, -3.4), (7.1, -0.75))
    dot(d, (7.1, -3.4))
    part(d, elm.Resistor(), (7.1, -3.4), (7.1, -6), circuit.between("LIMIT_B", "AGND", "R"))
    ground(d, (7.1, -6))


def _switch(d: schemdraw.Drawing, circuit: Circuit, x: float, nets: tuple[str, str, str, str], gpio: int) -> None:
    """A P-channel MOSFET from (x, 0) to (x + 2.27, 0), and what turns it on: nets of source, gate, base, drain."""
    source, gate, base, drain = nets
    dot(d, (x, 0))
    part(d, elm.Resistor(), (x, 0), (x, -2.4), circuit.between(source, gate, "R"), "top")
    wire(d, (x, 0), (x + 0.6, 0))
    d += elm.PMos().at((x + 0.6, 0)).theta(90)
    text(d, (x + 0.2, 0.6), circuit.named("PMOS", gate=gate, drain=drain))
    wire(d, (x + 1.1, -0.83), (x + 1.1, -3))
    wire(d, (x, -2.4), (x + 1.1, -2.4))
    dot(d, (x + 1.1, -2.4))
    d += elm.BjtNpn(circle=True).at((x + 1.1, -3)).anchor("collector").theta(0)
    text(d, (x + 1.5, -3.7), circuit.named("NPN", collector=gate))
    ground(d, (x + 1.1, -4.4))
    part(d, elm.Resistor(), (x - 2.25, -3.7), (x + 0.35, -3.7), circuit.between(f"GPIO{gpio}", base, "R"))
    port(d, (x - 2.25, -3.7), f"GPIO{gpio}")


def _current_sense(d: schemdraw.Drawing, circuit: Circuit) -> None:
    """The amplifier of the shunt, from (25.0, -6) to the left."""
    adc = f"GPIO{circuit.board.ADC_RAIL12}"
    amplifier = elm.Opamp(leads=True).at((20.4, -6)).anchor("in2").theta(180)
    d += amplifier
    wire(d, (25.0, -6), (20.4, -6))
    text(d, (16.2, -5.1), circuit.named("AMPLIFIER", plus="RETURN_12V"))
    (out_x, out_y), (minus_x, minus_y) = tuple(amplifier.absanchors["out"]), tuple(amplifier.absanchors["in1"])
    wire(d, (out_x, out_y), (15.4, out_y))
    port(d, (15.4, out_y), adc)
    dot(d, (16.6, out_y))
    wire(d, (16.6, out_y), (16.6, -9), (17.3, -9))
    part(d, elm.Resistor(), (17.3, -9), (19.9, -9), circuit.between(adc, "SENSE_FB", "R"))
    wire(d, (19.9, -9), (20.6, -9), (20.6, minus_y), (minus_x, minus_y))
    dot(d, (20.6, -9))
    part(d, elm.Resistor(), (20.6, -9), (20.6, -11.4), circuit.between("SENSE_FB", "AGND", "R"))
    ground(d, (20.6, -11.4))


def outputs(circuit: Circuit) -> schemdraw.Drawing:
    """The isolated outputs and the load LED."""
    d = new()
    for row, (pin, name) in enumerate(isolated(circuit)):
        port(d, (0, -3.6 * row), f"GPIO{pin}")
        isolated_output(d, circuit, (0, -3.6 * row), pin, name)
    port(d, (0, -11), f"GPIO{circuit.board.PIN_LED}")
    load_led(d, circuit, (0, -11))
    return d


def isolated(circuit: Circuit) -> tuple[tuple[int, str], ...]:
    """Pin and terminal of each isolated output."""
    board = circuit.board
    return ((board.PIN_OPTO_10, "10"), (board.PIN_OPTO_100, "100"), (board.PIN_OPTO_1000, "1000"))


def isolated_output(d: schemdraw.Drawing, circuit: Circuit, at: Point, pin: int, name: str) -> None:
    """From a pin of the controller to a terminal."""
    x, y = at
    part(d, elm.Resistor(), (x, y), (x + 2.4, y), circuit.between(f"GPIO{pin}", f"OPTO_{name}", "R"))
    opto = elm.Optocoupler(box=True).at((x + 2.4, y)).theta(0).anchor("anode")
    d += opto
    text(d, (x + 2.6, y + 0.55), circuit.named("OPTO", collector=f"ISO_{name}"))
    ground(d, opto.absanchors["cathode"])
    for anchor, words in (("collector", name), ("emitter", "ISOL COM (-)")):
        end, level = opto.absanchors[anchor]
        wire(d, (end, level), (end + 1.2, level))
        port(d, (end + 1.2, level), words, "right")


def load_led(d: schemdraw.Drawing, circuit: Circuit, at: Point) -> None:
    """From its pin of the controller to ground."""
    x, y = at
    part(d, elm.Resistor(), (x, y), (x + 2.4, y), circuit.between(f"GPIO{circuit.board.PIN_LED}", "LED_A", "R"))
    part(d, elm.LED(), (x + 2.4, y), (x + 4.8, y), circuit.named("LED", anode="LED_A"), "bottom")
    ground(d, (x + 4.8, y))


def remote(circuit: Circuit) -> schemdraw.Drawing:
    """The isolated RS-485 port."""
    d = new()
    _, tx, rx, enable = circuit.board.RS485
    left = ("VCC", "TXD", "RXD", "DE", "RE", "GND1")
    right = ("VISO OUT, IN", "Y", "A", "Z", "B", "GND2")
    at = chip(d, (0, 0), left, right, circuit.named("RS485", TXD="PORT_TXD"), 5)
    x, y = at["VCC"]
    wire(d, (x, y), (x - 8, y))
    for column, kind in ((x - 5, "C 10u"), (x - 8, "C 100n")):
        dot(d, (column, y))
        part(d, elm.Capacitor(), (column, y), (column, y - 2.4), circuit.between("3V3_PORT", "AGND", "C", kind))
        ground(d, (column, y - 2.4))
    part(d, elm.RBox(), (x - 12, y), (x - 8, y), circuit.named("DC_DC_3V3", VIN="12V_RAW"))
    port(d, (x - 12, y), "12V_RAW")
    x, y = at["TXD"]
    part(d, elm.Resistor(), (x, y), (x - 2.4, y), "", "top")
    text(d, (x - 1.2, y + 0.42), circuit.between(f"GPIO{tx}", "PORT_TXD", "R").replace("\n", " "), "center")
    port(d, (x - 2.4, y), f"GPIO{tx}")
    x, y = at["RXD"]
    wire(d, (x, y), (x - 2.4, y))
    port(d, (x - 2.4, y), f"GPIO{rx}")
    (x, y), (_, lower) = at["DE"], at["RE"]
    wire(d, (x, lower), (x - 0.6, lower), (x - 0.6, y), (x, y))
    dot(d, (x - 0.6, y))
    part(d, elm.Resistor(), (x - 0.6, y), (x - 3, y), "", "top")
    text(d, (x - 1.8, y + 0.42), circuit.between(f"GPIO{enable}", "PORT_DE", "R").replace("\n", " "), "center")
    wire(d, (x - 3, y), (x - 4.4, y))
    dot(d, (x - 3.4, y))
    port(d, (x - 4.4, y), f"GPIO{enable}")
    part(d, elm.Resistor(), (x - 3.4, y), (x - 3.4, y - 2.6), circuit.between(f"GPIO{enable}", "AGND", "R"), "top")
    ground(d, (x - 3.4, y - 2.6))
    ground(d, at["GND1"])
    _isolated_side(d, circuit, at)
    return d


def _isolated_side(d: schemdraw.Drawing, circuit: Circuit, at: dict[str, Point]) -> None:
    """What stands on the bus's side of the transceiver, and its connector."""
    (x, y), (_, common) = at["VISO OUT, IN"], at["GND2"]
    end = x + 7.4
    wire(d, (x, y), (x + 4.6, y))
    for column, kind in ((x + 2.4, "C 10u"), (x + 4.6, "C 100n")):
        top = y + 2.4
        wire(d, (column, y), (column, y + 0.2))
        part(d, elm.Capacitor(), (column, y), (column, top), circuit.between("ISO_3V3", "ISO_485_COM", "C", kind))
        dot(d, (column, y))
        dot(d, (column, top))
    wire(d, (x + 2.4, y + 2.4), (x + 6, y + 2.4), (x + 6, common), (x, common))
    dot(d, (x + 6, common))
    for name, first, second in (("A", "Y", "A"), ("B", "Z", "B")):
        (_, upper), (_, lower) = at[first], at[second]
        wire(d, (x, upper), (x + 0.8, upper), (x + 0.8, lower), (x, lower))
        dot(d, (x + 0.8, lower))
        wire(d, (x + 0.8, lower), (end, lower))
        port(d, (end, lower), name, "right")
    wire(d, (x + 6, common), (end, common))
    port(d, (end, common), "COM", "right")
    bus = at["B"][1]
    dot(d, (x + 2.2, bus))
    between = (bus + at["A"][1]) / 2
    wire(d, (x + 2.2, bus), (x + 2.2, between))
    part(d, elm.Resistor(), (x + 2.2, between), (x + 4.8, between), circuit.between("ISO_TERM", "ISO_B", "R"))
    wire(d, (x + 4.8, between), (end, between))
    port(d, (end, between), "TERM", "right")
