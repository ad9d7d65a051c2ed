"""Deliveries that fal has signed and that are hostile all the same, and a key that none of it may show."""

import asyncio
import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import fal_nb as fal
from fal_nb.ledger.records import NewRecord
from fal_nb.ledger.store import HistoryStore
from fal_nb.plain import is_plain
from fal_nb.webhooks.verifying import keys_at

from .canary import KEY, assert_unseen, assert_unseen_on_disk
from .server import Bait
from .words import EVERYTHING

SIGNER = Ed25519PrivateKey.generate()
ENDPOINT = "fal-ai/flux/schnell"


def signed(body, request_id="r-1", user_id="user", **changes):
    stamp = str(int(time.time()))
    lines = "\n".join((request_id, user_id, stamp, hashlib.sha256(body).hexdigest()))
    return {
        "x-fal-webhook-request-id": request_id,
        "x-fal-webhook-user-id": user_id,
        "x-fal-webhook-timestamp": stamp,
        "x-fal-webhook-signature": SIGNER.sign(lines.encode()).hex(),
    } | changes


@pytest.fixture(scope="module")
def jwks():
    x = base64.urlsafe_b64encode(SIGNER.public_key().public_bytes_raw()).decode()
    document = json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            assert_unseen(str(self.headers), "the request for the keys")
            self.send_response(200)
            self.send_header("content-length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/jwks"
    server.shutdown()
    server.server_close()
    keys_at.cache_clear()


@pytest.fixture
async def post(jwks, tmp_path):
    """Deliver a body for the one record there is, of a call to fal.ai, and return what became of it."""
    home = tmp_path / "home"
    home.mkdir()
    history = HistoryStore(home / "history.sqlite")
    app = fal.webhooks.receiver(home=home, jwks_url=jwks)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=True), base_url="http://receiver")

    async def deliver(body, request_id="r-1", *, is_known=True, **headers):
        number = None
        if is_known:
            number = history.add(
                NewRecord(
                    endpoint=ENDPOINT, arguments={}, backend="fal", created=time.time(), state="QUEUED",
                    request_id=request_id, owner="gone",
                )
            )  # fmt: skip
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await http.post("/", content=body, headers=signed(body, request_id, **headers))
        if number is None:
            return answer, None
        deadline = time.monotonic() + 20
        while (record := history.get(number)).ended and record.is_open:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        return answer, record

    deliver.history, deliver.home, deliver.app = history, home, app
    yield deliver
    await http.aclose()
    await app.aclose()
    history.close()


def said(status="OK", **values):
    return {"status": status, **values}


BODIES = [
    b'{"status":"OK","payload":NaN}',
    b'{"status":"OK","payload":[1e999,-1e999]}',
    b'{"status":"OK","payload":' + b"9" * 4000 + b"}",
    b'{"status":"OK","payload":"\\ud800"}',
    b'{"status":"OK","payload":' + b"[" * 500 + b"]" * 500 + b"}",
    b'{"status":"OK","payload":' + b"[" * 990 + b"]" * 990 + b"}",
    b'{"status":"OK","payload":' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}",
    b'{"status":"OK","status":"ERROR","error":[[[]]],"payload":{}}',
    b'{"status":"ERROR","error":{"a":1},"payload":7}',
    b'{"status":"OK","payload":1,"request_id":{"a":1},"gateway_request_id":[]}',
    b'\xef\xbb\xbf{"status":"OK"}',
    b'{"status":"OK"}\x00',
    b'{"status":"OK","payload":{"images":[{"url":7},{"url":null},{"url":"data:image/png;base64,@@@@"},"x"]}}',
]


async def test_hostile_words_of_a_delivery_are_kept_exactly_and_shown_plainly(post):
    for number, text in enumerate(EVERYTHING.values()):
        answer, record = await post(said(payload={"text": text, text[:50]: [text]}), f"ok-{number}")
        assert (answer.status_code, record.state) == (200, "SUCCEEDED")
        assert record.result["text"] == text
        _, record = await post(said("ERROR", error=text, payload={"detail": text, "error_type": text}), f"no-{number}")
        assert record.state == "FAILED"
        for line in (record.error, *(step.note or "" for step in post.history.steps(record.id)), answer.text):
            assert is_plain(line)


async def test_any_json_is_an_answer_and_leaves_a_record_that_can_be_read(post):
    for number, body in enumerate(BODIES):
        answer, record = await post(body, f"r-{number}")
        assert answer.status_code in {200, 400}, body[:40]
        assert record.state in {"SUCCEEDED", "FAILED", "QUEUED"}, body[:40]
    assert post.history.verify().is_sound
    post.history.deliveries.newest()


async def test_no_address_in_a_delivery_leads_into_the_private_network(post):
    bait = Bait()
    urls = [
        f"http://127.0.0.1:{bait.port}/a.png",
        f"http://localhost:{bait.port}/b.png",
        f"https://127.0.0.1:{bait.port}/",
        "file:///etc/passwd",
    ]
    payload = {"images": [{"url": url, "content_type": "image/png"} for url in urls]}
    _, record = await post(said(payload=payload))
    assert record.state == "SUCCEEDED"
    assert all(artifact.error and not artifact.digest for artifact in post.history.artifacts(record.id))
    answer, _ = await post(said(payload=payload), "other", is_known=False)
    assert answer.json() == {"status": "foreign"}
    bait.close()
    assert not bait.heads


async def test_units_that_are_none_are_left_out(post):
    for number, units in enumerate(["nan", "inf", "-1", "1e400", "x", "9" * 400, "1,5", ""]):
        _, record = await post(body_for(number), f"u-{number}", **{"x-fal-billable-units": units})
        assert (record.state, record.billable_units, record.cost) == ("SUCCEEDED", None, None), units


def body_for(number):
    return {"request_id": f"u-{number}", "status": "OK", "payload": {}}


async def test_the_key_in_force_is_in_no_answer_no_log_and_no_file(post, monkeypatch, caplog, jwks):
    monkeypatch.setenv("FAL_KEY", KEY)
    caplog.set_level(0)
    app = fal.webhooks.receiver(home=post.home, jwks_url=jwks)
    body = json.dumps(said(payload={"seed": 1})).encode()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://receiver") as http:
        for headers in (
            signed(body, "unknown"),
            {},
            signed(body) | {"x-fal-webhook-signature": "00" * 64},
            signed(b"other"),
        ):
            answer = await http.post("/", content=body, headers={**headers, "authorization": f"Key {KEY}"})
            assert_unseen(f"{answer.text} {answer.headers}", "an answer")
            try:
                fal.webhooks.verify(headers, body, jwks_url=jwks)
            except fal.WebhookError as error:
                assert_unseen(f"{error!r} {error.args} {vars(error)}", "an error")
        assert_unseen(f"{app!r} {vars(app)!r}")
        hands = await app._intake.open()
        assert_unseen(f"{hands!r} {vars(hands)!r} {hands.client!r}")
    await app.aclose()
    assert_unseen(caplog.text, "a log line")
    assert assert_unseen_on_disk(post.home) > 0
