import os

import pytest

from fal_nb.simulator.server import SimulatorServer

from .refusals import Refusals

TABLE_JOBS = 20
LIVE_SESSIONS = 2
IS_FULL = os.environ.get("FAL_NB_TEST_SIZE") == "full"


@pytest.fixture(scope="session")
def jobs():
    """Return how many jobs each cell has."""
    return 1000 if IS_FULL else TABLE_JOBS


@pytest.fixture(scope="session")
def server():
    with SimulatorServer(runners=5000, speed=200) as server:
        yield server


@pytest.fixture(scope="session")
def refusals():
    refusals = Refusals()
    yield refusals
    refusals.close()


@pytest.fixture
def quick(monkeypatch):
    """Make every wait between two tries a fraction; their proportions and their number stay."""
    monkeypatch.setattr("fal_nb.protocol.retry._BASE_S", 0.01)
    monkeypatch.setattr("fal_nb.protocol.retry._CAP_S", 0.04)
    monkeypatch.setattr("fal_nb.engine.patience._FIRST_S", 0.02)
    monkeypatch.setattr("fal_nb.engine.patience._LONGEST_S", 0.05)
    monkeypatch.setattr("fal_nb.client.follow._FIRST_POLL_S", 0.02)


@pytest.fixture(scope="session")
def live_sessions():
    """Return how many realtime sessions each cell has, each way."""
    return 20 if IS_FULL else LIVE_SESSIONS


@pytest.fixture
def brief(quick, monkeypatch):
    """Make the waits before a connection is tried again briefer still: sessions are held one after another."""
    monkeypatch.setattr("fal_nb.protocol.retry._BASE_S", 0.001)
    monkeypatch.setattr("fal_nb.protocol.retry._CAP_S", 0.002)
