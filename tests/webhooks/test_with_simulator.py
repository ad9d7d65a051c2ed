"""From the call to the record over real sockets: a kernel's session, the simulator that delivers, a receiver."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

import fal_nb as fal
from fal_nb.client.options import CallOptions
from fal_nb.engine.session import Session
from fal_nb.errors import ConfigError, SubmissionUnknown
from fal_nb.ledger.store import HistoryStore
from fal_nb.simulator.server import SimulatorServer
from fal_nb.webhooks.verifying import keys_at

from .conftest import body_of

SCHNELL = "fal-ai/flux/schnell"
TINY = {"width": 64, "height": 64}
OUT_OF_REACH = "status_stream|status|result"


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=4, speed=50, webhook_schedule_s=[0, *[0.1] * 8, *[0.5] * 100]) as server:
        yield server
    keys_at.cache_clear()


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def session(simulator, home):
    simulator.reset()
    session = Session(base_url=simulator.base_url, home=home, notify=lambda line: None)
    yield session
    simulator.clear_faults()
    session.close()


@pytest.fixture
def served(session):
    with fal.webhooks.serve(session) as server:
        yield server


def until(condition, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)
    return value


def call(session, url, prompt="a fox", **more):
    return session.submit(
        SCHNELL, {"prompt": prompt, "image_size": TINY, "seed": 1}, options=CallOptions(webhook_url=url), **more
    )


def outcomes(simulator, count):
    until(lambda: len(simulator.webhooks()) >= count)
    return [entry["outcome"] for entry in simulator.webhooks()]


def test_a_job_that_is_followed_ends_once_and_its_file_is_fetched_once(session, simulator, served):
    job = call(session, served.url)
    assert job.get()["prompt"] == "a fox"
    assert outcomes(simulator, 1) == [200]
    (kept,) = session.history.deliveries.newest()
    assert kept.record_id == job.record_id
    assert simulator.counters()["cdn_get"] == 1
    assert session.history.count() == 1


def test_where_fal_is_out_of_reach_the_running_job_takes_what_was_delivered(session, simulator, served):
    simulator.fault("unavailable", on=OUT_OF_REACH)
    job = call(session, served.url)
    assert job.get(timeout=60)["prompt"] == "a fox"
    assert job.result().files[0].pil().size == (64, 64)
    assert simulator.counters()["cdn_get"] == 1
    assert session.history.get(job.record_id).owner == session.owner


def test_a_failure_reaches_the_running_job_too_and_raises_as_it_would_have(session, simulator, served):
    simulator.fault("fail", error_type="runner_disconnected", times=1)
    simulator.fault("unavailable", on=OUT_OF_REACH)
    job = call(session, served.url)
    with pytest.raises(fal.ServerError) as caught:
        job.get(timeout=60)
    assert caught.value.error_type == "runner_disconnected"
    assert session.history.get(job.record_id).state == "FAILED"


def test_another_kernels_job_finds_it_in_the_history_within_seconds(session, simulator, monkeypatch, home):
    from fal_nb.ledger import leases

    monkeypatch.setattr(leases, "RENEW_S", 0.2)
    other = Session(base_url=simulator.base_url, home=home, notify=lambda line: None)
    with fal.webhooks.serve(other) as server:
        simulator.fault("unavailable", on=OUT_OF_REACH)
        job = call(session, server.url)
        assert job.get(timeout=60)["prompt"] == "a fox"
    assert session.history.get(job.record_id).owner == session.owner
    assert simulator.counters()["cdn_get"] == 1
    other.close()


def test_a_lost_call_is_settled_by_its_delivery_and_its_card_comes_back_to_life(session, simulator, served):
    simulator.fault("lost-reply", times=1, on="submit")
    job = call(session, served.url)
    until(lambda: session.history.get(job.record_id).state == "SUCCEEDED")
    until(lambda: job.state == "SUCCEEDED")
    assert job.get()["prompt"] == "a fox"
    record = session.history.get(job.record_id)
    assert [record.request_id] == [entry["request_id"] for entry in simulator.ledger()]
    assert record.error is None
    until(lambda: session.history.get(job.record_id).billable_units == 1)
    assert record.submitted <= record.started <= record.ended
    assert any("Reconciled" in (step.note or "") for step in session.history.steps(job.record_id))
    assert session.history.deliveries.newest()[0].record_id == job.record_id


def test_of_two_lost_calls_that_are_equal_none_is_chosen(session, simulator, served, monkeypatch):
    from fal_nb.webhooks import intake

    monkeypatch.setattr(intake, "_LOST_WAITS_S", (0.0, 0.1))
    simulator.set_runners(0)
    simulator.fault("lost-reply", times=2, on="submit")
    jobs = [call(session, served.url), call(session, served.url)]
    for job in jobs:
        with pytest.raises(SubmissionUnknown):
            job.get()
    simulator.set_runners(4)
    assert outcomes(simulator, 2) == [200, 200]
    until(lambda: simulator.counters().get("platform_requests", 0) >= 4)
    assert {job.state for job in jobs} == {"UNKNOWN"}
    assert len(session.history.deliveries.newest(foreign=True)) == 2
    ids = [entry["request_id"] for entry in simulator.ledger()]
    session.reconcile({jobs[0].record_id: ids[0]})
    assert {job.get()["prompt"] for job in jobs[:1]} == {"a fox"}


def test_a_lost_call_that_asked_for_no_webhook_is_none_that_was_delivered(session, simulator, served):
    simulator.fault("lost-reply", times=1, on="submit")
    job = session.submit(SCHNELL, {"prompt": "a fox", "image_size": TINY, "seed": 1})
    with pytest.raises(SubmissionUnknown):
        job.get()
    elsewhere = httpx.post(
        f"{simulator.base_url}/queue/{SCHNELL}",
        params={"fal_webhook": served.url},
        json={"prompt": "a fox", "image_size": TINY, "seed": 1},
    )
    assert elsewhere.status_code == 200
    assert outcomes(simulator, 1) == [200]
    assert until(lambda: session.history.deliveries.newest(foreign=True))
    assert session.history.get(job.record_id).state == "UNKNOWN"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"kind": "webhook-twice", "copies": 4}, [200] * 4),
        ({"kind": "webhook-late", "seconds": 0.3, "times": 1}, [200]),
        ({"kind": "webhook-wrong-key", "times": 1}, [401, 200]),
        ({"kind": "webhook-changed-body", "times": 2}, [401, 401, 200]),
        ({"kind": "webhook-old", "seconds": 400, "times": 1}, [400, 200]),
        ({"kind": "webhook-never", "times": 1}, ["not sent on purpose", 200]),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else "",
)
def test_no_fault_of_a_delivery_makes_more_or_less_than_one_record(session, simulator, served, fault, told):
    fault = dict(fault)
    simulator.fault(fault.pop("kind"), **fault)
    simulator.fault("lost-reply", times=1, on="submit")
    job = call(session, served.url)
    until(lambda: job.state == "SUCCEEDED")
    assert outcomes(simulator, len(told)) == told
    assert session.history.count() == 1
    assert simulator.counters()["cdn_get"] == 1


def test_a_webhook_that_never_comes_costs_nothing(session, simulator, served):
    simulator.fault("webhook-never")
    assert call(session, served.url).get()["prompt"] == "a fox"


def test_a_rotated_key_is_believed(session, simulator, served):
    call(session, served.url).get()
    keys_at(f"{simulator.base_url}/rest/.well-known/jwks.json")._asked_at = float("-inf")
    simulator.rotate_webhook_key(keep=False)
    call(session, served.url, "another").get()
    assert outcomes(simulator, 2) == [200, 200]


def test_a_result_that_fal_keeps_no_more_is_taken_from_the_delivery_by_the_kernel_that_carries_on(home, tmp_path):
    with SimulatorServer(runners=2, speed=50, result_life_s=0.05, large_result_life_s=0.05) as simulator:
        first = Session(base_url=simulator.base_url, home=home, notify=lambda line: None)
        second = Session(base_url=simulator.base_url, home=home, notify=lambda line: None)
        with fal.webhooks.serve(second) as server:
            simulator.set_runners(0)
            job = call(first, server.url)
            assert job.request_id
            simulator.fault("unavailable", on=OUT_OF_REACH)
            simulator.set_runners(2)
            until(lambda: second.history.deliveries.get(job.request_id))
        first.close()
        simulator.clear_faults()
        until(lambda: httpx.get(f"{simulator.base_url}/queue/fal-ai/flux/requests/{job.request_id}").status_code == 404)
        record = second.history.get(job.record_id)
        assert record.state in {"QUEUED", "RUNNING", "SUCCEEDED"}
        resumed = second.resume().jobs
        assert (resumed[0] if resumed else second.job(job.record_id)).get(timeout=30)["prompt"] == "a fox"
        second.close()


def test_reconciling_takes_a_result_that_fal_keeps_no_more_from_its_delivery(home, monkeypatch):
    from fal_nb.webhooks import intake

    monkeypatch.setattr(intake, "_LOST_WAITS_S", ())
    options = {"store_payloads": False, "result_life_s": 0.05, "large_result_life_s": 0.05}
    with SimulatorServer(runners=2, speed=50, **options) as simulator:
        session = Session(base_url=simulator.base_url, home=home, notify=lambda line: None)
        with fal.webhooks.serve(session) as server:
            simulator.fault("lost-reply", times=1, on="submit")
            lost = call(session, server.url)
            with pytest.raises(SubmissionUnknown):
                lost.get()
            (kept,) = until(session.history.deliveries.newest)
        url = f"{simulator.base_url}/queue/fal-ai/flux/requests/{kept.request_id}"
        until(lambda: httpx.get(url).status_code == 404)
        assert session.reconcile({lost.record_id: kept.request_id}).matched
        assert lost.get()["prompt"] == "a fox"
        assert session.history.deliveries.get(kept.request_id).record_id == lost.record_id
        session.close()


def test_serving_twice_on_one_port_is_refused(session):
    with fal.webhooks.serve(session) as server:
        assert str(server.port) in server.url
        assert "serves" in repr(server)
        with pytest.raises(ConfigError, match=str(server.port)):
            fal.webhooks.serve(session, port=server.port)
    assert "has ended" in repr(server)
    server.close()


# -- processes -------------------------------------------------------------------------------------------


class Served:
    """A receiver in processes of its own, as the documents say to start it."""

    def __init__(self, home, simulator, *options):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.environ = {**os.environ, "FAL_NB_HOME": str(home), "FAL_NB_BASE_URL": simulator.base_url}
        self.options = options
        self.process = None

    def start(self):
        command = [sys.executable, "-m", "uvicorn", "--factory", "fal_nb.webhooks:receiver", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--log-level", "warning", *self.options], env=self.environ, start_new_session=True
        )
        try:
            until(self._answers, 60)
        except BaseException:
            self.kill()
            raise
        return self

    def _answers(self):
        assert self.process.poll() is None, "it did not start"
        try:
            return httpx.get(self.url).status_code == 405
        except httpx.HTTPError:
            return False

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


@pytest.fixture
def orphan(simulator, home):
    """A call whose kernel is gone before it runs, and the history it is in."""
    simulator.reset()
    histories = []

    def make(url, prompt="kept"):
        simulator.set_runners(0)
        gone = Session(base_url=simulator.base_url, home=home, notify=lambda line: None)
        job = call(gone, url, prompt)
        assert job.request_id
        gone.close()
        histories.append(HistoryStore(home / "history.sqlite"))
        return histories[-1], job.record_id, job.snapshot.request_id

    yield make
    simulator.clear_faults()
    for history in histories:
        history.close()


def succeeded(history, record_id):
    return until(lambda: (record := history.get(record_id)).state == "SUCCEEDED" and record, 60)


@pytest.mark.slow
def test_a_receiver_that_is_killed_between_delivery_and_commit_loses_nothing(simulator, home, orphan):
    receiver = Served(home, simulator)
    history, record_id, request_id = orphan(None)
    body = body_of(request_id, payload={"prompt": "kept"})
    headers = simulator._simulation.webhooks.signer.headers(request_id, body, time.time())
    with receiver:
        with history.database.writing():
            # All of it is with the receiver, which cannot write it down.
            connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=60)
            connection.request("POST", "/", body, headers)
            receiver.kill()
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            connection.getresponse()
        connection.close()
        assert history.deliveries.get(request_id) is None
        assert history.get(record_id).state == "QUEUED"
        receiver.start()
        assert httpx.post(receiver.url, content=body, headers=headers, timeout=60).json() == {"status": "taken"}
        assert succeeded(history, record_id).result == {"prompt": "kept"}
    assert history.deliveries.get(request_id).count == 1


@pytest.mark.slow
def test_a_receiver_that_is_killed_between_commit_and_files_has_them_fetched_by_the_next(simulator, home, orphan):
    receiver = Served(home, simulator)
    history, record_id, _ = orphan(receiver.url)
    simulator.fault("slow", seconds=60, on="cdn_get", times=1)
    with receiver:
        simulator.set_runners(2)
        until(lambda: simulator.counters().get("cdn_get"))
        receiver.kill()
        record = history.get(record_id)
        assert (record.state, record.result["prompt"]) == ("RUNNING", "kept")
        assert history.artifacts(record_id) == ()
        receiver.start()
        succeeded(history, record_id)
    assert history.artifacts(record_id)[0].digest
    assert simulator.counters()["cdn_get"] == 2


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("FAL_NB_TEST_SIZE") != "full", reason="two receivers in one process are tried always"
)
def test_several_processes_make_one_record_of_many_deliveries_at_once(simulator, home, orphan):
    simulator.fault("webhook-twice", copies=16, times=1)
    receiver = Served(home, simulator, "--workers", "2")
    history, record_id, request_id = orphan(receiver.url)
    with receiver:
        simulator.set_runners(2)
        assert set(outcomes(simulator, 16)) == {200}
        succeeded(history, record_id)
    assert history.deliveries.get(request_id).count == 16
    assert history.count() == 1
    assert simulator.counters()["cdn_get"] == 1
    notes = [step.note or "" for step in history.steps(record_id)]
    assert sum("webhook" in note for note in notes) == 1
