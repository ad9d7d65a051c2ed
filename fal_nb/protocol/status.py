"""What the wire says about a request: ``Queued``, ``InProgress``, ``Completed``. Wire words stay in here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fal_nb.errors import ProtocolError

__all__ = [
    "CANCEL_ANSWERS",
    "JSON",
    "Completed",
    "InProgress",
    "Queued",
    "Status",
    "parse_status",
    "status_body",
]

JSON: TypeAlias = Any
"""Users' and servers' JSON, whose shape is theirs."""

_MOST_AHEAD = 10**9
_LINE_CHARS = 100_000

CANCEL_ANSWERS = ("OK", "CANCELLATION_REQUESTED", "ALREADY_COMPLETED", "NOT_FOUND")
"""What a cancel PUT can answer. Source: fal docs "Cancel", "Asynchronous Inference"."""


@dataclass(frozen=True, slots=True)
class Status:
    """Common parent, so that ``isinstance(status, Status)`` reads as in the official client."""


@dataclass(frozen=True, slots=True)
class Queued(Status):
    """Waiting for a runner.

    Attributes
    ----------
    position
        Requests ahead in this endpoint's queue, 0-based, all callers counted.
    """

    position: int


@dataclass(frozen=True, slots=True)
class InProgress(Status):
    """A runner works on it; it may still fall back to `Queued` if the runner fails.

    Attributes
    ----------
    logs
        Entries ``{"message", "timestamp", …}``, or None where not asked for.
    """

    logs: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Completed(Status):
    """It has ended, well or not: the result request is the authority.

    Attributes
    ----------
    metrics
        ``inference_time`` in seconds, where the endpoint reports it.
    error, error_type
        Set where fal already knows that it failed.
    """

    logs: list[dict[str, Any]] | None
    metrics: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    error_type: str | None = None


def parse_status(body: JSON) -> Queued | InProgress | Completed:
    """Return the status in a decoded status body; missing optional keys are taken as empty.

    Raises
    ------
    ProtocolError
        Where the body is no object or its ``status`` is none of the three words.

    Source: fal docs "Inference API", fal-client 1.0.3 ``_parse_status``.
    """
    word = body.get("status") if isinstance(body, Mapping) else None
    if word == "IN_QUEUE":
        position = body.get("queue_position")
        return Queued(position if isinstance(position, int) and 0 <= position < _MOST_AHEAD else 0)
    if word == "IN_PROGRESS":
        return InProgress(_logs(body))
    if word == "COMPLETED":
        metrics = body.get("metrics")
        error = body.get("error")
        kind = body.get("error_type")
        return Completed(
            _logs(body),
            _metrics(metrics),
            error if error is None or isinstance(error, str) else str(error),
            kind if isinstance(kind, str) else None,
        )
    raise ProtocolError(f"The server sent a status this protocol does not have: {str(word)[:60]!r}.")


def status_body(status: Queued | InProgress | Completed, request_id: str, urls: Mapping[str, str]) -> dict[str, Any]:
    """Return the wire body of a status, with every key official clients insist on.

    Parameters
    ----------
    urls
        ``response_url``, ``status_url`` and ``cancel_url``.
    """
    body: dict[str, Any] = {"request_id": request_id, **urls}
    match status:
        case Queued(position):
            body |= {"status": "IN_QUEUE", "queue_position": position}
        case InProgress(logs):
            body |= {"status": "IN_PROGRESS", "logs": logs}
        case Completed(logs, metrics, error, error_type):
            body |= {"status": "COMPLETED", "logs": logs, "metrics": metrics}
            if error is not None:
                body |= {"error": error, "error_type": error_type}
    return body


def _metrics(metrics: JSON) -> dict[str, Any]:
    """Return what was measured, without what is no number but calls itself one."""
    if not isinstance(metrics, Mapping):
        return {}
    return {name: value for name, value in metrics.items() if not isinstance(value, float) or math.isfinite(value)}


def _logs(body: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    logs = body.get("logs")
    if not isinstance(logs, list):
        return None
    entries = (entry for entry in logs if isinstance(entry, Mapping) and isinstance(entry.get("message"), str))
    return [{**entry, "message": entry["message"][:_LINE_CHARS]} for entry in entries]
