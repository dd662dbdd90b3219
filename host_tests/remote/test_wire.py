"""The port of the whole meter on its pair of wires: times, turn-round, echo, noise, a second unit, a flash erase."""

import pytest

from host.remote import registers
from host.rigs import rtu
from host.rigs.wire import US, started

CHARACTER_US = 10 * US / 19200
BEGIN_MS = 50


@pytest.mark.parametrize("engine", ["cpython", "micropython"])
def test_AM_5_an_answer_begins_within_50_ms_and_is_what_the_meter_says(engine):
    with started(engine) as wire:
        sent_us = wire.now_us
        wire.send(rtu.read(0, registers.OWN_WORDS))
        [(first_us, _, answer)] = wire.go(0.4)
        request_end_us = sent_us + 8 * CHARACTER_US
        assert 3.2 * CHARACTER_US <= first_us - request_end_us <= BEGIN_MS * 1000
        assert len(rtu.words(answer)) == registers.OWN_WORDS
        said = wire.values()
        final = wire.finish()
        assert final["firmware"]["faults"]["late"] == final["firmware"]["faults"]["errors"] == 0
        assert said["delivered_mwh"] / 1000 == pytest.approx(float(final["register"]["delivered_wh"]), abs=0.5)
        assert said["l1_mv"] / 1000 == pytest.approx(120, abs=0.1) and said["power_mw"] == pytest.approx(
            2.4e6, rel=1e-3
        )


@pytest.mark.parametrize("echo", [False, True])
def test_AM_1_the_driver_is_off_again_before_the_next_request(echo):
    """A master may begin 3.5 characters after the last stop bit; 20 requests at that pace are all answered."""
    with started(serial={"echo": echo}) as wire:
        for n in range(20):
            wire.send(rtu.read(n, 10))
            [(_, end_us, answer)] = wire.go(0.04)
            assert len(rtu.words(answer)) == 10, n
            # The rig goes on in steps: the next request is given its exact time.
            wire.send(rtu.read(0, 1), round(end_us + 3.5 * CHARACTER_US) if end_us > wire.now_us else None)
            [(_, _, answer)] = wire.go(0.04)
            assert len(rtu.words(answer)) == 1, n
        assert wire.finish()["firmware"]["faults"]["errors"] == 0


def test_AM_2_other_units_and_their_answers_are_passed_over():
    with started(serial={"other_unit": 7}) as wire:
        other = wire.ask(rtu.read(0, 20, unit=7))
        assert rtu.words(other, unit=7) == [7] * 20
        assert wire.read(0, 1) == [1]
        assert wire.ask(rtu.read(0, 1, unit=0)) == b""
        assert wire.ask(rtu.read(0, 1, unit=9)) == b""


def test_AM_2_a_collision_spoils_the_request_and_the_next_one_is_answered():
    with started() as wire:
        wire.send(rtu.read(0, 1))
        wire.send(b"\x55\xaa", round(wire.now_us + 2.5 * CHARACTER_US), kind="noise")
        assert [data for _, _, data in wire.go(0.1) if data[:2] == b"\x01\x03"] == []  # it hears the noise
        assert wire.read(0, 1) == [1]


def test_AM_2_a_request_with_a_pause_in_it_is_two_fragments():
    with started() as wire:
        whole = rtu.read(0, 1)
        wire.send(whole[:5])
        wire.send(whole[5:], round(wire.now_us + 12 * CHARACTER_US))
        assert wire.go(0.1) == []
        assert wire.read(0, 1) == [1]


def test_AM_1_another_baud_rate_is_not_understood_and_not_answered():
    with started() as wire:
        wire.baud = 9600
        assert wire.ask(rtu.read(0, 1)) == b""
        wire.baud = 19200
        assert wire.read(0, 1) == [1]


def test_AM_5_a_request_that_a_flash_erase_swallows_is_asked_again():
    """45 ms without interrupts: what does not fit the FIFO is lost, and nothing of it is mistaken."""
    with started(board={"memory": "flash"}) as wire:
        wire.add(["fault", None, "cpu", "stall", {"ms": 45}, None])
        wire.send(b"".join(rtu.read(0, 1) for _ in range(6)))  # more than the FIFO holds
        for _, _, answer in wire.go(0.2):
            assert rtu.words(answer) == [1]
        assert wire.read(0, 1) == [1]


def test_AM_5_every_answer_is_of_one_committed_state():
    """Polled each 50 ms: energy never falls, Wh and mWh agree, pulses follow the register."""
    with started(amps=100.0) as wire:
        before = 0
        for _ in range(60):
            wire.send(rtu.read(0, registers.OWN_WORDS))
            [(_, _, answer)] = wire.go(0.2)
            found = rtu.words(answer)
            said = {register.name: rtu.value(register, found) for register in registers.OWN}
            milli = said["delivered_wh"] * 1000 + said["delivered_counts"] * 1000 // said["counts_per_wh"]
            assert said["delivered_mwh"] == milli >= before
            assert said["edges_10"] * 10 <= said["delivered_wh"] <= said["edges_10"] * 10 + 20
            before = milli
        assert before > 10_000
