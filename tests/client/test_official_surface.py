"""Code written for the official client finds the same names, keywords and defaults."""

import inspect

import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.handle import AsyncRequestHandle

fal_client = pytest.importorskip("fal_client")


@pytest.mark.parametrize(
    ("ours", "theirs", "name"),
    [
        *[
            (AsyncClient, fal_client.AsyncClient, name)
            for name in (
                "run",
                "submit",
                "subscribe",
                "get_handle",
                "status",
                "result",
                "cancel",
                "stream",
                "upload",
                "upload_file",
            )
        ],
        *[
            (AsyncRequestHandle, fal_client.AsyncRequestHandle, name)
            for name in ("from_request_id", "status", "iter_events", "get", "cancel")
        ],
        (AsyncClient, fal_client.AsyncClient, "__init__"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names_keywords_and_defaults_are_the_official_clients(ours, theirs, name):
    here = inspect.signature(getattr(ours, name)).parameters
    for parameter in inspect.signature(getattr(theirs, name)).parameters.values():
        assert parameter.name in here
        assert here[parameter.name].kind == parameter.kind
        assert here[parameter.name].default == parameter.default
