"""Webhook deliveries: their headers, what their signature covers, what their body says. Pure.

Nothing of a delivery is believed before its signature: until then it is a few texts of a checked form and some bytes.
Source: fal docs "Webhooks".
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from fal_nb.errors import WebhookError
from fal_nb.protocol.status import JSON

__all__ = [
    "HEADERS",
    "MAX_BODY_BYTES",
    "REQUEST_ID",
    "SIGNATURE",
    "TIMESTAMP",
    "TOLERANCE_S",
    "USER_ID",
    "Delivery",
    "HeaderPairs",
    "Signed",
    "read_claims",
    "read_delivery",
    "read_jwks",
    "read_signed",
    "signed_message",
]

REQUEST_ID = "x-fal-webhook-request-id"
USER_ID = "x-fal-webhook-user-id"
TIMESTAMP = "x-fal-webhook-timestamp"
"""Unix time in whole seconds."""
SIGNATURE = "x-fal-webhook-signature"
"""64 bytes of Ed25519 in hexadecimal."""
HEADERS = (REQUEST_ID, USER_ID, TIMESTAMP, SIGNATURE)

TOLERANCE_S = 300.0
"""How far a delivery's timestamp may be from this machine's clock, in seconds, either way."""
MAX_BODY_BYTES = 32 * 1024 * 1024


class _HasItems(Protocol):
    """Headers of frameworks that have `items` and are no mapping, such as the standard library's."""

    def items(self) -> Iterable[tuple[str, str]]: ...


HeaderPairs: TypeAlias = Mapping[str, str] | _HasItems | Iterable[tuple[str | bytes, str | bytes]]
"""Headers as any framework has them: with `items`, or pairs of texts or bytes; the case of names does not count."""

_FORMS = {
    REQUEST_ID: re.compile(r"[A-Za-z0-9._~:-]{1,200}"),
    USER_ID: re.compile(r"[!-~]{1,200}"),
    TIMESTAMP: re.compile(r"[0-9]{1,12}"),
    SIGNATURE: re.compile(r"[0-9A-Fa-f]{128}"),
}
_KEY_TEXT = re.compile(r"[A-Za-z0-9_-]{43}=?")
_MOST_KEYS = 50
_SUCCESSES = ("OK", "COMPLETED")
"""``COMPLETED`` stands in no document of fal's own, and is read all the same."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A delivery whose headers have the right form; whether they are true is still open.

    Attributes
    ----------
    timestamp
        Unix time in seconds, as the sender says.
    message
        What the signature has to be of.
    """

    request_id: str
    user_id: str
    timestamp: int
    signature: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a delivery says of a request that has ended.

    Attributes
    ----------
    request_id
        That of the submission; the same in every delivery about it.
    gateway_request_id
        That of the last attempt, where fal tried more than once; else None or the same.
    user_id
        The account at fal that made the request. A signature says that fal sent a delivery, not for whom.
    timestamp
        When this delivery was sent, Unix time in seconds, by fal's clock.
    is_ok
        Whether the request succeeded.
    payload
        The endpoint's output, or the body of its error.
    error
        fal's word for what went wrong, for example ``Invalid status code: 422``.
    payload_error
        Why the output is not in the delivery although the request succeeded: it has to be fetched.
    """

    request_id: str
    gateway_request_id: str | None
    user_id: str
    timestamp: int
    is_ok: bool
    payload: JSON
    error: str | None = None
    payload_error: str | None = None

    @property
    def has_output(self) -> bool:
        """Whether the output is in it."""
        return self.is_ok and not (self.payload is None and self.payload_error is not None)


def signed_message(request_id: str, user_id: str, timestamp: str, body: bytes) -> bytes:
    """Return what fal signs: four lines without a last newline, the fourth the body's SHA-256."""
    return "\n".join((request_id, user_id, timestamp, hashlib.sha256(body).hexdigest())).encode()


def read_signed(headers: HeaderPairs, body: bytes, *, max_bytes: int = MAX_BODY_BYTES) -> Signed:
    """Return a delivery's claims, all of the right form.

    Raises
    ------
    WebhookError
        Where the body is too large (``size``), or a header is missing, there twice or misshapen (``headers``).
    """
    if len(body) > max_bytes:
        raise WebhookError(f"The delivery has over {max_bytes} bytes: it was not looked at.", reason="size")
    found = read_claims(headers)
    message = signed_message(found[REQUEST_ID], found[USER_ID], found[TIMESTAMP], body)
    signature = bytes.fromhex(found[SIGNATURE])
    return Signed(found[REQUEST_ID], found[USER_ID], int(found[TIMESTAMP]), signature, message)


def read_claims(headers: HeaderPairs) -> dict[str, str]:
    """Return a delivery's four headers by name, all of the right form.

    Raises
    ------
    WebhookError
        Where one is missing, there twice or misshapen (``headers``).
    """
    found = _headers(headers)
    for name, form in _FORMS.items():
        if name not in found:
            raise WebhookError(f"The delivery has no header {name}: it is not fal's.", reason="headers")
        if not form.fullmatch(found[name]):
            raise WebhookError(f"The delivery's header {name} has not the form that fal's have.", reason="headers")
    return found


def read_jwks(document: JSON) -> tuple[bytes, ...]:
    """Return the Ed25519 public keys of a key set, 32 bytes each; other kinds of key are left out.

    Source: RFC 8037 section 2.
    """
    entries = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        return ()
    keys = (_key(entry) for entry in entries[:_MOST_KEYS])
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def read_delivery(signed: Signed, body: bytes) -> Delivery:
    """Return what the body of a delivery says, whose signature has been verified.

    Raises
    ------
    WebhookError
        Where it says nothing that can be understood (``body``).
    """
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookError("The delivery is fal's, and its body is not JSON.", reason="body") from None
    if not isinstance(values, dict):
        raise WebhookError("The delivery is fal's, and its body is no JSON object.", reason="body")
    status = values.get("status")
    if status not in (*_SUCCESSES, "ERROR"):
        raise WebhookError("The delivery is fal's, and its status is neither OK nor ERROR.", reason="body")
    is_ok = status in _SUCCESSES
    return Delivery(
        request_id=_request_id(values.get("request_id")) or signed.request_id,
        gateway_request_id=_request_id(values.get("gateway_request_id")),
        user_id=signed.user_id,
        timestamp=signed.timestamp,
        is_ok=is_ok,
        payload=values.get("payload"),
        error=None if is_ok else _text(values.get("error")),
        payload_error=_text(values.get("payload_error")),
    )


def _headers(headers: HeaderPairs) -> dict[str, str]:
    """Return the four that matter, by name in lower case.

    Raises
    ------
    WebhookError
        Where one is there twice: which of them was signed?
    """
    items = getattr(headers, "items", None)
    pairs: Iterable[Any] = items() if callable(items) else headers  # type: ignore[assignment]
    found: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name = _latin(raw_name).lower()
        if name in _FORMS:
            if name in found:
                raise WebhookError(f"The delivery has the header {name} twice.", reason="headers")
            found[name] = _latin(raw_value).strip(" \t")
    return found


def _latin(text: Any) -> str:
    return bytes(text).decode("latin-1") if isinstance(text, (bytes, bytearray, memoryview)) else str(text)


def _key(entry: Any) -> bytes | None:
    if not isinstance(entry, Mapping) or entry.get("kty") != "OKP" or entry.get("crv") != "Ed25519":
        return None
    text = entry.get("x")
    if not isinstance(text, str) or not _KEY_TEXT.fullmatch(text):
        return None
    return base64.urlsafe_b64decode(text[:43] + "=")


def _request_id(value: Any) -> str | None:
    return value if isinstance(value, str) and _FORMS[REQUEST_ID].fullmatch(value) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
