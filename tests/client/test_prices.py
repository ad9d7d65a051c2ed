"""The price list with its traps, and the memory of it."""

import asyncio

import pytest

from fal_nb.client import http
from fal_nb.client.async_client import AsyncClient
from fal_nb.client.platform import Platform
from fal_nb.client.price_cache import PriceCache
from fal_nb.errors import ProtocolError, ServerError
from fal_nb.simulator.server import SimulatorServer

DEV, SCHNELL = "fal-ai/flux/dev", "fal-ai/flux/schnell"


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(speed=20) as server:
        yield server


@pytest.fixture
async def platform(simulator):
    simulator.reset()
    async with AsyncClient("id:secret", base_url=simulator.base_url) as client:
        yield Platform(client.http)


async def test_unknown_endpoints_do_not_spoil_the_batch(platform, simulator):
    unknown = [f"fal-ai/nope-{index}" for index in range(3)]
    found = await platform.unit_prices([DEV, *unknown, SCHNELL, DEV])
    assert found[DEV].unit_price == 0.025
    assert found[SCHNELL].unit == "megapixels"
    assert [found[endpoint] for endpoint in unknown] == [None] * 3
    assert simulator.counters()["platform_pricing"] < 12


async def test_more_than_fifty_go_in_several_requests(platform, simulator):
    found = await platform.unit_prices([DEV, *(f"fal-ai/nope-{index}" for index in range(60))])
    assert len(found) == 61
    assert found[DEV] is not None


async def test_a_refusal_for_the_moment_is_asked_again(platform, simulator):
    simulator.fault("rate-limit", on="platform_pricing", times=1, retry_after="0.01")
    assert (await platform.unit_prices([DEV]))[DEV]


@pytest.mark.parametrize(
    "entry",
    [
        {"endpoint_id": DEV, "unit": "images", "unit_price": -1},
        {"endpoint_id": DEV, "unit": "images", "unit_price": True},
        {"endpoint_id": DEV, "unit": "images", "unit_price": "0.1"},
        {"endpoint_id": DEV, "unit": None, "unit_price": 1},
        {"endpoint_id": 7, "unit": "images", "unit_price": 1},
        "text",
    ],
)
async def test_an_entry_that_is_no_price_is_none(server, client, kit, entry):
    server.script("GET", "/api", kit.Reply(200, {"prices": [entry]}))
    assert (await Platform(client.http).unit_prices([DEV]))[DEV] is None


async def test_an_answer_that_is_no_list_is_a_protocol_error(server, client, kit):
    server.script("GET", "/api", kit.Reply(200, []))
    with pytest.raises(ProtocolError):
        await Platform(client.http).unit_prices([DEV])


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


async def test_those_who_ask_at_once_share_a_request_and_a_day_passes_before_the_next(platform, simulator, tmp_path):
    clock = Clock()
    cache = PriceCache(platform, tmp_path / "prices.json", clock=clock)
    found = await asyncio.gather(*(cache.unit_price(endpoint) for endpoint in (DEV, SCHNELL, DEV)))
    assert [price.endpoint for price in found] == [DEV, SCHNELL, DEV]
    assert simulator.counters()["platform_pricing"] == 1
    again = PriceCache(platform, tmp_path / "prices.json", clock=clock)
    assert await again.unit_price(DEV) == found[0]
    assert simulator.counters()["platform_pricing"] == 1
    clock.now += 25 * 3600
    await again.unit_price(DEV)
    assert simulator.counters()["platform_pricing"] == 2


async def test_an_unknown_endpoint_is_asked_for_again_after_an_hour(platform, simulator):
    clock = Clock()
    cache = PriceCache(platform, clock=clock)
    for _ in range(2):
        assert await cache.unit_price("fal-ai/nope") is None
    assert simulator.counters()["platform_pricing"] == 1
    clock.now += 3601
    await cache.unit_price("fal-ai/nope")
    assert simulator.counters()["platform_pricing"] == 2


async def test_an_old_price_serves_where_the_list_cannot_be_had(platform, simulator, monkeypatch):
    monkeypatch.setattr(http, "backoff_s", lambda *_, **__: 0.01)
    clock = Clock()
    cache = PriceCache(platform, clock=clock)
    price = await cache.unit_price(DEV)
    clock.now += 25 * 3600
    simulator.fault("status", on="platform_pricing", status=500)
    assert await cache.unit_price(DEV) == price
    with pytest.raises(ServerError, match="Refused on purpose"):
        await cache.unit_price(SCHNELL)


@pytest.mark.parametrize("damage", ["", "[]", '{"a": 1}', '{"a": [{"x": 1}, 2]}'])
async def test_a_damaged_file_counts_as_absent(platform, tmp_path, damage):
    file = tmp_path / "prices.json"
    file.write_text(damage)
    assert (await PriceCache(platform, file).unit_price(DEV)).unit_price == 0.025
