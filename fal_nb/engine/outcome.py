"""What became of a request that a lost call turned out to be, as columns for its record; nothing is written here.

The queue is asked first. What it does not know, because the call did not go through it or its result has expired, is
taken from the account's list, where payloads are stored.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, TypeAlias

from fal_nb.client.ended_requests import EndedRequest, EndedRequests
from fal_nb.engine.delivered import error_in
from fal_nb.errors import (
    AuthenticationError,
    FalClientHTTPError,
    FalError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    RequestCancelledError,
    error_from_response,
)
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.logs import LogMerger
from fal_nb.protocol.status import Completed

if TYPE_CHECKING:
    from fal_nb.client.async_client import AsyncClient
    from fal_nb.client.follow import AnyStatus
    from fal_nb.ledger.deliveries import KeptDelivery
    from fal_nb.ledger.records import Record

__all__ = ["Changes", "of_delivery", "outcome_of", "times"]

Changes: TypeAlias = dict[str, Any]
"""Columns of a record."""

_LOG_TAIL = 200
_LOG_LINE_CHARS = 1_000
_ABOUT_ASKING = (AuthenticationError, PermissionDeniedError, RateLimitedError)
"""Refusals of the question, which say nothing of the request."""


async def outcome_of(
    client: AsyncClient, record: Record, sent_from: float, request_id: str, listed: EndedRequest | None
) -> Changes | None:
    """Return what a record has to say once it is known which request it was; None where fal knows no such request.

    The state among it is a final one where the request failed, ``RUNNING`` with the result where its files are still
    to be fetched, ``QUEUED`` where it goes on and is to be followed.

    Parameters
    ----------
    sent_from
        When sending began, by this machine's clock; the moments of fal's clock are counted from there.
    listed
        The request as the list has it, if it has been read.

    Raises
    ------
    FalError
        Where fal could not be asked, or refused to answer.
    """
    usual: Changes = {"error": None, "error_type": None, "next_step": None, "ended": None, "submitted": sent_from}
    if record.kind == "queue":
        found = await _of_queue(client, EndpointId.parse(record.endpoint), request_id, listed)
        if found is not None:
            return usual | found | ({} if found["state"] == "QUEUED" else times(listed, sent_from))
    if listed is not None and listed.output is None:
        kept = await EndedRequests(client.http).find(listed.endpoint, request_id=request_id)
        listed = next(iter(kept.requests), listed)
    return None if listed is None else usual | _of_listed(listed, record) | times(listed, sent_from)


async def _of_queue(
    client: AsyncClient, endpoint: EndpointId, request_id: str, listed: EndedRequest | None
) -> Changes | None:
    """Return what the queue says of a request, or None where it does not know it, or no more."""
    changes: Changes = {}
    try:
        changes = _of_status(await client.queue.status(endpoint, request_id, with_logs=True))
        if "state" in changes:
            return changes
    except (FalClientHTTPError, ProtocolError) as error:
        # The result is the authority, whatever becomes of the status.
        if isinstance(error, _ABOUT_ASKING):
            raise
    try:
        answer = await client.queue.result_if_ready(endpoint, request_id)
    except FalClientHTTPError as error:
        if error.is_from_gateway:
            raise
        is_its_own = listed is not None and listed.status_code == error.status_code
        if isinstance(error, NotFoundError) and not is_its_own:
            return None
        if isinstance(error, _ABOUT_ASKING) and not is_its_own:
            raise
        return changes | _of_error(error)
    if answer is None:
        return {"state": "QUEUED"}
    return changes | {"state": "RUNNING", "result": answer.data, "billable_units": answer.billable_units}


def _of_status(status: AnyStatus) -> Changes:
    if not isinstance(status, Completed):
        return {"state": "QUEUED"}
    changes: Changes = {}
    merger = LogMerger()
    merger.add(status.logs)
    if merger.lines:
        tail = [str(entry["message"])[:_LOG_LINE_CHARS] for entry in merger.lines[-_LOG_TAIL:]]
        changes = {"logs": tail, "log_count": len(merger.lines)}
    inference = status.metrics.get("inference_time")
    if isinstance(inference, (int, float)) and not isinstance(inference, bool):
        changes["inference_s"] = float(inference)
    return changes


def of_delivery(delivery: KeptDelivery) -> Changes:
    """Return what a record has to say once it was delivered how its request ended."""
    usual: Changes = {"error": None, "error_type": None, "next_step": None, "ended": delivery.received}
    if delivery.is_ok:
        found: Changes = {"state": "RUNNING", "result": delivery.payload}
    else:
        found = _of_error(error_in(delivery))
    units = {} if delivery.billable_units is None else {"billable_units": delivery.billable_units}
    return usual | found | units


def _of_error(error: FalError) -> Changes:
    """Return what the record of a request says that came to an error."""
    state = "CANCELLED" if isinstance(error, RequestCancelledError) else "FAILED"
    changes: Changes = {"state": state, "error": str(error)}
    if isinstance(error, FalClientHTTPError):
        changes |= {"error_type": error.error_type, "billable_units": error.billable_units}
    return changes


def _of_listed(request: EndedRequest, record: Record) -> Changes:
    """Return what the list says of a request's end."""
    units: Changes = {} if request.billable_units is None else {"billable_units": request.billable_units}
    status = request.status_code
    if status is not None and status >= 400:
        body = json.dumps(request.output if request.output is not None else {"detail": "as fal's list says"})
        error = error_from_response(status, {}, body.encode(), request_id=request.request_id, endpoint=record.endpoint)
        return _of_error(error) | units
    if request.output is not None:
        return {"state": "RUNNING", "result": request.output} | units
    error_text = f"Request {request.request_id} ran at fal, and its output is kept there no more."
    return {"state": "FAILED", "error": error_text, "error_type": "result_gone"} | units


def times(request: EndedRequest | None, sent_from: float) -> Changes:
    """Return when it started and ended, fal's clock set to ours by the moment it was sent; now where nobody knows."""
    if request is None or request.sent_at is None or request.ended_at is None:
        return {"ended": time.time()}
    moments: Changes = {"ended": sent_from + max(request.ended_at - request.sent_at, 0.0)}
    if request.started_at is not None:
        queue_s = max(request.started_at - request.sent_at, 0.0)
        moments |= {"started": sent_from + queue_s, "queue_s": queue_s}
    return moments
