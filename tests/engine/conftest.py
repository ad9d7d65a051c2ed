import time

import pytest

from fal_nb.engine.session import Session
from fal_nb.simulator.server import SimulatorServer


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=4, speed=20) as server:
        yield server


@pytest.fixture
def session(simulator, tmp_path):
    simulator.clear_faults()
    session = Session(base_url=simulator.base_url, home=tmp_path / "home")
    yield session
    session.close()


@pytest.fixture
def wait_for():
    def wait(condition, timeout_s=20.0):
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.005)
        return value

    return wait
