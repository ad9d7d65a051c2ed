"""Signatures of webhooks: what is fal's, unchanged and of now is taken; all else is refused, and the reason told."""

import asyncio
import email
import json
import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fal_nb as fal
from fal_nb.client.webhook_keys import WebhookKeys
from fal_nb.errors import ConfigError, TransferError, WebhookError
from fal_nb.protocol.webhooks import read_jwks
from fal_nb.webhooks.verifying import Verifier

from .conftest import Signer, body_of

VECTOR_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
"""The first of RFC 8032 section 7.1."""


def refused(signer, jwks, reason, headers, body, **options):
    with pytest.raises(WebhookError) as caught:
        fal.webhooks.verify(headers, body, jwks_url=jwks.url, **options)
    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_delivery_of_fals_is_taken_and_read(signer, jwks):
    body = body_of("764cabcf-1", payload={"images": [{"url": "https://v3.fal.media/a.png"}]})
    got = fal.webhooks.verify(signer.headers(body, request_id="764cabcf-1"), body, jwks_url=jwks.url)
    assert (got.request_id, got.user_id, got.is_ok, got.error) == ("764cabcf-1", "user_1", True, None)
    assert got.payload == {"images": [{"url": "https://v3.fal.media/a.png"}]}
    assert abs(got.timestamp - time.time()) < 5
    assert got.has_output


def test_a_vector_that_was_written_down_beforehand_verifies():
    """Made with OpenSSL's Ed25519 from the key of RFC 8032, not by this package."""
    body = b'{"request_id":"req-1","gateway_request_id":"req-1","status":"OK","payload":{"seed":1}}'
    signature = (
        "b3e2d38d2ee6561dd8a2439fe29f7e77898d5c81fb1bf04e2f1eb4e937a7e19d"
        "5677f803dad683cde2b7a9b8fc1e5c404f953656f2fba5c8cc559129a41c5902"
    )
    headers = {
        "x-fal-webhook-request-id": "req-1",
        "x-fal-webhook-user-id": "github|1",
        "x-fal-webhook-timestamp": "1760000000",
        "x-fal-webhook-signature": signature,
    }
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")

    async def fetch(_url):
        return (public,)

    verifier = Verifier(WebhookKeys("https://keys.example/jwks", fetch=fetch), now=lambda: 1760000299.0)
    assert asyncio.run(verifier.check(headers, body)).payload == {"seed": 1}
    assert verifier.check_now(headers, body).user_id == "github|1"


def test_both_forms_of_key_text_and_keys_of_other_kinds_are_borne(signer, jwks):
    body = body_of()
    rsa, p256 = {"kty": "RSA", "n": "x", "e": "AQAB"}, {"kty": "EC", "crv": "P-256", "x": "x"}
    for padded in (False, True):
        jwks.document = {
            "keys": [rsa, p256, None, "x", {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, signer.jwk(padded=padded)]
        }
        fal.webhooks.verifying.keys_at.cache_clear()
        assert fal.webhooks.verify(signer.headers(body), body, jwks_url=jwks.url).is_ok


def test_any_of_several_keys_will_do(signer, jwks):
    jwks.document = {"keys": [Signer().jwk(), Signer().jwk(), signer.jwk()]}
    body = body_of()
    assert fal.webhooks.verify(signer.headers(body), body, jwks_url=jwks.url).is_ok


@pytest.mark.parametrize(
    "form",
    [
        dict,
        lambda headers: {name.lower(): value for name, value in headers.items()},
        lambda headers: [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        lambda headers: [*headers.items(), ("content-type", "application/json"), ("cookie", "a"), ("cookie", "b")],
        lambda headers: {name: f" {value}\t" for name, value in headers.items()},
        lambda headers: email.message_from_string("".join(f"{name}: {value}\n" for name, value in headers.items())),
    ],
    ids=["as sent", "lower case", "ASGI", "pairs", "spaces", "http.server"],
)
def test_headers_of_any_framework_are_understood(signer, jwks, form):
    body = body_of()
    assert fal.webhooks.verify(form(signer.headers(body)), body, jwks_url=jwks.url).is_ok


def test_a_wrong_key_is_refused(signer, jwks):
    body = body_of()
    assert "none of fal's keys" in refused(signer, jwks, "signature", Signer().headers(body), body)


def test_a_changed_body_is_refused(signer, jwks):
    body = body_of(payload={"seed": 1})
    refused(signer, jwks, "signature", signer.headers(body), body.replace(b"1}", b"2}"))
    refused(signer, jwks, "signature", signer.headers(body), body + b" ")


@pytest.mark.parametrize("name", ["Request-Id", "User-Id", "Timestamp"])
def test_a_changed_header_is_refused(signer, jwks, name):
    body = body_of()
    headers = signer.headers(body)
    headers[f"X-Fal-Webhook-{name}"] = str(int(time.time()) - 1) if name == "Timestamp" else "other"
    refused(signer, jwks, "signature", headers, body)


@pytest.mark.parametrize(("off_s", "words"), [(-302, "s old"), (305, "s ahead"), (-86_400, "s old")])
def test_an_old_delivery_is_refused_and_so_is_one_from_the_future(signer, jwks, off_s, words):
    body = body_of()
    headers = signer.headers(body, timestamp=int(time.time()) + off_s)
    assert words in refused(signer, jwks, "timestamp", headers, body)
    assert not jwks.asked


@pytest.mark.parametrize("off_s", [-295, 0, 295])
def test_within_five_minutes_clocks_may_differ(signer, jwks, off_s):
    body = body_of()
    headers = signer.headers(body, timestamp=int(time.time()) + off_s)
    assert fal.webhooks.verify(headers, body, jwks_url=jwks.url).is_ok


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Signature", None), ("Signature", ""), ("Signature", "ab" * 63), ("Signature", "ab" * 65), ("Signature", "zz" * 64),
        ("Timestamp", None), ("Timestamp", "1e9"), ("Timestamp", "-1"), ("Timestamp", "٣" * 10), ("Timestamp", "9" * 13),
        ("Request-Id", None), ("Request-Id", "a\nb"), ("Request-Id", ""), ("Request-Id", "x" * 201), ("Request-Id", "<b>"),
        ("User-Id", None), ("User-Id", "a b"), ("User-Id", "a\nb"), ("User-Id", "ü"),
    ],
)  # fmt: skip
def test_misshapen_headers_are_refused_before_anything_is_asked(signer, jwks, name, value):
    body = body_of()
    headers = signer.headers(body)
    headers.pop(f"X-Fal-Webhook-{name}")
    if value is not None:
        headers[f"X-Fal-Webhook-{name}"] = value
    assert f"x-fal-webhook-{name.lower()}" in refused(signer, jwks, "headers", headers, body)
    assert not jwks.asked


def test_a_header_that_is_there_twice_is_refused(signer, jwks):
    body = body_of()
    pairs = [*signer.headers(body).items(), ("x-fal-webhook-timestamp", str(int(time.time())))]
    assert "twice" in refused(signer, jwks, "headers", pairs, body)


def test_lines_cannot_be_moved_between_the_signed_fields(signer, jwks):
    """``a`` + ``b\\nc`` and ``a\\nb`` + ``c`` give the same message: neither is of the right form."""
    body = body_of()
    headers = signer.headers(body, request_id="a", user_id="b\nc")
    moved = headers | {"X-Fal-Webhook-Request-Id": "a\nb", "X-Fal-Webhook-User-Id": "c"}
    refused(signer, jwks, "headers", headers, body)
    refused(signer, jwks, "headers", moved, body)


def test_a_body_over_the_limit_is_not_looked_at(signer, jwks):
    body = body_of(payload="x" * 1000)
    refused(signer, jwks, "size", signer.headers(body), body, max_bytes=500)
    assert not jwks.asked


def test_a_text_is_no_body(signer, jwks):
    body = body_of()
    with pytest.raises(TypeError, match="bytes as they came"):
        fal.webhooks.verify(signer.headers(body), body.decode(), jwks_url=jwks.url)


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{", b'{"status": "DONE"}', b'{"status": ["OK"]}', b"\xff", b"[" * 100_000],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_what_fal_signed_and_nobody_understands_is_told_apart(signer, jwks, body):
    refused(signer, jwks, "body", signer.headers(body), body)


def test_failures_and_what_could_not_be_sent_are_read(signer, jwks):
    def read(body):
        return fal.webhooks.verify(signer.headers(body), body, jwks_url=jwks.url)

    failed = read(body_of(status="ERROR", payload={"detail": "x"}, error="Invalid status code: 422"))
    assert (failed.is_ok, failed.error, failed.payload) == (False, "Invalid status code: 422", {"detail": "x"})
    bare = read(body_of(payload=None, payload_error="Response payload is not JSON serializable"))
    assert bare.is_ok
    assert not bare.has_output
    assert read(body_of(status="COMPLETED")).is_ok


def test_an_id_in_the_body_that_can_be_none_gives_way_to_the_signed_one(signer, jwks):
    for strange in (None, 7, "<script>", "a\nb", "x" * 500):
        body = json.dumps({"request_id": strange, "gateway_request_id": strange, "status": "OK"}).encode()
        got = fal.webhooks.verify(signer.headers(body), body, jwks_url=jwks.url)
        assert (got.request_id, got.gateway_request_id) == ("r-1", None)


# -- keys ------------------------------------------------------------------------------------------------


def test_keys_are_fetched_once_for_many_deliveries_and_no_key_of_the_account_goes_along(signer, jwks, monkeypatch):
    monkeypatch.setenv("FAL_KEY", "me:secret")
    for number in range(20):
        body = body_of(f"r-{number}")
        fal.webhooks.verify(signer.headers(body), body, jwks_url=jwks.url)
    (asked,) = jwks.asked
    assert "authorization" not in {name.lower() for name in asked}


class Clock:
    """Moved by the test."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


class Keys:
    """A key set whose fetches are counted and can fail."""

    def __init__(self, *signers):
        self.signers, self.asked, self.error, self.clock = list(signers), 0, None, Clock()
        self.verifier = Verifier(WebhookKeys("https://keys.example/jwks", fetch=self.fetch, clock=self.clock))

    async def fetch(self, _url):
        self.asked += 1
        if self.error:
            raise TransferError(self.error)
        return read_jwks({"keys": [signer.jwk() for signer in self.signers]})

    def check(self, signer):
        body = body_of()
        return asyncio.run(self.verifier.check(signer.headers(body), body))


def test_keys_are_kept_for_a_day_and_no_longer():
    first = Signer()
    keys = Keys(first)
    keys.check(first)
    keys.clock.now += 86_399
    keys.check(first)
    assert keys.asked == 1
    keys.clock.now += 2
    keys.check(first)
    assert keys.asked == 2


def test_a_rotated_key_is_taken_up_at_its_first_delivery():
    old, new = Signer(), Signer()
    keys = Keys(old)
    keys.check(old)
    keys.clock.now += 60
    keys.signers = [new, old]
    assert keys.check(new).is_ok
    assert keys.check(old).is_ok
    assert keys.asked == 2


def test_a_key_that_was_taken_back_is_believed_no_more_once_the_keys_were_fetched():
    old, new = Signer(), Signer()
    keys = Keys(old)
    keys.check(old)
    keys.clock.now += 60
    keys.signers = [new]
    keys.check(new)
    with pytest.raises(WebhookError, match="none of fal's keys"):
        keys.check(old)


def test_forged_deliveries_cannot_have_the_keys_fetched_again_and_again():
    true, forger = Signer(), Signer()
    keys = Keys(true)
    for _ in range(50):
        with pytest.raises(WebhookError) as caught:
            keys.check(forger)
        assert caught.value.reason == "signature"
    assert keys.asked == 1
    keys.clock.now += 31
    for _ in range(50):
        with pytest.raises(WebhookError):
            keys.check(forger)
    assert keys.asked == 2


def test_where_keys_cannot_be_had_that_is_the_reason_and_it_passes():
    true = Signer()
    keys = Keys(true)
    keys.error = "no network"
    for _ in range(10):
        with pytest.raises(WebhookError, match="no network") as caught:
            keys.check(true)
        assert caught.value.reason == "keys"
    assert keys.asked == 1
    keys.error = None
    keys.clock.now += 6
    assert keys.check(true).is_ok


def test_known_keys_serve_while_none_can_be_fetched_but_a_new_signature_stays_open():
    old, new = Signer(), Signer()
    keys = Keys(old)
    keys.check(old)
    keys.clock.now += 60
    keys.error = "no network"
    assert keys.check(old).is_ok
    with pytest.raises(WebhookError) as caught:
        keys.check(new)
    assert caught.value.reason == "keys"
    keys.clock.now += 86_400
    with pytest.raises(WebhookError) as caught:
        keys.check(old)
    assert caught.value.reason == "keys"


@pytest.mark.parametrize(
    "document",
    [
        b"<html>",
        b"{}",
        {"keys": []},
        {"keys": {}},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": 7}]},
        b"x" * 300_000,
    ],
)
def test_a_key_set_without_a_key_is_none(signer, jwks, document):
    jwks.document = document
    body = body_of()
    assert "no Ed25519 key" in refused(signer, jwks, "keys", signer.headers(body), body)


@pytest.mark.parametrize("status", [301, 404, 500, 503])
def test_a_key_set_that_is_refused_or_moved_is_none(signer, jwks, status):
    jwks.status = status
    body = body_of()
    assert f"HTTP {status}" in refused(signer, jwks, "keys", signer.headers(body), body)
    assert len(jwks.asked) == 1


def test_a_server_that_is_not_there_is_the_reason(signer):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/jwks"
    body = body_of()
    with pytest.raises(WebhookError) as caught:
        fal.webhooks.verify(signer.headers(body), body, jwks_url=url)
    assert caught.value.reason == "keys"


@pytest.mark.parametrize("url", ["http://keys.example/jwks", "ftp://x/y", "https://me:pw@keys.example/", "x"])
def test_an_address_of_keys_that_anybody_could_answer_is_refused(url):
    with pytest.raises(ConfigError, match="https"):
        fal.webhooks.verify({}, b"", jwks_url=url)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "https://rest.fal.ai/.well-known/jwks.json"),
        ({"FAL_KEY": "a:b"}, "https://rest.fal.ai/.well-known/jwks.json"),
        ({"FAL_NB_BASE_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:9/rest/.well-known/jwks.json"),
    ],
)
def test_the_keys_are_those_of_the_place_where_calls_go(monkeypatch, environ, url):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert fal.webhooks.verifying.place_in_force().hosts.webhook_keys() == url


async def test_it_works_on_a_running_loop_awaited_or_not(signer, jwks):
    body = body_of()
    assert fal.webhooks.verify(signer.headers(body), body, jwks_url=jwks.url).is_ok
    assert (await fal.webhooks.verify_async(signer.headers(body), body, jwks_url=jwks.url)).is_ok
    with pytest.raises(WebhookError):
        await fal.webhooks.verify_async(Signer().headers(body), body, jwks_url=jwks.url)


# -- properties ------------------------------------------------------------------------------------------

IDS = st.text("abcXYZ019-_.~:", min_size=1, max_size=40)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    request_id=IDS,
    user_id=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    payload=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
    ),
)
def test_whatever_was_signed_verifies_and_comes_out_as_it_went_in(request_id, user_id, payload):
    signer = Signer(VECTOR_SEED)
    body = body_of(request_id, payload=payload)
    keys = Keys(signer)
    headers = signer.headers(body, request_id=request_id, user_id=user_id)
    got = asyncio.run(keys.verifier.check(headers, body))
    assert (got.request_id, got.user_id, got.payload) == (request_id, user_id, payload)


@settings(max_examples=100)
@given(data=st.data())
def test_no_single_change_goes_unnoticed(data):
    signer = Signer(VECTOR_SEED)
    body = body_of(payload={"seed": 123})
    headers = signer.headers(body)
    where = data.draw(st.sampled_from([*headers, "body"]))
    old = body if where == "body" else headers[where].encode()
    at = data.draw(st.integers(0, len(old) - 1))
    new = bytearray(old)
    new[at] = data.draw(st.integers(32, 126).filter(lambda byte: byte != old[at]))
    if where == "body":
        body = bytes(new)
    else:
        headers[where] = new.decode()
    if where.endswith("Signature") and headers[where].lower().encode() == old:
        return
    with pytest.raises(WebhookError):
        asyncio.run(Keys(signer).verifier.check(headers, body))


@given(
    headers=st.dictionaries(
        st.sampled_from(["X-Fal-Webhook-Request-Id", "X-Fal-Webhook-User-Id", "X-Fal-Webhook-Timestamp", "X-Fal-Webhook-Signature", "x"])
        | st.text(max_size=10),
        st.text(max_size=140),
    ),
    body=st.binary(max_size=200),
)  # fmt: skip
def test_nothing_that_anybody_sends_raises_anything_else(headers, body):
    with pytest.raises(WebhookError):
        asyncio.run(Keys(Signer(VECTOR_SEED)).verifier.check(headers, body))
