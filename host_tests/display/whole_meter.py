"""The whole meter on the virtual board, for tests that look at its glass only."""

from host.rigs import trial


def watch(text, seconds, engine="micropython"):
    """Run a scenario (TOML text) and return its report."""
    return trial.run(text, seconds, engine, window_s=seconds).report


def said(report, start_s, end_s):
    """What the glass says from `start_s` to `end_s`: the record in force at the start, and each change until then."""
    records = report["lcd"]
    before = [r for r in records if r["t_s"] <= start_s][-1:]
    return before + [r for r in records if start_s < r["t_s"] < end_s]
