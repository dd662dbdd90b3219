"""A reader that polls each 50 ms sees no torn value; a day of it is in `./scripts/bench --polled-hours 24`."""

import pytest

from host.campaigns.remote import polling


def test_AM_5_EN_1_PO_1_polled_each_50_ms_no_value_is_torn():
    figures = polling.run(1 / 60, seed=2, wire_us=8_000_000)
    assert figures["answers, none torn"] > 1000 and figures["of them over the wire"] > 80
    assert float(figures["delivered, Wh"]) > 0


def test_AM_5_a_torn_value_is_seen_by_the_judge_of_the_polls():
    from boards.virtual.engine.reader import Reader
    from boards.virtual.rp2040.clock import Clock

    told = []
    reader = Reader(Clock(), None, 50_000, polling.request(), polling.FIRST, polling.PLACES, told.append)

    def answer(**changed):
        values = {"delivered_wh": 1000, "counts_per_wh": 32_000, "delivered_mwh": 1_000_000}
        values |= {"edges_10": 100, "edges_100": 10, "edges_1000": 1, **changed}
        data = bytearray(3 + 2 * polling.COUNT)
        for register in polling.registers.OWN:
            if register.name in values:
                at = 3 + 2 * (register.address - polling.FIRST)
                data[at : at + 2 * register.words] = values[register.name].to_bytes(2 * register.words, "big")
        return data

    reader._judge(answer())
    assert told == []
    for changed in ({"delivered_wh": 1001}, {"edges_10": 101}, {"edges_10": 97}, {"received_counts": 32}):
        before = reader.wrong
        reader._judge(answer(**changed))
        assert reader.wrong == before + 1, changed
    before_wh = {"delivered_wh": 999, "delivered_counts": 31_968, "delivered_mwh": 999_999}
    reader._judge(answer(**before_wh, edges_10=99, edges_100=9, edges_1000=0))
    assert "back" in told[-1][2] and len(told) == 5


@pytest.mark.parametrize("name", polling.NAMES)
def test_AM_4_what_is_polled_is_in_one_read(name):
    assert polling.FIRST <= polling.PLACES[name] < polling.FIRST + polling.COUNT <= polling.FIRST + 125
