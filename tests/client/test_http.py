"""The key, the repeats and the errors of calls in general."""

import asyncio
import copy
import gc
import gzip
import json
import logging
import pickle
import warnings

import httpx
import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.verdicts import Call
from fal_nb.errors import (
    AccountLockedError,
    AuthenticationError,
    ConfigError,
    FalClientHTTPError,
    FalError,
    MissingCredentialsError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TransferError,
    ValidationError,
)

ENDPOINT = "fal-ai/flux/dev"
FIELD = {
    "loc": ["body", "image_size", "width"],
    "msg": "must be smaller",
    "type": "less_than",
    "input": 9000,
    "ctx": {"lt": 4096},
}


def call_to(url, **options):
    return Call("GET", url, "the test", **options)


def chain(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


async def test_the_key_goes_to_the_configured_hosts_only(server, client, make_wire, kit):
    async def answer(request, writer):
        return kit.Reply(200, {})

    elsewhere = await make_wire(answer)
    await client._http.ask(call_to(f"{server.base}/rest/x", handed_back=frozenset({404})))
    await client._http.ask(call_to(f"{server.base}/rest/x", handed_back=frozenset({404}), bears_key=False))
    await client._http.ask(call_to(f"{elsewhere.base}/x"))
    assert [request.headers.get("authorization") for request in server.requests] == ["Key id:secret", None]
    assert "authorization" not in elsewhere.requests[0].headers


@pytest.mark.parametrize("trick", ["{}@127.0.0.1:1/x", "{}.evil.example/x", "{}\\@evil.example/x", "{}evil.example/"])
async def test_an_address_that_only_begins_like_the_base_is_not_trusted(client, server, trick):
    assert client._http.trusts(f"{server.base}/x")
    assert not client._http.trusts(trick.format(server.base))


async def test_a_redirect_of_a_call_with_the_key_is_not_followed(server, client, make_wire, kit):
    async def answer(request, writer):
        return kit.Reply(200, {"status": "COMPLETED"})

    elsewhere = await make_wire(answer)
    server.script("GET", "/status", kit.Reply(302, b"", {"location": f"{elsewhere.base}/status"}))
    with pytest.raises(FalClientHTTPError, match="not followed") as caught:
        await client.status(ENDPOINT, "r")
    assert caught.value.status_code == 302
    assert elsewhere.requests == []


async def test_the_key_is_in_no_repr_log_or_error(server, client, kit, caplog, make_faulty):
    caplog.set_level(logging.DEBUG)
    server.script("GET", "/status", kit.Reply(401, {"detail": "Invalid API key"}))
    with pytest.raises(AuthenticationError) as caught:
        await client.status(ENDPOINT, "r")
    faulty = await make_faulty(b"garbage\r\n\r\n")
    async with AsyncClient("id:secret", base_url=faulty.base) as other:
        with pytest.raises(FalError) as lost:
            await other.submit(ENDPOINT, {})
    shown = [repr(client), repr(client.settings), repr(await client.get_handle(ENDPOINT, "r")), caplog.text]
    for error in (*chain(caught.value), *chain(lost.value)):
        shown += [str(error), repr(error), repr(vars(error))]
    assert "secret" not in "".join(shown)


async def test_an_error_holds_the_whole_answer_and_no_key(server, client, kit):
    body = gzip.compress(json.dumps({"detail": "nö"}).encode())
    server.script("POST", "/queue", kit.Reply(400, body, {"content-encoding": "gzip", "x-who": "f\xe4l", "x-2": "b"}))
    headers = {"x-mine": "1", "cookie": "c=secret", "x-fal-cdn-token": "secret"}
    with pytest.raises(FalClientHTTPError) as caught:
        await client.submit(ENDPOINT, {"prompt": "x"}, headers=headers)
    assert server.requests[0].headers["authorization"] == "Key id:secret"
    response = caught.value.response
    assert (response.status_code, response.json(), response.headers["x-2"]) == (400, {"detail": "nö"}, "b")
    assert (response.request.method, response.request.headers["x-mine"]) == ("POST", "1")
    assert str(response.url) == f"{server.base}/queue/{ENDPOINT}"
    assert b"secret" not in b"".join(value for _, value in response.request.headers.raw)
    assert "authorization" not in response.request.headers
    assert repr(caught.value) == "FalClientHTTPError('nö (HTTP 400)')"
    with pytest.raises(httpx.HTTPStatusError):
        response.raise_for_status()


async def test_an_error_is_copied_and_pickled_without_the_answer(server, client, kit):
    server.script("GET", "/status", kit.Reply(422, {"detail": [FIELD]}, {"x-fal-billable-units": "2"}))
    with pytest.raises(ValidationError) as caught:
        await client.status(ENDPOINT, "r-1")
    for again in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert again.response is None
        assert caught.value.response is not None
        assert (type(again), str(again), again.fields) == (ValidationError, str(caught.value), caught.value.fields)
        assert (again.status_code, again.request_id, again.billable_units) == (422, "r-1", 2.0)


async def test_an_answer_of_a_redirect_is_there_too_and_a_signed_urls_query_is_not(server, client, kit):
    server.script("GET", "/status", kit.Reply(307, b"", {"location": "/x"}))
    with pytest.raises(FalClientHTTPError) as caught:
        await client.status(ENDPOINT, "r")
    assert caught.value.response.headers["location"] == "/x"
    server.script("GET", "/rest/x", kit.Reply(404, b""))
    with pytest.raises(NotFoundError) as caught:
        await client._http.ask(call_to(f"{server.base}/rest/x?signature=secret", bears_key=False))
    assert str(caught.value.response.url) == f"{server.base}/rest/x"


@pytest.mark.parametrize("key", ["id:sec\nret", "id:schlüssel", "id:sec\x7fret"])
async def test_a_key_that_cannot_be_a_header_is_refused_without_being_shown(server, key):
    async with AsyncClient(key, base_url=server.base) as client:
        with pytest.raises(ConfigError, match="copy it again") as caught:
            await client.submit(ENDPOINT, {})
    assert "sec" not in str(caught.value)
    assert server.requests == []


async def test_without_any_setting_the_first_call_says_what_to_set():
    client = AsyncClient()
    with pytest.raises(MissingCredentialsError, match="set FAL_KEY"):
        await client.submit(ENDPOINT, {})
    await client.aclose()


async def test_a_base_url_needs_no_key(server):
    async with AsyncClient(base_url=server.base) as client:
        await client.submit(ENDPOINT, {})
    assert "authorization" not in server.requests[0].headers


async def test_the_base_url_and_the_key_may_come_from_the_environment(server, monkeypatch):
    monkeypatch.setenv("FAL_NB_BASE_URL", server.base)
    monkeypatch.setenv("FAL_KEY", "from:environment")
    async with AsyncClient() as client:
        await client.submit(ENDPOINT, {})
    assert server.requests[0].headers["authorization"] == "Key from:environment"


async def test_without_a_base_url_calls_go_to_fals_own_hosts():
    asked = []

    def answer(request):
        asked.append(str(request.url))
        return httpx.Response(200, json={"request_id": "r", "status": "COMPLETED"})

    async with AsyncClient("id:secret", transport=httpx.MockTransport(answer)) as client:
        await client.submit(ENDPOINT, {})
        await client.status(ENDPOINT, "r")
        await client.run(ENDPOINT, {})
    assert asked == [
        "https://queue.fal.run/fal-ai/flux/dev",
        "https://queue.fal.run/fal-ai/flux/requests/r/status?logs=0",
        "https://fal.run/fal-ai/flux/dev",
    ]


async def test_a_proxy_url_gets_every_call_with_its_target_and_no_key():
    seen = []

    def answer(request):
        seen.append((str(request.url), request.headers.get("x-fal-target-url"), "authorization" in request.headers))
        if "storage" in (request.headers.get("x-fal-target-url") or ""):
            token = {"token": "t", "token_type": "Bearer", "expires_at": "2999-01-01T00:00:00+00:00"}
            return httpx.Response(200, json=token)
        return httpx.Response(200, json={"request_id": "r", "access_url": "https://v3.fal.media/files/x"})

    proxy = "https://school.example/api/fal"
    async with AsyncClient("id:secret", proxy_url=proxy, transport=httpx.MockTransport(answer)) as client:
        await client.submit(ENDPOINT, {})
        await client.upload(b"x", "text/plain")
    assert seen == [
        (proxy, "https://queue.fal.run/fal-ai/flux/dev", False),
        (proxy, "https://rest.fal.ai/storage/auth/token?storage_type=fal-cdn-v3", False),
        ("https://v3.fal.media/files/upload", None, True),
    ]


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "line"),
    [
        (401, {}, {"detail": "Invalid API key"}, AuthenticationError, "Invalid API key (HTTP 401)"),
        (403, {}, {"detail": "User is locked. Reason: Exhausted balance."}, AccountLockedError, "User is locked."),
        (403, {}, {"detail": "Not yours"}, PermissionDeniedError, "Not yours (HTTP 403)"),
        (404, {}, {"status": "NOT_FOUND"}, NotFoundError, "NOT_FOUND (HTTP 404)"),
        (404, {}, {"detail": "Path /x not found"}, NotFoundError, "Path /x not found (HTTP 404)"),
        (422, {}, {"detail": [FIELD]}, ValidationError, "image_size.width: must be smaller, got 9000 (below 4096)"),
        (429, {}, {"error": {"type": "rate_limited", "message": "later"}}, RateLimitedError, "later (HTTP 429)"),
        (500, {"x-fal-request-id": "r"}, {"detail": "boom", "request_id": "r"}, ServerError, "boom (HTTP 500)"),
        (502, {}, b"<html><center>nginx</center></html>", ServerError, "the gateway answered with an HTML page"),
        (
            504,
            {"x-fal-request-timeout-type": "user"},
            {"detail": "too late"},
            ServerError,
            "No runner took the request within its start timeout (HTTP 504): allow more, or try again later.",
        ),
        (418, {}, b"short and stout", FalClientHTTPError, "short and stout (HTTP 418)"),
    ],
)
async def test_every_shape_of_error_becomes_one_line(
    server, client, kit, recorded_pauses, status, headers, body, kind, line
):
    recorded_pauses(client)
    server.script("GET", "/status", *[kit.Reply(status, body, {"x-fal-error-type": "some_type", **headers})] * 6)
    with pytest.raises(kind) as caught:
        await client.status(ENDPOINT, "r-1")
    error = caught.value
    assert type(error) is kind
    assert line in str(error)
    assert "\n" not in str(error)
    assert (error.status_code, error.request_id, error.endpoint) == (status, "r-1", ENDPOINT)
    assert error.error_type in {"some_type", "rate_limited"}
    assert error.response_headers["x-fal-error-type"] == "some_type"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_call_that_is_harmless_is_repeated_until_it_succeeds(server, client, kit, recorded_pauses, status):
    waited = recorded_pauses(client)
    server.script("GET", "/status", *[kit.Reply(status, b"")] * 3)
    handle = await client.submit(ENDPOINT, {})
    await handle.status()
    assert server.count("GET") == 4
    assert all(0.1 * 2**n <= wait_s <= 0.3 * 2**n for n, wait_s in enumerate(waited))


@pytest.mark.parametrize(("status", "headers"), [(400, {}), (404, {}), (504, {"x-fal-request-timeout-type": "user"})])
async def test_a_definite_refusal_is_not_repeated(server, client, kit, status, headers):
    server.script("GET", "/status", kit.Reply(status, b"", headers))
    with pytest.raises(FalClientHTTPError):
        await client.status(ENDPOINT, "r")
    assert server.count("GET") == 1


async def test_a_harmless_call_that_keeps_failing_ends_as_a_transfer_error(server, client, kit, recorded_pauses):
    recorded_pauses(client)
    server.script("GET", "/status", *[kit.reset_step] * 6)
    with pytest.raises(TransferError, match="tried 6 times"):
        await client.status(ENDPOINT, "r")
    assert server.count("GET") == 6


async def test_a_closed_client_says_so(server, client):
    await client.submit(ENDPOINT, {})
    await client.aclose()
    await client.aclose()
    with pytest.raises(FalError, match="closed"):
        await client.submit(ENDPOINT, {})


def test_one_client_serves_two_loops_and_leaves_nothing_open(kit):
    client = AsyncClient("id:secret", base_url="http://127.0.0.1:1")

    async def use(*, close):
        server = kit.FalServer()
        await server.start()
        client._http._settings = None
        client._http._trusted.clear()
        client._http._ask_settings = AsyncClient(base_url=server.base)._http._ask_settings
        server.finish_at_once = True
        result = await client.subscribe(ENDPOINT, {})
        url = await client.upload(b"x", "text/plain")
        assert (result, url.startswith(server.base)) == ({"images": []}, True)
        if close:
            await client.aclose()
        await server.stop()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(use(close=False))
        asyncio.run(use(close=True))
        gc.collect()
