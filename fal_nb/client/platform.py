"""The platform API: the price list. Its traps, as clients have met them, are met here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from fal_nb.client.background import Background
from fal_nb.client.http import Http
from fal_nb.client.options import call_headers
from fal_nb.client.verdicts import Call, unreadable_error
from fal_nb.errors import NotFoundError
from fal_nb.plain import one_line
from fal_nb.pricing.unit import UnitPrice

__all__ = ["Platform"]

_AT_ONCE = 50
_MOST_UNIT_CHARS = 80


class Platform:
    """Calls of the platform service. Source: fal Platform API document."""

    def __init__(self, http: Http, *, timeout_s: float = 30.0) -> None:
        self._http = http
        self._timeout_s = timeout_s

    @property
    def background(self) -> Background:
        """Where what ends with the client is started."""
        return self._http.background

    async def unit_prices(self, endpoints: Iterable[str]) -> dict[str, UnitPrice | None]:
        """Return what a unit of each endpoint costs; None for those the list does not have.

        At most 50 go into one request, by repeated parameters; one unknown endpoint fails all of them, so that a
        batch which is not found is halved until those at fault stand alone.

        Raises
        ------
        FalError
            Where the list cannot be had.
        """
        wanted = list(dict.fromkeys(endpoints))
        found: dict[str, UnitPrice | None] = {}
        batches = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
        while batches:
            batch = batches.pop()
            try:
                prices = await self._ask(batch)
            except NotFoundError:
                middle = len(batch) // 2
                if middle:
                    batches += [batch[:middle], batch[middle:]]
                else:
                    found[batch[0]] = None
                continue
            found |= {endpoint: prices.get(endpoint) for endpoint in batch}
        return found

    async def _ask(self, endpoints: Sequence[str]) -> dict[str, UnitPrice]:
        query = urlencode([("endpoint_id", endpoint) for endpoint in endpoints])
        call = Call(
            "GET",
            f"{self._http.settings.hosts.api}/v1/models/pricing?{query}",
            "the request for prices",
            endpoint=endpoints[0],
            headers=call_headers(),
            timeout_s=self._timeout_s,
        )
        body, answer = await self._http.ask_json(call)
        prices = body.get("prices") if isinstance(body, Mapping) else None
        if not isinstance(prices, list):
            raise unreadable_error(call, answer.headers, "it names no prices")
        read = (_read(entry) for entry in prices)
        return {price.endpoint: price for price in read if price is not None}


def _read(entry: Any) -> UnitPrice | None:
    """Return one entry of the list, or None where it cannot be a price."""
    if not isinstance(entry, Mapping):
        return None
    endpoint, unit, amount = entry.get("endpoint_id"), entry.get("unit"), entry.get("unit_price")
    if not isinstance(endpoint, str) or not isinstance(unit, str) or isinstance(amount, bool):
        return None
    if not isinstance(amount, (int, float)) or not math.isfinite(amount) or amount < 0:
        return None
    currency = entry.get("currency")
    if not (isinstance(currency, str) and currency.isascii() and currency.isalnum() and len(currency) <= 8):
        currency = "USD"
    return UnitPrice(endpoint, one_line(unit, _MOST_UNIT_CHARS), float(amount), currency)
