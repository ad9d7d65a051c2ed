"""The module's functions as coroutines, by the official client's names; on this kernel's session, like the others."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from fal_nb import api, api_uploads
from fal_nb.client.handle import AsyncRequestHandle
from fal_nb.client.options import CallOptions, Priority
from fal_nb.engine.event_queue import EventQueue, EventsToCome
from fal_nb.engine.intent import Terms
from fal_nb.engine.job import Job
from fal_nb.engine.remembered import annotation_columns

if TYPE_CHECKING:
    from fal_nb.client.follow import AnyStatus
    from fal_nb.client.lifecycle import Lifecycle
    from fal_nb.client.storage import Repository
    from fal_nb.results import Result

__all__ = [
    "cancel_async",
    "result_async",
    "run_async",
    "status_async",
    "stream_async",
    "submit_async",
    "subscribe_async",
    "upload_async",
    "upload_file_async",
    "upload_image_async",
]

T = TypeVar("T")
AnyProgress: TypeAlias = Callable[[int, int], Any]
"""Called with (bytes sent, bytes in all); what it returns to be awaited is awaited."""
_HEARTBEAT_S = 0.02


async def submit_async(  # noqa: PLR0913 - signature of the official client, and the newer options
    application: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    path: str = "",
    hint: str | None = None,
    webhook_url: str | None = None,
    priority: Priority | None = None,
    headers: Mapping[str, str] | None = None,
    start_timeout: float | None = None,
    lifecycle: Lifecycle | None = None,
    store_io: bool | None = None,
    no_retry: bool = False,
    disable_fallback: bool = False,
    fal_tags: Mapping[str, str] | None = None,
    max_queue_length: int | None = None,
    tags: str | Iterable[str] | None = None,
    note: str | None = None,
    max_cost: float | None = None,
    allow_unpriced: bool = False,
    check: bool = True,
) -> AsyncRequestHandle:
    """Start a call and return its handle once fal has accepted it; it is on the record and followed all the same.

    Options as for `fal_nb.submit`.
    It is always sent, whatever the session's memo: a handle speaks of a request that fal knows.

    Raises
    ------
    FalError
        Where the call could not be made; nothing is sent twice.
    """
    options = CallOptions(
        path=path,
        hint=hint,
        priority=priority,
        headers=headers or {},
        start_timeout=start_timeout,
        webhook_url=webhook_url,
        lifecycle=lifecycle,
        store_io=store_io,
        no_retry=no_retry,
        disable_fallback=disable_fallback,
        tags=fal_tags or {},
        max_queue_length=max_queue_length,
    )
    terms = Terms(max_cost, allow_unpriced)
    more = annotation_columns(tags, note)
    job = await _submit(application, arguments, options, memo="refresh", more=more, terms=terms, check=check)
    try:
        while job.snapshot.request_id is None and not job.done:  # noqa: ASYNC110 - it changes on another loop
            await asyncio.sleep(_HEARTBEAT_S)
    except asyncio.CancelledError:
        job.request_cancel()
        raise
    if job.request_id is None:
        job.result()
    client = await _in_a_thread(api.session().client)
    return AsyncRequestHandle.from_request_id(client, job.endpoint, str(job.request_id))


async def subscribe_async(  # noqa: PLR0913 - signature of the official client
    application: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    path: str = "",
    hint: str | None = None,
    with_logs: bool = False,
    interval: float = 0.1,  # noqa: ARG001 - the official client's argument; states come by a stream here
    on_enqueue: Callable[[str], Any] | None = None,
    on_queue_update: Callable[[AnyStatus], Any] | None = None,
    priority: Priority | None = None,
    headers: Mapping[str, str] | None = None,
    start_timeout: float | None = None,
    client_timeout: float | None = None,
    webhook_url: str | None = None,
    lifecycle: Lifecycle | None = None,
    store_io: bool | None = None,
    no_retry: bool = False,
    disable_fallback: bool = False,
    fal_tags: Mapping[str, str] | None = None,
    max_queue_length: int | None = None,
    memo: str | None = None,
    tags: str | Iterable[str] | None = None,
    note: str | None = None,
    max_cost: float | None = None,
    allow_unpriced: bool = False,
    check: bool = True,
) -> Result:
    """Queue a call, wait for it and return its result. Cancelling the task cancels the request at fal.

    Callbacks may be asynchronous; they run on the caller's loop, plain ones in a worker thread. `memo`, `tags` and
    `note` are as for `fal_nb.submit`.
    """
    options = CallOptions(
        path=path,
        hint=hint,
        priority=priority,
        headers=headers or {},
        start_timeout=start_timeout,
        webhook_url=webhook_url,
        lifecycle=lifecycle,
        store_io=store_io,
        no_retry=no_retry,
        disable_fallback=disable_fallback,
        tags=fal_tags or {},
        max_queue_length=max_queue_length,
    )
    terms = Terms(max_cost, allow_unpriced)
    more = annotation_columns(tags, note)
    job = await _submit(
        application, arguments, options, timeout_s=client_timeout, memo=memo, more=more, terms=terms, check=check
    )
    if on_enqueue is not None or on_queue_update is not None:
        loop = asyncio.get_running_loop()
        told = functools.partial(
            api.tell, job, _called(loop, on_enqueue), _called(loop, on_queue_update), with_logs=with_logs
        )
        try:
            await _in_a_thread(told)
        except asyncio.CancelledError:
            job.request_cancel()
            raise
    return await job


async def run_async(  # noqa: PLR0913 - signature of the official client, and the newer options
    application: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    path: str = "",
    timeout: float | None = None,  # noqa: ASYNC109 - signature of the official client
    start_timeout: float | None = None,
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
    lifecycle: Lifecycle | None = None,
    store_io: bool | None = None,
    disable_fallback: bool = False,
    fal_tags: Mapping[str, str] | None = None,
    memo: str | None = None,
    tags: str | Iterable[str] | None = None,
    note: str | None = None,
    max_cost: float | None = None,
    allow_unpriced: bool = False,
    check: bool = True,
) -> Result:
    """Call an endpoint without the queue and return its result; see `fal_nb.run`."""
    options = CallOptions(
        path=path,
        hint=hint,
        headers=headers or {},
        start_timeout=start_timeout,
        lifecycle=lifecycle,
        store_io=store_io,
        disable_fallback=disable_fallback,
        tags=fal_tags or {},
    )
    more, terms = annotation_columns(tags, note), Terms(max_cost, allow_unpriced)
    job = await _submit(
        application,
        arguments,
        options,
        kind="direct",
        timeout_s=timeout,
        memo=memo,
        more=more,
        terms=terms,
        check=check,
    )
    return await job


def stream_async(  # noqa: PLR0913 - signature of the official client, and the newer options
    application: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    path: str = "/stream",
    timeout: float | None = None,
    headers: Mapping[str, str] | None = None,
    start_timeout: float | None = None,
    hint: str | None = None,
    lifecycle: Lifecycle | None = None,
    store_io: bool | None = None,
    disable_fallback: bool = False,
    fal_tags: Mapping[str, str] | None = None,
    max_cost: float | None = None,
    allow_unpriced: bool = False,
    check: bool = True,
) -> EventsToCome:
    """Return the events of a streaming endpoint for ``async for``; see `fal_nb.stream`.

    Nothing is sent before the first event is asked for. Awaited, it starts and gives the events with their ``job``.
    """
    start = functools.partial(
        api.stream,
        application,
        arguments,
        path=path,
        timeout=timeout,
        headers=headers,
        start_timeout=start_timeout,
        hint=hint,
        lifecycle=lifecycle,
        store_io=store_io,
        disable_fallback=disable_fallback,
        fal_tags=fal_tags,
        max_cost=max_cost,
        allow_unpriced=allow_unpriced,
        check=check,
    )
    return EventsToCome(lambda: _started(start, EventQueue.close))


async def status_async(application: str, request_id: str, *, with_logs: bool = False) -> AnyStatus:
    """Return what the server says of a request at present."""
    return await _in_a_thread(functools.partial(api.status, application, request_id, with_logs=with_logs))


async def result_async(application: str, request_id: str) -> Result:
    """Return a request's result, waiting for it; it is followed and recorded."""
    return await (await _in_a_thread(functools.partial(api.session().attach, application, request_id)))


async def cancel_async(application: str, request_id: str) -> None:
    """Ask fal to stop a request; raises where it is over already or not known."""
    await _in_a_thread(functools.partial(api.cancel, application, request_id))


async def upload_async(
    data: str | bytes,
    content_type: str,
    file_name: str | None = None,
    *,
    repository: Repository | None = None,
    fallback_repository: Repository | list[Repository] | None = None,
    lifecycle: Lifecycle | None = None,
    progress: AnyProgress | None = None,
) -> str:
    """Upload bytes, or a text as UTF-8, and return their URL; see `fal_nb.upload`.

    `progress` may be asynchronous; then it runs on the caller's loop, a plain one in a worker thread.
    """
    options = _upload_options(repository, fallback_repository, lifecycle, progress)
    return await _in_a_thread(functools.partial(api_uploads.upload, data, content_type, file_name, **options))


async def upload_file_async(
    path: str | os.PathLike[str],
    *,
    repository: Repository | None = None,
    fallback_repository: Repository | list[Repository] | None = None,
    lifecycle: Lifecycle | None = None,
    progress: AnyProgress | None = None,
) -> str:
    """Upload a local file and return its URL; options as for `upload_async`."""
    options = _upload_options(repository, fallback_repository, lifecycle, progress)
    return await _in_a_thread(functools.partial(api_uploads.upload_file, os.fspath(path), **options))


async def upload_image_async(
    image: Any,
    format: str = "jpeg",  # noqa: A002 - the official client's argument
    *,
    repository: Repository | None = None,
    fallback_repository: Repository | list[Repository] | None = None,
    lifecycle: Lifecycle | None = None,
    progress: AnyProgress | None = None,
) -> str:
    """Upload a Pillow picture, encoded in the given format, and return its URL; options as for `upload_async`."""
    options = _upload_options(repository, fallback_repository, lifecycle, progress)
    return await _in_a_thread(functools.partial(api_uploads.upload_image, image, format, **options))


def _upload_options(
    repository: Repository | None,
    fallback_repository: Repository | list[Repository] | None,
    lifecycle: Lifecycle | None,
    progress: AnyProgress | None,
) -> dict[str, Any]:
    told = _called(asyncio.get_running_loop(), progress)
    ways = {"repository": repository, "fallback_repository": fallback_repository}
    return {**ways, "lifecycle": lifecycle, "progress": told}


async def _submit(application: str, arguments: Mapping[str, Any] | None, options: CallOptions, **more: Any) -> Job:
    """Start a job without holding up the caller's loop: the first call of an endpoint waits for its schema."""

    def start() -> Job:
        return api.session().submit(application, api.given(arguments), options=options, **more)

    return await _started(start, Job.request_cancel)


async def _started(start: Callable[[], T], stop: Callable[[T], object]) -> T:
    """Start something in a worker thread; where the caller is cancelled meanwhile, stop it as soon as it is there."""
    started: list[T] = []
    gone = threading.Event()

    def work() -> T:
        made = start()
        started.append(made)
        if gone.is_set():
            stop(made)
        return made

    try:
        return await _in_a_thread(work)
    except asyncio.CancelledError:
        gone.set()
        for made in started:
            stop(made)
        raise


async def _in_a_thread(function: Callable[[], T]) -> T:
    return await asyncio.to_thread(function)


def _called(loop: asyncio.AbstractEventLoop, callback: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """Return a callback for a worker thread: what it returns to be awaited is awaited on the caller's loop."""
    if callback is None:
        return None

    def call(*values: Any) -> None:
        answer = callback(*values)
        if inspect.iscoroutine(answer):
            asyncio.run_coroutine_threadsafe(answer, loop).result()

    return call
