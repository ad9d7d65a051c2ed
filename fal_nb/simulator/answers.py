"""Answers as fal gives them: JSON bodies, the gateway's headers, the error shapes and event streams."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fal_nb.protocol import headers as names
from fal_nb.simulator.connections import ConnectionGone, Connections

__all__ = [
    "Answer",
    "EventStream",
    "IngressPage",
    "bad_request",
    "infrastructure_failure",
    "json_response",
    "model_failure",
    "sse_data",
    "units_text",
]

_INGRESS_TITLES = {
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request comes to in the end, kept so that the result can be read again and again.

    Attributes
    ----------
    error
        What the status says about a failure; None for a success.
    error_type
        Set for failures of the infrastructure, not for those of the endpoint itself.
    """

    status_code: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    error_type: str | None = None

    def response(self, extra: Mapping[str, str] | None = None) -> Response:
        """Return it as an HTTP response."""
        return json_response(self.body, self.status_code, {**self.headers, **(extra or {})})


class EventStream(Response):
    """A ``text/event-stream`` that ends when its source does, or as soon as the reader has gone.

    Parameters
    ----------
    first
        An event already taken from the source.
    cut_after
        The connection is reset instead of going on after this many events; None for never.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        source: AsyncGenerator[bytes],
        connections: Connections,
        headers: Mapping[str, str] | None = None,
        *,
        first: bytes = b"",
        cut_after: int | None = None,
    ) -> None:
        super().__init__(headers={"cache-control": "no-store", **(headers or {})})
        del self.headers["content-length"]
        self._source = source
        self._connections = connections
        self._first = first
        self._left = math.inf if cut_after is None else cut_after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events; the source is closed in every case.

        Raises
        ------
        ConnectionGone
            Where the reader has gone.
        """
        del receive
        try:
            with self._connections.stream(scope):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                if self._first:
                    await self._send(scope, send, self._first)
                async for chunk in self._source:
                    await self._send(scope, send, chunk)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await self.discard()

    async def discard(self) -> None:
        """Close the source without sending it."""
        await self._source.aclose()

    async def _send(self, scope: Scope, send: Send, chunk: bytes) -> None:
        if self._left <= 0:
            await self._connections.reset(scope)
            raise ConnectionGone
        self._left -= 1
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


class IngressPage(Response):
    """What the load balancer in front of fal answers by itself: HTML, without any header of fal."""

    media_type = "text/html"

    def __init__(self, status_code: int) -> None:
        text = _INGRESS_TITLES.get(status_code, str(status_code))
        page = f"<html><head><title>{text}</title></head><body><h1>{text}</h1><hr>nginx</body></html>"
        super().__init__(page, status_code)


def json_response(body: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(data, status_code, dict(headers or {}), "application/json")


def sse_data(body: Any) -> bytes:
    """Return one event whose data is a JSON document on one line."""
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def units_text(units: float) -> str:
    """Return billable units as the gateway writes them: whole numbers plain, others with eight decimals.

    Source: fal 1.83.0 (Python package) ``fal/app.py``.
    """
    return str(int(units)) if float(units).is_integer() else f"{units:.8f}"


def infrastructure_failure(status_code: int, error_type: str, detail: str, **headers: str) -> Answer:
    """Return a failure of fal itself rather than of the endpoint. Source: fal docs "Request Error Types"."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        status_code,
        {"detail": detail, "error_type": error_type},
        {names.ERROR_TYPE: error_type, names.BILLABLE_UNITS: "0", **extra},
        error=detail,
        error_type=error_type,
    )


def model_failure(status_code: int, detail: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a failure of the endpoint: its own status and ``detail``. Source: fal docs "Model Errors"."""
    return Answer(
        status_code,
        {"detail": detail},
        {names.BILLABLE_UNITS: "0", **(headers or {})},
        error=f"Invalid status code: {status_code}",
    )


def bad_request(detail: str) -> Answer:
    """Return a 400 of the gateway, for example for a malformed header."""
    return infrastructure_failure(400, "bad_request", detail)
