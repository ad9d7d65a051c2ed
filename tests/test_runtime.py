import asyncio
import concurrent.futures
import contextvars
import multiprocessing
import os
import signal
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from fal_nb.errors import WrongThreadError
from fal_nb.runtime import Runtime


@pytest.fixture
def runtime():
    runtime = Runtime()
    yield runtime
    runtime.close()


async def answer():
    await asyncio.sleep(0)
    return threading.current_thread().name


def test_a_coroutine_runs_on_the_named_daemon_thread(runtime):
    assert runtime.call(answer()) == "fal-nb"
    assert any(thread.name == "fal-nb" and thread.daemon for thread in threading.enumerate())


def test_nothing_is_started_before_the_first_call():
    before = threading.active_count()
    Runtime()
    assert threading.active_count() == before


def test_a_blocking_call_on_the_loops_own_thread_is_refused(runtime):
    async def nested():
        runtime.call(answer())

    with pytest.raises(WrongThreadError, match="never end"):
        runtime.call(nested())


def test_cancelling_the_future_cancels_the_coroutine(runtime):
    started, ended = threading.Event(), threading.Event()

    async def work():
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    future = runtime.start_soon(work())
    assert started.wait(5)
    future.cancel()
    assert ended.wait(5)


def test_an_interrupt_reaches_the_waiting_caller_and_cancels_the_coroutine(runtime):
    ended = threading.Event()

    async def work():
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        runtime.call(work())
    assert ended.wait(5)


def test_a_timeout_is_raised_and_cancels_the_coroutine(runtime):
    ended = threading.Event()

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        runtime.call(work(), timeout_s=0.05)
    assert ended.wait(5)


def test_the_callers_context_is_not_kept(runtime):
    variable = contextvars.ContextVar("variable", default="empty")
    variable.set("cell")

    async def look():
        return variable.get()

    assert runtime.call(look()) == "empty"
    seen = []
    done = threading.Event()
    runtime.post(lambda: (seen.append(variable.get()), done.set()))
    assert done.wait(5)
    assert seen == ["empty"]


def test_closing_cancels_what_runs_and_refuses_what_comes_after():
    runtime = Runtime()
    ended = threading.Event()
    started = threading.Event()

    async def work():
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    runtime.start_soon(work())
    assert started.wait(5)
    runtime.close()
    assert ended.is_set()
    with pytest.raises(WrongThreadError, match="closed"):
        runtime.call(answer())
    runtime.close()


def test_what_comes_while_it_closes_ends_too():
    runtime = Runtime()
    held, may_go = threading.Event(), threading.Event()
    runtime.post(lambda: (held.set(), may_go.wait(5)))
    assert held.wait(5)
    closing = threading.Thread(target=runtime.close)
    closing.start()
    while runtime.is_open:
        time.sleep(0.001)
    time.sleep(0.05)
    late = [runtime.start_soon(answer()) for _ in range(3)]
    may_go.set()
    done, left = concurrent.futures.wait(late, timeout=5)
    closing.join(5)
    assert len(done) == 3
    assert not left
    with pytest.raises(WrongThreadError, match="closed"):
        runtime.post(print)


def _in_child(queue, marimo=None):
    try:
        if marimo is not None:
            sys.modules["marimo"] = SimpleNamespace(running_in_notebook=lambda: marimo)
        queue.put(Runtime().call(answer()))
    except WrongThreadError as error:
        queue.put(str(error))


@pytest.mark.slow
@pytest.mark.parametrize("is_kernel", [True, False])
def test_the_child_that_is_marimos_kernel_is_a_process_like_any_other(is_kernel):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_in_child, args=(queue, is_kernel))
    process.start()
    said = queue.get(timeout=60)
    process.join(30)
    assert ("child process" in str(said)) is not is_kernel


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_multiprocessing_child_is_refused():
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_in_child, args=(queue,))
    process.start()
    assert "child process" in queue.get(timeout=30)
    process.join(30)


def test_a_forked_copy_of_a_running_runtime_is_refused(runtime):
    runtime.call(answer())
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            runtime.start_soon(answer())
        except WrongThreadError:
            os.write(write, b"refused")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 20) == b"refused"


class TestFinish:
    def test_what_a_users_function_returned_runs_on_a_loop_that_is_not_ours(self, runtime):
        assert runtime.finish(answer()) == "fal-nb-callback"

    def test_its_error_goes_to_whoever_waits(self, runtime):
        async def fail():
            raise LookupError("a user's own")

        with pytest.raises(LookupError, match="a user's own"):
            runtime.finish(fail())

    def test_an_interrupt_cancels_it(self, runtime):
        cancelled = threading.Event()

        async def sleep():
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                await asyncio.sleep(60)
            finally:
                cancelled.set()

        with pytest.raises(KeyboardInterrupt):
            runtime.finish(sleep())
        assert cancelled.wait(10)
