import functools

import pytest

from fal_nb.schemas.openapi import read_schema
from fal_nb.simulator.endpoints.registry import Registry
from fal_nb.simulator.openapi import openapi_document


@functools.cache
def _registry():
    return {endpoint.endpoint_id: endpoint for endpoint in Registry()}


@pytest.fixture(scope="session")
def schema_of():
    """Return a function that gives the schema of a simulated endpoint, read from its document."""

    @functools.cache
    def schema(endpoint):
        return read_schema(endpoint, openapi_document(_registry()[endpoint], "http://127.0.0.1:1"))

    return schema


@pytest.fixture(scope="session")
def simulated():
    """Every simulated endpoint by its id."""
    return _registry()
