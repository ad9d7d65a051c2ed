"""Which jobs have stalled: nothing has moved in them for longer than such a call takes by the history."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fal_nb.errors import FalError

if TYPE_CHECKING:
    from fal_nb.engine.job import Job
    from fal_nb.engine.snapshot import JobSnapshot

__all__ = ["DEFAULT_S", "FEWEST_CALLS", "LEAST_S", "Stalled", "Stalls", "look_on", "shape_of", "usual_of"]

FEWEST_CALLS = 5
DEFAULT_S = 300.0
"""Patience with an endpoint that has fewer than `FEWEST_CALLS` past calls, in seconds."""
LEAST_S = 5.0
"""Nothing has stalled earlier, however fast its endpoint is: a connection may be slow for a moment."""
_KEPT_S = 300.0
_LOOK_S = 1.0
_MOST_SEEN = 20_000
_AT_FAL = frozenset({"QUEUED", "RUNNING"})


@dataclass(frozen=True, slots=True)
class Stalled:
    """Says that a job has stalled.

    Attributes
    ----------
    since
        When something last moved in it, Unix time in seconds.
    usual_s
        In how many seconds 95 of 100 such calls were over; None where there are too few to tell.
    """

    since: float
    usual_s: float | None


@dataclass(frozen=True, slots=True)
class _Seen:
    shape: Any
    since: float
    counted_from: float
    patience: float = 1.0


class Stalls:
    """Keeps what each open job looked like and since when; on the loop's thread alone.

    Parameters
    ----------
    past
        Returns the whole seconds that past calls of an endpoint at a backend took.
    """

    def __init__(self, past: Callable[[str, str], Awaitable[Sequence[float]]]) -> None:
        self._past = past
        self._seen: dict[int, _Seen] = {}
        self._usual: dict[tuple[str, str], tuple[float, float | None]] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[None]] = {}

    def look(self, record_id: int, called: tuple[str, str], shape: Any, *, since: float, now: float) -> Stalled | None:
        """Take in what an open job looks like now, and return whether it has stalled.

        Parameters
        ----------
        called
            Endpoint and backend.
        shape
            Whatever moves in a job that does.
        since
            Since when it looks like that, where it is new here or has moved; Unix time in seconds, as `now`.
        """
        seen = self._seen.get(record_id)
        if seen is None or seen.shape != shape:
            self._seen.pop(record_id, None)
            seen = self._seen[record_id] = _Seen(shape, since, since)
            while len(self._seen) > _MOST_SEEN:  # who moved longest ago has ended
                del self._seen[next(iter(self._seen))]
        if now - seen.counted_from < LEAST_S:
            return None
        asked_at, usual_s = self._usual.get(called, (-math.inf, None))
        if now - asked_at > _KEPT_S:
            self._ask(called, now)
        if asked_at == -math.inf:
            return None
        limit_s = max(LEAST_S, DEFAULT_S if usual_s is None else usual_s) * seen.patience
        return Stalled(seen.since, usual_s) if now - seen.counted_from > limit_s else None

    def keep_waiting(self, record_id: int, now: float) -> None:
        """Say nothing of a job until twice the time has passed once more."""
        seen = self._seen.get(record_id)
        if seen is not None:
            self._seen[record_id] = replace(seen, counted_from=now, patience=seen.patience * 2)

    def _ask(self, called: tuple[str, str], now: float) -> None:
        if called in self._asking:
            return

        async def ask() -> None:
            try:
                self._usual[called] = now, usual_of(await self._past(*called))
            except FalError:  # the history cannot be read just now: asked again
                pass
            finally:
                self._asking.pop(called, None)

        self._asking[called] = asyncio.ensure_future(ask())


def usual_of(durations: Sequence[float]) -> float | None:
    """Return the 95th percentile of durations; None where there are fewer than five."""
    if len(durations) < FEWEST_CALLS:
        return None
    return sorted(durations)[math.ceil(0.95 * len(durations)) - 1]


def shape_of(snapshot: JobSnapshot) -> tuple[Any, ...]:
    """Return what moves in a job: state, place in the queue, progress, lines, events, files."""
    return (
        snapshot.state,
        snapshot.queue_position,
        snapshot.progress,
        snapshot.steps,
        snapshot.log_count,
        snapshot.partial and snapshot.partial.count,
        snapshot.result is not None,
        snapshot.cancel,
    )


async def look_on(stalls: Stalls, jobs: Callable[[], Sequence[Job]]) -> None:
    """Say on the jobs of a session when one has stalled, until none is open; on the loop's thread.

    Only of those that fal has: what is uploaded, or held back by a limit, tells by itself why it waits. A realtime
    session waits for its caller.
    """
    while open_jobs := [job for job in jobs() if not job.snapshot.is_final]:
        now = time.time()
        for job in open_jobs:
            snapshot = job.snapshot
            called = snapshot.endpoint, snapshot.backend
            found = stalls.look(snapshot.record_id, called, shape_of(snapshot), since=now, now=now)
            if snapshot.state in _AT_FAL and snapshot.kind != "realtime" and found != snapshot.stalled:
                job.take(replace(snapshot, stalled=found))
        await asyncio.sleep(_LOOK_S)
