"""What goes out, what comes back, and what an answer or its absence means. Pure: no socket, no clock."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from fal_nb.client.bodies import Body
from fal_nb.client.connections import Pool
from fal_nb.client.withdrawal import Withdrawal
from fal_nb.errors import (
    FalClientHTTPError,
    FalError,
    NotSent,
    ProtocolError,
    SubmissionUnknown,
    TransferError,
    error_from_response,
)
from fal_nb.protocol import headers as names
from fal_nb.protocol.retry import may_repeat
from fal_nb.protocol.status import JSON

__all__ = [
    "Answer",
    "Call",
    "Lost",
    "foreign_error",
    "is_foreign",
    "is_request_id",
    "is_worth_repeating",
    "loss_error",
    "refusal_error",
    "unreadable_error",
]

_REQUEST_ID = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9._~:-]{1,200}\Z")

_SECRETS = frozenset({"authorization", "cookie", "proxy-authorization", "x-fal-cdn-token"})
_OF_THE_BODY = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request as its caller means it, however often it has to be sent.

    Attributes
    ----------
    about
        What it does, in words that fit after "The answer to".
    timeout_s
        Limit for each of: waiting for a connection, writing, the silence before the next byte of the answer.
        None sets no limit to the silence.
    paid
        Whether it starts billable work.
    handed_back
        Error statuses that are returned like a success.
    is_final_5xx
        Whether an answer of 5xx by fal itself is the request's own outcome rather than a passing trouble.
    bears_key
        Whether it shows the key, where its URL lies under the configured hosts.
    public_only
        Whether it may go to public addresses only.
    withdrawal
        Takes it back where it waits for another try.
    """

    method: str
    url: str
    about: str
    endpoint: str | None = None
    request_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Body | None = None
    timeout_s: float | None = 120.0
    pool: Pool = "calls"
    paid: bool = False
    handed_back: frozenset[int] = frozenset()
    is_final_5xx: bool = False
    bears_key: bool = True
    public_only: bool = False
    withdrawal: Withdrawal | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    Attributes
    ----------
    headers
        Names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str | None:
        """The id fal gave the request, where the answer came from fal itself."""
        said = self.headers.get(names.REQUEST_ID)
        return said if said is not None and is_request_id(said) else None

    def json(self) -> JSON:
        """Return the decoded body.

        Raises
        ------
        ValueError
            Where it is not JSON, or nested deeper than can be read.
        """
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer, or part of one.

    Attributes
    ----------
    sent
        False only where the request provably never left.
    headers
        Those of the answer, as far as they came.
    is_final
        Whether another try would end the same way.
    """

    reason: str
    sent: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    is_final: bool = False


def is_request_id(text: str) -> bool:
    """Return whether a server's text can be the id of a request: it is shown, and is a part of addresses."""
    return _REQUEST_ID.match(text) is not None


def is_worth_repeating(call: Call, outcome: Answer | Lost) -> bool:
    """Return whether the call may be sent again after this outcome."""
    if isinstance(outcome, Lost):
        return not outcome.is_final and may_repeat(paid=call.paid, sent=outcome.sent, status=None, headers={})
    if outcome.status in call.handed_back or (call.is_final_5xx and outcome.status >= 500 and _is_fals_own(outcome)):
        return False
    return may_repeat(paid=call.paid, sent=True, status=outcome.status, headers=outcome.headers)


def loss_error(call: Call, lost: Lost, tries: int) -> FalError:
    """Return the error for a call that got no usable answer."""
    request_id = call.request_id or lost.headers.get(names.REQUEST_ID)
    if call.paid and lost.sent:
        return _unknown(call, lost.reason, request_id)
    times = "once" if tries == 1 else f"{tries} times"
    if not lost.sent:
        message = f"{call.about[:1].upper()}{call.about[1:]} was not sent: {lost.reason} (tried {times})."
        return NotSent(f"{message} Check the network and the address.", request_id=request_id, endpoint=call.endpoint)
    if lost.is_final:
        return ProtocolError(
            f"The answer to {call.about} cannot be used: {lost.reason}.", request_id=request_id, endpoint=call.endpoint
        )
    message = f"The answer to {call.about} was lost: {lost.reason} (tried {times}). Repeating it is harmless."
    return TransferError(message, request_id=request_id, endpoint=call.endpoint)


def refusal_error(call: Call, answer: Answer) -> FalError:
    """Return the error for an answer that is no success.

    A 5xx that fal itself did not write leaves open whether a paid request was accepted.
    """
    is_from_gateway = answer.status >= 500 and not _is_fals_own(answer)
    if call.paid and is_from_gateway:
        return _unknown(call, f"HTTP {answer.status} from the gateway before fal", answer.request_id)
    if 300 <= answer.status < 400:
        error = FalClientHTTPError(
            f"The server wants {call.about} sent elsewhere, which is not followed (HTTP {answer.status}).",
            answer.status,
            answer.headers,
            _response(call, answer),
            request_id=call.request_id or answer.request_id,
            endpoint=call.endpoint,
        )
    else:
        error = error_from_response(
            answer.status,
            answer.headers,
            answer.body,
            request_id=call.request_id,
            endpoint=call.endpoint,
            response=_response(call, answer),
        )
    error.is_from_gateway = is_from_gateway or is_foreign(answer)
    return error


def is_foreign(answer: Answer) -> bool:
    """Return whether plainly something on the way answered in fal's place: a load balancer, a proxy, a login page.

    It says nothing of the request. fal's own answers bear its id or are JSON; a success that is no JSON can be an
    endpoint's own, unless it is a page.
    """
    if answer.request_id is not None or "json" in answer.headers.get("content-type", ""):
        return False
    if 300 <= answer.status < 400:
        return True
    try:
        answer.json()
    except ValueError:
        return answer.status >= 400 or _is_page(answer)
    return False


def foreign_error(call: Call, answer: Answer) -> TransferError:
    """Return the error for a success that is not fal's."""
    message = f"Not fal but a web page answered for {call.about} (HTTP {answer.status}). Repeating it is harmless."
    return TransferError(message, request_id=call.request_id, endpoint=call.endpoint)


def unreadable_error(call: Call, headers: Mapping[str, str], what: str) -> FalError:
    """Return the error for a success whose content is not what the protocol says."""
    request_id = call.request_id or headers.get(names.REQUEST_ID)
    if call.paid:
        return _unknown(call, what, request_id)
    message = f"The answer to {call.about} cannot be used: {what}."
    return ProtocolError(message, request_id=request_id, endpoint=call.endpoint)


def _response(call: Call, answer: Answer) -> httpx.Response:
    """Return an answer for callers to look at; its request bears no body and nothing that opens a door."""
    headers = {name: value for name, value in call.headers.items() if name.lower() not in _SECRETS}
    # Where no key goes along, the query is what opens: a signed URL.
    url = call.url if call.bears_key else call.url.partition("?")[0]
    # The body is decoded and whole by now.
    told = [(name, value) for name, value in httpx.Headers(answer.headers).raw if name.lower() not in _OF_THE_BODY]
    request = httpx.Request(call.method, url, headers=headers)
    return httpx.Response(answer.status, headers=told, content=answer.body, request=request)


def _unknown(call: Call, reason: str, request_id: str | None) -> SubmissionUnknown:
    known = f" fal knows it as request {request_id}." if request_id else ""
    return SubmissionUnknown(
        f"The answer to {call.about} was lost ({reason}). It may have been accepted and charged, so it was not sent "
        f"again: look at your requests at fal (`%fal reconcile`) before you repeat it.{known}",
        request_id=request_id,
        endpoint=call.endpoint,
    )


def _is_page(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "") or answer.body.lstrip()[:1] == b"<"


def _is_fals_own(answer: Answer) -> bool:
    """Return whether fal wrote the answer: it bears a request id, or an error body of fal's shapes."""
    if answer.request_id is not None:
        return True
    try:
        body = answer.json()
    except ValueError:
        return False
    return isinstance(body, dict) and "detail" in body
