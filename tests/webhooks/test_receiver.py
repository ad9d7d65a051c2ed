"""The receiver: what is delivered is in the history once, whoever else works there, and nothing else gets in."""

import asyncio
import base64
import contextlib
import io
import json
import time

import httpx
import pytest
from PIL import Image

from fal_nb.errors import ConfigError
from fal_nb.ledger.leases import LEASE_S
from fal_nb.ledger.records import NewRecord
from fal_nb.ledger.store import HistoryStore
from fal_nb.webhooks import intake as intake_module
from fal_nb.webhooks.receiving import receiver

from .conftest import Signer, body_of

SCHNELL = "fal-ai/flux/schnell"
BASE = "http://127.0.0.1:9"


def png(colour="red"):
    out = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


PICTURE = {"images": [{"url": png(), "content_type": "image/png"}], "seed": 7}


class Desk:
    """A receiver over a history that the test looks into, without a socket in between."""

    def __init__(self, home, signer, jwks, **options):
        self.home, self.signer = home, signer
        home.mkdir(parents=True, exist_ok=True)
        self.history = HistoryStore(home / "history.sqlite")
        self.app = receiver(home=home, base_url=BASE, jwks_url=jwks.url, **options)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://receiver")

    def record(self, request_id="r-1", state="QUEUED", owner="gone:1:1", **more):
        options = more.pop("options", {"webhook": True})
        changes = {name: more.pop(name) for name in ("ended", "result", "error") if name in more}
        record_id = self.history.add(
            NewRecord(
                endpoint=SCHNELL, arguments={"prompt": "a fox"}, backend="server", base_url=more.pop("base_url", BASE),
                created=time.time() - 60, state=state, request_id=request_id, owner=owner, options=options, **more,
            )
        )  # fmt: skip
        if changes:
            self.history.update(record_id, **changes)
        return record_id

    async def deliver(self, request_id="r-1", *, signer=None, timestamp=None, extra=None, path="/", **body):
        body.setdefault("payload", PICTURE)
        data = body_of(request_id, **body)
        headers = (signer or self.signer).headers(data, request_id=request_id, timestamp=timestamp)
        return await self.http.post(path, content=data, headers={**headers, **(extra or {})})

    async def settled(self, record_id, state="SUCCEEDED"):
        deadline = time.monotonic() + 20
        while (record := self.history.get(record_id)).state != state:
            assert time.monotonic() < deadline, record
            await asyncio.sleep(0.01)
        return record

    async def aclose(self):
        await self.http.aclose()
        await self.app.aclose()
        self.history.close()


@pytest.fixture
async def desk(tmp_path, signer, jwks):
    desk = Desk(tmp_path / "home", signer, jwks)
    yield desk
    await desk.aclose()


def notes(desk, record_id):
    return [step.note for step in desk.history.steps(record_id) if step.note]


async def test_a_delivery_ends_the_job_of_a_kernel_that_is_gone_with_result_and_files(desk):
    number = desk.record(unit_price=0.003)
    answer = await desk.deliver(extra={"x-fal-billable-units": "2"})
    assert (answer.status_code, answer.json()) == (200, {"status": "taken"})
    record = await desk.settled(number)
    assert (record.result["seed"], record.result_seed, record.error) == (7, 7, None)
    assert record.cost == pytest.approx(0.006)
    (artifact,) = desk.history.artifacts(number)
    assert artifact.digest
    assert artifact.thumbnail
    assert any("webhook" in note for note in notes(desk, number))
    assert desk.history.deliveries.get("r-1").payload is None


async def test_the_answer_comes_once_it_is_on_disk(desk):
    number = desk.record()
    assert (await desk.deliver()).status_code == 200
    record = desk.history.get(number)
    assert record.ended is not None
    assert record.result == PICTURE


async def test_a_failure_ends_it_with_fals_words(desk):
    number = desk.record()
    detail = [{"loc": ["body", "prompt"], "msg": "too long", "type": "string_too_long"}]
    await desk.deliver(status="ERROR", error="Invalid status code: 422", payload={"detail": detail})
    record = desk.history.get(number)
    assert (record.state, record.error_type) == ("FAILED", "string_too_long")
    assert "too long" in record.error


@pytest.mark.parametrize(
    ("error", "payload", "state", "error_type"),
    [
        ("Invalid status code: 499", {"detail": "gone", "error_type": "client_cancelled"}, "CANCELLED", "client_cancelled"),
        ("Invalid status code: 503", {"detail": "no", "error_type": "runner_disconnected"}, "FAILED", "runner_disconnected"),
        ("something else", None, "FAILED", None),
        ("", [1, "<script>"], "FAILED", None),
        (None, "text\x1b[31m", "FAILED", None),
    ],
)  # fmt: skip
async def test_failures_of_any_shape_are_read(desk, error, payload, state, error_type):
    number = desk.record()
    assert (await desk.deliver(status="ERROR", error=error, payload=payload)).status_code == 200
    record = desk.history.get(number)
    assert (record.state, record.error_type) == (state, error_type)
    assert record.error
    assert "\x1b" not in record.error


async def test_a_delivery_that_comes_twice_is_one_record_and_one_piece_of_work(desk, monkeypatch):
    followed = []
    go_on = intake_module.Intake._finish

    async def counted(self, hands, record_id):
        followed.append(record_id)
        await go_on(self, hands, record_id)

    monkeypatch.setattr(intake_module.Intake, "_finish", counted)
    number = desk.record()
    answers = await asyncio.gather(*(desk.deliver() for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["status"] for answer in answers) == ["known"] * 11 + ["taken"]
    await desk.settled(number)
    assert (await desk.deliver()).json() == {"status": "known"}
    assert followed == [number]
    assert desk.history.count() == 1
    (kept,) = desk.history.deliveries.newest()
    assert (kept.count, kept.record_id) == (13, number)


async def test_two_receivers_at_once_make_one_record_and_one_piece_of_work(desk, tmp_path, signer, jwks):
    second = Desk(tmp_path / "home", signer, jwks)
    number = desk.record()
    answers = await asyncio.gather(*(each.deliver() for _ in range(6) for each in (desk, second)))
    assert sorted(answer.json()["status"] for answer in answers).count("taken") == 1
    await desk.settled(number)
    assert desk.history.deliveries.get("r-1").count == 12
    told = [note for note in notes(desk, number) if "webhook" in note]
    assert len(told) == 1
    await second.aclose()


async def test_the_first_delivery_holds_whatever_a_second_one_says(desk):
    number = desk.record()
    await desk.deliver()
    await desk.settled(number)
    await desk.deliver(status="ERROR", error="Invalid status code: 500", payload={"detail": "late"})
    await desk.deliver(payload={"seed": 99})
    assert desk.history.get(number).state == "SUCCEEDED"
    assert desk.history.get(number).result["seed"] == 7


async def test_a_lost_call_whose_id_is_known_is_settled(desk):
    number = desk.record(state="UNKNOWN", ended=time.time() - 30, error="The answer was lost.")
    await desk.deliver()
    record = await desk.settled(number)
    assert (record.error, record.result["seed"]) == (None, 7)
    assert record.submitted is not None


async def test_the_id_of_the_gateway_will_do_where_fal_tried_more_than_once(desk):
    number = desk.record("gateway-1")
    data = json.dumps(
        {"request_id": "inner-2", "gateway_request_id": "gateway-1", "status": "OK", "payload": PICTURE}
    ).encode()
    headers = desk.signer.headers(data, request_id="inner-2")
    assert (await desk.http.post("/", content=data, headers=headers)).json() == {"status": "taken"}
    await desk.settled(number)


async def test_what_fal_could_not_put_into_the_delivery_is_left_to_be_fetched(desk):
    number = desk.record()
    answer = await desk.deliver(payload=None, payload_error="not serializable")
    assert answer.json() == {"status": "known"}
    record = desk.history.get(number)
    assert (record.state, record.ended, record.owner) == ("QUEUED", None, "gone:1:1")


async def test_a_null_output_is_an_output(desk):
    number = desk.record()
    await desk.deliver(payload=None)
    record = await desk.settled(number)
    assert record.result is None


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "CANCELLED"])
async def test_what_has_ended_stays_as_it_is(desk, state):
    number = desk.record(state=state, ended=5.0, result={"seed": 1})
    before = desk.history.get(number)
    assert (await desk.deliver()).json() == {"status": "known"}
    assert desk.history.get(number) == before


# -- kernels that live -----------------------------------------------------------------------------------


async def test_a_job_that_a_living_kernel_follows_is_left_to_it_and_kept_for_it(desk):
    desk.history.leases.renew("kernel", time.time())
    number = desk.record(owner="kernel")
    before = desk.history.get(number)
    assert (await desk.deliver()).json() == {"status": "held"}
    assert (await desk.deliver()).json() == {"status": "held"}
    assert desk.history.get(number) == before
    assert desk.history.deliveries.of_records([number])[number].payload == PICTURE


async def test_once_that_kernel_is_gone_the_receiver_goes_on(desk, monkeypatch):
    monkeypatch.setattr(intake_module, "_LOOK_S", 0.02)
    desk.history.leases.renew("kernel", time.time())
    number = desk.record(owner="kernel")
    await desk.deliver()
    desk.history.leases.release("kernel")
    record = await desk.settled(number)
    assert record.result["seed"] == 7


async def test_a_kernel_that_fell_silent_writes_nothing_over_it(desk):
    from fal_nb.errors import LeaseLost

    desk.history.leases.renew("kernel", time.time() - LEASE_S - 1)
    number = desk.record(owner="kernel")
    assert (await desk.deliver()).json() == {"status": "taken"}
    with pytest.raises(LeaseLost):
        desk.history.update_many([(number, {"state": "FAILED"})], held_by="kernel")
    assert (await desk.settled(number)).result["seed"] == 7


async def test_what_a_receiver_left_behind_the_next_one_finishes(desk, tmp_path, signer, jwks):
    number = desk.record()
    held = desk.record("r-2", owner="gone:2:2")
    # As a receiver leaves it that was killed after its commit: the result is there, the files are not.
    from fal_nb.engine.outcome import of_delivery
    from fal_nb.ledger.deliveries import KeptDelivery

    for request_id, record_id in (("r-1", number), ("r-2", held)):
        kept = KeptDelivery(request_id, None, BASE, "u", 1.0, 1.0, 1.0, 1, True, None, None, PICTURE, None)
        owner = "killed" if record_id == number else "also killed"
        assert desk.history.deliveries.take(kept, of_delivery(kept), owner).fate == "taken"
    assert desk.history.get(number).state == "RUNNING"
    async with live(desk.app):
        await desk.settled(number)
        await desk.settled(held)
    assert desk.history.artifacts(number)[0].digest


# -- requests of nobody ----------------------------------------------------------------------------------


async def test_a_request_that_no_record_has_is_kept_apart_and_nothing_of_it_is_fetched(desk):
    assert (await desk.deliver("foreign-1", payload={"images": [{"url": "https://example.org/x.png"}]})).json() == {
        "status": "foreign"
    }
    assert desk.history.count() == 0
    (kept,) = desk.history.deliveries.newest(foreign=True)
    assert (kept.request_id, kept.record_id, kept.user_id) == ("foreign-1", None, "user_1")
    assert kept.payload["images"]


async def test_a_request_of_another_server_is_none_of_this_ones(desk):
    number = desk.record(base_url=None)
    assert (await desk.deliver()).json() == {"status": "foreign"}
    assert desk.history.get(number).state == "QUEUED"


async def test_a_delivery_that_is_faster_than_the_answer_to_the_submission_is_found_later(desk):
    number = desk.record(None, state="SUBMITTING")
    assert (await desk.deliver()).json() == {"status": "foreign"}
    desk.history.update(number, request_id="r-1", state="QUEUED")
    async with live(desk.app):
        pass
    assert desk.history.deliveries.of_records([number]) or desk.history.get(number).result
    desk.history.deliveries.waiting()
    assert not desk.history.deliveries.newest(foreign=True)


async def test_foreign_deliveries_are_bounded_and_those_of_ones_own_account_stay(desk, monkeypatch):
    from fal_nb.ledger import deliveries

    monkeypatch.setattr(deliveries, "_MOST_FOREIGN", 5)
    desk.record()
    await desk.deliver()  # user_1 is known from now on
    await desk.deliver("mine-1", payload={"n": 1})
    for number in range(9):
        data = body_of(f"theirs-{number}", payload={"n": number})
        headers = desk.signer.headers(data, request_id=f"theirs-{number}", user_id="somebody")
        assert (await desk.http.post("/", content=data, headers=headers)).json() == {"status": "foreign"}
    kept = [item.request_id for item in desk.history.deliveries.newest(foreign=True)]
    assert len(kept) == 5
    assert "mine-1" in kept
    monkeypatch.setattr(deliveries, "_MOST_FOREIGN_BYTES", 300)
    await desk.deliver("big", payload="x" * 200)
    assert sum(len(json.dumps(item.payload)) for item in desk.history.deliveries.newest(foreign=True)) <= 300


async def test_only_the_accounts_that_were_named_are_taken(tmp_path, signer, jwks):
    desk = Desk(tmp_path / "home", signer, jwks, user_ids={"me"})
    assert (await desk.deliver()).status_code == 403
    assert not desk.history.deliveries.newest()
    data = body_of()
    assert (await desk.http.post("/", content=data, headers=signer.headers(data, user_id="me"))).status_code == 200
    await desk.aclose()


# -- what is refused -------------------------------------------------------------------------------------


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
    from fal_nb.webhooks import verifying

    data = body_of(payload=PICTURE)
    headers = desk.signer.headers(data)
    later = time.time() + 301
    verifier = desk.app._checks()
    monkeypatch.setattr(verifier, "_now", lambda: later)
    desk.record()
    assert (await desk.http.post("/", content=data, headers=headers)).status_code == 400
    assert desk.history.get(1).state == "QUEUED"
    del verifying


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


# -- servers ---------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def live(app):
    """The lifespan, as a server speaks it."""
    to_app, from_app = asyncio.Queue(), asyncio.Queue()
    task = asyncio.ensure_future(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert (await from_app.get())["type"] == "lifespan.startup.complete"
    yield
    await to_app.put({"type": "lifespan.shutdown"})
    assert (await from_app.get())["type"] == "lifespan.shutdown.complete"
    await task


async def test_a_start_that_fails_says_why(tmp_path, jwks):
    (tmp_path / "home").write_text("a file")
    app = receiver(home=tmp_path / "home", base_url=BASE, jwks_url=jwks.url)
    sent = asyncio.Queue()

    async def started():
        return {"type": "lifespan.startup"}

    await app({"type": "lifespan"}, started, sent.put)
    message = await sent.get()
    assert message["type"] == "lifespan.startup.failed"
    assert "FAL_NB_HOME" in message["message"]


async def test_websockets_are_closed(desk):
    sent = []

    async def send(message):
        sent.append(message)

    await desk.app({"type": "websocket", "path": "/"}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1003}]


async def test_it_can_be_mounted_in_another_application(desk):
    from starlette.applications import Starlette
    from starlette.routing import Mount

    app = Starlette(routes=[Mount("/hooks/fal", app=desk.app)])
    desk.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://receiver")
    number = desk.record()
    assert (await desk.deliver(path="/hooks/fal/")).json() == {"status": "taken"}
    await desk.settled(number)


def test_addresses_are_checked_at_once(tmp_path):
    for options in ({"jwks_url": "http://elsewhere.example/"}, {"base_url": "http://elsewhere.example"}):
        with pytest.raises(ConfigError):
            receiver(home=tmp_path, **options)


def test_no_module_hides_a_public_name():
    """``uvicorn fal_nb.webhooks:receiver`` must find the function, whatever was imported before."""
    import importlib
    import pkgutil

    import fal_nb.webhooks as room

    modules = {module.name for module in pkgutil.iter_modules(room.__path__)}
    for name in modules:
        importlib.import_module(f"fal_nb.webhooks.{name}")
    assert not modules & set(room.__all__)
    assert all(callable(getattr(room, name)) for name in room.__all__)
