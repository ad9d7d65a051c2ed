"""The client: the wire and nothing else, under the names, keywords and defaults of the official one."""

from __future__ import annotations

import asyncio
import inspect
import os
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import httpx

from fal_nb.client.bodies import Progress
from fal_nb.client.connecting import Connecting, codec_of
from fal_nb.client.direct import Direct
from fal_nb.client.download import Downloader
from fal_nb.client.follow import AnyStatus
from fal_nb.client.handle import AsyncRequestHandle
from fal_nb.client.http import Http
from fal_nb.client.lifecycle import Lifecycle
from fal_nb.client.models import Models
from fal_nb.client.options import NO_HEADERS, SHORTEST_START_S, CallOptions, Priority
from fal_nb.client.pace import Pace
from fal_nb.client.pictures import encode_picture
from fal_nb.client.queue import Queue
from fal_nb.client.raw_socket import AsyncRawSocket
from fal_nb.client.realtime import AsyncRealtimeConnection
from fal_nb.client.storage import Repository, Storage, check_repositories
from fal_nb.client.stream import EventStreams
from fal_nb.errors import FalClientTimeoutError, MissingCredentialsError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.realtime import TOKEN_LIFE_S
from fal_nb.protocol.status import JSON
from fal_nb.settings import Given, Settings

__all__ = ["AsyncClient", "Repository"]


class AsyncClient:
    """Calls endpoints of fal, or of a server that speaks its protocol.

    One client serves any number of calls at once, in one event loop after another; close it with ``async with``
    or `aclose`. It checks no schema, keeps no history and starts no simulator.

    Parameters
    ----------
    key
        By default looked for, at the first call, where `fal_nb.settings.find_key` looks.
    default_timeout
        Seconds; limit for each step of one HTTP request. Runs and streams have their own.
    base_url
        A server that serves everything under one base, instead of fal.
    proxy_url
        A server that holds the key and passes requests on, by the protocol of fal's JavaScript client.
    transport
        An httpx transport in place of the real one.
    settings
        Settings already resolved; the four arguments about them are then not looked at.
    lock_s
        How long a locked account is not asked again, in seconds; by default each call asks.

    Attributes
    ----------
    models
        The platform's catalogue: ``search``, ``pages``, ``find``.
    queue, direct, streams, storage, downloads, connecting
        The same calls one level lower, with all that an answer brought.

    Source: fal-client 1.0.3 ``AsyncClient``.
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
        lock_s: float = 0.0,
    ) -> None:
        given = Given(key, base_url, proxy_url)
        self.default_timeout = default_timeout
        self._http = Http(lambda: settings or _resolve(given), transport=transport, lock_s=lock_s)
        self.queue = Queue(self._http, timeout_s=default_timeout)
        self.direct = Direct(self._http)
        self.streams = EventStreams(self._http)
        self.storage = Storage(self._http, timeout_s=default_timeout)
        self.downloads = Downloader(self._http)
        self.models = Models(self._http)
        self.connecting: Connecting[AsyncRealtimeConnection] = Connecting(self._own_http, timeout_s=default_timeout)

    @property
    def http(self) -> Http:
        """What sends every call; for rooms that speak further parts of the protocol."""
        return self._http

    async def _own_http(self) -> Http:
        return self._http

    @property
    def settings(self) -> Settings:
        """Where calls go, and why.

        Raises
        ------
        MissingCredentialsError
            Where nothing is configured.
        """
        return self._http.settings

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections; the client cannot be used afterwards."""
        await self._http.aclose()

    async def run(
        self,
        application: str,
        arguments: JSON,
        *,
        method: str = "POST",
        path: str = "",
        timeout: float | None = None,  # noqa: ASYNC109 - signature of the official client
        start_timeout: float | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> JSON:
        """Return the result of one call without the queue.

        Parameters
        ----------
        timeout
            Longest silence, in seconds; None waits as long as the connection lives.
        start_timeout
            Seconds until a runner must have begun.

        Raises
        ------
        SubmissionUnknown
            Where the answer was lost: the run may have happened and be charged.
        FalClientHTTPError
            Where the server refused or the run failed.
        """
        options = CallOptions(path, hint=hint, headers=headers, start_timeout=start_timeout)
        endpoint = EndpointId.parse(application)
        return (await self.direct.answer(endpoint, arguments, options, method=method, timeout_s=timeout)).data

    async def submit(
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
    ) -> AsyncRequestHandle:
        """Return the handle of a request put into the queue.

        A task cancelled meanwhile waits up to 5 s for the answer of a POST under way and cancels what was accepted.

        Raises
        ------
        SubmissionUnknown
            Where the answer was lost; nothing is sent again.
        NotSent
            Where no connection could be made.
        FalClientHTTPError
            Where the server refused.
        """
        options = CallOptions(path, hint, priority, headers, start_timeout, webhook_url)
        return AsyncRequestHandle.of(self, await self.queue.submit(EndpointId.parse(application), arguments, options))

    async def subscribe(  # noqa: PLR0913 - signature of the official client
        self,
        application: str,
        arguments: JSON,
        *,
        path: str = "",
        hint: str | None = None,
        with_logs: bool = False,
        interval: float = 0.1,  # noqa: ARG002 - the official client's argument; states come by a stream here
        on_enqueue: Callable[[str], Awaitable[None] | None] | None = None,
        on_queue_update: Callable[[AnyStatus], Awaitable[None] | None] | None = None,
        priority: Priority | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        start_timeout: float | None = None,
        client_timeout: float | None = None,
    ) -> JSON:
        """Return the result of a request put into the queue, waiting for it.

        A task cancelled meanwhile cancels the request at the server.

        Parameters
        ----------
        on_enqueue
            Called with the request id, once it is accepted; may be asynchronous.
        on_queue_update
            Called with each new status; may be asynchronous.
        client_timeout
            Seconds for everything; also the `start_timeout` where that is not given.

        Raises
        ------
        FalClientTimeoutError
            Where `client_timeout` ran out; the request is cancelled.
        SubmissionUnknown, NotSent, FalClientHTTPError
            As `submit`, and the request's own error where it failed.
        """
        _warn_of_timeouts(start_timeout, client_timeout)
        if start_timeout is None and client_timeout is not None and client_timeout > SHORTEST_START_S:
            start_timeout = client_timeout
        options = CallOptions(path, hint, priority, headers, start_timeout)
        endpoint = EndpointId.parse(application)
        request_id = None
        try:
            async with asyncio.timeout(client_timeout) as limit:
                request_id = (await self.queue.submit(endpoint, arguments, options)).request_id
                try:
                    await _call(on_enqueue, request_id)
                    found = self.queue.iter_status(endpoint, request_id, with_logs=with_logs)
                    async with aclosing(found) as statuses:
                        async for status in statuses:
                            await _call(on_queue_update, status)
                    return (await self.queue.result_answer(endpoint, request_id)).data
                except asyncio.CancelledError:
                    await self.queue.cancel_quietly(endpoint, request_id)
                    raise
        except TimeoutError:
            if client_timeout is None or not limit.expired():
                raise
        raise FalClientTimeoutError(client_timeout, request_id, endpoint=str(endpoint))

    async def get_handle(self, application: str, request_id: str) -> AsyncRequestHandle:
        """Return the handle of a request submitted before."""
        return AsyncRequestHandle.from_request_id(self, application, request_id)

    async def status(self, application: str, request_id: str, *, with_logs: bool = False) -> AnyStatus:
        """Return what the server says at present; logs only where asked for."""
        return await self.queue.status(EndpointId.parse(application), request_id, with_logs=with_logs)

    def iter_events(
        self, application: str, request_id: str, *, with_logs: bool = False, interval: float = 0.1
    ) -> AsyncGenerator[AnyStatus, None]:
        """Yield each new status until the request is completed; see `AsyncRequestHandle.iter_events`."""
        handle = AsyncRequestHandle.from_request_id(self, application, request_id)
        return handle.iter_events(with_logs=with_logs, interval=interval)

    async def result(self, application: str, request_id: str) -> JSON:
        """Return the result, waiting for it.

        Raises
        ------
        FalClientHTTPError
            Where the request failed or was cancelled, or its result is not kept any more.
        """
        endpoint = EndpointId.parse(application)
        found = await self.queue.result_if_ready(endpoint, request_id)
        return (found or await self.queue.wait(endpoint, request_id)).data

    async def cancel(self, application: str, request_id: str) -> None:
        """Ask the server to stop a request.

        Raises
        ------
        FalClientHTTPError
            Where it is over already (400) or not known (404).
        """
        await self.queue.cancel(EndpointId.parse(application), request_id)

    def stream(
        self,
        application: str,
        arguments: JSON,
        *,
        path: str = "/stream",
        timeout: float | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> AsyncGenerator[JSON, None]:
        """Yield the events of a streaming endpoint; the last is the final value.

        The stream of an app that crashes in the middle ends like a whole one, before the final value.

        Parameters
        ----------
        timeout
            Longest silence, in seconds; None waits as long as the connection lives.

        Raises
        ------
        FalClientHTTPError
            Where the server refused, before the first event.
        SubmissionUnknown
            Where the stream broke: the run may go on and be charged.
        """
        options = CallOptions(path, headers=headers)
        return self.streams.events(EndpointId.parse(application), arguments, options, timeout_s=timeout)

    def realtime(  # noqa: PLR0913 - signature of the official client, and the pace
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
    ) -> AsyncRealtimeConnection:
        """Return a connection on which inputs are answered as they come; ``async with`` opens and closes it.

        Parameters
        ----------
        use_jwt
            Whether the connection is opened with a short-lived token rather than with the key itself.
        max_buffering
            How many inputs fal holds for the app, 1 to 60; further ones take the place of the oldest.
        token_expiration
            Seconds in which a token opens a connection; each connection gets a new one.
        encode_message, decode_message
            For apps that do not read or write msgpack.
        newest_wins
            Whether `send` returns at once and an input that could not go out yet gives way to a newer one.
        throttle_s
            Least time between two inputs, in seconds.
        in_flight
            How many inputs may be unanswered before the next one waits; after 5 s without an answer it goes all
            the same.
        reconnect
            Whether an input sent after the end of a connection opens a new one. Nothing is ever sent twice.

        Raises
        ------
        EndpointError, ConfigError
            Where an option has a value that cannot be meant.
        """
        return self.connecting.connection(
            application,
            use_jwt=use_jwt,
            path=path,
            max_buffering=max_buffering,
            token_expiration=token_expiration,
            codec=codec_of(encode_message, decode_message),
            pace=Pace(newest_wins, throttle_s, in_flight, reconnect),
        )

    def ws_connect(
        self,
        application: str,
        *,
        use_jwt: bool = True,
        path: str = "",
        max_buffering: int | None = None,
        token_expiration: int = TOKEN_LIFE_S,
    ) -> AsyncRawSocket:
        """Return a WebSocket of an app without fal's protocol; ``async with`` opens and closes it.

        Its `send` and `recv` take and give bytes or texts. Raises as `realtime`.
        """
        return self.connecting.raw(
            application,
            use_jwt=use_jwt,
            path=path,
            max_buffering=max_buffering,
            token_expiration=token_expiration,
        )

    async def upload(
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
        """Return the URL of uploaded bytes, or of a text as UTF-8; over 100 MiB they go in parts.

        Parameters
        ----------
        lifecycle
            How long the file lives and who may read it.
        progress
            Called with (bytes sent, bytes in all).

        Raises
        ------
        TransferError, FalClientHTTPError
            Where the upload failed in every way.
        """
        ways = check_repositories(repository, fallback_repository)
        content = data.encode("utf-8") if isinstance(data, str) else data
        return await self.storage.upload(
            content, content_type, file_name, lifecycle=lifecycle, progress=progress, repositories=ways
        )

    async def upload_file(
        self,
        path: str | os.PathLike[str],
        *,
        repository: Repository | None = None,
        fallback_repository: Repository | list[Repository] | None = None,
        lifecycle: Lifecycle | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Return the URL of an uploaded file, read from disk as it is sent; over 100 MiB it goes in parts.

        Raises
        ------
        FileError
            Where the file cannot be read, or changes meanwhile.
        TransferError, FalClientHTTPError
            Where the upload failed in every way.
        """
        ways = check_repositories(repository, fallback_repository)
        return await self.storage.upload_file(path, lifecycle=lifecycle, progress=progress, repositories=ways)

    async def upload_image(
        self,
        image: Any,
        format: str = "jpeg",  # noqa: A002 - the official client's argument
        *,
        repository: Repository | None = None,
        fallback_repository: Repository | list[Repository] | None = None,
        lifecycle: Lifecycle | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Return the URL of an uploaded Pillow picture, encoded in the given format.

        Raises
        ------
        FileError
            Where it cannot be encoded so.
        """
        data, content_type = await asyncio.to_thread(encode_picture, image, format)
        return await self.upload(
            data,
            content_type,
            repository=repository,
            fallback_repository=fallback_repository,
            lifecycle=lifecycle,
            progress=progress,
        )


def _resolve(given: Given) -> Settings:
    settings = given.resolve()
    if settings is None:
        raise MissingCredentialsError(
            "No key was found: set FAL_KEY to a key from fal.ai/dashboard/keys, or FAL_NB_BASE_URL to another server. "
            "(The functions of fal_nb itself, such as fal_nb.submit, use a simulator where there is no key.)"
        )
    return settings


def _warn_of_timeouts(start_timeout: float | None, client_timeout: float | None) -> None:
    if start_timeout is not None and client_timeout is not None and start_timeout > client_timeout:
        warnings.warn(
            f"start_timeout ({start_timeout} s) is longer than client_timeout ({client_timeout} s): "
            "the client may give up before the server does.",
            UserWarning,
            stacklevel=3,
        )


async def _call(callback: Callable[[Any], Awaitable[None] | None] | None, value: Any) -> None:
    """Call what may be absent, plain or asynchronous."""
    if callback is not None:
        answer = callback(value)
        if inspect.isawaitable(answer):
            await answer
