"""Cancelling requests, and tasks that are about to start one."""

import asyncio
import json

import pytest

from fal_nb.errors import (
    FalClientHTTPError,
)
from fal_nb.protocol.endpoint import EndpointId

ENDPOINT = EndpointId.parse("fal-ai/flux/dev")


class TestCancel:
    @pytest.mark.parametrize(
        ("status", "body", "word"),
        [
            (200, {"status": "OK"}, "OK"),
            (202, {"status": "CANCELLATION_REQUESTED"}, "CANCELLATION_REQUESTED"),
            (400, {"status": "ALREADY_COMPLETED"}, "ALREADY_COMPLETED"),
            (404, {"status": "NOT_FOUND"}, "NOT_FOUND"),
            (200, {"success": True}, "OK"),
            (200, {"success": False}, "ALREADY_COMPLETED"),
            (202, {}, "CANCELLATION_REQUESTED"),
            (404, {"detail": "no such request"}, "NOT_FOUND"),
        ],
    )
    async def test_answers_with_the_servers_word(self, server, client, kit, status, body, word):
        submitted = await client.queue.submit(ENDPOINT, {})
        server.cancel_reply = kit.Reply(status, body)
        assert await client.queue.cancel_answer(ENDPOINT, submitted.request_id) == word
        assert server.requests[-1].method == "PUT"
        assert server.requests[-1].path == f"/queue/fal-ai/flux/requests/{submitted.request_id}/cancel"

    async def test_refused_for_another_reason_is_an_error(self, server, client, kit):
        submitted = await client.queue.submit(ENDPOINT, {})
        server.cancel_reply = kit.Reply(400, {"detail": "what?"})
        with pytest.raises(FalClientHTTPError, match=r"what\?"):
            await client.queue.cancel_answer(ENDPOINT, submitted.request_id)

    async def test_lost_on_the_way_is_sent_again(self, server, client, kit, recorded_pauses):
        recorded_pauses(client)
        submitted = await client.queue.submit(ENDPOINT, {})
        server.script("PUT", "/cancel", kit.reset_step, kit.Reply(503, json.dumps({}).encode()))
        assert await client.queue.cancel_answer(ENDPOINT, submitted.request_id) == "CANCELLATION_REQUESTED"
        assert server.count("PUT") == 3

    async def test_an_id_with_odd_characters_stays_one_segment(self, server, client):
        assert await client.queue.cancel_answer(ENDPOINT, "../../x?y#z") == "NOT_FOUND"
        assert server.requests[-1].path == "/queue/fal-ai/flux/requests/..%2F..%2Fx%3Fy%23z/cancel"


class TestCancelledTask:
    async def test_a_post_under_way_is_awaited_and_what_it_started_is_cancelled(self, server, client, kit):
        release = asyncio.Event()

        async def slow(request, writer):
            await release.wait()
            return server._submit(request, "fal-ai/flux/dev")

        server.script("POST", "/queue", slow)
        task = asyncio.create_task(client.submit("fal-ai/flux/dev", {}))
        await server.until(lambda: server.requests)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [request.method for request in server.requests] == ["POST", "PUT"]
        assert next(iter(server.jobs)) in server.requests[1].path

    async def test_what_it_started_can_be_taken_over_instead(self, server, client):
        release, taken = asyncio.Event(), []

        async def slow(request, writer):
            await release.wait()
            return server._submit(request, "fal-ai/flux/dev")

        async def take(submitted):
            taken.append(submitted.request_id)

        server.script("POST", "/queue", slow)
        task = asyncio.create_task(client.queue.submit(ENDPOINT, {}, on_abandoned=take))
        await server.until(lambda: server.requests)
        task.cancel()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert taken == list(server.jobs)
        assert server.count("PUT") == 0

    async def test_an_answer_that_cannot_be_read_does_not_hide_the_cancelling(self, server, client, kit):
        release = asyncio.Event()

        async def slow(request, writer):
            await release.wait()
            return kit.Reply(200, b"?")

        server.script("POST", "/queue", slow)
        task = asyncio.create_task(client.submit("fal-ai/flux/dev", {}))
        await server.until(lambda: server.requests)
        task.cancel()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert server.count("PUT") == 0

    async def test_a_post_that_does_not_answer_is_given_up_after_a_while(self, server, client, monkeypatch):
        async def silence(request, writer):
            await asyncio.Event().wait()

        monkeypatch.setattr("fal_nb.client.http._GRACE_S", 0.05)
        server.script("POST", "/queue", silence)
        task = asyncio.create_task(client.submit("fal-ai/flux/dev", {}))
        await server.until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert server.count("PUT") == 0

    async def test_a_second_cancel_leaves_at_once(self, server, client):
        async def silence(request, writer):
            await asyncio.Event().wait()

        server.script("POST", "/queue", silence)
        task = asyncio.create_task(client.submit("fal-ai/flux/dev", {}))
        await server.until(lambda: server.requests)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        async with asyncio.timeout(2):
            with pytest.raises(asyncio.CancelledError):
                await task

    async def test_a_pause_between_two_tries_ends_at_once_and_no_try_follows(self, server, client, kit):
        server.script("POST", "/queue", kit.Reply(429, b"", {"retry-after": "60"}))
        task = asyncio.create_task(client.submit("fal-ai/flux/dev", {}))
        await server.until(lambda: server.requests)
        await asyncio.sleep(0.05)
        task.cancel()
        async with asyncio.timeout(2):
            with pytest.raises(asyncio.CancelledError):
                await task
        assert server.count("POST") == 1
