"""Ten processes over one history, one of them killed in the middle: no record lost, no lock met, nothing twice."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from fal_nb.ledger.store import HistoryStore

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

ENDPOINT = "fal-ai/flux/schnell"
JOBS = 10
SUBMIT = f"""
import fal_nb as fal
jobs = [
    fal.submit("{ENDPOINT}", {{"prompt": f"{{NAME}} {{n}}", "image_size": {{"width": 64, "height": 64}}}})
    for n in range({JOBS})
]
"""
COLLECT = """
for job in jobs:
    job.get()
"""
PLAIN = """
import logging, sys
logging.basicConfig(level="WARNING", stream=sys.stdout)
NAME = sys.argv[1]
print("ready", flush=True)
sys.stdin.readline()
"""
VICTIM = "\nprint('submitted', flush=True)\n"


@pytest.fixture
def start_plain(simulator, tmp_path):
    """Start plain Python processes over the one history; they go on when a line is written to them."""
    processes = []
    # Without the line of progress, so that whatever is printed is trouble.
    environ = os.environ | {
        "FAL_NB_BASE_URL": simulator.base_url, "FAL_NB_HOME": str(tmp_path / "home"), "FAL_NB_PROGRESS": "off",
    }  # fmt: skip

    def start(name, program):
        process = subprocess.Popen(
            [sys.executable, "-c", PLAIN + program, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        with process:
            process.kill()


def wait_for(condition, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def test_ten_kernels_over_one_history_and_one_of_them_killed(start_plain, start_kernel, simulator, tmp_path):
    plain = {f"plain{number}": start_plain(f"plain{number}", SUBMIT + COLLECT) for number in range(7)}
    victim = start_plain("victim", SUBMIT + VICTIM + COLLECT)
    kernels = {f"kernel{number}": start_kernel() for number in range(2)}
    for process in (*plain.values(), victim):
        assert process.stdout.readline() == "ready\n"
    for process in (*plain.values(), victim):
        process.stdin.write("go\n")
        process.stdin.flush()
    cells = {name: kernel.start(f"NAME = {name!r}\n{SUBMIT}{COLLECT}") for name, kernel in kernels.items()}
    path = tmp_path / "home" / "history.sqlite"
    assert victim.stdout.readline() == "submitted\n"
    wait_for(lambda: _states(path, "victim").intersection({"QUEUED", "RUNNING", "SUCCEEDED"}))
    victim.send_signal(signal.SIGKILL)
    victim.wait(30)
    for process in plain.values():
        printed, _ = process.communicate(timeout=100)
        assert (process.returncode, printed) == (0, "")
    assert {name: kernel.finish(cells[name]) for name, kernel in kernels.items()} == dict.fromkeys(kernels, "ok")
    wait_for(lambda: all(entry["ended_at"] for entry in simulator.ledger()))
    _no_record_is_lost(path, [*plain, *kernels])
    _every_accepted_submission_has_one_record(path, simulator)
    _no_job_was_followed_twice(path, simulator)


def _states(path, name):
    with HistoryStore(path) as store:
        return {record.state for record in store.select() if record.prompt.startswith(f"{name} ")}


def _no_record_is_lost(path, survivors):
    with HistoryStore(path) as store:
        assert store.verify().is_sound
        records = store.select()
        assert len({record.owner for record in records}) == 10
        ended = {record.prompt for record in records if record.state == "SUCCEEDED"}
        assert ended >= {f"{name} {number}" for name in survivors for number in range(JOBS)}
        assert len(records) == len({record.prompt for record in records}) == 10 * JOBS
        for record in records:
            if not record.prompt.startswith("victim"):
                assert store.artifacts(record.id)[0].digest
                states = [step.state for step in store.steps(record.id)]
                assert states[:3] == ["PREPARED", "SUBMITTING", "QUEUED"]
                assert states[-1] == "SUCCEEDED"
    with sqlite3.connect(path) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    file.close()


def _every_accepted_submission_has_one_record(path, simulator):
    accepted = {item["request_id"]: item["json_input"]["prompt"] for item in simulator.ended_requests(ENDPOINT)}
    assert set(accepted) == {entry["request_id"] for entry in simulator.ledger()}
    assert len(set(accepted.values())) == len(accepted)
    with HistoryStore(path) as store:
        records = {record.prompt: record for record in store.select()}
    for request_id, prompt in accepted.items():
        record = records[prompt]
        # Between its acceptance and the next commit the killed one knew an id that its record does not.
        assert record.request_id == request_id or (prompt.startswith("victim") and record.state == "SUBMITTING")


def _no_job_was_followed_twice(path, simulator):
    for entry in simulator.ledger():
        counted = simulator.requests(entry["request_id"])
        assert counted["submit"] == 1
        assert counted.get("status_stream", 0) <= 1
        assert counted.get("result", 0) <= 1
