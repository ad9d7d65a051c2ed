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
    ├── ProtocolError              an answer is not what the protocol says
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

import json
import math
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

from fal_nb.plain import one_line, plain_text

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
    "RefusedField",
    "RequestCancelledError",
    "ServerError",
    "SubmissionUnknown",
    "TransferError",
    "ValidationError",
    "WrongThreadError",
    "error_from_response",
]

_MESSAGE_CHARS = 600
_LONGEST_CHARS = 20_000
_TYPE_CHARS = 100
_MOST_FIELDS = 100
_WORDS = {
    "ge": "at least",
    "gt": "above",
    "le": "at most",
    "lt": "below",
    "multiple_of": "a multiple of",
    "expected": "one of",
    "supported_formats": "takes",
    "supported_extensions": "takes",
    "max_size": "at most, in bytes,",
}
_SAID = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_RETRYABLE_TYPES = frozenset(
    {
        "internal_server_error", "generation_timeout", "downstream_service_error", "downstream_service_unavailable",
        "concurrent_requests_limit", "request_timeout", "startup_timeout", "runner_scheduling_failure",
        "runner_connection_timeout", "runner_disconnected", "runner_connection_refused", "runner_connection_error",
        "runner_incomplete_response",
    }
)  # fmt: skip
"""Source: fal docs "Model Errors", "Request Error Types"."""


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


@dataclass(frozen=True, slots=True)
class RefusedField:
    """What a validation error says of one input.

    Attributes
    ----------
    path
        Names and indexes from the top of the arguments.
    message, type
        The server's words, and its word for the kind of mistake.
    given
        The value that was refused, or None.
    allowed
        What the server says of the limits: ``ge``, ``le``, ``expected``, ``max_size`` …
    """

    path: tuple[str | int, ...]
    message: str
    type: str = ""
    given: Any = None
    allowed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The path as it is written: ``image_size.width``, ``loras[0].scale``."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
        return text

    def __str__(self) -> str:
        line = f"{self.where}: {self.message}" if self.path else self.message
        if self.given is not None and not isinstance(self.given, (dict, list)):
            line = line.removesuffix(".")
            line += f", got {_short(self.given)}"
        # What the message says already is not said again.
        more = {key: value for key, value in self.allowed.items() if _short(value).strip('"') not in self.message}
        if more:
            line += " (" + ", ".join(f"{_WORDS.get(key, key)} {_short(value)}" for key, value in more.items()) + ")"
        return _line(line, _MESSAGE_CHARS)


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
        self.billable_units = _number(self.response_headers.get("x-fal-billable-units"))
        self.is_retryable = _is_retryable(status_code, self.response_headers, error_type)
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
    detail, error_type = _read_body(body)
    error_type = error_type or _text(headers.get("x-fal-error-type"))
    cls = _BY_STATUS.get(status_code, ServerError if status_code >= 500 else FalClientHTTPError)
    if status_code == 403 and "locked" in _short(detail, _LONGEST_CHARS).lower():
        cls = AccountLockedError
    fields = _read_fields(detail)
    error_type = error_type or next((field.type for field in fields if field.type), None)
    if headers.get("x-fal-request-timeout-type") == "user":
        message = "No runner took the request within its start timeout (HTTP 504): allow more, or try again later."
    else:
        message = _say(status_code, detail, fields, error_type)
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


def _read_body(body: bytes) -> tuple[Any, str | None]:
    """Return (detail, error_type) from any of the known body shapes."""
    text = body.decode("utf-8", "replace").strip()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        if "<html" in text[:200].lower() or "<!doctype" in text[:200].lower() or "nginx" in text[:2000]:
            return "the gateway answered with an HTML page", None
        return text or None, None
    if not isinstance(data, dict):
        return data, None
    inner = data.get("error")
    if isinstance(inner, dict):
        return inner.get("message") or inner, _text(inner.get("type"))
    detail = data.get("detail", inner or data.get("message") or data.get("status") or data)
    return detail, _text(data.get("error_type"))


def _say(status_code: int, detail: Any, fields: Sequence[RefusedField], error_type: str | None) -> str:
    """Say in one line what the body says; for validation errors the fields, what was given, what is allowed."""
    if fields:
        text = "; ".join(str(field) for field in fields)
    else:
        text = detail if isinstance(detail, str) else "" if detail in (None, {}, []) else _short(detail, _LONGEST_CHARS)
    text = _line(text, _MESSAGE_CHARS)
    if not text:
        kind = _line(error_type or "", _TYPE_CHARS)
        text = f"{kind}: no detail" if kind else "no detail"
    return f"{text} (HTTP {status_code})"


def _read_fields(detail: Any) -> tuple[RefusedField, ...]:
    if not isinstance(detail, list) or not all(isinstance(item, Mapping) for item in detail):
        return ()
    return tuple(_field(item) for item in detail[:_MOST_FIELDS])


def _field(item: Mapping[str, Any]) -> RefusedField:
    loc = item.get("loc")
    parts = loc if isinstance(loc, list) else []
    path = tuple(part for part in parts if isinstance(part, (str, int)) and not isinstance(part, bool))
    ctx = item.get("ctx")
    return RefusedField(
        path[1:] if path[:1] == ("body",) else path,
        _short(item.get("msg") or item.get("type") or "refused", _LONGEST_CHARS),
        _text(item.get("type")) or "",
        item.get("input"),
        dict(ctx) if isinstance(ctx, Mapping) else {},
    )


def _is_retryable(status_code: int, headers: Mapping[str, str], error_type: str | None) -> bool:
    """Return whether the same call may go well later: by what fal says, else by the kind of error.

    Source: fal docs "Model Errors" and "Request Error Types"; two names of the header are seen in the wild.
    """
    for name in ("x-fal-retryable", "x-fal-needs-retry"):
        said = headers.get(name, "").strip().lower()
        if said in _SAID:
            return _SAID[said]
    if error_type is not None and error_type in _RETRYABLE_TYPES:
        return True
    return status_code in {408, 425, 429}


def _short(value: Any, limit: int = 80) -> str:
    if isinstance(value, str) and limit > _MESSAGE_CHARS:
        return value[:limit]
    try:
        return json.dumps(value)[:limit]
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def _line(text: str, limit: int) -> str:
    return one_line("".join(char if char.isprintable() else " " for char in one_line(text, limit)), limit)


def _text(value: Any) -> str | None:
    return _line(value, _TYPE_CHARS) or None if isinstance(value, str) else None


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None
