"""Uploads on the session: how one is to be made, and its progress told on the thread of whoever waits for it."""

from __future__ import annotations

import queue
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from fal_nb.client.lifecycle import Lifecycle, lifecycle_header

if TYPE_CHECKING:
    from fal_nb.client.bodies import Progress
    from fal_nb.client.storage import Repository
    from fal_nb.engine.inputs import LocalFile
    from fal_nb.engine.wire import ClientWire
    from fal_nb.runtime import Runtime

__all__ = ["PLAIN", "UploadOptions", "upload_and_tell"]

_SLICE_S = 0.1
_Report: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """How an upload is to be made.

    Attributes
    ----------
    repository, fallback_repository
        The ways to try, in their order; see `AsyncClient.upload`.
    lifecycle
        How long the file lives and who may read it.
    progress
        Called with (bytes sent, bytes in all) from time to time, and at the end.
    """

    repository: Repository | None = None
    fallback_repository: Repository | list[Repository] | None = None
    lifecycle: Lifecycle | None = None
    progress: Progress | None = None

    def ways(self) -> tuple[str, ...]:
        """Return the ways to try, in their order.

        Raises
        ------
        ConfigError
            Where an option cannot be one.
        """
        from fal_nb.client.storage import check_repositories  # noqa: PLC0415 - imports httpx

        lifecycle_header(self.lifecycle)
        return check_repositories(self.repository, self.fallback_repository)


PLAIN = UploadOptions()


def upload_and_tell(
    runtime: Runtime, get_wire: Callable[[], Awaitable[ClientWire]], file: LocalFile, options: UploadOptions
) -> str:
    """Upload a file and return its URL; blocks. Its progress is told on the calling thread, always the newest.

    An interrupt, or an error that `progress` raises, ends the upload.

    Raises
    ------
    ConfigError
        Where an option cannot be one; nothing is sent then.
    """
    ways = options.ways()
    reports: queue.SimpleQueue[_Report] = queue.SimpleQueue()
    tell = options.progress

    async def send() -> str:
        put = None if tell is None else lambda done, size: reports.put((done, size))
        return await (await get_wire()).upload(file, ways, options.lifecycle, put)

    if tell is None or runtime.is_loop_thread:
        return runtime.call(send())
    future = runtime.start_soon(send())
    try:
        while not future.done():
            _tell_newest(reports, tell, _SLICE_S)
        _tell_newest(reports, tell, 0.0)
        return future.result()
    except BaseException:
        future.cancel()
        raise


def _tell_newest(reports: queue.SimpleQueue[_Report], tell: Progress, wait_s: float) -> None:
    """Call back with the newest report, if there is one within so many seconds."""
    newest: _Report | None = None
    try:
        newest = reports.get(timeout=wait_s) if wait_s else reports.get_nowait()
        while True:
            newest = reports.get_nowait()
    except queue.Empty:
        if newest is not None:
            tell(*newest)
