"""The boards' blocks as circuit diagrams for docs/hardware.md, drawn from boards/*/circuit.py.

    python -m host.docs_made.circuits        writes docs/img/circuit_*.svg

A diagram names the nets that a part lies between; reference and value come from the circuit's data, and a part that the
data do not have cannot be drawn.
"""

import sys
from pathlib import Path

from host.docs_made import circuits_digital, circuits_inputs, circuits_power
from host.docs_made.circuit_data import Circuit
from host.sim.link import TOP

IMG = TOP / "docs" / "img"
DRAWN = {
    "reference": {
        "front_end": circuits_inputs.front_end,
        "front_end_chip": circuits_digital.front_end_chip,
        "controller": circuits_digital.controller,
        "memory": circuits_digital.memory_and_display,
        "seal": circuits_digital.inputs,
        "supply": circuits_power.mains_supply,
        "rail12": circuits_power.rail12,
        "outputs": circuits_power.outputs,
        "rs485": circuits_power.remote,
    },
    "low_voltage": {"low_voltage": circuits_inputs.low_voltage},
}


def write(folder: Path) -> list[Path]:
    """Draw everything into `folder`; returns the files."""
    made = []
    for board, diagrams in DRAWN.items():
        circuit = Circuit(board)
        for name, draw in diagrams.items():
            made.append(folder / f"circuit_{name}.svg")
            draw(circuit).save(str(made[-1]))
    return made


if __name__ == "__main__":
    for path in write(IMG):
        print(path.relative_to(TOP), file=sys.stderr)
