"""The list of ended requests: what it tells, both of its forms, and that no answer makes it endless."""

import asyncio
import json
import time

import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.ended_requests import EndedRequests
from fal_nb.errors import AuthenticationError, FalError, ProtocolError, TransferError
from fal_nb.simulator.server import SimulatorServer

from .conftest import ENDPOINT, Reply, Wire

SCHNELL = "fal-ai/flux/schnell"
TINY = {"width": 64, "height": 64}
KEY = "0f9c-id:secret-of-the-account"


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=8, speed=50, require_key=KEY) as server:
        yield server


@pytest.fixture
async def client(simulator):
    simulator.reset()
    async with AsyncClient(KEY, base_url=simulator.base_url) as client:
        yield client


@pytest.fixture
async def listing():
    """Serve these bodies, one a request and the last for good, and return what is read of them."""
    wires = []

    async def read(*bodies, most_pages=5, **filters):
        left = list(bodies)

        async def answer(_request, _writer):
            body = left.pop(0) if len(left) > 1 else left[0]
            return body if isinstance(body, Reply) else Reply(200, body)

        wire = Wire(answer)
        await wire.start()
        wires.append(wire)
        async with AsyncClient(KEY, base_url=wire.base) as client:
            found = await EndedRequests(client.http, most_pages=most_pages).find(ENDPOINT, **filters)
        return found, wire

    yield read
    for wire in wires:
        await wire.stop()


async def test_it_tells_what_was_sent_when_and_what_came_of_it(client):
    before = time.time()
    done = await client.submit(SCHNELL, {"prompt": "a red fox", "seed": 4})
    await done.get()
    listed = EndedRequests(client.http)
    found = await listed.find(SCHNELL, start=before - 1)
    (request,) = found.requests
    assert found.complete
    assert (request.request_id, request.endpoint, request.status_code) == (done.request_id, SCHNELL, 200)
    assert request.arguments == {"prompt": "a red fox", "seed": 4}
    assert before <= request.sent_at <= request.started_at <= request.ended_at <= time.time()
    assert request.output is None
    (alone,) = (await listed.find(SCHNELL, request_id=done.request_id)).requests
    assert alone.output["seed"] == 4


async def test_all_pages_are_read_and_the_stretch_of_time_is_kept(client):
    handles = [await client.submit(SCHNELL, {"prompt": f"{index}", "image_size": TINY}) for index in range(60)]
    await asyncio.gather(*(handle.get() for handle in handles))
    listed = EndedRequests(client.http)
    found = await listed.find(SCHNELL)
    assert {request.request_id for request in found.requests} == {handle.request_id for handle in handles}
    assert not (await listed.find(SCHNELL, start=time.time() + 5)).requests
    assert not (await listed.find(SCHNELL, end=time.time() - 3600)).requests


async def test_an_unknown_endpoint_has_none(client):
    assert (await EndedRequests(client.http).find("fal-ai/nope")).requests == ()


async def test_a_refusal_names_no_key(simulator):
    async with AsyncClient("other:key-that-is-wrong", base_url=simulator.base_url) as client:
        with pytest.raises(AuthenticationError) as caught:
            await EndedRequests(client.http).find(SCHNELL)
    assert "key-that-is-wrong" not in str(caught.value)


async def test_the_other_forms_are_read_as_well(listing):
    entry = {
        "id": "abc-1",
        "endpoint": ENDPOINT,
        "sent_at": 1_750_000_000_500,
        "ended_at": "2025-06-15T15:06:45",
        "json_input": '{"prompt": "fox"}',
    }
    found, wire = await listing({"requests": [entry]})
    (request,) = found.requests
    assert (request.sent_at, request.ended_at) == (1_750_000_000.5, 1_750_000_005.0)
    assert request.arguments == {"prompt": "fox"}
    assert request.started_at is request.status_code is request.duration_s is None
    assert wire.requests[0].query["expand"] == ["payloads"]


async def test_where_payloads_are_refused_the_list_is_read_without_them(listing):
    refused = Reply(403, {"error": {"type": "authorization_error", "message": "payloads need another scope"}})
    found, wire = await listing(refused, {"items": [{"request_id": "a", "endpoint_id": ENDPOINT}]})
    assert [request.arguments for request in found.requests] == [None]
    assert "expand" not in wire.requests[-1].query


@pytest.mark.parametrize(
    "entry",
    [
        None, 7, "text", [], {}, {"request_id": 7}, {"request_id": ""}, {"request_id": "../../etc"},
        {"request_id": "<b>x</b>"}, {"request_id": "a" * 200}, {"request_id": "a", "endpoint_id": "fal-ai/other"},
    ],
)  # fmt: skip
async def test_what_is_no_request_of_the_endpoint_is_left_out(listing, entry):
    found, _ = await listing({"items": [entry], "has_more": False})
    assert found.requests == ()


@pytest.mark.parametrize("value", [True, "yesterday", "", -1, 1e400, [], {}, "9" * 1000, 10**400])
async def test_moments_and_numbers_that_are_none_are_none(listing, value):
    names = ("sent_at", "started_at", "ended_at", "status_code", "duration", "billable_units")
    entry = {"request_id": "a", "endpoint_id": ENDPOINT} | dict.fromkeys(names, value)
    found, _ = await listing({"items": [entry]})
    (request,) = found.requests
    assert request.sent_at is request.status_code is request.duration_s is request.billable_units is None


@pytest.mark.parametrize("cursor", ["more", None, "", 7, "x" * 10_000])
async def test_endless_pages_end(listing, cursor):
    page = {
        "items": [{"request_id": "a", "endpoint_id": ENDPOINT}],
        "next_cursor": cursor,
        "has_more": True,
    }
    found, wire = await listing(page)
    assert not found.complete
    assert len(wire.requests) <= 2
    assert len(found.requests) == 1


async def test_new_cursors_without_end_are_followed_so_far_and_no_further(listing):
    pages = [
        {"items": [{"request_id": f"r{index}", "endpoint_id": ENDPOINT}], "next_cursor": f"c{index}", "has_more": True}
        for index in range(20)
    ]
    found, wire = await listing(*pages)
    assert (len(found.requests), len(wire.requests), found.complete) == (5, 5, False)


async def test_a_page_with_more_than_was_asked_for_is_cut(listing):
    items = [{"request_id": f"r{index}", "endpoint_id": ENDPOINT} for index in range(5_000)]
    found, _ = await listing({"items": items, "has_more": False})
    assert (len(found.requests), found.complete) == (50, False)


@pytest.mark.parametrize("body", [b"no json", {"items": {}}, {}, 7, "text", Reply(200, b"[" * 200_000)])
async def test_a_body_that_is_no_list_is_an_error(listing, body):
    with pytest.raises(ProtocolError):
        await listing(body)


@pytest.mark.parametrize("depth", [900, 5_000])
async def test_arguments_that_nest_deeply_do_not_break_the_reading(listing, depth):
    deep = "[" * depth + "]" * depth
    entry = {"request_id": "a", "endpoint_id": ENDPOINT, "json_input": deep}
    found, _ = await listing(json.dumps({"items": [entry]}).encode())
    assert len(found.requests) == 1


async def test_no_server_is_an_error_with_no_key_in_it():
    wire = Wire(lambda *_: None)
    await wire.start()
    await wire.stop()
    async with AsyncClient(KEY, base_url=wire.base) as client:

        async def pause(_seconds):
            return None

        client.http._pause = pause
        with pytest.raises(TransferError) as caught:
            await EndedRequests(client.http).find(ENDPOINT)
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value, FalError)
