"""The ways of a WebSocket to its server: proxies, certificates, fal's second domain, and where there is none."""

import asyncio
import base64

import httpx
import pytest
from aiohttp import web
from httpx._utils import URLPattern
from hypothesis import given
from hypothesis import strategies as st

import fal_nb
from fal_nb.client.proxies import environment_proxies, proxy_for
from fal_nb.errors import NotSent
from fal_nb.simulator.server import SimulatorServer

SLEEP = "simulator/sleep"
SAID = {"echo": "x", "seconds": 0}


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer() as server:
        yield server


class Proxy:
    """Passes requests on to where their first line says, WebSockets too; remembers the heads."""

    def __init__(self):
        self.heads = []
        self._tasks = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader, writer):
        self._tasks.append(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        url = httpx.URL(head.split(b" ", 2)[1].decode())
        there_reader, there_writer = await asyncio.open_connection(url.host, url.port)
        there_writer.write(head.replace(f"{url.scheme}://{url.host}:{url.port}".encode(), b"", 1))
        await asyncio.gather(_pipe(reader, there_writer), _pipe(there_reader, writer))


async def _pipe(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def test_a_websocket_goes_through_the_proxy_that_the_environment_names(simulator, monkeypatch):
    async with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:pass-word@127.0.0.1:{proxy.port}")
        async with (
            fal_nb.AsyncClient("a:key", base_url=simulator.base_url) as client,
            client.realtime(SLEEP) as connection,
        ):
            await connection.send(SAID)
            assert await connection.recv() == {"echo": "x"}
        token, socket = proxy.heads
        wanted = b"basic " + base64.b64encode(b"user:pass-word").lower()
        assert token.startswith(b"POST http://127.0.0.1:")
        assert b"/ws/simulator/sleep/realtime" in socket
        assert all(wanted in head.lower() for head in proxy.heads)


async def test_where_nothing_listens_nothing_was_sent(monkeypatch):
    monkeypatch.setattr("fal_nb.protocol.retry._BASE_S", 0.001)
    monkeypatch.setattr("fal_nb.protocol.retry._CAP_S", 0.001)
    async with fal_nb.AsyncClient("a:key", base_url="http://127.0.0.1:9") as client:
        with pytest.raises(NotSent, match="cannot connect"):
            await client.realtime(SLEEP, use_jwt=False).open()


async def test_the_second_domain_serves_where_the_first_cannot_be_reached(simulator, monkeypatch):
    monkeypatch.setattr("fal_nb.client.sockets.BACKUPS", {"127.0.0.2": "127.0.0.1"})
    base = simulator.base_url.replace("127.0.0.1", "127.0.0.2")
    async with (
        fal_nb.AsyncClient("a:key", base_url=base) as client,
        client.realtime(SLEEP, use_jwt=False) as connection,
    ):
        await connection.send(SAID)
        assert await connection.recv() == {"echo": "x"}


@pytest.fixture
async def secure(server_tls):
    """A server that speaks TLS and answers every input with itself."""

    async def echo(request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for message in ws:
            await ws.send_bytes(message.data)
        return ws

    app = web.Application()
    app.router.add_get("/ws/me/echo/realtime", echo)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_tls)
    await site.start()
    yield f"https://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    await runner.cleanup()


async def test_a_certificate_is_checked(secure, monkeypatch):
    monkeypatch.setattr("fal_nb.protocol.retry._BASE_S", 0.001)
    monkeypatch.setattr("fal_nb.protocol.retry._CAP_S", 0.001)
    async with fal_nb.AsyncClient("a:key", base_url=secure) as client:
        with pytest.raises(NotSent, match="no secure connection"):
            await client.realtime("me/echo", use_jwt=False).open()


@pytest.mark.usefixtures("trusted_authority")
async def test_a_certificate_of_a_trusted_authority_is_accepted(secure):
    async with (
        fal_nb.AsyncClient("a:key", base_url=secure) as client,
        client.realtime("me/echo", use_jwt=False) as connection,
    ):
        await connection.send({"a": 1})
        assert await connection.recv() == {"a": 1}


NAMES = st.sampled_from(["example.com", ".example.com", "api.example.com", "localhost", "10.0.0.1", "other.org:8080"])
HOSTS = st.sampled_from(["example.com", "api.example.com", "notexample.com", "localhost", "10.0.0.1", "other.org"])


@given(
    st.fixed_dictionaries({}, optional={name: st.just(f"http://{name}.proxy") for name in ("http", "https", "all")}),
    st.lists(NAMES, max_size=3),
    st.sampled_from(["ws", "wss"]),
    HOSTS,
    st.sampled_from(["", ":8080"]),
)
def test_a_websocket_has_the_proxy_that_httpx_takes_for_the_request_it_begins_as(
    proxies, exceptions, scheme, host, port
):
    mounts = environment_proxies({**proxies, "no": ",".join(exceptions)})
    url = httpx.URL(f"{scheme.replace('ws', 'http')}://{host}{port}/x")
    patterns = sorted((URLPattern(pattern), proxy) for pattern, proxy in mounts.items())
    expected = next((proxy for pattern, proxy in patterns if pattern.matches(url)), None)
    assert proxy_for(f"{scheme}://{host}{port}/x", mounts) == expected
