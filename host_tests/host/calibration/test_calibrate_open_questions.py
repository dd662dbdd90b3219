"""CH-1 in the calibration: which way the phase register works, and which sign reactive energy has, are learnt."""

import pytest

from host.calibration.bench_source import LineLoad, Load, VirtualBench
from host.calibration.calibrator import Calibrator, power_w
from host.port.service import Service
from host.sim.board import Board
from openkh.model import Model

MODEL = Model("MSNCT-1SC", "60Hz")
FLAWS = {"v_gain_percent": 1.4, "i_gain_percent": -0.9, "phase_minutes": 2.0}
SPLIT = 200.0  # minutes: a split core's lead, doubled by the register that works the other way


@pytest.mark.parametrize(
    ("phcal_sign", "var_sign", "minutes"),
    [(1, 1, 21.0), (1, -1, 21.0), (-1, 1, 21.0), (-1, -1, 21.0), (-1, 1, SPLIT)],
)
def test_CH_1_CA_1_a_calibration_learns_the_signs_of_its_front_end(phcal_sign, var_sign, minutes):
    chip = {**FLAWS, "phcal_sign": phcal_sign, "var_sign": var_sign}
    board = {"ct1": {"ratio_percent": 0.3, "phase_minutes": minutes}, "chip1": chip}
    lead = (minutes + FLAWS["phase_minutes"]) / 60
    said = []
    with Board({"model": MODEL.code, "service": MODEL.service, "board": board}) as meter:
        meter.stimulus([["mains", None, 0, [120.0, 0.0, 0.0, 0.0], [120.0, 0.0, 0.0, 180.0], 60.0]])
        meter.wait(1.5)
        service = Service(meter)
        bench = VirtualBench(meter, MODEL)
        result = Calibrator(service, bench, said.append, windows=2).run()[0]
        service.call('save("261128")')
        line = service.call("cal()")["lines"][0]
        assert (line["phcal_sign"], line["var_sign"]) == (phcal_sign, var_sign)
        assert line["phase_degrees"] == pytest.approx(lead, abs=0.03)
        assert result.errors.lead == pytest.approx(lead, abs=0.01)
        for degrees in (60.0, -30.0):
            bench.apply("check", Load((LineLoad(120.0, 30.0, degrees),), 60.0))
            own = service.window(8)["lines"][0]
            true_w = 120.0 * 30.0 * {60.0: 0.5, -30.0: 0.8660254}[degrees]
            assert power_w(MODEL, own) == pytest.approx(true_w, rel=7e-4)
            assert own["angle_mdeg"] / 1000 == pytest.approx(degrees, abs=0.1)
    assert any("other way" in text for text in said) == (phcal_sign < 0)
    assert any("other sign" in text for text in said) == (var_sign < 0)
