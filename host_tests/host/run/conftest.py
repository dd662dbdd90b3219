import pytest
from fake_engine import FakeEngine

from host.sim import link


@pytest.fixture
def engines(monkeypatch):
    """Every engine that a test starts, in order."""
    started = []

    def start(engine, config):
        started.append(FakeEngine(engine, config))
        return started[-1]

    monkeypatch.setattr(link, "Link", start)
    return started
