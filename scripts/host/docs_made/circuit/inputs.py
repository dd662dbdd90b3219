"""Circuit diagrams of what measures: a front end's inputs, and the whole low-voltage build."""

import schemdraw
from schemdraw import elements as elm

from host.docs_made.circuit.data import Circuit, Point, chip, dot, ground, new, part, port, supply, text, wire
from host.docs_made.circuit.power import isolated, isolated_output, load_led

PICO_LEFT = ("CS", "SCLK", "MOSI", "MISO", "IRQ", "RESET")


def front_end(circuit: Circuit) -> schemdraw.Drawing:
    """Line 1: divider, burden about ground, filters."""
    d = new()
    port(d, (0, 0), "L1")
    nets = ("L1", "U1_CHAIN_1", "U1_CHAIN_2", "U1_VP")
    for place, (first, second) in enumerate(zip(nets, nets[1:])):
        part(d, elm.Resistor(), (2.3 * place, 0), (2.3 * place + 2.3, 0), circuit.between(first, second, "R"))
    dot(d, (6.9, 0))
    part(d, elm.Resistor(), (6.9, 0), (6.9, -2.2), circuit.between("U1_VP", "AGND", "R"))
    ground(d, (6.9, -2.2), "AGND = N")
    wire(d, (6.9, 0), (9.5, 0))
    _filtered(d, circuit, (9.5, 0), "VP")
    ground(d, (6.9, -4.8))
    part(d, elm.Resistor(), (6.9, -4.8), (9.5, -4.8), circuit.between("AGND", "U1_VN", "R"))
    _filtered(d, circuit, (9.5, -4.8), "VN")
    _burden(d, circuit, (1.4, -8.8), 4.4, 1, 1.6)
    for lead, pin, y in (("X1", "IAP", -8.8), ("X2", "IAN", -13.2)):
        port(d, (0, y), f"CT1 {lead}")
        wire(d, (0, y), (6.9, y))
        part(d, elm.Resistor(), (6.9, y), (9.5, y), circuit.between(f"CT1_{lead}", f"U1_{pin}", "R"))
        _filtered(d, circuit, (9.5, y), pin)
    return d


def _filtered(d: schemdraw.Drawing, circuit: Circuit, at: Point, pin: str) -> None:
    """The capacitor of a filter, and the pin of the chip behind it."""
    x, y = at
    dot(d, at)
    part(d, elm.Capacitor(), at, (x, y - 2.2), circuit.between(f"U1_{pin}", "AGND", "C"))
    ground(d, (x, y - 2.2))
    wire(d, at, (x + 2.2, y))
    port(d, (x + 2.2, y), f"U1 {pin}", "right")


def _burden(d: schemdraw.Drawing, circuit: Circuit, at: Point, height: float, number: int, aside: float) -> None:
    """Of one CT, in two halves about ground; `at`: on the wire of X1, with that of X2 `height` below; the ground is
    drawn `aside`."""
    x, y = at
    middle = y - height / 2
    for lead, top in (("X1", y), ("X2", y - height)):
        dot(d, (x, top))
        label = circuit.between(f"CT{number}_{lead}", "AGND", "R")
        part(d, elm.Resistor(), (x, max(top, middle)), (x, min(top, middle)), label)
    dot(d, (x, middle))
    wire(d, (x, middle), (x + aside, middle))
    ground(d, (x + aside, middle))


def low_voltage(circuit: Circuit) -> schemdraw.Drawing:
    """Adapter, dividers, CTs, breakouts, Pico and outputs."""
    d = new()
    board = circuit.board
    right: list[str] = []
    for number, (_, sck, mosi, miso, cs, irq, reset) in enumerate(board.FRONT_ENDS, 1):
        pins = dict(zip(PICO_LEFT, (cs, sck, mosi, miso, irq, reset), strict=True))
        right += [f"GP{pins[name]}" for name in PICO_LEFT] + (["3V3", "", ""] if number == 1 else [])
    outs = [pin for pin, _ in isolated(circuit)]
    far = [name for pin in [*outs, board.PIN_LED] for name in (f"GP{pin}", "", "")]
    far += [f"GP{board.ADC_BULK}", "", f"GP{board.ADC_RAIL12}", "GND"]
    pico = chip(d, (19, 0), tuple(right), tuple(far), circuit.named("PICO", **{"3V3": "3V3"}), 4)
    for number in (1, 2):
        _line(d, circuit, number, pico)
    _adapter(d, circuit)
    _pico_outputs(d, circuit, pico)
    return d


def _line(d: schemdraw.Drawing, circuit: Circuit, number: int, pico: dict[str, Point]) -> None:
    """A breakout, its CT with the burden, and its wires to the Pico."""
    top = -10.8 * (number - 1)
    left = ("VP", "IAP", "", "", "IAN", "AGND, DGND")
    at = chip(
        d, (11, top), left, (*PICO_LEFT, "VDD"), f"{circuit.reference('BREAKOUT', VP=f'U{number}_VP')} breakout", 4
    )
    _, sck, mosi, miso, cs, irq, reset = circuit.board.FRONT_ENDS[number - 1]
    for name, gpio in zip(PICO_LEFT, (cs, sck, mosi, miso, irq, reset), strict=True):
        wire(d, at[name], pico[f"GP{gpio}"])
    if number == 1:
        wire(d, at["VDD"], pico["3V3"])
    else:
        supply(d, at["VDD"], "3V3")
    ground(d, at["AGND, DGND"])
    x, y = at["IAP"]
    _, y2 = at["IAN"]
    here = x - 3.6
    wire(d, (x, y), (here - 2.4, y))
    wire(d, (x, y2), (here - 2.4, y2))
    _burden(d, circuit, (here, y), y - y2, number, -1)
    d += elm.Rect(corner1=(0, 0), corner2=(-1.6, y - y2 + 0.8)).at((here - 2.4, y2 - 0.4)).theta(0)
    text(d, (here - 3.2, (y + y2) / 2), circuit.reference("CT", X1=f"CT{number}_X1"), "center")
    for lead, level in (("X1", y), ("X2", y2)):
        text(d, (here - 2.2, level + 0.3), lead)
    x, y = at["VP"]
    chain = ("AC_9V", f"U{number}_CHAIN_1", f"U{number}_VP")
    for place, (first, second) in enumerate(zip(chain, chain[1:])):
        start = x - 5.4 + 2.7 * place
        part(d, elm.Resistor(), (start, y), (start + 2.7, y), circuit.between(first, second, "R"))
    wire(d, (x - 5.4, y), (1.6, y))


def _adapter(d: schemdraw.Drawing, circuit: Circuit) -> None:
    """The AC adapter at the left edge, its live pole to both dividers."""
    first, second = -0.6, -11.4
    wire(d, (1.6, first), (1.6, second))
    dot(d, (1.6, first))
    wire(d, (0.4, first), (1.6, first))
    d += elm.Rect(corner1=(0, 0), corner2=(-2.8, -2.6)).at((0.4, 0)).theta(0)
    text(d, (-1, 0.35), circuit.reference("ADAPTER"), "center")
    text(d, (-1, -1.0), "AC adapter", "center")
    text(d, (-1, -1.5), "9 V AC", "center")
    wire(d, (0.4, -2.1), (0.9, -2.1))
    ground(d, (0.9, -2.1))


def _pico_outputs(d: schemdraw.Drawing, circuit: Circuit, pico: dict[str, Point]) -> None:
    """Opto-couplers, load LED, and what stands in for a 12 V supply."""
    board = circuit.board
    for pin, name in isolated(circuit):
        isolated_output(d, circuit, pico[f"GP{pin}"], pin, name)
    load_led(d, circuit, pico[f"GP{board.PIN_LED}"])
    x, y = pico[f"GP{board.ADC_BULK}"]
    part(d, elm.Resistor(), (x, y), (x + 2.4, y), circuit.between("3V3", f"GPIO{board.ADC_BULK}", "R"))
    supply(d, (x + 2.4, y), "3V3")
    (x, upper), (_, lower) = pico[f"GP{board.ADC_RAIL12}"], pico["GND"]
    wire(d, (x, upper), (x + 0.8, upper), (x + 0.8, lower))
    wire(d, (x, lower), (x + 0.8, lower))
    ground(d, (x + 0.8, lower))
