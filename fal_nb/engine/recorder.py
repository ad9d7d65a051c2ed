"""The ledger as the loop sees it: one worker thread does the SQLite work, so that a locked file stalls no job."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from fal_nb.artifacts import Artifact
    from fal_nb.ledger.store import HistoryStore

__all__ = ["Recorder"]

T = TypeVar("T")


class Recorder:
    """Async face of the history store; each call is one commit, in the order of the calls."""

    def __init__(self, store: HistoryStore) -> None:
        self.store = store
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="fal-nb-ledger")

    async def update(self, record_id: int, **fields: Any) -> None:
        """Write some columns of a record and return when they are on disk."""
        await self._do(lambda: self.store.update(record_id, **fields))

    async def set_artifacts(self, record_id: int, artifacts: tuple[Artifact, ...]) -> None:
        """Write a record's artifacts."""
        await self._do(lambda: self.store.set_artifacts(record_id, list(artifacts)))

    async def past_durations(self, endpoint: str, backend: str) -> list[float]:
        """Return the processing seconds of the endpoint's last successes at a backend, newest first."""
        return await self._do(lambda: self.store.past_durations(endpoint, backend=backend))

    def close_jobs_of_gone_simulators(self, base: str, known: Container[int]) -> None:
        """Close what a simulator that has ended can never answer any more, so that it is not announced as open.

        Blocks.

        Parameters
        ----------
        base
            Of the simulator that serves now.
        known
            Record numbers that somebody looks after.

        Raises
        ------
        HistoryError
            Where the history cannot be read or written.
        """
        for record in self.store.open_records():
            if record.backend == "simulator" and record.base_url != base and record.id not in known:
                self.store.update(record.id, state="FAILED", error="The simulator is gone.", ended=time.time())

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Queue work on the ledger's thread; for callers outside the loop."""
        return self._worker.submit(work)

    def close(self) -> None:
        """Wait for what is queued, then close the file."""
        self._worker.shutdown(wait=True)
        self.store.close()

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)
