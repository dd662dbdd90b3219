"""What the slave answers, on bare values: every function, every exception, and silence (AM-2 to AM-4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.remote import layout_made, registers, sunspec_points
from host.rigs.port_rig import Slots, element
from host.rigs.port_rig import still_meter as meter
from host.rigs.rtu import crc, frame, read, value, words
from openkh.remote.reading import Reading
from openkh.remote.registers import Registers
from openkh.remote.slave import Slave, new_buffer

MOST = registers.MOST_REGISTERS


def slave(of=None, unit=1, intervals=None):
    reading = Reading(of or meter())
    reading.revision = b"0.10"
    reading.unit = unit
    buf = new_buffer()
    return Slave(Registers(reading, intervals or Slots(), buf), buf, unit)


def ask(to, request):
    """The answer, b"" for silence."""
    if not to.answer(bytearray(request), len(request)):
        return b""
    return bytes(to.buf[to.first : to.first + to.length])


def test_AM_4_what_is_made_from_the_table_is_current():
    """`python -m host.remote.layout_made` makes it anew."""
    assert layout_made.LAYOUT.read_text() == layout_made.layout()
    page = layout_made.PAGE.read_text()
    assert page == layout_made.page(page)
    for name, table in layout_made.page_tables().items():
        assert table in page, name


def test_AM_2_functions_3_and_4_give_the_same_registers():
    to = slave()
    by_3 = words(ask(to, read(0, registers.OWN_WORDS)))
    assert by_3 == words(ask(to, read(0, registers.OWN_WORDS, function=4)), function=4)
    assert by_3[0] == registers.MAP_VERSION


def blocks():
    sunspec = 2 + 2 + sunspec_points.length(1) + 2 + sunspec_points.length(201) + 2
    return (
        (registers.OWN_FIRST, registers.OWN_WORDS),
        (registers.INTERVALS_FIRST, registers.INTERVAL_WORDS * Slots.slots),
        (registers.SUNSPEC_FIRST, sunspec),
    )


def whole(to, first, size):
    found = []
    while size:
        count = min(size, MOST)
        found += words(ask(to, read(first, count)))
        first += count
        size -= count
    return found


@pytest.mark.parametrize("code", ["MDNCT-1SC", "MSNCT-2SC"])
@given(data=st.data())
def test_AM_2_any_start_and_count_cut_the_same_registers(code, data):
    to = slave(meter(code, delivered_wh=123_456_789))
    first, size = data.draw(st.sampled_from(blocks()))
    start = data.draw(st.integers(0, size - 1))
    count = data.draw(st.integers(1, min(MOST, size - start)))
    assert words(ask(to, read(first + start, count))) == whole(to, first, size)[start : start + count]


@given(address=st.integers(0, 0xFFFF), count=st.integers(0, 0xFFFF))
def test_AM_2_exceptions_count_first_then_address(address, count):
    answer = ask(slave(), read(address, count))
    if not 1 <= count <= MOST:
        assert answer == frame(1, 0x83, 3)
    elif not any(first <= address and address + count <= first + size for first, size in blocks()):
        assert answer == frame(1, 0x83, 2)
    else:
        assert len(words(answer)) == count


def test_AM_2_no_function_but_reading_and_identification():
    to = slave()
    for function in range(1, 128):
        answer = ask(to, frame(1, function, 0, 0, 0, 1))
        if function in (3, 4):
            assert len(words(answer, function=function)) == 1
        elif function == 17:  # of another length it is no request
            assert answer == b""
        else:
            assert answer == frame(1, function | 0x80, 1), function


@pytest.mark.parametrize(
    "request_",
    [
        read(0, 1, unit=0),
        read(0, 1, unit=2),
        read(0, 1)[:-1] + b"\x00",
        read(0, 1)[:7],
        read(0, 1) + b"\x00",
        frame(1, 3, 0, 0, 0, 1, 0),
        frame(1, 0x83, 2),
        b"",
        b"\x01",
        bytes(300),
    ],
    ids=["broadcast", "other unit", "checksum", "fragment", "byte too many", "long", "exception", "0", "1", "300"],
)
def test_AM_2_silence(request_):
    assert ask(slave(), request_) == b""


def test_AM_2_a_read_behind_a_glitch_of_the_driver_is_answered():
    assert len(words(ask(slave(), b"\x00" + read(0, 2)))) == 2
    assert ask(slave(), b"\x00" + frame(1, 6, 0, 0, 0, 1)) == b""


@given(st.data())
def test_AM_2_no_answer_of_this_meter_is_a_request_to_it(data):
    """A transceiver that hears itself must not set off a second answer."""
    to = slave()
    bodies = [
        (1, 17),
        (1, 43, 14, 1, 0),
        (1, 43, 14, 4, 0x80),
        (1, 43, 14, 3, 0),
        (1, 43, 13),
        (1, 6, 0, 0),
        (1, 3, 0, 0, 0, 0),
    ]
    request = data.draw(
        st.one_of(
            st.sampled_from([frame(*body) for body in bodies]),
            st.builds(read, st.integers(0, 50), st.integers(1, 70)),
        )
    )
    answer = ask(to, request)
    assert answer and ask(to, answer) == b""


@given(st.binary(min_size=0, max_size=256))
def test_AM_2_noise_is_never_answered(noise):
    if len(noise) >= 4 and crc(noise[:-2]) == noise[-2:]:
        return
    if len(noise) > 8 and crc(noise[-8:-2]) == noise[-2:]:
        return
    assert ask(slave(), noise) == b""


def test_AM_4_every_value_of_the_table_is_what_the_meter_has():
    of = meter(
        delivered_wh=999_999_999,
        delivered_counts=31_999,
        received_wh=17,
        received_counts=16_000,
        rolls=2,
        interval_mw=1_234_567,
        max_mw=2_000_000,
        last_max_mw=1_900_000,
        periods=3,
        edges_10=99_999_999,
        edges_100=5,
        edges_1000=6,
        counter_given=7,
        run_s=1_000_000,
    )
    to = slave(of)
    found = words(ask(to, read(0, registers.OWN_WORDS)))
    said = {register.name: value(register, found) for register in registers.OWN}
    assert said["delivered_mwh"] == 999_999_999_999
    assert said["received_mwh"] == 17_500
    assert said["shown_mw"] == 1_900_000
    assert said["power_mw"] == 900_000
    assert said["l1_mw"] == 1_200_000 and said["l2_mw"] == -300_000
    assert said["l1_pf_milli"] == 1000 and said["l2_pf_milli"] == -250
    assert said["l1_mhz"] == 60_002  # 223,750 / 3729 Hz
    assert said["model_code"] == "MDNCT-1SC" and said["serial"] == "000000000042" and said["date"] == "260131"
    for name in ("delivered_wh", "delivered_counts", "rolls", "edges_10", "edges_100", "counter_given", "run_s"):
        assert said[name] == getattr(of.cycle.state, name), name


@given(wh=st.integers(0, 999_999_999), counts=st.integers(0, 31_999))
def test_AM_4_milliwatthours_are_exact_to_the_end_of_the_register(wh, counts):
    to = slave(meter(delivered_wh=wh, delivered_counts=counts, received_wh=wh, received_counts=counts))
    found = words(ask(to, read(0, registers.OWN_WORDS)))
    said = {register.name: value(register, found) for register in registers.OWN}
    assert said["delivered_mwh"] == said["received_mwh"] == wh * 1000 + counts * 1000 // 32_000


def test_DX_3_AM_4_a_single_element_meter_says_nothing_of_line_2():
    found = words(ask(slave(meter("MSNCT-1SC")), read(0, registers.OWN_WORDS)))
    for register in registers.OWN:
        if register.name.startswith("l2_"):
            assert value(register, found) == registers.NOT_AVAILABLE[register.kind], register.name


def test_DX_6_AM_4_what_a_silent_front_end_does_not_measure_is_not_said():
    of = meter()
    of.elements[0] = element(silent=True)
    found = words(ask(slave(of), read(0, registers.OWN_WORDS)))
    said = {register.name: (register, value(register, found)) for register in registers.OWN}
    for name in ("l1_mv", "l1_mw", "l1_pf_milli", "power_mw"):
        register, got = said[name]
        assert got == registers.NOT_AVAILABLE[register.kind], name
    assert said["l2_mv"][1] == 120_000


@pytest.mark.parametrize(("code", "model"), [("MSNCT-1SC", 201), ("MDNCT-1SC", 202)])
def test_AM_3_the_sunspec_map_is_as_long_as_its_definitions(code, model):
    to = slave(meter(code))
    found = whole(to, *blocks()[2])
    assert found[:4] == [0x5375, 0x6E53, 1, sunspec_points.length(1)] and sunspec_points.length(1) == 66
    at = 4 + 66
    assert found[at : at + 2] == [model, 105]
    assert found[at + 2 + 105 :] == [0xFFFF, 0]


@pytest.mark.parametrize(("code", "model"), [("MSNCT-1SC", 201), ("MDNCT-1SC", 202)])
def test_AM_3_every_mandatory_point_has_a_value_but_the_voltage_between_the_lines(code, model):
    """ID-2: nothing assumes an angle between the lines, and none is measured, so 240, 208 and 0 V look alike."""
    to = slave(meter(code, delivered_wh=5, received_wh=6))
    found = whole(to, *blocks()[2])
    at = 2 + 2 + sunspec_points.length(1) + 2
    without = set()
    for point in sunspec_points.points(model):
        words_ = found[at : at + point.words]
        missing = sunspec_points.NOT_IMPLEMENTED.get(point.kind, 0)
        if point.mandatory and words_ == [missing] * point.words and point.name not in ("AphC", "Evt", "TotWh_SF"):
            without.add(point.name)  # those three are 0, which is their value
        at += point.words
    assert without == ({"PPV", "PhVphAB"} if model == 202 else set())


def test_AM_2_identification_gives_maker_model_revision_and_serial():
    to = slave()
    answer = ask(to, frame(1, 17))
    assert answer[:5] == bytes([1, 17, len(answer) - 5, 1, 0xFF]) and crc(answer[:-2]) == answer[-2:]
    assert answer[5:-2] == b"OpenKh MDNCT-1SC 000000000042 0.10"
    basic = ask(to, frame(1, 43, 14, 1, 0))
    assert basic[2:8] == bytes([14, 1, 0x83, 0, 0, 3])
    assert b"OpenKh" in basic and b"MDNCT-1SC" in basic and b"0.10" in basic and b"000000000042" not in basic
    assert b"\x80\x0c000000000042" in ask(to, frame(1, 43, 14, 3, 0))
    assert ask(to, frame(1, 43, 14, 4, 0x80))[8:-2] == b"\x80\x0c000000000042"
    assert ask(to, frame(1, 43, 14, 4, 0x20)) == frame(1, 43 | 0x80, 2)
    assert ask(to, frame(1, 43, 14, 5, 0)) == frame(1, 43 | 0x80, 3)
    assert ask(to, frame(1, 43, 14, 2, 0))[-5:-2] == b"\x0460Hz"[-3:]
    assert ask(to, frame(1, 43, 13, 0, 0)) == frame(1, 43 | 0x80, 1)


def test_AM_4_a_refusal_is_counted_as_one_and_not_as_an_answer():
    to = slave()
    for request, counts in ((read(0, 1), (1, 0)), (read(0, 0), (1, 1)), (read(9_999, 1), (1, 2)), (read(0, 2), (2, 2))):
        assert ask(to, request)
        assert (to.answered, to.refused) == counts
