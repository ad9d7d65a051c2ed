"""The acts of the faults that concern an HTTP request: refuse it, delay it, lose or garble its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from fal_nb.protocol import headers as names
from fal_nb.simulator.answers import IngressPage, infrastructure_failure, json_response
from fal_nb.simulator.connections import ConnectionGone, Connections
from fal_nb.simulator.faults import Fault
from fal_nb.simulator.platform_answers import refusal

__all__ = ["refuse", "spoil_answer", "too_many_requests"]

_GARBAGE = b"\x16\x03\x01 this is not HTTP\r\n\r\n"
_LOCKED = "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."


def too_many_requests(retry_after: str = "") -> Response:
    """Return the refusal of a call over the account's limit. Source: fal docs "Concurrency Limits"."""
    answer = infrastructure_failure(
        429,
        "concurrent_requests_limit",
        "Too many requests are in progress for this account.",
        x_fal_needs_retry="1",
        x_fal_retryable="true",
    )
    return answer.response({"retry-after": retry_after} if retry_after else None)


async def refuse(
    acting: Iterable[Fault], scope: Scope, receive: Receive, connections: Connections, *, is_platform: bool = False
) -> Response | None:
    """Act out the faults that come before an operation; return the answer that takes its place, if there is one.

    Parameters
    ----------
    is_platform
        Whether the answer is to have the platform's shape of errors, not the queue's.

    Raises
    ------
    ConnectionGone
        Where a fault ended the connection.
    """
    for fault in acting:
        if fault.kind.stage != "before":
            continue
        if fault.name == "slow":
            await asyncio.sleep(fault.number("seconds"))
        elif fault.name in {"reset", "hang-up"}:
            await _read_body(scope, receive, fault.text("at"))
            await (connections.reset(scope) if fault.name == "reset" else connections.hang_up(scope))
            raise ConnectionGone
        else:
            return _platform_refusal(fault) if is_platform else _refusal(fault)
    return None


async def spoil_answer(
    acting: Iterable[Fault], response: Response, scope: Scope, send: Send, connections: Connections
) -> Response:
    """Act out the faults that come after an operation; return the answer to give.

    Raises
    ------
    ConnectionGone
        Where a fault ended the connection.
    """
    fault = next((fault for fault in acting if fault.kind.stage == "after"), None)
    if fault is None:
        return response
    if fault.name == "ingress-after":
        return IngressPage(int(fault.number("status")))
    if fault.name == "content-type":
        response.headers["content-type"] = fault.text("type")
        return response
    if fault.name == "reset-after":
        await connections.reset(scope)
    elif fault.name == "garbage":
        await connections.hang_up(scope, _GARBAGE)
    elif fault.name == "half-reply":
        body = await _beginning(response)
        if not body:
            await connections.hang_up(scope)
            raise ConnectionGone
        await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await connections.hang_up(scope)
    else:
        await connections.hang_up(scope)
    raise ConnectionGone


def _refusal(fault: Fault) -> Response:
    if fault.name == "rate-limit":
        return too_many_requests(fault.text("retry_after"))
    if fault.name == "ingress":
        return IngressPage(int(fault.number("status")))
    if fault.name == "locked":
        return json_response({"detail": _LOCKED}, 403, {names.BILLABLE_UNITS: "0"})
    if fault.name == "no-stream":
        status = int(fault.number("status"))
        return json_response({"detail": "Method Not Allowed" if status == 405 else "Not Found"}, status)
    if fault.name == "unavailable":
        marks = {"x_fal_needs_retry": "1", "x_fal_retryable": "true"}
        status, error_type = int(fault.number("status")), fault.text("error_type")
        return infrastructure_failure(status, error_type, "No runner could be found.", **marks).response()
    return json_response({"detail": fault.text("detail")}, int(fault.number("status")), {names.BILLABLE_UNITS: "0"})


def _platform_refusal(fault: Fault) -> Response:
    if fault.name == "ingress":
        return _refusal(fault)  # it stands in front of every service
    if fault.name == "rate-limit":
        retry_after = fault.text("retry_after")
        return refusal(429, "Too many requests.").response({"retry-after": retry_after} if retry_after else None)
    if fault.name == "locked":
        return refusal(403, _LOCKED).response()
    detail = fault.text("detail") if fault.name == "status" else "The service is unavailable."
    return refusal(int(fault.number("status")), detail).response()


async def _beginning(response: Response) -> bytes:
    """Return the body, or the first piece of one that is streamed."""
    if not isinstance(response, StreamingResponse):
        return bytes(response.body)
    pieces = aiter(response.body_iterator)
    piece = await anext(pieces, b"")
    return piece.encode() if isinstance(piece, str) else bytes(piece)


async def _read_body(scope: Scope, receive: Receive, until: str) -> None:
    """Read as much of the body as the fault lets through: nothing, half of it, or all."""
    if until == "headers":
        return
    announced = int(Headers(scope=scope).get("content-length", "0"))
    wanted = announced // 2 if until == "half-body" else announced
    got = 0
    while got < wanted or until == "body":
        message = await receive()
        got += len(message.get("body", b""))
        if not message.get("more_body"):
            return
