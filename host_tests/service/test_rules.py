"""Rules of the calibration at the prompt (CA-3), and the prompt after a soft reset."""

import pytest

from host.rigs.prompt_rig import started


def test_CA_3_save_wants_a_step_since_the_last_one():
    with started(amps=50.0) as prompt:
        assert "no calibration step" in prompt.json("s.save('260201')")["error"]
        assert prompt.json("s.cal_set(1, wgain=4240000)")["ok"]
        assert prompt.json("s.undo()")["ok"]
        assert "no calibration step" in prompt.json("s.save('260201')")["error"]
        assert not prompt.json("s.status()")["calibrated"]
        assert prompt.json("s.cal_gain(1, 0.0)")["ok"]  # nothing to correct is a step as well
        assert prompt.json("s.save('260201')")["calibration_count"] == 1


@pytest.mark.parametrize("date", ["260231", "250229", "260431", "261301", "260100", "2602"])
def test_ID_5_a_date_that_is_none_is_refused(date):
    from openkh.identity import check_date

    with pytest.raises(ValueError, match=date):
        check_date(date)
    check_date("280229")


def test_CA_3_EN_5_a_large_offset_wants_a_no_load_window_before_and_after():
    """An error of -1 % at 1 % of class that is not the board's own: corrected, it would creep."""
    with started("micropython", amps=0.0) as prompt:
        assert "allowed after window(60)" in prompt.json("s.cal_set(1, wattos=-128000)")["error"]
        prompt.json("s.window(60)", 60.0)
        assert prompt.json("s.cal_set(1, wattos=200000)")["ok"]
        assert "without current, that counts nothing" in prompt.json("s.save('260201')")["error"]
        assert prompt.json("s.window(60)", 60.0)["lines"][0]["counts"] > 0  # it creeps
        assert "without current, that counts nothing" in prompt.json("s.save('260201')")["error"]
        assert prompt.json("s.cal_set(1, wattos=100000)")["ok"]
        assert prompt.json("s.window(60)", 60.0)["lines"][0]["counts"] == 0  # below the no-load level
        assert prompt.json("s.save('260201')")["ok"]
        assert prompt.json("s.cal_set(2, wattos=60000)")["ok"]  # within half of it: no evidence needed
        assert prompt.json("s.save('260202')")["ok"]


def test_a_window_may_have_decimals():
    with started(amps=10.0) as prompt:
        assert prompt.json("s.window(1.5)", 2.0)["us"] == pytest.approx(1_500_000, abs=120_000)
        assert "1 to 300" in prompt.json("s.window(0.5)")["error"]
