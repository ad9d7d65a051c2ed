import pytest

from fal_nb.simulator.server import SimulatorServer


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=4, speed=20) as server:
        yield server


@pytest.fixture
def environ(simulator, monkeypatch):
    """What a program started by a test gets: a home of its own, and the simulator to call."""
    monkeypatch.setenv("FAL_NB_BASE_URL", simulator.base_url)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
