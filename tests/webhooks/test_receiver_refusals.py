"""What the receiver takes from nobody, and what it asks to be sent again: neither changes the history."""

import asyncio
import time

import httpx
import pytest

from fal_nb.webhooks.receiving import receiver

from .conftest import Signer, body_of
from .desk import BASE, PICTURE, Desk


async def test_only_the_accounts_that_were_named_are_taken(tmp_path, signer, jwks):
    desk = Desk(tmp_path / "home", signer, jwks, user_ids={"me"})
    assert (await desk.deliver()).status_code == 403
    assert not desk.history.deliveries.newest()
    data = body_of()
    assert (await desk.http.post("/", content=data, headers=signer.headers(data, user_id="me"))).status_code == 200
    await desk.aclose()


def state_of(desk):
    return [*desk.history.select(), *desk.history.deliveries.newest()]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"signer": Signer()}, 401), ({"timestamp": int(time.time()) - 86_400}, 400), ({"timestamp": 9_999_999_999}, 400),
        ({"extra": {"X-Fal-Webhook-Signature": "ab" * 64}}, 401), ({"extra": {"X-Fal-Webhook-Signature": "x"}}, 400),
        ({"extra": {"X-Fal-Webhook-User-Id": "other"}}, 401), ({"status": "FINE"}, 400),
    ],
)  # fmt: skip
async def test_what_is_not_fals_changes_nothing(desk, change, status):
    desk.record()
    before = state_of(desk)
    answer = await desk.deliver(**change)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert state_of(desk) == before


async def test_a_replay_of_a_delivery_that_was_good_is_refused_once_it_is_old(desk, monkeypatch):
    data = body_of(payload=PICTURE)
    headers = desk.signer.headers(data)
    later = time.time() + 301
    verifier = desk.app._checks()
    monkeypatch.setattr(verifier, "_now", lambda: later)
    desk.record()
    assert (await desk.http.post("/", content=data, headers=headers)).status_code == 400
    assert desk.history.get(1).state == "QUEUED"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
async def test_other_methods_are_refused(desk, method):
    answer = await desk.http.request(method, "/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_without_the_headers_no_body_is_read(desk):
    read = []

    async def receive():
        read.append(1)
        return {"type": "http.request", "body": b"x", "more_body": True}

    sent = []

    async def send(message):
        sent.append(message)

    await desk.app({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
    assert sent[0]["status"] == 400
    assert not read


async def test_a_body_without_end_is_cut_off(tmp_path, signer, jwks):
    desk = Desk(tmp_path / "home", signer, jwks, max_bytes=1000)
    chunks = []

    async def endless():
        while True:
            chunks.append(1)
            yield b"x" * 100

    headers = signer.headers(b"")
    assert (await desk.http.post("/", content=endless(), headers=headers)).status_code == 413
    assert (await desk.http.post("/", content=b"x" * 1001, headers=headers)).status_code == 413
    huge = {**headers, "content-length": "9" * 30}
    assert (await desk.http.post("/", content=b"x", headers=huge)).status_code == 413
    assert desk.app._held_bytes == 0
    await desk.aclose()


async def test_many_large_bodies_at_once_are_put_off(desk, monkeypatch):
    from fal_nb.webhooks import receiving as module

    monkeypatch.setattr(module, "_MOST_HELD_BYTES", 1000)
    answer = await desk.deliver(payload="x" * 2000)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert desk.app._held_bytes == 0
    assert (await desk.deliver(payload="x")).status_code == 200


async def test_a_slow_body_is_given_up(desk, monkeypatch):
    from fal_nb.webhooks import receiving as module

    monkeypatch.setattr(module, "_BODY_S", 0.05)

    async def slow():
        yield b"x"
        await asyncio.sleep(5)

    answer = await desk.http.post("/", content=slow(), headers=desk.signer.headers(b""))
    assert answer.status_code == 408


async def test_where_the_keys_cannot_be_had_it_is_to_come_again(desk, jwks):
    jwks.status = 500
    number = desk.record()
    answer = await desk.deliver()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    jwks.status = 200
    from fal_nb.webhooks.verifying import keys_at

    keys_at(jwks.url)._failed = None
    assert (await desk.deliver()).status_code == 200
    await desk.settled(number)


async def test_where_the_history_takes_nothing_it_is_to_come_again(desk):
    number = desk.record()
    assert (await desk.deliver("other")).status_code == 200
    hands = await desk.app._intake.open()
    hands.history._database._busy_timeout_s = 0
    hands.history._database._writer.execute("PRAGMA busy_timeout = 0")
    with desk.history._database.writing():
        answer = await desk.deliver()
    assert answer.status_code == 503
    assert "sqlite" not in answer.text
    assert desk.history.deliveries.get("r-1") is None
    assert (await desk.deliver()).status_code == 200
    await desk.settled(number)


async def test_a_history_that_cannot_be_opened_is_tried_again(tmp_path, signer, jwks):
    (tmp_path / "home").write_text("a file")
    app = receiver(home=tmp_path / "home", base_url=BASE, jwks_url=jwks.url)
    data = body_of()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        assert (await http.post("/", content=data, headers=signer.headers(data))).status_code == 503
        (tmp_path / "home").unlink()
        assert (await http.post("/", content=data, headers=signer.headers(data))).status_code == 200
    await app.aclose()
