"""Every error of the package, in one tree, so that one ``except FalError`` catches all of them.

::

    FalError
    ├── ConfigError                a setting, a key or a base URL is missing or wrong
    │   └── MissingCredentialsError
    ├── EndpointError              (ValueError) not an endpoint id
    ├── ArgumentsError             (ValueError) the arguments do not fit the endpoint's schema; nothing was sent
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

Names that begin with ``FalClient`` are those of the official Python client, so that ``except`` clauses
written for it keep their meaning.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "AccountLockedError",
    "ArgumentsError",
    "AuthenticationError",
    "ConfigError",
    "EndpointError",
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
    "RequestCancelledError",
    "ServerError",
    "SubmissionUnknown",
    "TransferError",
    "ValidationError",
    "WrongThreadError",
    "error_from_response",
]

_MESSAGE_CHARS = 600


class FalError(Exception):
    """Root of all errors raised by this package.

    Attributes
    ----------
    request_id, endpoint
        The request and the endpoint it was about, or None where not known.
    """

    def __init__(self, message: str, *, request_id: str | None = None, endpoint: str | None = None) -> None:
        super().__init__(message)
        self.request_id = request_id
        self.endpoint = endpoint


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
    billable_units
        Units charged for the failed request, or None where the server does not say.

    Source: fal-client 1.0.3 ``client.py`` (names), fal docs "Model Errors" and "Request Error Types".
    """

    def __init__(
        self,
        message: str,
        status_code: int = 0,
        response_headers: Mapping[str, str] | None = None,
        *,
        detail: Any = None,
        error_type: str | None = None,
        request_id: str | None = None,
        endpoint: str | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id, endpoint=endpoint)
        self.message = message
        self.status_code = status_code
        self.response_headers = dict(response_headers or {})
        self.detail = detail
        self.error_type = error_type
        self.billable_units = _number(self.response_headers.get("x-fal-billable-units"))


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
    error_type = error_type or headers.get("x-fal-error-type")
    cls = _BY_STATUS.get(status_code, ServerError if status_code >= 500 else FalClientHTTPError)
    if status_code == 403 and "locked" in str(detail).lower():
        cls = AccountLockedError
    message = _one_line(status_code, detail)
    request_id = request_id or headers.get("x-fal-request-id")
    return cls(
        message,
        status_code,
        headers,
        detail=detail,
        error_type=error_type,
        request_id=request_id,
        endpoint=endpoint,
    )


def _read_body(body: bytes) -> tuple[Any, str | None]:
    """Return (detail, error_type) from any of the known body shapes."""
    text = body.decode("utf-8", "replace").strip()
    try:
        data = json.loads(text)
    except ValueError:
        if "<html" in text[:200].lower() or "nginx" in text:
            return "the gateway answered with an HTML page", None
        return text or None, None
    if not isinstance(data, dict):
        return data, None
    inner = data.get("error")
    if isinstance(inner, dict):
        return inner.get("message") or inner, _text(inner.get("type"))
    detail = data.get("detail", inner or data.get("message") or data.get("status") or data)
    return detail, _text(data.get("error_type"))


def _one_line(status_code: int, detail: Any) -> str:
    """Say in one line what the body says; for validation errors the fields, what was given, what is allowed."""
    if isinstance(detail, list) and detail and all(isinstance(item, dict) for item in detail):
        text = "; ".join(_field_line(item) for item in detail)
    else:
        text = detail if isinstance(detail, str) else json.dumps(detail) if detail is not None else "no detail"
    text = " ".join(text.split())
    if len(text) > _MESSAGE_CHARS:
        text = text[: _MESSAGE_CHARS - 1] + "…"
    return f"{text} (HTTP {status_code})"


def _field_line(item: Mapping[str, Any]) -> str:
    loc = item.get("loc")
    path = ".".join(str(part) for part in loc if part != "body") if isinstance(loc, list) else ""
    line = str(item.get("msg") or item.get("type") or "refused")
    if path:
        line = f"{path}: {line}"
    if "input" in item and not isinstance(item["input"], (dict, list)):
        line += f", got {json.dumps(item['input'])[:80]}"
    ctx = item.get("ctx")
    if isinstance(ctx, dict) and ctx:
        line += " (" + ", ".join(f"{key}={json.dumps(value)[:80]}" for key, value in ctx.items()) + ")"
    return line


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: str | None) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None
