"""What is open in a history at one moment: how many calls in each state, the first of them and who follows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fal_nb.ledger.leases import Holder
from fal_nb.states import OPEN_STATES, State

if TYPE_CHECKING:
    from fal_nb.ledger.database import Database

__all__ = ["OpenRecord", "open_now"]

_MARKS = ", ".join("?" * len(OPEN_STATES))
_COUNTS = f"SELECT state, count(*) FROM records WHERE state IN ({_MARKS}) GROUP BY state"  # noqa: S608 - marks only
# What runs first, then what waits; the oldest first.
_ROWS = (
    "SELECT r.id, r.endpoint, r.backend, r.base_url, r.state, r.kind, r.owner, r.created, r.submitted, r.started, "  # noqa: S608
    "r.updated, r.estimate_high, r.currency, r.cancel, s.machine, s.pid, s.lease_until "
    f"FROM records r LEFT JOIN sessions s ON s.owner = r.owner WHERE r.state IN ({_MARKS}) "
    "ORDER BY CASE r.state WHEN 'RUNNING' THEN 0 WHEN 'QUEUED' THEN 1 WHEN 'SUBMITTING' THEN 2 ELSE 3 END, r.id LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """An open call, without its arguments; times are Unix seconds.

    Attributes
    ----------
    owner
        The session that follows it, None where nobody does any more.
    """

    id: int
    endpoint: str
    backend: str
    base_url: str | None
    state: State
    kind: str
    owner: str | None
    created: float
    submitted: float | None
    started: float | None
    updated: float
    estimate: float | None
    currency: str | None
    cancel: str | None


def open_now(database: Database, limit: int, now: float) -> tuple[dict[State, int], tuple[OpenRecord, ...]]:
    """Return how many calls are in each open state, and the first `limit` of them; blocks.

    Raises
    ------
    HistoryError
        Where the file cannot be read.
    """
    with database.reading() as connection:
        counts = dict(connection.execute(_COUNTS, OPEN_STATES).fetchall())
        rows = connection.execute(_ROWS, (*OPEN_STATES, limit)).fetchall()
    return counts, tuple(_read(row, now) for row in rows)


def _read(row: tuple[object, ...], now: float) -> OpenRecord:
    *columns, machine, pid, lease_until = row
    record = OpenRecord(*columns)  # type: ignore[arg-type]
    holder = Holder(record.owner, machine, pid, lease_until)  # type: ignore[arg-type]
    return replace(record, owner=None) if holder.is_gone(now) else record
