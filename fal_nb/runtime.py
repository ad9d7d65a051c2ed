"""One daemon thread with one private event loop: the only place where coroutines of ours run.

Its one invariant: whoever waits from outside can always be interrupted, and whoever is interrupted leaves
nothing running that he did not ask to keep.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import inspect
import multiprocessing
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from fal_nb import kernel_loop
from fal_nb.errors import FalError, WrongThreadError

__all__ = ["Runtime"]

T = TypeVar("T")

_SLICE_S = 0.1
"""How long a wait sleeps before it looks for an interrupt again, for platforms where a lock ignores Ctrl-C."""
_DRAINS = 10
"""How often what is left is cancelled: a task that is ending may have started another."""


class Runtime:
    """A lazily started event loop in a thread of its own.

    Every method may be called from any thread; `call` blocks and is refused on the loop's own thread.
    """

    def __init__(self, name: str = "fal-nb") -> None:
        self._name = name
        self._lock = threading.Lock()
        # Reentrant, as the collector may run a finalizer that posts something while it is held.
        self._door = threading.RLock()
        self._is_shut = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._closed = False
        self._is_childs = multiprocessing.parent_process() is not None and not _is_in_marimo()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, started if it was not.

        Raises
        ------
        WrongThreadError
            In a forked or ``multiprocessing`` child, whose copy of the thread does not run. The child that is
            marimo's kernel is none in this sense.
        """
        if self._pid != os.getpid() or self._is_childs:
            raise WrongThreadError(
                "This is a child process: a fal_nb session lives in the process that started it. "
                "Use threads or fal_nb.submit, or start a session of its own with a separate interpreter."
            )
        if self._loop is None:
            with self._lock:
                if self._loop is None:
                    self._start()
        assert self._loop is not None  # noqa: S101 - set by _start
        return self._loop

    @property
    def is_loop_thread(self) -> bool:
        """Whether the caller is on the loop's own thread."""
        return self._thread is not None and threading.get_ident() == self._thread.ident

    @property
    def is_open(self) -> bool:
        """Whether it was not closed."""
        return not self._closed

    def start_soon(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Run a coroutine on the loop and return its future; cancelling the future cancels the coroutine.

        The coroutine runs in an empty context, so that it keeps nothing of the cell that started it alive.
        """
        try:
            loop = self.loop
            with self._door:
                self._check_door()
                return contextvars.Context().run(asyncio.run_coroutine_threadsafe, coroutine, loop)
        except (FalError, RuntimeError) as error:
            coroutine.close()
            raise _closed() if isinstance(error, RuntimeError) else error from error

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Call a plain function on the loop's thread, soon, and do not wait for it."""
        try:
            loop = self.loop
            with self._door:
                self._check_door()
                loop.call_soon_threadsafe(function, *args, context=contextvars.Context())
        except RuntimeError as error:
            raise _closed() from error

    def call(self, coroutine: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """Run a coroutine on the loop and return its result; blocks.

        An interrupt (Ctrl-C, the notebook's Stop) cancels the coroutine and is raised again at once.

        Raises
        ------
        WrongThreadError
            On the loop's own thread, where waiting could never end.
        TimeoutError
            After `timeout_s` seconds; the coroutine is cancelled.
        """
        if self.is_loop_thread:
            coroutine.close()
            raise WrongThreadError(
                "A blocking call on the session's own thread would never end: await the async form here "
                "(fal_nb.AsyncClient, or `await job`)."
            )
        work = _Work(coroutine)
        try:
            return self.wait(self.start_soon(work.run()), timeout_s)
        except BaseException:
            # Not the future: an interrupt may come before there is one, while the coroutine runs already.
            work.give_up()
            with contextlib.suppress(FalError):
                self.post(work.cancel)
            raise

    def wait(
        self,
        future: concurrent.futures.Future[T],
        timeout_s: float | None = None,
        meanwhile: Callable[[], object] | None = None,
    ) -> T:
        """Return a future's result; blocks in slices, so that an interrupt gets through. Cancels nothing.

        Where the kernel's loop was lent to us (`fal_nb.kernel_loop`) it turns meanwhile.

        Parameters
        ----------
        meanwhile
            Called between the slices, about ten times a second, on the thread that waits.

        Raises
        ------
        WrongThreadError
            On the loop's own thread.
        TimeoutError
            After `timeout_s` seconds.
        """
        if self.is_loop_thread:
            raise WrongThreadError("A blocking wait on the session's own thread would never end: await it instead.")
        if (kernel := kernel_loop.here()) is not None:
            return kernel.wait(future, timeout_s)
        loop_time = self.loop.time
        deadline = None if timeout_s is None else loop_time() + timeout_s
        while True:
            left = _SLICE_S if deadline is None else min(_SLICE_S, max(0.0, deadline - loop_time()))
            done, _ = concurrent.futures.wait([future], timeout=left)
            if done:
                return future.result()
            if deadline is not None and loop_time() >= deadline:
                raise TimeoutError(f"Nothing within {timeout_s:g} s.")
            if meanwhile is not None:
                meanwhile()

    def finish(self, awaitable: Awaitable[T]) -> T:
        """Await what a user's function returned, and return what it comes to; blocks.

        On the kernel's loop where that was lent to us, else on a loop of its own in a worker thread: never on ours,
        which a slow function would hold up. An interrupt cancels it.
        """
        kernel = kernel_loop.lent()
        future = kernel.start(awaitable) if kernel is not None else _apart(awaitable)
        try:
            return self.wait(future)
        except BaseException:
            future.cancel()
            raise

    def close(self, timeout_s: float = 5.0) -> None:
        """Cancel what still runs, stop the loop and join the thread. Safe to call twice."""
        with self._lock:
            loop, thread, self._closed = self._loop, self._thread, True
        if loop is None or thread is None or not thread.is_alive() or self._pid != os.getpid():
            return
        if not self.is_loop_thread:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout_s)

    def _start(self) -> None:
        if self._closed:
            raise _closed()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name=self._name, daemon=True)
        self._thread.start()
        ready.wait()

    def _run(self, ready: threading.Event) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        self._loop = loop
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            # What comes in after this is refused: a loop that turns no more would drop it, and whoever waits for it
            # would wait for ever.
            with self._door:
                self._is_shut = True
            _drain(loop)

    def _check_door(self) -> None:
        if self._is_shut:
            raise _closed()


class _Work(Generic[T]):
    """A coroutine that can be cancelled by whoever started it, whether it has begun or not."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._task: asyncio.Task[Any] | None = None
        self._is_given_up = False

    async def run(self) -> T:
        self._task = asyncio.current_task()
        if self._is_given_up:
            raise asyncio.CancelledError
        return await self._coroutine

    def cancel(self) -> None:
        """Cancel what runs; on the loop's thread."""
        if self._task is not None:
            self._task.cancel()

    def give_up(self) -> None:
        """Let it not begin any more; from any thread. What has begun ends by `cancel`."""
        self._is_given_up = True
        if inspect.getcoroutinestate(self._coroutine) == inspect.CORO_CREATED:
            with contextlib.suppress(ValueError):
                self._coroutine.close()


def _apart(awaitable: Awaitable[T]) -> concurrent.futures.Future[T]:
    """Have something awaited in a thread of its own; cancelling the future cancels it there."""
    ended: concurrent.futures.Future[T] = concurrent.futures.Future()

    async def working() -> T:
        task = asyncio.ensure_future(kernel_loop.awaited(awaitable))
        loop = asyncio.get_running_loop()

        def cancel(future: concurrent.futures.Future[T]) -> None:
            if future.cancelled() and not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)

        ended.add_done_callback(cancel)
        return await task

    def run() -> None:
        try:
            value = asyncio.run(working())
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            with contextlib.suppress(concurrent.futures.InvalidStateError):
                ended.set_exception(error)
        else:
            with contextlib.suppress(concurrent.futures.InvalidStateError):
                ended.set_result(value)

    threading.Thread(target=run, name="fal-nb-callback", daemon=True).start()
    return ended


def _is_in_marimo() -> bool:
    """Return whether a cell of marimo runs on this thread: its editor starts each kernel by ``multiprocessing``."""
    running = getattr(sys.modules.get("marimo"), "running_in_notebook", None)
    return callable(running) and bool(running())


def _drain(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left, and what was posted but has not begun, and let it clean up.

    A task that refuses to end is left behind.
    """
    for _ in range(_DRAINS):
        loop.run_until_complete(asyncio.sleep(0))
        tasks = asyncio.all_tasks(loop)
        if not tasks:
            break
        for task in tasks:
            task.cancel()
        _, stubborn = loop.run_until_complete(asyncio.wait(tasks, timeout=2.0))
        if stubborn:
            break
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def _closed() -> WrongThreadError:
    return WrongThreadError("This session is closed: start the kernel again, or make a new fal_nb.Session().")
