"""Schemas: fetched once, kept on disk, refreshed behind one's back, and refused without hammering the server."""

import asyncio
import gc
import json
import weakref

import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.schema_cache import SchemaCache
from fal_nb.errors import FalError, NotFoundError, NotSent, ProtocolError, TransferError

from .conftest import Reply, Wire, reset

ENDPOINT = "fal-ai/thing"
DAY_S = 24 * 3600


def document(default=1):
    thing = {"type": "object", "properties": {"n": {"type": "integer", "default": default}}}
    return {"components": {"schemas": {"ThingInput": thing}}}


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


class Place:
    """A server of documents, and caches of it that share one folder as kernels do one after another."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = Clock()
        self.reply = Reply(200, document())
        self.gate = asyncio.Event()
        self.gate.set()
        self.clients = []

    async def start(self):
        async def answer(request, writer):
            await self.gate.wait()
            if self.reply is None:
                reset(writer)
                return None
            return self.reply

        self.wire = Wire(answer)
        await self.wire.start()
        return self

    def cache(self, *, folder=True):
        client = AsyncClient(base_url=self.wire.base, key="id:secret-of-mine")
        self.clients.append(client)
        return SchemaCache(client.http, self.folder if folder else None, clock=self.clock)

    @property
    def asked(self):
        return len(self.wire.requests)

    async def until_asked(self, count):
        async with asyncio.timeout(20):
            while self.asked < count:  # noqa: ASYNC110 - counted by the server
                await asyncio.sleep(0.005)

    async def stop(self):
        for client in self.clients:
            await client.aclose()
        await self.wire.stop()


@pytest.fixture
async def place(tmp_path):
    place = await Place(tmp_path / "schemas").start()
    yield place
    await place.stop()


async def test_a_schema_is_fetched_once_and_without_the_key(place):
    cache = place.cache()
    first = await cache.schema(ENDPOINT)
    assert first.names == ["n"]
    assert await cache.schema(ENDPOINT) is first
    assert cache.peek(ENDPOINT) is first
    assert place.asked == 1
    request = place.wire.requests[0]
    assert request.query == {"endpoint_id": [ENDPOINT]}
    assert request.path == "/api/openapi/queue/openapi.json"


async def test_those_who_ask_at_once_wait_for_one_request(place):
    place.gate.clear()
    cache = place.cache()
    asking = [asyncio.ensure_future(cache.schema(ENDPOINT)) for _ in range(20)]
    await place.until_asked(1)
    asking[0].cancel()
    place.gate.set()
    found = await asyncio.gather(*asking[1:])
    assert len(set(map(id, found))) == 1
    assert place.asked == 1


async def test_what_nobody_waits_for_any_more_ends_in_silence(place):
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    place.gate.clear()
    cache = place.cache()
    asking = asyncio.ensure_future(cache.schema(ENDPOINT))
    await place.until_asked(1)
    asking.cancel()
    await asyncio.wait([asking])
    del asking  # its traceback holds on to what it waited for
    place.reply = Reply(404, {"detail": "no such endpoint"})
    fetching = weakref.ref(next(iter(cache._fetching.values())))
    place.gate.set()
    async with asyncio.timeout(20):
        while fetching() is not None and not reported:
            gc.collect()
            await asyncio.sleep(0.005)
    assert not reported
    with pytest.raises(NotFoundError):
        await cache.schema(ENDPOINT)
    assert place.asked == 1


async def test_who_waits_is_told_when_the_client_is_closed(place):
    place.gate.clear()
    cache = place.cache()
    asking = asyncio.ensure_future(cache.schema(ENDPOINT))
    await place.until_asked(1)
    await place.clients[0].aclose()
    with pytest.raises(FalError, match="closed"):
        await asking
    place.gate.set()


async def test_the_next_kernel_reads_it_from_disk_also_without_a_network(place):
    await place.cache().schema(ENDPOINT)
    await place.wire.stop()
    assert (await place.cache().schema(ENDPOINT)).names == ["n"]
    with pytest.raises(NotSent):
        await place.cache(folder=False).schema(ENDPOINT)


async def test_an_old_one_is_used_at_once_and_replaced_in_the_background(place):
    await place.cache().schema(ENDPOINT)
    place.clock.now += 2 * DAY_S
    place.reply = Reply(200, document(default=2))
    cache = place.cache()
    assert (await cache.schema(ENDPOINT))["n"].default == 1
    async with asyncio.timeout(20):
        while cache.peek(ENDPOINT)["n"].default == 1:  # noqa: ASYNC110 - replaced elsewhere
            await asyncio.sleep(0.005)
    assert (await place.cache().schema(ENDPOINT))["n"].default == 2
    assert place.asked == 2


async def test_an_old_one_outlives_a_server_that_fails_and_is_not_asked_for_at_every_call(place):
    await place.cache().schema(ENDPOINT)
    place.clock.now += 2 * DAY_S
    place.reply = Reply(500, {"detail": "no"})
    cache = place.cache()
    for _ in range(5):
        assert (await cache.schema(ENDPOINT)).names == ["n"]
    await place.until_asked(3)
    for _ in range(5):
        assert (await cache.schema(ENDPOINT)).names == ["n"]
    assert place.asked == 3, "one refresh of two tries"


async def test_an_endpoint_nobody_knows_is_asked_for_again_after_ten_minutes(place):
    place.reply = Reply(404, {"detail": "no such endpoint"})
    cache = place.cache()
    for _ in range(3):
        with pytest.raises(NotFoundError):
            await cache.schema(ENDPOINT)
    assert place.asked == 1
    place.reply = Reply(200, document())
    place.clock.now += 601
    assert (await cache.schema(ENDPOINT)).names == ["n"]


async def test_a_server_out_of_reach_is_left_in_peace_for_half_a_minute(place):
    place.reply = None
    cache = place.cache()
    for _ in range(3):
        with pytest.raises(TransferError):
            await cache.schema(ENDPOINT)
    assert place.asked == 2
    place.clock.now += 31
    place.reply = Reply(200, document())
    assert (await cache.schema(ENDPOINT)).names == ["n"]


@pytest.mark.parametrize("body", [b"not json", b"[]", b"[" * 200_000, b'{"a":"' + b"x" * 9_000_000 + b'"}'])
async def test_a_document_that_is_none_is_a_protocol_error_and_not_kept(place, body):
    place.reply = Reply(200, body, {"content-type": "application/json"})
    with pytest.raises(ProtocolError):
        await place.cache().schema(ENDPOINT)
    assert not place.folder.exists() or not list(place.folder.iterdir())


@pytest.mark.parametrize("damage", ["", "{", "[]", json.dumps({"document": document()}), json.dumps({"fetched_at": 1})])
async def test_a_damaged_file_counts_as_absent(place, damage):
    await place.cache().schema(ENDPOINT)
    (kept,) = place.folder.iterdir()
    kept.write_text(damage)
    assert (await place.cache().schema(ENDPOINT)).names == ["n"]
    assert place.asked == 2


async def test_a_folder_that_cannot_be_written_costs_nothing_but_the_next_request(place):
    place.folder.parent.mkdir(exist_ok=True)
    place.folder.write_text("a file where the folder should be")
    assert (await place.cache().schema(ENDPOINT)).names == ["n"]
    assert place.folder.read_text() == "a file where the folder should be"


async def test_two_servers_share_a_folder_and_no_schema(place, tmp_path):
    await place.cache().schema(ENDPOINT)
    other = await Place(place.folder).start()
    other.reply = Reply(200, document(default=7))
    assert (await other.cache().schema(ENDPOINT))["n"].default == 7
    assert (await place.cache().schema(ENDPOINT))["n"].default == 1
    await other.stop()
