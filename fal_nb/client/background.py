"""What a client does behind its callers: started for all who wait for it, ended with the client.

Its invariant: nothing is left running or unlooked at, however many of those who wait for it are cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fal_nb.errors import FalError

__all__ = ["Background"]

_T = TypeVar("_T")


class Background:
    """The work of one client that outlives whoever asked for it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[None, None, _T]) -> asyncio.Task[_T]:
        """Start something that outlives its caller; `aclose` ends what is left of it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    async def outcome(self, task: asyncio.Task[_T]) -> _T:
        """Return what was started comes to; whoever is cancelled meanwhile leaves it to the others who wait.

        Raises
        ------
        FalError
            Where the client was closed before; else whatever the work raises.
        """
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if task.cancelled() and waiting is not None and not waiting.cancelling():
                raise FalError("This client was closed before its answer came.") from None
            raise

    async def aclose(self) -> None:
        """End what is left of what was started on this loop."""
        here = asyncio.get_running_loop()
        mine = [task for task in self._tasks if task.get_loop() is here]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # looked at: those who waited have it, or nobody is left to be told
