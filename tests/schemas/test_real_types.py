"""On the endpoints that fal's JavaScript client has types of; ``python -m tests.schemas.real_types`` prints the whole."""

import os
from collections import Counter

import pytest

from tests.schemas.real_types import TYPES, derive, try_endpoint

EVERY = 1 if os.environ.get("FAL_NB_TEST_SIZE") == "full" else 40

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TYPES.is_file(), reason="npm has not brought @fal-ai/client"),
]


@pytest.fixture(scope="module")
def types(tmp_path_factory):
    return derive(tmp_path_factory.mktemp("types"))


def test_the_types_are_read_whole(types):
    assert len(types.endpoints) > 1000
    assert types.unread == []


def test_checking_completion_forms_and_cells_work_for_every_endpoint_there_is(types):
    counts, exceptions = Counter(), []
    for endpoint in types.endpoints[::EVERY]:
        found, troubles = try_endpoint(types, endpoint)
        counts += found
        exceptions += [f"{endpoint}: {trouble}" for trouble in troubles]
    assert exceptions == []
    assert counts["cells"] >= 4 * len(types.endpoints[::EVERY])
    assert {"choice", "file", "flag", "group", "list", "long text", "number", "size"} <= counts.keys()
