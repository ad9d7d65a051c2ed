"""A kernel is killed at a random moment of a run: the next one carries on, and each call was accepted exactly once."""

import hashlib
import os
import random
import signal
import time
from pathlib import Path

import pytest

from fal_nb.engine.session import Session
from fal_nb.ledger.store import HistoryStore

from ..hostile.suites import KILLED  # noqa: TID252 - the registry is not ours alone

COUNT = 60
MOMENTS = 200 if os.environ.get("FAL_NB_TEST_SIZE") == "full" else 10
ENDPOINT = "fal-ai/flux/schnell"
RUN = f"""
import fal_nb as fal
def call(seed):
    arguments = {{"prompt": "a fox", "image_size": {{"width": 32, "height": 32}}, "seed": seed, "num_inference_steps": 1}}
    return fal.submit({ENDPOINT!r}, arguments)
jobs = [call(seed) for seed in range({COUNT})]
fal.wait()
"""
_PATIENCE_S = 60


def arguments(seed):
    return {"prompt": "a fox", "image_size": {"width": 32, "height": 32}, "seed": seed, "num_inference_steps": 1}


@pytest.fixture(scope="module")
def expected(simulator, tmp_path_factory):
    """Return seed → digest of its picture, and how long a run takes that nobody disturbs, in seconds."""
    session = Session(base_url=simulator.base_url, home=tmp_path_factory.mktemp("whole"), notify=lambda line: None)
    session.submit("simulator/sleep", {"seconds": 0}).wait(_PATIENCE_S)
    began = time.monotonic()
    jobs = [session.submit(ENDPOINT, arguments(seed)) for seed in range(COUNT)]
    digests = {job.arguments["seed"]: job.get(_PATIENCE_S).files[0].digest for job in jobs}
    duration_s = time.monotonic() - began
    session.close()
    assert len(set(digests.values())) == COUNT
    return digests, duration_s


@pytest.fixture
def next_session(simulator, tmp_path):
    sessions = []

    def start():
        sessions.append(Session(base_url=simulator.base_url, home=tmp_path / "home", notify=lambda line: None))
        return sessions[-1]

    yield start
    for session in sessions:
        session.close()


def kill_in_the_middle(kernel, home, delay_s):
    """Have the kernel begin its run, and kill it so long after its first record is there."""
    kernel.start(RUN)
    deadline = time.monotonic() + _PATIENCE_S
    while not (home / "history.sqlite").exists():
        assert time.monotonic() < deadline, "the kernel never began"
        time.sleep(0.002)
    time.sleep(delay_s)
    os.kill(kernel.manager.provisioner.process.pid, signal.SIGKILL)
    while kernel.manager.provisioner.process.poll() is None:
        time.sleep(0.002)


def carry_on(session, simulator):
    """Do what a person does: resume, make the calls that had not come to a record, wait, and reconcile."""
    session.resume()
    made = {record.arguments["seed"] for record in session.history.select()}
    for seed in sorted(set(range(COUNT)) - made):
        session.submit(ENDPOINT, arguments(seed))
    settle(session, simulator)


def settle(session, simulator):
    for job in session.jobs():
        job.wait(_PATIENCE_S)
    # Only what has ended is listed, also of the calls whose kernel is gone.
    deadline = time.monotonic() + _PATIENCE_S
    while any(entry["ended_at"] is None for entry in simulator.ledger()):
        assert time.monotonic() < deadline, "calls that do not end"
        time.sleep(0.01)
    session.reconcile()
    for job in session.jobs():
        job.wait(_PATIENCE_S)


def check_each_was_accepted_once(session, simulator):
    """Return how many calls were accepted, after a look at who holds their ids."""
    accepted = [entry["request_id"] for entry in simulator.ledger()]
    held = [record.request_id for record in session.history.select() if record.request_id is not None]
    assert len(accepted) == len(set(accepted))
    assert len(held) == len(set(held)), "a request is held by two records"
    assert set(held) <= set(accepted)
    return len(accepted)


def check_pictures(session, digests):
    for record in session.history.select(state="SUCCEEDED"):
        (artifact,) = session.history.artifacts(record.id)
        data = Path(session.artifacts.path(artifact.digest)).read_bytes()
        assert hashlib.sha256(data).hexdigest() == artifact.digest == digests[record.arguments["seed"]]


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_killed_at_any_moment_every_call_is_settled_and_accepted_once(
    moment, simulator, start_kernel, next_session, expected, tmp_path
):
    digests, duration_s = expected
    simulator.reset()
    # Spread over the whole run and a little beyond, the same moments in every run of the tests.
    delay_s = random.Random(moment).uniform(0, 1.3 * duration_s)
    kill_in_the_middle(start_kernel(), tmp_path / "home", delay_s)
    session = next_session()
    carry_on(session, simulator)
    records = session.history.select()
    unknown = [record for record in records if record.state == "UNKNOWN"]
    assert {record.state for record in records} <= {"SUCCEEDED", "UNKNOWN"}
    # What is unknown still was on its way when the kernel was killed and did not arrive: fal lists no such request.
    assert check_each_was_accepted_once(session, simulator) == COUNT - len(unknown)
    for record in unknown:
        session.send_again(session.job(record.id), yes=True).get(_PATIENCE_S)
    assert check_each_was_accepted_once(session, simulator) == COUNT
    succeeded = {record.arguments["seed"] for record in session.history.select(state="SUCCEEDED")}
    assert succeeded == set(range(COUNT))
    check_pictures(session, digests)
    assert session.history.verify().is_sound


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(MOMENTS // 5))
def test_killed_while_answers_are_lost_nothing_is_accepted_twice_and_what_is_unknown_is_matched(
    moment, simulator, start_kernel, next_session, expected, tmp_path
):
    digests, duration_s = expected
    simulator.reset()
    for after in (3, 9, 20, 33, 50):
        simulator.fault("lost-reply", times=1, after=after)
    delay_s = random.Random(1000 + moment).uniform(0, duration_s)
    kill_in_the_middle(start_kernel(), tmp_path / "home", delay_s)
    simulator.clear_faults()
    session = next_session()
    carry_on(session, simulator)
    count = check_each_was_accepted_once(session, simulator)
    records = session.history.select()
    unknown = [record for record in records if record.state == "UNKNOWN"]
    assert {record.state for record in records} <= {"SUCCEEDED", "UNKNOWN"}
    assert count == COUNT - len(unknown) <= COUNT
    check_pictures(session, digests)


PICTURE = f"{ENDPOINT} prompt='a fox' image_size=32x32 num_inference_steps=1"
CELLS = [cell.format(picture=PICTURE).split("\n", 1) for cells in KILLED.values() for cell in cells]
MAGICS = "import fal_nb\nshell = get_ipython()\nshell.run_line_magic('load_ext', 'fal_nb')\n" + "\n".join(
    f"shell.run_cell_magic('fal', {line.split(' ', 1)[1]!r}, {body[0]!r})"
    if body
    else f"shell.run_line_magic('fal', {line.split(' ', 1)[1]!r})"
    for line, *body in CELLS
)


RECORDS = 8


def records_of(home):
    path = home / "history.sqlite"
    if not path.exists():
        return 0
    store = HistoryStore(path)
    try:
        return len(store.select())
    finally:
        store.close()


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(MOMENTS // 5))
def test_killed_in_any_subcommand_that_sends_nothing_is_sent_twice_and_all_is_settled(
    moment, simulator, start_kernel, next_session, tmp_path
):
    simulator.reset()
    kernel = start_kernel()
    kernel.start(MAGICS)
    first = (moment * 5 + 3) % RECORDS + 1
    deadline = time.monotonic() + _PATIENCE_S
    while records_of(tmp_path / "home") < first:
        assert time.monotonic() < deadline, "the kernel never came so far"
        time.sleep(0.002)
    time.sleep(random.Random(moment).uniform(0, 0.1))
    kernel.manager.provisioner.process.kill()
    kernel.manager.provisioner.process.wait(_PATIENCE_S)
    session = next_session()
    session.resume()
    settle(session, simulator)
    records = session.history.select()
    unknown = [record for record in records if record.state == "UNKNOWN"]
    assert len(records) >= first
    assert {record.state for record in records} <= {"SUCCEEDED", "UNKNOWN"}
    held = check_each_was_accepted_once(session, simulator) - len([r for r in records if r.request_id is not None])
    assert held <= len(unknown), "fal took a call that no record knows of"
    assert session.history.verify().is_sound
