"""The public client, and that it is what users of the official one expect."""

import asyncio

import httpx
import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.handle import AsyncRequestHandle
from fal_nb.errors import (
    EndpointError,
    FalClientHTTPError,
    FalClientTimeoutError,
    NotFoundError,
    ValidationError,
)
from fal_nb.protocol.status import Completed, InProgress, Queued, Status

ENDPOINT = "fal-ai/flux/dev"


async def play(server, *, until_streamed=True):
    """Let the next request run to its end as soon as it is followed."""
    await server.until(lambda: server.jobs and (server.open_streams or not until_streamed))
    request_id = list(server.jobs)[-1]
    await server.advance(request_id, status="IN_PROGRESS")
    await server.finish(request_id)
    return request_id


class TestSubscribe:
    @pytest.mark.parametrize("kind", ["plain", "asynchronous"])
    async def test_returns_the_result_and_reports_on_the_way(self, server, client, kind):
        enqueued, updates = [], []

        async def later(target, value):
            await asyncio.sleep(0)
            target.append(value)

        def call_into(target):
            return target.append if kind == "plain" else lambda value: later(target, value)

        playing = asyncio.create_task(play(server))
        result = await client.subscribe(
            ENDPOINT, {}, with_logs=True, on_enqueue=call_into(enqueued), on_queue_update=call_into(updates)
        )
        assert result == {"images": []}
        assert enqueued == [await playing]
        assert [type(update) for update in updates] == [Queued, InProgress, Completed]
        assert len(server.requests) == 3
        assert server.requests[1].query == {"logs": ["1"]}

    async def test_raises_the_error_of_a_failed_request(self, server, client, kit):
        server.finish_at_once = True
        server.result_reply = kit.Reply(422, {"detail": [{"loc": ["body", "seed"], "msg": "too big"}]})
        with pytest.raises(ValidationError, match="seed: too big"):
            await client.subscribe(ENDPOINT, {})
        assert len(server.requests) == 3

    async def test_over_its_time_cancels_once_and_says_so(self, server, client):
        with pytest.raises(FalClientTimeoutError, match=r"within 0\.3 s") as caught:
            await client.subscribe(ENDPOINT, {}, client_timeout=0.3)
        assert isinstance(caught.value, TimeoutError)
        assert (caught.value.timeout, caught.value.request_id) == (0.3, next(iter(server.jobs)))
        assert server.count("PUT", "/cancel") == 1
        assert server.requests[0].headers["x-fal-request-timeout"] == "0.3"

    async def test_over_its_time_says_so_even_where_the_cancel_fails(self, server, client, kit):
        server.script("PUT", "/cancel", kit.Reply(400, {"detail": "what?"}))
        with pytest.raises(FalClientTimeoutError):
            await client.subscribe(ENDPOINT, {}, client_timeout=0.2)

    async def test_warns_of_a_start_timeout_that_can_never_be_reached(self, server, client):
        server.finish_at_once = True
        with pytest.warns(UserWarning, match="start_timeout"):
            await client.subscribe(ENDPOINT, {}, client_timeout=5, start_timeout=10)

    async def test_of_a_cancelled_task_cancels_the_request_once(self, server, client):
        task = asyncio.create_task(client.subscribe(ENDPOINT, {}))
        await server.until(lambda: server.open_streams)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert server.count("PUT", "/cancel") == 1
        await server.until(lambda: any(reader.at_eof() for reader in server.readers))

    async def test_cancelled_twice_leaves_at_once_and_the_cancel_still_goes_out(self, server, client, kit):
        release = asyncio.Event()

        async def slow(request, writer):
            await release.wait()
            return kit.Reply(503, b"")

        server.script("PUT", "/cancel", slow)
        task = asyncio.create_task(client.subscribe(ENDPOINT, {}))
        await server.until(lambda: server.open_streams)
        task.cancel()
        await server.until(lambda: server.count("PUT"))
        task.cancel()
        async with asyncio.timeout(2):
            with pytest.raises(asyncio.CancelledError):
                await task
        release.set()
        await server.until(lambda: server.count("PUT") == 2)

    async def test_raises_what_a_callback_raises(self, server, client):
        def fail(request_id):
            raise LookupError(request_id)

        with pytest.raises(LookupError):
            await client.subscribe(ENDPOINT, {}, on_enqueue=fail)


class TestHandle:
    async def test_submit_and_get_cost_three_requests(self, server, client):
        handle = await client.submit(ENDPOINT, {"prompt": "x"})
        playing = asyncio.create_task(play(server))
        assert await handle.get() == {"images": []}
        await playing
        assert len(server.requests) == 3

    async def test_get_after_all_events_costs_one_more_request(self, server, client):
        handle = await client.submit(ENDPOINT, {})
        playing = asyncio.create_task(play(server))
        seen = [type(status) async for status in handle.iter_events(with_logs=True, interval=0.01)]
        await handle.get(interval=0.01)
        await playing
        assert seen == [Queued, InProgress, Completed]
        assert len(server.requests) == 3

    async def test_tells_status_and_cancels(self, server, client, kit):
        handle = await client.submit(ENDPOINT, {})
        assert await handle.status() == Queued(0)
        assert await handle.cancel() is None
        server.cancel_reply = kit.Reply(400, {"status": "ALREADY_COMPLETED"})
        with pytest.raises(FalClientHTTPError, match="ALREADY_COMPLETED"):
            await handle.cancel()

    async def test_can_be_made_from_a_request_id(self, server, client):
        submitted = await client.submit(ENDPOINT, {})
        await server.finish(submitted.request_id)
        for handle in (
            AsyncRequestHandle.from_request_id(client, ENDPOINT, submitted.request_id),
            await client.get_handle(ENDPOINT, submitted.request_id),
        ):
            assert handle == submitted
            assert isinstance(await handle.status(), Status)
            assert await handle.get() == {"images": []}


class TestByRequestId:
    async def test_a_finished_result_costs_one_request(self, server, client):
        handle = await client.submit(ENDPOINT, {})
        await server.finish(handle.request_id)
        assert await client.result(ENDPOINT, handle.request_id) == {"images": []}
        assert len(server.requests) == 2

    async def test_a_result_is_waited_for(self, server, client):
        handle = await client.submit(ENDPOINT, {})
        playing = asyncio.create_task(play(server))
        assert await client.result(ENDPOINT, handle.request_id) == {"images": []}
        await playing
        assert len(server.requests) == 4

    async def test_events_status_and_cancel(self, server, client, kit):
        handle = await client.submit(ENDPOINT, {})
        assert await client.status(ENDPOINT, handle.request_id, with_logs=True) == Queued(0)
        await client.cancel(ENDPOINT, handle.request_id)
        await server.finish(handle.request_id)
        events = [event async for event in client.iter_events(ENDPOINT, handle.request_id, with_logs=True)]
        assert type(events[-1]) is Completed
        with pytest.raises(NotFoundError):
            await client.cancel(ENDPOINT, "nobody")

    async def test_what_is_no_endpoint_is_refused_before_anything_is_sent(self, server, client):
        with pytest.raises(EndpointError, match="owner/alias"):
            await client.submit("flux", {})
        with pytest.raises(EndpointError):
            await client.run("https://evil.example/x", {})
        assert server.requests == []


async def test_a_run_returns_the_result(client):
    assert await client.run(ENDPOINT, {"a": 1}, hint="h", headers={"X-Own": "1"}) == {"ran": {"a": 1}}


async def test_no_kind_of_call_shares_its_connections_with_another():
    pools = {}

    def answer(request):
        kind = request.url.path.rpartition("/")[2]
        pools[kind if kind in {"stream", "cancel", "upload"} else request.url.host] = request.extensions["fal_pool"]
        if kind == "stream":
            return httpx.Response(
                200, text='data: {"status": "COMPLETED"}\n\n', headers={"content-type": "text/event-stream"}
            )
        return httpx.Response(
            200, json={"request_id": "r", "token": "t", "token_type": "B", "expires_at": "", "access_url": "x"}
        )

    async with AsyncClient("id:secret", transport=httpx.MockTransport(answer)) as client:
        await client.subscribe("a/b", {})
        await client.cancel("a/b", "r")
        await client.run("a/b", {})
        await client.upload(b"x", "text/plain")
    assert pools == {
        "queue.fal.run": "calls",
        "rest.fal.ai": "calls",
        "stream": "streams",
        "cancel": "cancels",
        "fal.run": "direct",
        "upload": "files",
    }


async def test_any_httpx_transport_can_stand_in():
    def answer(request):
        return httpx.Response(200, json={"url": str(request.url)})

    async with AsyncClient("id:secret", transport=httpx.MockTransport(answer)) as client:
        assert await client.run("a/b", {}) == {"url": "https://fal.run/a/b"}
