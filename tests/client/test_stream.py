"""Endpoints that send their output as it grows."""

import asyncio

import pytest

from fal_nb.client.options import CallOptions
from fal_nb.errors import AuthenticationError, RateLimitedError, SubmissionUnknown
from fal_nb.protocol.endpoint import EndpointId

ENDPOINT = EndpointId.parse("fal-ai/any-llm")
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Fal-Request-Id: s-1\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


async def test_events_come_decoded_and_in_order(server, client):
    assert [event async for event in client.stream("fal-ai/any-llm", {"prompt": "hi"})] == [
        {"step": 0},
        {"step": 1},
        {"step": 2},
    ]
    request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/run/fal-ai/any-llm/stream")
    assert request.headers["accept"] == "text/event-stream"
    assert request.json() == {"prompt": "hi"}


async def test_an_event_is_there_before_the_next_is_sent(server, client):
    go_on = asyncio.Event()

    async def slowly(request, writer):
        writer.write(HEAD + chunk(b"data: 1\n\n"))
        await go_on.wait()
        writer.write(chunk(b"data: 2\n\n") + b"0\r\n\r\n")
        await writer.drain()

    server.script("POST", "/stream", slowly)
    events = client.stream("fal-ai/any-llm", {})
    assert await anext(events) == 1
    go_on.set()
    assert [event async for event in events] == [2]


@pytest.mark.parametrize(
    ("endpoint", "path", "expected"),
    [
        ("a/b", "/stream", "/run/a/b/stream"),
        ("a/b/stream", "/stream", "/run/a/b/stream"),
        ("a/b", "/other/way", "/run/a/b/other/way"),
        ("a/b", "", "/run/a/b"),
    ],
)
async def test_the_streaming_path_is_appended_once(server, client, endpoint, path, expected):
    [event async for event in client.streams.events(EndpointId.parse(endpoint), {}, CallOptions(path))]
    assert server.requests[0].path == expected


async def test_the_headers_are_there_before_the_first_event(server, client):
    seen = []
    options = CallOptions("stream", headers={"X-Own": "1"})
    events = client.streams.events(ENDPOINT, {}, options, on_open=seen.append)
    await anext(events)
    assert seen[0]["x-fal-request-id"] == "edge-1"
    assert server.requests[0].headers["x-own"] == "1"
    await events.aclose()


async def test_a_refused_stream_is_the_servers_error(server, client, kit):
    server.script("POST", "/stream", kit.Reply(401, {"detail": "Invalid API key"}))
    with pytest.raises(AuthenticationError, match="Invalid API key"):
        await anext(client.stream("a/b", {}))
    assert server.count("POST") == 1


async def test_a_stream_refused_with_429_is_opened_again(server, client, kit, recorded_pauses):
    recorded_pauses(client)
    server.script("POST", "/stream", *[kit.Reply(429, {"detail": "busy"})] * 2)
    assert await anext(client.stream("a/b", {})) == {"step": 0}
    server.script("POST", "/stream", *[kit.Reply(429, {"detail": "busy"})] * 6)
    with pytest.raises(RateLimitedError):
        await anext(client.stream("a/b", {}))


async def test_a_stream_that_breaks_says_how_much_had_arrived(server, client, kit):
    async def break_off(request, writer):
        writer.write(HEAD + chunk(b"data: 1\n\n") + chunk(b"data: 2\n\ndata: hal"))
        await writer.drain()
        kit.reset(writer)

    server.script("POST", "/stream", break_off)
    events = client.stream("a/b", {})
    assert [await anext(events), await anext(events)] == [1, 2]
    with pytest.raises(SubmissionUnknown, match="after 2 events") as caught:
        await anext(events)
    assert caught.value.request_id == "s-1"
    assert server.count("POST") == 1


async def test_an_event_that_is_not_json_leaves_the_fate_unknown(server, client, kit):
    reply = kit.Reply(200, b"data: 1\n\ndata: {half\n\n", {"content-type": "text/event-stream"})
    server.script("POST", "/stream", reply)
    events = client.stream("a/b", {})
    assert await anext(events) == 1
    with pytest.raises(SubmissionUnknown, match="event 2 is not JSON"):
        await anext(events)


async def test_an_endpoint_that_answers_in_one_piece_gives_one_event(server, client, kit):
    server.script("POST", "/stream", kit.Reply(200, {"whole": True}))
    assert [event async for event in client.stream("a/b", {})] == [{"whole": True}]


async def test_leaving_a_stream_early_closes_its_connection(server, client):
    closed = asyncio.Event()

    async def watch(request, writer):
        reader = writer.transport.get_protocol()._stream_reader
        writer.write(HEAD + chunk(b"data: 1\n\n"))
        await writer.drain()
        await reader.read()
        closed.set()

    server.script("POST", "/stream", watch)
    events = client.stream("a/b", {})
    await anext(events)
    await events.aclose()
    async with asyncio.timeout(5):
        await closed.wait()
