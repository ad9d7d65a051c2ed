"""The account's usage: what its calls came to, by stretch of time and endpoint, out of the simulator's own ledger.

Source: fal Platform API document, ``/models/usage``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from fal_nb.simulator.platform_answers import Refusal, endpoint_ids, moment, page, several
from fal_nb.simulator.simulation import Simulation

__all__ = ["Usage"]

_TIMEFRAMES = ("minute", "hour", "day", "week", "month")
_USUAL_SPAN = timedelta(hours=24)


class Usage:
    """Answers to one address."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def answer(self, request: Request) -> dict[str, Any]:
        """Return the usage of a stretch of time; its end is not part of it.

        Raises
        ------
        Refusal
            Where a parameter is not one.
        """
        query = request.query_params
        zone = _zone(query.get("timezone", "UTC"))
        end = moment(query.get("end")) or datetime.now(UTC)
        start = moment(query.get("start")) or end - _USUAL_SPAN
        timeframe = query.get("timeframe") or _usual_timeframe(end - start)
        if timeframe not in _TIMEFRAMES:
            raise Refusal(400, "validation_error", f"timeframe must be one of {', '.join(_TIMEFRAMES)}")
        wanted = endpoint_ids(request, are_needed=False)
        entries = [
            entry
            for entry in self._simulation.ledger.entries()
            if entry["billable_units"]
            and start <= datetime.fromisoformat(entry["accepted_at"]) < end
            and (not wanted or entry["endpoint"] in wanted)
        ]
        buckets: dict[str, list[dict[str, Any]]] = {}
        for entry in entries:
            at = datetime.fromisoformat(entry["accepted_at"]).astimezone(zone)
            buckets.setdefault(_begin(at, timeframe).isoformat(), []).append(entry)
        expand = several(request, "expand") or ["time_series"]
        body = page(sorted(buckets.items()), request, _bucket, "time_series")
        if "time_series" not in expand:
            del body["time_series"]
        if "summary" in expand:
            body["summary"] = _rows(entries)
        return body


def _bucket(found: tuple[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {"bucket": found[0], "results": _rows(found[1])}


def _rows(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a line for each endpoint, unit and price."""
    sums: dict[tuple[str, str, float], float] = {}
    for entry in entries:
        key = (entry["endpoint"], entry["unit"], entry["unit_price"])
        sums[key] = sums.get(key, 0.0) + entry["billable_units"]
    return [
        {
            "endpoint_id": endpoint,
            "unit": unit,
            "quantity": quantity,
            "unit_price": unit_price,
            "percent_discount": 0,
            "cost_subtotal": quantity * unit_price,
            "cost_discount": 0,
            "cost_total": quantity * unit_price,
            "cost": quantity * unit_price,
            "currency": "USD",
        }
        for (endpoint, unit, unit_price), quantity in sorted(sums.items())
    ]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Refusal(400, "validation_error", f"{name[:60]!r} is no time zone") from None


def _usual_timeframe(span: timedelta) -> str:
    limits = (
        (timedelta(hours=2), "minute"),
        (timedelta(days=2), "hour"),
        (timedelta(days=64), "day"),
        (timedelta(days=183), "week"),
    )
    return next((name for limit, name in limits if span < limit), "month")


def _begin(at: datetime, timeframe: str) -> datetime:
    """Return when the stretch of time began in which a moment lies."""
    if timeframe == "minute":
        return at.replace(second=0, microsecond=0)
    if timeframe == "hour":
        return at.replace(minute=0, second=0, microsecond=0)
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if timeframe == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if timeframe == "month" else day
