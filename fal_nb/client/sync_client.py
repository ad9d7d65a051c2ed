"""The client's blocking face, under the names, keywords and defaults of the official one."""

from __future__ import annotations

import asyncio
import inspect
import os
from abc import ABCMeta
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from fal_nb import kernel_loop
from fal_nb.client.async_client import AsyncClient
from fal_nb.client.blocking import BlockingHandle
from fal_nb.client.bodies import Progress
from fal_nb.client.follow import AnyStatus
from fal_nb.client.handle import AsyncRequestHandle
from fal_nb.client.lifecycle import Lifecycle
from fal_nb.client.options import NO_HEADERS, Priority
from fal_nb.client.storage import Repository
from fal_nb.client.sync_realtime import RawSocket, RealtimeConnection
from fal_nb.protocol.realtime import TOKEN_LIFE_S
from fal_nb.protocol.status import JSON
from fal_nb.runtime import Runtime
from fal_nb.settings import Settings

__all__ = ["SyncClient", "SyncRequestHandle"]

T = TypeVar("T")
_END = object()


class SyncClient:
    """Calls endpoints and waits; the wire alone, as `AsyncClient`, which it runs on a thread of its own.

    May be used from any thread, also where an event loop runs, as in a notebook. An interrupt ends the wait at once
    and, in `subscribe`, cancels the request at the server. Close it with ``with`` or `close`.

    Parameters
    ----------
    key, default_timeout, base_url, proxy_url, transport, settings
        As for `AsyncClient`.

    Source: fal-client 1.0.3 ``SyncClient``.
    """

    def __init__(
        self,
        key: str | None = None,
        default_timeout: float = 120.0,
        *,
        base_url: str | None = None,
        proxy_url: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.default_timeout = default_timeout
        self._client = AsyncClient(
            key, default_timeout, base_url=base_url, proxy_url=proxy_url, transport=transport, settings=settings
        )
        self._runtime = Runtime("fal-nb-client")

    @property
    def settings(self) -> Settings:
        """Where calls go, and why; raises as `AsyncClient.settings`."""
        return self._client.settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections and the thread; harmless when it is closed."""
        if self._runtime.is_open:
            self._do(self._client.aclose())
            self._runtime.close()

    def run(
        self,
        application: str,
        arguments: JSON,
        *,
        method: str = "POST",
        path: str = "",
        timeout: float | None = None,
        start_timeout: float | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> JSON:
        """Return the result of one call without the queue; see `AsyncClient.run`."""
        options = {"method": method, "path": path, "timeout": timeout, "hint": hint, "headers": headers}
        return self._do(self._client.run(application, arguments, start_timeout=start_timeout, **options))  # type: ignore[arg-type]

    def submit(
        self,
        application: str,
        arguments: JSON,
        *,
        path: str = "",
        hint: str | None = None,
        webhook_url: str | None = None,
        priority: Priority | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        start_timeout: float | None = None,
    ) -> SyncRequestHandle:
        """Return the handle of a request put into the queue; see `AsyncClient.submit`."""
        submitting = self._client.submit(
            application,
            arguments,
            path=path,
            hint=hint,
            webhook_url=webhook_url,
            priority=priority,
            headers=headers,
            start_timeout=start_timeout,
        )
        return SyncRequestHandle.of(self, self._do(submitting))

    def subscribe(  # noqa: PLR0913 - signature of the official client
        self,
        application: str,
        arguments: JSON,
        *,
        path: str = "",
        hint: str | None = None,
        with_logs: bool = False,
        interval: float = 0.1,
        on_enqueue: Callable[[str], Any] | None = None,
        on_queue_update: Callable[[AnyStatus], Any] | None = None,
        priority: Priority | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        start_timeout: float | None = None,
        client_timeout: float | None = None,
    ) -> JSON:
        """Return the result of a request put into the queue, waiting for it; see `AsyncClient.subscribe`.

        Callbacks are called in a worker thread, so that they may make blocking calls themselves.
        """
        waiting = self._client.subscribe(
            application,
            arguments,
            path=path,
            hint=hint,
            with_logs=with_logs,
            interval=interval,
            on_enqueue=_in_a_thread(on_enqueue),
            on_queue_update=_in_a_thread(on_queue_update),
            priority=priority,
            headers=headers,
            start_timeout=start_timeout,
            client_timeout=client_timeout,
        )
        return self._do(waiting)

    def get_handle(self, application: str, request_id: str) -> SyncRequestHandle:
        """Return the handle of a request submitted before."""
        return SyncRequestHandle.from_request_id(self, application, request_id)

    def status(self, application: str, request_id: str, *, with_logs: bool = False) -> AnyStatus:
        """Return what the server says at present; logs only where asked for."""
        return self._do(self._client.status(application, request_id, with_logs=with_logs))

    def iter_events(
        self, application: str, request_id: str, *, with_logs: bool = False, interval: float = 0.1
    ) -> Iterator[AnyStatus]:
        """Yield each new status until the request is completed."""
        found = self._client.iter_events(application, request_id, with_logs=with_logs, interval=interval)
        return self._iterate(found)

    def result(self, application: str, request_id: str) -> JSON:
        """Return the result, waiting for it; raises as `AsyncClient.result`."""
        return self._do(self._client.result(application, request_id))

    def cancel(self, application: str, request_id: str) -> None:
        """Ask the server to stop a request; raises as `AsyncClient.cancel`."""
        self._do(self._client.cancel(application, request_id))

    def stream(
        self,
        application: str,
        arguments: JSON,
        *,
        path: str = "/stream",
        timeout: float | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Iterator[JSON]:
        """Yield the events of a streaming endpoint as they come; closing the iterator closes the connection.

        Raises as `AsyncClient.stream`.
        """
        events = self._client.stream(application, arguments, path=path, timeout=timeout, headers=headers)
        return self._iterate(events)

    def realtime(  # noqa: PLR0913 - as there
        self,
        application: str,
        *,
        use_jwt: bool = True,
        path: str = "/realtime",
        max_buffering: int | None = None,
        token_expiration: int = TOKEN_LIFE_S,
        encode_message: Callable[[Any], bytes | str] | None = None,
        decode_message: Callable[[bytes], Any] | None = None,
        newest_wins: bool = False,
        throttle_s: float = 0.0,
        in_flight: int | None = None,
        reconnect: bool = True,
    ) -> RealtimeConnection:
        """Return a connection on which inputs are answered as they come; see `AsyncClient.realtime`."""
        connection = self._client.realtime(
            application,
            use_jwt=use_jwt,
            path=path,
            max_buffering=max_buffering,
            token_expiration=token_expiration,
            encode_message=encode_message,
            decode_message=decode_message,
            newest_wins=newest_wins,
            throttle_s=throttle_s,
            in_flight=in_flight,
            reconnect=reconnect,
        )
        return RealtimeConnection(connection, self._do)

    def ws_connect(
        self,
        application: str,
        *,
        use_jwt: bool = True,
        path: str = "",
        max_buffering: int | None = None,
        token_expiration: int = TOKEN_LIFE_S,
    ) -> RawSocket:
        """Return a WebSocket of an app without fal's protocol; see `AsyncClient.ws_connect`."""
        socket = self._client.ws_connect(
            application,
            use_jwt=use_jwt,
            path=path,
            max_buffering=max_buffering,
            token_expiration=token_expiration,
        )
        return RawSocket(socket, self._do)

    def upload(
        self,
        data: str | bytes,
        content_type: str,
        file_name: str | None = None,
        *,
        repository: Repository | None = None,
        fallback_repository: Repository | list[Repository] | None = None,
        lifecycle: Lifecycle | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Return the URL of uploaded bytes; see `AsyncClient.upload`."""
        uploading = self._client.upload(
            data,
            content_type,
            file_name,
            repository=repository,
            fallback_repository=fallback_repository,
            lifecycle=lifecycle,
            progress=progress,
        )
        return self._do(uploading)

    def upload_file(
        self,
        path: str | os.PathLike[str],
        *,
        repository: Repository | None = None,
        fallback_repository: Repository | list[Repository] | None = None,
        lifecycle: Lifecycle | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Return the URL of an uploaded file; see `AsyncClient.upload_file`."""
        uploading = self._client.upload_file(
            path,
            repository=repository,
            fallback_repository=fallback_repository,
            lifecycle=lifecycle,
            progress=progress,
        )
        return self._do(uploading)

    def upload_image(
        self,
        image: Any,
        format: str = "jpeg",  # noqa: A002 - the official client's argument
        *,
        repository: Repository | None = None,
        fallback_repository: Repository | list[Repository] | None = None,
        lifecycle: Lifecycle | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Return the URL of an uploaded Pillow picture; see `AsyncClient.upload_image`."""
        uploading = self._client.upload_image(
            image,
            format,
            repository=repository,
            fallback_repository=fallback_repository,
            lifecycle=lifecycle,
            progress=progress,
        )
        return self._do(uploading)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runtime.call(work)

    def _iterate(self, source: AsyncGenerator[T, None]) -> Iterator[T]:
        async def following() -> T | object:
            return await anext(source, _END)

        try:
            while (item := self._do(following())) is not _END:
                yield item  # type: ignore[misc]
        finally:
            self._do(source.aclose())


@dataclass(frozen=True)
class SyncRequestHandle(BlockingHandle, metaclass=ABCMeta):
    """One request in the queue; every method blocks. A `Job` counts as one, too.

    Source: fal-client 1.0.3 ``SyncRequestHandle``.
    """

    request_id: str
    response_url: str = field(repr=False)
    status_url: str = field(repr=False)
    cancel_url: str = field(repr=False)
    client: SyncClient = field(repr=False)
    endpoint: str

    @classmethod
    def __subclasshook__(cls, subclass: type) -> Any:
        """Let a job count as a handle: code written for the official client asks for the class."""
        return (cls is SyncRequestHandle and BlockingHandle in subclass.__mro__) or NotImplemented

    @classmethod
    def from_request_id(cls, client: SyncClient, application: str, request_id: str) -> SyncRequestHandle:
        """Return the handle of a request submitted before, also by somebody else."""
        return cls.of(client, AsyncRequestHandle.from_request_id(client._client, application, request_id))  # noqa: SLF001 - its own face

    @classmethod
    def of(cls, client: SyncClient, handle: AsyncRequestHandle) -> SyncRequestHandle:
        """Return the blocking form of a handle."""
        urls = (handle.response_url, handle.status_url, handle.cancel_url)
        return cls(handle.request_id, *urls, client, str(handle.endpoint))

    def status(self, *, with_logs: bool = False) -> AnyStatus:
        """Return what the server says at present; logs only where asked for."""
        return self.client.status(self.endpoint, self.request_id, with_logs=with_logs)

    def iter_events(self, *, with_logs: bool = False, interval: float = 0.1) -> Iterator[AnyStatus]:
        """Yield each new status until the request is completed; logs, where asked for, are all so far."""
        return self.client.iter_events(self.endpoint, self.request_id, with_logs=with_logs, interval=interval)

    def get(self, *, interval: float = 0.1) -> JSON:  # noqa: ARG002 - the official client's argument
        """Return the result, waiting for it; raises where the request failed or was cancelled."""
        return self.client.result(self.endpoint, self.request_id)

    def cancel(self) -> None:
        """Ask the server to stop the request; raises where it is over already or not known."""
        self.client.cancel(self.endpoint, self.request_id)


def _in_a_thread(callback: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    """Return a callback that leaves the loop alone while it works; what it returns may be awaitable."""
    if callback is None:
        return None

    async def called(value: Any) -> None:
        answer = await asyncio.to_thread(callback, value)
        if inspect.isawaitable(answer):
            await kernel_loop.finished(answer)

    return called
