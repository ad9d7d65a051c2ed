"""The account's own numbers: what its calls came to, and what it has left. Both need a key of scope ADMIN.

Source: fal Platform API document, ``/models/usage`` and ``/account/billing``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from fal_nb.client.http import Http
from fal_nb.client.options import call_headers
from fal_nb.client.verdicts import Call, unreadable_error
from fal_nb.plain import one_line
from fal_nb.protocol.status import JSON
from fal_nb.protocol.values import number_in

__all__ = ["AccountUsage", "Balance", "UsageRow"]

_A_PAGE = 100
_MOST_PAGES = 100
_MOST_ROWS = 50_000
_MOST_CURSOR_CHARS = 4_096
_NAME_CHARS = 120


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one endpoint came to in one stretch of time.

    Attributes
    ----------
    at
        Its beginning, ISO 8601, in the time zone that was asked for.
    cost
        In `currency`, after discounts.
    """

    at: str
    endpoint: str
    unit: str
    quantity: float
    cost: float
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Balance:
    """What the account has left; `amount` is None where fal does not say."""

    username: str = ""
    amount: float | None = None
    currency: str = "USD"

    def __repr__(self) -> str:
        left = "not known" if self.amount is None else f"{self.amount:,.2f} {one_line(self.currency, 8)}"
        return f"<Balance of {one_line(self.username, 80) or 'the account'}: {left}>"


class AccountUsage:
    """Calls about the account."""

    def __init__(self, http: Http, *, timeout_s: float = 30.0) -> None:
        self._http = http
        self._timeout_s = timeout_s

    async def rows(self, start: float, end: float, *, timeframe: str = "day", timezone: str = "UTC") -> list[UsageRow]:
        """Return what the account's calls came to, by stretch of time and endpoint, oldest first; bounded.

        Parameters
        ----------
        start, end
            Unix time in seconds; `end` is exclusive.
        timeframe
            ``minute``, ``hour``, ``day``, ``week`` or ``month``.

        Raises
        ------
        PermissionDeniedError, AuthenticationError
            Where the key is not of scope ADMIN.
        FalError
            Where it cannot be had.
        """
        query = {
            "start": _iso(start),
            "end": _iso(end),
            "timeframe": timeframe,
            "timezone": timezone,
            "expand": "time_series",
            "limit": str(_A_PAGE),
        }
        found: list[UsageRow] = []
        followed: set[str] = set()
        for _ in range(_MOST_PAGES):
            body = await self._ask("models/usage", query, "the request for the account's usage")
            buckets = body.get("time_series")
            for bucket in buckets if isinstance(buckets, list) else ():
                found += _rows(bucket)
            cursor = body.get("next_cursor")
            is_usable = isinstance(cursor, str) and 0 < len(cursor) <= _MOST_CURSOR_CHARS and cursor not in followed
            if body.get("has_more") is not True or not is_usable or not buckets or len(found) >= _MOST_ROWS:
                break
            followed.add(str(cursor))
            query["cursor"] = str(cursor)
        return found[:_MOST_ROWS]

    async def balance(self) -> Balance:
        """Return what the account has left. Raises as `rows`."""
        body = await self._ask("account/billing", {"expand": "credits"}, "the request for the account's balance")
        credit = body.get("credits")
        left = credit if isinstance(credit, Mapping) else {}
        amount = number_in(left.get("current_balance"), is_signed=True)
        return Balance(_text(body.get("username")), amount, _text(left.get("currency")) or "USD")

    async def _ask(self, path: str, query: Mapping[str, str], about: str) -> Mapping[str, JSON]:
        url = f"{self._http.settings.hosts.api}/v1/{path}?{urlencode(query)}"
        call = Call("GET", url, about, headers=call_headers(), timeout_s=self._timeout_s)
        try:
            body, answer = await self._http.ask_json(call)
        except RecursionError:
            raise unreadable_error(call, {}, "it nests too deeply") from None
        if not isinstance(body, Mapping):
            raise unreadable_error(call, answer.headers, "it is no object")
        return body


def _rows(bucket: Any) -> list[UsageRow]:
    if not isinstance(bucket, Mapping) or not isinstance(bucket.get("results"), list):
        return []
    at = _text(bucket.get("bucket"))
    found = []
    for row in bucket["results"]:
        if not isinstance(row, Mapping) or not isinstance(row.get("endpoint_id"), str):
            continue
        cost = next(
            (number for name in ("cost_total", "cost") if (number := number_in(row.get(name))) is not None), None
        )
        if cost is not None:
            quantity = number_in(row.get("quantity")) or 0.0
            currency = _text(row.get("currency")) or "USD"
            found.append(UsageRow(at, _text(row["endpoint_id"]), _text(row.get("unit")), quantity, cost, currency))
    return found


def _text(value: Any) -> str:
    return one_line(value, _NAME_CHARS) if isinstance(value, str) else ""


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).isoformat()
