"""The gate of paid calls: one question at a time to a server that refuses, none to a locked account."""

import asyncio

import pytest

from fal_nb.client.async_client import AsyncClient
from fal_nb.client.gate import Gate
from fal_nb.client.withdrawal import Withdrawal
from fal_nb.errors import AccountLockedError, RateLimitedError, RequestCancelledError
from fal_nb.simulator.server import SimulatorServer

SLEEP = "simulator/sleep"


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now

    async def pause(self, seconds):
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def gate(clock):
    return Gate(lock_s=300.0, clock=clock, pause=clock.pause)


def locked():
    return AccountLockedError("User is locked. (HTTP 403)", 403, {})


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_without_a_refusal_everybody_passes_at_once(gate):
    async with gate.passage(Withdrawal()), gate.passage(Withdrawal()), gate.passage(Withdrawal()):
        assert gate.waiting == 0
    assert (gate.pressure, gate.paused_s) == (0.0, 0.0)


async def test_after_a_refusal_one_passes_alone_and_the_rest_as_it_gets_through(clock):
    opened = asyncio.Event()
    gate = Gate(clock=clock, pause=lambda _seconds: opened.wait())
    async with gate.passage(Withdrawal()) as passage:
        passage.refused(7.0)
    assert gate.paused_s == 7.0
    through, go = [], [asyncio.Event() for _ in range(6)]

    async def call(number):
        async with gate.passage(Withdrawal()) as passage:
            through.append(number)
            await go[number].wait()
            passage.accepted()

    calls = [asyncio.ensure_future(call(number)) for number in range(6)]
    await settle()
    assert (through, gate.waiting) == ([], 6)
    opened.set()
    await settle()
    assert through == [0]
    go[0].set()
    await settle()
    assert through == [0, 1, 2]
    for event in go:
        event.set()
    await asyncio.gather(*calls)
    assert through == [0, 1, 2, 3, 4, 5]


async def test_of_the_refusals_of_one_round_only_the_first_counts_and_the_longest_wait_holds(gate):
    async with (
        gate.passage(Withdrawal()) as first,
        gate.passage(Withdrawal()) as second,
        gate.passage(Withdrawal()) as third,
    ):
        first.refused(2.0)
        second.refused(9.0)
        third.refused(1.0)
    assert (gate.streak, gate.pressure, gate.paused_s) == (1, 0.5, 9.0)


async def test_pressure_halves_the_window_at_each_pause_and_gives_it_back_step_by_step(gate):
    seen = []
    for _ in range(3):
        async with gate.passage(Withdrawal()) as passage:
            passage.refused(1.0)
        seen.append(gate.pressure)
    assert seen == [0.5, 0.75, 0.875]
    for _ in range(20):
        async with gate.passage(Withdrawal()) as passage:
            passage.accepted()
    assert gate.pressure == 0.0


async def test_whoever_waits_hears_how_long_and_when_it_is_over(gate):
    async with gate.passage(Withdrawal()) as passage:
        passage.refused(4.0)
    heard = []
    async with gate.passage(Withdrawal(heard.append)):
        pass
    assert heard == [4.0, 0.0]


async def test_a_call_can_be_called_off_while_it_waits_and_leaves_the_line(clock):
    gate = Gate(clock=clock, pause=lambda _seconds: asyncio.Event().wait())
    async with gate.passage(Withdrawal()) as passage:
        passage.refused(60.0)
    turn = Withdrawal()
    waiting = asyncio.ensure_future(gate.take(turn))
    await settle()
    assert turn.is_at_rest
    turn.ask()
    with pytest.raises(RequestCancelledError):
        await waiting
    assert gate.waiting == 0
    cancelled = asyncio.ensure_future(gate.take(Withdrawal()))
    await settle()
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert gate.waiting == 0


async def test_a_passage_that_was_taken_and_not_used_lets_the_next_one_through(gate):
    async with gate.passage(Withdrawal()) as passage:
        passage.refused(1.0)
    turn = Withdrawal()
    await gate.take(turn)
    other = asyncio.ensure_future(gate.take(Withdrawal()))
    await settle()
    assert not other.done()
    turn.give_back()
    await other


async def test_a_call_called_off_after_its_turn_came_is_not_sent(gate):
    turn = Withdrawal()
    await gate.take(turn)
    turn.ask()
    with pytest.raises(RequestCancelledError):
        async with gate.passage(turn):
            pytest.fail("it was let through")


async def test_a_locked_account_refuses_all_who_wait_and_all_who_come(clock):
    gate = Gate(lock_s=300.0, clock=clock, pause=lambda _seconds: asyncio.Event().wait())
    async with gate.passage(Withdrawal()) as first, gate.passage(Withdrawal()) as second:
        first.refused(60.0)
        waiting = asyncio.ensure_future(gate.take(Withdrawal()))
        await settle()
        second.locked(locked())
    with pytest.raises(AccountLockedError, match=r"User is locked.*Nothing was sent.*fal\.unlock\(\).*5 min"):
        await waiting
    with pytest.raises(AccountLockedError):
        gate.check()


@pytest.mark.parametrize("how", ["unlock", "time"])
async def test_then_one_call_tries_and_the_others_wait_for_what_it_meets(gate, clock, how):
    async with gate.passage(Withdrawal()) as passage:
        passage.locked(locked())
    if how == "unlock":
        gate.unlock()
    else:
        clock.now += 301
    gate.check()
    async with gate.passage(Withdrawal()) as trying:
        others = [asyncio.ensure_future(gate.take(Withdrawal())) for _ in range(3)]
        await settle()
        assert not any(other.done() for other in others)
        trying.accepted()
        await asyncio.gather(*others)
    gate.check()


async def test_where_it_is_still_locked_the_others_are_refused_with_it(gate):
    async with gate.passage(Withdrawal()) as passage:
        passage.locked(locked())
    gate.unlock()
    async with gate.passage(Withdrawal()) as trying:
        other = asyncio.ensure_future(gate.take(Withdrawal()))
        await settle()
        trying.locked(locked())
    with pytest.raises(AccountLockedError):
        await other


async def test_where_nobody_knows_how_the_try_went_the_next_one_tries(gate):
    async with gate.passage(Withdrawal()) as passage:
        passage.locked(locked())
    gate.unlock()
    async with gate.passage(Withdrawal()):
        other = asyncio.ensure_future(gate.take(Withdrawal()))
        await settle()
        assert not other.done()
    await other


async def test_a_gate_that_keeps_no_lock_asks_each_time():
    gate = Gate()
    async with gate.passage(Withdrawal()) as passage:
        passage.locked(locked())
    gate.check()


@pytest.fixture
async def client():
    with SimulatorServer(speed=20, runners=4) as simulator:
        async with AsyncClient("id:secret", base_url=simulator.base_url) as client:
            yield client, simulator


async def test_fifty_submissions_to_a_server_that_refuses_ask_once_a_pause(client):
    client, simulator = client
    paused = []

    async def pause(seconds):
        paused.append(seconds)

    client.http._pause = pause
    simulator.fault("rate-limit", times=1, retry_after="30", on="submit")
    simulator.fault("rate-limit", times=2, after=1, retry_after="5", on="submit")
    await client.submit(SLEEP, {"seconds": 0})
    asked = simulator.counters()["submit"]
    assert asked == 4
    handles = await asyncio.gather(*(client.submit(SLEEP, {"seconds": 0}) for _ in range(50)))
    assert len({handle.request_id for handle in handles}) == 50
    assert simulator.counters()["submit"] == asked + 50
    assert max(paused) <= 33


async def test_a_burst_that_is_refused_comes_again_in_order_and_never_all_at_once(client):
    client, simulator = client
    simulator.fault("rate-limit", times=30, retry_after="0.05", on="submit")
    handles = await asyncio.gather(*(client.submit(SLEEP, {"seconds": 0}) for _ in range(30)))
    assert len({handle.request_id for handle in handles}) == 30
    # The first burst is refused as a whole; had each one come back by itself, that would go on.
    assert simulator.counters()["submit"] == 60
    assert client.http.gate.pressure < 1


async def test_a_limit_of_the_queue_that_a_call_set_itself_stops_nobody_else(client):
    client, simulator = client
    simulator.fault("rate-limit", on="submit", retry_after="60")
    gate = client.http.gate
    from fal_nb.client.options import CallOptions
    from fal_nb.protocol.endpoint import EndpointId

    async def pause(seconds):
        await asyncio.sleep(0)

    client.http._pause = pause
    with pytest.raises(RateLimitedError):
        await client.queue.submit(EndpointId.parse(SLEEP), {}, CallOptions(max_queue_length=3))
    assert (gate.paused_s, gate.pressure) == (0.0, 0.0)


async def test_a_direct_call_over_the_limit_waits_like_the_others(client):
    client, simulator = client
    simulator.fault("rate-limit", on="run", times=1, retry_after="0.05")
    assert await client.run(SLEEP, {"seconds": 0}) is not None
    assert client.http.gate.streak == 0
