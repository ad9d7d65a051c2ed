"""The files of the simulated CDN: in memory up to a bound, the rest in a folder that goes when the server goes."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fal_nb.protocol.files import extension_for, safe_file_name

__all__ = ["FileStore", "FileWriter", "StoredFile", "UploadTokens"]

_MEMORY_BYTES = 192 * 1024 * 1024
_FILE_IN_MEMORY_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_TOKEN_LIFE_S = 3600.0


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file, held as bytes or by its place on disk.

    Attributes
    ----------
    key
        Its path under ``/cdn/files/``; the first part cannot be guessed.
    parts
        What it was uploaded in, where it came in several parts; they stay where they are.
    expires_at
        Unix time at which it is gone, or None.
    """

    key: str
    content_type: str
    file_name: str
    size_bytes: int
    etag: str
    data: bytes | None = None
    path: Path | None = None
    parts: tuple[StoredFile, ...] = ()
    expires_at: float | None = None

    def read(self, start: int = 0, stop: int | None = None) -> bytes:
        """Return the bytes from `start` up to, not including, `stop`."""
        return b"".join(self.chunks(start, stop))

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield those bytes in pieces of at most 1 MiB."""
        stop = self.size_bytes if stop is None else stop
        for part in self.parts:
            yield from part.chunks(max(0, start), max(0, min(stop, part.size_bytes)))
            start, stop = start - part.size_bytes, stop - part.size_bytes
        if self.data is not None:
            for begin in range(start, stop, _CHUNK_BYTES):
                yield self.data[begin : min(begin + _CHUNK_BYTES, stop)]
            return
        if self.path is None:
            return
        with self.path.open("rb") as file:
            file.seek(start)
            while start < stop and (piece := file.read(min(_CHUNK_BYTES, stop - start))):
                start += len(piece)
                yield piece


class FileStore:
    """All files of one server; its methods may be called from any thread."""

    def __init__(self, cdn_url: str, memory_bytes: int = _MEMORY_BYTES) -> None:
        self._files_url = f"{cdn_url}/files/"
        self._memory_bytes = self._memory_left = memory_bytes
        self._files: dict[str, StoredFile] = {}
        self._lock = threading.Lock()
        self._folder: Path | None = None

    def add(self, data: bytes, content_type: str, file_name: str = "", *, life_s: float | None = None) -> StoredFile:
        """Store bytes and return the file."""
        writer = self.writer(content_type, file_name, life_s=life_s)
        writer.write(data)
        return writer.finish()

    def writer(self, content_type: str, file_name: str = "", *, life_s: float | None = None) -> FileWriter:
        """Return a place to write a file of unknown size into, piece by piece.

        Parameters
        ----------
        life_s
            Seconds from its end on after which it is gone; None for never.
        """
        extension = extension_for(content_type)
        name = safe_file_name(file_name, f"file{extension}") if file_name else f"file{extension}"
        return FileWriter(self, f"b/{secrets.token_hex(16)}/{name}", content_type, name, life_s)

    def keep(self, file: StoredFile) -> None:
        """Take in a finished file."""
        with self._lock:
            self._files[file.key] = file

    def has_room(self, size_bytes: int) -> bool:
        """Claim memory for a file; False where it should go to disk."""
        with self._lock:
            if size_bytes > min(_FILE_IN_MEMORY_BYTES, self._memory_left):
                return False
            self._memory_left -= size_bytes
            return True

    def folder(self) -> Path:
        """Return the folder of spilled files, made on first need."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="fal_nb-simulator-"))
            return self._folder

    def find(self, key: str) -> StoredFile | None:
        """Return the file of a path under ``/cdn/files/``, unless its life is over."""
        file = self._files.get(key)
        if file is None or (file.expires_at is not None and time.time() >= file.expires_at):
            return None
        return file

    def find_url(self, url: str) -> StoredFile | None:
        """Return the file of a URL of this CDN, or None where it is another's or unknown."""
        if not url.startswith(self._files_url):
            return None
        return self.find(url[len(self._files_url) :].partition("?")[0])

    def url(self, file: StoredFile) -> str:
        """Return where a file is read."""
        return self._files_url + file.key

    def close(self) -> None:
        """Forget every file and remove those on disk."""
        with self._lock:
            self._files.clear()
            self._memory_left = self._memory_bytes
            folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


class FileWriter:
    """A file that is being written: in memory at first, on disk once it is large.

    Attributes
    ----------
    key
        Where it will be.
    """

    def __init__(
        self, store: FileStore, key: str, content_type: str, file_name: str, life_s: float | None = None
    ) -> None:
        self.key = key
        self._store = store
        self._content_type = content_type
        self._file_name = file_name
        self._life_s = life_s
        self._pieces: list[bytes] = []
        self._size = 0
        self._digest = hashlib.sha256()
        self._path: Path | None = None

    def write(self, piece: bytes) -> None:
        """Add bytes at the end."""
        self._digest.update(piece)
        self._size += len(piece)
        self._pieces.append(piece)
        if self._path is not None or self._size > _FILE_IN_MEMORY_BYTES:
            self._spill()

    def finish(self) -> StoredFile:
        """Store what was written and return it."""
        file = self.finish_part()
        self._store.keep(file)
        return file

    def finish_part(self) -> StoredFile:
        """Return what was written, without making it a file that can be read."""
        if self._path is None and not self._store.has_room(self._size):
            self._spill()
        return self._file(
            self._size,
            self._digest.hexdigest(),
            b"".join(self._pieces) if self._path is None else None,
            self._path,
        )

    def finish_with(self, parts: Sequence[StoredFile]) -> StoredFile:
        """Store a file made of parts written before, and return it."""
        digest = hashlib.sha256("".join(part.etag for part in parts).encode()).hexdigest()
        file = self._file(sum(part.size_bytes for part in parts), digest, None, None, tuple(parts))
        self._store.keep(file)
        return file

    def discard(self) -> None:
        """Drop what was written."""
        self._pieces.clear()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _file(
        self, size_bytes: int, etag: str, data: bytes | None, path: Path | None, parts: tuple[StoredFile, ...] = ()
    ) -> StoredFile:
        expires_at = None if self._life_s is None else time.time() + self._life_s
        return StoredFile(
            self.key, self._content_type, self._file_name, size_bytes, etag, data, path, parts, expires_at
        )

    def _spill(self) -> None:
        if self._path is None:
            self._path = self._store.folder() / self.key.split("/")[1]
        with self._path.open("ab") as file:
            file.writelines(self._pieces)
        self._pieces.clear()


class UploadTokens:
    """The short-lived tokens that let a client upload to the CDN."""

    def __init__(self) -> None:
        self._expiry: dict[str, float] = {}

    def issue(self) -> tuple[str, str]:
        """Return (token, its end as ISO 8601 with offset)."""
        now = time.time()
        self._expiry = {token: end for token, end in self._expiry.items() if end > now}
        token = secrets.token_urlsafe(24)
        self._expiry[token] = now + _TOKEN_LIFE_S
        return token, datetime.fromtimestamp(now + _TOKEN_LIFE_S, UTC).isoformat()

    def accepts(self, authorization: str) -> bool:
        """Whether an Authorization header holds a token that was issued here and has not ended."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and self._expiry.get(token.strip(), 0.0) > time.time()
