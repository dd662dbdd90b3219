"""The unix port runs machine code that a tool makes of the sources (host/sim/compiled.py): what it runs is the same."""

import pytest

from host.sim import compiled
from host.sim.link import TOP, Link

CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 3, "board": {}}
DAY = [
    ["mains", 0, 0, [120.0, 20.0, 30.0, 0.0], [120.0, 10.0, 0.0, 180.0], 60.0],
    ["fault", 6_000_000, "chip1", "reset", {}, 0],
    ["mains", 9_000_000, 0, [120.0, 150.0, 180.0, 0.0], [120.0, 90.0, 0.0, 180.0], 60.0],
    ["power", 14_000_000, 0],
    ["power", 16_000_000, 1],
]


def run(plain: bool) -> tuple[dict, dict]:
    with Link("micropython", CONFIG, plain=plain) as link:
        return link.run(25_000_000, DAY), link.finish()


def test_EN_2_machine_code_and_sources_give_equal_reports():
    assert run(plain=False) == run(plain=True)


def test_an_unknown_processor_gets_byte_code(monkeypatch, tmp_path):
    monkeypatch.setattr(compiled, "CACHE", tmp_path)
    monkeypatch.setattr(compiled.platform, "machine", lambda: "abacus")
    with Link("micropython", CONFIG) as link:
        reply = link.run(2_000_000, DAY[:1])
    made = [path.read_bytes() for path in tmp_path.glob("objects/*.mpy")]
    assert reply["snap"]["powered"] and len(made) > 100 and list(tmp_path.glob("*/engine.romfs"))
    assert not any(code[2] >> 2 for code in made)  # the processor of machine code


@pytest.mark.parametrize("broken", ["def start(:\n", "raise ValueError('early')\n"])
def test_what_does_not_compile_or_start_is_told(tmp_path, broken):
    (tmp_path / "boot.py").write_text("")
    (tmp_path / "main.py").write_text(broken)
    (tmp_path / "openkh").symlink_to(TOP / "firmware" / "openkh")
    with Link("micropython", CONFIG, firmware_dir=tmp_path) as link:
        reply = link.run(1_000_000, DAY[:1])
    errors = [item[2] for item in reply["out"] if item[0] == "error"]
    assert len(errors) == 1 and ("SyntaxError" in errors[0] or "early" in errors[0])
