import asyncio
import os
import signal
import sqlite3
import threading
import time

import pytest

from fal_nb.engine.session import Session
from fal_nb.errors import (
    EndpointError,
    FalClientTimeoutError,
    FileError,
    JobError,
    NotFoundError,
    RequestCancelledError,
    ServerError,
    SubmissionUnknown,
    ValidationError,
)
from fal_nb.protocol.status import Completed, InProgress, Queued
from fal_nb.simulator.server import SimulatorServer

SCHNELL = "fal-ai/flux/schnell"
DEV = "fal-ai/flux/dev"


def states_of(job):
    """Record the states a job goes through, in order, without repeats."""
    seen = [job.state]
    job.observe(lambda snapshot: seen.append(snapshot.state) if snapshot.state != seen[-1] else None)
    return seen


def test_a_call_goes_through_its_states_and_brings_a_stored_picture(session):
    job = session.submit(SCHNELL, {"prompt": "a red fox", "seed": 7, "image_size": "square"})
    seen = states_of(job)
    result = job.get()
    assert seen[-3:] == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert result["seed"] == 7
    assert result.files[0].pil().size == (512, 512)
    assert job.snapshot.artifacts[0].thumbnail.startswith(b"RIFF")
    assert job.snapshot.inference_s > 0
    assert job.snapshot.billable_units == 1


@pytest.mark.parametrize("seconds", [0.2, 60 if os.environ.get("FAL_NB_TEST_SIZE") == "full" else 4])
def test_a_job_takes_three_requests_however_long_it_takes(session, simulator, seconds):
    simulator.fault("long", seconds=seconds, times=1)
    job = session.submit(DEV, {"prompt": "three"})
    job.get()
    counted = simulator.requests(job.request_id)
    assert {kind: count for kind, count in counted.items() if count} == {"submit": 1, "status_stream": 1, "result": 1}


def test_the_record_is_on_disk_before_the_post(session, simulator, wait_for):
    simulator.fault("slow", seconds=30, times=1)
    job = session.submit(SCHNELL, {"prompt": "waits"})
    wait_for(lambda: job.state == "SUBMITTING")
    with sqlite3.connect(f"file:{session.home / 'history.sqlite'}?mode=ro", uri=True) as file:
        rows = file.execute("SELECT id, state, request_id FROM records").fetchall()
    file.close()
    assert rows == [(job.record_id, "SUBMITTING", None)]


def test_every_step_is_in_the_history_with_its_facts(session):
    job = session.submit(SCHNELL, {"prompt": "kept", "num_images": 2})
    job.get()
    record = session.history.get(job.record_id)
    assert (record.state, record.request_id, record.backend) == ("SUCCEEDED", job.request_id, "server")
    assert record.created <= record.submitted <= record.started <= record.ended
    assert record.result["prompt"] == "kept"
    assert record.inference_s > 0
    assert any("4/4" in line for line in record.logs)
    assert len(session.history.artifacts(job.record_id)) == 2


def test_submit_returns_before_the_request_is_accepted(session, simulator):
    simulator.fault("slow", seconds=1, times=1)
    job = session.submit(SCHNELL, {"prompt": "later"})
    assert job.snapshot.request_id is None
    assert job.get()["prompt"] == "later"
    assert job.request_id


def test_logs_and_steps_are_followed(session):
    job = session.submit(DEV, {"prompt": "steps", "num_inference_steps": 10})
    job.get()
    assert job.snapshot.steps == (10, 10)
    assert job.snapshot.progress == 1
    assert len(job.logs) == job.snapshot.log_count
    assert any("10/10" in line for line in job.logs)


def test_the_wire_status_can_be_asked_at_any_time(session, simulator, wait_for):
    simulator.fault("long", seconds=1.0, times=1)
    job = session.submit(DEV, {"prompt": "status"})
    wait_for(lambda: job.state in {"QUEUED", "RUNNING"})
    assert isinstance(job.status(), (Queued, InProgress))
    job.wait()
    status = job.status(with_logs=True)
    assert isinstance(status, Completed)
    assert status.metrics["inference_time"] > 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"prompt": "x", "num_images": 9}, ValidationError), ({}, ValidationError)],
)
def test_arguments_the_endpoint_refuses_fail_the_job_with_the_reason(session, arguments, error):
    job = session.submit(SCHNELL, arguments, check=False)
    with pytest.raises(error):
        job.get()
    assert job.state == "FAILED"
    assert session.history.get(job.record_id).error


def test_an_unknown_endpoint_fails_with_its_name(session):
    with pytest.raises(NotFoundError, match="fal-ai/nope"):
        session.submit("fal-ai/nope", {"prompt": "x"}).get()


def test_a_failing_runner_fails_the_job_with_fals_word_for_it(session, simulator):
    simulator.fault("fail", error_type="runner_disconnected", times=1)
    job = session.submit(SCHNELL, {"prompt": "breaks"})
    with pytest.raises(ServerError):
        job.get()
    assert (job.state, job.snapshot.error_type) == ("FAILED", "runner_disconnected")


@pytest.mark.parametrize("kind", ["queue", "direct"])
@pytest.mark.parametrize("fault", ["lost-reply", "reset-after", "half-reply", "garbage", "ingress-after"])
def test_a_lost_answer_is_unknown_and_never_sent_again(session, simulator, kind, fault):
    before = len(simulator.ledger())
    simulator.fault(fault, times=1)
    job = session.submit(SCHNELL, {"prompt": "lost"}, kind=kind)
    with pytest.raises(SubmissionUnknown):
        job.get()
    assert job.state == "UNKNOWN"
    assert session.history.get(job.record_id).state == "UNKNOWN"
    assert len(simulator.ledger()) == before + 1


def test_a_refusal_by_rate_limit_is_sent_again(session, simulator):
    simulator.fault("rate-limit", times=2, retry_after="0.05")
    before = len(simulator.ledger())
    assert session.submit(SCHNELL, {"prompt": "again"}).get()["prompt"] == "again"
    assert len(simulator.ledger()) == before + 1


def test_a_status_stream_that_is_cut_or_not_offered_changes_nothing(session, simulator):
    simulator.fault("cut-stream", events=1, times=3)
    assert session.submit(SCHNELL, {"prompt": "cut"}).get()["prompt"] == "cut"
    simulator.clear_faults()
    simulator.fault("no-stream", status=405)
    assert session.submit(SCHNELL, {"prompt": "polled"}).get()["prompt"] == "polled"


def test_a_request_that_is_queued_again_goes_back_to_queued(session, simulator):
    simulator.fault("requeue", times=1)
    job = session.submit(DEV, {"prompt": "twice"})
    seen = states_of(job)
    job.get()
    assert [state for state in seen if state in {"QUEUED", "RUNNING"}] == ["QUEUED", "RUNNING", "QUEUED", "RUNNING"]


def test_cancel_of_a_running_request_is_one_put_and_says_what_came_back(session, simulator, wait_for):
    simulator.fault("long", seconds=30, times=1)
    job = session.submit(DEV, {"prompt": "stop me"})
    wait_for(lambda: job.state == "RUNNING")
    assert job.cancel() == "CANCELLATION_REQUESTED"
    assert job.cancel() == "CANCELLATION_REQUESTED"
    with pytest.raises(RequestCancelledError):
        job.get()
    assert job.state == "CANCELLED"
    assert simulator.requests(job.request_id)["cancel"] == 1
    assert session.history.get(job.record_id).cancel == "CANCELLATION_REQUESTED"


def test_cancel_before_the_request_left_sends_nothing(session, simulator, tmp_path, wait_for):
    before = len(simulator.ledger())
    picture = tmp_path / "x.png"
    picture.write_bytes(b"\x89PNG")
    simulator.fault("slow", seconds=2, on="upload", times=1)
    job = session.submit("fal-ai/flux/dev/image-to-image", {"prompt": "x", "image_url": picture})
    job.cancel()
    job.wait()
    assert job.state == "CANCELLED"
    assert len(simulator.ledger()) == before


def test_cancel_while_the_post_is_under_way_reaches_the_server_once_it_has_an_id(session, simulator, wait_for):
    simulator.fault("slow", seconds=0.3, times=1)
    simulator.fault("long", seconds=30, times=1)
    job = session.submit(SCHNELL, {"prompt": "early"})
    wait_for(lambda: job.state == "SUBMITTING")
    job.request_cancel()
    job.wait(20)
    assert job.state == "CANCELLED"
    assert simulator.requests(job.request_id)["cancel"] == 1


def test_a_cancel_that_comes_too_late_keeps_the_result(session, simulator, wait_for):
    simulator.fault("ignore-cancel", times=1)
    simulator.fault("long", seconds=0.6, times=1)
    job = session.submit(SCHNELL, {"prompt": "too late"})
    wait_for(lambda: job.state == "RUNNING")
    assert job.cancel() == "CANCELLATION_REQUESTED"
    assert job.get()["prompt"] == "too late"
    assert job.state == "SUCCEEDED"


def interrupt_soon(condition):
    """Send this process the signal that the notebook's Stop sends, once `condition` holds."""

    def watch():
        deadline = time.monotonic() + 20
        while not condition():
            if time.monotonic() > deadline:
                return  # the test has failed, and the next one is not to be interrupted in its place
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, daemon=True).start()


def test_an_interrupt_of_get_cancels_the_request_at_the_server(session, simulator):
    simulator.fault("long", seconds=30, times=1)
    job = session.submit(DEV, {"prompt": "interrupted"})
    interrupt_soon(lambda: job.state == "RUNNING")
    with pytest.raises(KeyboardInterrupt):
        job.get()
    assert job.snapshot.cancel == "CANCELLATION_REQUESTED"
    assert simulator.requests(job.request_id)["cancel"] == 1


def test_an_interrupt_of_wait_leaves_the_job_alone(session, simulator):
    simulator.fault("long", seconds=0.8, times=1)
    job = session.submit(DEV, {"prompt": "goes on"})
    interrupt_soon(lambda: job.state == "RUNNING")
    with pytest.raises(KeyboardInterrupt):
        job.wait()
    assert job.get()["prompt"] == "goes on"
    assert not simulator.requests(job.request_id).get("cancel")


def test_a_second_interrupt_leaves_at_once_and_keeps_the_id(session, simulator):
    simulator.fault("long", seconds=30, times=1)
    simulator.fault("slow", seconds=30, on="cancel", times=1)
    job = session.submit(DEV, {"prompt": "twice stopped"})
    interrupt_soon(lambda: job.state == "RUNNING")
    interrupt_soon(lambda: job.snapshot.cancel == "asked")
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        job.get()
    assert time.monotonic() - started < 15
    assert job.request_id


def test_the_callers_time_limit_cancels_the_request(session, simulator):
    simulator.fault("long", seconds=30, times=1)
    job = session.submit(DEV, {"prompt": "too slow"}, timeout_s=0.5)
    with pytest.raises(FalClientTimeoutError):
        job.get()
    assert job.state == "CANCELLED"
    assert simulator.requests(job.request_id)["cancel"] == 1


def test_a_job_can_be_awaited_on_any_loop(session):
    async def main():
        return await session.submit(SCHNELL, {"prompt": "awaited"})

    assert asyncio.run(main())["prompt"] == "awaited"


def test_cancelling_the_task_that_awaits_cancels_the_request(session, simulator, wait_for):
    simulator.fault("long", seconds=30, times=1)
    job = session.submit(DEV, {"prompt": "awaited and cancelled"})

    async def main():
        task = asyncio.ensure_future(job._wait_async())
        running = asyncio.Event()
        loop = asyncio.get_running_loop()
        job.observe(lambda snapshot: snapshot.state == "RUNNING" and loop.call_soon_threadsafe(running.set))
        if job.state != "RUNNING":
            await asyncio.wait_for(running.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    wait_for(lambda: job.done)
    assert job.state == "CANCELLED"


def test_results_chain_into_the_next_call(session):
    picture = session.submit(SCHNELL, {"prompt": "a sketch", "image_size": "square"}).get()
    painted = session.submit("fal-ai/flux/dev/image-to-image", {"prompt": "in oil", "image_url": picture}).get()
    again = session.submit("fal-ai/flux/dev/image-to-image", {"prompt": "x", "image_url": painted.files[0]}).get()
    assert again.files[0].pil().size == (512, 512)


def test_local_files_are_uploaded_once_per_content_and_their_urls_recorded(session, simulator, tmp_path):
    picture = session.submit(SCHNELL, {"prompt": "source", "image_size": "square"}).get().files[0].pil()
    path = tmp_path / "my picture.png"
    picture.save(path)
    before = simulator.counters().get("upload", 0)
    endpoint = "fal-ai/flux/dev/image-to-image"
    jobs = [session.submit(endpoint, {"prompt": "x", "image_url": value}) for value in (path, path, path.read_bytes())]
    for job in jobs:
        job.get()
    assert simulator.counters()["upload"] == before + 1
    sent = session.history.get(jobs[0].record_id).arguments
    assert sent["image_url"].startswith(simulator.base_url)


def test_an_unreadable_file_is_named_before_anything_is_sent(session, simulator, tmp_path):
    before = len(simulator.ledger())
    with pytest.raises(FileError, match=r"missing\.png"):
        session.submit(SCHNELL, {"image_url": tmp_path / "missing.png"})
    with pytest.raises(EndpointError):
        session.submit("flux", {"prompt": "x"})
    assert len(simulator.ledger()) == before
    assert session.history.count() == 0


def test_a_job_is_found_by_number_by_request_id_and_as_the_last_one(session):
    job = session.submit(SCHNELL, {"prompt": "find me"})
    job.get()
    assert session.job() is job
    assert session.job(job.record_id) is job
    assert session.job(f"#{job.record_id}") is job
    assert session.job(job.request_id) is job
    with pytest.raises(JobError, match="12345"):
        session.job("12345")


def test_a_new_session_knows_the_jobs_of_the_old_one_and_follows_those_still_open(simulator, tmp_path):
    home = tmp_path / "home"
    first = Session(base_url=simulator.base_url, home=home)
    ended = first.submit(SCHNELL, {"prompt": "ended"})
    ended.get()
    simulator.fault("long", seconds=1.5, times=1)
    going = first.submit(DEV, {"prompt": "still open"})
    while going.request_id is None:
        time.sleep(0.01)
    first.close()
    second = Session(base_url=simulator.base_url, home=home)
    try:
        old = second.job(ended.record_id)
        assert old.done
        assert old.get().files[0].pil()
        assert second.job(going.request_id).get()["prompt"] == "still open"
        assert second.history.get(going.record_id).state == "SUCCEEDED"
        assert second.history.count() == 2
    finally:
        second.close()


def test_a_request_made_elsewhere_can_be_followed(session, simulator):
    import httpx

    made = httpx.post(f"{simulator.base_url}/queue/{SCHNELL}", json={"prompt": "made elsewhere"}).json()
    job = session.attach(SCHNELL, made["request_id"])
    assert job.get()["prompt"] == "made elsewhere"
    assert session.history.get(job.record_id).request_id == made["request_id"]


def test_events_end_with_the_job(session):
    job = session.submit(SCHNELL, {"prompt": "events"})
    states = [snapshot.state for snapshot in job.iter_snapshots()]
    assert states[-1] == "SUCCEEDED"


def test_arguments_changed_after_submit_change_nothing_that_is_sent(session, simulator):
    arguments = {"prompt": "copied", "image_size": {"width": 256, "height": 128}}
    job = session.submit(SCHNELL, arguments)
    arguments["image_size"]["width"] = 512
    assert job.get()["images"][0]["width"] == 256
    assert session.history.get(job.record_id).arguments["image_size"]["width"] == 256


def test_an_open_file_is_read_once_and_uploaded_whole(session, simulator, tmp_path):
    source = session.submit(SCHNELL, {"prompt": "source", "image_size": "square"}).get().files[0]
    with source.path.open("rb") as file:
        result = session.submit("fal-ai/flux/dev/image-to-image", {"prompt": "x", "image_url": file}).get()
    assert result.files[0].pil().size == (512, 512)


def test_an_observer_that_fails_does_not_end_the_job(session):
    job = session.submit(SCHNELL, {"prompt": "sturdy"})
    job.observe(lambda snapshot: 1 / 0)
    assert job.get()["prompt"] == "sturdy"
    assert job.state == "SUCCEEDED"


def test_an_outage_does_not_end_a_running_job(tmp_path, wait_for, monkeypatch):
    monkeypatch.setattr("fal_nb.engine.patience._FIRST_S", 0.1)
    monkeypatch.setattr("fal_nb.protocol.retry._BASE_S", 0.01)
    with SimulatorServer(runners=1, speed=20) as server:
        port = int(server.base_url.rsplit(":", 1)[1])
        session = Session(base_url=server.base_url, home=tmp_path / "home")
        server.fault("long", seconds=30, times=1)
        job = session.submit(DEV, {"prompt": "outage"})
        wait_for(lambda: job.state == "RUNNING")
    wait_for(lambda: job.snapshot.next_step)
    assert job.state == "RUNNING"
    assert session.history.get(job.record_id).state == "RUNNING"
    # The new server never saw the request: now fal's own answer ends it, not the outage.
    with SimulatorServer(runners=1, speed=20, port=port), pytest.raises(NotFoundError):
        job.get(20)
    session.close()


def test_a_job_open_elsewhere_is_not_asked_for_here(session, simulator):
    from fal_nb.ledger.records import NewRecord

    record_id = session.history.add(NewRecord(endpoint=DEV, arguments={}, backend="fal", created=1.0, state="RUNNING"))
    session.history.update(record_id, request_id="a-request-at-fal")
    with pytest.raises(JobError, match=r"open at fal\.ai"):
        session.job(record_id)
    assert session.history.get(record_id).state == "RUNNING"


def test_what_the_ledger_refuses_is_not_sent(session, simulator, monkeypatch):
    from fal_nb.errors import HistoryError

    before = len(simulator.ledger())

    def refuse(changes, **options):
        raise HistoryError("The history cannot be written.")

    monkeypatch.setattr(session.history, "update_many", refuse)
    with pytest.raises(HistoryError):
        session.submit(SCHNELL, {"prompt": "unwritten"}).get()
    assert len(simulator.ledger()) == before


def test_a_direct_call_cancelled_before_it_was_sent_ends_as_cancelled(session, simulator):
    before = len(simulator.ledger())
    job = session.submit(SCHNELL, {"prompt": "early"}, kind="direct")
    job.request_cancel()
    job.wait(20)
    # Which of the three it is, is up to the moment; what it says is then true.
    accepted = len(simulator.ledger()) - before
    assert accepted in {"CANCELLED": {0}, "UNKNOWN": {0, 1}, "SUCCEEDED": {1}}[job.state]
    assert session.history.get(job.record_id).state == job.state


def test_closing_lets_a_request_on_its_way_learn_its_id(simulator, tmp_path):
    simulator.clear_faults()
    session = Session(base_url=simulator.base_url, home=tmp_path / "home")
    simulator.fault("slow", seconds=0.5, times=1)
    simulator.fault("long", seconds=2, times=1)
    job = session.submit(SCHNELL, {"prompt": "closing"})
    session.close()
    assert job.request_id
    again = Session(base_url=simulator.base_url, home=tmp_path / "home")
    assert again.job(job.record_id).get(20)["prompt"] == "closing"
    again.close()


def test_an_observer_sees_whole_snapshots_on_the_loops_thread(session):
    seen = []
    job = session.submit(SCHNELL, {"prompt": "observed"})
    job.observe(lambda snapshot: seen.append((threading.current_thread().name, snapshot.state)))
    job.get()
    assert {name for name, _ in seen} == {"fal-nb"}
    assert seen[-1][1] == "SUCCEEDED"


def test_a_hundred_jobs_at_once_all_end_and_are_all_recorded(session, simulator):
    jobs = [session.submit(SCHNELL, {"prompt": f"number {number}", "image_size": "square"}) for number in range(100)]
    assert {job.get()["prompt"] for job in jobs} == {f"number {number}" for number in range(100)}
    assert session.history.count() == 100
    assert session.jobs() == []


def test_jobs_that_have_ended_are_forgotten_and_come_back_while_those_still_held_are_the_same(session, monkeypatch):
    import gc
    import weakref

    small = {"image_size": {"width": 64, "height": 64}}
    held = session.submit(SCHNELL, small | {"prompt": "held"})
    held.get()
    first = session.submit(SCHNELL, small | {"prompt": "first"})
    number, request_id = first.record_id, first.get() and first.request_id
    forgotten = weakref.ref(first)
    del first
    for other in [session.submit(SCHNELL, small | {"prompt": f"{n}"}) for n in range(40)]:
        other.get()
    last = session.job().record_id
    gc.collect()
    assert forgotten() is None
    assert session.job(held.record_id) is held
    assert session.job(request_id).record_id == number
    assert session.job(number).result().files[0].pil().size == (64, 64)
    assert session.job().record_id == last
