"""Request bodies that are handed out piece by piece, may be sent again, and report how far they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, TypeAlias

import httpx

from fal_nb.errors import FalError, FileError

__all__ = ["Body", "BytesBody", "FileBody", "Progress", "file_size"]

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (bytes done, bytes in all), on the event loop's thread."""

_PIECE_BYTES = 1024 * 1024


class Body(httpx.AsyncByteStream):
    """A body of known length.

    Attributes
    ----------
    failure
        Why the body itself could not be read, or None; the network is not to blame then.
    """

    def __init__(self, size_bytes: int, progress: Progress | None = None) -> None:
        self.size_bytes = size_bytes
        self.failure: FalError | None = None
        self._progress = progress

    def _report(self, done_bytes: int) -> None:
        if self._progress is not None:
            self._progress(done_bytes, self.size_bytes)


class BytesBody(Body):
    """Bytes in memory, not copied as a whole."""

    def __init__(self, data: bytes | memoryview, progress: Progress | None = None) -> None:
        super().__init__(len(data), progress)
        self._data = memoryview(data)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, self.size_bytes, _PIECE_BYTES):
            yield bytes(self._data[start : start + _PIECE_BYTES])
            self._report(min(start + _PIECE_BYTES, self.size_bytes))


class FileBody(Body):
    """A file or a part of one, read in a worker thread while it is sent.

    Parameters
    ----------
    size_bytes
        How much is sent, and how much there must be: from `start` to the end, unless `is_part`.
    is_part
        Whether more may follow.
    seen
        Called with each piece in the worker thread that has read it.
    """

    def __init__(
        self,
        path: Path,
        size_bytes: int,
        progress: Progress | None = None,
        *,
        start: int = 0,
        is_part: bool = False,
        seen: Callable[[bytes], object] | None = None,
    ) -> None:
        super().__init__(size_bytes, progress)
        self._path = path
        self._start = start
        self._is_part = is_part
        self._seen = seen

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            file: BinaryIO = await asyncio.to_thread(self._open)
            try:
                done_bytes = 0
                while piece := await asyncio.to_thread(self._read, file, done_bytes):
                    done_bytes += len(piece)
                    if done_bytes > self.size_bytes:
                        break
                    yield piece
                    self._report(done_bytes)
            finally:
                # Not in a thread: where the answer came first this coroutine is cancelled, and would be again.
                file.close()
        except OSError as error:
            self.failure = unreadable(self._path, error)
            raise self.failure from error
        if done_bytes != self.size_bytes:
            self.failure = FileError(f"{self._path} changed while it was being uploaded: upload it again.")
            raise self.failure

    def _open(self) -> BinaryIO:
        file = self._path.open("rb", buffering=0)
        file.seek(self._start)
        return file

    def _read(self, file: BinaryIO, done_bytes: int) -> bytes:
        left = self.size_bytes - done_bytes if self._is_part else _PIECE_BYTES
        piece = file.read(min(_PIECE_BYTES, left))
        if piece and self._seen is not None:
            self._seen(piece)
        return piece


def file_size(path: Path) -> int:
    """Return the bytes in a file that can be read. Blocks.

    Raises
    ------
    FileError
        Where it cannot.
    """
    try:
        with path.open("rb") as file:
            return file.seek(0, 2)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> FileError:
    """Return the error for a file that cannot be read."""
    return FileError(f"{path} cannot be read: {error.strerror or type(error).__name__}.")
