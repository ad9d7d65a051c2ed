"""Options of a call: what goes along, and what is refused before anything does."""

import json

import pytest

from fal_nb.client.lifecycle import StorageSettings
from fal_nb.client.options import CallOptions
from fal_nb.errors import ConfigError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.simulator.server import SimulatorServer

ENDPOINT = EndpointId.parse("fal-ai/flux/dev")


async def test_every_option_goes_along(server, client):
    options = CallOptions(
        hint="h", priority="low", start_timeout=5, webhook_url="https://x.org/?a=1&b=2", headers={"X-Mine": "1"},
        lifecycle=StorageSettings("1h"), store_io=False, no_retry=True, disable_fallback=True,
        tags={"project": "fox hunt", "run.id": "7"}, max_queue_length=100,
    )  # fmt: skip
    await client.queue.submit(ENDPOINT, {}, options)
    request = server.requests[0]
    assert request.query == {"fal_webhook": ["https://x.org/?a=1&b=2"], "fal_max_queue_length": ["100"]}
    wanted = {
        "x-fal-runner-hint": "h",
        "x-fal-queue-priority": "low",
        "x-fal-request-timeout": "5.0",
        "x-fal-request-start-timeout": "5.0",
        "x-mine": "1",
        "x-fal-store-io": "0",
        "x-fal-no-retry": "1",
        "x-app-fal-disable-fallback": "true",
        "x-fal-tags": "project=fox hunt,run.id=7",
    }
    assert {name: request.headers[name] for name in wanted} == wanted
    assert json.loads(request.headers["x-fal-object-lifecycle-preference"]) == {"expiration_duration_seconds": 3600}


async def test_nothing_goes_along_that_was_not_asked_for(server, client):
    await client.queue.submit(ENDPOINT, {})
    request = server.requests[0]
    assert request.query == {}
    assert {name for name in request.headers if name.startswith("x-")} == set()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"tags": {"Upper": "x"}}, "'Upper' is no tag"),
        ({"tags": {"fal.mine": "x"}}, "is no tag"),
        ({"tags": {"a" * 65: "x"}}, "is no tag"),
        ({"tags": {"a": "x,y"}}, "The tag a takes"),
        ({"tags": {"a": "é"}}, "The tag a takes"),
        ({"tags": {"a": ""}}, "The tag a takes"),
        ({"tags": {"a": "x" * 257}}, "The tag a takes"),
        ({"tags": {f"t{index}": "x" for index in range(11)}}, "At most 10 tags"),
        ({"tags": {f"t{index}": "x" * 200 for index in range(9)}}, "1024 are allowed"),
        ({"max_queue_length": -1}, "max_queue_length"),
        ({"max_queue_length": True}, "max_queue_length"),
        ({"lifecycle": 7}, "A lifecycle is"),
        ({"priority": "high"}, "priority must be"),
        ({"start_timeout": 0.1}, "start_timeout must be"),
        ({"webhook_url": "x.org"}, "webhook_url must be"),
        ({"webhook_url": 7}, "webhook_url must be"),
        ({"hint": "a\nb"}, "hint must be"),
        ({"hint": 7}, "hint must be"),
        ({"store_io": "no"}, "store_io must be"),
        ({"no_retry": "no"}, "no_retry must be"),
        ({"disable_fallback": 2}, "disable_fallback must be"),
        ({"tags": "a=b"}, "tags must be"),
        ({"headers": "a=b"}, "headers must be"),
        ({"headers": {"Authorization": "Key a:b"}}, "'authorization' cannot be sent"),
        ({"headers": {"Host": "x"}}, "'host' cannot be sent"),
        ({"headers": {"x-a": "b\r\nc"}}, "'x-a' cannot be sent"),
    ],
)
async def test_what_the_service_would_not_take_is_refused_before_it_is_sent(server, client, options, line):
    with pytest.raises(ConfigError, match=line):
        await client.queue.submit(ENDPOINT, {}, CallOptions(**options))
    assert server.requests == []


async def test_a_queue_that_is_too_long_is_a_refusal_that_starts_nothing():
    from fal_nb.client.async_client import AsyncClient
    from fal_nb.errors import RateLimitedError

    with SimulatorServer(runners=0) as simulator:
        async with AsyncClient("id:secret", base_url=simulator.base_url) as client:
            paused = []

            async def pause(seconds):
                paused.append(seconds)

            client.http._pause = pause
            sleep = EndpointId.parse("simulator/sleep")
            for _ in range(2):
                await client.queue.submit(sleep, {})
            with pytest.raises(RateLimitedError):
                await client.queue.submit(sleep, {}, CallOptions(max_queue_length=1))
            assert len(simulator.ledger()) == 2
            assert paused
