"""What travels over a realtime connection, frame by frame, and what each frame means. Pure: no socket, no clock.

Inputs and outputs are msgpack in binary frames unless an app has a codec of its own; what the gateway and the runtime
say themselves is JSON in text frames, whatever the codec.
Source: fal 1.83.0 (Python package) ``realtime.py``; fal-client 1.0.3 ``_decode_realtime_message``; fal-js
``realtime.ts``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fal_nb.protocol.status import JSON

__all__ = [
    "BUFFERING",
    "TIMEOUT",
    "TOKEN_LIFE_S",
    "TOKEN_PARAMETER",
    "Failure",
    "Message",
    "Notice",
    "Output",
    "Timings",
    "Unauthorized",
    "decode_output",
    "encode_input",
    "read_text",
    "with_realtime",
]

TOKEN_PARAMETER = "fal_jwt_token"  # noqa: S105 - the name of a parameter
"""Name of the query parameter that bears the token. Source: fal-client 1.0.3 ``_build_runner_ws_url``."""
TOKEN_LIFE_S = 120
"""Source: fal-client 1.0.3 ``REALTIME_TOKEN_EXPIRATION_SECONDS``."""
BUFFERING = (1, 60)
"""Least and most inputs that may be held for an app. Source: fal-client 1.0.3 ``REALTIME_MAX_BUFFERING``."""
TIMEOUT = "TIMEOUT"
"""The error that the runtime sends at every end that is none: no input came, or a series was complete."""


@dataclass(frozen=True, slots=True)
class Output:
    """What the app answered."""

    data: JSON


@dataclass(frozen=True, slots=True)
class Timings:
    """How many seconds the app computed for the output before."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Notice:
    """Another word of the runtime that is about the connection, not an output."""

    payload: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Failure:
    """The app or its runtime failed, or ended the session.

    Attributes
    ----------
    error
        ``TIMEOUT`` for an end that is no failure, ``INTERNAL_ERROR`` where the app raised; others may come.
    """

    error: str
    reason: str
    payload: Mapping[str, JSON] = field(default_factory=dict, repr=False)

    @property
    def is_end(self) -> bool:
        """Whether it only says that the session has ended."""
        return self.error == TIMEOUT


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """The token was refused, or has run out: another one is needed."""


Message: TypeAlias = Output | Timings | Notice | Failure | Unauthorized


def encode_input(message: JSON) -> bytes:
    """Return an input as one binary frame; bytes inside it stay bytes.

    Raises
    ------
    TypeError, ValueError, OverflowError
        Where it holds what msgpack cannot.
    """
    import msgpack  # noqa: PLC0415 - only where a connection is opened

    return bytes(msgpack.packb(message, use_bin_type=True))


def decode_output(frame: bytes) -> Any:
    """Return what a binary frame holds.

    Raises
    ------
    ValueError
        Where it is not msgpack.
    """
    import msgpack  # noqa: PLC0415 - as above

    try:
        return msgpack.unpackb(frame, raw=False, strict_map_key=False)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise ValueError(str(error) or type(error).__name__) from None


def read_text(text: str) -> Message:
    """Return what a text frame means; one that is no JSON is an output of the type ``text``."""
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return Output({"type": "text", "payload": text})
    if not isinstance(payload, dict):
        return Output(payload)
    kind = payload.get("type")
    if kind == "x-fal-error":
        return Failure(_word(payload, "error") or "UNKNOWN_ERROR", _word(payload, "reason"), payload)
    if kind == "x-fal-message":
        seconds = payload.get("timing")
        if payload.get("action") == "timings" and isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
            return Timings(float(seconds))
        return Notice(payload)
    if payload.get("status") == "error" and payload.get("error") == "Unauthorized":
        return Unauthorized()
    return Output(payload)


def with_realtime(endpoint: str, path: str) -> str:
    """Return where an endpoint is connected to: its id and a path, which is not appended twice."""
    path = path.strip("/")
    return endpoint if not path or endpoint.endswith(f"/{path}") else f"{endpoint}/{path}"


def _word(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
