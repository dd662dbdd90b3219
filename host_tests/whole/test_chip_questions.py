"""CH-1 on the whole meter: whichever way a question turns out, the register is the likeliest chip's to the count."""

import pytest

from host.rigs import trial

REVERSAL = (trial.load(amps=10), "at = 20\nl1 = {degrees = 180.0}", "at = 60\nl1 = {degrees = 0.0, amps = 0.0}")


def run(settings: str = "") -> trial.Run:
    board = f"chip1 = {{{settings}}}\nchip2 = {{{settings}}}" if settings else ""
    return trial.run(trial.steps(*REVERSAL, board=board), 80.0)


@pytest.fixture(scope="module")
def likeliest() -> trial.Run:
    return run()


@pytest.mark.parametrize(
    "settings",
    [
        "checksum_live_bits = true",
        'counter_end = "stop", last_changes = true, flags_return = true, key_strict = false',
        "checksum_live_bits = true, checksum_delay_ms = 10, checksum_seed = 3, version = 254",
    ],
)
def test_CH_1_EN_1_a_reversal_gives_the_register_of_the_likeliest_chip_to_the_count(settings, likeliest):
    found = run(settings)
    for key in ("register", "pulses", "counter", "demand", "events"):
        assert found.report[key] == likeliest.report[key], key
    assert found.said() == likeliest.said()
    assert "chip_repaired" not in found.logged()
    assert found.report["firmware"]["faults"] == likeliest.report["firmware"]["faults"]
