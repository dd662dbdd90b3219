"""The seal closed, or the supply lost, at any moment of save() and provision(): what is answered with ERROR is not in
force; what is answered with OK is, and stands in the log (CA-3a)."""

import pytest

from host.rigs.prompt_rig import started


@pytest.mark.parametrize("memory", ["fram", "flash"])
def test_CA_3a_the_seal_closed_within_save_leaves_no_change_without_its_entry(memory):
    with started("micropython", amps=0.0, board={"memory": memory}) as prompt:
        count = 0
        for n in range(9):
            assert prompt.json(f"s.cal_set(1, wgain={4_240_000 + n})")["ok"]
            prompt.go(1.0)
            closed_us = prompt.now_us + 60_000 + (45_000 if memory == "fram" else 400_000) * n
            prompt.stimulus([["seal", closed_us, 1]])
            prompt.stimulus([["seal", closed_us + 4_000_000, 0]])
            prompt.type("print(s.save('260201'))\x04")
            said = ""
            for _ in range(90):
                said += prompt.go(0.1)
            prompt.restarted()
            prompt.go(2.0)
            saved = "OK calibration no." in said
            assert saved or "ERROR" in said or "OK" not in said.replace("OK\r", ""), said
            count += saved
            assert (prompt.json("s.status()")["calibration_count"] or 0) == count, (n, said)
            events = prompt.json("s.events(64)")["events"]
            entries = [event["a"] for event in events if event["event"] == "calibration_saved"]
            assert entries == list(range(1, count + 1)), (n, said)
        assert 0 < count < 9


def test_CA_3a_forty_times_bench_leaves_the_calibration_entries():
    with started(amps=0.0) as prompt:
        assert prompt.json("s.cal_set(1, wgain=4240000)")["ok"]
        assert prompt.json("s.save('260201')")["ok"]
        for _ in range(40):
            prompt.json("s.fine_pulses(1, 60)")
            prompt.json("s.fine_pulses(0)")
        prompt.go(10.0)
        names = [event["event"] for event in prompt.json("s.events(300)")["events"]]
        assert names.count("calibration") == 1 and names.count("calibration_saved") == 1


PROVISION = "s.provision('MSNCT-1SC', '60Hz', '000000000077', '260203')"


@pytest.mark.parametrize("ends", ["seal", "power"])
@pytest.mark.parametrize("memory, after_ms", [("fram", (130, 190, 250, 370, 400)), ("flash", (80, 140, 320, 350))])
def test_CA_3a_factory_data_and_their_entry_agree_wherever_provision_was_ended(memory, after_ms, ends):
    outcomes = set()
    for ms in after_ms:
        with started("micropython", amps=0.0, board={"memory": memory, "blank": True}) as prompt:
            if memory == "flash":
                assert "laid out" in prompt.execute(PROVISION)
                prompt.go(5.0)
                prompt.restarted()
            assert not prompt.json("s.provisioned()")["provisioned"]
            now_us = prompt.now_us
            prompt.stimulus([[ends, now_us + 1000 * ms, int(ends == "seal")]])
            prompt.stimulus([[ends, now_us + 1000 * ms + 4_000_000, int(ends == "power")]])
            prompt.type(f"print({PROVISION})\x04")
            said = prompt.go(8.0)
            prompt.restarted()
            provisioned = prompt.json("s.provisioned()")["provisioned"]
            entries = [event["a"] for event in prompt.json("s.events(64)")["events"] if event["event"] == "identity"]
            assert entries == [1] * provisioned, (ms, said)
            assert prompt.json("s.identity()")["serial"] == ("000000000077" if provisioned else "")
            assert prompt.json("s.status()")["failures"] == []
            assert provisioned or "OK provisioned" not in said, (ms, said)
            assert not (provisioned and "ERROR" in said), (ms, said)
            outcomes.add(provisioned)
    assert outcomes == {False, True}
