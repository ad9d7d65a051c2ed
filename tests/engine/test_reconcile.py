"""Lost calls, settled by the account's list: over real sockets, with answers that are really lost."""

import time
from dataclasses import replace

import pytest

from fal_nb.engine.session import Session
from fal_nb.errors import JobError, SubmissionUnknown
from fal_nb.simulator.server import SimulatorServer

SCHNELL = "fal-ai/flux/schnell"
LLM = "fal-ai/any-llm"
TINY = {"width": 64, "height": 64}


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=8, speed=50) as server:
        yield server


@pytest.fixture
def lose(session, simulator, wait_for):
    """Make calls whose answer is lost, and wait until they have ended at the server unless told otherwise."""
    simulator.reset()
    counts = {}

    def lose_calls(*calls, endpoint=SCHNELL, kind="queue", fault="lost-reply", ended=True, **more):
        simulator.fault(fault, times=len(calls), on={"queue": "submit", "direct": "run"}[kind])
        before = {entry["request_id"] for entry in simulator.ledger()}
        jobs = [
            session.submit(
                endpoint, {"image_size": TINY, **arguments} if endpoint == SCHNELL else arguments, kind=kind, **more
            )
            for arguments in calls
        ]
        for job in jobs:
            with pytest.raises(SubmissionUnknown):
                job.get()
        counts[endpoint] = counts.get(endpoint, 0) + len(calls)
        ids = [entry["request_id"] for entry in simulator.ledger() if entry["request_id"] not in before]
        if ended:
            wait_for(lambda: len(simulator.ended_requests(endpoint)) >= counts[endpoint])
        return jobs, ids

    return lose_calls


def sent_for(simulator, endpoint, prompt):
    """Return the ids of the requests the server got with a prompt."""
    return [
        entry["request_id"] for entry in simulator.ended_requests(endpoint) if entry["json_input"]["prompt"] == prompt
    ]


def test_all_of_many_lost_calls_are_found_and_each_is_its_own(session, simulator, lose):
    jobs, ids = lose(*({"prompt": f"fox {number}"} for number in range(6)))
    found = session.reconcile()
    assert {settled.job.record_id for settled in found.matched} == {job.record_id for job in jobs}
    assert not found.ties
    assert not found.unknown
    records = [session.history.get(job.record_id) for job in jobs]
    assert sorted(record.request_id for record in records) == sorted(ids)
    for record in records:
        assert record.state == "SUCCEEDED"
        assert record.result["prompt"] == record.arguments["prompt"]
        assert [record.request_id] == sent_for(simulator, SCHNELL, record.arguments["prompt"])
        assert session.history.artifacts(record.id)[0].digest
        assert record.error is None
    assert len(simulator.ledger()) == 6


def test_the_job_that_was_lost_is_the_one_that_is_found(session, lose):
    (job,), _ = lose({"prompt": "the same"})
    (settled,) = session.reconcile().matched
    assert settled.job is job
    assert job.get()["prompt"] == "the same"
    assert job.result().files[0].pil().size == (64, 64)
    assert any("Reconciled" in (step.note or "") for step in session.history.steps(job.record_id))


def test_times_and_logs_are_those_of_the_request(session, lose):
    (job,), _ = lose({"prompt": "timed"})
    time.sleep(0.5)
    session.reconcile()
    record = session.history.get(job.record_id)
    assert record.submitted <= record.started <= record.ended
    assert record.ended - record.submitted < 0.5
    assert record.inference_s > 0
    assert record.billable_units == 1
    assert any("4/4" in line for line in record.logs)


def test_a_second_reconciliation_finds_nothing_to_do(session, lose):
    lose({"prompt": "once"})
    session.reconcile()
    again = session.reconcile()
    assert not again.matched
    assert str(again) == "No call is unknown."


def test_equal_calls_are_shown_and_settled_by_choice(session, lose):
    jobs, ids = lose({"prompt": "twin", "seed": 1}, {"prompt": "twin", "seed": 1})
    found = session.reconcile()
    assert not found.matched
    (tie,) = found.ties
    assert tie.jobs == tuple(job.record_id for job in jobs)
    assert {request.request_id for request in tie.requests} == set(ids)
    assert all(job.state == "UNKNOWN" for job in jobs)
    settled = session.reconcile({f"#{jobs[0].record_id}": ids[1], jobs[1]: ids[0]})
    assert {item.job.record_id: item.request_id for item in settled.matched} == {
        jobs[0].record_id: ids[1],
        jobs[1].record_id: ids[0],
    }
    assert all(job.state == "SUCCEEDED" for job in jobs)


def test_the_last_of_a_tie_follows_from_the_choice_of_the_others(session, lose):
    jobs, ids = lose({"prompt": "twin", "seed": 1}, {"prompt": "twin", "seed": 1})
    found = session.reconcile({jobs[0].record_id: ids[0]})
    assert {item.request_id for item in found.matched} == set(ids)
    assert [item.why for item in found.matched] == ["your choice", "same arguments"]


def test_without_stored_payloads_there_are_candidates_and_none_is_taken(wait_for, tmp_path):
    with SimulatorServer(runners=2, speed=50, store_payloads=False) as simulator:
        session = Session(base_url=simulator.base_url, home=tmp_path / "home")
        simulator.fault("lost-reply", times=1, on="submit")
        job = session.submit(SCHNELL, {"prompt": "bare", "image_size": TINY}).wait()
        wait_for(lambda: simulator.ended_requests(SCHNELL))
        found = session.reconcile()
        (unknown,) = found.unknown
        (candidate,) = unknown.candidates
        assert not found.matched
        assert job.state == "UNKNOWN"
        settled = session.reconcile({job.record_id: candidate.request_id})
        assert settled.matched[0].why == "your choice"
        assert job.get()["prompt"] == "bare"
        session.close()


def test_what_has_not_ended_stays_unknown_and_is_found_later(session, simulator, lose, wait_for):
    simulator.set_runners(0)
    (job,), ids = lose({"prompt": "later"}, ended=False)
    found = session.reconcile()
    (unknown,) = found.unknown
    assert "does not mean" in unknown.why
    assert job.state == "UNKNOWN"
    simulator.set_runners(2)
    wait_for(lambda: simulator.ended_requests(SCHNELL))
    assert session.reconcile().matched[0].request_id == ids[0]


def test_a_choice_of_a_request_that_goes_on_is_followed_to_its_end(session, simulator, lose):
    simulator.set_runners(0)
    (job,), ids = lose({"prompt": "goes on"}, ended=False)
    found = session.reconcile({job.record_id: ids[0]})
    assert found.jobs == (job,)
    assert job.state in {"QUEUED", "UNKNOWN"}
    simulator.set_runners(2)
    assert job.get()["prompt"] == "goes on"


def test_a_foreign_request_with_the_same_arguments_at_another_time_is_not_taken(session, simulator, lose, wait_for):
    (job,), ids = lose({"prompt": "old"})
    # The call was made an hour ago, as its story tells it.
    with session.history._database.writing() as connection:
        connection.execute("UPDATE steps SET at = at - 3600")
        connection.execute("UPDATE records SET created = created - 3600")
    found = session.reconcile()
    assert not found.matched
    assert not found.candidates
    assert session.history.get(job.record_id).request_id is None
    assert ids[0] not in repr(found)


def test_ids_that_another_record_has_are_left_out(session, lose):
    (job,), ids = lose({"prompt": "mine"})
    attached = session.attach(SCHNELL, ids[0]).wait()
    found = session.reconcile()
    assert not found.matched
    assert job.state == "UNKNOWN"
    with pytest.raises(JobError, match=f"#{attached.record_id}"):
        session.reconcile({job.record_id: ids[0]})


def test_direct_calls_are_found_too(session, lose):
    (job,), ids = lose({"prompt": "direct"}, kind="direct")
    found = session.reconcile()
    assert [item.request_id for item in found.matched] == ids
    assert job.get()["prompt"] == "direct"
    assert session.history.get(job.record_id).kind == "direct"


def test_the_price_of_a_lost_call_that_comes_after_it_was_found_does_not_lose_it_again(session, lose):
    (job,), _ = lose({"prompt": "priced late"})
    tell, lost = job.taker(), job.snapshot
    session.reconcile()
    assert job.state == "SUCCEEDED"
    session.runtime.call(_on_the_loop(tell, replace(lost, estimate=0.01)))
    assert job.state == "SUCCEEDED"


async def _on_the_loop(function, *args):
    function(*args)


def test_streams_are_found_too(session, simulator, wait_for):
    simulator.reset()
    simulator.fault("lost-reply", times=1, on="stream")
    events = session.stream(LLM, {"prompt": "tell me", "model": "openai/gpt-4o"}, check=False)
    with pytest.raises(SubmissionUnknown):
        events.job.get()
    wait_for(lambda: simulator.ended_requests(LLM))
    found = session.reconcile()
    assert len(found.matched) == 1
    assert events.job.state == "SUCCEEDED", events.job.snapshot
    assert events.job.result()["output"]


def test_a_request_that_failed_settles_its_record_as_failed(session, simulator, lose):
    simulator.fault("fail", error_type="runner_disconnected", times=1)
    (job,), ids = lose({"prompt": "breaks"})
    session.reconcile()
    record = session.history.get(job.record_id)
    assert (record.state, record.error_type, record.request_id) == ("FAILED", "runner_disconnected", ids[0])
    assert job.state == "FAILED"
    with pytest.raises(Exception, match="runner disconnected"):
        job.get()


def test_a_result_the_queue_keeps_no_more_is_taken_from_the_list(wait_for, tmp_path):
    with SimulatorServer(runners=2, speed=50, result_life_s=0.01, large_result_life_s=0.01) as simulator:
        session = Session(base_url=simulator.base_url, home=tmp_path / "home")
        simulator.fault("lost-reply", times=1, on="submit")
        job = session.submit(SCHNELL, {"prompt": "expired", "image_size": TINY}).wait()
        wait_for(lambda: simulator.ended_requests(SCHNELL))
        time.sleep(0.1)
        session.reconcile()
        assert job.get()["prompt"] == "expired"
        session.close()


def test_an_id_that_came_with_half_an_answer_is_enough(session, simulator, lose):
    jobs, ids = lose({"prompt": "half"}, {"prompt": "half"}, fault="half-reply")
    assert {job.request_id for job in jobs} == set(ids)
    found = session.reconcile()
    assert [item.why for item in found.matched] == ["its id was known"] * 2
    assert all(job.get()["prompt"] == "half" for job in jobs)


def test_where_the_list_cannot_be_had_a_line_says_so_and_nothing_is_changed(session, simulator, lose):
    (job,), _ = lose({"prompt": "no list"})
    before = session.history.get(job.record_id)
    simulator.fault("status", status=400, detail="not today", on="platform_requests")
    found = session.reconcile()
    assert "cannot be had" in found.trouble
    assert "not today" in str(found)
    assert found.unknown[0].why == "the list could not be read"
    assert session.history.get(job.record_id) == before
    simulator.clear_faults()
    assert session.reconcile().matched


def test_a_choice_works_without_the_list(session, simulator, lose):
    (job,), ids = lose({"prompt": "by my word"})
    simulator.fault("status", status=400, on="platform_requests")
    assert session.reconcile({job.record_id: ids[0]}).matched
    assert job.get()["prompt"] == "by my word"


def test_a_mistyped_id_settles_nothing(session, lose):
    (job,), _ = lose({"prompt": "typo"})
    found = session.reconcile({job.record_id: "11111111-2222-3333-4444-555555555555"})
    assert "knows no request" in found.unknown[0].why
    assert job.state == "UNKNOWN"


@pytest.mark.parametrize(
    ("choose", "why"),
    [
        ({"x": "abc"}, "no job's number"),
        ({99_999: "abc"}, "not unknown"),
        ({"job": "<b>"}, "no request id"),
        ({"job": 7}, "knows no request"),
        ({"job": "a b"}, "no request id"),
    ],
)
def test_choices_that_cannot_be_are_refused(session, lose, choose, why):
    (job,), _ = lose({"prompt": "refused"})
    choose = {job.record_id if name == "job" else name: value for name, value in choose.items()}
    if why == "knows no request":
        assert why in session.reconcile(choose).unknown[0].why
    else:
        with pytest.raises(JobError, match=why):
            session.reconcile(choose)
    assert session.history.get(job.record_id).request_id is None


def test_one_request_cannot_be_chosen_for_two_calls(session, lose):
    jobs, ids = lose({"prompt": "twin"}, {"prompt": "twin"})
    with pytest.raises(JobError, match="twice"):
        session.reconcile({job.record_id: ids[0] for job in jobs})
    assert all(job.state == "UNKNOWN" for job in jobs)


def test_two_kernels_that_settle_at_once_give_a_request_to_one_record(session, simulator, lose, tmp_path):
    (job,), ids = lose({"prompt": "raced"})
    store = session.history.settling
    assert store.settle(job.record_id, ids[0], {"state": "QUEUED"}, "first")
    assert not store.settle(job.record_id, ids[0], {"state": "FAILED"}, "second")
    assert session.history.get(job.record_id).state == "QUEUED"


def test_calls_sent_elsewhere_are_named_and_left_alone(session, simulator, lose):
    lose({"prompt": "elsewhere"})
    home = session.home
    session.close()
    with SimulatorServer(runners=1, speed=50) as other:
        second = Session(base_url=other.base_url, home=home)
        found = second.reconcile()
        assert "elsewhere" in found.unknown[0].why
        with pytest.raises(JobError, match="where calls go now"):
            second.reconcile({found.unknown[0].job: "abc"})
        second.close()


def test_the_report_names_each_call_and_the_next_step_and_escapes_what_is_hostile(session, lose):
    lose({"prompt": "<script>alert(1)</script>"}, {"prompt": "twin"}, {"prompt": "twin"})
    found = session.reconcile()
    text, html = repr(found), found._repr_html_()
    assert "1 found, 2 to choose" in text
    assert "%fal reconcile #" in text
    assert "<script>" not in html
    assert {row["endpoint"] for row in found.rows()} == {SCHNELL}
    assert set(found.rows()[0]) == {"job", "endpoint", "prompt", "what", "next"}


# -- once more, by a person's word -----------------------------------------------------------------------


def test_sending_again_asks_first_and_says_what_it_may_cost(session, simulator, lose):
    (job,), _ = lose({"prompt": "again?"})
    asked = []
    assert session.send_again(job, confirm=asked.append) is None
    assert len(simulator.ledger()) == 1
    (question,) = asked
    assert "may pay twice" in question
    assert "USD" in question


def test_sending_again_sends_the_same_body_as_a_record_of_its_own(session, simulator, lose, wait_for):
    (job,), _ = lose({"prompt": "again", "seed": 5})
    again = session.send_again(job.record_id, yes=True)
    assert again.get()["seed"] == 5
    assert again.record_id != job.record_id
    old, new = session.history.get(job.record_id), session.history.get(again.record_id)
    assert (new.arguments, new.kind, new.replay_of) == (old.arguments, old.kind, old.id)
    assert old.state == "UNKNOWN"
    assert f"#{new.id}" in old.note
    assert any(f"#{old.id}" in (step.note or "") for step in session.history.steps(new.id))
    assert any(f"#{new.id}" in (step.note or "") for step in session.history.steps(old.id))
    wait_for(lambda: len(simulator.ended_requests(SCHNELL)) == 2)
    inputs = [entry["json_input"] for entry in simulator.ended_requests(SCHNELL)]
    assert inputs[0] == inputs[1]
    # Reconciled later, each has its own.
    (settled,) = session.reconcile().matched
    assert settled.request_id != new.request_id


def test_sending_again_keeps_the_kind_and_the_options(session, simulator, lose):
    (job,), _ = lose({"prompt": "direct"}, kind="direct")
    again = session.send_again(job, yes=True)
    assert again.get()["prompt"] == "direct"
    assert session.history.get(again.record_id).kind == "direct"


def test_what_is_not_unknown_is_not_sent_again(session):
    job = session.submit(SCHNELL, {"prompt": "fine", "image_size": TINY})
    job.get()
    with pytest.raises(JobError, match="succeeded"):
        session.send_again(job, yes=True)


def test_where_nobody_can_be_asked_nothing_is_sent(session, simulator, lose, monkeypatch):
    (job,), _ = lose({"prompt": "nobody"})

    def no_input(_prompt):
        raise EOFError

    monkeypatch.setattr("builtins.input", no_input)
    with pytest.raises(JobError, match="yes=True"):
        session.send_again(job)
    assert len(simulator.ledger()) == 1


def test_nothing_is_ever_sent_by_reconciling(session, simulator, lose):
    lose({"prompt": "a"}, {"prompt": "b"}, {"prompt": "b"})
    posts = simulator.counters()["submit"]
    session.reconcile()
    session.reconcile()
    assert simulator.counters()["submit"] == posts
