"""Settings of the port at the prompt, and interval data of the whole meter (AM-1, AM-6)."""

import base64

import pytest

from boards.virtual.board import UNIQUE_ID
from boards.virtual.engine import image
from boards.virtual.parts.fram import Fram
from host.remote import registers, values
from host.remote.intervals import csv_text, placed
from host.rigs import rtu
from host.rigs.prompt_rig import Prompt
from host.rigs.wire import US, Wire, started
from openkh.metrology.energy import book
from openkh.metrology.intervals import Intervals
from openkh.model import Model
from openkh.remote.settings import Settings
from openkh.state import State
from openkh.storage import records
from openkh.storage.interval_ring import GAP

MODEL = Model("MDNCT-1SC", "60Hz")
BLOCK = registers.MOST_REGISTERS // registers.INTERVAL_WORDS


class Master:
    """Requests to a meter whose prompt is typed at."""

    def __init__(self, prompt, baud=19200, parity=None):
        self._prompt, self.baud, self.parity = prompt, baud, parity

    def ask(self, request):
        self._prompt.stimulus([["serial", None, request.decode("latin-1"), self.baud, self.parity]])
        before = len(self._prompt.out)
        self._prompt.go(0.1)
        return b"".join(item[2].encode("latin-1") for item in self._prompt.out[before:] if item[0] == "serial")


def test_AM_1_settings_are_changed_at_the_prompt_logged_and_in_force_at_once():
    with Prompt() as prompt:
        prompt.load(5.0)
        prompt.go(3.0)
        master = Master(prompt)
        assert rtu.words(master.ask(rtu.read(0, 1))) == [1]
        answer = prompt.json("s.rs485(baud=9600, parity='odd', unit=7)")
        assert (answer["baud"], answer["parity"], answer["unit"], answer["changes"]) == (9600, "odd", 7, 1)
        assert master.ask(rtu.read(0, 1)) == b""
        new = Master(prompt, 9600, 1)
        assert new.ask(rtu.read(0, 1)) == b""  # the old unit
        assert rtu.words(new.ask(rtu.read(0, 1, unit=7)), unit=7) == [1]
        assert "ERROR" in prompt.execute("s.rs485(baud=12345)") and "ERROR" in prompt.execute("s.rs485(unit=0)")
        assert prompt.json("s.rs485()")["baud"] == 9600
        prompt.go(2.0)
        log = [(entry["event"], entry["a"], entry["b"]) for entry in prompt.json("s.events(9)")["events"]]
        assert log[-2:] == [("port_old", 19200, 10), ("port", 9600, 72)]
        memory = prompt.finish()["memory"]
    with Prompt(memory=memory, board={"seal": "closed"}) as prompt:
        prompt.load(5.0)
        prompt.go(3.0)
        assert rtu.words(Master(prompt, 9600, 1).ask(rtu.read(0, 1, unit=7)), unit=7) == [1]


def test_AM_1_CA_2_settings_do_not_change_with_the_seal_closed():
    with Prompt(board={"seal": "closed"}) as prompt:
        prompt.load(5.0)
        prompt.go(3.0)
        prompt.type("\r\x03\r\x01s.rs485(unit=9)\x04")
        prompt.go(1.0)
        assert rtu.words(Master(prompt).ask(rtu.read(0, 1))) == [1]


def test_settings_are_stored_as_text_and_refused_where_they_cannot_be():
    from openkh.remote.settings import unpack

    assert vars(unpack(Settings(57600, "even", 247, 3).pack())) == vars(Settings(57600, "even", 247, 3))
    for data in (b"", b"19200,none,1", b"1,none,1,0", b"19200,mark,1,0", b"19200,none,0,0", b"19200,none,x,0"):
        try:
            unpack(data)
        except ValueError:
            continue
        raise AssertionError(data)


@pytest.mark.parametrize("engine", ["cpython", "micropython", "wasm"])
@pytest.mark.parametrize("lost", [False, True])
def test_AM_6_counts_that_are_lost_in_a_restart_are_flagged_although_the_recorder_is_loaded_after_the_first_cycle(
    engine, lost
):
    """A front end that was reset with the RP2040 brings its gap in the first cycle, and in no other."""
    with Prompt(engine) as prompt:
        prompt.load(50.0)
        prompt.go(5.0)
        faults = ["chip1", "cpu"] if lost else ["cpu"]
        prompt.stimulus([["fault", None, part, "reset", {}, 0] for part in faults])
        prompt.go(3.0)
        flags = prompt.execute("from openkh import app; print(app.meter.intervals.flags)")
        assert int(flags) == (GAP if lost else 0) and prompt.boots() == ["power", "reset"]


def memory_with(days):
    """FRAM of a meter that has run for so many days at 1 kW, and its register in Wh."""
    chip = Fram(32768, 1)
    image.new_meter("fram", chip, UNIQUE_ID, MODEL, 0)
    parts = image.regions_of("fram", chip)
    whose = records.identity(UNIQUE_ID, MODEL.code, MODEL.service)
    recorder = Intervals(parts.intervals, whose, MODEL, State(), True)
    state = State()
    while not recorder._ready:
        recorder.step(state, False, False, False)
    for n in range(days * 96):
        book(state, MODEL.counts_per_wh * 250 + n, MODEL.counts_per_wh)
        state.sub_counts = 0  # the demand's, which nobody ends here
        state.run_s += 900
        state.sub_k += 3
        for _ in range(3):
            recorder.step(state, True, False, False)
    from openkh.storage.journal import Journal

    journal = Journal(parts.journal, whose)
    journal.load(State())
    state.edges_10 = state.delivered_wh // 10
    state.edges_100 = state.delivered_wh // 100
    state.edges_1000 = state.delivered_wh // 1000
    state.counter_given = state.delivered_wh // MODEL.counter_wh
    assert journal.save(state)
    return {"fram": base64.b64encode(bytes(chip.memory)).decode()}


def test_AM_6_35_days_are_read_in_under_two_minutes_and_add_up_to_the_register():
    """At 19200 baud, in simulated time; then the running interval makes the register, to the tenth of a Wh."""
    with Wire(memory=memory_with(35)) as wire:
        wire.mains(0.0)
        wire.go(6.0)
        said = wire.values()
        slots = []
        spent_us = 0
        number = said["intervals_oldest"]
        assert said["intervals_next"] - number >= 35 * 96
        while number < said["intervals_next"]:
            place = number % said["intervals_capacity"]
            count = min(BLOCK, said["intervals_next"] - number, said["intervals_capacity"] - place)
            begun_us = wire.now_us
            first = registers.INTERVALS_FIRST + registers.INTERVAL_WORDS * place
            wire.send(rtu.read(first, registers.INTERVAL_WORDS * count))
            [(_, end_us, answer)] = wire.go(0.16)
            spent_us += end_us - begun_us
            found = rtu.words(answer)
            for i in range(count):
                part = found[registers.INTERVAL_WORDS * i :][: registers.INTERVAL_WORDS]
                slots.append(values.decode(part, registers.INTERVAL))
                assert slots[-1]["number"] == (number + i) & 0xFFFF
            number += count
        assert spent_us < 120 * US
        good = [slot for slot in slots if not slot["flags"] & 0xC000]
        assert len(good) == 35 * 96 and good[-1]["end_s"] == 35 * 86_400
        tenths = sum(slot["delivered"] for slot in good)
        assert tenths == said["intervals_end_wh"] * 10 + said["intervals_end_tenths"]
        register = said["delivered_wh"] * 10 + said["delivered_counts"] * 10 // said["counts_per_wh"]
        assert register - tenths == 0


def test_AM_6_the_whole_meter_records_and_its_sums_are_the_register():
    """A quarter of an hour on the virtual board, and a power cut in the second; at the prompt."""
    with Prompt(engine="micropython", board={"memory": "flash"}) as prompt:
        prompt.load(40.0)
        prompt.go(980.0)
        prompt.stimulus([["power", None, False]])
        prompt.go(5.0)
        prompt.restarted()
        prompt.stimulus([["power", None, True]])
        prompt.go(5.0)
        prompt.load(0.0)
        prompt.go(5.0)
        said = prompt.json("s.readings()")
        answer = prompt.json("s.intervals()")
        rows = answer["intervals"]
        assert rows[0][1:4] == [1, 0, 900]
        assert len(rows) == 2 and rows[1][2] & 1 and 970 <= rows[1][3] <= 981
        tenths = sum(row[4] for row in rows)
        assert tenths == said["intervals_end_wh"] * 10 + said["intervals_end_tenths"]
        running = said["delivered_wh"] * 10 + said["delivered_counts"] * 10 // said["counts_per_wh"] - tenths
        assert 0 <= running < 1000
        assert said["power_ups"] == 2
        text = prompt.execute("s.intervals()")
        assert "OK slots" in text and f"{rows[0][4] // 10}.{rows[0][4] % 10}" in text


def test_AM_7_intervals_get_their_clock_time_from_the_reader_s_clock():
    from datetime import UTC, datetime

    from host.remote.intervals import Slot

    now = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
    slots = [
        Slot(3, 1, 0, 900, 2500, 0),
        Slot(4, 1, 1, 1300, 100, 0),
        Slot(5, 2, 0x8000, 0, 0, 0),
        Slot(6, 2, 0, 900, 2501, 3),
        Slot(7, 2, 2, 1800, 2499, 0),
    ]
    found = placed(slots, 2, 2000.0, now)
    assert [interval.start_s for interval in found] == [0, 900, 0, 900]
    lines = csv_text(found).splitlines()
    assert len(lines) == 5 and lines[1].startswith("3,1,0,900,250.0,0.0,good,,,,")
    assert lines[2].startswith("4,1,900,1300,10.0,0.0,power_lost,,")
    assert "2026-11-28T11:26:40+00:00,2026-11-28T11:41:40+00:00" in lines[3]
    assert lines[4].split(",")[6] == "gap"


def test_AM_5_a_poll_each_50_ms_takes_nothing_from_the_cycle():
    with started(amps=50.0) as polled, started(amps=50.0) as alone:
        for _ in range(40):
            polled.send(rtu.read(0, 40))
            polled.go(0.05)
        alone.go(2.0)
        results = [wire.finish() for wire in (polled, alone)]
        assert results[0]["firmware"] == results[1]["firmware"]
        assert results[0]["register"] == results[1]["register"]
