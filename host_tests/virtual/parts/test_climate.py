"""Temperature on the virtual board: what it does to front end, resistors, transformer and crystal, and who reads it."""

from typing import Any

import pytest

from boards.virtual.board import Board
from boards.virtual.parts.climate import CORE_INPUT, Climate
from boards.virtual.parts.mains import Ct, Mains
from host.stimulus import scenario
from host_tests.mp.chip_rig import Rig
from openkh.model import WGAIN_NOMINAL, Model


def counted(celsius: float, degrees: float, ct: dict[str, Any], **chip: Any) -> float:
    """Counts in 100 s at a temperature, of half the voltage and a fifth of the current."""
    model = Model("MSNCT-1SC", "60Hz")
    rig = Rig(**chip)
    rig.write(0x382, WGAIN_NOMINAL)
    mains = Mains(
        rig.clock, [rig.chip], model.full_scale_mv / 1000, model.full_scale_ma / 1000, [Ct(model.rating_a, **ct)]
    )
    mains.add(["mains", rig.clock.now_us, 0, [100.0, 20.0, degrees, 0.0], None, 60.0])
    for part in (rig.chip, mains):
        part.temperature(celsius)
    return rig.counts_in(100)


@pytest.mark.parametrize(
    ("coefficients", "celsius", "degrees", "ppm"),
    [
        ({"tempco_ppm": 50.0}, -20.0, 0.0, -2 * 50 * 45),
        ({"tempco_curve_ppb": 100.0}, -20.0, 0.0, 2 * 0.1 * 45**2),
        ({"divider_tempco_ppm": 25.0}, 50.0, 0.0, 25 * 25),
        ({"burden_tempco_ppm": -15.0}, 50.0, 0.0, -15 * 25),
        ({"clkin_curve_ppb": -35.0}, -20.0, 0.0, -0.035 * 45**2),
        ({"ct": {"ratio_tempco_ppm": 5.0}}, 50.0, 0.0, 5 * 25),
        # 30 minutes of lead, 0.3 % of it per kelvin: 0.0504 % a minute at 0.5 lagging, of a reading 1.5 % too high
        ({"ct": {"phase_minutes": 30.0, "phase_tempco_percent": 0.3}}, 50.0, 60.0, 0.3 * 25 * 0.3 * 503.8 / 1.02),
    ],
    ids=str,
)
def test_each_part_moves_the_energy_by_its_coefficient(coefficients, celsius, degrees, ppm) -> None:
    chip = dict(coefficients)
    ct = chip.pop("ct", {})
    change = counted(celsius, degrees, ct, **chip) / counted(25.0, degrees, ct, **chip) - 1
    assert change * 1e6 == pytest.approx(ppm, rel=0.01, abs=4)


def test_without_coefficients_nothing_changes_to_the_count() -> None:
    assert counted(-30.0, 60.0, {"phase_minutes": 20.0}) == counted(70.0, 60.0, {"phase_minutes": 20.0})


class Part:
    def __init__(self) -> None:
        self.told: list[float] = []

    def temperature(self, celsius: float) -> None:
        self.told.append(celsius)


def test_a_ramp_is_even_and_a_newer_one_takes_its_place() -> None:
    board, part = Board(), Part()
    climate = Climate(board, [part], 23.0)
    climate.change(10_000_000, -20.0)
    while board.clock.now_us < 4_000_000:
        board.clock.next_event()
    assert part.told == pytest.approx([23.0] + [23.0 - 4.3 * (n + 0.5) for n in range(5)])
    climate.change(4_000_000, 50.0)
    board.clock.sleep(10_000_000)
    assert part.told[-1] == 50.0
    assert len(part.told) == 7


def test_the_rp2040_s_sensor_has_an_offset_steps_and_noise() -> None:
    """RP2040 data sheet 4.9.5: 0.706 V at 27 degC, -1.721 mV/K; a step of the converter is 0.47 K."""
    offsets = []
    for seed in range(1, 20):
        board = Board(seed)
        climate = Climate(board, [], 27.0)
        raw = {board.adc_raw(CORE_INPUT) for _ in range(200)}
        assert 2 <= len(raw) <= 4
        offsets.append((0.706 - sum(raw) / len(raw) * 3.3 / 4095) / 0.001721)
        climate.set(-20.0)
        assert max(raw) + 90 < board.adc_raw(CORE_INPUT) < max(raw) + 115
    assert max(offsets) - min(offsets) > 4
    assert all(abs(offset) < 7 for offset in offsets)


def test_a_scenario_sets_and_ramps_the_temperature() -> None:
    text = """
    [board]
    temperature = 23.0
    chip1 = {tempco_ppm = -50.0}
    sensor = {offset_k = 3.5}
    [[step]]
    at = 60
    l1.amps = 20.0
    [[step]]
    at = 600
    ramp = true
    temperature = -20.0
    """
    found = scenario.parse(text, "cold.toml")
    assert found.board["temperature"] == 23.0
    assert found.events() == [["temperature", 60_000_000, 600_000_000, -20.0]]
    only = scenario.parse("[[step]]\nat = 5\nramp = true\ntemperature = 50", "warm.toml")
    assert not only.drives_mains
