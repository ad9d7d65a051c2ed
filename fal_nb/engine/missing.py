"""Files of a result that could be had but not be kept, because of the disk here: fetched again, for a while.

The result with its URLs is in the record already, so that nothing depends on this but the files themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from fal_nb.artifacts.collect import not_stored
from fal_nb.errors import FalError

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.engine.job import Job
    from fal_nb.engine.owed import Owed
    from fal_nb.protocol.status import JSON

__all__ = ["Collector", "advice", "fetch_missing"]

_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 300.0
_ATTEMPTS = 12


class Collector(Protocol):
    """What fetches the files of a result."""

    async def collect(self, result: JSON, known: Sequence[Artifact] = ()) -> tuple[Artifact, ...]:
        """Fetch and store every file of a result, except what is stored of `known`."""


def advice(artifacts: Sequence[Artifact]) -> str | None:
    """Return what a person can do about files that could not be kept, or None where all were."""
    missing = not_stored(artifacts)
    if not missing:
        return None
    count = f"{len(missing)} of {len(artifacts)} files" if len(artifacts) > 1 else "Its file"
    return f"{count} could not be stored here. Free some space or allow writing: it is fetched again by itself."


def fetch_missing(job: Job, get_wire: Callable[[], Awaitable[Collector]], owed: Owed) -> None:
    """Begin to fetch what a job that has succeeded is missing, if anything; on the loop's thread."""
    if job.state == "SUCCEEDED" and not_stored(job.snapshot.artifacts):
        # No reference is kept: whatever it waits for holds it.
        asyncio.ensure_future(_keep_fetching(job, get_wire, owed))  # noqa: RUF006


async def _keep_fetching(job: Job, get_wire: Callable[[], Awaitable[Collector]], owed: Owed) -> None:
    """Fetch until all is there, about forty minutes long, slower and slower."""
    wait_s = _FIRST_WAIT_S
    for _ in range(_ATTEMPTS):
        _say(job, advice(job.snapshot.artifacts))
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
        with contextlib.suppress(FalError):  # no connection: the next attempt may have one
            artifacts = await (await get_wire()).collect(job.snapshot.result, job.snapshot.artifacts)
            if artifacts != job.snapshot.artifacts:
                await owed.write(job.record_id, {}, artifacts, is_held=False)
                _say(job, None)
                job.amend(artifacts=artifacts)
        if not not_stored(job.snapshot.artifacts):
            return
    _say(job, f"Files are still missing: `%fal result {job.record_id}` fetches them again.")


def _say(job: Job, line: str | None) -> None:
    """Show a next step, unless another one stands there."""
    said = job.snapshot.next_step
    if said is None or said == advice(job.snapshot.artifacts):
        job.amend(next_step=line)
