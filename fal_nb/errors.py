"""Every error of the package, in one tree, so that one ``except FalError`` catches all of them.

::

    FalError
    ├── ConfigError                a setting, a key or a base URL is missing or wrong
    │   └── MissingCredentialsError
    ├── EndpointError              (ValueError) not an endpoint id
    ├── ArgumentsError             (ValueError) the arguments do not fit the endpoint's schema; nothing was sent
    ├── BudgetError                a call would cost more than is left; nothing was sent
    ├── GrammarError               (ValueError) a magic's line or body cannot be read
    ├── FileError                  a local file cannot be read or written
    ├── HistoryError               the history file is locked, read-only, damaged or newer
    ├── JobError                   no such job, or it has no result to give
    ├── WrongThreadError           a blocking call where it could never end
    ├── TransferError              no usable answer, and repeating the request is harmless
    │   └── NotSent                the request provably never left: no connection was made
    ├── SubmissionUnknown          a paid POST may have arrived; it is never repeated by itself
    ├── RealtimeError              (RuntimeError) a realtime session failed, or ended in the middle
    ├── ProtocolError              an answer is not what the protocol says
    ├── WebhookError               a delivery that is not believed, or cannot be checked now
    ├── FalClientTimeoutError      (TimeoutError) the caller's own time limit ran out
    └── FalClientHTTPError         the server answered with an error
        ├── AuthenticationError    401
        ├── AccountLockedError     403, the account cannot pay
        ├── PermissionDeniedError  403, anything else
        ├── NotFoundError          404
        ├── RequestCancelledError  499
        ├── ValidationError        422
        ├── RateLimitedError       429
        └── ServerError            5xx

Names that begin with ``FalClient`` are those of the official Python client, so that ``except`` clauses written for it
keep their meaning; ``FalClientError`` is the root under its name there.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import httpx

from fal_nb.plain import plain_text
from fal_nb.protocol.error_bodies import (
    RefusedField,
    is_retryable,
    number_in,
    read_body,
    read_fields,
    say,
    shorten,
    text_in,
)

__all__ = [
    "AccountLockedError",
    "ArgumentsError",
    "AuthenticationError",
    "BudgetError",
    "ConfigError",
    "EndpointError",
    "FalClientError",
    "FalClientHTTPError",
    "FalClientTimeoutError",
    "FalError",
    "FileError",
    "GrammarError",
    "HistoryError",
    "JobError",
    "MissingCredentialsError",
    "NotFoundError",
    "NotSent",
    "PermissionDeniedError",
    "ProtocolError",
    "RateLimitedError",
    "RealtimeError",
    "RefusedField",
    "RequestCancelledError",
    "ServerError",
    "SubmissionUnknown",
    "TransferError",
    "ValidationError",
    "WebhookError",
    "WebhookReason",
    "WrongThreadError",
    "error_from_response",
]

WebhookReason: TypeAlias = Literal["size", "headers", "timestamp", "keys", "signature", "body"]

_LONGEST_CHARS = 20_000


class FalError(Exception):
    """Root of all errors raised by this package.

    Attributes
    ----------
    request_id, endpoint
        The request and the endpoint it was about, or None where not known.

    The message is plain text, whatever a server said: no terminal takes any of it for a command.
    """

    def __init__(self, message: str, *, request_id: str | None = None, endpoint: str | None = None) -> None:
        super().__init__(plain_text(message, _LONGEST_CHARS))
        self.request_id = request_id
        self.endpoint = endpoint

    _shown_at: int | None = None

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: one line, and in full when it asks again for the same raise, as ``%tb`` does.

        IPython calls this where an exception has it; scripts and other shells show the traceback as ever.
        """
        raised = id(self.__traceback__)
        if self._shown_at != raised:
            self._shown_at = raised
            return [f"{type(self).__name__}: {self}"]
        trace = self.__traceback__
        while trace is not None and trace.tb_next and "interactiveshell" in trace.tb_frame.f_code.co_filename:
            trace = trace.tb_next  # what ran the cell says nothing of the mistake
        return "".join(traceback.format_exception(type(self), self, trace)).splitlines()


FalClientError = FalError
"""The official client's name for the root. Source: fal-client 1.0.3 ``FalClientError``."""


class ConfigError(FalError):
    """A setting, a key or a base URL is missing or wrong."""


class MissingCredentialsError(ConfigError):
    """No key was found anywhere, and the real service was asked for."""


class EndpointError(FalError, ValueError):
    """The text is not an endpoint id (``owner/alias[/path]``)."""


class ArgumentsError(FalError, ValueError):
    """The arguments do not fit the endpoint's schema; nothing was sent.

    Attributes
    ----------
    problems
        All of them, in the order of the arguments: each has ``path``, ``message`` and ``suggestion``.
    """

    def __init__(self, endpoint: str, problems: Sequence[object]) -> None:
        lines = [str(problem) for problem in problems]
        if len(lines) > 1:
            lines = [f"{len(lines)} arguments to mend", *(f"  {line}" for line in lines)]
        text = "\n".join(lines)
        super().__init__(f"{endpoint}: {text}", endpoint=endpoint)
        self.problems = tuple(problems)


class BudgetError(FalError):
    """A call would cost more than a budget allows, or nobody can say how much; nothing was sent or written.

    Attributes
    ----------
    scope
        Which budget: ``call``, ``session``, ``daily`` or ``sweep``.
    needed
        What the call would cost at most; None where nothing bounds it.
    left
        What is left of the budget; both in US dollars.
    """

    def __init__(
        self, message: str, *, scope: str, needed: float | None, left: float, endpoint: str | None = None
    ) -> None:
        super().__init__(message, endpoint=endpoint)
        self.scope = scope
        self.needed = needed
        self.left = left


class GrammarError(FalError, ValueError):
    """A magic's line or body cannot be read.

    Attributes
    ----------
    column
        0-based position in the line, or None where the mistake is not at one place.
    """

    def __init__(self, message: str, *, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column


class FileError(FalError):
    """A local file cannot be read or written."""


class HistoryError(FalError):
    """The history file is locked, read-only, damaged or written by a newer version."""


class LeaseLost(HistoryError):  # noqa: N818 - it says what happened; nobody made a mistake
    """Another session follows the job by now: it lives there, and nothing more may be written from here."""


class JobError(FalError):
    """There is no such job, or it has no result to give."""


class WrongThreadError(FalError):
    """A blocking call on the runtime's own thread or in a forked child, where it could never end."""


class TransferError(FalError):
    """No usable answer came back, and repeating the request is harmless."""


class NotSent(TransferError):  # noqa: N818 - the fixed word for it, see the design
    """The request provably never left: no connection was made."""


class SubmissionUnknown(FalError):  # noqa: N818 - fixed public name
    """A paid POST may have arrived and its answer was lost; sending it again could pay twice."""


class ProtocolError(FalError):
    """An answer is not what the protocol says."""


class WebhookError(FalError):
    """A webhook delivery that is not believed, or cannot be checked just now; nothing of it was used.

    Attributes
    ----------
    reason
        ``size`` (over the limit), ``headers`` (missing or misshapen), ``timestamp`` (too far from now: old, or the
        clocks differ), ``keys`` (fal's public keys cannot be had: worth another try), ``signature`` (of none of the
        keys: not fal's, or changed on the way), ``body`` (fal's, and not understood).
    """

    def __init__(self, message: str, *, reason: WebhookReason, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.reason: WebhookReason = reason


class RealtimeError(FalError, RuntimeError):
    """A realtime session failed, or its connection ended in the middle.

    Attributes
    ----------
    error
        ``INTERNAL_ERROR`` where the app raised, ``CONNECTION_CLOSED`` where the connection broke, or what else the
        runtime calls it.
    reason
        Its own words, empty where there are none.
    payload
        The whole message.

    Source: fal-client 1.0.3 ``RealtimeError``.
    """

    def __init__(
        self,
        error: str,
        reason: str | None = None,
        payload: Mapping[str, Any] | None = None,
        *,
        endpoint: str | None = None,
        request_id: str | None = None,
    ) -> None:
        message = f"{error}: {reason}" if reason else error
        super().__init__(message, request_id=request_id, endpoint=endpoint)
        self.error = plain_text(error, _LONGEST_CHARS)
        self.reason = plain_text(reason or "", _LONGEST_CHARS)
        self.payload = dict(payload or {})

    def __reduce__(self) -> tuple[Any, ...]:
        """Be made again from its parts."""
        return type(self), (self.error, self.reason, self.payload), self.__dict__


class FalClientTimeoutError(FalError, TimeoutError):
    """The caller's own time limit ran out.

    Attributes
    ----------
    timeout
        The limit, in seconds.
    """

    def __init__(self, timeout: float, request_id: str | None = None, *, endpoint: str | None = None) -> None:
        about = f" (request {request_id})" if request_id else ""
        super().__init__(f"No result within {timeout:g} s{about}.", request_id=request_id, endpoint=endpoint)
        self.timeout = timeout


class FalClientHTTPError(FalError):
    """The server answered with an error.

    Attributes
    ----------
    status_code
        HTTP status.
    detail
        What the body says: text, or a list of ``{loc, msg, type, …}`` for validation errors.
    error_type
        ``error_type`` of the body, else the ``x-fal-error-type`` header, else None.
    response_headers
        The answer's headers, lower-case names.
    response
        The whole answer, or None where there is none. It knows no key: its request is without credentials and
        without a body. Left out of pickles and copies.
    billable_units
        Units charged for the failed request, or None where the server does not say.
    fields
        Each refused input of a validation error, with the path to it.
    is_retryable
        Whether the same call may go well later. A paid one is never repeated by itself.
    is_from_gateway
        Whether something before fal wrote it, a load balancer or a proxy, so that it says nothing of the request.

    Source: fal-client 1.0.3 ``client.py`` (names), fal docs "Model Errors" and "Request Error Types".
    """

    def __init__(  # noqa: PLR0913 - signature of the official client, and what it lacks
        self,
        message: str,
        status_code: int = 0,
        response_headers: Mapping[str, str] | None = None,
        response: httpx.Response | None = None,
        error_type: str | None = None,
        *,
        detail: Any = None,
        request_id: str | None = None,
        endpoint: str | None = None,
        fields: tuple[RefusedField, ...] = (),
    ) -> None:
        super().__init__(message, request_id=request_id, endpoint=endpoint)
        self.fields = fields
        self.message = str(self)
        self.status_code = status_code
        self.response_headers = dict(response_headers or {})
        self.response = response
        self.detail = detail
        self.error_type = error_type
        self.billable_units = number_in(self.response_headers.get("x-fal-billable-units"))
        self.is_retryable = is_retryable(status_code, self.response_headers, error_type)
        self.is_from_gateway = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the answer out: nobody asked to have it written down."""
        return type(self), self.args, {**self.__dict__, "response": None}


class AuthenticationError(FalClientHTTPError):
    """401: the key was refused."""


class AccountLockedError(FalClientHTTPError):
    """403: the account is locked, usually for want of balance; nothing was started."""


class PermissionDeniedError(FalClientHTTPError):
    """403 for any other reason."""


class NotFoundError(FalClientHTTPError):
    """404: no such endpoint or request."""


class RequestCancelledError(FalClientHTTPError):
    """499: the request was cancelled before it produced a result."""


class ValidationError(FalClientHTTPError):
    """422: the endpoint refused its arguments; ``detail`` names the fields."""


class RateLimitedError(FalClientHTTPError):
    """429: refused for now; nothing was started."""


class ServerError(FalClientHTTPError):
    """5xx: fal or the endpoint failed."""


_BY_STATUS: dict[int, type[FalClientHTTPError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: ValidationError,
    429: RateLimitedError,
    499: RequestCancelledError,
}


def error_from_response(
    status_code: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    request_id: str | None = None,
    endpoint: str | None = None,
    response: httpx.Response | None = None,
) -> FalClientHTTPError:
    """Return the error that fits an HTTP error answer.

    Parameters
    ----------
    headers
        Names in lower case.
    body
        As received; JSON of any shape, text or HTML.

    Source: fal docs "Model Errors", "Request Error Types"; body shapes 1 to 7 of the protocol notes.
    """
    detail, error_type = read_body(body)
    error_type = error_type or text_in(headers.get("x-fal-error-type"))
    cls = _BY_STATUS.get(status_code, ServerError if status_code >= 500 else FalClientHTTPError)
    if status_code == 403 and "locked" in shorten(detail, _LONGEST_CHARS).lower():
        cls = AccountLockedError
    fields = read_fields(detail)
    error_type = error_type or next((field.type for field in fields if field.type), None)
    if headers.get("x-fal-request-timeout-type") == "user":
        message = "No runner took the request within its start timeout (HTTP 504): allow more, or try again later."
    else:
        message = say(status_code, detail, fields, error_type)
    request_id = request_id or headers.get("x-fal-request-id")
    return cls(
        message,
        status_code,
        headers,
        response,
        error_type,
        detail=detail,
        request_id=request_id,
        endpoint=endpoint,
        fields=fields,
    )
