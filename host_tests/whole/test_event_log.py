"""What the glass reported of a line, and each failure, stands in the log with its beginning and its end (DX-8)."""

from host.rigs.trial import run, steps


def test_DX_8_a_reversed_line_a_low_one_and_a_silent_front_end_are_in_the_log():
    result = run(
        steps(
            "at = 0.0\nl1 = {amps = 20.0}\nl2 = {amps = 20.0}",
            "at = 20.0\nl1 = {degrees = 180.0}\nl2 = {volts = 95.0}",
            "at = 50.0\nl1 = {degrees = 0.0}\nl2 = {volts = 120.0}",
            'at = 60.0\nfault = {part = "chip2", kind = "silent", for_s = 5.0}',
            'at = 75.0\nfault = {part = "cpu", kind = "exception"}',
        ),
        90.0,
    )
    events = [
        (e["event"], e["a"], e["b"]) for e in result.report["events"] if e["event"] not in ("power_up", "seal_opened")
    ]
    assert [event for event in events if event[0].startswith(("reverse", "low"))] == [
        ("low_voltage", 2, 1),
        ("reverse_energy", 1, 1),
        ("low_voltage_ended", 2, 0),
        ("reverse_energy_ended", 1, 0),
    ]
    assert [event for event in events if event[0].startswith("failure")] == [
        ("failure", 1, 1),
        ("failure_ended", 1, 0),
        ("failure", 5, 1),
    ]
    at = {event["event"]: event["t_s"] for event in result.report["events"]}
    assert 20 <= at["reverse_energy"] <= 24 and 50 <= at["reverse_energy_ended"] <= 54
