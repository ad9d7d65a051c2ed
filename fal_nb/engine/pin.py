"""Pins one frame of a realtime session into the history: its arguments, its result, its picture.

The record stands for the same call over the queue, so that rating, copying and replaying it work as for any other. It
costs nothing itself: the session it came from is billed, and has a record of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fal_nb.engine.inputs import LocalFile, describe_inputs, upload_inputs
from fal_nb.engine.uploads import note_inputs
from fal_nb.protocol.endpoint import EndpointId

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.engine.job import Job
    from fal_nb.engine.session import Session
    from fal_nb.engine.wire import ClientWire
    from fal_nb.protocol.status import JSON

__all__ = ["PINNED", "pin"]

PINNED = "pinned"
"""Tag of such a record."""


async def pin(
    session: Session,
    wire: ClientWire,
    endpoint: str,
    inputs: Mapping[str, Any],
    result: JSON,
    *,
    session_record: int | None = None,
    frame: int = 0,
) -> Job:
    """Write a frame into the history and return its job, which has ended; on the loop's thread.

    Parameters
    ----------
    inputs
        Its arguments; local files in them, the drawing above all, are uploaded, so that the call can be made again.
    session_record
        Of the session it came from, which has the cost.

    Raises
    ------
    FalError
        Where it cannot be written, or an input cannot be uploaded.
    """
    uploaded: dict[str, LocalFile] = {}
    arguments = await upload_inputs(dict(inputs), wire.upload, uploaded)
    artifacts = await wire.collect(result)
    number = await asyncio.to_thread(
        _write, session, str(EndpointId.parse(endpoint)), arguments, result, artifacts, _note(session_record, frame)
    )
    await note_inputs(session.recorder, number, uploaded)
    return await asyncio.to_thread(session.job, number)


def _note(session_record: int | None, frame: int) -> str:
    of = "a realtime session" if session_record is None else f"the realtime session #{session_record}"
    return f"Frame {frame} of {of}, which has the cost."


def _write(
    session: Session,
    endpoint: str,
    arguments: JSON,
    result: JSON,
    artifacts: tuple[Artifact, ...],
    note: str,
) -> int:
    """Commit the record as ended at once, so that nobody ever takes it for a call that is still to be sent."""
    from fal_nb.ledger.records import NewRecord  # noqa: PLC0415 - with the history, at first use

    settings, place, now = session.settings, session.place(), time.time()
    history = session.history
    number = history.add(
        NewRecord(
            endpoint=endpoint,
            arguments=describe_inputs(arguments),
            backend=settings.backend,
            base_url=settings.hosts.base,
            state="SUCCEEDED",
            created=now,
            notebook=place[0],
            cell=place[1],
            owner=session.owner,
            session=session.owner,
            tags=(PINNED,),
            note=note,
        )
    )
    history.update(number, result=result, ended=now, cost=0.0)
    history.set_artifacts(number, artifacts)
    return number
