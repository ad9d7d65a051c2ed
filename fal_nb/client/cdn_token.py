"""The token that lets a client upload to the CDN: fetched with the key, kept until it is about to expire."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fal_nb.client.http import Http
from fal_nb.client.loops import PerLoop
from fal_nb.client.options import call_headers
from fal_nb.client.verdicts import Answer, Call, unreadable_error

__all__ = ["CdnToken", "CdnTokens", "text_of"]

_LEEWAY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class CdnToken:
    """One token, as the value of an ``Authorization`` header."""

    authorization: str = field(repr=False)
    expires_at: datetime

    @property
    def is_fresh(self) -> bool:
        """Whether it is good for at least 30 s more."""
        return datetime.now(UTC) + _LEEWAY < self.expires_at


class CdnTokens:
    """Fetches tokens, one at a time. Source: fal-client 1.0.3 ``AsyncCDNTokenManager``."""

    def __init__(self, http: Http, *, timeout_s: float) -> None:
        self._http = http
        self._timeout_s = timeout_s
        self._token: CdnToken | None = None
        self._lock = PerLoop(asyncio.Lock)

    def forget(self) -> None:
        """Fetch a new one next time."""
        self._token = None

    async def fresh(self, instead_of: CdnToken | None = None) -> CdnToken:
        """Return a token that is valid for a while, fetched once for all uploads that wait for it.

        Parameters
        ----------
        instead_of
            One that was refused.

        Raises
        ------
        FalError
            Where none can be had.
        """
        async with self._lock.get():
            token = self._token
            if token is None or token is instead_of or not token.is_fresh:
                token = self._token = await self._fetch()
            return token

    async def _fetch(self) -> CdnToken:
        call = Call(
            "POST",
            self._http.settings.hosts.upload_token(),
            "the request for an upload token",
            headers=call_headers() | {"content-type": "application/json"},
            content=b"{}",
            timeout_s=self._timeout_s,
        )
        answer = await self._http.ask(call)
        authorization = f"{text_of(call, answer, 'token_type')} {text_of(call, answer, 'token')}"
        if not (authorization.isascii() and authorization.isprintable()):
            raise unreadable_error(call, answer.headers, "its token cannot be a header")
        try:
            expires_at = datetime.fromisoformat(text_of(call, answer, "expires_at"))
        except ValueError:
            expires_at = datetime.now(UTC)
        if expires_at.tzinfo is None:
            expires_at = expires_at.replace(tzinfo=UTC)
        return CdnToken(authorization, expires_at)


def text_of(call: Call, answer: Answer, key: str) -> str:
    """Return one text of a JSON answer.

    Raises
    ------
    ProtocolError
        Where there is none.
    """
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    value = body.get(key) if isinstance(body, Mapping) else None
    if not isinstance(value, str):
        raise unreadable_error(call, answer.headers, f"it names no {key}")
    return value
