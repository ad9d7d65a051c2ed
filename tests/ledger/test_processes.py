"""Several processes at one file, as kernels are."""

import signal

import pytest

from fal_nb.ledger.store import HistoryStore

pytestmark = pytest.mark.slow

_OPEN = """
import sys, pathlib
from fal_nb.ledger.records import NewRecord
from fal_nb.ledger.store import HistoryStore
path, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def new(number):
    return NewRecord(endpoint="a/b", arguments={"prompt": f"{name} {number}"}, backend="simulator",
                     created=1.0, owner=name)
"""
WRITER = (
    _OPEN
    + """
print("ready", flush=True)
sys.stdin.readline()
with HistoryStore(path) as store:
    for number in range(50):
        record_id = store.add(new(number))
        for state in ("SUBMITTING", "QUEUED", "RUNNING", "SUCCEEDED"):
            store.update(record_id, state=state)
        store.update(record_id, request_id=f"{name}-{number}", result={"seed": number})
"""
)
ENDLESS = (
    _OPEN
    + """
print("ready", flush=True)
with HistoryStore(path) as store:
    for number in range(200_000):
        print(store.add(new(number)), flush=True)
"""
)
FORKED = (
    _OPEN
    + """
import os
from fal_nb.errors import HistoryError
store = HistoryStore(path)
child = os.fork()
if child == 0:
    try:
        store.count()
    except HistoryError as error:
        os._exit(7 if "fork" in str(error) else 8)
    os._exit(9)
print("ready", flush=True)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
store.add(new(1))
store.close()
sys.exit(code)
"""
)


def test_three_processes_that_start_at_once_lose_no_record(path, start_python):
    names = ("first", "second", "third")
    processes = [start_python(WRITER, path, name) for name in names]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=90)
        assert (process.returncode, errors) == (0, "")
    with HistoryStore(path) as store:
        records = store.select()
        assert len(records) == 150
        assert {record.request_id for record in records} == {
            f"{name}-{number}" for name in names for number in range(50)
        }
        assert {record.state for record in records} == {"SUCCEEDED"}
        assert all(len(store.steps(record.id)) == 5 for record in records)
        assert store.verify().is_sound


def test_what_add_returned_is_there_after_the_writer_was_killed(path, start_python):
    process = start_python(ENDLESS, path, "victim")
    told = [int(process.stdout.readline()) for _ in range(200)]
    process.send_signal(signal.SIGKILL)
    # The last line may be cut short.
    told += [int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    with HistoryStore(path) as store:
        assert store.verify().is_sound
        known = [record.id for record in store.select()]
        assert known[: len(told)] == told
        assert len(known) <= len(told) + 1
        store.update(told[0], note="goes on")
        assert store.get(told[0]).note == "goes on"


def test_a_store_carried_over_a_fork_refuses_and_harms_nothing(path, start_python):
    process = start_python(FORKED, path, "parent")
    process.communicate(timeout=30)
    assert process.returncode == 7
    with HistoryStore(path) as store:
        assert store.count() == 1
        assert store.verify().is_sound
