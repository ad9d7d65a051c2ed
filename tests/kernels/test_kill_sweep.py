"""A kernel is killed at a random moment of a sweep: resumed, every cell is done and was accepted exactly once."""

import os
import random
import signal
import time
from collections import Counter

import pytest

from fal_nb.engine.session import Session
from fal_nb.errors import JobError
from fal_nb.sweeps.sweep import Sweep

COUNT = 30
MOMENTS = 50 if os.environ.get("FAL_NB_TEST_SIZE") == "full" else 3
ENDPOINT = "fal-ai/flux/schnell"
TEXT = f"prompt: a fox\nseed: 1..{COUNT}\nnum_inference_steps: 1\nimage_size: {{width: 32, height: 32}}\n"
RUN = f"""
import fal_nb as fal
arguments = {{"prompt": "a fox", "num_inference_steps": 1, "image_size": {{"width": 32, "height": 32}}}}
fal.sweep({ENDPOINT!r}, arguments, axes={{"seed": "1..{COUNT}"}}, name="foxes", window=5).run().wait()
"""
_PATIENCE_S = 60


@pytest.fixture
def next_session(simulator, tmp_path):
    session = Session(base_url=simulator.base_url, home=tmp_path / "home", notify=lambda line: None)
    yield session
    session.close()


@pytest.fixture(scope="module")
def duration_s(simulator, tmp_path_factory):
    """Return how long the sweep takes that nobody disturbs, in seconds."""
    simulator.reset()
    session = Session(base_url=simulator.base_url, home=tmp_path_factory.mktemp("whole"), notify=lambda line: None)
    session.submit("simulator/sleep", {"seconds": 0}).wait(_PATIENCE_S)
    began = time.monotonic()
    planned(session).run().wait(_PATIENCE_S)
    session.close()
    return time.monotonic() - began


def planned(session):
    return Sweep.new(session, *Sweep.plan_text(session, TEXT, ENDPOINT), name="foxes", window=5)


def kill_in_the_middle(kernel, simulator, delay_s):
    """Have the kernel begin its sweep, and kill it so long after its first request of any kind."""
    kernel.start(RUN)
    deadline = time.monotonic() + _PATIENCE_S
    while not simulator.counters():
        assert time.monotonic() < deadline, "the kernel never began"
        time.sleep(0.002)
    time.sleep(delay_s)
    os.kill(kernel.manager.provisioner.process.pid, signal.SIGKILL)
    while kernel.manager.provisioner.process.poll() is None:
        time.sleep(0.002)


def resumed(session):
    """Do what a person does: resume the newest sweep, or plan it again where it had not come to be."""
    try:
        sweep = Sweep.find(session)
    except JobError:
        sweep = planned(session)
    return sweep.run().wait(_PATIENCE_S)


def accepted(simulator):
    """Return seed → how many submissions of it the simulator accepted."""
    requests = simulator.ended_requests(ENDPOINT)
    assert len(requests) == len(simulator.ledger())
    return Counter(request["json_input"]["seed"] for request in requests)


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_killed_at_any_moment_a_sweep_is_resumed_with_one_accepted_submission_a_cell(
    moment, simulator, start_kernel, next_session, duration_s, tmp_path
):
    simulator.reset()
    if moment % 2:  # some answers are lost as well
        simulator.fault("lost-reply", times=1, after=moment % 20)
    # Spread over the whole run and a little beyond, the same moments in every run of the tests.
    delay_s = random.Random(moment).uniform(0, 1.2 * duration_s)
    kill_in_the_middle(start_kernel(), simulator, delay_s)
    before = len(simulator.ledger())
    sweep = resumed(next_session)
    unknown = [view for view in sweep if view.state == "UNKNOWN"]
    print(f"killed after {before} submissions: {sweep.counts()}")
    assert sweep.counts().keys() <= {"SUCCEEDED", "UNKNOWN"}
    # Unknown is only what was on its way when the kernel was killed and did not arrive; a person has it sent again.
    seeds = {view.cell.arguments["seed"] for view in unknown}
    assert accepted(simulator) == dict.fromkeys(set(range(1, COUNT + 1)) - seeds, 1)
    for view in unknown:
        next_session.send_again(next_session.job(view.record_id), yes=True).get(_PATIENCE_S)
    again = sweep.run().wait(_PATIENCE_S)
    assert again.counts() == {"SUCCEEDED": COUNT}
    assert accepted(simulator) == dict.fromkeys(range(1, COUNT + 1), 1)
    assert next_session.history.verify().is_sound
