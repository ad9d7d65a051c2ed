"""A line to a realtime endpoint: newest input wins, few on their way, and it ends when nobody uses it."""

import asyncio
import random
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fal_nb.engine.frame_line import FrameLine, Timings
from fal_nb.errors import FalError

PATIENCE_S = 10.0


class Endpoint:
    """The far end of connections, driven by the test."""

    def __init__(self, *, echoes=False):
        self.got, self.opened, self.closed = [], 0, 0
        self.answers = asyncio.Queue()
        self.echoes = echoes
        self.refusal = None

    @asynccontextmanager
    async def connect(self):
        if self.refusal:
            raise self.refusal
        self.opened += 1
        self.answers = asyncio.Queue()
        try:
            yield self
        finally:
            self.closed += 1

    async def send(self, arguments):
        self.got.append(arguments)

    async def recv(self):
        answer = await self.answers.get()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def answer(self, arguments):
        self.answers.put_nowait({"of": arguments["n"]} | ({"id": arguments["id"]} if self.echoes else {}))


class Line:
    """A line to an endpoint of a test, and what it has told."""

    def __init__(self, endpoint, **options):
        self.frames, self.states = [], []
        options = {"echo": "id" if endpoint.echoes else None} | options
        self.line = FrameLine(endpoint.connect, asyncio.ensure_future, self.frames.append, self.changed, **options)

    def changed(self):
        if not self.states or self.states[-1] != self.line.state:
            self.states.append(self.line.state)

    def offer(self, number):
        self.line.offer(number, {"n": number})


async def until(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the test looks from outside
            await asyncio.sleep(0.002)


def run(coroutine):
    return asyncio.run(coroutine)


def test_the_newest_input_wins_and_no_more_are_on_their_way_than_may_be():
    async def story():
        endpoint = Endpoint()
        line = Line(endpoint, most=2)
        for number in range(1, 3):
            line.offer(number)
            await until(lambda number=number: len(endpoint.got) == number)
        for number in range(3, 11):
            line.offer(number)
        await asyncio.sleep(0.02)
        assert [each["n"] for each in endpoint.got] == [1, 2]
        endpoint.answer({"n": 1})
        await until(lambda: len(endpoint.got) == 3)
        assert endpoint.got[-1]["n"] == 10
        assert (line.line.in_flight, line.line.most_seen, line.line.skipped) == (2, 2, 7)
        endpoint.answer({"n": 2})
        endpoint.answer({"n": 10})
        await until(lambda: len(line.frames) == 3)
        assert [(frame.input, frame.arguments["n"], frame.result["of"]) for frame in line.frames] == [
            (1, 1, 1), (2, 2, 2), (10, 10, 10),
        ]  # fmt: skip
        await line.line.stop()
        assert line.states == ["connecting", "open", "closed"]
        assert (endpoint.opened, endpoint.closed) == (1, 1)

    run(story())


def test_an_answer_that_names_its_input_gives_up_those_before_it():
    async def story():
        endpoint = Endpoint(echoes=True)
        line = Line(endpoint, most=3)
        for number in (1, 2, 3):
            line.offer(number)
            await until(lambda number=number: len(endpoint.got) == number)
        assert [each["id"] for each in endpoint.got] == ["1", "2", "3"]
        endpoint.answer(endpoint.got[1])
        await until(lambda: line.frames)
        assert line.frames[0].input == 2
        assert "id" not in line.frames[0].arguments
        assert (line.line.in_flight, line.line.lost) == (1, 1)
        await line.line.stop()

    run(story())


def test_an_answer_that_never_comes_holds_up_nothing():
    async def story():
        endpoint = Endpoint()
        line = Line(endpoint, most=1, lost_s=0.05)
        line.offer(1)
        line.offer(2)
        await until(lambda: len(endpoint.got) >= 1)
        line.offer(3)
        await until(lambda: endpoint.got[-1]["n"] == 3)
        assert line.line.lost >= 1
        await line.line.stop()

    run(story())


def test_an_idle_line_disconnects_and_says_why_and_an_input_connects_it_again():
    async def story():
        endpoint = Endpoint()
        line = Line(endpoint, idle_s=0.05)
        line.offer(1)
        await until(lambda: endpoint.got)
        assert line.line.idle_left_s is None
        endpoint.answer({"n": 1})
        await until(lambda: line.line.state == "closed")
        assert endpoint.closed == 1
        assert "without an input" in line.line.why
        assert "billed by time" in line.line.why
        line.offer(2)
        await until(lambda: len(endpoint.got) == 2)
        assert endpoint.opened == 2
        await line.line.stop()

    run(story())


def test_a_pause_sends_nothing_and_going_on_sends_the_newest():
    async def story():
        endpoint = Endpoint()
        line = Line(endpoint)
        line.offer(1)
        await until(lambda: endpoint.got)
        line.line.pause()
        line.offer(2)
        line.offer(3)
        await asyncio.sleep(0.02)
        assert len(endpoint.got) == 1
        line.line.go()
        await until(lambda: len(endpoint.got) == 2)
        assert endpoint.got[-1]["n"] == 3
        await line.line.stop()

    run(story())


def test_a_paused_line_disconnects_when_it_is_idle_although_an_input_waits():
    async def story():
        endpoint = Endpoint()
        line = Line(endpoint, idle_s=0.05)
        line.offer(1)
        await until(lambda: endpoint.got)
        line.line.pause()
        line.offer(2)
        endpoint.answer({"n": 1})
        await until(lambda: line.line.state == "closed")
        line.line.go()
        await until(lambda: len(endpoint.got) == 2)
        assert endpoint.got[-1]["n"] == 2
        await line.line.stop()

    run(story())


def test_an_input_that_comes_while_the_connection_is_being_closed_connects_anew():
    async def story():
        endpoint = Endpoint()
        line = Line(endpoint)
        line.offer(1)
        await until(lambda: endpoint.got)
        ending = asyncio.ensure_future(line.line.stop())
        await asyncio.sleep(0)
        line.offer(2)
        await until(lambda: len(endpoint.got) == 2)
        assert (endpoint.opened, endpoint.closed) == (2, 1)
        await line.line.stop()
        await ending

    run(story())


def test_an_orderly_end_of_the_endpoint_is_no_error_and_what_waits_connects_again():
    async def story():
        endpoint = Endpoint()
        line = Line(endpoint, most=1)
        line.offer(1)
        await until(lambda: endpoint.got)
        endpoint.answer({"n": 1})
        await until(lambda: line.frames)
        endpoint.answers.put_nowait(None)
        await until(lambda: line.line.state == "closed")
        assert line.line.why == "The endpoint ended the session."
        line.offer(2)
        await until(lambda: len(endpoint.got) == 2)
        assert line.line.state == "open"
        await line.line.stop()

    run(story())


@pytest.mark.parametrize("error", [FalError("No such endpoint."), OSError("reset")])
def test_a_failure_is_told_and_waits_for_somebody_to_go_on(error):
    async def story():
        endpoint = Endpoint()
        line = Line(endpoint)
        line.offer(1)
        await until(lambda: endpoint.got)
        endpoint.answers.put_nowait(error)
        await until(lambda: line.line.state == "failed")
        assert str(error) in line.line.why
        line.offer(2)
        await asyncio.sleep(0.02)
        assert endpoint.opened == 1
        line.line.go()
        await until(lambda: len(endpoint.got) == 2)
        await line.line.stop()
        endpoint.refusal = error
        line.offer(3)
        await until(lambda: line.line.state == "failed")

    run(story())


def test_an_endpoint_that_ends_each_session_unanswered_is_not_called_for_ever():
    async def story():
        endpoint = Endpoint()
        line = Line(endpoint, most=1)
        line.offer(1)
        line.offer(2)
        await until(lambda: endpoint.got)
        line.offer(3)
        endpoint.answers.put_nowait(None)
        await until(lambda: line.line.state == "failed")
        assert endpoint.opened == 1

    run(story())


def test_the_end_of_the_session_ends_the_connection_in_order():
    async def story():
        endpoint = Endpoint()
        line = Line(endpoint)
        line.offer(1)
        await until(lambda: endpoint.got)
        task = line.line._task
        task.cancel()
        await asyncio.wait({task})
        assert endpoint.closed == 1
        assert line.line.state == "closed"

    run(story())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.booleans())
def test_whatever_comes_when_few_are_on_their_way_and_the_last_input_is_answered(seed, most, echoes):
    chance = random.Random(seed)

    async def story():
        endpoint = Endpoint(echoes=echoes)
        line = Line(endpoint, most=most)
        answered = 0
        for number in range(1, 40):
            line.offer(number)
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)
            while answered < len(endpoint.got) and chance.random() < 0.5:
                endpoint.answer(endpoint.got[answered])
                answered += 1
                await asyncio.sleep(0)
        while not line.frames or line.frames[-1].input != 39:
            await until(lambda: len(endpoint.got) > answered)  # noqa: B023 - awaited at once
            endpoint.answer(endpoint.got[answered])
            answered += 1
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert line.line.most_seen <= most
        inputs = [frame.input for frame in line.frames]
        assert inputs == sorted(inputs)
        assert all(frame.result["of"] == frame.input == frame.arguments["n"] for frame in line.frames)
        await line.line.stop()

    run(story())


def test_timings_tell_quantiles_and_frames_a_second():
    now = [0.0]
    timings = Timings(lambda: now[0])
    assert timings.quantile(0.5) is None
    for index in range(100):
        now[0] = index * 0.1
        timings.add(index / 1000)
    assert timings.quantile(0.5) == pytest.approx(0.05)
    assert timings.quantile(0.95) == pytest.approx(0.095)
    assert timings.frames_per_s == pytest.approx(10.0, rel=0.05)
