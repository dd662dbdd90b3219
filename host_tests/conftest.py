"""Hypothesis: the same examples in every run, so that a red run is a change of the code. And how many tests at once.

HYPOTHESIS_PROFILE=search looks for new ones; =first stops at the first that fails and seeks no smaller one.
"""

import gc
import os

import pytest
from hypothesis import Phase, settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.register_profile("first", derandomize=True, deadline=None, phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

gc.disable()  # until all tests are known: next to nothing of what is made until then is garbage


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Modules and tests stay: no later collection looks through them again."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)  # ./scripts/bench mutants runs tests without xdist
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: somebody always waits for a time-out, a port or a browser."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


@pytest.fixture
def prompt_here(monkeypatch):
    """host.rigs.prompt_rig.started for a meter in this process (engine_here.py)."""
    import engine_here

    from host.rigs import prompt_rig
    from host.sim import link

    monkeypatch.setattr(link, "_Process", engine_here.Here)
    return prompt_rig.started
