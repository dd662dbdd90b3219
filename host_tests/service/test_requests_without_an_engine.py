"""What the prompt has the cycle do, step by step on bare values: windows, fine pulses, stored data, interval data."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from boards.virtual.board import Board
from openkh import calibration, event_codes
from openkh.calibration import Calibration
from openkh.metrology.correction import EXTRA
from openkh.model import Model
from openkh.storage import verdict

_board = Board(1)
_board.install()
try:
    from openkh.service import no_load, remote, reports, requests, tuning, windows, works
    from openkh.service.refused import RefusedError
    from openkh.startup.stored_data import StoredCalibration
finally:
    _board.uninstall()

MODEL = Model("MDNCT-1SC", "60Hz")


class Log:
    """`left`: entries that are not stored yet; one is stored with each look at `pending`."""

    def __init__(self):
        self.added = []
        self.withdrawn = []
        self.left = 0
        self.stuck = False

    @property
    def pending(self):
        found = self.left
        if self.left and not self.stuck:
            self.left -= 1
        return found

    def add(self, code, a=0, b=0):
        self.added.append((code, a, b))
        self.left += 1

    def withdraw(self, code, a):
        self.withdrawn.append((code, a))


class Cycle:
    """Carries a request out to its end as soon as it is posted."""

    leave = 0

    @property
    def request(self):
        return None

    @request.setter
    def request(self, wanted):
        for _ in range(5_000):
            if not wanted.carry_out():
                return


def element(**values):
    return SimpleNamespace(
        **{
            "at_us": 0,
            "active": 0,
            "reactive": 0,
            "v_mv": 120_000,
            "i_ma": 5_000,
            "fresh": True,
            "rebased": False,
            "period_raw": 3_728,
            **values,
        }
    )


def meter(**parts):
    lines = [SimpleNamespace(terms=[0] * (EXTRA + 1)), SimpleNamespace(terms=[0] * (EXTRA + 1))]
    return SimpleNamespace(
        **{
            "model": MODEL,
            "seal": SimpleNamespace(open=True),
            "log": Log(),
            "cycle": Cycle(),
            "elements": [element(), element()],
            "corrected": SimpleNamespace(lines=lines),
            **parts,
        }
    )


# Measuring windows


@pytest.mark.parametrize("period_us", [99_100, 100_000, 100_300, 104_170])
def test_CA_3_a_window_ends_nearest_to_whole_half_cycles_among_ten_readings(period_us):
    of = meter()
    window = windows.Window(of, 1.0)
    one, two = of.elements
    steps, ends = 0, []
    more = True
    while more:
        one.at_us += period_us
        two.at_us = one.at_us + 900
        one.active, one.reactive, two.active, two.reactive = 320, -32, -160, 16
        of.corrected.lines[0].terms[EXTRA] = 3
        more = window.carry_out()
        if steps * period_us >= 1_000_000:
            ends.append(steps * period_us)
        steps += 1
    assert window.done and not window.failed and len(ends) == 10
    hz = Fraction(223_750, 3_729)
    off = {us: abs(us * 2 * hz / 1_000_000 - round(us * 2 * hz / 1_000_000)) for us in ends}
    us = window.found[0]["us"]
    assert off[us] <= min(off.values()) + Fraction(1, 15)  # the time is taken in half milliseconds
    assert abs(window.cycles - float(us * hz / 1_000_000)) < 0.035 and abs(window.hz - float(hz)) < 0.001
    readings = us // period_us
    first, second = window.found
    assert (first["line"], second["line"], second["us"]) == (1, 2, us)
    assert (first["counts"], second["counts"]) == (320 * readings, -160 * readings)
    assert (first["chip_counts"], first["correction_counts"]) == (317 * readings, 3 * readings)
    assert first["reactive_counts"] == -32 * readings
    assert first["p_mw"] == pytest.approx(320 * readings / 32_000 * 3_600_000_000_000 / us)
    assert (first["v_mv"], first["i_ma"]) == (120_000, 5_000)


def test_CA_3_a_reading_that_was_not_verified_ends_no_window_and_its_counts_come_with_the_next():
    of = meter()
    window = windows.Window(of, 1.0)
    for n in range(40):
        for one in of.elements:
            one.at_us = 100_000 * (n + 1)
            one.fresh = n % 3 != 1
            one.active = 100 * (2 if n % 3 == 2 else 1)
        if not window.carry_out():
            break
    assert window.done and window.found[0]["counts"] == window.found[0]["us"] // 1_000


def test_CA_3_a_front_end_that_is_reset_spoils_the_window():
    of = meter()
    window = windows.Window(of, 1.0)
    assert window.carry_out()
    of.elements[1].rebased = True
    assert not window.carry_out() and "reset during the window" in window.failed


@pytest.mark.parametrize("seconds", [True, "5", None, 0, 0.99, 300.5, 301, -1])
def test_CA_3_a_window_of_another_length_is_refused(seconds):
    with pytest.raises(RefusedError, match="seconds: allowed 1 to 300"):
        windows.measure(meter(), seconds)


@pytest.mark.parametrize("seconds", [1, 1.5, 300])
def test_CA_3_a_window_of_1_to_300_seconds_is_measured(monkeypatch, seconds):
    def post(request, limit_ms):
        assert limit_ms == int(seconds * 1000) + 15_000
        request.found, request.cycles, request.hz = [{"us": int(seconds * 1e6)}], seconds * 60, 60.0

    monkeypatch.setattr(windows, "post", post)
    found = windows.measure(meter(), seconds)
    assert found == {"us": seconds * 1e6, "cycles": seconds * 60, "hz": 60.0, "lines": [{"us": int(seconds * 1e6)}]}


# Creep


@pytest.mark.parametrize(
    ("values", "quiet"),
    [
        ({}, True),
        ({"v_mv": 96_000}, True),
        ({"v_mv": 95_999}, False),
        ({"i_ma": MODEL.start_ma}, False),
        ({"us": 59_000_000}, False),
    ],
)
def test_EN_5_a_window_is_evidence_with_voltage_without_current_and_of_a_minute(monkeypatch, values, quiet):
    monkeypatch.setattr(no_load, "_before", [False, False])
    monkeypatch.setattr(no_load, "_creep_free", ["", ""])
    line = SimpleNamespace(wgain=1, wattos=9_999, vgain=2, igain=3)
    of = meter(calibration=[line, line], stored=SimpleNamespace(lines=[SimpleNamespace(wattos=0)] * 2))
    answer = {"line": 2, "i_ma": 0, "v_mv": 120_000, "us": 60_000_000, "counts": 0, **values}
    no_load.note(of, {"lines": [answer]})
    assert no_load._before == [False, quiet] and (no_load._creep_free[1] != "") == quiet
    answer["counts"] = 1
    no_load.note(of, {"lines": [answer]})
    assert (no_load._creep_free[1] != "") is False


# Fine pulses


@pytest.mark.parametrize("result", [0, 1])
def test_CA_3_fine_pulses_are_logged_where_they_have_begun(result):
    asked = []
    pulses = SimpleNamespace(fine_pulses=lambda *given: asked.append(given[:2]) or result, fine_stop=asked.append)
    of = meter(pulses=pulses)
    request = requests.FinePulses(of, 100, 60)
    assert not request.carry_out() and not request.failed
    assert asked == [(100, 60)] and request.result == result
    assert of.log.added == ([] if result else [(event_codes.FINE_PULSES_ON, 100, 60)])
    assert not requests.FinePulses(of, 0, 60).carry_out() and asked[1:] == [requests.FINE_COMMAND]


@pytest.mark.parametrize(
    ("weight", "mwh", "text"), [(1, 1_000, "gives 1 Wh"), (0.1, 100, "gives 0.1 Wh"), (0, 0, "fine pulses ended")]
)
def test_fine_pulses_have_the_weight_that_was_asked_for(monkeypatch, weight, mwh, text):
    asked = []
    monkeypatch.setattr(works, "post", lambda request: asked.append((request._weight_mwh, request._seconds)))
    for seconds in (1, 60, works.FINE_LONGEST_S):
        assert text in works.fine_pulses(meter(), weight, seconds)["text"]
    assert asked == [(mwh, 1), (mwh, 60), (mwh, works.FINE_LONGEST_S)]


@pytest.mark.parametrize(("weight", "seconds"), [(2, 60), (1, 0), (1, -1), (1, 1.5), (1, works.FINE_LONGEST_S + 1)])
def test_fine_pulses_of_another_weight_or_time_are_refused(weight, seconds):
    with pytest.raises(RefusedError, match="allowed 1"):
        works.fine_pulses(meter(), weight, seconds)


# Stored data


class Vault:
    """Two copies; `holds`: how many of them read back."""

    def __init__(self, holds=2):
        self.done = []
        self.written = False
        self._holds = holds

    def begin(self, data):
        self.done.append(("begin", data))

    @property
    def before_last(self):
        return self.done[-1] == "copy 1"

    def step(self):
        copies = len([one for one in self.done if one in ("copy 1", "copy 2")])
        if copies >= self._holds:
            return False
        self.done.append(f"copy {copies + 1}")
        self.written = copies == 1
        return copies == 0

    def accept(self, data):
        self.done.append(("accept", data))

    def discard(self):
        self.done.append("discard")


def stored(vault, log, cycles=1_000):
    """The request after its end, and after how many cycles that came."""
    request = requests.Store(meter(log=log), vault, b"data", 7, 1, 2)
    for n in range(cycles):
        if not request.carry_out():
            return request, n + 1
    raise AssertionError("no end")


def test_CA_3a_one_copy_then_the_entry_then_the_other_copy():
    vault, log = Vault(), Log()
    request, _ = stored(vault, log)
    assert vault.done == [("begin", b"data"), "copy 1", "copy 2"] and log.added == [(7, 1, 2)]
    assert request.committed and not request.failed


def test_CA_3a_entries_of_others_are_waited_for():
    vault, log = Vault(), Log()
    log.left = 20
    request, cycles = stored(vault, log)
    assert not request.failed and log.added == [(7, 1, 2)] and cycles > 20


def test_CA_3a_a_log_that_takes_nothing_takes_the_change_back():
    vault, log = Vault(), Log()
    log.left, log.stuck = 1, True
    request, cycles = stored(vault, log)
    assert request.failed and log.withdrawn == [(7, 1)] and vault.done[-1] == "discard"
    assert 250 <= cycles <= 255


def test_CA_3a_a_second_copy_that_does_not_hold_leaves_the_change_and_a_first_one_none():
    vault, log = Vault(holds=1), Log()
    request, _ = stored(vault, log)
    assert not request.failed and vault.done[-1] == ("accept", b"data")
    vault, log = Vault(holds=0), Log()
    request, _ = stored(vault, log)
    assert request.failed and log.added == [] and not request.committed


def test_CA_3a_a_seal_that_closes_stops_what_is_not_made_yet_and_nothing_else():
    for closing, failed in ((2, True), (4, False)):
        of = meter()
        request = requests.Store(of, Vault(), b"data", 7, 1, 2)
        for n in range(20):
            of.seal.open = n < closing
            if not request.carry_out():
                break
        assert request.done and bool(request.failed) == failed, closing


def test_CA_3a_a_calibration_in_force_waits_for_its_entries_but_not_for_ever():
    of = meter()
    request = requests.Apply(of, (None, None))
    cycles = 1
    of.log.left, of.log.stuck = 1, True
    while request.carry_out():
        cycles += 1
        assert cycles < 300
    assert request.done and not request.failed and cycles == 2 + requests.LOG_CYCLES


# Interval data


def test_AM_6_slots_are_read_some_in_a_cycle_and_only_those_that_hold_intervals():
    class Recorder:
        slots = 50

        def encode(self, slot, buf, at):
            number = slot if slot >= 10 else slot + 50  # it has gone round once
            flags = 0x8000 if number == 47 else 2
            word = [number if number != 48 else 9, 3, flags, 1, number, 2, 5, 4, 6]
            buf[at : at + 18] = b"".join(w.to_bytes(2, "big") for w in word)

    look = remote._Look(meter(intervals=Recorder()), 40, 60)
    cycles = 1
    while look.carry_out():
        cycles += 1
    assert cycles == 3 and not look.failed
    expected = [[n, 3, 2, 65_536 + n, 2 * 65_536 + 5, 4 * 65_536 + 6] for n in range(40, 60) if n not in (47, 48)]
    assert look.found == expected


# Limits of the steps of a calibration


@pytest.mark.parametrize(("angle", "allowed"), [(0, True), (15, True), (-15, True), (15.01, False), (-15.01, False)])
def test_CA_3_unity_power_factor_is_within_15_degrees(angle, allowed):
    if allowed:
        tuning.check_unity(angle)
    else:
        with pytest.raises(RefusedError, match="unity power factor"):
            tuning.check_unity(angle)


@pytest.mark.parametrize(("code", "lines"), [("MDNCT-1SC", (1, 2)), ("MSNCT-1SC", (1,))])
def test_CA_1_a_line_is_one_that_the_meter_has(code, lines):
    of = meter(model=Model(code, "60Hz"))
    assert [reports.line_number(of, line) for line in lines] == [line - 1 for line in lines]
    for other in (0, len(lines) + 1, -1, "1", None):
        with pytest.raises(RefusedError, match="allowed"):
            reports.line_number(of, other)


@pytest.mark.parametrize(("unread", "said"), [(True, "does not answer"), (False, "there already")])
def test_CA_4_factory_data_are_written_where_it_is_known_that_there_are_none(unread, said):
    factory = SimpleNamespace(unread=unread, damaged=False, provisioned=True)
    with pytest.raises(RefusedError, match=said):
        works.provision(meter(factory=factory), "MDNCT-1SC", "60Hz", "000000000042", "260131")


@pytest.mark.parametrize(
    ("result", "data", "expected"),
    [
        (verdict.GOOD, calibration.pack((Calibration(), Calibration()), 7, 260_131), (True, 7, 260_131, False)),
        (verdict.GOOD, b"spoilt", (False, -1, 0, True)),
        (verdict.DAMAGED, None, (False, -1, 0, True)),
        (verdict.BLANK, None, (False, 0, 0, False)),
    ],
    ids=["good", "no calibration", "damaged", "blank"],
)
def test_DX_6_a_stored_calibration_is_found_damaged_or_not_there(result, data, expected):
    store = SimpleNamespace(load=lambda: result, unconfirmed=False, data=data, damaged=0)
    found = StoredCalibration()
    found.read(store, 60, Log())
    assert (found.found, found.count, found.date, found.damaged) == expected
