"""What the body and the headers of an error answer say, whatever their shape; `errors` makes one of its classes of it.

Source: fal docs "Model Errors", "Request Error Types"; body shapes 1 to 7 of the protocol notes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fal_nb.plain import one_line

__all__ = ["RefusedField", "is_retryable", "number_in", "read_body", "read_fields", "say", "shorten", "text_in"]

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
            line += f", got {shorten(self.given)}"
        # What the message says already is not said again.
        more = {key: value for key, value in self.allowed.items() if shorten(value).strip('"') not in self.message}
        if more:
            line += " (" + ", ".join(f"{_WORDS.get(key, key)} {shorten(value)}" for key, value in more.items()) + ")"
        return _line(line, _MESSAGE_CHARS)


def read_body(body: bytes) -> tuple[Any, str | None]:
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
        return inner.get("message") or inner, text_in(inner.get("type"))
    detail = data.get("detail", inner or data.get("message") or data.get("status") or data)
    return detail, text_in(data.get("error_type"))


def say(status_code: int, detail: Any, fields: Sequence[RefusedField], error_type: str | None) -> str:
    """Say in one line what the body says; for validation errors the fields, what was given, what is allowed."""
    if fields:
        text = "; ".join(str(field) for field in fields)
    else:
        text = (
            detail if isinstance(detail, str) else "" if detail in (None, {}, []) else shorten(detail, _LONGEST_CHARS)
        )
    text = _line(text, _MESSAGE_CHARS)
    if not text:
        kind = _line(error_type or "", _TYPE_CHARS)
        text = f"{kind}: no detail" if kind else "no detail"
    return f"{text} (HTTP {status_code})"


def read_fields(detail: Any) -> tuple[RefusedField, ...]:
    """Return each refused input of a validation error's list, at most a hundred; none where it is no such list."""
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
        shorten(item.get("msg") or item.get("type") or "refused", _LONGEST_CHARS),
        text_in(item.get("type")) or "",
        item.get("input"),
        dict(ctx) if isinstance(ctx, Mapping) else {},
    )


def is_retryable(status_code: int, headers: Mapping[str, str], error_type: str | None) -> bool:
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


def shorten(value: Any, limit: int = 80) -> str:
    """Return a value of an answer as JSON of at most `limit` characters."""
    if isinstance(value, str) and limit > _MESSAGE_CHARS:
        return value[:limit]
    try:
        return json.dumps(value)[:limit]
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def _line(text: str, limit: int) -> str:
    return one_line("".join(char if char.isprintable() else " " for char in one_line(text, limit)), limit)


def text_in(value: Any) -> str | None:
    """Return a short word of the server's on one line, None where it is empty or no text."""
    return _line(value, _TYPE_CHARS) or None if isinstance(value, str) else None


def number_in(value: str | None) -> float | None:
    """Return a header's number, None where it is absent or no finite one."""
    try:
        number = float(value) if value is not None else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None
