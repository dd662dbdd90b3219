"""Programs that import from the checkout, on 32-bit MicroPython."""

from pathlib import Path

from host.sim import wasm

TOP = Path(__file__).resolve().parents[1]
PARTS = ("boards", "firmware", "host_tests/mp")


def of_checkout(program: str) -> str:
    """What `program` prints; the checkout is its /input."""
    return wasm.run(program, TOP, PARTS)
