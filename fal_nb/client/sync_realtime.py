"""The blocking face of a realtime connection: a line a call, each waits on a thread that is not the loop's."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Self

from fal_nb.client.pace import Counts
from fal_nb.client.raw_socket import AsyncRawSocket
from fal_nb.client.realtime import AsyncRealtimeConnection
from fal_nb.protocol.realtime import Message
from fal_nb.protocol.status import JSON

__all__ = ["RawSocket", "RealtimeConnection"]

_END = object()


class RealtimeConnection:
    """One realtime session; every method blocks, and an interrupt ends the wait at once.

    ``with`` opens and closes it, ``for`` yields outputs until the session ends in good order.

    Source: fal-client 1.0.3 ``RealtimeConnection``.
    """

    def __init__(self, connection: AsyncRealtimeConnection, do: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._connection = connection
        self._do = do

    @property
    def counts(self) -> Counts:
        """What has gone over it so far."""
        return self._connection.counts

    @property
    def in_flight(self) -> int:
        """How many inputs were sent that no output has come for."""
        return self._connection.in_flight

    @property
    def is_open(self) -> bool:
        """Whether a WebSocket is open just now."""
        return self._connection.is_open

    @property
    def request_id(self) -> str | None:
        """fal's id of the connection, where it gave one."""
        return self._connection.request_id

    def open(self) -> Self:
        """Connect, and return itself; see `AsyncRealtimeConnection.open`."""
        self._do(self._connection.open())
        return self

    def send(self, arguments: JSON) -> None:
        """Send one input; see `AsyncRealtimeConnection.send`."""
        self._do(self._connection.send(arguments))

    def recv(self) -> JSON:
        """Return the next output, None at an end in good order; see `AsyncRealtimeConnection.recv`."""
        return self._do(self._connection.recv())

    def receive(self) -> Message | None:
        """Return the next message of whatever kind; see `AsyncRealtimeConnection.receive`."""
        message: Message | None = self._do(self._connection.receive())
        return message

    def outputs(self) -> Iterator[JSON]:
        """Yield outputs until it is closed from here; see `AsyncRealtimeConnection.outputs`."""
        found = self._connection.outputs()

        async def following() -> Any:
            return await anext(found, _END)

        while (output := self._do(following())) is not _END:
            yield output

    def close(self) -> None:
        """Close it; harmless when it is closed."""
        self._do(self._connection.close())

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[JSON]:
        while (output := self.recv()) is not None:
            yield output

    def __repr__(self) -> str:
        return repr(self._connection).replace("<Async", "<", 1)


class RawSocket:
    """One WebSocket of an app, blocking; see `AsyncRawSocket`."""

    def __init__(self, socket: AsyncRawSocket, do: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._socket = socket
        self._do = do

    def send(self, message: bytes | str) -> None:
        """Send one message; raises where the connection is over."""
        self._do(self._socket.send(message))

    def recv(self) -> bytes | str:
        """Return the next message; raises where there is none any more."""
        message: bytes | str = self._do(self._socket.recv())
        return message

    def close(self) -> None:
        """Close it; harmless when it is closed."""
        self._do(self._socket.close())

    def __enter__(self) -> Self:
        self._do(self._socket.open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._socket).replace("<Async", "<", 1)
