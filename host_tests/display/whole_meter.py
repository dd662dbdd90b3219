"""The whole meter on the virtual board, for tests that look at its glass only."""

from host import scenario
from host.link import start
from host.session import Session, Setup
from openkh.model import Model


def watch(text, seconds, engine="micropython"):
    """Run a scenario (TOML text) and return its report."""
    plan = scenario.parse(text, "test")
    model = Model(plan.model or "MDNCT-1SC", plan.service or "60Hz")
    session = Session(Setup(model, plan.source(model), engine, plan.seed, plan.board), start)
    try:
        session.advance(round(seconds * 1e6))
        return session.report()
    finally:
        session.close()


def said(report, start_s, end_s):
    """What the glass says from `start_s` to `end_s`: the record in force at the start, and each change until then."""
    records = report["lcd"]
    before = [r for r in records if r["t_s"] <= start_s][-1:]
    return before + [r for r in records if start_s < r["t_s"] < end_s]
