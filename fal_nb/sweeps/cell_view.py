"""``CellView``: what there is to know of one cell now, from its job or from its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fal_nb.states import State
from fal_nb.sweeps.cells import Cell

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.engine.snapshot import JobSnapshot
    from fal_nb.ledger.records import Record

__all__ = ["CellView"]


@dataclass(frozen=True, slots=True)
class CellView:
    """What there is to know of one cell now.

    Attributes
    ----------
    state
        That of its call; ``PREPARED`` where it has none yet, ``SKIPPED`` where a budget or a lock keeps it from one.
    reason
        Why it failed or was not run; empty where all is well.
    cost
        In US dollars.
    is_from_memo
        Whether an earlier equal call answers for it.
    """

    cell: Cell
    state: State
    reason: str = ""
    record_id: int | None = None
    request_id: str | None = None
    cost: float | None = None
    total_s: float | None = None
    rating: int | None = None
    is_from_memo: bool = False
    artifacts: tuple[Artifact, ...] = ()
    result: Any = None
    progress: float | None = None
    estimate: float | None = None

    @classmethod
    def of_snapshot(cls, cell: Cell, snapshot: JobSnapshot, *, is_from_memo: bool) -> CellView:
        """Return a cell as its job tells."""
        ended = snapshot.ended
        return cls(
            cell,
            snapshot.state,
            snapshot.error or "",
            snapshot.record_id,
            snapshot.request_id,
            snapshot.cost,
            None if ended is None else ended - snapshot.created,
            None,
            is_from_memo,
            snapshot.artifacts,
            snapshot.result,
            snapshot.progress,
            snapshot.estimate,
        )

    @classmethod
    def of_record(cls, cell: Cell, record: Record, artifacts: tuple[Artifact, ...], *, is_from_memo: bool) -> CellView:
        """Return a cell as its record tells."""
        return cls(
            cell,
            record.state,
            record.error or "",
            record.id,
            record.request_id,
            record.cost,
            record.total_s,
            record.rating,
            is_from_memo,
            artifacts,
            record.result,
        )
