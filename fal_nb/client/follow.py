"""Following one request to its end: by its status stream, and by polling where that is not offered or breaks.

Every state is reported once, whatever number of connections it takes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TypeAlias

import httpx

from fal_nb.client.decoding import unpacked
from fal_nb.client.http import Http
from fal_nb.client.options import call_headers
from fal_nb.client.pacing import Pace, Ticket
from fal_nb.client.verdicts import Answer, Call, Lost, unreadable_error
from fal_nb.errors import ProtocolError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.events import EventDecoder
from fal_nb.protocol.logs import LogMerger
from fal_nb.protocol.status import Completed, InProgress, Queued, parse_status

__all__ = ["IDLE_S", "AnyStatus", "Follower", "ask_status", "status_call"]

AnyStatus: TypeAlias = Queued | InProgress | Completed

IDLE_S = 45.0
"""Silence after which a status stream counts as dead; fal sends a comment every 15 s."""

_FIRST_POLL_S = 0.25
_POLL_FACTOR = 1.5
_SLOWEST_POLL_S = 2.0
_MAX_BREAKS = 3
_LONG_LIVED_S = 5.0
_DRAIN_S = 1.0
_PASSING_TROUBLE = frozenset({408, 409, 425, 429})


class Follower:
    """Follows one request, once.

    Parameters
    ----------
    idle_s
        Seconds of silence after which a stream is opened anew.
    """

    def __init__(
        self,
        http: Http,
        pace: Pace,
        endpoint: EndpointId,
        request_id: str,
        *,
        with_logs: bool = False,
        idle_s: float = IDLE_S,
    ) -> None:
        self._http = http
        self._pace = pace
        self._endpoint = endpoint
        self._request_id = request_id
        self._with_logs = with_logs
        self._idle_s = idle_s
        self._breaks = 0
        self._is_refused = False
        self._is_polling = False
        self._logs = LogMerger()
        self._last: tuple[type[AnyStatus], int | None] | None = None

    async def statuses(self) -> AsyncGenerator[AnyStatus, None]:
        """Yield each new status until `Completed`; logs, where asked for, are all so far.

        Raises
        ------
        FalClientHTTPError, TransferError, ProtocolError
            Where the server cannot be asked any more; the request itself goes on.
        """
        ticket = self._pace.ticket()
        try:
            async with aclosing(self._all_statuses(ticket)) as statuses:
                async for status in statuses:
                    news = self._news(status)
                    if news is not None:
                        yield news
                    if isinstance(status, Completed):
                        return
        finally:
            self._set_polling(on=False)
            ticket.close()

    async def _all_statuses(self, ticket: Ticket) -> AsyncGenerator[AnyStatus, None]:
        """Yield what stream and polls say, in turn, endlessly."""
        wait_s = 0.0
        while True:
            if await self._rest(ticket, wait_s):
                self._set_polling(on=False)
                async with aclosing(self._stream()) as stream:
                    async for status in stream:
                        yield status
            elif wait_s == 0 and self._may_stream():
                wait_s = _FIRST_POLL_S
                self._set_polling(on=True)
                continue
            self._set_polling(on=True)
            if await self._poll_turn(ticket):
                yield await self._poll()
            wait_s = min(max(wait_s * _POLL_FACTOR, _FIRST_POLL_S), _SLOWEST_POLL_S)

    def _may_stream(self) -> bool:
        return self._breaks < _MAX_BREAKS and not self._is_refused and self._pace.are_streams_offered

    async def _rest(self, ticket: Ticket, wait_s: float) -> bool:
        """Wait, and return whether a stream is to be opened next."""
        if self._is_polling:
            wait_s = max(wait_s, self._pace.share_s)
        if not self._may_stream():
            ticket.close()
            await asyncio.sleep(wait_s)
            return False
        if self._breaks:
            await asyncio.sleep(wait_s)
            wait_s = 0
        return await ticket.wait(wait_s)

    async def _poll_turn(self, ticket: Ticket) -> bool:
        """Wait until the cap allows a poll; False where a slot for a stream came first."""
        while wait_s := self._pace.cap.take():
            wait_s = max(wait_s, self._pace.share_s)
            if self._may_stream() and not self._breaks:
                if await ticket.wait(wait_s):
                    return False
            else:
                await asyncio.sleep(wait_s)
        return True

    async def _poll(self) -> AnyStatus:
        call = status_call(self._http, self._endpoint, self._request_id, with_logs=self._with_logs)
        status = await ask_status(self._http, call)
        if self._is_refused:
            self._pace.remember_refusal()
        return status

    async def _stream(self) -> AsyncGenerator[AnyStatus, None]:
        """Yield the statuses of one stream until it ends, however it ends."""
        loop = asyncio.get_running_loop()
        opened_at = loop.time()
        outcome = await self._http.open_once(self._stream_call())
        if not isinstance(outcome, httpx.Response):
            self._note(outcome)
            return
        if not outcome.headers.get("content-type", "").startswith("text/event-stream"):
            await outcome.aclose()
            self._is_refused = True
            return
        async with aclosing(self._read(outcome)) as statuses:
            async for status in statuses:
                yield status
        self._breaks = 1 if loop.time() - opened_at >= _LONG_LIVED_S else self._breaks + 1

    async def _read(self, response: httpx.Response) -> AsyncGenerator[AnyStatus, None]:
        """Yield the statuses in an open stream as far as it can be read, then close it."""
        decoder = EventDecoder()
        chunks = unpacked(response)
        is_left_to_drain = False
        try:
            async for chunk in chunks:
                for event in decoder.feed(chunk):
                    status = parse_status(json.loads(event.data))
                    if isinstance(status, Completed):
                        # Read to its end, the connection serves the next stream; nobody waits for that.
                        is_left_to_drain = True
                        self._http.background.start(_drain(chunks, response))
                    yield status
        except (httpx.RequestError, ProtocolError, ValueError, RecursionError):
            pass  # the poll that follows tells what is the matter
        finally:
            if not is_left_to_drain:
                await chunks.aclose()
                await response.aclose()

    def _stream_call(self) -> Call:
        url = self._http.settings.hosts.request(self._endpoint, self._request_id, "status/stream")
        headers = call_headers(accept="text/event-stream") | {"accept-encoding": "identity"}
        return Call(
            "GET",
            f"{url}?logs={int(self._with_logs)}",
            f"the status stream of {self._request_id}",
            endpoint=str(self._endpoint),
            request_id=self._request_id,
            headers=headers,
            timeout_s=self._idle_s,
            pool="streams",
        )

    def _note(self, outcome: Answer | Lost) -> None:
        """Take in why there is no stream: not offered, or only for now."""
        if isinstance(outcome, Answer) and outcome.status < 500 and outcome.status not in _PASSING_TROUBLE:
            self._is_refused = True
        else:
            self._breaks += 1

    def _news(self, status: AnyStatus) -> AnyStatus | None:
        """Return the status with all logs so far, or None where it says nothing new."""
        fresh = []
        if self._with_logs and not isinstance(status, Queued):
            fresh = self._logs.add(status.logs)
            status = replace(status, logs=list(self._logs.lines))
        shape = (type(status), status.position if isinstance(status, Queued) else None)
        if shape == self._last and not fresh:
            return None
        self._last = shape
        return status

    def _set_polling(self, *, on: bool) -> None:
        self._pace.pollers += on - self._is_polling
        self._is_polling = on


def status_call(http: Http, endpoint: EndpointId, request_id: str, *, with_logs: bool) -> Call:
    """Return the call that asks once for a request's status."""
    url = http.settings.hosts.request(endpoint, request_id, "status")
    return Call(
        "GET",
        f"{url}?logs={int(with_logs)}",
        f"the status of {request_id}",
        endpoint=str(endpoint),
        request_id=request_id,
        headers=call_headers(),
    )


async def ask_status(http: Http, call: Call) -> AnyStatus:
    """Return the status that a call of `status_call` brings."""
    body, answer = await http.ask_json(call)
    try:
        return parse_status(body)
    except ProtocolError as error:
        problem = str(error).removesuffix(".")
    raise unreadable_error(call, answer.headers, problem)


async def _drain(chunks: AsyncGenerator[bytes, None], response: httpx.Response) -> None:
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _ in chunks:
                pass
    except TimeoutError:
        pass
    finally:
        await response.aclose()
