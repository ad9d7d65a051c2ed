"""The ledger as the loop sees it: one worker thread does the SQLite work, so that a locked file stalls no job."""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from fal_nb.engine.owed import Owed
from fal_nb.errors import HistoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from fal_nb.artifacts import Artifact
    from fal_nb.ledger.deliveries import KeptDelivery
    from fal_nb.ledger.known_files import KnownFile
    from fal_nb.ledger.records import Record
    from fal_nb.ledger.store import HistoryStore

__all__ = ["Recorder"]

T = TypeVar("T")
_KEPT_S = 5.0


class Recorder:
    """Async face of the history store; each call is one commit, in the order of the calls.

    Attributes
    ----------
    owed
        Writes what must not be lost where it cannot be written at once.

    Parameters
    ----------
    owner
        The session that writes; it changes only the records it follows.
    """

    def __init__(self, store: HistoryStore, owner: str) -> None:
        self.store = store
        self.owner = owner
        self._durations: dict[tuple[str, str], tuple[float, list[float]]] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="fal-nb-ledger")
        self.owed = Owed(store, owner, self._do)

    async def update(self, record_id: int, **fields: Any) -> None:
        """Write some columns of a record and return when they are on disk.

        Raises
        ------
        LeaseLost
            Where another session follows it by now; nothing was written.
        """
        await self._do(lambda: self.store.update_many([(record_id, fields)], held_by=self.owner))

    async def tell(self, record_id: int, note: str) -> None:
        """Add a line to a record's story, whoever follows it."""
        await self._do(lambda: self.store.tell(record_id, note))

    async def found(self, record_id: int, request_id: str, changes: Mapping[str, Any]) -> bool:
        """Give a call that another session gave up for lost the answer that came all the same, as this session's.

        Returns
        -------
        bool
            False where the call is not ``UNKNOWN``; the request's id is then in its story.
        """
        fields = {"state": "RUNNING", "ended": None, "error": None, "error_type": None, **changes, "owner": self.owner}

        def write() -> bool:
            if self.store.settling.settle(record_id, request_id, fields, "Its answer came after all."):
                return True
            self.store.tell(record_id, f"fal accepted it as request {request_id}.")
            return False

        return await self._do(write)

    async def get(self, record_id: int) -> Record:
        """Return a record."""
        return await self._do(lambda: self.store.get(record_id))

    async def delivered(self, record_ids: Iterable[int]) -> dict[int, KeptDelivery]:
        """Return record → what a webhook delivered of its request, for those open records that have not taken it in."""
        return await self._do(lambda: self.store.deliveries.of_records(record_ids))

    async def artifacts(self, record_id: int) -> tuple[Artifact, ...]:
        """Return a record's artifacts."""
        return await self._do(lambda: self.store.artifacts(record_id))

    async def renew_lease(self) -> bool:
        """Give a sign of life; return whether the last one had not run out yet."""
        return await self._do(lambda: self.store.leases.renew(self.owner, time.time()))

    async def claim(self, record_id: int) -> bool:
        """Take over a job whose kernel is gone; return whether it is this session's now."""
        return bool(await self._do(lambda: self.store.leases.claim([record_id], self.owner, time.time())))

    async def lost(self, record_ids: list[int]) -> set[int]:
        """Return those of the records that another session follows by now."""
        return await self._do(lambda: self.store.leases.lost(record_ids, self.owner))

    async def past_durations(self, endpoint: str, backend: str) -> list[float]:
        """Return the processing seconds of the endpoint's last successes at a backend, newest first."""
        called = endpoint, backend
        at, known = self._durations.get(called, (-_KEPT_S, []))
        if time.monotonic() - at > _KEPT_S:
            # Asked for when a call starts: of hundreds at once each would read the same.
            known = await self._do(lambda: self.store.past_durations(endpoint, backend=backend))
            self._durations[called] = time.monotonic(), known
        return known

    async def past_totals(self, endpoint: str, backend: str) -> list[float]:
        """Return the whole seconds that the endpoint's last successes took, newest first."""
        return await self._do(lambda: self.store.past_totals(endpoint, backend=backend))

    async def note_upload(self, file: KnownFile) -> None:
        """Write down that a file was uploaded."""
        await self._do(lambda: self.store.note_upload(file))

    async def note_inputs(self, record_id: int, digests: Mapping[str, str], *, is_as_keyed: bool) -> None:
        """Write the digests of a record's uploaded inputs."""
        await self._do(lambda: self.store.note_inputs(record_id, digests, is_as_keyed=is_as_keyed))

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
        """Wait for what is queued, try once more what is owed, say goodbye, then close the file; the loop has ended."""
        self._worker.shutdown(wait=True)
        self.owed.pay_at_last()
        with contextlib.suppress(HistoryError):  # the lease runs out by itself
            self.store.leases.release(self.owner)
        self.store.close()

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)
