"""The receiver: what is delivered is in the history once, whoever else works there."""

import asyncio
import json
import time

import pytest

from fal_nb.ledger.leases import LEASE_S
from fal_nb.webhooks import intake as intake_module

from .conftest import body_of
from .desk import BASE, PICTURE, Desk, live


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
