"""The service calls on the emulated RP2040, over its console as mpremote uses it; metering goes on (CA-1)."""

import json
import re

import pytest

from host.rp2040.engine import Rp2040Link

pytestmark = pytest.mark.rp2040

SECOND_US = 1_000_000
CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}}
LOAD = ["mains", 0, 0, [120.0, 75.0, 0.0, 0.0], [120.0, 0.0, 0.0, 180.0], 60.0]
CALLS = {
    "status()": r"OK MDNCT-1SC 60Hz serial \d{12}, software \d\.\d\d, seal open\n",
    "lines()": r"OK L1 +\d+\.\d+ V +\d+\.\d+ A +\d+\.\d+ W",
    "faults()": r"OK calibration_damaged 0, cycles \d+",
    "identity()": r"OK identity model MDNCT-1SC, service 60Hz",
    "provisioned()": r"True",
    "image()": r"OK software \d\.\d\d.*[0-9a-f]{64}",
    "cal()": r"OK",
    "help()": r"status\(\) +identity, register",
    "window(1)": r"OK",
    "cal_gain(1, 0.02)": r"OK",
    "cal_set(1, phcal=3)": r"OK",
    "undo()": r"OK",
    "fine_pulses(1, 60)": r"OK 10 Wh output gives 1 Wh",
    "fine_pulses(0)": r"OK fine pulses ended",
    "rail12_reset()": r"OK 12 V on",
    "cal_phase(1, 0.1)": r"ERROR ",
    "provision('MSNCT-1SC', '60Hz', '000000000001', '260101')": r"ERROR .*allowed on blank memory only",
}


def test_CA_1_each_service_call_answers_on_the_chip_and_loses_no_count() -> None:
    with Rp2040Link(CONFIG) as link:
        link.run(3 * SECOND_US, [LOAD])
        console = link.engine.board.chip.console
        console.raw_repl()
        for call, answer in CALLS.items():
            said = console.exec(f"import openkh.service as s\ns.{call}")
            assert re.match(answer, said, re.DOTALL), (call, said)
        status = json.loads(console.exec("s.status(json=True)"))
        assert status["errors"] == 0 and status["failures"] == [] and status["fine_mwh"] == 0
        final = link.finish()
    counted = sum(line["counts"] for line in final["counted"])
    cycle = 9_000 * 32_000 // 36_000
    start = 1.0 * 9_000 * 32_000 / 3600
    assert -cycle <= counted - float(final["register"]["delivered_wh"]) * 32_000 <= start
