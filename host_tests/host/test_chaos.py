"""Random scenarios of the whole meter: a few seeds each day (./scripts/bench --chaos takes any number), and whether the
rules find what is wrong."""

import copy
from dataclasses import replace

import pytest

from host.benchmark import campaigns
from host.benchmark import command as bench
from host.campaigns.chaos import campaign as chaos
from host.campaigns.chaos.cases import make
from host.campaigns.chaos.rules import Rules
from host.sim.session import FirmwareError
from host_tests.host.here import Here

# Between them both memories, all displays, cuts, dips and brown-outs, and faults of every part.
SEEDS = (14, 18, 57, 77, 78, 86)


@pytest.mark.parametrize("seed", SEEDS)
def test_EN_2_ST_1_PO_4_CO_2_DX_6_whatever_happens(seed):
    assert chaos.judge(make(seed)) == []


def test_a_random_scenario_gives_the_same_report_on_every_engine():
    assert chaos.compare(make(40)) == []


@pytest.fixture(scope="module")
def seen():
    """A run in which nothing is broken."""
    return chaos.run(make(79))


def test_a_case_is_the_same_for_ever():
    """A seed that was told of must give the same case again."""
    assert make(7).text() == make(7).text()
    assert [incident.what for incident in make(362).incidents] == SEED_362


SEED_362 = ["load", "cpu stall", "bulk_sense flicker", "cpu hang", "cpu hang", "bulk_sense drift", "bulk_sense flicker"]


def spoil_register(seen):
    whole, part = seen.report["register"]["delivered_wh"].split(".")
    seen.report["register"]["delivered_wh"] = f"{int(whole) + 10}.{part}"


def spoil_received(seen):
    for snap, _ in seen.looks:
        snap["register"]["received_wh"] = "999.000000"


def spoil_pulses(seen):
    seen.report["pulses"]["10"] += 1


def spoil_counter(seen):
    seen.report["counter"]["counts"] += 1


def spoil_edge(seen):
    at = next(n for n, (_, signal, level) in enumerate(seen.edges) if signal == "opto100" and level)
    seen.edges.insert(at + 1, (seen.edges[at][0] + 20_000, "opto100", 0))


def spoil_glass(seen):
    seen.looks[-1][0]["lcd"]["lit"] = []


def spoil_failure(seen):
    seen.report["lcd"].append({"t_s": 1.0, "text": "FAIL 02"})


def spoil_looks(seen):
    seen.looks[-1][0]["register"]["delivered_wh"] = "0.000000"


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (spoil_register, "EN-2 end"),
        (spoil_received, "ST-1 more than measured"),
        (spoil_pulses, "PO-4 10 Wh"),
        (spoil_counter, "CO-2 counter"),
        (spoil_edge, "PO-3 opto100"),
        (spoil_glass, "LC blank"),
        (spoil_failure, "DX-6 failure"),
        (spoil_looks, "EN-1 decreases"),
    ],
)
def test_a_rule_that_is_broken_is_found(seen, spoil, rule):
    assert Rules(make(79), seen).broken() == []
    spoilt = copy.deepcopy(replace(seen, source=None))
    spoilt.source = seen.source
    spoil(spoilt)
    assert rule in [text.split(":")[0] for text in Rules(make(79), spoilt).broken()]


def test_the_smallest_case_that_breaks_the_same_rule():
    def check(case):
        what = [incident.what for incident in case.incidents]
        return ["EN-2 end: 5"] if "cut" in what else ["other: 1"] if "load" in what else []

    smallest = chaos.shrink(next(c for c in map(make, range(1, 99)) if check(c) == ["EN-2 end: 5"]), check)
    assert [incident.what for incident in smallest.incidents] == ["cut"]
    assert smallest.board == {} and smallest.config == {"jitter_us": 0, "interleave": False, "ticks_offset_us": 0}


def test_the_campaign_tells_each_seed_that_breaks_a_rule_and_how_to_repeat_it(monkeypatch, capsys):
    monkeypatch.setattr(chaos, "judged", lambda case: (["EN-2 end: 3 missing"] if case.seed == 602 else [], {}))
    monkeypatch.setattr(campaigns, "spread_out", lambda job, *_: job(Here()))
    assert bench.main(["--chaos", "601-603"]) == 1
    out, err = capsys.readouterr()
    assert "seed 602: load, " in err and "EN-2 end: 3 missing" in err and "seed 601" not in err
    assert "again: ./scripts/bench --chaos 602-602 --shrink" in err
    assert chaos.BROKEN in out
    monkeypatch.setattr(chaos, "judged", lambda _: ([], {"register": 1}))
    assert bench.main(["--chaos", "3"]) == 0


def test_a_seed_in_twenty_runs_on_every_engine(monkeypatch, capsys):
    monkeypatch.setattr(chaos, "judged", lambda _: ([], {"register": 1}))
    monkeypatch.setattr(chaos, "compare", lambda case, want: [f"wasm: {[*want]} differs in {case.seed}"])
    rows = {what: value for what, value, _ in chaos.campaign(Here(), range(1, 45))}
    assert rows[chaos.BROKEN] == 2 and "wasm: ['register'] differs in 20" in capsys.readouterr().err


def test_a_firmware_that_fails_breaks_a_rule(monkeypatch):
    def failed(*_):
        raise FirmwareError(5_000_000, "ValueError: no")

    monkeypatch.setattr(chaos, "run", failed)
    assert chaos.judge(make(1)) == ["firmware: after 5.0 simulated seconds: ValueError: no"]
