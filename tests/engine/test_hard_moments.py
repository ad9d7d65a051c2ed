"""What comes between a POST and its answer: another kernel, a kill, an error nobody foresaw, a busy history."""

import asyncio
import sqlite3
import threading
import time

import pytest

from fal_nb.engine import following
from fal_nb.engine.session import Session
from fal_nb.errors import HistoryError, SubmissionUnknown

SLEEP = "simulator/sleep"


@pytest.fixture
def open_session(simulator, tmp_path):
    sessions = []

    def start():
        sessions.append(Session(base_url=simulator.base_url, home=tmp_path / "home", notify=lambda line: None))
        return sessions[-1]

    simulator.reset()
    yield start
    for session in sessions:
        session.close()


def wire_of(session):
    _ = session.settings
    return asyncio.run_coroutine_threadsafe(session._get_wire(), session.runtime.loop).result()


def hold_answers(session, monkeypatch, name):
    """Let calls be sent and their answers wait; return (an event: one waits, an event to be set: they come)."""
    wire, sent, go = wire_of(session), threading.Event(), threading.Event()
    real = getattr(wire, name)

    async def held(*values):
        answer = await real(*values)
        sent.set()
        await asyncio.to_thread(go.wait, 20)
        return answer

    monkeypatch.setattr(wire, name, held)
    return sent, go


def sleep_too_long(session):
    """Leave a session as after a long sleep of the machine: its lease has run out, its next sign of life is due."""
    with session.history._database.writing() as connection:
        connection.execute(
            "UPDATE sessions SET lease_until = 1, machine = 'elsewhere' WHERE owner = ?", (session.owner,)
        )


@pytest.mark.parametrize(("kind", "name"), [("queue", "submit"), ("direct", "direct")])
@pytest.mark.parametrize("is_told", [False, True])
def test_an_answer_to_a_call_that_another_kernel_gave_up_for_lost_still_counts(
    open_session, simulator, monkeypatch, kind, name, is_told
):
    sleeper, other = open_session(), open_session()
    sent, go = hold_answers(sleeper, monkeypatch, name)
    job = sleeper.submit(SLEEP, {"seconds": 0}, kind=kind)
    assert sent.wait(20)
    sleep_too_long(sleeper)
    assert [lost.state for lost in other.resume().ended] == ["UNKNOWN"]
    if is_told:
        sleeper.runtime.post(sleeper._lose, job.record_id)
    go.set()
    assert job.get(20) is not None
    record = other.history.get(job.record_id)
    assert (record.state, record.request_id, record.owner) == ("SUCCEEDED", job.request_id, sleeper.owner)
    assert record.error is None
    assert any(step.note == "Its answer came after all." for step in other.history.steps(record.id))
    assert len(simulator.ledger()) == 1


def test_an_answer_that_comes_too_late_is_named_in_the_story(open_session, monkeypatch, wait_for):
    sleeper, other = open_session(), open_session()
    sent, go = hold_answers(sleeper, monkeypatch, "submit")
    job = sleeper.submit(SLEEP, {"seconds": 0})
    assert sent.wait(20)
    other.history.update(job.record_id, owner="third", state="CANCELLED", ended=time.time())
    go.set()
    job.wait(20)
    wait_for(lambda: len(other.history.steps(job.record_id)) > 3)
    assert "fal accepted it as request" in str([step.note for step in other.history.steps(job.record_id)])


@pytest.mark.parametrize(("kind", "name"), [("queue", "submit"), ("direct", "direct")])
def test_an_unforeseen_error_after_a_post_leaves_the_call_unknown(open_session, monkeypatch, kind, name):
    session = open_session()
    wire = wire_of(session)
    real = getattr(wire, name)

    async def breaks(*values):
        await real(*values)
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(wire, name, breaks)
    job = session.submit(SLEEP, {"seconds": 0}, kind=kind)
    with pytest.raises(SubmissionUnknown, match="may have been accepted"):
        job.get(20)
    record = session.history.get(job.record_id)
    assert (record.state, record.cost) == ("UNKNOWN", None)


def test_a_direct_calls_id_is_never_on_disk_without_its_result(open_session, monkeypatch):
    session = open_session()
    written = []
    real = session.history.update_many
    monkeypatch.setattr(
        session.history, "update_many", lambda changes, **more: real([*map(note(written), changes)], **more)
    )
    session.submit(SLEEP, {"seconds": 0}, kind="direct").get(20)
    assert [{"request_id", "result"} <= fields.keys() for fields in written if "request_id" in fields] == [True]


def note(written):
    def take(change):
        written.append(change[1])
        return change

    return take


def test_the_loop_goes_on_while_another_thread_waits_for_the_history(open_session, simulator, wait_for):
    session, other = open_session(), open_session()
    session.submit(SLEEP, {"seconds": 0}).wait(20)
    simulator.set_runners(0)
    job = other.submit(SLEEP, {"seconds": 0})
    wait_for(lambda: job.request_id)
    holder = sqlite3.connect(session.history.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    waiting = threading.Thread(target=session.job, args=(job.record_id,))
    asked = threading.Event()
    try:
        waiting.start()
        wait_for(lambda: not session._lock.acquire(blocking=False) or session._lock.release())
        session.runtime.post(lambda: (session.recorder, session.keeper, asked.set()))
        assert asked.wait(5)
    finally:
        holder.execute("ROLLBACK")
        holder.close()
        waiting.join()
        simulator.set_runners(4)


def test_a_cancel_while_another_kernel_is_sending_goes_out_with_the_request(
    open_session, simulator, monkeypatch, wait_for
):
    simulator.set_runners(0)
    sender, other = open_session(), open_session()
    sent, go = hold_answers(sender, monkeypatch, "submit")
    job = sender.submit(SLEEP, {"seconds": 0})
    assert sent.wait(20)
    ((watched,), _) = other.open_jobs()
    watched.request_cancel()
    wait_for(lambda: "cancel goes out" in (watched.snapshot.next_step or ""))
    go.set()
    assert watched.wait(20).state == "CANCELLED"
    assert job.wait(20).state == "CANCELLED"
    simulator.set_runners(4)


def test_a_watcher_takes_over_what_it_claimed_once_the_history_can_be_had(
    open_session, simulator, monkeypatch, wait_for
):
    monkeypatch.setattr(following, "_TAKE_OVER_S", 0.01)
    simulator.set_runners(0)
    first, second = open_session(), open_session()
    job = first.submit(SLEEP, {"seconds": 0})
    wait_for(lambda: job.request_id)
    ((watched,), _) = second.open_jobs()
    claimed, troubles = [], []
    claim, get = second.recorder.claim, second.recorder.get

    async def claim_it(record_id):
        claimed.append(await claim(record_id))
        return claimed[-1]

    async def not_at_once(record_id):
        if claimed and claimed[-1] and not troubles:
            troubles.append(record_id)
            raise HistoryError("has been locked for 30 s")
        return await get(record_id)

    monkeypatch.setattr(second.recorder, "claim", claim_it)
    monkeypatch.setattr(second.recorder, "get", not_at_once)
    first.close()
    wait_for(lambda: troubles)
    simulator.set_runners(4)
    assert watched.get(20)
    assert second.history.get(watched.record_id).state == "SUCCEEDED"
