import functools
import time

import pytest

from fal_nb.engine.session import Session
from fal_nb.schemas.openapi import read_schema
from fal_nb.simulator.endpoints.registry import Registry
from fal_nb.simulator.openapi import openapi_document
from fal_nb.simulator.server import SimulatorServer
from fal_nb.sweeps.inputs import Surroundings
from fal_nb.sweeps.plan_text import read_plan


@functools.cache
def all_schemas():
    return {
        endpoint.endpoint_id: read_schema(endpoint.endpoint_id, openapi_document(endpoint, "http://127.0.0.1:1"))
        for endpoint in Registry()
    }


@pytest.fixture(scope="session")
def schemas():
    """Endpoint → schema, of everything that is simulated."""
    return all_schemas()


@pytest.fixture(scope="session")
def plan_of(schemas):
    """Return a function that reads a plan's text for flux/dev, or the endpoint given, with its schema known."""

    def read(text, endpoint="fal-ai/flux/dev", **notebook):
        return read_plan(text, endpoint, Surroundings(schemas, notebook))

    return read


@pytest.fixture(scope="session")
def error_of(plan_of):
    """Return a function that gives the one line said of a text that is no plan."""

    def error(text, endpoint="fal-ai/flux/dev", **notebook):
        with pytest.raises(ValueError) as caught:
            plan_of(text, endpoint, **notebook)
        assert len(str(caught.value).splitlines()) == 1
        return str(caught.value)

    return error


@pytest.fixture
def wait_for():
    def wait(condition, timeout_s=20.0):
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.01)
        return value

    return wait


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=8, speed=40) as server:
        yield server


@pytest.fixture
def open_session(simulator, tmp_path):
    """Return a function that opens another session of the same home; the simulator is as new."""
    sessions = []

    def start():
        sessions.append(Session(base_url=simulator.base_url, home=tmp_path / "home", notify=lambda line: None))
        return sessions[-1]

    simulator.reset()
    yield start
    for session in sessions:
        session.close()


@pytest.fixture
def session(open_session):
    return open_session()
