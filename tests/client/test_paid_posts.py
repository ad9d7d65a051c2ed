"""POSTs that start billable work, under every fault of the network, through the real transport."""

import asyncio
import socket

import httpx
import pytest
import trustme
from httpx_aiohttp import AiohttpTransport

from fal_nb.client.async_client import AsyncClient
from fal_nb.errors import (
    FalClientHTTPError,
    NotSent,
    RateLimitedError,
    ServerError,
    SubmissionUnknown,
)

ENDPOINT = "fal-ai/flux/dev"
LARGE = {"prompt": "x" * 8_000_000}

AFTER_SENDING = [
    f"{how} {stage}"
    for how in ("reset", "end")
    for stage in ("after the headers", "after half the body", "after the whole body")
]
BROKEN_REPLIES = {
    "half a status line": b"HTTP/1.1 20",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Len",
    "head without body": b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n",
    "half a reply": b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\nX-Fal-Request-Id: early-1\r\n\r\n{"request_id": "abc',
    "half a chunk": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"req',
    "garbage": b"\x16\x03\x01 what is this\r\n\r\n",
    "a garbage length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
    "broken gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
}
UNUSABLE_ANSWERS = {
    "text": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "no body": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "not an object": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "no request id": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a number as request id": b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"request_id": 7}',
}
GATEWAY = b"HTTP/1.1 %d X\r\nContent-Type: text/html\r\nContent-Length: 32\r\n\r\n<html><h1>nginx</h1></html>     "


async def submit_to(base, arguments=None, **options):
    async with AsyncClient("id:secret", base_url=base, **options) as client:
        return await client.submit(ENDPOINT, arguments or {"prompt": "a red fox"})


async def assert_unknown(faulty, arguments=None):
    with pytest.raises(SubmissionUnknown, match="not sent") as caught:
        await submit_to(faulty.base, arguments)
    assert faulty.posts == 1
    assert caught.value.endpoint == ENDPOINT
    return caught.value


@pytest.mark.parametrize("fault", AFTER_SENDING)
async def test_a_post_that_breaks_off_is_sent_once_and_its_fate_unknown(make_faulty, fault):
    await assert_unknown(await make_faulty(fault), LARGE if "half" in fault else None)


@pytest.mark.parametrize("reply", BROKEN_REPLIES.values(), ids=BROKEN_REPLIES)
async def test_a_post_with_a_broken_reply_is_sent_once_and_its_fate_unknown(make_faulty, reply):
    await assert_unknown(await make_faulty(reply))


@pytest.mark.parametrize("reply", UNUSABLE_ANSWERS.values(), ids=UNUSABLE_ANSWERS)
async def test_a_success_that_names_no_request_leaves_the_fate_unknown(make_faulty, reply):
    await assert_unknown(await make_faulty(reply))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_an_error_page_of_the_gateway_leaves_the_fate_unknown(make_faulty, status):
    error = await assert_unknown(await make_faulty(GATEWAY % status))
    assert str(status) in str(error)


async def test_json_of_a_gateway_is_not_taken_for_fals_own(server, client, kit):
    server.script("POST", "/queue", kit.Reply(502, {"message": "Bad gateway"}))
    with pytest.raises(SubmissionUnknown, match="502"):
        await client.submit(ENDPOINT, {})
    assert server.count("POST") == 1


async def test_the_request_id_of_an_answer_that_broke_off_is_kept(make_faulty):
    error = await assert_unknown(await make_faulty(BROKEN_REPLIES["half a reply"]))
    assert error.request_id == "early-1"
    assert "early-1" in str(error)


async def test_silence_leaves_the_fate_unknown(make_wire):
    async def silence(request, writer):
        await asyncio.Event().wait()

    wire = await make_wire(silence)
    with pytest.raises(SubmissionUnknown, match="in time"):
        await submit_to(wire.base, default_timeout=0.2)
    assert wire.count("POST") == 1


async def test_a_server_that_reads_no_further_leaves_the_fate_unknown(kit):
    writers = []

    async def stop_reading(reader, writer):
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()

    server = await asyncio.start_server(stop_reading, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(SubmissionUnknown, match="in time"):
        await submit_to(base, {"prompt": "x" * 50_000_000}, default_timeout=0.4)
    assert len(writers) == 1
    server.close()
    kit.reset(writers[0])
    await server.wait_closed()


@pytest.mark.parametrize("status", [500, 503, 504])
@pytest.mark.parametrize("body", [{"detail": "no runner", "error_type": "x"}, b"no runner"], ids=["json", "text"])
async def test_an_error_that_fal_itself_wrote_is_definite(server, client, kit, status, body):
    server.script("POST", "/queue", kit.Reply(status, body, {"x-fal-request-id": "r-1"}))
    with pytest.raises(ServerError, match="no runner") as caught:
        await client.submit(ENDPOINT, {})
    assert (caught.value.request_id, caught.value.endpoint) == ("r-1", ENDPOINT)
    assert server.count("POST") == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 422])
async def test_a_refused_post_is_not_repeated(server, client, kit, status):
    server.script("POST", "/queue", kit.Reply(status, {"detail": "no"}))
    with pytest.raises(FalClientHTTPError) as caught:
        await client.submit(ENDPOINT, {})
    assert caught.value.status_code == status
    assert server.count("POST") == 1


async def test_a_post_refused_with_429_is_sent_again_when_the_server_says(server, client, kit, recorded_pauses):
    waited = recorded_pauses(client)
    server.script(
        "POST",
        "/queue",
        kit.Reply(429, {"detail": "slow down"}, {"retry-after": "7"}),
        kit.Reply(429, {"detail": "slow down", "retry_after": 3}),
    )
    handle = await client.submit(ENDPOINT, {})
    assert handle.request_id in server.jobs
    assert server.count("POST") == 3
    assert 7 <= waited[0] <= 7.7
    assert 3 <= waited[1] <= 3.3


async def test_a_post_refused_with_429_for_ever_ends_as_rate_limited(server, client, kit, recorded_pauses):
    waited = recorded_pauses(client)
    server.script("POST", "/queue", *[kit.Reply(429, {"detail": "slow down"})] * 20)
    with pytest.raises(RateLimitedError):
        await client.submit(ENDPOINT, {})
    assert server.count("POST") == 6
    assert len(waited) == 5


async def test_a_post_redirected_elsewhere_is_an_error_and_not_followed(server, client, kit, make_wire):
    async def other(request, writer):
        return kit.Reply(200, {"request_id": "stolen"})

    wire = await make_wire(other)
    for status in (301, 302, 303, 307, 308):
        server.script("POST", "/queue", kit.Reply(status, b"", {"location": f"{wire.base}/queue/x"}))
        with pytest.raises(FalClientHTTPError, match="elsewhere") as caught:
            await client.submit(ENDPOINT, {})
        assert caught.value.status_code == status
    assert wire.requests == []


async def test_a_refused_connection_is_tried_again_and_succeeds_when_the_server_appears(kit, recorded_pauses):
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    server = kit.FalServer()

    async def appear(pauses):
        if pauses == 3:
            await server.start(port=port)

    async with AsyncClient("id:secret", base_url=f"http://127.0.0.1:{port}") as client:
        waited = recorded_pauses(client, appear)
        handle = await client.submit(ENDPOINT, {})
    assert handle.request_id in server.jobs
    assert (len(waited), server.count("POST")) == (3, 1)
    await server.stop()


async def test_a_connection_refused_for_ever_was_never_sent(recorded_pauses):
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        async with AsyncClient("id:secret", base_url=f"http://127.0.0.1:{reserved.getsockname()[1]}") as client:
            waited = recorded_pauses(client)
            with pytest.raises(NotSent, match=r"was not sent: .*Connect call failed.*tried 6 times"):
                await client.submit(ENDPOINT, {})
    assert len(waited) == 5


async def test_an_unknown_host_was_never_sent(recorded_pauses):
    async with AsyncClient("id:secret", base_url="https://nowhere.invalid") as client:
        waited = recorded_pauses(client)
        with pytest.raises(NotSent, match=r"nowhere\.invalid is not known"):
            await client.submit(ENDPOINT, {})
    assert len(waited) == 5


async def test_an_unknown_host_is_tried_again_and_succeeds_when_its_name_appears(
    kit, server_tls, trusted_authority, recorded_pauses, monkeypatch
):
    server = kit.FalServer()
    await server.start(tls=server_tls)
    loop = asyncio.get_running_loop()
    look_up, known = loop.getaddrinfo, []

    async def getaddrinfo(host, port, **options):
        if host == "queue.example" and not known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return await look_up("127.0.0.1", port, **options)

    async def appear(pauses):
        known.extend([True] * (pauses == 2))

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    async with AsyncClient("id:secret", base_url=f"https://queue.example:{server.port}") as client:
        waited = recorded_pauses(client, appear)
        await client.submit(ENDPOINT, {})
    assert (len(waited), server.count("POST")) == (2, 1)
    await server.stop()


async def test_a_failed_tls_handshake_is_tried_again_and_succeeds_with_a_good_certificate(
    kit, server_tls, trusted_authority, recorded_pauses
):
    import ssl

    bad_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(bad_tls)
    bad, good = kit.FalServer(), kit.FalServer()
    await bad.start(tls=bad_tls)

    async def swap(pauses):
        if pauses == 2:
            await bad.stop()
            await good.start(tls=server_tls, port=bad.port)

    async with AsyncClient("id:secret", base_url=bad.base) as client:
        waited = recorded_pauses(client, swap)
        await client.submit(ENDPOINT, {})
    assert (len(waited), bad.count("POST"), good.count("POST")) == (2, 0, 1)
    await good.stop()


async def test_a_certificate_nobody_vouches_for_was_never_sent(kit, server_tls, recorded_pauses):
    server = kit.FalServer()
    await server.start(tls=server_tls)
    async with AsyncClient("id:secret", base_url=server.base) as client:
        recorded_pauses(client)
        with pytest.raises(NotSent, match="no secure connection"):
            await client.submit(ENDPOINT, {})
    assert server.requests == []
    await server.stop()


@pytest.mark.slow
async def test_a_connection_that_is_not_made_in_time_is_tried_again(kit, recorded_pauses):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    listener.setblocking(False)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    server = kit.FalServer()

    async def accept(pauses):
        if pauses == 2:
            await server.start(sock=listener)

    async with AsyncClient("id:secret", 0.3, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
        waited = recorded_pauses(client, accept)
        client.queue._timeout_s = 0.3
        await client.submit(ENDPOINT, {})
    assert (len(waited) >= 2, server.count("POST")) == (True, 1)
    for filler in fillers:
        filler.close()
    await server.stop()


@pytest.mark.parametrize(
    ("error", "expected", "tries"),
    [
        (httpx.ConnectError("x"), NotSent, 6),
        (httpx.ConnectTimeout("x"), NotSent, 6),
        (httpx.PoolTimeout("x"), NotSent, 6),
        (httpx.UnsupportedProtocol("x"), NotSent, 1),
        (httpx.ReadTimeout("x"), SubmissionUnknown, 1),
        (httpx.WriteError("x"), SubmissionUnknown, 1),
        (httpx.RemoteProtocolError("x"), SubmissionUnknown, 1),
        (httpx.ReadError("x"), SubmissionUnknown, 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_another_transport_is_judged_by_the_class_of_its_errors(error, expected, tries, recorded_pauses):
    posts = []

    def fail(request):
        posts.append(request)
        raise error

    async with AsyncClient("id:secret", transport=httpx.MockTransport(fail)) as client:
        recorded_pauses(client)
        with pytest.raises(expected):
            await client.submit(ENDPOINT, {})
    assert len(posts) == tries


async def test_a_bare_httpx_aiohttp_is_judged_by_what_aiohttp_said(make_faulty, recorded_pauses):
    faulty = await make_faulty("reset after the whole body")
    async with AsyncClient("id:secret", base_url=faulty.base, transport=AiohttpTransport()) as client:
        recorded_pauses(client)
        with pytest.raises(SubmissionUnknown):
            await client.submit(ENDPOINT, {})
    assert faulty.posts == 1


@pytest.mark.parametrize("call", ["run", "run with GET", "stream"])
async def test_a_direct_call_whose_answer_is_lost_is_sent_once_and_its_fate_unknown(make_wire, kit, call):
    async def vanish(request, writer):
        kit.reset(writer)

    wire = await make_wire(vanish)
    async with AsyncClient("id:secret", base_url=wire.base) as client:
        made = {
            "run": lambda: client.run(ENDPOINT, {}),
            "run with GET": lambda: client.run(ENDPOINT, {}, method="GET"),
            "stream": lambda: anext(client.stream(ENDPOINT, {})),
        }
        with pytest.raises(SubmissionUnknown):
            await made[call]()
    assert len(wire.requests) == 1


async def test_a_connection_the_server_has_ended_does_not_cost_the_next_post(server, client):
    await client.submit(ENDPOINT, {})
    # The end of the connection is in this machine's kernel, and our loop has not looked yet.
    server.writers[0].transport.get_extra_info("socket").shutdown(socket.SHUT_WR)
    await client.submit(ENDPOINT, {})
    assert server.count("POST") == 2
    assert server.connections == 2


async def test_a_connection_idle_for_longer_than_servers_keep_it_is_not_used_again(server, client, monkeypatch):
    import aiohttp.connector

    await client.submit(ENDPOINT, {})
    real = aiohttp.connector.monotonic
    monkeypatch.setattr(aiohttp.connector, "monotonic", lambda: real() + 4.5)
    await client.submit(ENDPOINT, {})
    assert [request.connection for request in server.requests] == [1, 2]


async def test_posts_in_quick_succession_share_a_connection(server, client):
    for _ in range(3):
        await client.submit(ENDPOINT, {})
    assert server.connections == 1
