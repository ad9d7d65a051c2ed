"""Uploads to fal: by the CDN's token or to signed URLs, whole or in parts.

The one invariant: the key goes to fal alone, for a token or a signed URL; the token goes to the CDN alone; a signed
URL bears neither.
"""

from __future__ import annotations

import asyncio
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from fal_nb.client.bodies import Body, Progress
from fal_nb.client.cdn_token import CdnToken, CdnTokens, text_of
from fal_nb.client.http import Http
from fal_nb.client.lifecycle import Lifecycle, lifecycle_header
from fal_nb.client.options import call_headers
from fal_nb.client.outward import is_public_only
from fal_nb.client.parts import PARTS_ABOVE_BYTES, Part, Source, send_parts
from fal_nb.client.verdicts import Answer, Call, refusal_error, unreadable_error
from fal_nb.errors import AuthenticationError, ConfigError, FalError, FileError
from fal_nb.protocol import headers as names
from fal_nb.protocol.files import guess_content_type, safe_file_name
from fal_nb.protocol.urls import origin

__all__ = ["Repository", "Storage", "check_repositories"]

Repository: TypeAlias = Literal["fal_v3", "cdn", "fal"]
"""Where uploads go, in the official client's words; ``cdn`` is its old name for ``fal_v3``."""

_ANY_TYPE = "application/octet-stream"
_UNNAMED = "upload.bin"
# The server stores a large body before it answers.
_STORING_S = 600.0
_LIFECYCLE_NAMES = ("x-fal-object-lifecycle", "x-fal-object-lifecycle-preference")
_OWN_FAULTS = (FileError, ConfigError, AuthenticationError)
"""What another way of uploading would not mend."""


def check_repositories(
    repository: str | None, fallback: str | Sequence[str] | None = None
) -> tuple[Literal["fal_v3", "fal"], ...]:
    """Return the ways to try, in their order; by default the CDN's token, then a signed URL.

    Raises
    ------
    ConfigError
        Where one does not exist.

    Source: fal-client 1.0.3 ``_normalize_upload_repositories``.
    """
    others = ["fal"] if fallback is None else [fallback] if isinstance(fallback, str) else list(fallback)
    ways: list[Literal["fal_v3", "fal"]] = []
    for name in (repository or "fal_v3", *others):
        if name == "cdn":
            warnings.warn("The repository 'cdn' is now called 'fal_v3'.", DeprecationWarning, stacklevel=3)
        if name not in {"cdn", "fal_v3", "fal"}:
            raise ConfigError(f"repository is 'fal_v3' or 'fal', not {str(name)[:20]!r}.")
        way: Literal["fal_v3", "fal"] = "fal" if name == "fal" else "fal_v3"
        if way not in ways:
            ways.append(way)
    return tuple(ways)


class Storage:
    """Uploads. Source: fal-client 1.0.3 ``AsyncClient.upload``, @fal-ai/client 1.10.1 ``storage.ts``."""

    def __init__(self, http: Http, *, timeout_s: float = 120.0) -> None:
        self._http = http
        self._timeout_s = timeout_s
        self.tokens = CdnTokens(http, timeout_s=timeout_s)

    async def upload(
        self,
        data: bytes,
        content_type: str,
        file_name: str | None = None,
        *,
        lifecycle: Lifecycle | None = None,
        progress: Progress | None = None,
        repositories: Sequence[str] = ("fal_v3", "fal"),
    ) -> str:
        """Return the URL under which uploaded bytes can be read.

        Parameters
        ----------
        progress
            Called with (bytes sent, bytes in all), on the loop's thread; never goes back.
        repositories
            Ways to try, in their order; as `check_repositories` returns them.

        Raises
        ------
        TransferError, FalClientHTTPError
            Where the upload failed in every way.
        """
        return await self._by_any_way(Source(data), content_type, file_name, lifecycle, progress, repositories)

    async def upload_file(
        self,
        path: str | os.PathLike[str],
        *,
        content_type: str | None = None,
        lifecycle: Lifecycle | None = None,
        progress: Progress | None = None,
        repositories: Sequence[str] = ("fal_v3", "fal"),
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
            Where the upload failed in every way.
        """
        file = Path(path)
        source = await asyncio.to_thread(Source, None, file)
        content_type = content_type or guess_content_type(file.name) or _ANY_TYPE
        return await self._by_any_way(source, content_type, file.name, lifecycle, progress, repositories)

    async def _by_any_way(
        self,
        source: Source,
        content_type: str,
        file_name: str | None,
        lifecycle: Lifecycle | None,
        progress: Progress | None,
        repositories: Sequence[str],
    ) -> str:
        header = lifecycle_header(lifecycle)
        headers = {"content-type": content_type} | (dict.fromkeys(_LIFECYCLE_NAMES, header) if header else {})
        ways = {"fal_v3": self._by_token, "fal": self._by_signed_url}
        *first, last = repositories
        for name in first:
            try:
                return await ways[name](source, headers, file_name, progress)
            except _OWN_FAULTS:
                raise
            except FalError as error:
                warnings.warn(f"The upload by {name!r} failed ({error}); trying {last!r}.", UserWarning, stacklevel=2)
        return await ways[last](source, headers, file_name, progress)

    # -- by the CDN's token ------------------------------------------------------------------------------

    async def _by_token(
        self, source: Source, headers: Mapping[str, str], file_name: str | None, progress: Progress | None
    ) -> str:
        name = None if file_name is None else safe_file_name(file_name)
        if source.size_bytes > PARTS_ABOVE_BYTES:
            return await self._parts_by_token(source, {**headers, names.FILE_NAME: name or _UNNAMED}, progress)
        named = {**headers} if name is None else {**headers, names.FILE_NAME: name}
        body = source.whole(progress)
        call, answer = await self._with_token("POST", self._http.settings.hosts.upload(), "the upload", named, body)
        return text_of(call, answer, "access_url")

    async def _parts_by_token(self, source: Source, headers: Mapping[str, str], progress: Progress | None) -> str:
        begin = f"{self._http.settings.hosts.upload()}/multipart"
        call, answer = await self._with_token("POST", begin, "the beginning of the upload", headers)
        access_url = text_of(call, answer, "access_url")
        upload_id = text_of(call, answer, "uploadId")
        if not self._is_cdn(access_url) or not upload_id.isalnum():
            raise unreadable_error(call, answer.headers, "it names no place at the CDN")
        base = f"{access_url}/multipart/{upload_id}"
        content_type = {"content-type": headers["content-type"]}

        async def put(number: int, body: Body) -> Part:
            about = f"part {number} of the upload"
            return _part(number, *await self._with_token("PUT", f"{base}/{number}", about, content_type, body))

        parts = await send_parts(source, put, progress)
        await self._with_token(
            "POST", f"{base}/complete", "the end of the upload", _JSON_TYPE, _completion(parts), timeout_s=_STORING_S
        )
        return access_url

    async def _with_token(
        self,
        method: str,
        url: str,
        about: str,
        headers: Mapping[str, str],
        content: bytes | Body | None = None,
        *,
        timeout_s: float | None = None,
    ) -> tuple[Call, Answer]:
        """Send with the CDN's token, and once more with a new one where it was refused."""
        token = await self.tokens.fresh()
        call, answer = await self._send_with(token, method, url, about, headers, content, timeout_s)
        if answer.status == 401:
            token = await self.tokens.fresh(instead_of=token)
            call, answer = await self._send_with(token, method, url, about, headers, content, timeout_s)
        if answer.status >= 300:
            raise refusal_error(call, answer)
        return call, answer

    async def _send_with(
        self,
        token: CdnToken,
        method: str,
        url: str,
        about: str,
        headers: Mapping[str, str],
        content: bytes | Body | None,
        timeout_s: float | None,
    ) -> tuple[Call, Answer]:
        sent = {**call_headers(headers), "accept-encoding": "identity", "authorization": token.authorization}
        call = self._call(method, url, about, sent, content, timeout_s)
        return call, await self._http.ask(call)

    # -- to a signed URL ---------------------------------------------------------------------------------

    async def _by_signed_url(
        self, source: Source, headers: Mapping[str, str], file_name: str | None, progress: Progress | None
    ) -> str:
        content_type = headers["content-type"]
        lifecycle = {name: value for name, value in headers.items() if name in _LIFECYCLE_NAMES}
        is_large = source.size_bytes > PARTS_ABOVE_BYTES
        hosts = self._http.settings.hosts
        wanted = {"file_name": safe_file_name(file_name or _UNNAMED), "content_type": content_type}
        call = Call(
            "POST",
            hosts.initiate_upload(in_parts=is_large),
            "the request for a place to upload to",
            headers=call_headers({**lifecycle, **_JSON_TYPE}),
            content=json.dumps(wanted).encode(),
            timeout_s=self._timeout_s,
        )
        answer = await self._http.ask(call)
        upload_url, file_url = text_of(call, answer, "upload_url"), text_of(call, answer, "file_url")
        if is_large:
            await self._parts_by_signed_url(source, upload_url, content_type, progress)
        else:
            body = source.whole(progress)
            await self._send_signed("PUT", upload_url, "the upload", {"content-type": content_type}, body)
        return file_url

    async def _parts_by_signed_url(
        self, source: Source, upload_url: str, content_type: str, progress: Progress | None
    ) -> None:
        base, mark, query = upload_url.partition("?")

        async def put(number: int, body: Body) -> Part:
            about = f"part {number} of the upload"
            headers = {"content-type": content_type}
            return _part(number, *await self._send_signed("PUT", f"{base}/{number}{mark}{query}", about, headers, body))

        parts = await send_parts(source, put, progress)
        end = f"{base}/complete{mark}{query}"
        await self._send_signed("POST", end, "the end of the upload", _JSON_TYPE, _completion(parts))

    async def _send_signed(
        self, method: str, url: str, about: str, headers: Mapping[str, str], content: bytes | Body
    ) -> tuple[Call, Answer]:
        public_only = is_public_only(self._http, url)
        sent = call_headers(headers) | {"accept-encoding": "identity"}
        call = self._call(method, url, about, sent, content, _STORING_S, public_only=public_only)
        return call, await self._http.ask(call)

    # -- both --------------------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        url: str,
        about: str,
        headers: Mapping[str, str],
        content: bytes | Body | None,
        timeout_s: float | None,
        *,
        public_only: bool = False,
    ) -> Call:
        length = {"content-length": str(content.size_bytes)} if isinstance(content, Body) else {}
        return Call(
            method,
            url,
            about,
            headers={**headers, **length},
            content=content,
            timeout_s=timeout_s or (_STORING_S if isinstance(content, Body) else self._timeout_s),
            pool="files",
            handed_back=frozenset({401}) if "authorization" in headers else frozenset(),
            bears_key=False,
            public_only=public_only,
        )

    def _is_cdn(self, url: str) -> bool:
        """Return whether a URL lies where the CDN's token may go."""
        found = origin(url)
        is_fals = found is not None and found[0] == "https" and found[1].endswith(".fal.media")
        return self._http.trusts(url) or (is_fals and self._http.settings.hosts.base is None)


_JSON_TYPE = {"content-type": "application/json"}


def _completion(parts: Sequence[Part]) -> bytes:
    return json.dumps({"parts": [part.body() for part in parts]}).encode()


def _part(number: int, call: Call, answer: Answer) -> Part:
    """Return a part by the server's tag of it: a header with some servers, in the body with others.

    Raises
    ------
    ProtocolError
        Where it is in neither.
    """
    tag = answer.headers.get("etag")
    if tag is None:
        tag = text_of(call, answer, "etag")
    return Part(number, tag)
