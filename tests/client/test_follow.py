"""Following requests: by streams, by polling, by both."""

import asyncio

import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.pacing import Pace
from fal_nb.errors import (
    NotFoundError,
    ProtocolError,
)
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.status import Completed, InProgress, Queued

ENDPOINT = EndpointId.parse("fal-ai/flux/dev")


def log(message, second):
    return {"message": message, "timestamp": f"2026-01-01T00:00:0{second}Z"}


async def run_to_the_end(server, request_id, *, queued=0):
    """Let a request pass through all states, each seen by whoever follows it."""
    if queued:
        await server.advance(request_id, status="IN_QUEUE", queue_position=queued)
    await server.advance(request_id, status="IN_PROGRESS")
    await server.finish(request_id)


async def collect(statuses):
    return [status async for status in statuses]


@pytest.fixture
def quick_polls(monkeypatch):
    """Make polling a hundred times faster; its proportions stay."""
    for name, seconds in (("_FIRST_POLL_S", 0.0025), ("_SLOWEST_POLL_S", 0.02)):
        monkeypatch.setattr(f"fal_nb.client.follow.{name}", seconds)


class TestFollow:
    async def test_a_job_costs_three_requests_however_many_states_it_has(self, server, client):
        submitted = await client.queue.submit(ENDPOINT, {})
        following = asyncio.create_task(collect(client.queue.iter_status(ENDPOINT, submitted.request_id)))
        await server.until(lambda: server.open_streams == 1)
        await run_to_the_end(server, submitted.request_id, queued=3)
        statuses = await following
        result = await client.queue.result_answer(ENDPOINT, submitted.request_id)
        assert [type(status) for status in statuses][-2:] == [InProgress, Completed]
        assert statuses[-1].metrics == {"inference_time": 0.1}
        assert result.data == {"images": []}
        assert [request.method for request in server.requests] == ["POST", "GET", "GET"]

    async def test_positions_are_reported_as_they_change(self, server, client):
        submitted = await client.queue.submit(ENDPOINT, {})
        statuses = client.queue.iter_status(ENDPOINT, submitted.request_id)
        assert await anext(statuses) == Queued(0)
        for position in (5, 5, 2):
            await server.advance(submitted.request_id, status="IN_QUEUE", queue_position=position)
        assert [await anext(statuses), await anext(statuses)] == [Queued(5), Queued(2)]
        await statuses.aclose()

    async def test_a_request_that_falls_back_into_the_queue_says_so(self, server, client):
        submitted = await client.queue.submit(ENDPOINT, {})
        statuses = client.queue.iter_status(ENDPOINT, submitted.request_id)
        await anext(statuses)
        seen = []
        for status in ("IN_PROGRESS", "IN_QUEUE", "IN_PROGRESS"):
            await server.advance(submitted.request_id, status=status, queue_position=0)
            seen.append(type(await anext(statuses)))
        assert seen == [InProgress, Queued, InProgress]
        await statuses.aclose()

    async def test_logs_are_all_so_far_each_line_once(self, server, client):
        submitted = await client.queue.submit(ENDPOINT, {})
        job = server.jobs[submitted.request_id]
        statuses = client.queue.iter_status(ENDPOINT, submitted.request_id, with_logs=True)
        await anext(statuses)
        seen = []
        for batch in ([log("a", 1)], [log("b", 2)], [log("b", 2), log("c", 3)]):
            job.logs = batch
            await server.advance(submitted.request_id, status="IN_PROGRESS")
            seen.append([entry["message"] for entry in (await anext(statuses)).logs])
        assert seen == [["a"], ["a", "b"], ["a", "b", "c"]]
        job.logs = []
        await server.finish(submitted.request_id)
        assert [entry["message"] for entry in (await anext(statuses)).logs] == ["a", "b", "c"]

    async def test_logs_are_absent_where_not_asked_for(self, server, client):
        submitted = await client.queue.submit(ENDPOINT, {})
        server.jobs[submitted.request_id].logs = [log("a", 1)]
        await run_to_the_end(server, submitted.request_id)
        assert (await collect(client.queue.iter_status(ENDPOINT, submitted.request_id)))[-1].logs is None

    @pytest.mark.parametrize("mode", ["absent", "json"])
    async def test_polling_takes_over_where_no_stream_is_offered_and_the_next_job_knows(self, server, client, mode):
        server.stream_mode = mode
        for _ in range(2):
            submitted = await client.queue.submit(ENDPOINT, {})
            await run_to_the_end(server, submitted.request_id)
            statuses = await collect(client.queue.iter_status(ENDPOINT, submitted.request_id))
            assert type(statuses[-1]) is Completed
        assert server.count("GET", "status/stream") == 1

    async def test_polling_slows_down_and_reports_changes_only(self, server, client, monkeypatch):
        server.stream_mode = "absent"
        waits = []
        real_sleep = asyncio.sleep

        async def sleep(seconds, *rest):
            waits.append(seconds)
            if len(waits) == 8:
                await server.finish(submitted.request_id)
            await real_sleep(0)

        client.queue._pace.cap.per_s = 1e9
        submitted = await client.queue.submit(ENDPOINT, {})
        monkeypatch.setattr("fal_nb.client.follow.asyncio.sleep", sleep)
        statuses = await collect(client.queue.iter_status(ENDPOINT, submitted.request_id))
        waits = [wait for wait in waits if wait]
        assert [type(status) for status in statuses] == [Queued, Completed]
        assert waits[:6] == pytest.approx([0.25, 0.375, 0.5625, 0.84375, 1.265625, 1.8984375])
        assert max(waits) <= 2.0

    async def test_a_broken_stream_is_opened_anew_and_no_state_comes_twice(self, server, client, kit, quick_polls):
        async def break_off(request, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            data = b'data: {"status": "IN_QUEUE", "queue_position": 0}\n\n'
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
            kit.reset(writer)

        server.script("GET", "status/stream", break_off)
        submitted = await client.queue.submit(ENDPOINT, {})
        following = asyncio.create_task(collect(client.queue.iter_status(ENDPOINT, submitted.request_id)))
        await server.until(lambda: server.open_streams == 1)
        await run_to_the_end(server, submitted.request_id)
        types = [type(status) for status in await following]
        assert types == [Queued, InProgress, Completed]
        assert server.count("GET", "status/stream") == 2

    async def test_lines_logged_between_two_streams_are_not_lost(self, server, client, kit):
        submitted = await client.queue.submit(ENDPOINT, {})
        server.jobs[submitted.request_id].logs = [log("between", 1)]
        await server.advance(submitted.request_id, status="IN_PROGRESS")
        server.script("GET", "status/stream", kit.Reply(503, b"<html>nginx</html>"))
        statuses = client.queue.iter_status(ENDPOINT, submitted.request_id, with_logs=True)
        assert [entry["message"] for entry in (await anext(statuses)).logs] == ["between"]
        await statuses.aclose()

    async def test_streams_that_keep_breaking_give_way_to_polling(self, server, client, quick_polls):
        server.stream_mode = "cut"
        submitted = await client.queue.submit(ENDPOINT, {})
        following = asyncio.create_task(collect(client.queue.iter_status(ENDPOINT, submitted.request_id)))
        await server.until(lambda: server.count("GET", "/status") - server.count("GET", "/stream") >= 4)
        await server.finish(submitted.request_id)
        assert [type(status) for status in await following] == [Queued, Completed]
        assert server.count("GET", "status/stream") == 3

    async def test_a_silent_stream_is_opened_anew(self, server, kit, quick_polls):
        async def silence(request, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            await writer.drain()
            await asyncio.Event().wait()

        server.script("GET", "status/stream", silence)
        async with AsyncClient(base_url=server.base) as client:
            client.queue._idle_s = 0.1
            submitted = await client.queue.submit(ENDPOINT, {})
            statuses = client.queue.iter_status(ENDPOINT, submitted.request_id)
            await anext(statuses)
            await server.finish(submitted.request_id)
            assert type(await anext(statuses)) is Completed
        assert server.count("GET", "status/stream") == 2

    async def test_an_event_that_is_not_a_status_leaves_the_word_to_the_poll(self, server, client, kit, quick_polls):
        noise = b"data: {not json\n\n"
        server.script("GET", "status/stream", *[kit.Reply(200, noise, {"content-type": "text/event-stream"})] * 9)
        server.script("GET", "/status", *[kit.Reply(200, {"status": "EXPLODED"})] * 9)
        submitted = await client.queue.submit(ENDPOINT, {})
        with pytest.raises(ProtocolError, match="EXPLODED") as caught:
            await collect(client.queue.iter_status(ENDPOINT, submitted.request_id))
        assert (caught.value.request_id, caught.value.endpoint) == (submitted.request_id, str(ENDPOINT))

    async def test_an_unknown_request_is_not_found(self, client):
        with pytest.raises(NotFoundError) as caught:
            await collect(client.queue.iter_status(ENDPOINT, "nobody"))
        assert caught.value.request_id == "nobody"

    async def test_two_hundred_streams_are_open_at_most_and_the_others_get_their_turn(self, server, quick_polls):
        async with AsyncClient(base_url=server.base) as client:
            client.queue._pace = Pace(max_streams=20)
            ids = [(await client.queue.submit(ENDPOINT, {})).request_id for _ in range(60)]
            following = [asyncio.create_task(collect(client.queue.iter_status(ENDPOINT, one))) for one in ids]
            await server.until(lambda: server.open_streams == 20)
            for request_id in ids:
                await server.finish(request_id)
            ends = [(await task)[-1] for task in following]
        assert {type(end) for end in ends} == {Completed}
        assert server.most_streams <= 21

    @pytest.mark.slow
    async def test_all_followers_together_poll_under_the_cap(self, server, quick_polls):
        server.stream_mode = "absent"
        async with AsyncClient(base_url=server.base) as client:
            clock = [0.0]
            client.queue._pace.cap._clock = lambda: clock[0]
            client.queue._pace.cap._filled_at = 0.0
            ids = [(await client.queue.submit(ENDPOINT, {})).request_id for _ in range(40)]
            following = [asyncio.create_task(collect(client.queue.iter_status(ENDPOINT, one))) for one in ids]

            def polls():
                return server.count("GET", "/status") - server.count("GET", "/stream")

            await server.until(lambda: server.count("GET", "/stream") == 40 and polls() == 5)
            for request_id in ids:
                await server.finish(request_id)
            clock[0] += 0.2
            await server.until(lambda: polls() == 10)
            for _ in range(400):
                clock[0] += 0.2
                if all(task.done() for task in following):
                    break
                await asyncio.sleep(0.02)
            assert polls() <= 5 + 25 * clock[0]
            await asyncio.gather(*following)

    @pytest.mark.slow
    async def test_a_hundred_open_streams_do_not_delay_a_cancel(self, server, client):
        ids = [(await client.queue.submit(ENDPOINT, {})).request_id for _ in range(150)]
        following = [asyncio.create_task(collect(client.queue.iter_status(ENDPOINT, one))) for one in ids]
        await server.until(lambda: server.open_streams == 150)
        async with asyncio.timeout(5):
            assert await client.queue.cancel_answer(ENDPOINT, ids[-1]) == "CANCELLATION_REQUESTED"
            await client.queue.submit(ENDPOINT, {})
        assert server.open_streams == 150
        assert server.count("PUT") == 1
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)

    async def test_a_stream_read_to_its_end_leaves_its_connection_to_the_next(self, server, client):
        server.finish_at_once = True
        ending = asyncio.Event()
        server.before_stream_end = ending.wait
        for _ in range(3):
            ending.clear()
            submitted = await client.queue.submit(ENDPOINT, {})
            await collect(client.queue.iter_status(ENDPOINT, submitted.request_id))
            ending.set()
            await server.until(lambda: server.open_streams == 0)
            await asyncio.gather(*client._http.background._tasks)
        assert server.connections == 2
