"""One object per event loop, so that a client may be used from a second loop after the first has ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

__all__ = ["PerLoop"]

T = TypeVar("T")

_ELSEWHERE_S = 1.0


class PerLoop(Generic[T]):
    """Makes one T for each event loop that asks, and disposes of it when that loop ends.

    Parameters
    ----------
    make
        Called in the loop.
    dispose
        Awaited in the loop, by `aclose` or while the loop shuts its asynchronous generators down, as
        ``asyncio.run`` does; may be called twice. None where there is nothing to give back.
    """

    def __init__(self, make: Callable[[], T], dispose: Callable[[T], Awaitable[None]] | None = None) -> None:
        self._make = make
        self._dispose = dispose
        self._held: dict[asyncio.AbstractEventLoop, tuple[T, AsyncGenerator[None, None] | None]] = {}

    def get(self) -> T:
        """Return the running loop's own T."""
        loop = asyncio.get_running_loop()
        held = self._held.get(loop)
        if held is None:
            for ended in [other for other in list(self._held) if other.is_closed()]:
                self._abandon(ended)
            value = self._make()
            held = self._held[loop] = (value, None if self._dispose is None else _anchor(self._dispose, value))
        return held[0]

    async def aclose(self) -> None:
        """Dispose of what every loop holds; loops running in other threads do it on their own thread.

        A loop that is busy does it when it next comes round: its thread may be the one that waits for this.
        """
        here = asyncio.get_running_loop()
        for loop in list(self._held):
            if loop is not here and not loop.is_running():
                self._abandon(loop)
                continue
            value, _ = self._held.pop(loop)
            if self._dispose is None:
                continue
            if loop is here:
                await self._dispose(value)
            else:
                elsewhere = asyncio.run_coroutine_threadsafe(_await(self._dispose, value), loop)
                # `wait` and not `wait_for`, which would take the disposal back.
                ended, _ = await asyncio.wait({asyncio.wrap_future(elsewhere)}, timeout=_ELSEWHERE_S)
                for each in ended:
                    each.result()

    def _abandon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Drop what a loop that no longer runs holds, as far as that is possible without it."""
        held = self._held.pop(loop, None)
        if held is not None and self._dispose is not None:
            leftover = _await(self._dispose, held[0])
            try:
                leftover.send(None)
            except StopIteration:
                return
            finally:
                leftover.close()


def _anchor(dispose: Callable[[T], Awaitable[None]], value: T) -> AsyncGenerator[None, None]:
    """Return a started generator whose end, brought by its loop's shutdown, disposes of `value`.

    It holds no reference to its owner: an owner that is simply dropped sets it free, and its loop ends it.
    """

    async def until_the_loop_ends() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await dispose(value)

    generator = until_the_loop_ends()
    first = generator.__anext__()
    with contextlib.suppress(StopIteration):
        first.send(None)
    return generator


async def _await(dispose: Callable[[T], Awaitable[None]], value: T) -> None:
    await dispose(value)
