"""A hostile server, a bait that nobody may take, and a session on a home of its own."""

import os
from pathlib import Path

import pytest

from .server import Bait, HostileServer


@pytest.fixture(scope="module")
def bait():
    bait = Bait()
    yield bait
    bait.close()


@pytest.fixture(scope="module")
def server(bait):
    with HostileServer(bait.url) as server:
        yield server


@pytest.fixture(scope="module")
def small_disk():
    """Downloads end after 2 MiB and answers after 16, and nobody rests between tries: what is endless ends soon."""
    from fal_nb.client import http
    from fal_nb.client.download import Downloader
    from fal_nb.engine import patience

    first, patience._FIRST_S = patience._FIRST_S, 0.05
    backoff, http.backoff_s = http.backoff_s, lambda *_, **__: 0.01
    most, http.MAX_BODY_BYTES = http.MAX_BODY_BYTES, 16 * 1024 * 1024

    given = Downloader.download.__kwdefaults__
    before = dict(given)
    given["max_bytes"] = 2 * 1024 * 1024
    yield
    given.update(before)
    http.MAX_BODY_BYTES, http.backoff_s, patience._FIRST_S = most, backoff, first


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder that holds everything a test may touch: home, working folder, where things are saved."""
    folder = tmp_path_factory.mktemp("world")
    before = Path.cwd()
    for name in ("home", "work", "out"):
        (folder / name).mkdir()
    os.chdir(folder / "work")
    yield folder
    os.chdir(before)
