"""Which URL goes through which proxy."""

import httpx
import pytest
from httpx._utils import get_environment_proxies

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.proxies import environment_proxies
from fal_nb.errors import ConfigError

NEAR = "http://127.0.0.1:3128"
FAR = "http://proxy.corp.example:3128"

ENVIRONMENTS = [
    {},
    {"HTTP_PROXY": NEAR},
    {"HTTPS_PROXY": "127.0.0.1:3128"},
    {"ALL_PROXY": NEAR},
    {"HTTP_PROXY": NEAR, "HTTPS_PROXY": "http://localhost:1", "NO_PROXY": "*"},
    {"ALL_PROXY": NEAR, "NO_PROXY": "localhost, fal.run,.corp.example"},
    {"ALL_PROXY": NEAR, "NO_PROXY": "10.0.0.1,::1,10.1.0.0/16"},
    {"ALL_PROXY": NEAR, "NO_PROXY": "https://fal.run,http://fal.run:8080,"},
]


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=str)
def test_the_environment_means_what_it_means_to_httpx(monkeypatch, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    expected = get_environment_proxies()
    assert environment_proxies() == (expected if any(expected.values()) else {})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/x", "http://localhost:8000/x", "http://[::1]:8000/"])
def test_a_proxy_elsewhere_is_never_asked_for_this_machine(url):
    proxies = environment_proxies({"all": FAR})
    mounts = {
        pattern: httpx.MockTransport(lambda request: None) if proxy else None for pattern, proxy in proxies.items()
    }
    with httpx.Client(mounts=mounts, trust_env=False) as client:
        assert client._transport_for_url(httpx.URL(url)) is client._transport
        assert client._transport_for_url(httpx.URL("http://127.0.0.1.example/")) is not client._transport


def test_a_proxy_here_is_asked_for_this_machine_as_with_httpx():
    assert environment_proxies({"http": NEAR}) == {"http://": NEAR}


def test_a_kind_of_proxy_that_is_not_supported_is_named():
    with pytest.raises(ConfigError, match="socks5 proxies are not supported"):
        environment_proxies({"all": "socks5://me:password@127.0.0.1:1"})


async def test_a_variable_that_cannot_be_read_is_refused_without_its_password(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:port")
    async with AsyncClient("id:secret") as client:
        with pytest.raises(ConfigError, match="HTTPS_PROXY") as caught:
            await client.submit("a/b", {})
    assert "hunter2" not in str(caught.value)


async def test_calls_go_through_the_proxy_of_the_environment(monkeypatch, server, make_wire, kit):
    async def proxy(request, writer):
        return kit.Reply(200, {"request_id": "via-proxy"})

    wire = await make_wire(proxy)
    monkeypatch.setenv("HTTP_PROXY", wire.base)
    async with AsyncClient("id:secret", base_url=server.base) as client:
        handle = await client.submit("a/b", {})
    assert handle.request_id == "via-proxy"
    assert [request.target for request in wire.requests] == [f"{server.base}/queue/a/b"]
    assert server.requests == []


async def test_no_proxy_leads_past_it(monkeypatch, server, make_wire, kit):
    async def proxy(request, writer):
        return kit.Reply(500, b"")

    wire = await make_wire(proxy)
    monkeypatch.setenv("HTTP_PROXY", wire.base)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with AsyncClient("id:secret", base_url=server.base) as client:
        await client.submit("a/b", {})
    assert (len(wire.requests), len(server.requests)) == (0, 1)
