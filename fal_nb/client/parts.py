"""Uploads in parts: several under way at once, each sent again on its own, read from disk as they go."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from fal_nb.client.bodies import Body, BytesBody, FileBody, Progress, unreadable
from fal_nb.errors import FileError

__all__ = ["PARTS_ABOVE_BYTES", "PART_BYTES", "Part", "Source", "send_parts"]

PART_BYTES = 10 * 1024 * 1024
"""Source: fal-client 1.0.3 ``MULTIPART_CHUNK_SIZE``."""
PARTS_ABOVE_BYTES = 100 * 1024 * 1024
"""Source: fal-client 1.0.3 ``MULTIPART_THRESHOLD``."""
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Part:
    """One part that the server has taken."""

    number: int
    etag: str

    def body(self) -> dict[str, str | int]:
        """Return it as a completion names it."""
        return {"partNumber": self.number, "etag": self.etag}


class Source:
    """Bytes in memory or in a file, as a whole or in parts.

    Parameters
    ----------
    path
        Read as it is sent; None where `data` is given.
    """

    def __init__(self, data: bytes | None = None, path: Path | None = None) -> None:
        self._data = data
        self._path = path
        self._stamp = None if path is None else _stamp(path)
        self.size_bytes = len(data or b"") if self._stamp is None else self._stamp[0]

    def whole(self, progress: Progress | None = None) -> Body:
        """Return all of it as one body."""
        if self._path is None:
            return BytesBody(self._data or b"", progress)
        return FileBody(self._path, self.size_bytes, progress)

    def part(self, number: int, progress: Progress | None = None) -> Body:
        """Return one part, counted from 1."""
        start = (number - 1) * PART_BYTES
        size_bytes = min(PART_BYTES, self.size_bytes - start)
        if self._path is None:
            return BytesBody(memoryview(self._data or b"")[start : start + size_bytes], progress)
        return FileBody(self._path, size_bytes, progress, start=start, is_part=True)

    def check_unchanged(self) -> None:
        """Look whether the file is still the one it was; blocks.

        Raises
        ------
        FileError
            Where it is not: its parts would be of two files.
        """
        if self._path is not None and _stamp(self._path) != self._stamp:
            raise FileError(f"{self._path} changed while it was being uploaded: upload it again.")


async def send_parts(
    source: Source, put: Callable[[int, Body], Awaitable[Part]], progress: Progress | None = None
) -> list[Part]:
    """Send every part, several at once, and return them in their order.

    Parameters
    ----------
    put
        Sends one part, counted from 1, as often as it takes.

    Raises
    ------
    FalError
        Of the first part that fails for good; the others are stopped.
    """
    count = max(1, -(-source.size_bytes // PART_BYTES))
    done = _Done(source.size_bytes, progress)
    slots = asyncio.Semaphore(_AT_ONCE)

    async def send(number: int) -> Part:
        async with slots:
            return await put(number, source.part(number, done.of(number)))

    tasks = [asyncio.ensure_future(send(number)) for number in range(1, count + 1)]
    try:
        parts = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.to_thread(source.check_unchanged)
    return parts


class _Done:
    """Adds up the progress of parts; a part that is sent again takes nothing back."""

    def __init__(self, size_bytes: int, progress: Progress | None) -> None:
        self._size_bytes = size_bytes
        self._progress = progress
        self._parts: dict[int, int] = {}
        self._sum = 0

    def of(self, number: int) -> Progress | None:
        """Return what takes the progress of one part."""
        return None if self._progress is None else lambda done_bytes, _all: self._take(number, done_bytes)

    def _take(self, number: int, done_bytes: int) -> None:
        more = done_bytes - self._parts.get(number, 0)
        if more > 0 and self._progress is not None:
            self._parts[number] = done_bytes
            self._sum += more
            self._progress(self._sum, self._size_bytes)


def _stamp(path: Path) -> tuple[int, int, int]:
    """Return (bytes, time of the last change in ns, inode) of a file that can be read; blocks."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
    except OSError as error:
        raise unreadable(path, error) from error
    return found.st_size, found.st_mtime_ns, found.st_ino
