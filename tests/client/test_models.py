"""The catalogue over the wire, with servers that never come to an end, and what is kept of it."""

import json

import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.model_cache import ModelCache, read_kept
from fal_nb.client.models import Models
from fal_nb.errors import ConfigError, EndpointError, FalError, ProtocolError, RateLimitedError
from fal_nb.simulator.endpoints.places import PLACES
from fal_nb.simulator.server import SimulatorServer

DEV, SCHNELL = "fal-ai/flux/dev", "fal-ai/flux/schnell"


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(speed=20) as server:
        yield server


@pytest.fixture
async def models(simulator):
    simulator.reset()
    async with AsyncClient("id:secret", base_url=simulator.base_url) as client:
        yield client.models


def page(names, cursor=None, **more):
    body = {"models": [{"endpoint_id": name} for name in names], "next_cursor": cursor, "has_more": cursor is not None}
    return {**body, **more}


async def everything(models, **options):
    return [page async for page in models.pages(**options)]


async def test_pages_follow_the_cursor_to_the_end_and_name_each_model_once(models, simulator):
    first = await models.search(limit=5)
    assert len(first.models) == 5
    second = await models.search(limit=5, cursor=first.following)
    assert not {model.endpoint for model in first.models} & {model.endpoint for model in second.models}
    pages = await everything(models)
    assert {model.endpoint for page in pages for model in page.models} >= set(PLACES)
    assert pages[-1].following is None
    assert pages[-1].is_whole


async def test_a_search_is_filtered_by_fal_and_what_is_expanded_is_there(models):
    found = await models.search(
        "flux", category="text-to-image", status="active", expand=["openapi-3.0", "enterprise_status"]
    )
    assert found.models[0].schema["prompt"].required
    assert {model.category for model in found.models} == {"text-to-image"}
    assert found.models[0].enterprise == "ready"


async def test_find_keeps_the_order_and_leaves_out_what_there_is_not(models):
    found = await models.find([SCHNELL, "fal-ai/nope", DEV, SCHNELL], expand=("openapi-3.0",))
    assert [model.endpoint for model in found] == [SCHNELL, DEV]
    assert all(model.openapi for model in found)


async def test_more_than_fifty_are_found_in_several_requests(models):
    assert {model.endpoint for model in await models.find([*PLACES, *(f"a/b{n}" for n in range(40))])} == set(PLACES)


async def test_what_cannot_be_asked_for_is_refused_before_anything_is_sent(models, simulator):
    with pytest.raises(ConfigError, match=r"openapi-3\.0"):
        await models.search(expand=("pictures",))
    with pytest.raises(EndpointError):
        await models.find(["nope"])
    assert "platform_models" not in simulator.counters()


async def test_a_key_is_not_needed(simulator):
    async with AsyncClient(base_url=simulator.base_url) as client:
        assert (await client.models.search("flux")).models


@pytest.mark.parametrize("following", ["a", "x" * 10_000, "", 7])
async def test_a_server_that_goes_in_circles_is_left(make_wire, kit, following):
    async def answer(request, writer):
        return kit.Reply(200, page([f"a/b{len(wire.requests)}"], following, has_more=True))

    wire = await make_wire(answer)
    async with AsyncClient("k:s", base_url=wire.base) as client:
        pages = await everything(Models(client.http))
    assert len(wire.requests) <= 2
    assert pages[-1].following is None


@pytest.mark.parametrize(("is_new", "most", "seen"), [(False, 300, 2), (True, 4, 4)])
async def test_pages_with_nothing_new_and_more_than_there_can_be_come_to_an_end(make_wire, kit, is_new, most, seen):
    async def answer(request, writer):
        number = len(wire.requests)
        return kit.Reply(200, page([f"a/b{number if is_new else 0}"], f"c{number}"))

    wire = await make_wire(answer)
    async with AsyncClient("k:s", base_url=wire.base) as client:
        pages = await everything(Models(client.http, most_pages=most))
    assert len(wire.requests) == seen
    assert pages[-1].is_whole is False


async def test_a_limit_that_fal_does_not_take_is_left_to_fal(make_wire, kit):
    async def answer(request, writer):
        if "limit" in request.query:
            return kit.Reply(400, {"error": {"type": "validation_error", "message": "limit must be 1 to 10"}})
        return kit.Reply(200, page(["a/b"]))

    wire = await make_wire(answer)
    async with AsyncClient("k:s", base_url=wire.base) as client:
        assert [model.endpoint for page in await everything(client.models) for model in page.models] == ["a/b"]


@pytest.mark.parametrize("body", [[], {}, {"models": {}}, 7, b"[" * 100_000, b"<html>"])
async def test_what_is_no_list_is_one_clear_error(server, client, kit, body):
    server.script("GET", "/api", kit.Reply(200, body))
    with pytest.raises(FalError) as caught:
        await client.models.search()
    assert "\n" not in str(caught.value)


async def test_errors_of_the_platform_are_read(server, client, kit):
    error = {"error": {"type": "rate_limited", "message": "Rate limit exceeded", "request_id": "r-1"}}
    server.script("GET", "/api", *[kit.Reply(429, error, {"retry-after": "0"})] * 20)
    with pytest.raises(RateLimitedError, match="Rate limit exceeded"):
        await client.models.search()


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


async def test_the_list_is_read_once_a_day_and_serves_without_a_network(models, simulator, tmp_path, recorded_pauses):
    file, clock = tmp_path / "models.json", Clock()
    cache = ModelCache(models, file, clock=clock)
    listing = await cache.whole()
    assert listing.is_whole
    assert {model.endpoint for model in listing.models} >= set(PLACES)
    asked = simulator.counters()["platform_models"]
    assert await ModelCache(models, file, clock=clock).whole() == listing
    assert simulator.counters()["platform_models"] == asked

    async with AsyncClient("k:s", base_url="http://127.0.0.1:9") as nowhere:
        recorded_pauses(nowhere)
        clock.now += 100_000
        cache = ModelCache(nowhere.models, file, clock=clock)
        kept = await cache.whole()
        assert kept.models == listing.models
        told = await cache.whole(is_anew=True)
        assert told.models == listing.models
        assert told.trouble
        assert told.fetched_at == listing.fetched_at


async def test_without_a_network_and_with_nothing_kept_it_is_an_error(tmp_path, recorded_pauses):
    async with AsyncClient("k:s", base_url="http://127.0.0.1:9") as nowhere:
        recorded_pauses(nowhere)
        with pytest.raises(FalError):
            await ModelCache(nowhere.models, tmp_path / "models.json").whole()
    assert not (tmp_path / "models.json").exists()


async def test_pages_are_known_as_they_come_and_a_list_cut_off_says_so(make_wire, kit, tmp_path):
    seen = []

    async def answer(request, writer):
        if "cursor" in request.query:
            return kit.Reply(404, {"error": {"type": "not_found", "message": "gone"}})
        return kit.Reply(200, page(["a/b", "a/c"], "next"))

    wire = await make_wire(answer)
    async with AsyncClient("k:s", base_url=wire.base) as client:
        cache = ModelCache(client.models, tmp_path / "models.json")
        cache.observe(lambda: seen.append(len(cache.listing.models)))
        listing = await cache.whole()
    assert seen[0] == 2
    assert len(listing.models) == 2
    assert not listing.is_whole
    assert "gone" in listing.trouble
    assert not (tmp_path / "models.json").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "7", '{"models": 7}', '{"models": [7], "fetched_at": "x"}', "[" * 10_000]
)
def test_a_file_that_cannot_be_read_counts_as_absent(tmp_path, text):
    (tmp_path / "models.json").write_text(text)
    assert read_kept(tmp_path / "models.json") is None


def test_entries_of_a_file_are_checked_like_those_of_a_server(tmp_path):
    kept = {"models": [{"endpoint_id": "a/b"}, {"endpoint_id": "../x"}, None], "fetched_at": 1.0, "is_whole": True}
    (tmp_path / "models.json").write_text(json.dumps(kept))
    assert [model.endpoint for model in read_kept(tmp_path / "models.json").models] == ["a/b"]


async def test_a_protocol_error_is_one(server, client, kit):
    server.script("GET", "/api", kit.Reply(200, {"models": None}))
    with pytest.raises(ProtocolError, match="lists no models"):
        await client.models.search()
