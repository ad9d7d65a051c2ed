import pytest

import fal_nb as fal
from fal_nb.simulator.server import SimulatorServer
from fal_nb.workbench import current


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=4, speed=20) as server:
        yield server


@pytest.fixture
def api(simulator, tmp_path, monkeypatch):
    """The module's functions on a session of this test's own."""
    monkeypatch.setenv("FAL_NB_BASE_URL", simulator.base_url)
    monkeypatch.setenv("FAL_NB_HOME", str(tmp_path / "home"))
    current().close()
    current.forget()
    yield fal
    current().close()
    current.forget()


@pytest.fixture
def calls(api):
    """Four calls: two prompts, two seeds."""
    jobs = [
        api.submit("fal-ai/flux/schnell", {"prompt": prompt, "seed": seed, "image_size": "square"})
        for prompt in ("a fox", "an owl")
        for seed in (9, 10)
    ]
    api.wait(jobs, timeout=60)
    return api.history()
