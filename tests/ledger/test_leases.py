"""One owner a job: a living session keeps it, a dead one loses it, and who was robbed can write nothing more."""

import os
import subprocess
import sys
import time

import pytest

from fal_nb.errors import LeaseLost
from fal_nb.ledger.glance import count_left_open
from fal_nb.ledger.leases import LEASE_S, Holder, is_process_alive, machine_id
from fal_nb.ledger.records import NewRecord
from fal_nb.ledger.store import HistoryStore


@pytest.fixture
def store(tmp_path):
    with HistoryStore(tmp_path / "history.sqlite") as store:
        yield store


def new(owner, **more):
    return NewRecord(endpoint="a/b", arguments={}, backend="fal", created=time.time(), owner=owner, **more)


def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_living_session_keeps_its_jobs_and_a_released_one_leaves_them(store):
    now = time.time()
    assert not store.leases.renew("one", now)
    assert store.leases.renew("one", now + 1)
    record = store.add(new("one"))
    assert store.leases.claim([record], "two", now + 2) == set()
    assert store.leases.free([record], now + 2) == set()
    assert store.leases.claim([record], "one", now + 2) == {record}
    store.leases.release("one")
    assert store.leases.free([record], now + 2) == {record}
    assert store.leases.claim([record], "two", now + 2) == {record}
    assert store.get(record).owner == "two"


def test_a_lease_runs_out(store):
    now = time.time()
    store.leases.renew("one", now)
    record = store.add(new("one"))
    assert store.leases.claim([record], "two", now + LEASE_S - 0.1) == set()
    assert store.leases.claim([record], "two", now + LEASE_S + 0.1) == {record}
    assert not store.leases.renew("one", now + LEASE_S + 1)
    assert store.leases.lost([record], "one") == {record}
    assert store.leases.lost([record], "two") == set()


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "CANCELLED", "UNKNOWN"])
def test_what_has_ended_is_nobodys_to_take(store, state):
    record = store.add(new(None, state=state))
    assert store.leases.claim([record, 99], "two", time.time()) == set()
    assert store.leases.free([record, 99], time.time()) == set()


def test_whoever_was_robbed_writes_nothing(store):
    record = store.add(new("two"))
    with pytest.raises(LeaseLost):
        store.update_many([(record, {"state": "SUCCEEDED"})], held_by="one")
    with pytest.raises(LeaseLost):
        store.set_artifacts(record, [], held_by="one")
    assert store.get(record).state == "PREPARED"
    store.update_many([(record, {"state": "QUEUED"})], held_by="two")
    assert store.get(record).state == "QUEUED"


def test_one_of_many_that_claim_at_once_gets_a_job(tmp_path):
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from fal_nb.ledger.store import HistoryStore\n"
        "store = HistoryStore(Path(sys.argv[1]))\n"
        "sys.stdin.readline()\n"
        "me = sys.argv[2]\n"
        "store.leases.renew(me, time.time())\n"
        "print(*sorted(store.leases.claim(range(1, 41), me, time.time())), flush=True)\n"
        "sys.stdin.readline()\n"
    )
    path = tmp_path / "history.sqlite"
    with HistoryStore(path) as store:
        store.add_many(new(None) for _ in range(40))
        several = [
            subprocess.Popen(
                [sys.executable, "-c", code, str(path), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for name in "abcd"
        ]
        for process in several:
            process.stdin.write("go\n")
            process.stdin.flush()
        got = [process.stdout.readline().split() for process in several]
        for process in several:
            process.communicate("\n")
        assert sorted(int(number) for numbers in got for number in numbers) == list(range(1, 41))


@pytest.mark.parametrize(
    ("holder", "is_gone"),
    [
        (lambda: Holder(None, None, None, None), True),
        (lambda: Holder("x", None, None, None), True),
        (lambda: Holder("x", machine_id(), os.getpid(), 100.0), False),
        (lambda: Holder("x", machine_id(), os.getpid(), 9.0), True),
        (lambda: Holder("x", machine_id(), dead_pid(), 100.0), True),
        (lambda: Holder("x", "another machine", dead_pid(), 100.0), False),
    ],
)
def test_who_is_gone(holder, is_gone):
    assert holder().is_gone(10.0) is is_gone


def test_a_process_that_nobody_waited_for_is_dead():
    process = subprocess.Popen([sys.executable, "-c", ""])
    try:
        deadline = time.monotonic() + 10
        while is_process_alive(process.pid):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.wait()
    assert is_process_alive(os.getpid())


def test_a_glance_counts_what_nobody_follows_and_writes_nothing(store):
    store.leases.renew("one", time.time())
    store.add_many([new("one"), new("gone"), new("gone", base_url="http://x"), new("gone", state="SUCCEEDED")])
    before = {path.name for path in store.path.parent.iterdir()}
    assert count_left_open(store.path) == {("fal", None): 1, ("fal", "http://x"): 1}
    assert {path.name for path in store.path.parent.iterdir()} == before


def test_a_glance_at_no_history_or_a_broken_one_is_nothing(tmp_path):
    assert count_left_open(tmp_path / "history.sqlite") == {}
    assert not list(tmp_path.iterdir())
    (tmp_path / "history.sqlite").write_bytes(b"not a database" * 100)
    assert count_left_open(tmp_path / "history.sqlite") == {}


def test_sessions_long_gone_are_swept_out_and_those_with_open_jobs_stay(store):
    now = time.time()
    store.leases.renew("long gone", now - 200_000)
    store.leases.renew("with a job", now - 200_000)
    record = store.add(new("with a job"))
    store.leases.renew("me", now)
    store.leases.renew("leaver", now)
    store.leases.release("leaver")
    with store._database.reading() as connection:
        assert {row[0] for row in connection.execute("SELECT owner FROM sessions")} == {"with a job", "me"}
    assert store.leases.free([record], now) == {record}
