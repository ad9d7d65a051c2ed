"""The jobs a session remembers: those that go on, the last few that ended, and any that somebody still holds.

All others are forgotten with their results and thumbnails; the ledger brings them back when they are asked for.
"""

from __future__ import annotations

import weakref
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fal_nb.engine.job import Job

__all__ = ["JobTable"]

_RECENT = 32


class JobTable:
    """Jobs by record number, in the order they came. May be used from any thread."""

    def __init__(self) -> None:
        self._open: dict[int, Job] = {}
        self._recent: deque[Job] = deque(maxlen=_RECENT)
        self._known: weakref.WeakValueDictionary[int, Job] = weakref.WeakValueDictionary()

    def __setitem__(self, record_id: int, job: Job) -> None:
        self._known[record_id] = job
        self._open[record_id] = job
        job.call_at_end(self._settle)

    def __contains__(self, record_id: object) -> bool:
        return record_id in self._known

    def __len__(self) -> int:
        return len(self._known)

    def get(self, record_id: int) -> Job | None:
        """Return a job that is remembered, or None."""
        return self._known.get(record_id)

    def values(self) -> list[Job]:
        """Return every job that is remembered."""
        return [job for job in (reference() for reference in self._known.valuerefs()) if job is not None]

    def _settle(self, job: Job) -> None:
        self._recent.append(job)
        self._open.pop(job.record_id, None)
