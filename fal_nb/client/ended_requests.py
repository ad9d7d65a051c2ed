"""The account's list of ended requests: what a lost answer can be settled by.

Bounded however the server answers: in pages, in requests, and in what one of them may be. Source: fal Platform API
document, ``/models/requests/by-endpoint``; the other names of its parts are those that clients have met.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from fal_nb.client.http import Http
from fal_nb.client.options import call_headers
from fal_nb.client.verdicts import Call, unreadable_error
from fal_nb.errors import AccountLockedError, FalClientHTTPError, NotFoundError, ProtocolError
from fal_nb.protocol.status import JSON
from fal_nb.protocol.values import moment_in, number_in

__all__ = ["EndedRequest", "EndedRequests", "Listing"]

_A_PAGE = 50
_MOST_PAGES = 100
_MOST_BYTES = 512 * 1024 * 1024
_REFUSED_PAYLOADS = frozenset({400, 403, 422})
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~-]{0,127}")
_LISTS = ("items", "requests", "results", "data")
_CURSORS = ("next_cursor", "nextCursor")
_MOST_CURSOR_CHARS = 4_096
_MILLISECONDS = 1e11
"""A number of seconds above this lies beyond the year 5000: it counts milliseconds."""


@dataclass(frozen=True, slots=True)
class EndedRequest:
    """One request that has ended, as far as the list tells.

    Attributes
    ----------
    sent_at, started_at, ended_at
        Unix time in seconds, UTC, by fal's clock; None where the list has no such moment.
    arguments
        What was sent; None where payloads are not stored.
    output
        What came back; None where payloads are not stored.
    duration_s
        Seconds of work.
    """

    request_id: str
    endpoint: str
    sent_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    status_code: int | None = None
    duration_s: float | None = None
    billable_units: float | None = None
    arguments: JSON = None
    output: JSON = None

    @property
    def moment(self) -> float | None:
        """The earliest moment the list has of it."""
        return next((at for at in (self.sent_at, self.started_at, self.ended_at) if at is not None), None)


@dataclass(frozen=True, slots=True)
class Listing:
    """Ended requests of one endpoint.

    Attributes
    ----------
    complete
        Whether it was read to its end.
    """

    requests: tuple[EndedRequest, ...]
    complete: bool = True


class EndedRequests:
    """Reads the list, one endpoint at a time: one unknown endpoint fails a question about several."""

    def __init__(self, http: Http, *, timeout_s: float = 30.0, most_pages: int = _MOST_PAGES) -> None:
        self._http = http
        self._timeout_s = timeout_s
        self._most_pages = most_pages

    async def find(
        self, endpoint: str, *, start: float | None = None, end: float | None = None, request_id: str | None = None
    ) -> Listing:
        """Return an endpoint's requests that ended in a stretch of time, each once; none of an unknown endpoint.

        With what was sent where fal gives payloads, and with what came back where one id is asked for: thousands of
        outputs would fill the memory. At most 5,000 requests or 512 MiB are read.

        Parameters
        ----------
        start, end
            Unix time in seconds; `end` is exclusive. Without them fal looks back 24 hours, for one id 90 days.
        request_id
            Only this one.

        Raises
        ------
        FalError
            Where the list cannot be had.
        """
        query = [("endpoint_id", endpoint), ("limit", str(_A_PAGE))]
        query += [(name, _iso(at)) for name, at in (("start", start), ("end", end)) if at is not None]
        if request_id is not None:
            query.append(("request_id", request_id))
        try:
            try:
                found = await self._pages(
                    endpoint, [*query, ("expand", "payloads")], with_output=request_id is not None
                )
            except AccountLockedError:
                raise
            except FalClientHTTPError as error:
                if error.status_code not in _REFUSED_PAYLOADS:
                    raise
                found = await self._pages(endpoint, query, with_output=False)
        except NotFoundError:
            return Listing(())
        if request_id is None:
            return found
        return replace(found, requests=tuple(item for item in found.requests if item.request_id == request_id))

    async def _pages(self, endpoint: str, query: list[tuple[str, str]], *, with_output: bool) -> Listing:
        found: dict[str, EndedRequest] = {}
        cursor: str | None = None
        followed: set[str] = set()
        size_bytes = 0
        for _ in range(self._most_pages):
            body, entries, page_bytes = await self._page(endpoint, query, cursor)
            for entry in entries[:_A_PAGE]:
                request = _read(entry, endpoint, with_output=with_output)
                if request is not None:
                    found.setdefault(request.request_id, request)
            following = _following(body)
            if following is None:
                return Listing(tuple(found.values()), complete=len(entries) <= _A_PAGE)
            size_bytes += page_bytes
            if not entries or not following or following in followed or size_bytes > _MOST_BYTES:
                break
            followed.add(following)
            cursor = following
        return Listing(tuple(found.values()), complete=False)

    async def _page(
        self, endpoint: str, query: list[tuple[str, str]], cursor: str | None
    ) -> tuple[JSON, list[Any], int]:
        asked = query if cursor is None else [*query, ("cursor", cursor)]
        call = Call(
            "GET",
            f"{self._http.settings.hosts.api}/v1/models/requests/by-endpoint?{urlencode(asked)}",
            "the request for the list of ended requests",
            endpoint=endpoint,
            headers=call_headers(),
            timeout_s=self._timeout_s,
        )
        try:
            body, answer = await self._http.ask_json(call)
        except RecursionError:
            raise ProtocolError("The list of ended requests nests too deeply to be read.", endpoint=endpoint) from None
        entries = body if isinstance(body, list) else _first(body, _LISTS, list)
        if entries is None:
            raise unreadable_error(call, answer.headers, "it lists no requests")
        return body, entries, len(answer.body)


def _following(body: JSON) -> str | None:
    """Return the cursor of the page after this one, None on the last, an empty text where it cannot be used."""
    if not isinstance(body, Mapping) or body.get("has_more") is False:
        return None
    cursor = _first(body, _CURSORS, str)
    if cursor and len(cursor) <= _MOST_CURSOR_CHARS:
        return str(cursor)
    return "" if body.get("has_more") is True or cursor else None


def _read(entry: Any, endpoint: str, *, with_output: bool) -> EndedRequest | None:
    """Return one entry of the list, or None where it is no request of the endpoint that was asked for."""
    if not isinstance(entry, Mapping):
        return None
    request_id = _first(entry, ("request_id", "id"), str)
    named = _first(entry, ("endpoint_id", "endpoint"), str)
    if request_id is None or not _REQUEST_ID.fullmatch(request_id) or named not in {endpoint, None}:
        return None
    status = number_in(entry.get("status_code"))
    return EndedRequest(
        request_id,
        endpoint,
        _moment(entry.get("sent_at")),
        _moment(entry.get("started_at")),
        _moment(entry.get("ended_at")),
        None if status is None or not 100 <= status < 600 else int(status),
        number_in(entry.get("duration")),
        number_in(entry.get("billable_units")),
        _payload(entry.get("json_input")),
        _payload(entry.get("json_output")) if with_output else None,
    )


def _first(values: Any, names: tuple[str, ...], kind: type) -> Any:
    """Return the first value of a kind under one of the names."""
    if not isinstance(values, Mapping):
        return None
    return next((values[name] for name in names if isinstance(values.get(name), kind)), None)


def _payload(value: JSON) -> JSON:
    """Return a payload; some lists hold it as JSON, some as a text of JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _moment(value: Any) -> float | None:
    """Return Unix seconds for an ISO 8601 text (without a zone: UTC) or a number of seconds or milliseconds."""
    number = number_in(value)
    if number is not None:
        return number / 1000 if number > _MILLISECONDS else number
    return moment_in(value)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).isoformat()
