"""A call on its way to the ledger: everything that is known of it before it is sent, written down in one commit."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from fal_nb.client.options import DEFAULTS, CallOptions
from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.states import Kind, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fal_nb.ledger.store import HistoryStore
    from fal_nb.settings import Settings

__all__ = ["Intent", "Place", "write_record"]

Place: TypeAlias = tuple[str | None, str | None]
"""(notebook, cell) a call is made from."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A call before it is sent.

    Attributes
    ----------
    arguments
        JSON, with local files by name.
    request_id
        Known beforehand only where a request made elsewhere is followed.
    more
        Further columns of its record: estimate, reservation, memo key, tags and so on.
    """

    endpoint: str
    arguments: dict[str, Any]
    kind: Kind = "queue"
    options: CallOptions = DEFAULTS
    request_id: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


def write_record(history: HistoryStore, settings: Settings, intent: Intent, *, place: Place, owner: str) -> JobSnapshot:
    """Commit the record of a call and return the snapshot that stands for it; blocks.

    Raises
    ------
    HistoryError
        Where it cannot be written: the call must then not be sent.
    """
    from fal_nb.ledger.records import NewRecord  # noqa: PLC0415 - with the history, at first use

    created = time.time()
    state: State = "PREPARED" if intent.request_id is None else "QUEUED"
    record_id = history.add(
        NewRecord(
            endpoint=intent.endpoint,
            arguments=intent.arguments,
            backend=settings.backend,
            base_url=settings.hosts.base,
            kind=intent.kind,
            state=state,
            request_id=intent.request_id,
            created=created,
            notebook=place[0],
            cell=place[1],
            owner=owner,
            session=owner,
            **intent.more,
        )
    )
    return JobSnapshot(
        record_id=record_id,
        endpoint=intent.endpoint,
        backend=settings.backend,
        kind=intent.kind,
        state=state,
        arguments=intent.arguments,
        created=created,
        request_id=intent.request_id,
        estimate=intent.more.get("estimate_high"),
        currency=intent.more.get("currency"),
    )
