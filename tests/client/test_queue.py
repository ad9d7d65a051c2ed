"""Submit and result, against another server that follows the protocol."""

import pytest

from fal_nb.client.options import CallOptions
from fal_nb.errors import (
    ConfigError,
    FalClientHTTPError,
    FalError,
    ProtocolError,
    RequestCancelledError,
    ServerError,
    TransferError,
    ValidationError,
)
from fal_nb.protocol.endpoint import EndpointId

ENDPOINT = EndpointId.parse("fal-ai/flux/dev")


class TestSubmit:
    async def test_sends_arguments_as_they_are(self, server, client):
        arguments = {"prompt": "ein Füchslein ❄", "unknown": [1, 2.5, None, {"a": True}]}
        await client.queue.submit(ENDPOINT, arguments)
        request = server.requests[0]
        assert (request.method, request.target) == ("POST", "/queue/fal-ai/flux/dev")
        assert request.json() == arguments
        assert "Füchslein".encode() in request.body
        assert request.headers["content-type"] == "application/json"
        assert request.headers["authorization"] == "Key id:secret"

    async def test_sends_every_option_in_its_place(self, server, client):
        options = CallOptions(
            path="/image-to-image",
            hint="lora-7",
            priority="low",
            headers={"X-Fal-Store-IO": "0"},
            start_timeout=30,
            webhook_url="https://me.example/hook?a=b&c=d",
        )
        await client.queue.submit(ENDPOINT, {}, options)
        request = server.requests[0]
        assert request.path == "/queue/fal-ai/flux/dev/image-to-image"
        assert request.query == {"fal_webhook": ["https://me.example/hook?a=b&c=d"]}
        wanted = {
            "x-fal-runner-hint": "lora-7",
            "x-fal-queue-priority": "low",
            "x-fal-store-io": "0",
            "x-fal-request-timeout": "30.0",
            "x-fal-request-start-timeout": "30.0",
        }
        assert wanted.items() <= request.headers.items()

    async def test_shows_urls_rebuilt_where_the_servers_lie_elsewhere(self, server, client):
        submitted = await client.queue.submit(ENDPOINT, {})
        base = f"{server.base}/queue/fal-ai/flux/requests/{submitted.request_id}"
        assert submitted.response_url == base
        assert (submitted.status_url, submitted.cancel_url) == (f"{base}/status", f"{base}/cancel")
        assert submitted.queue_position == 0

    async def test_shows_the_servers_urls_where_they_lie_under_its_base(self, server, client, kit):
        url = f"{server.base}/own/way"
        body = {"request_id": "r", "response_url": url, "status_url": f"{url}/s", "cancel_url": "ftp://x"}
        server.script("POST", "/queue", kit.Reply(200, body))
        submitted = await client.queue.submit(ENDPOINT, {})
        assert (submitted.response_url, submitted.status_url) == (url, f"{url}/s")
        assert submitted.cancel_url == f"{server.base}/queue/fal-ai/flux/requests/r/cancel"

    @pytest.mark.parametrize(
        ("arguments", "place"),
        [
            ({"a": {"b": [1, float("nan")]}}, r"arguments\.a\.b\[1\] \(nan\)"),
            ({"image": b"x"}, r"arguments\.image \(bytes\)"),
            ({"text": "\ud800"}, r"arguments\.text \(str\)"),
        ],
        ids=["nan", "bytes", "surrogate"],
    )
    async def test_names_the_argument_that_is_not_json_and_sends_nothing(self, server, client, arguments, place):
        with pytest.raises(FalError, match=place):
            await client.queue.submit(ENDPOINT, arguments)
        assert server.requests == []

    @pytest.mark.parametrize(
        "options",
        [
            {"priority": "high"},
            {"start_timeout": 0.1},
            {"start_timeout": float("nan")},
            {"start_timeout": "soon"},
            {"hint": "a\r\nAuthorization: Key other"},
            {"hint": "schlüssel"},
            {"headers": {"Host": "elsewhere"}},
            {"headers": {"bad name": "x"}},
        ],
        ids=str,
    )
    async def test_refuses_options_that_cannot_be_sent(self, server, client, options):
        with pytest.raises(ConfigError):
            await client.queue.submit(ENDPOINT, {}, CallOptions(**options))
        assert server.requests == []


class TestResult:
    async def test_brings_units_headers_and_id(self, server, client, kit):
        submitted = await client.queue.submit(ENDPOINT, {})
        reply = kit.Reply(200, {"seed": 7}, {"X-Fal-Billable-Units": "2.50000000"})
        await server.finish(submitted.request_id, reply)
        result = await client.queue.result_answer(ENDPOINT, submitted.request_id)
        assert (result.data, result.billable_units) == ({"seed": 7}, 2.5)
        assert result.request_id == submitted.request_id
        assert result.headers["x-fal-billable-units"] == "2.50000000"

    async def test_is_none_while_the_request_is_in_progress(self, client):
        submitted = await client.queue.submit(ENDPOINT, {})
        assert await client.queue.result_if_ready(ENDPOINT, submitted.request_id) is None

    @pytest.mark.slow
    async def test_waits_out_a_server_whose_result_lags_behind_its_status(self, server, client):
        submitted = await client.queue.submit(ENDPOINT, {})
        await server.finish(submitted.request_id)
        server.result_lag = 2
        assert (await client.queue.result_answer(ENDPOINT, submitted.request_id)).data == {"images": []}

    async def test_of_a_request_that_never_gets_there_is_a_protocol_error(self, server, client, monkeypatch):
        async def sleep(seconds):
            pass

        submitted = await client.queue.submit(ENDPOINT, {})
        monkeypatch.setattr("fal_nb.client.queue.asyncio.sleep", sleep)
        with pytest.raises(ProtocolError, match="in progress by its result"):
            await client.queue.result_answer(ENDPOINT, submitted.request_id)

    @pytest.mark.parametrize(
        ("reply", "kind", "text"),
        [
            (
                (422, {"detail": [{"loc": ["body", "seed"], "msg": "too big", "type": "x"}]}),
                ValidationError,
                "seed: too big",
            ),
            ((499, {"detail": "cancelled", "error_type": "client_cancelled"}), RequestCancelledError, "cancelled"),
            ((500, {"detail": "out of memory", "error_type": "runner_server_error"}), ServerError, "out of memory"),
            ((503, {"detail": "gone", "error_type": "runner_disconnected"}), ServerError, "gone"),
            ((400, {"detail": "cannot download image"}), FalClientHTTPError, "cannot download"),
        ],
        ids=["422", "499", "500", "503", "400"],
    )
    async def test_of_a_failed_request_is_its_own_error_and_asked_for_once(
        self, server, client, kit, reply, kind, text
    ):
        submitted = await client.queue.submit(ENDPOINT, {})
        await server.finish(submitted.request_id, kit.Reply(*reply))
        with pytest.raises(kind, match=text) as caught:
            await client.queue.result_answer(ENDPOINT, submitted.request_id)
        assert caught.value.status_code == reply[0]
        assert caught.value.request_id == submitted.request_id
        assert server.count("GET") == 1

    async def test_behind_a_gateway_in_trouble_is_asked_for_again(self, server, client, kit, recorded_pauses):
        waited = recorded_pauses(client)
        submitted = await client.queue.submit(ENDPOINT, {})
        await server.finish(submitted.request_id)
        trouble = kit.Reply(502, b"<html>nginx</html>", {"retry-after": "4"})
        server.script("GET", "/requests/", trouble, kit.reset_step)
        assert (await client.queue.result_answer(ENDPOINT, submitted.request_id)).data == {"images": []}
        assert len(waited) == 2
        assert 4 <= waited[0] <= 4.4

    async def test_that_cannot_be_had_at_all_is_a_transfer_error_with_the_request_id(
        self, server, client, kit, recorded_pauses
    ):
        recorded_pauses(client)
        server.script("GET", "/requests/", *[kit.reset_step] * 6)
        with pytest.raises(TransferError, match="Repeating it is harmless") as caught:
            await client.queue.result_if_ready(ENDPOINT, "r-9")
        assert caught.value.request_id == "r-9"

    async def test_that_is_not_json_is_a_protocol_error(self, server, client, kit):
        submitted = await client.queue.submit(ENDPOINT, {})
        await server.finish(submitted.request_id, kit.Reply(200, b"\x89PNG"))
        with pytest.raises(ProtocolError, match="not JSON"):
            await client.queue.result_answer(ENDPOINT, submitted.request_id)

    async def test_over_the_limit_is_not_read_to_its_end(self, server, client, kit, monkeypatch):
        monkeypatch.setattr("fal_nb.client.http.MAX_BODY_BYTES", 100_000)
        submitted = await client.queue.submit(ENDPOINT, {})
        await server.finish(submitted.request_id, kit.Reply(200, {"x": "y" * 200_000}))
        with pytest.raises(ProtocolError, match="256 MiB"):
            await client.queue.result_answer(ENDPOINT, submitted.request_id)
        assert server.count("GET") == 1
