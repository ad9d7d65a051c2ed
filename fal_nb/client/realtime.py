"""A realtime connection: inputs out, outputs in, over one WebSocket after another.

Its one invariant: an input is sent at most once, whatever becomes of the connection it went over.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import aiohttp

from fal_nb.client.outbox import Outbox
from fal_nb.client.pace import Codec, Counts, Pace
from fal_nb.errors import ArgumentsError, AuthenticationError, FalError, ProtocolError, RealtimeError
from fal_nb.protocol.realtime import (
    Failure,
    Message,
    Output,
    Timings,
    Unauthorized,
    read_text,
)
from fal_nb.protocol.status import JSON

if TYPE_CHECKING:
    from fal_nb.client.sockets import Socket

__all__ = ["AsyncRealtimeConnection", "Opener"]

_ORDERLY = frozenset({1000, 1001})
"""Close codes that are no error. Source: RFC 6455, 7.4.1; fal-client 1.0.3, by way of websockets."""
_MOST_WAITING = 256
_MOST_BYTES = 64 * 1024 * 1024
_CLOSING = frozenset({aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED})

Opener: TypeAlias = Callable[[], Awaitable["Socket"]]


class AsyncRealtimeConnection:
    """One realtime session; belongs to the event loop it was opened in.

    ``async with`` closes it. ``async for`` yields outputs until the session ends in good order; where it ends otherwise
    the error is raised in the place of the next output.

    Attributes
    ----------
    counts
        What has gone over it so far.
    request_id
        fal's id of the connection, where it gave one.
    failure
        What went wrong last, unless an output has come since.

    Source: fal-client 1.0.3 ``AsyncRealtimeConnection``.
    """

    def __init__(self, opener: Opener, *, endpoint: str, codec: Codec, pace: Pace) -> None:
        self._opener = opener
        self._endpoint = endpoint
        self._codec = codec
        self._pace = pace
        self._outbox = Outbox(throttle_s=pace.throttle_s, in_flight=pace.in_flight)
        self._socket: Socket | None = None
        self._opening = asyncio.Lock()
        self._sending = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._inbox: deque[tuple[Message | FalError, int]] = deque()
        self._held_bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._changed = asyncio.Event()
        self._is_closed = False
        self._opened_at = 0.0
        self.counts = Counts()
        self.failure: FalError | None = None
        self.request_id: str | None = None

    # -- life --------------------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """What it is connected to."""
        return self._endpoint

    @property
    def is_open(self) -> bool:
        """Whether a WebSocket is open just now."""
        return self._socket is not None

    @property
    def is_closed(self) -> bool:
        """Whether it was closed from here."""
        return self._is_closed

    @property
    def in_flight(self) -> int:
        """How many inputs were sent that no output has come for, by their numbers alone."""
        return self._outbox.unanswered

    @property
    def open_s(self) -> float:
        """Seconds that it has been open in all."""
        return self.counts.open_s + (time.monotonic() - self._opened_at if self._socket is not None else 0.0)

    async def open(self) -> Self:
        """Connect, and return itself; harmless where it is open.

        Raises
        ------
        FalClientHTTPError
            Where the server refused the token or the connection.
        NotSent, TransferError
            Where it could not be reached.
        RealtimeError
            Where it was closed from here.
        """
        async with self._opening:
            if self._is_closed:
                raise self._closed_error("it was closed here: open a new one")
            if self._socket is None:
                await self._stop()
                socket = await self._opener()
                if self.is_closed:  # by now
                    await socket.close()
                    raise self._closed_error("it was closed here while it opened")
                self._socket = socket
                self._opened_at = time.monotonic()
                self.request_id = socket.request_id or self.request_id
                self.counts.connections += 1
                self._outbox.restart()
                self._start(self._read(socket))
                if self._pace.newest_wins:
                    self._start(self._send_newest(socket))
        return self

    async def close(self) -> None:
        """Close it; an input that waits to be sent is dropped, outputs that have come can still be read."""
        self._is_closed = True
        if self._outbox.drop():
            self.counts.superseded += 1
        socket = self._socket
        if socket is not None:
            await socket.close()
        await self._stop()
        self._over(None)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "open" if self._socket is not None else "not connected"
        counts = self.counts
        return f"<{type(self).__name__} {self._endpoint} {state}, {counts.sent} sent, {counts.received} received>"

    # -- out ---------------------------------------------------------------------------------------------

    async def send(self, arguments: JSON) -> None:
        """Send one input; bytes inside it go as bytes.

        Where the newest wins it returns at once. Else it waits: for the time between two inputs, for answers where
        their number is limited, and for a server that reads slowly.

        Raises
        ------
        ArgumentsError
            Where the input cannot be written; nothing is sent.
        RealtimeError
            Where the connection is over and is not opened again, or breaks.
        FalError
            As `open`, where it has to be opened.
        """
        frame = self._encoded(arguments)
        if self._socket is None:
            if self.counts.connections and not self._pace.reconnect:
                raise self._closed_error("it has ended: open a new one")
            await self.open()
        if self._pace.newest_wins:
            self._outbox.put(frame)
            self.counts.superseded = self._outbox.superseded
            self._changed.set()
            return
        # One after another, in the order of the calls: there is one place to wait in.
        async with self._sending:
            self._outbox.put(frame)
            await self._send_waiting()

    def _encoded(self, arguments: JSON) -> bytes | str:
        try:
            return self._codec.encode(arguments)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            problem = f"this input cannot be written for a realtime connection: {error}"
        raise ArgumentsError(self._endpoint, [problem])

    async def _send_waiting(self) -> None:
        """Send what waits, once it is due."""
        loop = asyncio.get_running_loop()
        while (due_s := self._outbox.due_s(loop.time())) is not None:
            socket = self._socket
            if socket is None:
                self._outbox.drop()
                raise self._closed_error("it ended before the input was sent")
            if due_s > 0:
                await self._change_within(due_s)
                continue
            frame = self._outbox.take(loop.time())
            self.counts.sent += 1
            try:
                await socket.send(frame)
            except (ConnectionError, RuntimeError):
                break
            else:
                return
        if self._socket is None or due_s is not None:
            raise self._closed_error("it broke while an input was being sent")

    async def _send_newest(self, socket: Socket) -> None:
        """Send whatever input is the newest when one may go, for as long as the connection lives."""
        loop = asyncio.get_running_loop()
        while self._socket is socket:
            due_s = self._outbox.due_s(loop.time())
            if due_s is None or due_s > 0:
                await self._change_within(due_s)
                continue
            frame = self._outbox.take(loop.time())
            self.counts.sent += 1
            try:
                await socket.send(frame)
            except (ConnectionError, RuntimeError):
                return  # the reader finds out how it ended

    async def _change_within(self, seconds: float | None) -> None:
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    # -- in ----------------------------------------------------------------------------------------------

    async def recv(self) -> JSON:
        """Return the next output; None once the session has ended in good order.

        Raises
        ------
        RealtimeError
            Where the app failed (``INTERNAL_ERROR``) or the connection broke (``CONNECTION_CLOSED``), once.
        AuthenticationError
            Where the token was refused.
        ProtocolError
            Where an output cannot be read; the connection goes on.
        """
        while True:
            message = await self.receive()
            if message is None:
                return None
            if isinstance(message, Output):
                return message.data
            if isinstance(message, Failure):
                raise self._failed(message)

    async def receive(self) -> Message | None:
        """Return the next message of whatever kind (`fal_nb.protocol.realtime`); None at an end in good order.

        Raises as `recv`, but for failures of the app, which are messages here.
        """
        while not self._inbox:
            if self._socket is None and not self._tasks:
                return None
            await self._arrival()
        message, size_bytes = self._inbox.popleft()
        self._held_bytes -= size_bytes
        if not self._is_full:
            self._room.set()
        if isinstance(message, FalError):
            raise message
        return message

    async def outputs(self) -> AsyncIterator[JSON]:
        """Yield outputs until it is closed from here, over every connection that `send` opens anew.

        Raises as `recv`.
        """
        while True:
            output = await self.recv()
            if output is not None:
                yield output
            elif self._is_closed:
                return
            else:
                await self._arrival()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> JSON:
        output = await self.recv()
        if output is None:
            raise StopAsyncIteration
        return output

    async def _arrival(self) -> None:
        """Wait until something has come, or the state of the connection has changed."""
        if self._waiter is None:
            self._waiter = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._waiter)

    async def _read(self, socket: Socket) -> None:
        """Take in messages until the connection ends, and say how it did."""
        ending: FalError | None = None
        try:
            has_ended = False
            while True:
                found = await socket.receive()
                if found.type is aiohttp.WSMsgType.BINARY:
                    self._take(self._decoded(found.data), len(found.data))
                elif found.type is aiohttp.WSMsgType.TEXT:
                    message = read_text(found.data)
                    ending = self._take_word(message, len(found.data)) or ending
                    if isinstance(message, (Failure, Unauthorized)):
                        # Nothing is answered after it, and a close follows.
                        has_ended = True
                        self._over(socket)
                elif found.type in _CLOSING or found.type is aiohttp.WSMsgType.ERROR:
                    if ending is None and not has_ended:
                        ending = self._ending(found, socket)
                    break
                if self._is_full:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._over(socket)
            if ending is not None and not self._is_closed:
                self.failure = ending
                self._put(ending)
            elif self._pace.reconnect and not self._is_closed and not self._outbox.is_empty:
                self._start(self._reopen())
            await socket.close()

    async def _reopen(self) -> None:
        """Open a new connection for an input that could not go out over the last one."""
        try:
            await self.open()
        except FalError as error:
            self._put(error)

    def _decoded(self, data: bytes) -> Output | FalError:
        try:
            return Output(self._codec.decode(data))
        except Exception as error:  # noqa: BLE001 - a codec of the app's own may raise anything
            problem = str(error) or type(error).__name__
        return ProtocolError(
            f"An output of {self._endpoint} cannot be read ({problem}); the connection goes on. "
            "Where the app writes in a way of its own, say so: decode_message=.",
            endpoint=self._endpoint,
            request_id=self.request_id,
        )

    @property
    def _is_full(self) -> bool:
        """Whether so much has come that nobody has read that the server has to wait."""
        return len(self._inbox) >= _MOST_WAITING or self._held_bytes >= _MOST_BYTES

    def _take(self, message: Message | FalError, size_bytes: int) -> None:
        self.counts.received += 1
        self.failure = message if isinstance(message, FalError) else None
        self._outbox.answered()
        self._changed.set()
        self._put(message, size_bytes)

    def _take_word(self, message: Message, size_bytes: int) -> FalError | None:
        """Take in what came as text; return the error that is the end of it, where it is one."""
        if isinstance(message, Output):
            self._take(message, size_bytes)
        elif isinstance(message, Unauthorized):
            return AuthenticationError(
                f"The token for {self._endpoint} was refused or has run out: send again, or open a new connection.",
                401,
                endpoint=self._endpoint,
                request_id=self.request_id,
            )
        elif not (isinstance(message, Failure) and message.is_end):
            if isinstance(message, Timings):
                self.counts.compute_s += message.seconds
            elif isinstance(message, Failure):
                self.failure = self._failed(message)
            self._put(message, size_bytes)
        return None

    def _ending(self, found: aiohttp.WSMessage, socket: Socket) -> FalError | None:
        """Return what the end of a connection means; None where it is in good order."""
        code = socket.close_code
        if found.type is aiohttp.WSMsgType.ERROR:
            if (
                isinstance(found.data, aiohttp.WebSocketError)
                and found.data.code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
            ):
                self.counts.received += 1  # it came, and is billed
                self._outbox.answered()
                text = f"An output of {self._endpoint} is over 64 MiB, so the connection was closed."
                return ProtocolError(text, endpoint=self._endpoint, request_id=self.request_id)
            if isinstance(found.data, TimeoutError):
                return self._closed_error("the other side fell silent, pings were not answered")
            return self._closed_error("the server sent what is no WebSocket message")
        if code in _ORDERLY:
            return None
        reason = f": {found.extra}" if isinstance(found.extra, str) and found.extra else ""
        how = "the connection broke" if code in {None, 1006} else f"the server closed it with code {code}{reason}"
        return self._closed_error(how)

    def _closed_error(self, how: str) -> RealtimeError:
        left = self._outbox.unanswered
        unanswered = f"; {left} input{'s' * (left != 1)} not answered" if left and self.counts.connections else ""
        return RealtimeError(
            "CONNECTION_CLOSED",
            f"the realtime connection to {self._endpoint}: {how}{unanswered}.",
            endpoint=self._endpoint,
            request_id=self.request_id,
        )

    def _failed(self, said: Failure) -> RealtimeError:
        return RealtimeError(said.error, said.reason, said.payload, endpoint=self._endpoint, request_id=self.request_id)

    def _put(self, message: Message | FalError, size_bytes: int = 0) -> None:
        self._inbox.append((message, size_bytes))
        self._held_bytes += size_bytes
        self._wake()

    def _over(self, socket: Socket | None) -> None:
        """Note that a connection has ended."""
        if self._socket is not None and socket in {None, self._socket}:
            self.counts.open_s += time.monotonic() - self._opened_at
            self._socket = None
        self._changed.set()
        self._room.set()
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # -- tasks -------------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake()

    async def _stop(self) -> None:
        """End what belongs to the connection before."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
