"""The platform API: models, prices, estimates, usage, the list of ended requests, balance, meta.

Source: fal Platform API document. How ids are given where there are several, and that one unknown id fails the
whole batch, is as clients have met it at fal.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fal_nb.simulator.answers import json_response
from fal_nb.simulator.endpoints.endpoint import SimulatedEndpoint
from fal_nb.simulator.models_list import ModelsList
from fal_nb.simulator.platform_answers import Refusal, endpoint_ids, moment, page, refusal
from fal_nb.simulator.requests_list import EndedRequest
from fal_nb.simulator.simulation import Simulation
from fal_nb.simulator.usage import Usage

__all__ = ["KEYLESS", "Platform"]

KEYLESS = frozenset({"platform_meta", "platform_models"})
"""Kinds of operation that need no key."""
_FOR_ADMINS = frozenset({"platform_usage", "platform_billing"})
_INFERENCE_KEY = "inference:key"
"""A key that may call models and is no admin's, as most are."""

_LEAST_QUANTITY = 1e-6
_USUAL_CALL_UNITS = 1.0
_OUTCOMES = ("success", "error", "user_error")
_START_BALANCE = 100.0


class Platform:
    """Handlers; each returns the answer to one request."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        models, usage = ModelsList(simulation), Usage(simulation)
        self._handlers: dict[str, Callable[[Request], Any]] = {
            "platform_models": models.answer,
            "platform_usage": usage.answer,
            "platform_pricing": self._pricing,
            "platform_estimate": self._estimate,
            "platform_requests": self._requests,
            "platform_billing": self._billing,
            "platform_meta": self._meta,
        }

    async def answer(self, kind: str, request: Request) -> Response:
        """Answer one request; refusals have the platform's own shape."""
        if kind in _FOR_ADMINS and request.headers.get("authorization", "").partition(" ")[2] == _INFERENCE_KEY:
            return refusal(403, "This key has no access to account data").response()
        try:
            return json_response(await self._handlers[kind](request))
        except Refusal as refused:
            return refused.response()

    async def _pricing(self, request: Request) -> dict[str, Any]:
        found = [await self._endpoint(endpoint) for endpoint in endpoint_ids(request)]
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
            raise Refusal(400, "validation_error", "estimate_type must be historical_api_price or unit_price")
        if not isinstance(endpoints, Mapping) or not endpoints:
            raise Refusal(400, "validation_error", "endpoints must name at least one endpoint")
        total = 0.0
        for endpoint_id, wanted in endpoints.items():
            endpoint = await self._endpoint(str(endpoint_id))
            quantity = _quantity(wanted, quantity_name)
            units = quantity if quantity_name == "unit_quantity" else quantity * self._usual_units(endpoint.endpoint_id)
            total += units * endpoint.price.unit_price
        return {"estimate_type": estimate_type, "total_cost": total, "currency": "USD"}

    async def _requests(self, request: Request) -> dict[str, Any]:
        query = request.query_params
        endpoints = endpoint_ids(request)
        request_id = query.get("request_id")
        outcome = query.get("status")
        if outcome is not None and outcome not in _OUTCOMES:
            raise Refusal(400, "validation_error", f"status must be one of {', '.join(_OUTCOMES)}")
        usual_start = datetime.now(UTC) - timedelta(days=90 if request_id else 1)
        found = self._simulation.requests_list.find(
            endpoints,
            start=moment(query.get("start")) or usual_start,
            end=moment(query.get("end")),
            outcome=outcome,
            request_id=request_id,
        )
        with_payloads = "payloads" in query.getlist("expand")
        return page(
            _sorted(found, query.get("sort_by")), request, lambda item: item.item(with_payloads=with_payloads), "items"
        )

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
            raise Refusal(404, "not_found", f"Endpoint {endpoint_id[:120]!r} was not found")
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


async def _object(request: Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, Mapping):
        raise Refusal(400, "validation_error", "the body must be a JSON object")
    return body


def _quantity(wanted: Any, name: str) -> float:
    quantity = wanted.get(name) if isinstance(wanted, Mapping) else None
    if isinstance(quantity, bool) or not isinstance(quantity, (int, float)) or not quantity >= _LEAST_QUANTITY:
        raise Refusal(400, "validation_error", f"{name} must be a positive number")
    if not math.isfinite(quantity) or (name == "call_quantity" and (quantity < 1 or quantity != int(quantity))):
        raise Refusal(400, "validation_error", "call_quantity must be a whole number of at least 1")
    return float(quantity)


def _sorted(found: list[EndedRequest], sort_by: str | None) -> list[EndedRequest]:
    if sort_by not in {None, "ended_at", "duration"}:
        raise Refusal(400, "validation_error", "sort_by must be ended_at or duration")
    if sort_by == "duration":
        return sorted(found, key=lambda request: request.duration_s, reverse=True)
    return found[::-1]
