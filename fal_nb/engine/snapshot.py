"""``JobSnapshot``: everything a view, the history or a user may know of a job at one moment. Frozen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fal_nb.artifacts import Artifact
from fal_nb.states import FINAL_STATES, Kind, State

if TYPE_CHECKING:
    from fal_nb.engine.memo import EqualCall
    from fal_nb.engine.partial import Partial
    from fal_nb.engine.stalls import Stalled
    from fal_nb.ledger.records import Record

__all__ = ["JobSnapshot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSnapshot:
    """One moment of a job.

    Attributes
    ----------
    record_id
        Number of its record in the history, shown as ``#12``.
    backend
        ``fal``, ``server``, ``proxy`` or ``simulator``.
    kind
        ``queue``, ``direct`` (one synchronous call), ``stream`` or ``realtime``.
    queue_position
        Requests ahead, 0-based; None unless queued.
    progress
        Share done, 0 to 1, as the step bars in the logs show it; None where there are none.
    expected_s
        Seconds of processing that this endpoint's own past calls took (median), or None.
    steps
        (done, in all), where the logs show step bars.
    logs
        The last lines, oldest first; `log_count` says how many there were in all.
    created, submitted, started, ended
        Unix time in seconds, UTC.
    queue_s, inference_s
        Seconds waited and seconds of processing as the endpoint reports it.
    cost, estimate, reserved, unit_price
        In `currency`; None where not known. The estimate is what it should cost at most; `reserved` is what a budget
        holds for it; the unit is what `billable_units` counts.
    error, error_type, next_step
        What went wrong, in one line; fal's word for it; what the person can do about it.
    cancel
        None, ``asked``, or fal's answer (``OK``, ``CANCELLATION_REQUESTED``, ``ALREADY_COMPLETED``, ``NOT_FOUND``).
    result
        The decoded result; None until there is one.
    partial
        What a stream has shown so far, where somebody watches it; None for all else, and once there is a result.
    equal
        An earlier successful call that asked for the same, as it was when this one was made.
    stalled
        Set while nothing has moved in it for longer than such calls take.
    unreached_since
        Set while fal cannot be asked about it, all tries of a request in vain; Unix time in seconds.
    """

    record_id: int
    endpoint: str
    backend: str
    kind: Kind
    state: State
    arguments: dict[str, Any]
    created: float
    request_id: str | None = None
    queue_position: int | None = None
    progress: float | None = None
    expected_s: float | None = None
    steps: tuple[int, int] | None = None
    logs: tuple[str, ...] = ()
    log_count: int = 0
    submitted: float | None = None
    started: float | None = None
    ended: float | None = None
    queue_s: float | None = None
    inference_s: float | None = None
    cost: float | None = None
    estimate: float | None = None
    reserved: float | None = None
    unit_price: float | None = None
    currency: str | None = None
    billable_units: float | None = None
    error: str | None = None
    error_type: str | None = None
    next_step: str | None = None
    cancel: str | None = None
    result: Any = None
    partial: Partial | None = None
    artifacts: tuple[Artifact, ...] = ()
    equal: EqualCall | None = None
    stalled: Stalled | None = None
    unreached_since: float | None = None

    @property
    def is_final(self) -> bool:
        """Whether the job has ended; its state will not change by itself any more."""
        return self.state in FINAL_STATES

    def noting(self, next_step: str, **changes: Any) -> JobSnapshot:
        """Return the same moment with a word about what the person can do or should know."""
        return replace(self, next_step=next_step, **changes)

    @classmethod
    def of_record(cls, record: Record, artifacts: Iterable[Artifact] = ()) -> JobSnapshot:
        """Return the snapshot that a record of the history stands for."""
        return cls(
            record_id=record.id,
            endpoint=record.endpoint,
            backend=record.backend,
            kind=record.kind,
            state=record.state,
            arguments=record.arguments,
            created=record.created,
            request_id=record.request_id,
            submitted=record.submitted,
            started=record.started,
            ended=record.ended,
            queue_s=record.queue_s,
            inference_s=record.inference_s,
            cost=record.cost,
            estimate=record.estimate_high,
            reserved=record.reserved,
            unit_price=record.unit_price,
            currency=record.currency,
            billable_units=record.billable_units,
            error=record.error,
            error_type=record.error_type,
            next_step=record.next_step,
            cancel=record.cancel,
            logs=tuple(record.logs or ()),
            log_count=record.log_count,
            result=record.result,
            artifacts=tuple(artifacts),
        )
