"""fal's second domains: asked once where no connection to the first could be made, and never after one was."""

import httpx
import pytest

from fal_nb.client import transport
from fal_nb.client.transport import FalTransport, TransportFailure


@pytest.fixture
def backed(monkeypatch, server):
    """The server's address under a name that nothing listens at, backed by the one where it does."""
    monkeypatch.setattr(transport, "BACKUPS", {"127.0.0.2": "127.0.0.1"})
    return f"http://127.0.0.2:{server.port}"


async def test_a_post_goes_to_the_second_domain_with_its_key_and_body(server, backed):
    async with httpx.AsyncClient(transport=FalTransport()) as client:
        answer = await client.post(
            f"{backed}/queue/fal-ai/flux/dev", json={"a": 1}, headers={"authorization": "Key a:b"}
        )
    assert answer.status_code == 200
    (request,) = server.requests
    assert request.json() == {"a": 1}
    assert request.headers["authorization"] == "Key a:b"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"


async def test_a_connection_that_was_made_is_the_last(server, backed, kit, monkeypatch):
    monkeypatch.setattr(transport, "BACKUPS", {"127.0.0.1": "127.0.0.1"})
    server.script("POST", "/queue", kit.reset_step)
    async with httpx.AsyncClient(transport=FalTransport()) as client:
        with pytest.raises(TransportFailure) as caught:
            await client.post(f"{server.base}/queue/fal-ai/flux/dev", json={})
    assert caught.value.sent
    assert len(server.requests) == 1


async def test_where_neither_answers_the_first_failure_is_told(monkeypatch, server):
    port = server.port
    await server.stop()
    monkeypatch.setattr(transport, "BACKUPS", {"127.0.0.2": "127.0.0.3"})
    async with httpx.AsyncClient(transport=FalTransport()) as client:
        with pytest.raises(TransportFailure, match=r"127\.0\.0\.2") as caught:
            await client.post(f"http://127.0.0.2:{port}/x", json={})
    assert not caught.value.sent


async def test_a_reset_at_the_second_domain_may_have_arrived(server, backed, kit):
    server.script("POST", "/queue", kit.reset_step)
    async with httpx.AsyncClient(transport=FalTransport()) as client:
        with pytest.raises(TransportFailure) as caught:
            await client.post(f"{backed}/queue/fal-ai/flux/dev", json={})
    assert caught.value.sent


async def test_other_hosts_have_no_second_domain(server):
    async with httpx.AsyncClient(transport=FalTransport()) as client:
        with pytest.raises(TransportFailure):
            await client.get(f"http://127.0.0.2:{server.port}/x")
    assert server.requests == []


def test_the_domains_are_fals():
    assert transport.BACKUPS == {"fal.run": "falrun.com", "queue.fal.run": "queue.falrun.com"}
