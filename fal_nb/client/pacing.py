"""How many status streams may be open and how often a client may poll, over all the requests it follows."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable

from fal_nb.client.loops import PerLoop

__all__ = ["MAX_POLLS_PER_S", "MAX_STREAMS", "Pace", "RateCap", "StreamSlots", "Ticket"]

MAX_STREAMS = 200
MAX_POLLS_PER_S = 25.0
_BURST = 5.0
_REFUSAL_S = 600.0


class RateCap:
    """A token bucket: at most so many a second, after a short burst."""

    def __init__(self, per_s: float = MAX_POLLS_PER_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_s = per_s
        self._clock = clock
        self._tokens = _BURST
        self._filled_at = clock()

    def take(self) -> float:
        """Take one token and return 0, or take nothing and return the seconds until there is one."""
        now = self._clock()
        self._tokens = min(_BURST, self._tokens + (now - self._filled_at) * self.per_s)
        self._filled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.per_s


class StreamSlots:
    """Hands out a limited number of slots, first come, first served; belongs to one event loop."""

    def __init__(self, limit: int = MAX_STREAMS) -> None:
        self._free = limit
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many tickets stand in line."""
        return len(self._waiting)

    def ticket(self) -> Ticket:
        """Return a place in line; close it when done."""
        return Ticket(self)

    def _join(self) -> asyncio.Future[None]:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._free > 0:
            self._free -= 1
            turn.set_result(None)
        else:
            self._waiting.append(turn)
        return turn

    def _leave(self, turn: asyncio.Future[None]) -> None:
        if not turn.done():
            turn.cancel()
            self._waiting.remove(turn)
            return
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._free += 1


class Ticket:
    """One follower's place in line for a slot: kept while it polls, so that nobody overtakes it."""

    def __init__(self, slots: StreamSlots) -> None:
        self._slots = slots
        self._turn: asyncio.Future[None] | None = None

    async def wait(self, timeout_s: float) -> bool:
        """Return True as soon as the slot is ours, or False when `timeout_s` seconds have passed without."""
        if self._turn is None:
            self._turn = self._slots._join()  # noqa: SLF001 - the two halves of one thing
        if not self._turn.done() and timeout_s > 0:
            await asyncio.wait({self._turn}, timeout=timeout_s)
        return self._turn.done()

    def close(self) -> None:
        """Give the slot, or the place in line, back; harmless where there is none."""
        if self._turn is not None:
            turn, self._turn = self._turn, None
            self._slots._leave(turn)  # noqa: SLF001 - the two halves of one thing


class Pace:
    """What all the followers of one client share.

    Attributes
    ----------
    cap
        Limits how often they poll, together.
    pollers
        How many of them poll at present.
    """

    def __init__(self, *, max_streams: int = MAX_STREAMS, cap: RateCap | None = None) -> None:
        self.cap = cap or RateCap()
        self.pollers = 0
        self._slots = PerLoop(lambda: StreamSlots(max_streams))
        self._refused_until = 0.0

    def ticket(self) -> Ticket:
        """Return a place in line for a status stream."""
        return self._slots.get().ticket()

    @property
    def are_streams_offered(self) -> bool:
        """Whether the server is thought to offer status streams; after a refusal it is asked again in 10 minutes."""
        return time.monotonic() >= self._refused_until

    def remember_refusal(self) -> None:
        """Take note that the server does not offer status streams."""
        self._refused_until = time.monotonic() + _REFUSAL_S

    @property
    def share_s(self) -> float:
        """Seconds between two polls of one follower at which all together keep to the cap, spread at random."""
        return self.pollers / self.cap.per_s * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, hides nothing
