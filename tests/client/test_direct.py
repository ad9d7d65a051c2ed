"""Runs without the queue."""

import pytest

from fal_nb.client.options import CallOptions
from fal_nb.errors import ConfigError, SubmissionUnknown, ValidationError
from fal_nb.protocol.endpoint import EndpointId

ENDPOINT = EndpointId.parse("fal-ai/flux/schnell")


async def test_a_run_brings_the_result_its_units_and_its_id(server, client):
    answer = await client.direct.answer(ENDPOINT, {"prompt": "a fox"})
    assert answer.data == {"ran": {"prompt": "a fox"}}
    assert (answer.billable_units, answer.request_id) == (1.5, "edge-1")
    assert (server.requests[0].method, server.requests[0].path) == ("POST", "/run/fal-ai/flux/schnell")


async def test_a_run_sends_its_options(server, client):
    options = CallOptions(path="sub/path", hint="h", start_timeout=2.5, headers={"X-Own": "1"})
    await client.direct.answer(ENDPOINT, {}, options)
    request = server.requests[0]
    assert request.path == "/run/fal-ai/flux/schnell/sub/path"
    wanted = {"x-fal-runner-hint": "h", "x-fal-request-start-timeout": "2.5", "x-own": "1"}
    assert wanted.items() <= request.headers.items()


async def test_a_run_with_get_sends_no_arguments(server, client):
    await client.direct.answer(ENDPOINT, {"dropped": True}, method="get")
    assert (server.requests[0].method, server.requests[0].body) == ("GET", b"")


async def test_a_method_that_is_none_is_refused(client):
    with pytest.raises(ConfigError, match="HTTP method"):
        await client.direct.answer(ENDPOINT, {}, method="POST /x")


async def test_a_refused_run_is_its_error(server, client, kit):
    server.script("POST", "/run", kit.Reply(422, {"detail": [{"loc": ["body", "prompt"], "msg": "missing"}]}))
    with pytest.raises(ValidationError, match="prompt: missing"):
        await client.direct.answer(ENDPOINT, {})


async def test_a_run_whose_answer_is_not_json_leaves_its_fate_unknown(server, client, kit):
    server.script("POST", "/run", kit.Reply(200, b"<html>", {"x-fal-request-id": "r-2"}))
    with pytest.raises(SubmissionUnknown, match="not JSON") as caught:
        await client.direct.answer(ENDPOINT, {})
    assert caught.value.request_id == "r-2"


async def test_a_run_that_takes_longer_than_its_limit_leaves_its_fate_unknown(server, client):
    import asyncio

    async def silence(request, writer):
        await asyncio.Event().wait()

    server.script("POST", "/run", silence)
    with pytest.raises(SubmissionUnknown, match="in time"):
        await client.direct.answer(ENDPOINT, {}, timeout_s=0.1)
    assert server.count("POST") == 1
