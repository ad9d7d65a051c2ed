"""What a follower needs of the client, the artifact store and the worker threads, in one object on the loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from fal_nb.artifacts.collect import collect, glance
from fal_nb.artifacts.drawing import DrawingProcess
from fal_nb.client.answers import ResultAnswer
from fal_nb.client.async_client import AsyncClient
from fal_nb.client.gate import LOCK_S
from fal_nb.client.kept import list_file
from fal_nb.client.model_cache import ModelCache
from fal_nb.client.platform import Platform
from fal_nb.client.price_cache import PriceCache
from fal_nb.client.schema_cache import SchemaCache
from fal_nb.client.verdicts import Answer
from fal_nb.engine.uploads import note_upload
from fal_nb.errors import SubmissionUnknown
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.files import FileRef
from fal_nb.protocol.stream_text import StreamText

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.artifacts.store import ArtifactStore
    from fal_nb.client.bodies import Progress
    from fal_nb.client.follow import AnyStatus
    from fal_nb.client.lifecycle import Lifecycle
    from fal_nb.client.options import CallOptions
    from fal_nb.client.withdrawal import Withdrawal
    from fal_nb.engine.contract import Streaming
    from fal_nb.engine.inputs import LocalFile
    from fal_nb.engine.recorder import Recorder
    from fal_nb.protocol.status import JSON
    from fal_nb.settings import Settings

__all__ = ["ClientWire"]

_REMEMBERED_UPLOADS = 1_000
_log = logging.getLogger("fal_nb")
_PICTURE_BYTES = 24 * 1024 * 1024
_PICTURE_S = 30.0
_READ_BYTES = 64 * 1024 * 1024
_DOWNLOAD_TRIES = 10
"""About 45 s: what is paid for is worth waiting for until the network is back."""


class ClientWire:
    """The session's one client, and the threads in which outputs are decoded and drawn."""

    def __init__(
        self, settings: Settings, artifacts: ArtifactStore, get_recorder: Callable[[], Recorder] | None = None
    ) -> None:
        self._get_recorder = get_recorder
        self.client = AsyncClient(settings=settings, lock_s=LOCK_S)
        self.gate = self.client.http.gate
        # A simulator's port is another one tomorrow: what is kept of it would never be found again.
        folder = None if settings.backend == "simulator" else settings.home / "schemas"
        self.schemas = SchemaCache(self.client.http, folder)
        self.prices = PriceCache(Platform(self.client.http), _list_file(settings, "prices"))
        self.models = ModelCache(self.client.models, _list_file(settings, "models"))
        self._artifacts = artifacts
        self._uploaded: dict[str, _Upload] = {}
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="fal-nb-media")
        self._drawing = DrawingProcess()
        # It begins while the first request waits in the queue, not when its picture is there.
        self._workers.submit(self._drawing.warm)
        self._workers.submit(artifacts.clean)

    async def take_turn(self, withdrawal: Withdrawal) -> None:
        """Wait until a paid call may be sent; raises where none may, or the call was taken back meanwhile."""
        await self.gate.take(withdrawal)

    async def submit(self, endpoint: str, arguments: JSON, options: CallOptions) -> str:
        """Queue a request and return its id."""
        return (await self.client.queue.submit(EndpointId.parse(endpoint), arguments, options)).request_id

    async def direct(self, endpoint: str, arguments: JSON, options: CallOptions) -> ResultAnswer:
        """Run without the queue."""
        return await self.client.direct.answer(EndpointId.parse(endpoint), arguments, options)

    async def stream(self, endpoint: str, arguments: JSON, options: CallOptions, streaming: Streaming) -> ResultAnswer:
        """Run an endpoint that streams, hand each event on, and return the last as the result.

        Of an app that crashes in the middle that is the last it has sent: its stream ends like a whole one. Where the
        events hold pieces of a text, the result has the whole of it as ``output``.

        Raises
        ------
        SubmissionUnknown
            Where the stream ended without one event.
        """
        headers: dict[str, str] = {}
        events = self.client.streams.events(
            EndpointId.parse(endpoint), arguments, options, timeout_s=streaming.silence_s, on_open=headers.update
        )
        last, count, text = None, 0, StreamText()
        async with aclosing(events) as found:
            async for last in found:
                count += 1
                text.take(last)
                streaming.on_event(last)
        if text.is_in_pieces and isinstance(last, dict):
            last = {**last, "output": text.text}
        answer = ResultAnswer.of(last, Answer(200, headers, b""))
        if not count:
            raise SubmissionUnknown(
                f"The stream of {endpoint} ended without an event; it may be charged.",
                request_id=answer.request_id,
                endpoint=endpoint,
            )
        return answer

    def statuses(self, endpoint: str, request_id: str) -> AsyncIterator[AnyStatus]:
        """Yield statuses with logs until the request has ended."""
        return self.client.queue.iter_status(EndpointId.parse(endpoint), request_id, with_logs=True)

    async def result(self, endpoint: str, request_id: str) -> ResultAnswer:
        """Fetch the result of a request that has ended."""
        return await self.client.queue.result_answer(EndpointId.parse(endpoint), request_id)

    async def cancel(self, endpoint: str, request_id: str) -> str:
        """Ask fal to stop a request; returns its answer's word."""
        return await self.client.queue.cancel_answer(EndpointId.parse(endpoint), request_id)

    async def upload(
        self,
        file: LocalFile,
        ways: Sequence[str] = ("fal_v3", "fal"),
        lifecycle: Lifecycle | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Upload a file once per content and return its URL; those who come meanwhile wait for the same upload.

        One with a lifecycle is uploaded each time: what was asked for earlier may be gone.
        """
        known_as = await asyncio.to_thread(file.identity)
        if lifecycle is not None:
            return await self._send(file, known_as, ways, lifecycle, progress)
        identity = "\n".join((known_as, *ways))
        shared = self._uploaded.pop(identity, None)
        is_new = shared is None or shared.has_failed
        if shared is None or shared.has_failed:
            shared = _Upload(asyncio.ensure_future(self._send(file, known_as, ways, None, progress)))
        self._uploaded[identity] = shared
        while len(self._uploaded) > _REMEMBERED_UPLOADS:
            self._uploaded.pop(next(iter(self._uploaded)))
        url = await shared.url()
        if progress is not None and not is_new:
            size_bytes = await asyncio.to_thread(file.size_bytes)
            progress(size_bytes, size_bytes)
        return url

    def forget_uploads(self, urls: Container[str]) -> None:
        """Let the bytes behind URLs that are gone be uploaded again."""
        for identity, shared in list(self._uploaded.items()):
            if shared.known_url in urls:
                del self._uploaded[identity]

    async def collect(self, result: JSON, known: Sequence[Artifact] = ()) -> tuple[Artifact, ...]:
        """Fetch and store every file of a result; what is stored of `known` already is not fetched again."""
        return await collect(result, self._fetch, self._artifacts, self._workers, known=known, look=self._drawing.look)

    async def look(self, ref: FileRef, index: int) -> Artifact:
        """Return what a file is, with its thumbnail, and keep nothing of it.

        Raises
        ------
        FalError, OSError
            Where it cannot be had.
        """
        return await glance(ref, index, self._fetch_once, self._artifacts, self._workers, self._drawing.look)

    async def picture(self, url: str) -> bytes | None:
        """Return a small picture of what lies at a URL, as WebP, or None; nothing of it is kept, nothing raised."""
        try:
            artifact = await glance(
                FileRef((), url, "image"), 0, self._fetch_picture, self._artifacts, self._workers, self._drawing.look
            )
        except Exception as error:  # noqa: BLE001 - a card without its picture is a card; a view that stops is none
            _log.debug("the picture of a model could not be had: %s", type(error).__name__)
            return None
        return artifact.thumbnail

    async def read(self, ref: FileRef) -> bytes:
        """Return the bytes of a file, and keep nothing of it; at most 64 MiB.

        Raises
        ------
        FalError, OSError
            Where they cannot be had.
        """
        target = self._artifacts.incoming_path()
        try:
            await self.client.downloads.download(ref.url, target, tries=1, max_bytes=_READ_BYTES)
            return await asyncio.to_thread(target.read_bytes)
        finally:
            with contextlib.suppress(OSError):
                target.unlink(missing_ok=True)

    async def aclose(self) -> None:
        """Close all connections."""
        closed = self._workers.submit(self._drawing.close)
        self._workers.shutdown(wait=False)
        await self.client.aclose()
        await asyncio.wrap_future(closed)

    async def _send(
        self,
        file: LocalFile,
        known_as: str,
        ways: Sequence[str],
        lifecycle: Lifecycle | None,
        progress: Progress | None,
    ) -> str:
        storage = self.client.storage
        if file.path is not None:
            url = await storage.upload_file(
                file.path, content_type=file.content_type, lifecycle=lifecycle, progress=progress, repositories=ways
            )
        else:
            data = file.data or b""
            url = await storage.upload(
                data, file.content_type, file.name, lifecycle=lifecycle, progress=progress, repositories=ways
            )
        if self._get_recorder is not None:
            await note_upload(self._get_recorder, self._artifacts, url, file, known_as)
        return url

    async def _fetch(self, url: str, target: Path) -> tuple[str, int, str | None]:
        got = await self.client.downloads.download(url, target, tries=_DOWNLOAD_TRIES)
        return got.sha256, got.size_bytes, got.content_type

    async def _fetch_picture(self, url: str, target: Path) -> tuple[str, int, str | None]:
        got = await self.client.downloads.download(url, target, tries=1, max_bytes=_PICTURE_BYTES, timeout_s=_PICTURE_S)
        return got.sha256, got.size_bytes, got.content_type

    async def _fetch_once(self, url: str, target: Path) -> tuple[str, int, str | None]:
        got = await self.client.downloads.download(url, target, tries=1)
        return got.sha256, got.size_bytes, got.content_type


class _Upload:
    """One upload and those who wait for it; when the last of them has gone, it is stopped."""

    def __init__(self, task: asyncio.Task[str]) -> None:
        self._task = task
        self._waiting = 0

    @property
    def has_failed(self) -> bool:
        """Whether it has ended without a URL."""
        return self._task.done() and (self._task.cancelled() or self._task.exception() is not None)

    @property
    def known_url(self) -> str | None:
        """The URL, or None while there is none."""
        return self._task.result() if self._task.done() and not self.has_failed else None

    async def url(self) -> str:
        """Return the URL, waiting for it."""
        self._waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._task.cancel()


def _list_file(settings: Settings, what: str) -> Path | None:
    """Return where prices or models are kept: one list a server, none of a simulator."""
    return None if settings.backend == "simulator" else list_file(settings.home, settings.hosts.api, what)
