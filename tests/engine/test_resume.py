"""What a kernel that is gone left open goes on with the next one: nothing lost, nothing sent twice, one follower each."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fal_nb.client.options import CallOptions
from fal_nb.engine.session import Session
from fal_nb.errors import JobError, LeaseLost
from fal_nb.ledger import leases

PICTURE = {"prompt": "a fox", "image_size": {"width": 64, "height": 64}, "seed": 1}
RUN = """
import json, sys, time
from pathlib import Path
from fal_nb.engine.session import Session
session = Session(base_url=sys.argv[1], home=Path(sys.argv[2]), notify=lambda line: None)
jobs = [session.submit(endpoint, arguments) for endpoint, arguments in json.loads(sys.argv[3])]
for job in jobs:
    while job.request_id is None:
        time.sleep(0.005)
print(*(job.record_id for job in jobs), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def open_session(simulator, home):
    sessions = []

    def start(**options):
        sessions.append(Session(base_url=simulator.base_url, home=home, notify=lambda line: None, **options))
        return sessions[-1]

    simulator.reset()
    yield start
    for session in sessions:
        session.close()


@pytest.fixture
def other_kernel(simulator, home):
    """Return a function that starts calls in another process, waits until they are accepted and returns the process."""
    started = []

    def start(calls):
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, simulator.base_url, str(home), json.dumps(calls)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        process.record_ids = [int(word) for word in process.stdout.readline().split()]
        assert process.record_ids
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_a_killed_kernels_jobs_are_followed_to_their_pictures_and_sent_no_second_time(
    open_session, other_kernel, simulator
):
    simulator.set_runners(0)
    process = other_kernel([("fal-ai/flux/schnell", PICTURE | {"seed": seed}) for seed in range(3)])
    kill(process)
    session = open_session()
    resumed = session.resume()
    assert str(resumed) == "3 followed again."
    assert [job.record_id for job in resumed.followed] == process.record_ids
    simulator.set_runners(4)
    for job in resumed.jobs:
        result = job.get(30)
        assert result.files[0].pil().size == (64, 64)
    assert len(simulator.ledger()) == 3
    assert [record.state for record in session.history.select()] == ["SUCCEEDED"] * 3
    assert any(step.note == "Carried on by another kernel." for step in session.history.steps(process.record_ids[0]))
    assert str(session.resume()) == "Nothing was open."


def test_a_living_kernels_job_is_watched_cancelled_from_here_and_not_followed(open_session, other_kernel, simulator):
    simulator.set_runners(0)
    process = other_kernel([("simulator/sleep", {"seconds": 0.1}), ("simulator/sleep", {"seconds": 0.1})])
    session = open_session()
    resumed = session.resume()
    assert str(resumed) == "2 with another kernel, watched."
    jobs, left = session.open_jobs()
    assert (jobs, left) == (list(resumed.watched), 0)
    assert jobs[1] is session.job(process.record_ids[1])
    assert session.jobs() == []
    assert jobs[0].cancel() == "OK"
    assert jobs[0].wait(20).state == "CANCELLED"
    simulator.set_runners(4)
    assert jobs[1].get(20)
    assert session.history.get(process.record_ids[1]).owner != session.owner


def test_where_the_other_kernel_dies_the_one_that_looks_on_takes_over(open_session, other_kernel, simulator):
    simulator.set_runners(0)
    process = other_kernel([("simulator/sleep", {"seconds": 0.1})])
    session = open_session()
    job = session.job(process.record_ids[0])
    assert "Another kernel" in (job.snapshot.next_step or "") or job.snapshot.next_step is None
    kill(process)
    simulator.set_runners(4)
    assert job.get(30)
    assert session.history.get(job.record_id).owner == session.owner
    assert len(simulator.ledger()) == 1


def prepared(session, endpoint="simulator/sleep", **changes):
    """Return a record as a kernel leaves it that was killed at that moment."""
    job = session.submit(endpoint, {"seconds": 0}, options=changes.pop("options", CallOptions()))
    job.wait(20)
    fields = dict.fromkeys(
        ("request_id", "ended", "result", "billable_units", "submitted", "started", "queue_s", "inference_s")
    )
    session.history.update_many([(job.record_id, fields | {"owner": "gone"} | changes)])
    return job.record_id


def test_a_call_that_never_left_is_sent_with_its_options_and_one_on_its_way_is_not(open_session, simulator):
    first = open_session()
    options = CallOptions(priority="low", start_timeout=50, tags={"a": "b"})
    unsent = prepared(first, options=options, state="PREPARED")
    on_its_way = prepared(first, state="SUBMITTING")
    running = prepared(first, state="RUNNING", kind="direct")
    simulator.reset()
    session = open_session()
    resumed = session.resume()
    assert [job.record_id for job in resumed.sent] == [unsent]
    assert [job.record_id for job in resumed.ended] == [on_its_way, running]
    assert resumed.unknown == 2
    assert "1 sent now, 2 could not go on; 2 unknown: `%fal reconcile`" in str(resumed)
    assert resumed.sent[0].get(20)
    assert len(simulator.ledger()) == 1
    assert {session.history.get(number).state for number in (on_its_way, running)} == {"UNKNOWN"}
    assert session.history.get(unsent).options == {"priority": "low", "start_timeout": 50, "tags": {"a": "b"}}
    assert [step.note for step in session.history.steps(unsent)].count(
        "It had not been sent yet; another kernel sends it."
    ) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"options": {"files": True}}, "local files had not been uploaded"),
        ({"options": {"headers": ["x-mine"]}}, "headers and webhooks are not kept"),
        ({"options": {"colour": "red"}}, "options cannot be read"),
        ({"options": {"start_timeout": "soon"}}, "options cannot be read"),
        ({"kind": "stream"}, "nobody would read what a stream call answers"),
    ],
)
def test_a_call_that_cannot_be_sent_from_its_record_says_why(open_session, simulator, changes, reason):
    first = open_session()
    number = prepared(first)
    first.history.update_many([(number, {"state": "PREPARED", **changes})])
    simulator.reset()
    session = open_session()
    (job,) = session.resume().ended
    assert (job.record_id, job.state) == (number, "CANCELLED")
    assert reason in job.snapshot.error
    assert simulator.ledger() == []


def test_a_result_that_was_had_gets_its_files_without_asking_fal_again(open_session, simulator):
    first = open_session()
    job = first.submit("fal-ai/flux/schnell", PICTURE)
    digests = [file.digest for file in job.get(30).files]
    first.history.update_many([(job.record_id, {"state": "RUNNING", "owner": "gone"})])
    first.history.set_artifacts(job.record_id, [])
    session = open_session()
    before = simulator.counters()
    (again,) = session.resume().followed
    assert [file.digest for file in again.get(30).files] == digests
    after = simulator.counters()
    assert {name: after.get(name, 0) - before.get(name, 0) for name in ("submit", "status_stream", "result")} == {
        "submit": 0, "status_stream": 0, "result": 0,
    }  # fmt: skip
    assert session.history.get(job.record_id).state == "SUCCEEDED"


def test_what_fal_no_longer_has_is_named_as_such(open_session, simulator):
    first = open_session()
    job = first.submit("simulator/sleep", {"seconds": 0})
    job.wait(20)
    fields = {"state": "QUEUED", "owner": "gone", "ended": None, "result": None}
    first.history.update_many([(job.record_id, fields)])
    simulator.reset()
    session = open_session()
    (again,) = session.resume().followed
    again.wait(20)
    assert again.state == "FAILED"
    assert "fal no longer has" in again.snapshot.error


def test_a_job_at_another_server_is_left_alone(open_session):
    first = open_session()
    number = prepared(first, state="QUEUED", request_id="r", base_url="http://127.0.0.1:9")
    session = open_session()
    resumed = session.resume()
    assert (resumed.elsewhere, resumed.jobs) == (1, ())
    assert "1 at another server, left alone" in str(resumed)
    with pytest.raises(JobError, match="connect as it was started"):
        session.job(number)
    assert session.history.get(number).owner == "gone"


def test_a_kernel_that_slept_too_long_finds_its_job_gone_and_looks_on(open_session, simulator, monkeypatch, wait_for):
    monkeypatch.setattr(leases, "RENEW_S", 0.1)
    simulator.set_runners(0)
    sleeper = open_session()
    job = sleeper.submit("simulator/sleep", {"seconds": 0})
    wait_for(lambda: job.request_id)
    # As after a long sleep of the machine: the lease has run out, and another kernel came first.
    other = open_session()
    other.keeper.sign()
    store = other.history
    with store._database.writing() as connection:
        connection.execute("UPDATE sessions SET lease_until = 1 WHERE owner = ?", (sleeper.owner,))
        connection.execute("UPDATE records SET owner = ? WHERE id = ?", (other.owner, job.record_id))
    wait_for(lambda: job.record_id not in sleeper._followers)
    taken = other._carry_on(store.get(job.record_id))
    simulator.set_runners(4)
    assert taken.get(20) == job.get(20)
    assert store.get(job.record_id).owner == other.owner
    assert sleeper.jobs() == []


def test_a_write_after_the_job_was_taken_over_is_refused(open_session, simulator, wait_for):
    simulator.set_runners(0)
    loser = open_session()
    job = loser.submit("simulator/sleep", {"seconds": 0})
    wait_for(lambda: job.request_id)
    winner = open_session()
    winner.history.leases.renew("winner", time.time())
    with winner.history._database.writing() as connection:
        connection.execute("UPDATE records SET owner = 'winner' WHERE id = ?", (job.record_id,))
    with pytest.raises(LeaseLost):
        loser.runtime.call(loser.recorder.update(job.record_id, state="FAILED"))
    simulator.set_runners(4)
    wait_for(lambda: job.record_id not in loser._followers)
    assert winner.history.get(job.record_id).state in {"QUEUED", "RUNNING"}


def test_attaching_to_what_is_known_is_the_same_job(open_session):
    session = open_session()
    job = session.submit("simulator/sleep", {"seconds": 0})
    job.wait(20)
    assert session.attach("simulator/sleep", job.request_id) is job


def test_a_closed_session_leaves_its_jobs_to_the_next_at_once(open_session, simulator, wait_for):
    simulator.set_runners(0)
    first = open_session()
    job = first.submit("simulator/sleep", {"seconds": 0})
    wait_for(lambda: job.request_id)
    first.close()
    session = open_session()
    began = time.time()
    (again,) = session.resume().followed
    simulator.set_runners(4)
    assert again.get(20)
    assert session.history.get(again.record_id).created <= began


def test_resuming_while_a_call_is_being_started_sends_it_once(open_session, simulator):
    session = open_session()
    session.submit("simulator/sleep", {"seconds": 0}).wait(20)
    before = len(simulator.ledger())
    for _ in range(3):
        # Something else keeps the loop busy: the job is known and on disk, and not followed yet.
        session.runtime.post(time.sleep, 0.2)
        job = session.submit("simulator/sleep", {"seconds": 0})
        assert str(session.resume()) == "Nothing was open."
        assert job in session.open_jobs()[0]
        job.wait(20)
    assert len(simulator.ledger()) == before + 3


def test_resuming_between_a_calls_record_and_its_job_sends_it_once(open_session, simulator, monkeypatch):
    session = open_session()
    begin = session._start

    def resumed_meanwhile(snapshot, *rest):
        assert str(session.resume()) == "Nothing was open."
        assert session.open_jobs() == ([], 0)
        with pytest.raises(JobError, match="just being started"):
            session.job(snapshot.record_id)
        return begin(snapshot, *rest)

    monkeypatch.setattr(session, "_start", resumed_meanwhile)
    session.submit("simulator/sleep", {"seconds": 0}).wait(20)
    assert len(simulator.ledger()) == 1


def test_resuming_twice_at_once_sends_what_never_left_once(open_session, simulator):
    number = prepared(open_session(), state="PREPARED")
    simulator.reset()
    session = open_session()
    session.runtime.post(time.sleep, 0.3)
    resumed = [session.resume(), session.resume()]
    assert [str(each) for each in resumed] == ["1 sent now.", "Nothing was open."]
    session.job(number).wait(20)
    assert len(simulator.ledger()) == 1


def test_resuming_what_is_watched_leaves_it_to_its_watcher(open_session, simulator, wait_for):
    simulator.set_runners(0)
    first, second = open_session(), open_session()
    job = first.submit("simulator/sleep", {"seconds": 0})
    wait_for(lambda: job.request_id)
    ((watched,), _) = second.open_jobs()
    wait_for(lambda: watched._follower is not None)
    first.close()
    assert second.resume().jobs == (watched,)
    simulator.set_runners(4)
    assert watched.get(20)
    assert len(second._followers) == 0
    assert second.history.get(watched.record_id).owner == second.owner
