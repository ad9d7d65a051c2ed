"""Tokens that open a realtime connection: JWTs signed with a secret of this simulator's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

from fal_nb.protocol.endpoint import EndpointId

__all__ = ["LIFE_S", "Passes"]

LIFE_S = 120
"""Life of a token that asks for none. Source: fal-client 1.0.3 ``REALTIME_TOKEN_EXPIRATION_SECONDS``."""
_HEAD = {"alg": "HS256", "typ": "JWT"}


class Passes:
    """Issues tokens and looks at those that come back."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def issue(self, apps: Sequence[str], life_s: float) -> str:
        """Return a token for some apps: their aliases alone, or their whole ids."""
        claims = {"allowed_apps": list(apps), "exp": time.time() + life_s, "jti": secrets.token_hex(8)}
        signed = f"{_text(_HEAD)}.{_text(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def opens(self, token: str, endpoint: EndpointId) -> bool:
        """Return whether a token is one of these, has not run out and is for this endpoint."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return False
        claims = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
        names = {endpoint.alias, endpoint.base, str(endpoint), f"{endpoint}/realtime"}
        return claims["exp"] > time.time() and not names.isdisjoint(claims["allowed_apps"])

    def _signature(self, signed: str) -> str:
        return _plain(hmac.new(self._secret, signed.encode(), hashlib.sha256).digest())


def _text(value: Any) -> str:
    return _plain(json.dumps(value, separators=(",", ":")).encode())


def _plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
