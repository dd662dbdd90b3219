"""The whole meter with corrections in force: drift, CT curve, stored, through restarts and cuts (CA-1a, ID-4a)."""

from contextlib import contextmanager

import pytest

from host.rigs.prompt_rig import Prompt

MODEL_COUNTS = 32_000  # per Wh
CURVE = "((2, -0.3, 15), (10, -0.1, 7), (75, 0, 0.4))"
MASK = (1 << 24) - 1
KELVIN = {"temperature": 23.0, "sensor": {"offset_k": 4.0}}


@contextmanager
def corrected(engine="cpython", tempco=-11_734, **board):
    """A meter at a load, with corrections of both lines; stored."""
    with Prompt(engine, board={**KELVIN, **board}) as prompt:
        prompt.load(5.0, 60.0)
        prompt.go(20.0)
        for line in (1, 2):
            prompt.json(f"s.cal_curve({line}, {CURVE})")
            prompt.json(f"s.cal_set({line}, tempco={tempco}, lead_tempco=60, reference=2700)")
        prompt.json("s.save('260131')")
        yield prompt


def counts(prompt):
    """(register net, chips, corrections): the latter two of both lines, modulo 2^24."""
    status = prompt.json("s.status()")
    lines = prompt.json("s.lines()")["lines"]
    whole, _ = status["delivered_wh"].split(".")
    received, part = status["received_wh"].split(".")
    net = int(whole) * MODEL_COUNTS + status["delivered_counts"]
    net -= int(received) * MODEL_COUNTS + -(-int(part) * MODEL_COUNTS // 1_000_000)
    return net, sum(x["chip_register"] for x in lines), sum(x["correction_register"] for x in lines)


def rest(prompt):
    """No current, until the chips' no-load gate has closed: nothing moves between two commands."""
    prompt.load(0.0)
    prompt.go(3.0)


def test_CA_1a_the_register_is_the_chips_counts_and_the_corrections_to_the_count():
    """Loads, lead and lag, export, a change of temperature: a bench can check the arithmetic."""
    with corrected() as prompt:
        rest(prompt)
        before = counts(prompt)
        total = prompt.snap["counted"]
        for amps, degrees in ((60.0, 0.0), (3.0, 60.0), (20.0, -30.0), (15.0, 150.0), (40.0, 240.0), (100.0, 10.0)):
            prompt.load(amps, degrees)
            prompt.stimulus([["temperature", None, 0, 23.0 - amps / 30]])
            prompt.go(7.3)
        rest(prompt)
        after = counts(prompt)
        moved = [b - a for a, b in zip(before, after, strict=True)]
        assert moved[0] & MASK == (moved[1] + moved[2]) & MASK
        assert sum(prompt.snap["counted"]) - sum(total) == moved[1] & MASK
        assert moved[2] & MASK > 100


def test_EN_3_EN_1_the_roll_over_and_energy_received_with_corrections_in_force():
    """Delivered rolls over under load, then flows back: every count of chips and corrections is in one of the two."""
    with corrected(start_delivered_wh=999_999_990) as prompt:
        rest(prompt)
        before = counts(prompt)
        received = float(prompt.json("s.status()")["received_wh"])
        prompt.load(100.0, 20.0)
        prompt.go(9.0)
        prompt.load(20.0, 170.0)
        prompt.go(7.3)
        rest(prompt)
        after = counts(prompt)
        status = prompt.json("s.status()")
        net, chips, added = (b - a for a, b in zip(before, after, strict=True))
        assert (net % (1_000_000_000 * MODEL_COUNTS) - chips - added) & MASK == 0
        assert float(status["delivered_wh"]) < 60
        assert float(status["received_wh"]) - received == pytest.approx(4_800 * 0.985 * 7.3 / 3600, rel=0.02)
        assert "roll_over" in [entry["event"] for entry in prompt.json("s.events(20)")["events"]]


def test_EN_5_the_starting_current_counts_with_corrections_in_force():
    """Corrected by the curve's ratio (+0.3 %), not by its lead: what the chips do not gate must not be booked."""
    with corrected(tempco=0) as prompt:
        rest(prompt)
        before = counts(prompt)
        prompt.load(0.05)
        prompt.go(120.0)
        rest(prompt)
        net, chips, added = ((b - a) & MASK for a, b in zip(before, counts(prompt), strict=True))
        assert net == chips + added
        assert chips == pytest.approx(12 * 120 / 3600 * MODEL_COUNTS, rel=0.02)
        assert added == pytest.approx(chips * 0.003, abs=3)


def test_CH_1_a_reactive_register_that_stops_at_its_end_costs_no_correction():
    """The lead's correction is made of reactive counts: 90 s of this load bring that register to its end."""
    found = []
    for end in ("wrap", "stop"):
        chip = {"counter_end": end}
        with corrected(tempco=0, chip1=chip, chip2=chip) as prompt:
            rest(prompt)
            before = counts(prompt)
            prompt.load(100.0, 60.0)
            prompt.go(150.0)
            rest(prompt)
            found.append([(b - a) & MASK for a, b in zip(before, counts(prompt), strict=True)])
    (_, chips, added), (net, stopped_chips, stopped_added) = found
    assert net == stopped_chips + stopped_added & MASK
    assert stopped_chips == pytest.approx(chips, abs=4)
    assert stopped_added == pytest.approx(added, abs=40)


def test_CA_1a_a_window_gives_them_apart():
    with corrected() as prompt:
        line = prompt.json("s.window(5)")["lines"][0]
        assert line["counts"] == line["chip_counts"] + line["correction_counts"]
        assert line["correction_counts"] != 0
        assert line["chip_counts"] == pytest.approx(300 * 5 / 3600 * MODEL_COUNTS, abs=3)


@pytest.mark.parametrize("engine", ["micropython", "wasm"])
def test_CA_1a_the_same_on_every_engine(engine):
    found = []
    for name in ("cpython", engine):
        with corrected(name) as prompt:
            prompt.load(40.0, 45.0)
            prompt.stimulus([["temperature", None, prompt.now_us + 15_000_000, 20.0]])
            prompt.go(15.0)
            rest(prompt)
            found.append((counts(prompt), prompt.snap["register"], prompt.json("s.cal()")["lines"]))
    assert found[0] == found[1]


def test_ID_4a_a_drifting_front_end_is_put_right_by_the_second_temperature():
    """50 ppm/K of the reference: 100 ppm/K of energy, found at 55 degC, then right at -20."""
    chip = {"tempco_ppm": 50.0}
    with Prompt(board={**KELVIN, "chip1": chip, "chip2": chip}) as prompt:
        prompt.load(75.0)
        prompt.go(20.0)

        def error(line=0):
            own = prompt.json("s.window(10)")["lines"][line]
            return (own["counts"] * 3600e6 / MODEL_COUNTS / own["us"] / 9000 - 1) * 100

        prompt.json(f"s.cal_gain(1, {error():.6f})")
        prompt.stimulus([["temperature", None, 0, 26.0]])
        prompt.go(60.0)
        assert "10 K or more apart" in prompt.json("s.cal_temperature(1, 0.1)")["error"]
        prompt.stimulus([["temperature", None, prompt.now_us + 300_000_000, 55.0]])
        prompt.go(400.0)
        assert error() == pytest.approx(0.32, abs=0.01)
        prompt.json(f"s.cal_temperature(1, {error():.6f})")
        assert prompt.json("s.cal()")["lines"][0]["tempco"] == pytest.approx(10_000, rel=0.02)
        prompt.go(1.0)
        assert error() == pytest.approx(0.0, abs=0.003)
        prompt.stimulus([["temperature", None, prompt.now_us + 300_000_000, -20.0]])
        prompt.go(400.0)
        assert error() == pytest.approx(0.0, abs=0.01)
        assert error(1) == pytest.approx(-0.43 - 0.02, abs=0.01)  # line 2 was not corrected
        prompt.json("s.save('260131')")
        prompt.stimulus([["power", None, 0]])
        prompt.go(2.0)
        prompt.stimulus([["power", None, 1]])
        prompt.go(40.0)
        prompt.restarted()
        assert error() == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("fault", [("broken", {}), ("jump", {"kelvin": 20.0})])
def test_ID_4a_a_failed_sensor_leaves_the_energy_uncorrected_and_is_logged(fault):
    with corrected(tempco=10_000) as prompt:
        prompt.load(10.0)
        prompt.stimulus(
            [["temperature", None, prompt.now_us + 300_000_000, -13.0]]
        )  # reads 36 K below the calibration's
        prompt.go(400.0)
        warm = prompt.json("s.window(5)")["lines"][0]
        prompt.stimulus([["fault", None, "temperature", *fault, 0]])
        prompt.go(30.0)
        cold = prompt.json("s.window(5)")["lines"][0]
        assert prompt.json("s.lines()")["centi_celsius"] is None
        assert "temperature_lost" in [entry["event"] for entry in prompt.json("s.events(3)")["events"]]
        moved = warm["correction_counts"] - cold["correction_counts"]
        assert moved == pytest.approx(warm["chip_counts"] * 0.0036, rel=0.03)


def test_EN_5_no_creep_with_corrections_in_force_and_noise():
    noisy = {"noise": True}
    with corrected(chip1=noisy, chip2=noisy) as prompt:
        prompt.load(0.0, volts=138.0)
        prompt.go(3.0)
        before = counts(prompt)
        prompt.go(3600.0)
        assert counts(prompt) == before


@pytest.mark.parametrize(("memory", "part_of_it"), [("fram", 15e-5), ("flash", 2e-3)])
def test_EN_2_restarts_of_the_rp2040_neither_lose_nor_double_with_corrections_in_force(memory, part_of_it):
    """Counts since the record (a second, or a minute with flash) are corrected anew, but not for the lead, because it
    is not known how much of them is reactive: 2 minutes of lead are 0.17 % of that minute here."""
    with corrected(memory=memory) as prompt:
        rest(prompt)
        begin = counts(prompt)[0]
        seen = sum(prompt.snap["counted"])
        prompt.load(60.0, 60.0)
        prompt.go(5.0)
        rate = prompt.json("s.window(10)")["lines"]
        part = sum(x["counts"] for x in rate) / sum(x["chip_counts"] for x in rate)
        for _ in range(4):
            prompt.stimulus([["fault", None, "cpu", "reset", {}, 0]])
            prompt.go(13.0)
            prompt.restarted()
        rest(prompt)
        booked = counts(prompt)[0] - begin
        chips = sum(prompt.snap["counted"]) - seen
        assert booked == pytest.approx(chips * part, abs=chips * part_of_it)
        assert float(prompt.snap["register"]["received_wh"]) == 0.0


def test_EN_4_a_power_cut_with_corrections_in_force():
    with corrected() as prompt:
        prompt.load(60.0)
        prompt.go(10.0)
        for _ in range(3):
            before = float(prompt.snap["register"]["delivered_wh"])
            prompt.stimulus([["power", None, 0]])
            prompt.go(2.0)
            prompt.stimulus([["power", None, 1]])
            prompt.go(5.0)
            prompt.restarted()
            after = float(prompt.snap["register"]["delivered_wh"])
            assert before <= after < before + 2 * 60 * 120 * 5.5 / 3600
        assert prompt.json("s.lines()")["lines"][0]["corrected"]  # as stored


def test_CA_1a_stored_undone_and_logged():
    with corrected() as prompt:
        assert prompt.json("s.status()")["saved"]
        prompt.json("s.cal_curve(1, ())")
        assert not prompt.json("s.status()")["saved"]
        assert prompt.json("s.cal()")["lines"][0]["curve"] == []
        prompt.json("s.undo()")
        line = prompt.json("s.cal()")["lines"][0]
        assert line["curve"] == [[2, -0.3, 15], [10, -0.1, 7], [75, 0, 0.4]]
        assert (line["tempco"], line["lead_tempco"], line["reference"]) == (-11_734, 60, 2700)
        logged = [(entry["a"], entry["b"]) for entry in prompt.json("s.events(80)")["events"]]
        assert (16 + 5, -11_734) in logged and (16 + 7, 200 << 16 | -3000 & 0xFFFF) in logged


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("cal_curve(1, ((2, -2.5, 0),))", "ratio error -2.5000 %: allowed +-2"),
        ("cal_curve(1, ((2, 0, 190),))", "lead 190.00 minutes: allowed +-180"),
        ("cal_curve(1, ((10, 0, 0), (2, 0, 0)))", "allowed rising"),
        ("cal_curve(1, ((0, 0, 0),))", "0 A: allowed above 0, up to 120 A"),
        ("cal_curve(1, ((1, 0, 0),) * 5)", "allowed up to 4 points"),
        ("cal_curve(1, ((1, 'x', 0),))", "allowed three numbers"),
        ("cal_curve(3, ())", "line 3: allowed 1 or 2"),
        ("cal_set(1, tempco=15001)", "temperature coefficient 150.01 ppm/K: allowed +-150"),
        ("cal_set(1, lead_tempco=1001)", "lead's drift 1.001 minutes/K: allowed +-1"),
        ("cal_temperature(1, 0.1)", "it is not known how warm it was at the gain's calibration"),
    ],
)
def test_CA_3_CA_1a_what_is_beyond_the_limits_is_refused(sealed_off, command, reason):
    assert reason in sealed_off.json(f"s.{command}")["error"]


@pytest.fixture(scope="module")
def sealed_off():
    """A meter without a calibration, for commands that change nothing."""
    with Prompt(board=KELVIN) as prompt:
        prompt.load(10.0)
        prompt.go(20.0)
        yield prompt
