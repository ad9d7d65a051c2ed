"""What the calls of the client return."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fal_nb.client.verdicts import Answer
from fal_nb.protocol import headers as names
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.status import JSON

__all__ = ["ResultAnswer", "Submitted"]


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request the queue has accepted.

    Attributes
    ----------
    response_url, status_url, cancel_url
        As the server gave them where they lie under the configured hosts, else rebuilt. For people: the client
        itself goes by endpoint and request id.
    queue_position
        Requests ahead, 0-based, where the server says.
    """

    endpoint: EndpointId
    request_id: str
    response_url: str
    status_url: str
    cancel_url: str
    queue_position: int | None = None


@dataclass(frozen=True, slots=True)
class ResultAnswer:
    """A result and what came with it.

    Attributes
    ----------
    headers
        Names in lower case.
    billable_units
        Units charged, or None where the server does not say.
    """

    data: JSON
    headers: Mapping[str, str]
    billable_units: float | None
    request_id: str | None

    @classmethod
    def of(cls, data: JSON, answer: Answer, request_id: str | None = None) -> ResultAnswer:
        """Return the result decoded from an answer."""
        units = answer.headers.get(names.BILLABLE_UNITS)
        try:
            billable_units = float(units) if units is not None else None
        except ValueError:
            billable_units = None
        if billable_units is not None and not math.isfinite(billable_units):
            billable_units = None
        return cls(data, dict(answer.headers), billable_units, request_id or answer.request_id)
