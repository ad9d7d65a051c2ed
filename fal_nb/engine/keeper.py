"""``LeaseKeeper``: signs of life while jobs are open, so that no other kernel takes them over while this one lives."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from fal_nb.errors import FalError

if TYPE_CHECKING:
    from fal_nb.engine.recorder import Recorder

__all__ = ["LeaseKeeper"]

_log = logging.getLogger("fal_nb")


class LeaseKeeper:
    """Renews the session's lease on the loop, and after a long sleep finds out which jobs were taken over.

    Parameters
    ----------
    open_ids
        Record numbers of the jobs that are followed now.
    on_lost
        Called on the loop with the number of a job that another session follows by now.
    period_s
        Seconds between two signs of life.
    look
        Awaited after each, with the numbers of those jobs.
    """

    def __init__(
        self,
        recorder: Recorder,
        open_ids: Callable[[], Iterable[int]],
        on_lost: Callable[[int], None],
        *,
        period_s: float,
        look: Callable[[list[int]], Awaitable[None]] | None = None,
    ) -> None:
        self._recorder = recorder
        self._open_ids = open_ids
        self._on_lost = on_lost
        self._period_s = period_s
        self._look = look
        self._signed_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def sign(self) -> None:
        """Make sure that the lease holds for what is written next; blocks for one commit where it is due.

        Raises
        ------
        HistoryError
            Where it cannot be written.
        """
        if time.time() - self._signed_at >= self._period_s:
            self._recorder.store.leases.renew(self._recorder.owner, time.time())
            self._signed_at = time.time()

    def start(self) -> None:
        """Begin, on the loop's thread; it ends by itself when no job is open."""
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._keep())

    def stop(self) -> None:
        """End at once."""
        if self._task is not None:
            self._task.cancel()

    async def _keep(self) -> None:
        while open_ids := list(self._open_ids()):
            try:
                was_alive = await self._recorder.renew_lease()
                self._signed_at = time.time()
                if not was_alive:
                    for record_id in await self._recorder.lost(open_ids):
                        self._on_lost(record_id)
                if self._look is not None:
                    await self._look(open_ids)
            except FalError as error:
                _log.warning("the sign of life of this session could not be written: %s", error)
            await asyncio.sleep(self._period_s)
