"""The reference board's blocks as circuit diagrams for docs/hardware.md, drawn from boards/reference/circuit.py.

    python -m host.docs_made.circuits        writes docs/img/circuit_*.svg

A diagram names the nets that a part lies between; reference and value come from the circuit's data, and a part that the
data do not have cannot be drawn.
"""

import sys
from pathlib import Path
from types import ModuleType

import schemdraw
from schemdraw import elements as elm

from host.docs_made.wiring import load
from host.sim.link import TOP

IMG = TOP / "docs" / "img"


class Circuit:
    """The parts of the dual-element board at 60 Hz, to be found by what they connect."""

    def __init__(self) -> None:
        self.module: ModuleType = load("reference", "circuit")
        self.parts = self.module.circuit()

    def between(self, first: str, second: str, letter: str) -> str:
        """Reference and value of the part with two pins between two nets: "R3 191k 1%"."""
        for reference, kind, pins in self.parts:
            if reference[0] == letter and set(pins.values()) == {first, second}:
                return f"{reference}\n{kind.partition(' ')[2] or kind}"
        raise LookupError(f"no {letter} between {first} and {second}")

    def named(self, kind: str, **pins: str) -> str:
        """Reference and maker's part of the part of a kind with these pins on these nets."""
        for reference, its_kind, nets in self.parts:
            if its_kind == kind and all(nets.get(pin) == net for pin, net in pins.items()):
                return f"{reference} {self.module.KINDS[kind][1].split(' ')[-1]}"
        raise LookupError(f"no {kind} with {pins}")


def _new(unit: float = 2.2) -> schemdraw.Drawing:
    schemdraw.use("svg")
    return schemdraw.Drawing(show=False, fontsize=11, unit=unit)


def front_end(circuit: Circuit) -> schemdraw.Drawing:
    """Line 1: divider, burden about ground, filters."""
    d = _new()
    d += elm.Dot(open=True).label("L1", loc="left")
    nets = ["L1", "L1_CHAIN_1", "L1_CHAIN_2", "U1_VP"]
    for first, second in zip(nets, nets[1:]):
        d += elm.Resistor().right().label(circuit.between(first, second, "R"))
    d += (vp := elm.Dot())
    d += elm.Resistor().down().at(vp.center).label(circuit.between("U1_VP", "AGND", "R"), loc="bottom")
    d += elm.GroundSignal().label("AGND = N", loc="left", ofst=0.4)
    d += elm.Line().right().at(vp.center).length(2.6)
    d += (cap := elm.Dot())
    d += elm.Capacitor().down().at(cap.center).label(circuit.between("U1_VP", "AGND", "C"), loc="bottom")
    d += elm.GroundSignal()
    d += elm.Line().right().at(cap.center).length(1.5)
    d += elm.Dot(open=True).label("VP", loc="right")
    d += elm.GroundSignal().at((5.0, -5.4))
    d += elm.Line().up().at((5.0, -5.4)).length(0.4)
    d += elm.Resistor().right().label(circuit.between("AGND", "U1_VN", "R"))
    d += (cap := elm.Dot())
    d += elm.Capacitor().down().at(cap.center).label(circuit.between("U1_VN", "AGND", "C"), loc="bottom")
    d += elm.GroundSignal()
    d += elm.Line().right().at(cap.center).length(2.5)
    d += elm.Dot(open=True).label("VN", loc="right")
    for lead, pin, y in (("X1", "IAP", -9.4), ("X2", "IAN", -13.8)):
        wire = f"CT1_{lead}"
        d += elm.Dot(open=True).at((0, y)).label(f"CT1 {lead}", loc="left")
        d += elm.Line().right().at((0, y)).length(2.6)
        d += (foot := elm.Dot())
        burden = elm.Resistor().at(foot.center).length(2.2).label(circuit.between(wire, "AGND", "R"), loc="bottom")
        d += burden.down() if lead == "X1" else burden.up()
        d += elm.Line().right().at(foot.center).length(1.4)
        d += elm.Resistor().right().label(circuit.between(wire, f"U1_{pin}", "R"))
        d += (cap := elm.Dot())
        d += elm.Capacitor().down().at(cap.center).label(circuit.between(f"U1_{pin}", "AGND", "C"), loc="bottom")
        d += elm.GroundSignal()
        d += elm.Line().right().at(cap.center).length(2.5)
        d += elm.Dot(open=True).label(pin, loc="right")
    d += elm.Line().left().at((2.6, -11.6)).length(1.2)
    d += elm.GroundSignal().label("AGND", loc="bottom")
    return d


def supply(circuit: Circuit) -> schemdraw.Drawing:
    """Mains to 12 V with its hold-up, 5 V and 3.3 V, and USB on the bench."""
    d = _new(3.4)
    d += elm.Dot(open=True).label("L1", loc="left")
    d += elm.FuseIEC().right().label(circuit.between("L1", "L1_FUSED", "F"))
    d += (at := elm.Dot())
    d += elm.RBoxVar().down().at(at.center).label(circuit.between("L1_FUSED", "AGND", "R"), loc="bottom")
    d += elm.GroundSignal()
    d += elm.Line().right().at(at.center).length(1.6)
    d += elm.RBox().right().label(circuit.named("AC_DC", PLUS="12V_RAW")).label("12 V", loc="bottom")
    d += (raw := elm.Dot().label("12V_RAW", loc="bottom", ofst=0.4))
    d += elm.Schottky().right().at(raw.center).label(circuit.named("SCHOTTKY", anode="12V_RAW"))
    d += (bulk := elm.Dot().label("12V_BULK", loc="top", ofst=0.4))
    d += elm.Capacitor(polar=True).down().at(bulk.center).label(circuit.between("12V_BULK", "AGND", "C"), loc="bottom")
    d += elm.GroundSignal()
    d += elm.Line().right().at(bulk.center).length(3.4)
    d += (sense := elm.Dot())
    adc = f"GPIO{load('reference').ADC_BULK}"
    d += elm.Resistor().down().at(sense.center).label(circuit.between("12V_BULK", adc, "R"), loc="bottom")
    d += (middle := elm.Dot().label(adc, loc="right"))
    d += elm.Resistor().down().at(middle.center).label(circuit.between(adc, "AGND", "R"), loc="bottom")
    d += elm.GroundSignal()
    d += elm.Line().right().at(sense.center).length(1.4)
    d += elm.RBox().right().label(circuit.named("DC_DC", VIN="12V_BULK")).label("5 V", loc="bottom")
    d += elm.Schottky().right().label(circuit.named("SCHOTTKY", anode="5V_RAW"))
    d += (five := elm.Dot().label("5V", loc="top", ofst=0.4))
    d += elm.Line().down().at(five.center).length(2.0)
    d += elm.Schottky().left().reverse().label(circuit.named("SCHOTTKY", anode="VBUS"), loc="bottom")
    d += elm.Dot(open=True).label("USB", loc="left")
    d += elm.RBox().right().at(five.center).label(circuit.named("LDO", IN="5V")).label("3.3 V", loc="bottom")
    d += elm.Dot(open=True).label("3V3", loc="right")
    return d


def rail12(circuit: Circuit) -> schemdraw.Drawing:
    """Limiter, switch, coil driver and shunt of the 12 V side."""
    d = _new(3.0)
    board = load("reference")
    d += elm.Dot(open=True).label("12V_RAW", loc="left")
    d += elm.Line().right().length(0.8)
    d += elm.Resistor().right().label(circuit.between("12V_RAW", "LIMIT_E", "R"))
    limiter = circuit.named("PNP_1W", base="LIMIT_B") + "\n" + circuit.named("PNP", collector="LIMIT_B")
    d += elm.RBox().right().label(limiter).label("limiter", loc="bottom")
    d += (
        elm.RBox()
        .right()
        .label(circuit.named("PMOS", drain="OUT_12V"))
        .label(f"GPIO{board.PIN_RAIL12_ENABLE}", loc="bottom")
    )
    d += (out := elm.Dot())
    d += elm.Line().up().at(out.center).length(1.2)
    d += elm.Dot(open=True).label("+12VDC", loc="right")
    d += (
        elm.RBox()
        .right()
        .at(out.center)
        .label(circuit.named("PMOS", drain="COUNTER_1"))
        .label(f"GPIO{board.PIN_COUNTER}", loc="bottom")
    )
    d += (coil := elm.Dot())
    d += elm.Line().right().at(coil.center).length(0.8)
    d += elm.Dot(open=True).label("COUNTER 1", loc="right")
    d += elm.Zener().down().at(coil.center).length(1.8).label(circuit.named("ZENER12", anode="COUNTER_1"), loc="bottom")
    d += elm.Diode().down().reverse().length(1.8).label(circuit.named("DIODE", anode="RETURN_12V"), loc="bottom")
    d += (back := elm.Dot())
    d += elm.Line().right().at(back.center).length(0.8)
    d += elm.Dot(open=True).label("COUNTER 2", loc="right")
    d += elm.Line().left().at(back.center).length(2.0)
    d += (shunt := elm.Dot())
    d += elm.Resistor().down().at(shunt.center).label(circuit.between("RETURN_12V", "AGND", "R"), loc="bottom")
    d += elm.GroundSignal()
    d += (
        elm.RBox()
        .left()
        .at(shunt.center)
        .label(circuit.named("AMPLIFIER", plus="RETURN_12V"))
        .label("x 10", loc="bottom")
    )
    d += elm.Dot(open=True).label(f"GPIO{board.ADC_RAIL12}", loc="left")
    return d


def outputs(circuit: Circuit) -> schemdraw.Drawing:
    """The isolated outputs, the load LED and the RS-485 port."""
    d = _new()
    board = load("reference")
    for row, (pin, name) in enumerate(
        ((board.PIN_OPTO_10, "10"), (board.PIN_OPTO_100, "100"), (board.PIN_OPTO_1000, "1000"))
    ):
        d += elm.Dot(open=True).at((0, -3.0 * row)).label(f"GPIO{pin}", loc="left")
        d += elm.Resistor().right().label(circuit.between(f"GPIO{pin}", f"OPTO_{name}", "R"))
        d += (opto := elm.Optocoupler(box=True).right().anchor("anode"))
        opto.label(circuit.named("OPTO", collector=f"ISO_{name}"), loc="top")
        d += elm.GroundSignal().at(opto.cathode)
        d += elm.Line().right().at(opto.collector).length(1.6)
        d += elm.Dot(open=True).label(name, loc="right")
        d += elm.Line().right().at(opto.emitter).length(1.6)
        d += elm.Dot(open=True).label("ISOL COM (-)", loc="right")
    y = -9.2
    d += elm.Dot(open=True).at((0, y)).label(f"GPIO{board.PIN_LED}", loc="left")
    d += elm.Resistor().right().label(circuit.between(f"GPIO{board.PIN_LED}", "LED_A", "R"))
    d += elm.LED().right().label(circuit.named("LED", anode="LED_A").split(" ")[0])
    d += elm.GroundSignal()
    return d


DRAWN = {"front_end": front_end, "supply": supply, "rail12": rail12, "outputs": outputs}


def write(folder: Path) -> list[Path]:
    """Draw everything into `folder`; returns the files."""
    circuit = Circuit()
    made = []
    for name, draw in DRAWN.items():
        made.append(folder / f"circuit_{name}.svg")
        draw(circuit).save(str(made[-1]))
    return made


if __name__ == "__main__":
    for path in write(IMG):
        print(path.relative_to(TOP), file=sys.stderr)
