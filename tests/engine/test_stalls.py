"""When a job counts as stalled, by its endpoint's own past; and that the person can go on waiting."""

import asyncio
import time

import pytest

from fal_nb.engine.stalls import DEFAULT_S, LEAST_S, Stalled, Stalls, usual_of

CALLED = ("fal-ai/flux/dev", "fal")


def stalls_of(past):
    async def ask(endpoint, backend):
        assert (endpoint, backend) == CALLED
        return past

    return Stalls(ask)


async def look(stalls, now, shape="RUNNING", since=0.0):
    """Look twice, as the first look only asks what is usual."""
    stalls.look(1, CALLED, shape, since=since, now=now)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return stalls.look(1, CALLED, shape, since=since, now=now)


@pytest.mark.parametrize(
    ("past", "limit_s", "usual_s"),
    [
        ([float(second) for second in range(1, 101)], 95.0, 95.0),
        ([10.0, 10.0, 10.0, 10.0, 30.0], 30.0, 30.0),
        ([10.0, 10.0, 10.0, 10.0], DEFAULT_S, None),
        ([], DEFAULT_S, None),
        ([0.1] * 50, LEAST_S, 0.1),
    ],
)
def test_a_job_has_stalled_after_the_time_in_which_95_of_100_such_calls_were_over(past, limit_s, usual_s):
    async def scenario():
        stalls = stalls_of(past)
        assert await look(stalls, limit_s - 0.01) is None
        assert await look(stalls, limit_s + 0.01) == Stalled(0.0, usual_s)

    asyncio.run(scenario())
    assert usual_of(past) == usual_s


def test_whatever_moves_begins_the_time_anew():
    async def scenario():
        stalls = stalls_of([10.0] * 9)
        assert await look(stalls, 11.0) is not None
        assert await look(stalls, 11.5, shape="step 2", since=11.5) is None
        assert await look(stalls, 21.0, shape="step 2") is None
        assert await look(stalls, 21.6, shape="step 2") == Stalled(11.5, 10.0)

    asyncio.run(scenario())


def test_keep_waiting_says_no_more_until_twice_as_long_has_passed():
    async def scenario():
        stalls = stalls_of([10.0] * 9)
        assert await look(stalls, 11.0) is not None
        stalls.keep_waiting(1, 11.0)
        assert await look(stalls, 30.0) is None
        assert await look(stalls, 31.5) == Stalled(0.0, 10.0)

    asyncio.run(scenario())


def test_a_job_in_which_nothing_moves_says_so_by_itself_and_no_more_once_told_to_wait(
    session, simulator, monkeypatch, wait_for
):
    for _ in range(5):
        session.submit("simulator/sleep", {"seconds": 0}).wait(20)
    monkeypatch.setattr("fal_nb.engine.stalls.LEAST_S", 0.01)
    monkeypatch.setattr("fal_nb.engine.stalls._LOOK_S", 0.02)
    simulator.set_runners(0)
    try:
        job = session.submit("simulator/sleep", {"seconds": 0})
        wait_for(lambda: job.snapshot.stalled is not None)
        assert job.state == "QUEUED"
        assert job.snapshot.stalled.usual_s == usual_of(session.history.past_totals("simulator/sleep"))
        assert job.snapshot.stalled.since <= time.time()
        monkeypatch.setattr("fal_nb.engine.stalls.LEAST_S", 1_000.0)
        job.keep_waiting()
        wait_for(lambda: job.snapshot.stalled is None)
    finally:
        simulator.set_runners(4)
    assert job.wait(20).snapshot.stalled is None
