"""What the jobs monitor looks at: all open calls of all kernels, read from the ledger, whoever follows them."""

import time

import pytest

from fal_nb.engine.open_work import MOST_ROWS, OpenWork
from fal_nb.engine.session import Session
from fal_nb.ledger.records import NewRecord

SLEEP = "simulator/sleep"


@pytest.fixture
def other(simulator, session):
    other = Session(base_url=simulator.base_url, home=session.home, notify=lambda line: None)
    yield other
    other.close()


@pytest.fixture
def busy(simulator):
    simulator.set_runners(0)
    yield
    simulator.set_runners(4)


@pytest.mark.usefixtures("busy")
def test_calls_of_every_kernel_are_seen_with_who_follows_them_and_can_be_cancelled(session, other, wait_for):
    own = session.submit(SLEEP, {"seconds": 0})
    theirs = other.submit(SLEEP, {"seconds": 0})
    left = session.history.add(NewRecord(endpoint="a/b", created=time.time(), backend="fal", arguments={}))
    wait_for(lambda: own.state == theirs.state == "QUEUED")
    work = OpenWork(session)
    moment = work.look()
    rows = {row.record_id: row for row in moment.rows}
    assert {number: row.whose for number, row in rows.items()} == {
        own.record_id: "here", theirs.record_id: "elsewhere", left: "nobody",
    }  # fmt: skip
    assert moment.counts == {"QUEUED": 2, "PREPARED": 1}
    assert [row.can_cancel for row in moment.rows] == [True, True, False]
    assert rows[own.record_id].queue_position is not None
    moments = []
    session.runtime.post(work.observe, moments.append)
    session.runtime.post(work.cancel, theirs.record_id)
    wait_for(lambda: theirs.done)
    assert theirs.state == "CANCELLED"
    wait_for(lambda: moments and moments[-1].counts == {"QUEUED": 1, "PREPARED": 1})
    assert moments[-1].rows[-1].state == "CANCELLED"
    session.runtime.post(work.unobserve, moments.append)


def test_however_much_is_open_few_rows_are_read_and_all_are_counted(session, monkeypatch):
    now = time.time()
    session.history.add_many(
        NewRecord(endpoint="a/b", created=now, backend="fal", arguments={}, state="QUEUED") for _ in range(300)
    )
    running = session.history.add(NewRecord(endpoint="a/b", created=now, backend="fal", arguments={}, state="RUNNING"))
    moment = OpenWork(session).look()
    assert len(moment.rows) == MOST_ROWS
    assert moment.rows[0].record_id == running
    assert moment.counts == {"QUEUED": 300, "RUNNING": 1}


def test_it_looks_on_only_while_somebody_does_and_starts_no_server(session, wait_for, monkeypatch):
    monkeypatch.setattr("fal_nb.engine.open_work._IDLE_S", 0.01)
    work, looks, moments = OpenWork(session), [], []
    read = work._read
    monkeypatch.setattr(work, "_read", lambda: looks.append(1) or read())
    session.runtime.post(work.observe, moments.append)
    wait_for(lambda: len(looks) > 2)
    session.runtime.post(work.unobserve, moments.append)
    wait_for(work._task.done)
    assert session.known_settings is None
    assert len(moments) <= 1  # nothing has changed since


def test_a_history_that_cannot_be_read_is_said_and_looked_at_again(session, monkeypatch):
    work = OpenWork(session)
    session.history.close()
    assert work.look().trouble
    assert work.moment.rows == ()
