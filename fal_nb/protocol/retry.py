"""The one place that decides whether a request is repeated, and after how long. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

__all__ = ["MAX_ATTEMPTS", "backoff_s", "may_repeat", "retry_after_s"]

MAX_ATTEMPTS = 6
_BASE_S = 0.2
_CAP_S = 20.0
_LONGEST_RETRY_AFTER_S = 120.0
_REPEATABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


def may_repeat(*, paid: bool, sent: bool, status: int | None, headers: Mapping[str, str]) -> bool:
    """Return whether the same request may be sent again.

    A paid POST is repeated only where nothing was started: it never left, or it was refused with 429.
    There is no key on the wire that would make a second one harmless.

    Parameters
    ----------
    paid
        True for a POST that starts billable work.
    sent
        False only where no connection was made.
    status
        HTTP status of the answer, or None where there was none.
    headers
        The answer's headers, lower-case names.

    Source: fal docs "Concurrency Limits" (429 starts nothing); fal-client 1.0.3 retry policy for the statuses.
    """
    if not sent:
        return True
    if paid:
        return status == 429
    if status is None:
        return True
    if headers.get("x-fal-request-timeout-type"):
        return False
    if status >= 500 and "x-fal-request-id" in headers and headers.get("x-fal-retryable") == "false":
        return False
    return status in _REPEATABLE


def backoff_s(attempt: int, *, retry_after: float | None, jitter: float) -> float:
    """Return seconds to wait before the next try.

    Parameters
    ----------
    attempt
        Tries made so far, 1 or more.
    retry_after
        What the server asked for, in seconds, or None.
    jitter
        Evenly spread in 0…1; the wait is 0.5 to 1.5 times the nominal one.
    """
    if retry_after is not None:
        return min(max(retry_after, 0.0), _LONGEST_RETRY_AFTER_S) * (1 + 0.1 * jitter)
    nominal: float = min(_BASE_S * 2 ** (min(attempt, 30) - 1), _CAP_S)
    return nominal * (0.5 + jitter)


def retry_after_s(headers: Mapping[str, str], body: bytes = b"") -> float | None:
    """Return the wait in seconds that an answer asks for, by header or by ``retry_after`` in its body."""
    text = headers.get("retry-after")
    if text is None and b"retry_after" in body[:4096]:
        try:
            data = json.loads(body)
        except ValueError:
            return None
        text = str(data.get("retry_after")) if isinstance(data, dict) else None
    try:
        seconds = float(text) if text is not None else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < float("inf") else None
