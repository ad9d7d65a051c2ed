import asyncio

import aiohttp
import pytest


def test_logs_are_sent_once_each_and_the_stream_ends_after_completion(caller):
    submitted, events = caller.watched(arguments={"seconds": 16, "steps": 28})
    states = [event["status"] for event in events]
    messages = [line["message"] for event in events for line in event.get("logs") or []]
    polled = caller.http.get(f"{submitted['status_url']}?logs=1").json()["logs"]
    assert states[0] == "IN_QUEUE"
    assert states[-1] == "COMPLETED"
    assert states.count("COMPLETED") == 1
    assert "IN_PROGRESS" in states
    assert messages == [line["message"] for line in polled]
    assert sum(bool(event.get("logs")) for event in events) > 2


def test_without_logs_there_is_one_event_for_each_change_of_state(caller):
    _, events = caller.watched(arguments={"seconds": 12, "steps": 28}, query="")
    assert [event["status"] for event in events] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert all(event["response_url"] for event in events)


def test_a_stream_opened_late_tells_everything_at_once(caller):
    submitted = caller.accepted(arguments={"seconds": 1, "steps": 5})
    caller.events(submitted)
    events = caller.events(submitted)
    assert [event["status"] for event in events] == ["COMPLETED"]
    assert len(events[0]["logs"]) >= 2


def test_two_readers_of_one_request_see_the_same(caller):
    submitted = caller.accepted(arguments={"seconds": 4, "steps": 6})
    first = caller.iter_events(f"{submitted['status_url']}/stream?logs=1")
    next(first)
    second = caller.events(submitted)
    assert [event["status"] for event in second][-1] == [event["status"] for event in first][-1] == "COMPLETED"


def test_a_silent_stream_is_kept_open_with_comments(serve):
    caller = serve(runners=0, ping_s=0.02)
    submitted = caller.accepted()
    with caller.http.stream("GET", f"{submitted['status_url']}/stream") as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith(":")) == ": ping"


def test_a_reader_that_leaves_frees_its_stream(serve):
    caller = serve(runners=0)
    submitted = caller.accepted()
    with caller.http.stream("GET", f"{submitted['status_url']}/stream") as answer:
        lines = answer.iter_lines()
        next(lines)
        assert caller.server.open_requests() == 1
    for _ in range(500):
        if caller.server.open_requests() == 0:
            break
        caller.http.get("/admin/health")
    assert caller.server.open_requests() == 0


@pytest.mark.slow
async def test_many_queued_streams_cost_few_events_and_no_polling(serve):
    caller = serve(runners=20, speed=1, pickup_s=0)
    count, base = 400, f"{caller.server.base_url}/queue/simulator/sleep"

    async def follow(client):
        async with client.post(base, json={"seconds": 0.05}) as answer:
            submitted = await answer.json()
        async with client.get(f"{submitted['status_url']}/stream") as answer:
            events = [line async for line in answer.content if line.startswith(b"data:")]
        async with client.get(submitted["response_url"]) as answer:
            return answer.status, len(events)

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:
        followed = await asyncio.gather(*(follow(client) for _ in range(count)))
    assert {status for status, _ in followed} == {200}
    assert max(events for _, events in followed) < 40
    assert caller.server.counters() == {"submit": count, "status_stream": count, "result": count}
