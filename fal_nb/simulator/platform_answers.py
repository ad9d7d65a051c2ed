"""What the platform's handlers share: its refusals, its paging, and the parameters most of them take.

Source: fal Platform API document.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from fal_nb.simulator.answers import json_response

__all__ = ["MOST_IDS", "Refusal", "endpoint_ids", "moment", "page", "refusal", "several"]

MOST_IDS = 50
_MOST_ITEMS = 100
_USUAL_ITEMS = 50

_KINDS = {
    400: "validation_error",
    401: "authorization_error",
    403: "authorization_error",
    404: "not_found",
    422: "validation_error",
    429: "rate_limited",
    501: "not_implemented",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818 - it is an answer
    """An error of the platform's own shape.

    Attributes
    ----------
    kind
        ``authorization_error validation_error not_found rate_limited server_error`` or ``not_implemented``.
    """

    status_code: int
    kind: str
    message: str

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        """Return it as an HTTP response."""
        return json_response({"error": {"type": self.kind, "message": self.message}}, self.status_code, headers)


def refusal(status_code: int, message: str) -> Refusal:
    """Return the error that goes with a status."""
    return Refusal(status_code, _KINDS.get(status_code, "server_error"), message)


def several(request: Request, name: str) -> list[str]:
    """Return the values of a parameter that may be repeated, or hold several with commas between them."""
    given = request.query_params.getlist(name)
    return [part for text in given for part in text.split(",") if part]


def endpoint_ids(request: Request, *, are_needed: bool = True) -> list[str]:
    """Return the endpoints a request is about.

    Raises
    ------
    Refusal
        Where there are too many, or none although one is needed.
    """
    given = request.query_params.getlist("endpoint_id")
    if are_needed and not given:
        raise Refusal(400, "validation_error", "endpoint_id is required")
    if len(given) > MOST_IDS:
        raise Refusal(400, "validation_error", f"at most {MOST_IDS} endpoint_id values are allowed")
    return given


def moment(text: str | None) -> datetime | None:
    """Return a moment given in ISO 8601, in UTC where it says no zone.

    Raises
    ------
    Refusal
        Where it is none.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, "validation_error", f"{text[:40]!r} is not an ISO 8601 date") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def page(
    found: Sequence[T], request: Request, write: Callable[[T], Any], name: str, most: int = _MOST_ITEMS
) -> dict[str, Any]:
    """Return one page of a list under a name, with the cursor of the next.

    Raises
    ------
    Refusal
        Where ``limit`` or ``cursor`` is no such thing.
    """
    limit = _limit(request.query_params.get("limit"), most)
    start = _offset(request.query_params.get("cursor"))
    stop = start + limit
    has_more = stop < len(found)
    return {
        name: [write(item) for item in found[start:stop]],
        "next_cursor": _cursor(stop) if has_more else None,
        "has_more": has_more,
    }


def _limit(text: str | None, most: int) -> int:
    if text is None:
        return min(_USUAL_ITEMS, most)
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise Refusal(400, "validation_error", f"limit must be 1 to {most}")
    return int(text)


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"offset": offset}).encode()).decode()


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return max(0, int(json.loads(base64.urlsafe_b64decode(cursor))["offset"]))
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Refusal(400, "validation_error", "the cursor is not one of ours") from None
