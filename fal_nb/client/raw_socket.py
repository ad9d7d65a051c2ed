"""A WebSocket of an app as it is: whole messages, bytes or text, with no protocol of fal's on top."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

import aiohttp

from fal_nb.errors import RealtimeError

if TYPE_CHECKING:
    from fal_nb.client.sockets import Socket

__all__ = ["AsyncRawSocket"]

Opener: TypeAlias = Callable[[], Awaitable["Socket"]]
_DATA = (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT)


class AsyncRawSocket:
    """One WebSocket; ``async with`` opens and closes it, ``async for`` yields messages until it is closed."""

    def __init__(self, opener: Opener, endpoint: str) -> None:
        self._opener = opener
        self._endpoint = endpoint
        self._socket: Socket | None = None

    async def open(self) -> Self:
        """Connect, and return itself; raises as `AsyncRealtimeConnection.open`."""
        if self._socket is None:
            self._socket = await self._opener()
        return self

    async def send(self, message: bytes | str) -> None:
        """Send one message.

        Raises
        ------
        RealtimeError
            Where the connection is over.
        """
        if self._socket is not None:
            try:
                await self._socket.send(message)
            except (ConnectionError, RuntimeError):
                pass
            else:
                return
        raise self._closed()

    async def recv(self) -> bytes | str:
        """Return the next message.

        Raises
        ------
        RealtimeError
            Where there is none any more.
        """
        if self._socket is not None:
            found = await self._socket.receive()
            if found.type in _DATA:
                data: bytes | str = found.data
                return data
        raise self._closed()

    async def close(self) -> None:
        """Close it; harmless when it is closed."""
        if self._socket is not None:
            await self._socket.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes | str:
        try:
            return await self.recv()
        except RealtimeError:
            if self._socket is None or self._socket.close_code not in {1000, 1001}:
                raise
        raise StopAsyncIteration

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._endpoint}>"

    def _closed(self) -> RealtimeError:
        code = None if self._socket is None else self._socket.close_code
        how = "is not open" if self._socket is None else f"is closed (code {code})"
        return RealtimeError("CONNECTION_CLOSED", f"the WebSocket of {self._endpoint} {how}.", endpoint=self._endpoint)
