"""A call that waits for its next try is taken back at once: no further POST, nothing started, nothing charged."""

import socket
import time

import pytest

from fal_nb.engine.session import Session
from fal_nb.errors import FalClientTimeoutError, RequestCancelledError

SLEEP = "simulator/sleep"
DEV = "fal-ai/flux/dev"
AT_ONCE_S = 3


def refuse(simulator, operation):
    """Refuse every call with a Retry-After of 30 s; return how many there were, each time it is asked."""
    simulator.fault("rate-limit", retry_after=30, on=operation)
    before = simulator.counters().get(operation, 0)
    return lambda: simulator.counters().get(operation, 0) - before


@pytest.mark.parametrize("kind", ["queue", "direct"])
def test_a_cancel_during_a_retry_after_takes_effect_at_once(session, simulator, wait_for, kind):
    accepted = len(simulator.ledger())
    posts = refuse(simulator, "submit" if kind == "queue" else "run")
    job = session.submit(SLEEP, {"echo": "x"}, kind=kind)
    wait_for(posts)
    wait_for(lambda: job._follower._withdrawal.is_at_rest)
    started = time.monotonic()
    job.cancel()
    job.wait(AT_ONCE_S)
    assert time.monotonic() - started < AT_ONCE_S
    assert (job.state, job.request_id, job.snapshot.cancel) == ("CANCELLED", None, None)
    with pytest.raises(RequestCancelledError, match="nothing was started"):
        job.result()
    record = session.history.get(job.record_id)
    assert (record.state, record.cancel, record.billable_units) == ("CANCELLED", None, None)
    simulator.clear_faults()
    assert posts() == 1
    assert len(simulator.ledger()) == accepted


def test_a_stream_is_taken_back_as_well(session, simulator, wait_for):
    posts = refuse(simulator, "stream")
    events = session.stream(DEV, {"prompt": "x"})
    wait_for(posts)
    wait_for(lambda: events.job._follower._withdrawal.is_at_rest)
    events.close()
    with pytest.raises(RequestCancelledError):
        list(events)
    assert events.job.state == "CANCELLED"
    assert posts() == 1


def test_a_cancel_while_the_refused_post_is_under_way_lets_no_other_follow(session, simulator, wait_for):
    simulator.fault("slow", seconds=0.5, on="submit", times=1)
    posts = refuse(simulator, "submit")
    job = session.submit(SLEEP, {"echo": "x"})
    wait_for(lambda: job.state == "SUBMITTING")
    job.request_cancel()
    job.wait(AT_ONCE_S)
    assert job.state == "CANCELLED"
    assert posts() == 1


def test_the_callers_time_limit_ends_the_wait_for_another_try(session, simulator):
    posts = refuse(simulator, "submit")
    job = session.submit(SLEEP, {"echo": "x"}, timeout_s=0.7)
    with pytest.raises(FalClientTimeoutError):
        job.get(AT_ONCE_S)
    assert job.state == "CANCELLED"
    assert posts() == 1


def test_a_call_that_finds_no_server_is_taken_back_between_its_tries(tmp_path, wait_for):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        session = Session(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}", home=tmp_path / "home")
        job = session.submit(SLEEP, {"echo": "x"}, check=False)
        wait_for(lambda: job._follower and job._follower._withdrawal.is_at_rest)
        job.cancel()
        job.wait(AT_ONCE_S)
        assert job.state == "CANCELLED"
        session.close()


def test_without_a_cancel_the_call_is_sent_again_when_it_is_due(session, simulator):
    simulator.fault("rate-limit", retry_after=0.3, on="submit", times=2)
    assert session.submit(SLEEP, {"echo": "x"}).get() == {"echo": "x"}
