"""The events of a stream, from the loop's thread to whoever reads them, blocking or awaiting."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from typing import TYPE_CHECKING, Any, Self

from fal_nb import kernel_loop
from fal_nb.errors import JobError
from fal_nb.protocol.status import JSON

if TYPE_CHECKING:
    from fal_nb.engine.job import Job
    from fal_nb.engine.snapshot import JobSnapshot

__all__ = ["EventQueue", "EventsToCome"]

_SLICE_S = 0.1


class EventQueue(Iterator[JSON], AsyncIterator[JSON]):
    """Iterates over the events of one stream as they come, with ``for`` or ``async for``; ends with its job.

    A reader that leaves early leaves the job running: it is paid for, and its result is kept. `close` ends it.

    Attributes
    ----------
    job
        The job whose events these are; set before anything is sent.

    Raises
    ------
    FalError
        In the place of the next event, where the stream failed.
    """

    job: Job

    def __init__(self) -> None:
        self._events: deque[JSON] = deque()
        self._changed = threading.Condition()
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def put(self, event: JSON) -> None:
        """Take in an event; called on the loop's thread."""
        with self._changed:
            self._events.append(event)
        self._wake()

    def notice(self, snapshot: JobSnapshot) -> None:
        """Wake the readers where the job has ended; an observer."""
        if snapshot.is_final:
            self._wake()

    def close(self) -> None:
        """Close the connection if the stream has not ended: fal cannot cancel it, so the job becomes ``UNKNOWN``."""
        self.job.request_cancel()

    def __repr__(self) -> str:
        job = getattr(self, "job", None)
        what = "not started" if job is None else f"of job #{job.record_id} {job.endpoint} {job.state}"
        return f"<events {what}: read them with for, or async for>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> JSON:
        try:
            while True:
                if self._events:
                    return self._events.popleft()
                if self._is_over():
                    self.job.result()
                    raise StopIteration
                kernel_loop.turn_until(lambda: self.job.done or bool(self._events))
                with self._changed:
                    # In slices, so that an interrupt gets through on every platform.
                    self._changed.wait_for(lambda: bool(self._events), _SLICE_S)
        except KeyboardInterrupt:
            self.job.cancel_after_interrupt()
            raise

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> JSON:
        try:
            while not self._events:
                if self._is_over():
                    self.job.result()
                    raise StopAsyncIteration
                await self._change()
        except asyncio.CancelledError:
            self.job.request_cancel()
            raise
        return self._events.popleft()

    def _is_over(self) -> bool:
        return self.job.done and not self._events

    async def _change(self) -> None:
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        with self._changed:
            if self._events:
                return
            self._waiters.append((loop, waiter))
        # A heartbeat: ipykernel notices the Stop button only when the loop next wakes.
        await asyncio.wait({waiter}, timeout=_SLICE_S)

    def _wake(self) -> None:
        with self._changed:
            waiters, self._waiters = self._waiters, []
            self._changed.notify_all()
        for loop, waiter in waiters:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_release, waiter)


class EventsToCome(AsyncIterator[JSON]):
    """The events of a stream that starts, once, when the first is asked for; awaiting it gives its `EventQueue`.

    Parameters
    ----------
    start
        Starts the call without holding up the caller's loop.

    Raises
    ------
    FalError
        In the place of an event, where the call could not be made or the stream failed.
    """

    def __init__(self, start: Callable[[], Coroutine[Any, Any, EventQueue]]) -> None:
        self._start = start
        self._starting = asyncio.Lock()
        self._events: EventQueue | None = None
        self._is_over = False

    def __await__(self) -> Generator[Any, None, EventQueue]:
        return self._opened().__await__()

    async def __anext__(self) -> JSON:
        if self._is_over and self._events is None:
            raise StopAsyncIteration
        return await anext(await self._opened())

    async def aclose(self) -> None:
        """Close the connection, as `EventQueue.close`; what has not started never will."""
        self._is_over = True
        if self._events is not None:
            self._events.close()

    async def _opened(self) -> EventQueue:
        async with self._starting:
            if self._events is None:
                if self._is_over:
                    raise JobError("This stream was not started, and will not be: call it again.")
                self._is_over = True
                self._events = await self._start()
            return self._events


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
