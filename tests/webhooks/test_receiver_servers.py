"""The receiver under servers and in other applications."""

import asyncio

import httpx
import pytest

from fal_nb.errors import ConfigError
from fal_nb.webhooks.receiving import receiver

from .desk import BASE


async def test_a_start_that_fails_says_why(tmp_path, jwks):
    (tmp_path / "home").write_text("a file")
    app = receiver(home=tmp_path / "home", base_url=BASE, jwks_url=jwks.url)
    sent = asyncio.Queue()

    async def started():
        return {"type": "lifespan.startup"}

    await app({"type": "lifespan"}, started, sent.put)
    message = await sent.get()
    assert message["type"] == "lifespan.startup.failed"
    assert "FAL_NB_HOME" in message["message"]


async def test_websockets_are_closed(desk):
    sent = []

    async def send(message):
        sent.append(message)

    await desk.app({"type": "websocket", "path": "/"}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1003}]


async def test_it_can_be_mounted_in_another_application(desk):
    from starlette.applications import Starlette
    from starlette.routing import Mount

    app = Starlette(routes=[Mount("/hooks/fal", app=desk.app)])
    desk.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://receiver")
    number = desk.record()
    assert (await desk.deliver(path="/hooks/fal/")).json() == {"status": "taken"}
    await desk.settled(number)


def test_addresses_are_checked_at_once(tmp_path):
    for options in ({"jwks_url": "http://elsewhere.example/"}, {"base_url": "http://elsewhere.example"}):
        with pytest.raises(ConfigError):
            receiver(home=tmp_path, **options)


def test_no_module_hides_a_public_name():
    """``uvicorn fal_nb.webhooks:receiver`` must find the function, whatever was imported before."""
    import importlib
    import pkgutil

    import fal_nb.webhooks as room

    modules = {module.name for module in pkgutil.iter_modules(room.__path__)}
    for name in modules:
        importlib.import_module(f"fal_nb.webhooks.{name}")
    assert not modules & set(room.__all__)
    assert all(callable(getattr(room, name)) for name in room.__all__)
