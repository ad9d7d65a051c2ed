"""Access to the sockets under the HTTP server: writes are gathered, and faults can reset, cut and spoil them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["ConnectionGone", "Connections"]

_Peer = tuple[str, int]


class ConnectionGone(Exception):  # noqa: N818 - an event, not a mistake
    """The connection has ended; there is nobody left to answer."""


class _GatheringTransport:
    """Passes everything on to a transport, but the writes of one turn of the loop as one.

    The HTTP server writes head and body of an answer one by one, and every write is a system call.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._pending: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._pending:
            self._loop.call_soon(self._flush)
        self._pending.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        self._flush()
        self._transport.abort()

    def _flush(self) -> None:
        if self._pending:
            pending, self._pending = self._pending, []
            self._transport.write(b"".join(pending))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connections:
    """The open connections by their peer's address, which an ASGI scope names too."""

    def __init__(self) -> None:
        self._transports: dict[_Peer, asyncio.Transport] = {}
        self._streams: dict[_Peer, asyncio.Task[Any]] = {}

    def protocol_class(self) -> type[asyncio.Protocol]:
        """Return an HTTP protocol that registers its connections here."""
        connections = self

        class RegisteredProtocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                gathering = cast("asyncio.Transport", _GatheringTransport(transport))
                super().connection_made(gathering)
                if self.client is not None:
                    connections.opened(self.client, gathering)

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    connections.lost(self.client)
                super().connection_lost(exc)

        return cast("type[asyncio.Protocol]", RegisteredProtocol)

    def websocket_class(self) -> type[asyncio.Protocol]:
        """Return a WebSocket protocol that takes its connection over from the HTTP one, and says here when it ends."""
        from uvicorn.protocols.websockets.wsproto_impl import WSProtocol  # noqa: PLC0415 - beside its HTTP twin

        connections = self

        class RegisteredSocket(WSProtocol):
            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    connections.lost(self.client)
                super().connection_lost(exc)

        return cast("type[asyncio.Protocol]", RegisteredSocket)

    def opened(self, peer: _Peer, transport: asyncio.Transport) -> None:
        """Take in a new connection."""
        self._transports[peer] = transport

    def lost(self, peer: _Peer) -> None:
        """Forget a connection, and end the stream that was sent on it."""
        self._transports.pop(peer, None)
        stream = self._streams.pop(peer, None)
        if stream is not None:
            stream.cancel()

    @contextmanager
    def stream(self, scope: Scope) -> Iterator[None]:
        """End the block as soon as its connection is gone.

        Raises
        ------
        ConnectionGone
            In place of the cancellation, where that was the reason.
        """
        peer, task = _peer(scope), asyncio.current_task()
        if peer is None or task is None:
            yield
            return
        if peer not in self._transports:
            raise ConnectionGone
        self._streams[peer] = task
        try:
            yield
        except asyncio.CancelledError:
            if peer in self._transports:
                raise
            raise ConnectionGone from None
        finally:
            self._streams.pop(peer, None)

    async def reset(self, scope: Scope) -> None:
        """Cut the connection so that its peer sees a reset."""
        transport = self._find(scope)
        if transport is None:
            return
        raw: Any = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        await self._settled(scope)

    async def hang_up(self, scope: Scope, last_bytes: bytes = b"") -> None:
        """End the connection in good order after `last_bytes`, which go out as they are."""
        transport = self._find(scope)
        if transport is None:
            return
        if last_bytes:
            transport.write(last_bytes)
        transport.close()
        await self._settled(scope)

    def _find(self, scope: Scope) -> asyncio.Transport | None:
        peer = _peer(scope)
        return self._transports.get(peer) if peer else None

    async def _settled(self, scope: Scope) -> None:
        """Wait until the HTTP server knows, so that it does not answer in our place."""
        for _ in range(1000):
            if self._find(scope) is None:
                return
            await asyncio.sleep(0)


def _peer(scope: Scope) -> _Peer | None:
    client = scope.get("client")
    return (client[0], client[1]) if client else None
