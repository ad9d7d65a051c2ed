"""The calls of the queue and the run host: submit, status, status stream, result, cancel, run, stream."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fal_nb.errors import EndpointError
from fal_nb.protocol import headers as names
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.status import Queued, status_body
from fal_nb.simulator.answers import (
    Answer,
    EventStream,
    bad_request,
    infrastructure_failure,
    json_response,
    model_failure,
    sse_data,
)
from fal_nb.simulator.endpoints.endpoint import EndpointFailure
from fal_nb.simulator.faults import Fault
from fal_nb.simulator.operations import Operation
from fal_nb.simulator.request import SimulatedRequest
from fal_nb.simulator.simulation import Simulation, new_request_id
from fal_nb.simulator.spoil import too_many_requests
from fal_nb.simulator.uploads import life_s_of

__all__ = ["Calls", "Incoming"]

_LEAST_START_TIMEOUT_S = 0.1
_TRUE = frozenset({"1", "true", "True"})
_NOT_FOUND = {"status": "NOT_FOUND"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """One HTTP request on its way to its handler.

    Attributes
    ----------
    asked
        Every fault the request itself asks for.
    acting
        Those that act on it now.
    """

    request: Request
    operation: Operation
    asked: list[Fault] = field(default_factory=list)
    acting: list[Fault] = field(default_factory=list)

    def job_faults(self) -> list[Fault]:
        """Return the faults that go with the job: those about its work, and those about later requests."""
        about_work = [fault for fault in self.acting if fault.kind.stage == "job"]
        later = [fault for fault in self.asked if self.operation.kind not in fault.on]
        return about_work + later


class Calls:
    """Handlers; each returns the answer to one request."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._queue = simulation.queue
        self._queue_url = f"{simulation.base_url}/queue"

    async def submit(self, incoming: Incoming) -> Response:
        """Put a call into the queue. Source: fal docs "Submit"."""
        request = await self._new_request(incoming)
        if isinstance(request, Response):
            return request
        try:
            start_timeout_s = _start_timeout(incoming.request)
        except ValueError as error:
            return bad_request(str(error)).response()
        if self._is_over_limit(incoming.request, request.endpoint_id):
            return too_many_requests()
        request.webhook_url = incoming.request.query_params.get("fal_webhook") or None
        self._simulation.accept(request, "queue")
        self._simulation.counters.count_for("submit", request.request_id)
        self._queue.submit(request, start_timeout_s)
        body = status_body(Queued(request.position), request.request_id, request.urls(self._queue_url))
        body["gateway_request_id"] = request.request_id
        return json_response(body, 200, {names.REQUEST_ID: request.request_id})

    async def status(self, incoming: Incoming) -> Response:
        """Answer with the status now: 202 while it is open, 200 once it has ended. Source: fal docs "Inference API"."""
        request = self._find(incoming)
        if request is None:
            return json_response(_NOT_FOUND, 404)
        status = request.status(with_logs=_wants_logs(incoming.request))
        body = status_body(status, request.request_id, request.urls(self._queue_url))
        return json_response(body, 200 if request.phase == "done" else 202)

    async def status_stream(self, incoming: Incoming) -> Response:
        """Answer with an event for each change of the status, until it has ended.

        Source: fal docs "Stream request status".
        """
        request = self._find(incoming)
        if request is None:
            return json_response(_NOT_FOUND, 404)
        return self._event_stream(incoming, self._status_events(request, with_logs=_wants_logs(incoming.request)))

    async def result(self, incoming: Incoming) -> Response:
        """Answer with the endpoint's own status, headers and body. Source: fal docs "Result"."""
        request = self._find(incoming)
        if request is None:
            return json_response(_NOT_FOUND, 404)
        if request.answer is None:
            return json_response({"detail": "Request is still in progress"}, 400)
        return request.answer.response()

    async def cancel(self, incoming: Incoming) -> Response:
        """Cancel a request. Source: fal docs "Cancel"."""
        request = self._find(incoming)
        status_code, word = (404, "NOT_FOUND") if request is None else self._queue.cancel(request.request_id)
        return json_response({"status": word}, status_code)

    async def run(self, incoming: Incoming) -> Response:
        """Carry out a call at once, without the queue. Source: fal docs "Run"."""
        request = await self._new_request(incoming)
        if isinstance(request, Response):
            return request
        if not self._queue.try_claim():
            return too_many_requests()
        try:
            self._simulation.accept(request, "run")
            answer = await self._simulation.runner.work(request)
            self._simulation.settle(request, answer)
        finally:
            self._queue.release()
        return answer.response({names.REQUEST_ID: request.request_id})

    async def stream(self, incoming: Incoming) -> Response:
        """Carry out a call at once and send what there is to see meanwhile; the last event is the result."""
        request = await self._new_request(incoming)
        if isinstance(request, Response):
            return request
        if not request.endpoint.streams:
            return _no_such_path(f"{request.endpoint_id}/stream")
        if not self._queue.try_claim():
            return too_many_requests()
        self._simulation.accept(request, "stream")
        events = self._result_events(request)
        try:
            first = await anext(events)
        except EndpointFailure as failure:
            answer = model_failure(failure.status_code, failure.detail)
            self._simulation.settle(request, answer)
            return answer.response({names.REQUEST_ID: request.request_id})
        return self._event_stream(incoming, events, first, {names.REQUEST_ID: request.request_id})

    async def _new_request(self, incoming: Incoming) -> SimulatedRequest | Response:
        body = _query_as_body(incoming.request) if incoming.request.method == "GET" else await incoming.request.body()
        found = await self._simulation.find_endpoint(incoming.operation.path)
        if found is None:
            return _no_such_path(incoming.operation.path)
        endpoint_id, endpoint = found
        arguments, refusal = _parse_body(body)
        return SimulatedRequest(
            new_request_id(),
            endpoint_id,
            endpoint,
            arguments,
            refusal=refusal,
            low_priority=incoming.request.headers.get(names.PRIORITY, "").lower() == "low",
            stores_payloads=_stores_payloads(incoming.request),
            media_life_s=life_s_of(incoming.request.headers),
            faults=incoming.job_faults(),
        )

    def _find(self, incoming: Incoming) -> SimulatedRequest | None:
        """Return the request meant, if it belongs to the endpoint in the path: the path below the base is ignored."""
        request = self._queue.find(incoming.operation.request_id or "")
        if request is None:
            return None
        try:
            base = EndpointId.parse(incoming.operation.path).base
        except EndpointError:
            return None
        return request if base == request.endpoint_id.base else None

    def _is_over_limit(self, http_request: Request, endpoint_id: EndpointId) -> bool:
        limit = http_request.query_params.get("fal_max_queue_length", "")
        return limit.isdigit() and self._queue.waiting(endpoint_id.base) > int(limit)

    async def _status_events(self, request: SimulatedRequest, *, with_logs: bool) -> AsyncGenerator[bytes]:
        sent = 0
        told: tuple[str, int] | None = None
        while True:
            now = (request.phase, request.position if request.phase == "queued" else 0)
            if now == told and not (with_logs and len(request.logs) > sent):
                if not await request.changed():
                    yield b": ping\n\n"
            else:
                status = request.status(with_logs=with_logs, since=sent)
                sent = len(request.logs) if request.phase != "queued" else sent
                told = now
                if request.phase == "queued":
                    request.told_position = request.position
                yield sse_data(status_body(status, request.request_id, request.urls(self._queue_url)))
                if now[0] == "done":
                    return

    async def _result_events(self, request: SimulatedRequest) -> AsyncGenerator[bytes]:
        simulation = self._simulation
        try:
            async with aclosing(simulation.runner.stream(request)) as items:
                async for item in items:
                    yield sse_data(item)
        finally:
            self._queue.release()
            simulation.settle(request, request.answer or _left_early())

    def _event_stream(
        self,
        incoming: Incoming,
        events: AsyncGenerator[bytes],
        first: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> EventStream:
        """Return a stream of these events, cut short where a fault asks for it."""
        fault = next((fault for fault in incoming.acting if fault.kind.stage == "stream"), None)
        return EventStream(
            events,
            self._simulation.connections,
            headers,
            first=first,
            cut_after=None if fault is None else int(fault.number("events")),
        )


def _left_early() -> Answer:
    return infrastructure_failure(499, "client_disconnected", "The client left before there was anything to charge.")


def _parse_body(body: bytes) -> tuple[Any, EndpointFailure | None]:
    """Return (arguments, None), or (None, the 422 that an unreadable body comes to)."""
    try:
        return json.loads(body), None
    except ValueError as error:
        position = getattr(error, "pos", 0)
        item = {"loc": ["body", position], "msg": "JSON decode error", "type": "json_invalid", "input": {}}
        return None, EndpointFailure(422, [item | {"ctx": {"error": str(error)}}])


def _query_as_body(http_request: Request) -> bytes:
    """Return the arguments of a GET: those of its query. Source: @fal-ai/client 1.10.1 ``request.ts``."""
    return json.dumps(dict(http_request.query_params)).encode()


def _start_timeout(http_request: Request) -> float | None:
    """Return the start deadline in seconds; the newer of the two header names wins. Source: fal docs "Run"."""
    text = http_request.headers.get(names.START_TIMEOUT) or http_request.headers.get(names.START_TIMEOUT_OLD)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not _LEAST_START_TIMEOUT_S < seconds < math.inf:
        raise ValueError(f"The start timeout must be a number of seconds over {_LEAST_START_TIMEOUT_S}, not {text!r}.")
    return seconds


def _stores_payloads(http_request: Request) -> bool | None:
    """Return what the request says of the storage of its payloads. Source: fal docs "Platform Headers"."""
    text = http_request.headers.get("x-fal-store-io", "")
    return None if not text else text != "0"


def _wants_logs(http_request: Request) -> bool:
    return http_request.query_params.get("logs", "") in _TRUE


def _no_such_path(path: str) -> Response:
    return Answer(404, {"detail": f"Path /{path} not found"}, {names.BILLABLE_UNITS: "0"}).response()
