"""The queue: submit, status, result, cancel. Requests are addressed by endpoint and id, never by a server's URL."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from fal_nb.client.answers import ResultAnswer, Submitted
from fal_nb.client.follow import IDLE_S, AnyStatus, Follower, ask_status, status_call
from fal_nb.client.http import Http
from fal_nb.client.options import DEFAULTS, CallOptions, call_headers, json_body, with_query
from fal_nb.client.pacing import Pace
from fal_nb.client.verdicts import (
    Answer,
    Call,
    foreign_error,
    is_foreign,
    is_request_id,
    refusal_error,
    unreadable_error,
)
from fal_nb.errors import FalError, ProtocolError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.status import CANCEL_ANSWERS, JSON

__all__ = ["Queue"]

_CANCEL_BOUND_S = 5.0
_LAG_FIRST_S = 0.1
_LAG_SLOWEST_S = 2.0
_LAG_BOUND_S = 60.0


class Queue:
    """Calls of the queue service.

    Parameters
    ----------
    timeout_s
        Limit for each step of one HTTP request, in seconds.
    """

    def __init__(
        self, http: Http, *, timeout_s: float = 120.0, pace: Pace | None = None, idle_s: float = IDLE_S
    ) -> None:
        self._http = http
        self._timeout_s = timeout_s
        self._pace = pace or Pace()
        self._idle_s = idle_s

    async def submit(
        self,
        endpoint: EndpointId,
        arguments: JSON,
        options: CallOptions = DEFAULTS,
        *,
        on_abandoned: Callable[[Submitted], Awaitable[None]] | None = None,
    ) -> Submitted:
        """Return the accepted request. A cancelled task waits up to 5 s for the answer of a POST under way.

        Parameters
        ----------
        on_abandoned
            Awaited with what a POST under way brought after the task was cancelled; by default the request is
            cancelled at the server.

        Raises
        ------
        SubmissionUnknown
            Where the answer was lost; nothing is sent again.
        NotSent
            Where no connection could be made, in any try.
        FalClientHTTPError
            Where the server refused.
        """
        call = Call(
            "POST",
            with_query(self._http.settings.hosts.submit(endpoint, options.path), **options.query()),
            f"the submission to {endpoint}",
            endpoint=str(endpoint),
            headers=options.wire_headers() | {"content-type": "application/json"},
            content=json_body(arguments, str(endpoint)),
            timeout_s=self._timeout_s,
            paid=True,
            withdrawal=options.withdrawal,
        )

        async def abandon(answer: Answer) -> None:
            submitted = self._submitted(call, endpoint, _decoded(answer), answer)
            if on_abandoned is None:
                await self.cancel_quietly(endpoint, submitted.request_id)
            else:
                await on_abandoned(submitted)

        body, answer = await self._http.ask_json(call, on_abandoned=abandon)
        return self._submitted(call, endpoint, body, answer)

    async def status(self, endpoint: EndpointId, request_id: str, *, with_logs: bool = False) -> AnyStatus:
        """Return what the server says at present."""
        return await ask_status(self._http, status_call(self._http, endpoint, request_id, with_logs=with_logs))

    def iter_status(
        self, endpoint: EndpointId, request_id: str, *, with_logs: bool = False
    ) -> AsyncGenerator[AnyStatus, None]:
        """Yield each new status until `Completed`, by one status stream where the server offers it.

        Logs, where asked for, are all so far.
        """
        follower = Follower(self._http, self._pace, endpoint, request_id, with_logs=with_logs, idle_s=self._idle_s)
        return follower.statuses()

    async def result_answer(self, endpoint: EndpointId, request_id: str) -> ResultAnswer:
        """Return the result of a request whose status is `Completed`, waiting out the server's lag if need be.

        Raises
        ------
        FalClientHTTPError
            Where the request failed or was cancelled: its own error.
        ProtocolError
            Where the server goes on saying that it is still in progress.
        """
        waited_s, wait_s = 0.0, _LAG_FIRST_S
        while waited_s < _LAG_BOUND_S:
            found = await self.result_if_ready(endpoint, request_id)
            if found is not None:
                return found
            await asyncio.sleep(wait_s)
            waited_s += wait_s
            wait_s = min(wait_s * 1.5, _LAG_SLOWEST_S)
        raise ProtocolError(
            f"Request {request_id} is completed by its status and in progress by its result.",
            request_id=request_id,
            endpoint=str(endpoint),
        )

    async def result_if_ready(self, endpoint: EndpointId, request_id: str) -> ResultAnswer | None:
        """Return the result, or None where the request is still in progress; raises as `result_answer`."""
        call = Call(
            "GET",
            self._http.settings.hosts.request(endpoint, request_id),
            f"the result of {request_id}",
            endpoint=str(endpoint),
            request_id=request_id,
            headers=call_headers(),
            timeout_s=self._timeout_s,
            handed_back=frozenset({400}),
            is_final_5xx=True,
        )
        answer = await self._http.ask(call)
        body = _decoded(answer)
        if answer.status == 202 or (answer.status == 400 and _says_in_progress(body)):
            return None
        if answer.status == 400:
            raise refusal_error(call, answer)
        if body is None and is_foreign(answer):
            raise foreign_error(call, answer)
        if body is None and answer.body != b"null":
            raise unreadable_error(call, answer.headers, "it is not JSON")
        return ResultAnswer.of(body, answer, request_id)

    async def wait(self, endpoint: EndpointId, request_id: str) -> ResultAnswer:
        """Return the result as soon as there is one: follows the status, then fetches."""
        async for _ in self.iter_status(endpoint, request_id):
            pass
        return await self.result_answer(endpoint, request_id)

    async def cancel_answer(self, endpoint: EndpointId, request_id: str) -> str:
        """Return what the server answers to a cancel: one of `CANCEL_ANSWERS`.

        Raises
        ------
        FalError
            Where fal did not get to answer, or refused.
        """
        call = self._cancel_call(endpoint, request_id)
        answer = await self._http.ask(call)
        body = _decoded(answer)
        word = body.get("status") if isinstance(body, Mapping) else None
        if word in CANCEL_ANSWERS:
            return str(word)
        if answer.status >= 300 and (answer.status != 404 or is_foreign(answer)):
            raise refusal_error(call, answer)
        if answer.status == 404:
            return "NOT_FOUND"
        if is_foreign(answer):
            raise foreign_error(call, answer)
        if isinstance(body, Mapping) and body.get("success") is False:
            return "ALREADY_COMPLETED"
        return "CANCELLATION_REQUESTED" if answer.status == 202 else "OK"

    async def cancel(self, endpoint: EndpointId, request_id: str) -> None:
        """Ask the server to stop a request.

        Raises
        ------
        FalClientHTTPError
            Where it is over already (400) or not known (404), as in the official client.
        """
        call = self._cancel_call(endpoint, request_id)
        answer = await self._http.ask(call)
        if answer.status >= 300:
            raise refusal_error(call, answer)

    async def cancel_quietly(self, endpoint: EndpointId, request_id: str) -> None:
        """Send one cancel and wait up to 5 s for it; never fails, and goes on where its caller is cancelled."""
        with contextlib.suppress(FalError):
            await asyncio.shield(self._http.background.start(self._bounded_cancel(endpoint, request_id)))

    async def _bounded_cancel(self, endpoint: EndpointId, request_id: str) -> None:
        try:
            async with asyncio.timeout(_CANCEL_BOUND_S):
                await self.cancel_answer(endpoint, request_id)
        except TimeoutError:
            return

    def _cancel_call(self, endpoint: EndpointId, request_id: str) -> Call:
        return Call(
            "PUT",
            self._http.settings.hosts.request(endpoint, request_id, "cancel"),
            f"the cancel of {request_id}",
            endpoint=str(endpoint),
            request_id=request_id,
            headers=call_headers(),
            timeout_s=self._timeout_s,
            pool="cancels",
            handed_back=frozenset({400, 404}),
        )

    def _submitted(self, call: Call, endpoint: EndpointId, body: JSON, answer: Answer) -> Submitted:
        request_id = body.get("request_id") if isinstance(body, Mapping) else None
        if not isinstance(request_id, str) or not is_request_id(request_id):
            raise unreadable_error(call, answer.headers, "it names no request id")
        position = body.get("queue_position")
        return Submitted(
            endpoint,
            request_id,
            self._shown_url(body, "response_url", endpoint, request_id, ""),
            self._shown_url(body, "status_url", endpoint, request_id, "status"),
            self._shown_url(body, "cancel_url", endpoint, request_id, "cancel"),
            position if isinstance(position, int) and position >= 0 else None,
        )

    def _shown_url(self, body: Mapping[str, Any], key: str, endpoint: EndpointId, request_id: str, action: str) -> str:
        url = body.get(key)
        if isinstance(url, str) and self._http.trusts(url):
            return url
        return self._http.settings.hosts.request(endpoint, request_id, action)


def _decoded(answer: Answer) -> JSON:
    try:
        return answer.json()
    except ValueError:
        return None


def _says_in_progress(body: JSON) -> bool:
    """Return whether an error body says that the result is not there yet. Source: fal e2e tests, ``test_apps.py``."""
    return isinstance(body, Mapping) and "in progress" in str(body.get("detail", "")).lower()
