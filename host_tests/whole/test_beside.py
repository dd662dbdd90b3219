"""What works beside the measuring cycle does not stop it (startup/beside.py)."""

import shutil
from pathlib import Path

import pytest

from host.rigs import trial
from host.sim.link import FIRMWARE


@pytest.mark.parametrize("engine", ["cpython", "micropython", "wasm"])
def test_a_sealed_meter_with_a_port_meters_on_where_its_image_cannot_be_hashed(engine: str, tmp_path: Path) -> None:
    """A module that fails other than by a file it does not find; a seal that is closed makes of it a restart."""
    shutil.copytree(FIRMWARE, tmp_path / "firmware", ignore=shutil.ignore_patterns("__pycache__"))
    module = tmp_path / "firmware" / "openkh" / "service" / "image_hash.py"
    broken = module.read_text().replace("    package = openkh.__file__\n", "    package = openkh.of_no_such_name\n")
    assert broken != module.read_text()
    module.write_text(broken)
    scenario = trial.steps(trial.load(0.0, 100.0), board='seal = "closed"')
    run = trial.run(scenario, 6.0, engine, firmware_dir=tmp_path / "firmware", serial={})
    assert run.logged() == ["power_up"]
    assert float(run.report["register"]["delivered_wh"]) > 20.0
