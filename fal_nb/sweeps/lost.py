"""Cells whose call may have been sent when a kernel ended: looked for at fal until they had time to end."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from fal_nb.engine.reconcile import lost_call
from fal_nb.errors import FalError

if TYPE_CHECKING:
    from fal_nb.engine.session import Session

__all__ = ["look_for_lost"]

_LEAST_S = 3.0
_MOST_S = 120.0
_PAUSE_S = 0.5
_log = logging.getLogger("fal_nb")


async def look_for_lost(session: Session, name: str, endpoints: tuple[str, ...]) -> None:
    """Settle the lost cells of a sweep as far as fal knows them; on the loop.

    fal lists what has ended, so a call that was accepted just before the kernel was killed is not there at once: it is
    looked for until twice the time of the longest call so far has gone by since it was sent. What is not found by then
    stays unknown, and nothing is sent again.
    """
    while (until := await asyncio.to_thread(_look, session, name, endpoints)) is not None:
        if time.time() >= until:
            return
        await asyncio.sleep(_PAUSE_S)


def _look(session: Session, name: str, endpoints: tuple[str, ...]) -> float | None:
    """Reconcile and return until when to go on; None where nothing is lost, or nothing can be asked."""
    history = session.history
    if not _lost(session, name):
        return None
    try:
        for job in session.reconcile().jobs:
            job.wait(_MOST_S)
    except (FalError, TimeoutError) as error:
        _log.info("lost cells of the sweep %s cannot be looked for: %s", name, error)
        return None
    lost = _lost(session, name)
    if not lost:
        return None
    backend = session.settings.backend
    longest = max((max(history.past_durations(one, backend=backend), default=0.0) for one in endpoints), default=0.0)
    sent = max(lost_call(history.get(record_id), history).sent_from for record_id in lost)
    return sent + min(max(2 * longest, _LEAST_S), _MOST_S)


def _lost(session: Session, name: str) -> list[int]:
    return [cell.record_id for cell in session.history.sweeps.cells(name).values() if cell.state == "UNKNOWN"]
