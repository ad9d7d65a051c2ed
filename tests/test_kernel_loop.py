import asyncio

import pytest

from fal_nb import kernel_loop
from fal_nb.errors import ConfigError

VERSIONS = "fal_nb.kernel_loop._version"


@pytest.fixture(autouse=True)
def nothing_lent():
    assert kernel_loop.lent() is None
    yield
    assert kernel_loop.lent() is None


def test_where_no_loop_runs_there_is_none_to_lend():
    with pytest.raises(ConfigError, match="needs a kernel whose cells run on an event loop"):
        kernel_loop.lend()


async def test_the_package_that_loses_clicks_on_a_newer_kernel_is_refused_before_it_is_imported(monkeypatch):
    monkeypatch.setattr(VERSIONS, {"ipykernel": "7.4.0", "nest_asyncio": "1.6.0"}.get)
    monkeypatch.setattr("importlib.import_module", lambda name: pytest.fail(f"{name} was imported"))
    with pytest.raises(ConfigError, match=r"ipykernel 7\.4\.0 needs nest_asyncio2 .*%pip install nest_asyncio2"):
        kernel_loop.lend()
    assert not hasattr(asyncio, "_nest_patched")


@pytest.mark.parametrize(
    ("versions", "package"),
    [
        ({"ipykernel": "6.29.5", "nest_asyncio": "1.6.0"}, "nest_asyncio"),
        ({"ipykernel": "7.4.0", "nest_asyncio": "1.6.0", "nest_asyncio2": "1.7.4"}, "nest_asyncio2"),
        ({"nest_asyncio": "1.6.0"}, "nest_asyncio"),
    ],
)
def test_the_kept_fork_is_taken_where_it_is_there(monkeypatch, versions, package):
    monkeypatch.setattr(VERSIONS, versions.get)
    assert kernel_loop._choose() == package


def test_waiting_outside_a_lent_loop_is_left_to_whoever_waits():
    kernel_loop.turn_until(lambda: pytest.fail("it was looked at"))


async def test_what_a_users_function_returned_is_awaited_where_it_is_asked_for():
    async def answer():
        return asyncio.get_running_loop()

    assert await kernel_loop.finished(answer()) is asyncio.get_running_loop()
