"""The boards' blocks as circuit diagrams for docs/hardware.md, drawn from boards/*/circuit.py.

    python -m host.docs_made.circuits        writes docs/img/circuit_*.svg

A diagram names the nets that a part lies between; reference and value come from the circuit's data, and a part that the
data do not have cannot be drawn.
"""

import sys
from pathlib import Path

from host.docs_made.circuit import digital, inputs, power
from host.docs_made.circuit.data import Circuit
from host.sim.link import TOP

IMG = TOP / "docs" / "img"
DRAWN = {
    "reference": {
        "front_end": inputs.front_end,
        "front_end_chip": digital.front_end_chip,
        "controller": digital.controller,
        "memory": digital.memory_and_display,
        "seal": digital.inputs,
        "supply": power.mains_supply,
        "rail12": power.rail12,
        "outputs": power.outputs,
        "rs485": power.remote,
    },
    "low_voltage": {"low_voltage": inputs.low_voltage},
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
