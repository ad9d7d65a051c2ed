"""httpx over aiohttp, knowing for every failure whether the request may have left.

The one invariant: a failure says ``sent=False`` only where no connection was handed to the request. Whether a
paid POST may be sent again is decided by that flag and nothing else.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from functools import cache, partial
from typing import cast

import aiohttp
import httpx

from fal_nb.client.addresses import PrivateAddressError, names_private_host
from fal_nb.client.connections import Connections, Pool, UnrepeatedError, basic_authorization, exact_url
from fal_nb.client.loops import PerLoop

__all__ = ["BACKUPS", "GUARD_EXTENSION", "POOL_EXTENSION", "FalTransport", "TransportFailure", "classified", "judged"]

POOL_EXTENSION = "fal_pool"
"""Request extension that names the `Pool`; ``calls`` where it is absent."""
GUARD_EXTENSION = "fal_public_only"
"""Request extension: True where the request may go to public addresses only."""

# An end of connection that has reached this machine is acted on by the loop only in its next turns: one polls
# the socket, one reads its end, more pass where TLS lies between. A POST gives the loop these turns before it
# takes a connection from the pool, because on a connection that is over its fate would be unknown.
_TURNS_BEFORE_POST = 4
_SMALL_BODY_BYTES = 64 * 1024
_WRITE_CHUNK_BYTES = 256 * 1024

_LOWER_ERRORS = (aiohttp.ClientError, httpx.RequestError, OSError, RuntimeError, ValueError)
"""All that httpx-aiohttp 0.2, aiohttp and the sockets under them let through."""


BACKUPS = {"fal.run": "falrun.com", "queue.fal.run": "queue.falrun.com"}
"""fal's own second domains, tried once where no connection to the first could be made; never after one was.

Source: fal-client 1.0.3 ``BackupDomainTransport``.
"""
_BACKED_CONNECT_S = 5.0


class TransportFailure(httpx.TransportError):
    """No answer, or only part of one.

    Attributes
    ----------
    sent
        False only where no connection was made, so that the request provably never left.
    refused_address
        Whether it was we who refused to connect, because the address is not public.
    """

    def __init__(self, reason: str, *, sent: bool, refused_address: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.refused_address = refused_address


class FalTransport(httpx.AsyncBaseTransport):
    """Transport for `httpx.AsyncClient`, usable from any number of event loops, one after the other or at once.

    Parameters
    ----------
    proxy
        URL of the proxy all requests go through, with user name and password where it wants them.
    trust_env
        Whether ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` are read.
    """

    def __init__(self, *, proxy: str | None = None, trust_env: bool = True) -> None:
        self._proxy = None if proxy is None else httpx.Proxy(proxy)
        # Nothing in here refers back to the transport: one that is dropped unclosed goes at once, not with the
        # next collection of cycles, and its loop closes the connections.
        tls = cache(lambda: httpx.create_ssl_context(trust_env=trust_env))
        self._loops = PerLoop(partial(Connections, self._proxy, tls), Connections.aclose)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request once and return its answer, the body unread.

        Raises
        ------
        TransportFailure
            Where there is no answer; no other kind of error leaves this method or the body's iterator.
        """
        if request.extensions.get(GUARD_EXTENSION) and names_private_host(request.url.host):
            raise TransportFailure(f"{request.url.host} is not a public address", sent=False, refused_address=True)
        if request.method == "POST":
            for _ in range(_TURNS_BEFORE_POST):
                await asyncio.sleep(0)
        outcome = await self._attempt(request)
        if isinstance(outcome, TransportFailure) and not outcome.sent:
            backup = _at_backup(request)
            # Where the backup cannot be reached either, the first failure is the one that tells.
            second = outcome if backup is None else await self._attempt(backup)
            if not (isinstance(second, TransportFailure) and not second.sent):
                outcome = second
        if isinstance(outcome, TransportFailure):
            raise outcome
        outcome.request = request
        outcome.stream = _Body(cast("httpx.AsyncByteStream", outcome.stream))
        return outcome

    async def _attempt(self, request: httpx.Request) -> httpx.Response | TransportFailure:
        """Return the answer, or why there is none; not raised, because the lower error can hold the key."""
        try:
            return await self._send(_adapted(request))
        except _LOWER_ERRORS as error:
            return classified(error)
        except asyncio.CancelledError as error:
            why = error.args
        # A new one: the frames of the old one hold the headers, and a verbose traceback shows them.
        raise asyncio.CancelledError(*why)

    async def aclose(self) -> None:
        """Close all connections, of every loop."""
        await self._loops.aclose()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        inner = self._loops.get().transport(
            cast("Pool", request.extensions.get(POOL_EXTENSION, "calls")),
            tls=request.url.scheme == "https",
            guarded=bool(request.extensions.get(GUARD_EXTENSION)),
        )
        if self._proxy is not None and request.url.scheme == "http" and self._proxy.raw_auth is not None:
            request.headers["proxy-authorization"] = basic_authorization(self._proxy.raw_auth)
        exact_url.set(str(request.url))
        write_s = request.extensions["timeout"].get("write")
        if write_s is None or _is_whole(request):
            return await inner.handle_async_request(request)
        async with asyncio.timeout(None) as limit:
            watched = request.stream = _Watched(cast("httpx.AsyncByteStream", request.stream), limit, write_s)
            try:
                return await inner.handle_async_request(request)
            finally:
                watched.limit = None


class _Body(httpx.AsyncByteStream):
    """An answer's body, whose failures are ours."""

    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._inner:
                yield chunk
        except _LOWER_ERRORS as error:
            failure: BaseException = classified(error)
        except asyncio.CancelledError as error:
            failure = asyncio.CancelledError(*error.args)
        else:
            return
        raise failure

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        except _LOWER_ERRORS:
            return  # the connection is gone either way


class _Chunks(httpx.AsyncByteStream):
    """Bytes handed out piece by piece, so that their progress can be watched; may be iterated again."""

    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), _WRITE_CHUNK_BYTES):
            yield bytes(self._content[start : start + _WRITE_CHUNK_BYTES])


class _Watched(httpx.AsyncByteStream):
    """A request's body that moves a time limit on with every piece taken from it: aiohttp has no write timeout."""

    def __init__(self, inner: httpx.AsyncByteStream, limit: asyncio.Timeout, write_s: float) -> None:
        self.limit: asyncio.Timeout | None = limit
        self._inner = inner
        self._write_s = write_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        async for chunk in self._inner:
            self._move(loop.time() + self._write_s)
            yield chunk
        self._move(None)

    def _move(self, when: float | None) -> None:
        if self.limit is not None:
            self.limit.reschedule(when)


def _at_backup(request: httpx.Request) -> httpx.Request | None:
    """Return the same request for the second domain of its host, or None where it has none."""
    host = BACKUPS.get(request.url.host)
    if host is None:
        return None
    moved = copy.copy(request)
    moved.url = request.url.copy_with(host=host)
    moved.headers = request.headers.copy()
    moved.headers["host"] = moved.url.netloc.decode("ascii")
    return moved


def _adapted(request: httpx.Request) -> httpx.Request:
    """Return a copy of the request in the form that httpx-aiohttp 0.2 treats rightly."""
    timeout = dict(request.extensions.get("timeout", {}))
    connect_s, pool_s = timeout.get("connect"), timeout.get("pool")
    if request.url.host in BACKUPS or request.url.host in BACKUPS.values():
        # Soon enough to try the other one.
        timeout["connect"] = connect_s = min(connect_s or _BACKED_CONNECT_S, _BACKED_CONNECT_S)
    # It hands httpx's "pool" to aiohttp's "connect", which covers the wait for the pool and the connecting.
    timeout["pool"] = None if connect_s is None or pool_s is None else connect_s + pool_s
    extensions = {**request.extensions, "timeout": timeout}
    if _is_whole(request) and len(request.content) > _SMALL_BODY_BYTES:
        stream = _Chunks(request.content)
        return httpx.Request(request.method, request.url, headers=request.headers, stream=stream, extensions=extensions)
    adapted = copy.copy(request)
    adapted.headers = request.headers.copy()
    adapted.stream = request.stream
    adapted.extensions = extensions
    return adapted


def _is_whole(request: httpx.Request) -> bool:
    """Return whether the body is held as bytes."""
    try:
        request.content  # noqa: B018 - httpx tells it by raising
    except httpx.RequestNotRead:
        return False
    return True


def judged(error: httpx.RequestError) -> httpx.RequestError:
    """Return what an error means where it came from aiohttp by a bare httpx-aiohttp, else the error itself.

    Source: httpx-aiohttp 0.2.0 ``map_aiohttp_exceptions``, which calls a reset after the request a `ConnectTimeout`.
    """
    return classified(error) if isinstance(error.__cause__, aiohttp.ClientError) else error


def classified(error: BaseException) -> TransportFailure:
    """Return what an error of the layers below means, judged by the original one."""
    while isinstance(error, (httpx.RequestError, UnrepeatedError)) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, aiohttp.ClientConnectorError):
        # aiohttp 3.12 leaves the attribute unset where a certificate was not accepted.
        cause = getattr(error, "os_error", None)
        refused = isinstance(cause, PrivateAddressError)
        return TransportFailure(_connect_reason(error, cause), sent=False, refused_address=refused)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TransportFailure("no connection was made in time", sent=False)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return TransportFailure(f"the proxy refused to connect (HTTP {error.status})", sent=False)
    return TransportFailure(_answer_reason(error), sent=True)


def _connect_reason(error: aiohttp.ClientConnectorError, cause: OSError | None) -> str:
    if isinstance(cause, PrivateAddressError):
        return str(cause)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the host {error.host} is not known"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"no secure connection to {error.host}: {error}"
    return f"cannot connect to {error.host}:{error.port}: {getattr(cause, 'strerror', None) or cause}"


def _answer_reason(error: BaseException) -> str:
    match error:
        case aiohttp.ServerTimeoutError() | TimeoutError():
            return "the server did not answer in time"
        case aiohttp.ServerDisconnectedError():
            return "the server closed the connection without an answer"
        case aiohttp.ClientPayloadError():
            return "the answer ended early"
        case aiohttp.ClientResponseError():
            return "the answer is not HTTP"
        case OSError():
            return f"the connection broke: {error.strerror or type(error).__name__}"
        case _:
            return f"the request failed: {type(error).__name__}"
