"""Taking back a call while it waits for its next try: then nothing of it is under way, and nothing was started."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["Withdrawal"]


class Withdrawal:
    """Belongs to one call; used on the loop's thread.

    Attributes
    ----------
    is_wanted
        Whether the caller has taken the call back.
    """

    def __init__(self) -> None:
        self.is_wanted = False
        self._resting: asyncio.Future[None] | None = None

    def ask(self) -> bool:
        """Let there be no further try, and return whether the call waits for one; a try under way goes on."""
        self.is_wanted = True
        if self._resting is None:
            return False
        self._resting.cancel()
        return True

    async def rest(self, pause: Callable[[float], Awaitable[None]], seconds: float) -> None:
        """Wait until the next try is due, or the call is taken back."""
        if self.is_wanted:
            return
        self._resting = asyncio.ensure_future(pause(seconds))
        try:
            await self._resting
        except asyncio.CancelledError:
            # Taken back, unless it is the whole task that is cancelled.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
        finally:
            self._resting.cancel()
            self._resting = None
