"""The aiohttp sessions under the transport: one a pool and event loop, each sending every request exactly once."""

from __future__ import annotations

import base64
import contextvars
import socket
import ssl
from collections.abc import Callable
from typing import Literal, TypeAlias

import aiohttp
import httpx
import yarl
from aiohttp.resolver import ThreadedResolver
from httpx_aiohttp import AiohttpTransport

from fal_nb.client.addresses import PublicResolver

__all__ = ["Connections", "Pool", "UnrepeatedError", "basic_authorization", "exact_url", "probing_socket"]

Pool: TypeAlias = Literal["calls", "cancels", "streams", "direct", "files"]
"""Connections are shared within a pool only, so that no kind of request waits behind another."""

_LIMITS: dict[Pool, int] = {"calls": 100, "cancels": 50, "streams": 256, "direct": 200, "files": 50}
# Node and uvicorn close an idle connection after 5 s, most servers later: one that has rested longer than this
# is replaced by us before they can close it under a request.
_KEEPALIVE_S = 4.0
_PROBE_AFTER_S = 60

exact_url: contextvars.ContextVar[str] = contextvars.ContextVar("fal_nb_exact_url")
"""The URL of the request being sent, as httpx writes it."""


class UnrepeatedError(aiohttp.ClientError):
    """A request failed on its connection; the cause says how."""


class Connections:
    """Sessions of one event loop, made when first needed.

    Parameters
    ----------
    proxy
        What all requests go through, or None.
    tls
        Gives the context that checks servers' certificates; asked only for a TLS connection, since loading
        the authorities takes some 20 ms.
    """

    def __init__(self, proxy: httpx.Proxy | None, tls: Callable[[], ssl.SSLContext]) -> None:
        self._proxy = proxy
        self._tls = tls
        self._transports: dict[tuple[Pool, bool, bool], AiohttpTransport] = {}

    def transport(self, pool: Pool, *, tls: bool, guarded: bool) -> AiohttpTransport:
        """Return the transport of one pool.

        Parameters
        ----------
        guarded
            Whether it refuses to connect to addresses that are not public.
        """
        key = (pool, tls, guarded)
        transport = self._transports.get(key)
        if transport is None:
            transport = self._transports[key] = self._open(pool, tls=tls, guarded=guarded)
        return transport

    async def aclose(self) -> None:
        """Close all connections; may be called again."""
        while self._transports:
            _, transport = self._transports.popitem()
            await transport.aclose()

    def _open(self, pool: Pool, *, tls: bool, guarded: bool) -> AiohttpTransport:
        tls = tls or (self._proxy is not None and self._proxy.url.scheme == "https")
        # A bare context trusts nobody: should a plain pool ever meet TLS, it fails.
        context = self._tls() if tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Behind a proxy the name is resolved by the proxy, and ours is the proxy's own.
        resolver = PublicResolver() if guarded and self._proxy is None else ThreadedResolver()
        connector = aiohttp.TCPConnector(
            limit=_LIMITS[pool],
            keepalive_timeout=_KEEPALIVE_S,
            ssl=context,
            resolver=resolver,
            socket_factory=probing_socket,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            middlewares=(_send_once,),
        )
        return AiohttpTransport(verify=context, proxy=_with_header_auth(self._proxy), client=session)


def basic_authorization(user_and_password: tuple[bytes, bytes]) -> str:
    """Return the value of a ``Basic`` authorization header."""
    return "Basic " + base64.b64encode(b":".join(user_and_password)).decode("ascii")


async def _send_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send with the exact URL, and hide from aiohttp the failures after which it would send again by itself.

    Whether a request is repeated is decided in ``protocol/retry.py`` alone. Source: aiohttp 3.14
    ``ClientSession._request`` (``retry_persistent_connection``).
    """
    wanted = exact_url.get()
    if str(request.url) != wanted:
        # yarl rewrites percent-encodings, which breaks a signed URL.
        request.url = yarl.URL(wanted, encoded=True)
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise UnrepeatedError from error


def _with_header_auth(proxy: httpx.Proxy | None) -> httpx.Proxy | None:
    """Return the proxy with its password in a header: aiohttp 3.14 deprecates the argument for it."""
    if proxy is None or proxy.raw_auth is None:
        return proxy
    headers = {**proxy.headers, "proxy-authorization": basic_authorization(proxy.raw_auth)}
    return httpx.Proxy(proxy.url, headers=headers)


def probing_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """Return a socket that notices a vanished peer, as on a run of many minutes without a byte."""
    family, kind, proto, _, _ = address
    made = socket.socket(family, kind, proto)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _PROBE_AFTER_S)
    return made
