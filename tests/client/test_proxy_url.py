"""The proxy protocol of fal's JavaScript client over real sockets: the proxy holds the key, nothing else sees one."""

import json

import httpx
import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.parts import PARTS_ABOVE_BYTES
from fal_nb.errors import FalClientHTTPError
from fal_nb.protocol.urls import Hosts
from fal_nb.settings import Settings

ENDPOINT = "fal-ai/flux/dev"
TARGET = "x-fal-target-url"
TOKEN = {"token": "t", "token_type": "Bearer", "expires_at": "2999-01-01T00:00:00+00:00"}


@pytest.fixture
async def cdn(make_wire, kit):
    """A file service elsewhere, on which nothing but uploads arrive; it keeps what it is sent."""

    async def answer(request, writer):
        if request.path.endswith("/multipart"):
            return kit.Reply(200, {"access_url": f"{made.base}/files/x", "uploadId": "u1"})
        return kit.Reply(200, {"access_url": f"{made.base}/files/x"}, {"etag": "e"})

    made = await make_wire(answer)
    return made


@pytest.fixture
async def proxy(make_wire, kit, cdn):
    """A proxy that answers in place of the service its target names."""

    async def answer(request, writer):
        target = request.headers.get(TARGET, "")
        if "/auth/token" in target:
            return kit.Reply(200, TOKEN)
        if "/upload/initiate" in target:
            return kit.Reply(200, {"upload_url": f"{cdn.base}/put?sig=1", "file_url": f"{cdn.base}/files/y"})
        if target.endswith("/stream"):
            return kit.Reply(200, b'data: {"n": 1}\n\ndata: {"n": 2}\n\n', {"content-type": "text/event-stream"})
        return kit.Reply(403, {"detail": "not through here"})

    return await make_wire(answer)


@pytest.fixture
async def client(proxy, cdn, tmp_path):
    """A client that has a key in its settings, which a proxied one has not, and shows it to nobody even so."""
    hosts = Hosts(cdn=cdn.base)
    settings = Settings("proxy", hosts, tmp_path, "a test", key="id:secret", proxy_url=f"{proxy.base}/api/fal/proxy")
    async with AsyncClient(settings=settings) as made:
        yield made


def targets(proxy):
    assert {request.path for request in proxy.requests} == {"/api/fal/proxy"}
    return [(request.method, request.headers[TARGET]) for request in proxy.requests]


def assert_no_key(*wires):
    for wire in wires:
        for request in wire.requests:
            assert "secret" not in json.dumps(request.headers)


async def test_a_stream_goes_through_the_proxy_with_its_target_and_no_key(client, proxy, cdn):
    assert [event async for event in client.stream(ENDPOINT, {"prompt": "x"})] == [{"n": 1}, {"n": 2}]
    assert targets(proxy) == [("POST", f"https://fal.run/{ENDPOINT}/stream")]
    (request,) = proxy.requests
    assert request.json() == {"prompt": "x"}
    assert request.headers["accept"] == "text/event-stream"
    assert "authorization" not in request.headers
    assert_no_key(proxy, cdn)


async def test_an_uploads_token_comes_through_the_proxy_and_its_bytes_go_straight_to_the_cdn(client, proxy, cdn):
    assert await client.upload(b"hello", "text/plain", "a.txt") == f"{cdn.base}/files/x"
    assert targets(proxy) == [("POST", "https://rest.fal.ai/storage/auth/token?storage_type=fal-cdn-v3")]
    (sent,) = cdn.requests
    assert (sent.body, sent.headers["authorization"]) == (b"hello", "Bearer t")
    assert TARGET not in sent.headers
    assert "authorization" not in proxy.requests[0].headers
    assert_no_key(proxy, cdn)


async def test_parts_go_straight_to_the_cdn_as_well(client, proxy, cdn, tmp_path):
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(PARTS_ABOVE_BYTES + 1)
    assert await client.upload_file(large) == f"{cdn.base}/files/x"
    assert [method for method, _ in targets(proxy)] == ["POST"]
    assert cdn.count("PUT") == 11
    assert all(TARGET not in request.headers for request in cdn.requests)
    assert_no_key(proxy, cdn)


async def test_a_signed_url_is_asked_for_through_the_proxy_and_gets_neither_key_nor_target(
    client, proxy, cdn, monkeypatch
):
    # The signed URL of this test is on this machine, which a proxied client would refuse.
    monkeypatch.setattr("fal_nb.client.storage.is_public_only", lambda _http, _url: False)
    assert await client.upload(b"hello", "text/plain", repository="fal") == f"{cdn.base}/files/y"
    assert targets(proxy) == [("POST", "https://rest.fal.ai/storage/upload/initiate?storage_type=gcs")]
    assert proxy.requests[0].json() == {"file_name": "upload.bin", "content_type": "text/plain"}
    (sent,) = cdn.requests
    assert (sent.method, sent.body, sent.target) == ("PUT", b"hello", "/put?sig=1")
    assert not {"authorization", TARGET} & sent.headers.keys()
    assert_no_key(proxy, cdn)


async def test_a_refusal_by_the_proxy_is_an_error_of_the_call(client, proxy):
    with pytest.raises(FalClientHTTPError, match="not through here") as caught:
        await client.submit(ENDPOINT, {"prompt": "x"})
    assert isinstance(caught.value.response, httpx.Response)
    assert targets(proxy) == [("POST", f"https://queue.fal.run/{ENDPOINT}")]
