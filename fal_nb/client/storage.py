"""Uploads to fal's CDN. The key goes to fal for a token; only that token goes to the CDN."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fal_nb.client.bodies import Body, BytesBody, FileBody, Progress, file_size
from fal_nb.client.http import Http
from fal_nb.client.loops import PerLoop
from fal_nb.client.options import call_headers
from fal_nb.client.verdicts import Answer, Call, refusal_error, unreadable_error
from fal_nb.protocol import headers as names
from fal_nb.protocol.files import guess_content_type, safe_file_name

__all__ = ["Storage"]

_ANY_TYPE = "application/octet-stream"
_LEEWAY = timedelta(seconds=30)
# The server stores a large body before it answers.
_STORING_S = 600.0
_LIFECYCLE_NAMES = ("x-fal-object-lifecycle", "x-fal-object-lifecycle-preference")


@dataclass(frozen=True, slots=True)
class _Token:
    authorization: str = field(repr=False)
    expires_at: datetime

    @property
    def is_fresh(self) -> bool:
        return datetime.now(UTC) + _LEEWAY < self.expires_at


class Storage:
    """Uploads, by the token flow. Source: fal-client 1.0.3 ``AsyncCDNTokenManager``, ``AsyncClient.upload``."""

    def __init__(self, http: Http, *, timeout_s: float = 120.0) -> None:
        self._http = http
        self._timeout_s = timeout_s
        self._token: _Token | None = None
        self._lock = PerLoop(asyncio.Lock)

    async def upload(
        self,
        data: bytes,
        content_type: str,
        file_name: str | None = None,
        *,
        lifecycle: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Return the URL under which uploaded bytes can be read.

        Parameters
        ----------
        lifecycle
            ``expiration_duration_seconds`` and ``initial_acl``, as the service writes them.

        Raises
        ------
        TransferError, FalClientHTTPError
            Where the upload failed.
        """
        return await self._send(BytesBody(data, progress), content_type, file_name, lifecycle)

    async def upload_file(
        self,
        path: str | os.PathLike[str],
        *,
        content_type: str | None = None,
        lifecycle: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Return the URL of an uploaded file, which is read from disk as it is sent.

        Parameters
        ----------
        content_type
            By default what the file's extension stands for.

        Raises
        ------
        FileError
            Where the file cannot be read or changes meanwhile.
        TransferError, FalClientHTTPError
            Where the upload failed.
        """
        file = Path(path)
        size_bytes = await asyncio.to_thread(file_size, file)
        content_type = content_type or guess_content_type(file.name) or _ANY_TYPE
        return await self._send(FileBody(file, size_bytes, progress), content_type, file.name, lifecycle)

    async def _send(
        self, body: Body, content_type: str, file_name: str | None, lifecycle: Mapping[str, Any] | None
    ) -> str:
        headers = {"content-type": content_type, "content-length": str(body.size_bytes)}
        if file_name is not None:
            headers[names.FILE_NAME] = safe_file_name(file_name)
        if lifecycle:
            headers |= dict.fromkeys(_LIFECYCLE_NAMES, json.dumps(lifecycle))
        token = await self._fresh_token()
        call, answer = await self._post(body, headers, token)
        if answer.status == 401:
            token = await self._fresh_token(instead_of=token)
            call, answer = await self._post(body, headers, token)
        if answer.status >= 300:
            raise refusal_error(call, answer)
        return _text(call, answer, "access_url")

    async def _post(self, body: Body, headers: Mapping[str, str], token: _Token) -> tuple[Call, Answer]:
        own = call_headers({name: value for name, value in headers.items() if name != "content-length"})
        call = Call(
            "POST",
            self._http.settings.hosts.upload(),
            "the upload",
            headers={**own, "content-length": headers["content-length"], "authorization": token.authorization},
            content=body,
            timeout_s=_STORING_S,
            pool="files",
            handed_back=frozenset({401}),
        )
        return call, await self._http.ask(call)

    async def _fresh_token(self, instead_of: _Token | None = None) -> _Token:
        """Return a token that is valid for a while, fetched once for all uploads that wait for it."""
        async with self._lock.get():
            token = self._token
            if token is None or token is instead_of or not token.is_fresh:
                token = self._token = await self._fetch_token()
            return token

    async def _fetch_token(self) -> _Token:
        call = Call(
            "POST",
            self._http.settings.hosts.upload_token(),
            "the request for an upload token",
            headers=call_headers() | {"content-type": "application/json"},
            content=b"{}",
            timeout_s=self._timeout_s,
        )
        answer = await self._http.ask(call)
        authorization = f"{_text(call, answer, 'token_type')} {_text(call, answer, 'token')}"
        if not (authorization.isascii() and authorization.isprintable()):
            raise unreadable_error(call, answer.headers, "its token cannot be a header")
        try:
            expires_at = datetime.fromisoformat(_text(call, answer, "expires_at"))
        except ValueError:
            expires_at = datetime.now(UTC)
        if expires_at.tzinfo is None:
            expires_at = expires_at.replace(tzinfo=UTC)
        return _Token(authorization, expires_at)


def _text(call: Call, answer: Answer, key: str) -> str:
    """Return one text of a JSON answer."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    value = body.get(key) if isinstance(body, Mapping) else None
    if not isinstance(value, str):
        raise unreadable_error(call, answer.headers, f"it names no {key}")
    return value
