"""Taking back a call while it waits for its turn or its next try: nothing of it is under way, nothing was started."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fal_nb.client.gate import Passage

__all__ = ["Withdrawal"]


class Withdrawal:
    """Belongs to one call; used on the loop's thread.

    Parameters
    ----------
    on_wait
        Called with the seconds for which the gate keeps the call, each time they change, and with 0 when it lets it
        through.

    Attributes
    ----------
    is_wanted
        Whether the caller has taken the call back.
    wake
        Ends the wait at the gate, while there is one; set by the gate.
    held
        The passage through the gate that the next try has, if its turn came already; set by the gate.
    """

    def __init__(self, on_wait: Callable[[float], None] | None = None) -> None:
        self.on_wait = on_wait
        self.is_wanted = False
        self.wake: Callable[[], None] | None = None
        self.held: Passage | None = None
        self._resting: asyncio.Future[None] | None = None

    @property
    def is_at_rest(self) -> bool:
        """Whether the call waits for its turn or its next try, so that nothing of it is under way."""
        return self._resting is not None or self.wake is not None or self.held is not None

    def ask(self) -> bool:
        """Let there be no further try, and return whether the call waits for one; a try under way goes on."""
        self.is_wanted = True
        is_at_rest = self.is_at_rest
        if self._resting is not None:
            self._resting.cancel()
        if self.wake is not None:
            self.wake()
        return is_at_rest

    def give_back(self) -> None:
        """Let others have the passage that was taken and not used."""
        held, self.held = self.held, None
        if held is not None:
            held.gone()

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
