"""The platform API: prices, estimates, the list of ended requests, balance, meta.

Source: fal Platform API document. How ids are given where there are several, and that one unknown id fails the
whole batch, is as clients have met it at fal.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fal_nb.simulator.answers import json_response
from fal_nb.simulator.endpoints.endpoint import SimulatedEndpoint
from fal_nb.simulator.requests_list import EndedRequest
from fal_nb.simulator.simulation import Simulation

__all__ = ["KEYLESS", "Platform"]

KEYLESS = frozenset({"platform_meta"})
"""Kinds of operation that need no key."""

_MOST_IDS = 50
_MOST_ITEMS = 100
_USUAL_ITEMS = 50
_LEAST_QUANTITY = 1e-6
_USUAL_CALL_UNITS = 1.0
_OUTCOMES = ("success", "error", "user_error")
_START_BALANCE = 100.0


@dataclass(frozen=True, slots=True)
class _Refusal(Exception):  # noqa: N818 - it is an answer
    status_code: int
    kind: str
    message: str


class Platform:
    """Handlers; each returns the answer to one request."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._handlers: dict[str, Callable[[Request], Any]] = {
            "platform_pricing": self._pricing,
            "platform_estimate": self._estimate,
            "platform_requests": self._requests,
            "platform_billing": self._billing,
            "platform_meta": self._meta,
        }

    async def answer(self, kind: str, request: Request) -> Response:
        """Answer one request; refusals have the platform's own shape."""
        try:
            return json_response(await self._handlers[kind](request))
        except _Refusal as refusal:
            error = {"type": refusal.kind, "message": refusal.message}
            return json_response({"error": error}, refusal.status_code)

    async def _pricing(self, request: Request) -> dict[str, Any]:
        found = [await self._endpoint(endpoint) for endpoint in _endpoint_ids(request)]
        prices = [
            {
                "endpoint_id": endpoint.endpoint_id,
                "unit_price": endpoint.price.unit_price,
                "unit": endpoint.price.unit,
                "currency": "USD",
            }
            for endpoint in found
        ]
        return {"prices": prices, "next_cursor": None, "has_more": False}

    async def _estimate(self, request: Request) -> dict[str, Any]:
        body = await _object(request)
        estimate_type, endpoints = body.get("estimate_type"), body.get("endpoints")
        quantity_name = {"historical_api_price": "call_quantity", "unit_price": "unit_quantity"}.get(str(estimate_type))
        if quantity_name is None:
            raise _Refusal(400, "validation_error", "estimate_type must be historical_api_price or unit_price")
        if not isinstance(endpoints, Mapping) or not endpoints:
            raise _Refusal(400, "validation_error", "endpoints must name at least one endpoint")
        total = 0.0
        for endpoint_id, wanted in endpoints.items():
            endpoint = await self._endpoint(str(endpoint_id))
            quantity = _quantity(wanted, quantity_name)
            units = quantity if quantity_name == "unit_quantity" else quantity * self._usual_units(endpoint.endpoint_id)
            total += units * endpoint.price.unit_price
        return {"estimate_type": estimate_type, "total_cost": total, "currency": "USD"}

    async def _requests(self, request: Request) -> dict[str, Any]:
        query = request.query_params
        endpoints = _endpoint_ids(request)
        request_id = query.get("request_id")
        outcome = query.get("status")
        if outcome is not None and outcome not in _OUTCOMES:
            raise _Refusal(400, "validation_error", f"status must be one of {', '.join(_OUTCOMES)}")
        usual_start = datetime.now(UTC) - timedelta(days=90 if request_id else 1)
        found = self._simulation.requests_list.find(
            endpoints,
            start=_moment(query.get("start")) or usual_start,
            end=_moment(query.get("end")),
            outcome=outcome,
            request_id=request_id,
        )
        with_payloads = "payloads" in query.getlist("expand")
        return _page(_sorted(found, query.get("sort_by")), request, lambda item: item.item(with_payloads=with_payloads))

    async def _billing(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {"username": "simulator"}
        if "credits" in request.query_params.getlist("expand"):
            spent = sum((entry["billable_units"] or 0) * entry["unit_price"] for entry in self._ledger())
            body["credits"] = {"current_balance": _START_BALANCE - spent, "currency": "USD"}
        return body

    async def _meta(self, request: Request) -> dict[str, Any]:
        del request
        return {"webhook_ip_ranges": ["127.0.0.1/32"]}

    async def _endpoint(self, endpoint_id: str) -> SimulatedEndpoint:
        found = await self._simulation.find_endpoint(endpoint_id)
        if found is None or str(found[0]) != endpoint_id:
            raise _Refusal(404, "not_found", f"Endpoint {endpoint_id[:120]!r} was not found")
        return found[1]

    def _usual_units(self, endpoint_id: str) -> float:
        """Return the units that calls of an endpoint came to on average; one where there were none."""
        units = [
            entry["billable_units"]
            for entry in self._ledger()
            if entry["endpoint"] == endpoint_id and entry["billable_units"]
        ]
        return sum(units) / len(units) if units else _USUAL_CALL_UNITS

    def _ledger(self) -> list[dict[str, Any]]:
        return self._simulation.ledger.entries()


def _endpoint_ids(request: Request) -> list[str]:
    given = request.query_params.getlist("endpoint_id")
    if not given:
        raise _Refusal(400, "validation_error", "endpoint_id is required")
    if len(given) > _MOST_IDS:
        raise _Refusal(400, "validation_error", f"at most {_MOST_IDS} endpoint_id values are allowed")
    return given


async def _object(request: Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, Mapping):
        raise _Refusal(400, "validation_error", "the body must be a JSON object")
    return body


def _quantity(wanted: Any, name: str) -> float:
    quantity = wanted.get(name) if isinstance(wanted, Mapping) else None
    if isinstance(quantity, bool) or not isinstance(quantity, (int, float)) or not quantity >= _LEAST_QUANTITY:
        raise _Refusal(400, "validation_error", f"{name} must be a positive number")
    if not math.isfinite(quantity) or (name == "call_quantity" and (quantity < 1 or quantity != int(quantity))):
        raise _Refusal(400, "validation_error", "call_quantity must be a whole number of at least 1")
    return float(quantity)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Refusal(400, "validation_error", f"{text[:40]!r} is not an ISO 8601 date") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sorted(found: list[EndedRequest], sort_by: str | None) -> list[EndedRequest]:
    if sort_by not in {None, "ended_at", "duration"}:
        raise _Refusal(400, "validation_error", "sort_by must be ended_at or duration")
    if sort_by == "duration":
        return sorted(found, key=lambda request: request.duration_s, reverse=True)
    return found[::-1]


def _page(found: Sequence[EndedRequest], request: Request, write: Callable[[EndedRequest], Any]) -> dict[str, Any]:
    limit = _limit(request.query_params.get("limit"))
    start = _offset(request.query_params.get("cursor"))
    stop = start + limit
    has_more = stop < len(found)
    return {
        "items": [write(item) for item in found[start:stop]],
        "next_cursor": _cursor(stop) if has_more else None,
        "has_more": has_more,
    }


def _limit(text: str | None) -> int:
    if text is None:
        return _USUAL_ITEMS
    if not text.isdigit() or not 1 <= int(text) <= _MOST_ITEMS:
        raise _Refusal(400, "validation_error", f"limit must be 1 to {_MOST_ITEMS}")
    return int(text)


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"offset": offset}).encode()).decode()


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return max(0, int(json.loads(base64.urlsafe_b64decode(cursor))["offset"]))
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise _Refusal(400, "validation_error", "the cursor is not one of ours") from None
