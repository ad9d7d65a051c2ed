"""What a result's answers say of the request itself, and what only of the way there."""

import pytest

from fal_nb.engine.session import Session
from fal_nb.errors import (
    FalClientTimeoutError,
    NotFoundError,
    ServerError,
    SubmissionUnknown,
    TransferError,
    ValidationError,
)
from fal_nb.simulator.server import SimulatorServer

SLEEP = "simulator/sleep"
SCHNELL = "fal-ai/flux/schnell"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name, seconds in (
        ("protocol.retry._BASE_S", 0.01),
        ("protocol.retry._CAP_S", 0.05),
        ("engine.patience._FIRST_S", 0.02),
        ("engine.patience._LONGEST_S", 0.05),
    ):
        monkeypatch.setattr(f"fal_nb.{name}", seconds)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("unavailable", {"times": 1}),
        ("unavailable", {"times": 7}),
        ("status", {"status": 409, "times": 9}),
        ("rate-limit", {"times": 9}),
        ("ingress", {"times": 14}),
        ("ingress", {"status": 504, "times": 14}),
        ("ingress", {"status": 404, "times": 9}),
        ("ingress", {"status": 403, "times": 9}),
        ("ingress", {"status": 200, "times": 9}),
        ("ingress", {"status": 302, "times": 9}),
    ],
)
def test_trouble_on_the_way_to_a_result_does_not_fail_the_job(session, simulator, kind, values):
    simulator.fault(kind, on="result", **values)
    job = session.submit(SLEEP, {"echo": "paid for", "seconds": 0.1})
    assert job.get() == {"echo": "paid for"}
    record = session.history.get(job.record_id)
    assert (record.state, record.result) == ("SUCCEEDED", {"echo": "paid for"})
    assert job.snapshot.next_step is None


def test_the_card_says_meanwhile_why_there_is_no_result_yet(session, simulator, wait_for):
    simulator.fault("ingress", on="result")
    job = session.submit(SLEEP, {"echo": "waits", "seconds": 0.1})
    wait_for(lambda: job.snapshot.next_step)
    assert "asks again" in job.snapshot.next_step
    assert not job.done
    simulator.clear_faults()
    assert job.get() == {"echo": "waits"}


@pytest.mark.parametrize(
    ("fault", "limit", "state", "said"),
    [("fail", None, "FAILED", None), ("none", 0.5, "CANCELLED", "The limit of 0.5 s ran out, so a cancel was sent.")],
)
def test_a_job_that_has_failed_no_longer_says_that_it_is_asked_about(
    session, simulator, wait_for, fault, limit, state, said
):
    if fault != "none":
        simulator.fault(fault)
    simulator.fault("reset", on="result")
    job = session.submit(SLEEP, {"seconds": 0.1 if limit is None else 300}, timeout_s=limit)
    wait_for(lambda: "asks again" in (job.snapshot.next_step or ""))
    simulator.clear_faults()
    assert job.wait(20).state == state
    assert (job.snapshot.next_step, job.snapshot.unreached_since) == (said, None)


def test_who_asks_for_a_result_of_a_fal_out_of_reach_is_told_so_and_the_job_goes_on(session, simulator, monkeypatch):
    monkeypatch.setattr("fal_nb.engine.job.PATIENCE_S", 0.05)
    simulator.fault("reset", on="result")
    job = session.submit(SLEEP, {"echo": "later", "seconds": 0.1})
    for _ in range(2):
        with pytest.raises(TransferError, match=rf"reset.* Job #{job.record_id} goes on at fal .*%fal result"):
            job.get(patient=False)
    assert (job.state, session.history.get(job.record_id).state) == ("RUNNING", "RUNNING")
    simulator.clear_faults()
    assert job.get(patient=False) == {"echo": "later"}
    assert job.snapshot.unreached_since is None


def test_a_fal_that_answers_is_waited_for_however_long_it_takes(session, simulator, monkeypatch):
    monkeypatch.setattr("fal_nb.engine.job.PATIENCE_S", 0.0)
    job = session.submit(SLEEP, {"echo": "slow", "seconds": 10})
    assert job.get(patient=False) == {"echo": "slow"}


def test_who_waits_no_longer_is_told_of_no_snapshots(session):
    job = session.submit(SLEEP, {"seconds": 30})
    before = list(job._observers)
    for _ in range(3):
        with pytest.raises(FalClientTimeoutError):
            job.get(0.01, patient=False)
    assert job._observers == before
    job.cancel()


def test_the_result_of_a_job_that_ended_needs_no_fal(tmp_path, monkeypatch):
    monkeypatch.setattr("fal_nb.engine.job.PATIENCE_S", 0.0)
    with SimulatorServer(speed=20) as server:
        session = Session(base_url=server.base_url, home=tmp_path / "home")
        job = session.submit(SLEEP, {"echo": "here"}).wait()
    assert job.get(patient=False) == {"echo": "here"}
    session.close()


@pytest.mark.parametrize("status", [200, 404])
def test_a_page_that_answers_a_cancel_is_not_taken_for_fals_word(session, simulator, wait_for, status):
    simulator.fault("ingress", on="cancel", status=status, times=1)
    simulator.set_runners(0)
    job = session.submit(SLEEP, {"seconds": 30, "steps": 300})
    try:
        assert job.request_id
        assert job.cancel() is None
        assert "not delivered" in job.snapshot.next_step
    finally:
        simulator.set_runners(4)
    # It stays said while the job goes on.
    wait_for(lambda: job.snapshot.state == "RUNNING" and job.snapshot.log_count > 1)
    assert "not delivered" in job.snapshot.next_step
    assert job.cancel() in {"OK", "CANCELLATION_REQUESTED"}
    assert job.snapshot.next_step is None
    assert job.wait(20).state == "CANCELLED"


def test_what_fal_says_and_nobody_can_read_loses_no_paid_result(session, simulator, monkeypatch):
    monkeypatch.setattr("fal_nb.client.http.MAX_BODY_BYTES", 2_000)
    job = session.submit(SLEEP, {"echo": "paid for" * 300, "seconds": 0.1}).wait(20)
    assert (job.state, bool(job.snapshot.request_id)) == ("UNKNOWN", True)
    assert "keeps its result" in job.snapshot.error
    assert (job.snapshot.next_step, job.snapshot.unreached_since) == (None, None)
    with pytest.raises(SubmissionUnknown) as caught:
        job.get()
    assert caught.value.request_id == job.request_id
    (still,) = session.reconcile().unknown
    assert "cannot be used" in still.why
    monkeypatch.undo()
    session.reconcile()
    assert job.get(20) == {"echo": "paid for" * 300}
    assert len([entry for entry in simulator.ledger() if entry["request_id"] == job.request_id]) == 1


def test_a_page_is_no_reason_to_write_a_lost_call_off(session, simulator):
    simulator.fault("status", on="result", status=403, times=1)
    job = session.submit(SLEEP, {"echo": "paid for", "seconds": 0.1}).wait(20)
    assert job.state == "UNKNOWN"
    simulator.fault("ingress", on="result", status=404, times=1)
    session.reconcile()
    assert job.state == "UNKNOWN"
    session.reconcile()
    assert job.get(20) == {"echo": "paid for"}


@pytest.mark.parametrize("error_type", ["runner_disconnected", "request_timeout", "internal_server_error"])
def test_a_failure_that_the_status_told_of_is_believed_at_once(session, simulator, error_type):
    simulator.fault("fail", error_type=error_type)
    job = session.submit(SLEEP, {"seconds": 0.1})
    with pytest.raises(ServerError):
        job.get()
    assert job.state == "FAILED"
    assert simulator.requests(job.request_id)["result"] == 1


def test_an_outage_that_fal_itself_speaks_of_is_believed_after_some_time(session, simulator):
    simulator.fault("unavailable", on="result")
    job = session.submit(SLEEP, {"seconds": 0.1})
    with pytest.raises(ServerError):
        job.get()
    assert simulator.requests(job.request_id)["result"] > 1


@pytest.mark.parametrize(("endpoint", "error"), [(SCHNELL, ValidationError), ("fal-ai/nope", NotFoundError)])
def test_the_endpoints_own_refusal_is_asked_for_once(session, simulator, endpoint, error):
    job = session.submit(endpoint, {}, check=False)
    with pytest.raises(error):
        job.get()
    assert job.request_id is None or simulator.requests(job.request_id)["result"] == 1


@pytest.mark.parametrize(("kind", "times"), [("status", 1), ("ingress", 8), ("reset", 8), ("half-reply", 8)])
def test_a_file_is_fetched_though_the_cdn_is_away_for_some_time(session, simulator, kind, times):
    more = {"status": 409} if kind == "status" else {}
    simulator.fault(kind, on="cdn_get", times=times, **more)
    result = session.submit(SCHNELL, {"prompt": "paid for", "image_size": {"width": 32, "height": 32}}).get()
    assert result.files[0].pil().size == (32, 32)


def test_a_file_that_is_gone_is_asked_for_once(session, simulator):
    before = simulator.counters().get("cdn_get", 0)
    simulator.fault("status", on="cdn_get", status=404)
    job = session.submit(SCHNELL, {"prompt": "gone", "image_size": {"width": 32, "height": 32}})
    job.wait()
    assert job.state == "SUCCEEDED"
    assert "404" in job.snapshot.artifacts[0].error
    assert simulator.counters()["cdn_get"] == before + 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_result_that_may_not_be_fetched_is_not_lost(session, simulator, status):
    simulator.fault("status", on="result", status=status, times=1)
    job = session.submit(SLEEP, {"echo": "paid for", "seconds": 0.1})
    job.wait(20)
    assert (job.state, bool(job.snapshot.request_id)) == ("UNKNOWN", True)
    assert "did not let its result be fetched" in job.snapshot.error
    session.reconcile()
    assert job.get(20) == {"echo": "paid for"}
    assert len([entry for entry in simulator.ledger() if entry["request_id"] == job.snapshot.request_id]) == 1
