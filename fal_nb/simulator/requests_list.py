"""The account's list of ended requests, as the platform shows it: what a client can settle a lost answer by.

Source: fal Platform API document, ``/models/requests/by-endpoint``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

__all__ = ["EndedRequest", "Outcome", "RequestsList"]

Outcome: TypeAlias = Literal["success", "error", "user_error"]

_MOST = 20_000


@dataclass(frozen=True, slots=True)
class EndedRequest:
    """One request that has ended.

    Attributes
    ----------
    sent_at, started_at, ended_at
        UTC, ISO 8601; it may have ended without having been started.
    has_payloads
        Whether its input and output were kept.
    """

    request_id: str
    endpoint: str
    sent_at: str
    started_at: str | None
    ended_at: str
    status_code: int
    has_payloads: bool
    json_input: Any = None
    json_output: Any = None

    @property
    def outcome(self) -> Outcome:
        """What the platform calls how it went."""
        if self.status_code < 400:
            return "success"
        return "user_error" if self.status_code < 500 else "error"

    @property
    def duration_s(self) -> float:
        """Seconds from its start to its end; 0 where it was never started."""
        if self.started_at is None:
            return 0.0
        return (datetime.fromisoformat(self.ended_at) - datetime.fromisoformat(self.started_at)).total_seconds()

    def item(self, *, with_payloads: bool) -> dict[str, Any]:
        """Return it as the platform writes it."""
        body: dict[str, Any] = {
            "request_id": self.request_id,
            "endpoint_id": self.endpoint,
            "started_at": self.started_at,
            "sent_at": self.sent_at,
            "ended_at": self.ended_at,
            "status_code": self.status_code,
            "duration": self.duration_s,
        }
        if with_payloads and self.has_payloads:
            body |= {"json_input": self.json_input, "json_output": self.json_output}
        return body


class RequestsList:
    """The newest 20,000 ended requests."""

    def __init__(self) -> None:
        self._ended: deque[EndedRequest] = deque(maxlen=_MOST)

    def add(self, request: EndedRequest) -> None:
        """Add a request that has just ended."""
        self._ended.append(request)

    def clear(self) -> None:
        """Forget all."""
        self._ended.clear()

    def find(
        self,
        endpoints: Iterable[str],
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        outcome: str | None = None,
        request_id: str | None = None,
    ) -> list[EndedRequest]:
        """Return those that match, oldest first; `end` itself is not among them."""
        wanted = set(endpoints)
        return [
            request
            for request in self._ended
            if request.endpoint in wanted
            and (request_id is None or request.request_id == request_id)
            and (outcome is None or request.outcome == outcome)
            and (start is None or datetime.fromisoformat(request.ended_at) >= start)
            and (end is None or datetime.fromisoformat(request.ended_at) < end)
        ]
