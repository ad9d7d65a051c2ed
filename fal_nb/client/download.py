"""Fetching outputs: from any public https host, without key or cookies, into a file that is whole or not there."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin

import httpx

from fal_nb.client.bodies import Progress
from fal_nb.client.decoding import unpacked
from fal_nb.client.http import Http
from fal_nb.client.outward import is_public_only, shown_host
from fal_nb.client.verdicts import Answer, Call, Lost, is_worth_repeating, loss_error, refusal_error
from fal_nb.errors import FileError, TransferError
from fal_nb.protocol.retry import MAX_ATTEMPTS

__all__ = ["DEFAULT_MAX_BYTES", "Download", "Downloader"]

DEFAULT_MAX_BYTES = 4 * 1024**3
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SILENCE_S = 60.0
_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Download:
    """A file that was fetched.

    Attributes
    ----------
    sha256
        Of its bytes, in hexadecimal.
    content_type
        As the server says, or None.
    """

    path: Path
    size_bytes: int
    sha256: str
    content_type: str | None


class Downloader:
    """Fetches files whose URLs came from a server, trusting neither."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def download(
        self,
        url: str,
        target: Path,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        timeout_s: float = 3600.0,
        tries: int = MAX_ATTEMPTS,
        progress: Progress | None = None,
    ) -> Download:
        """Fetch a URL into `target`, replacing what is there only once all has arrived.

        Only https, and only public addresses, at every redirect; the configured hosts are exempt, and so is
        everything where the configured base is on this machine.

        Parameters
        ----------
        timeout_s
            Limit for the whole download, repeats included.
        tries
            How often it is asked for, where asking again may help.
        progress
            Bytes in all are 0 where the server does not say.

        Raises
        ------
        TransferError
            Where it could not be fetched, or is not allowed.
        FalClientHTTPError
            Where the server refused.
        FileError
            Where `target` cannot be written.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await self._repeat(url, target, max_bytes, tries, progress)
        except TimeoutError:
            raise TransferError(f"The download from {shown_host(url)} took over {timeout_s:g} s.") from None

    async def _repeat(self, url: str, target: Path, max_bytes: int, tries: int, progress: Progress | None) -> Download:
        attempt = 0
        while True:
            attempt += 1
            call, outcome = await self._attempt(url, target, max_bytes, progress)
            if isinstance(outcome, Download):
                return outcome
            if attempt >= tries or not is_worth_repeating(call, outcome):
                break
            await self._http.rest(outcome, attempt)
        raise loss_error(call, outcome, attempt) if isinstance(outcome, Lost) else refusal_error(call, outcome)

    async def _attempt(
        self, url: str, target: Path, max_bytes: int, progress: Progress | None
    ) -> tuple[Call, Download | Answer | Lost]:
        for _ in range(_MAX_REDIRECTS + 1):
            call = self._call(url)
            outcome = await self._http.open_once(call)
            if isinstance(outcome, httpx.Response):
                return call, await _save(outcome, target, max_bytes, progress)
            location = outcome.headers.get("location")
            if isinstance(outcome, Lost) or outcome.status not in _REDIRECTS or not location:
                return call, outcome
            url = urljoin(url, location)
        raise TransferError(f"The download from {shown_host(url)} was redirected more than {_MAX_REDIRECTS} times.")

    def _call(self, url: str) -> Call:
        """Return the call for one hop, if it may be made."""
        public_only = is_public_only(self._http, url)
        return Call(
            "GET",
            url,
            f"the download from {shown_host(url)}",
            headers={"accept": "*/*", "accept-encoding": "identity"},
            timeout_s=_SILENCE_S,
            pool="files",
            bears_key=False,
            public_only=public_only,
        )


class _Part:
    """A file under way, with a name of its own in the target's folder. Its methods block."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.part")
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None

    def write(self, block: bytes) -> None:
        if self._file is None:
            self._file = self._path.open("xb")
        self._file.write(block)
        self._digest.update(block)

    def finish(self, block: bytes) -> str:
        """Write the last block, put the file in its place and return its digest."""
        self.write(block)
        self.close()
        self._path.replace(self._target)
        return self._digest.hexdigest()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self.close()
            self._path.unlink(missing_ok=True)


async def _save(response: httpx.Response, target: Path, max_bytes: int, progress: Progress | None) -> Download | Lost:
    """Write an open answer to its file, and close it."""
    part = _Part(target)
    expected = _length(response)
    block = bytearray()
    size_bytes = 0
    try:
        _check_size(expected, max_bytes, response)
        async for chunk in unpacked(response):
            block += chunk
            size_bytes += len(chunk)
            _check_size(size_bytes, max_bytes, response)
            if len(block) >= _BLOCK_BYTES:
                await asyncio.to_thread(part.write, bytes(block))
                block.clear()
                if progress is not None:
                    progress(size_bytes, expected)
        sha256 = await asyncio.to_thread(part.finish, bytes(block))
    except httpx.RequestError as error:
        is_final = isinstance(error, httpx.DecodingError)
        return Lost(str(error) or type(error).__name__, sent=True, headers=response.headers, is_final=is_final)
    except OSError as error:
        raise FileError(f"{target} cannot be written: {error.strerror or type(error).__name__}.") from error
    finally:
        part.discard()
        await response.aclose()
    if progress is not None:
        progress(size_bytes, size_bytes)
    return Download(target, size_bytes, sha256, response.headers.get("content-type"))


def _check_size(size_bytes: int, max_bytes: int, response: httpx.Response) -> None:
    if size_bytes > max_bytes:
        raise TransferError(f"The file from {response.url.host} has over {max_bytes} bytes: it is not fetched.")


def _length(response: httpx.Response) -> int:
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0
