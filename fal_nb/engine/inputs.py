"""Local files inside arguments: found anywhere, uploaded once per content, replaced by their URLs.

A text never is a file: only ``Path``, bytes, pictures, arrays, open files and our own result files are.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypeAlias

from fal_nb.errors import ArgumentsError, FileError
from fal_nb.protocol.files import guess_content_type
from fal_nb.protocol.status import JSON
from fal_nb.results import Result, ResultFile

__all__ = ["LocalFile", "Upload", "describe_inputs", "has_local_files", "local_file", "read_inputs", "upload_inputs"]

_DEEPEST = 100

_CHUNK = 1024 * 1024
_LARGE_BYTES = 8 * 1024 * 1024
_AT_REST_S = 2.0


@dataclass(frozen=True, slots=True)
class LocalFile:
    """Bytes that have to be at fal before the call: either in memory or in a file.

    Attributes
    ----------
    sha256
        What `content_digest` was when the call was made, once somebody has asked.
    """

    name: str
    content_type: str
    path: Path | None = None
    data: bytes | None = None
    sha256: str | None = None

    def identity(self) -> str:
        """Return what tells the bytes from others: their digest, and of a large file what its folder says of it.

        A file that has been at rest is read once as long as its folder says the same of it. One that was written just
        now is read each time: the clock of its folder may be too coarse to tell the next change.

        Reading a large file only to know it takes longer than asking for its size, its last change and its inode.
        Blocks.

        Raises
        ------
        FileError
            Where the file cannot be read.
        """
        if self.path is not None:
            try:
                found = self.path.stat()
            except OSError as error:
                raise FileError(f"Cannot read {self.path}: {error.strerror or error}.") from error
            mark = f"{self.path.absolute()}\n{found.st_size} {found.st_mtime_ns} {found.st_ino}"
            if found.st_size > _LARGE_BYTES:
                return mark
            if time.time() - found.st_mtime > _AT_REST_S:
                return _digest_at(self.path, mark)
        return self.digest()

    def size_bytes(self) -> int:
        """Return how many bytes there are; blocks."""
        return len(self.data or b"") if self.path is None else self.path.stat().st_size

    def digest(self) -> str:
        """Return the SHA-256 of the bytes, hexadecimal; reads the file, so call it in a worker thread."""
        if self.data is not None:
            return hashlib.sha256(self.data).hexdigest()
        assert self.path is not None  # noqa: S101 - one of the two is set
        hasher = hashlib.sha256()
        try:
            with self.path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    hasher.update(chunk)
        except OSError as error:
            raise FileError(f"Cannot read {self.path}: {error.strerror or error}.") from error
        return hasher.hexdigest()

    def content_digest(self) -> str:
        """Return the SHA-256 of the bytes; a large file is read once as long as its folder says the same of it.

        Blocks; raises as `identity`.
        """
        identity = self.identity()
        return identity if self.path is None or "\n" not in identity else _digest_at(self.path, identity)


Upload: TypeAlias = Callable[[LocalFile], Awaitable[str]]
"""Uploads one file and returns its URL."""


def local_file(data: Path | bytes, content_type: str | None = None, file_name: str | None = None) -> LocalFile:
    """Return a path or bytes as a local file.

    Raises
    ------
    FileError
        Where a path cannot be read.
    """
    if isinstance(data, Path):
        return _from_path(data, file_name or data.name)
    return LocalFile(file_name or "data.bin", content_type or _sniff(data), data=data)


def read_inputs(value: Any) -> Any:
    """Return a deep copy of arguments in which every file is a `LocalFile`, its bytes read if they were open.

    Raises
    ------
    FileError
        Where something inside is neither JSON nor a file.
    ArgumentsError
        Where they go deeper than a hundred levels, or hold themselves.
    """
    return _read(value, 0)


def _read(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ArgumentsError("arguments", [f"nested deeper than {_DEEPEST} levels"])
    if isinstance(value, Result):
        return _main_file(value)
    if isinstance(value, Mapping):
        return {str(key): _read(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_read(inner, depth + 1) for inner in value]
    return value if _is_plain(value) or isinstance(value, LocalFile) else _as_file(value)


def has_local_files(value: Any) -> bool:
    """Return whether read inputs hold a file that has to be uploaded."""
    return isinstance(value, LocalFile) or any(has_local_files(inner) for inner in _inner(value))


def describe_inputs(value: Any) -> JSON:
    """Return read inputs as JSON for the record and the card before anything is uploaded: files by name."""
    return _replace(value, lambda file: f"<{file.name}>")


async def upload_inputs(value: Any, upload: Upload, uploaded: dict[str, LocalFile] | None = None) -> JSON:
    """Return read inputs as the JSON to be sent, with a URL for each file; `uploaded` gets the files by their URLs."""
    urls = {id(file): await upload(file) for file in _files(value)}
    if uploaded is not None:
        uploaded |= {urls[id(file)]: file for file in _files(value)}
    return _replace(value, lambda file: urls[id(file)])


@functools.lru_cache(maxsize=1024)
def _digest_at(path: Path, _mark: str) -> str:
    return LocalFile(path.name, "", path).digest()


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _files(value: Any) -> Iterator[LocalFile]:
    if isinstance(value, LocalFile):
        yield value
    for inner in _inner(value):
        yield from _files(inner)


def _replace(value: Any, text_of: Callable[[LocalFile], str]) -> JSON:
    if isinstance(value, LocalFile):
        return text_of(value)
    if isinstance(value, dict):
        return {key: _replace(inner, text_of) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replace(inner, text_of) for inner in value]
    return value


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, bool, int, float))


def _as_file(value: Any) -> Any:
    """Return what a Python object is as an input: a local file, a URL, or a plain value (a NumPy number)."""
    if isinstance(value, ResultFile):
        return value.url if value.url.startswith(("https://", "http://")) else _from_path(value.path, value.file_name)
    if isinstance(value, PurePath):
        return _from_path(Path(value), value.name)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return LocalFile("data.bin", _sniff(bytes(value)), data=bytes(value))
    if hasattr(value, "save") and hasattr(value, "mode"):
        return _from_picture(value)
    if hasattr(value, "__array_interface__"):
        if value.ndim:
            return _from_array(value)
        plain = value.item()
        if _is_plain(plain):
            return plain
    if hasattr(value, "read"):
        return _from_open_file(value)
    raise FileError(
        f"An argument holds a {type(value).__name__}, which is neither JSON nor a file: "
        "give text, numbers, lists, a pathlib.Path, bytes, a picture or an array."
    )


def _main_file(result: Result) -> Any:
    if not result.files:
        raise FileError("An earlier result was given as an input, but it holds no file: name the part of it you mean.")
    return _as_file(result.files[0])


def _from_path(path: Path, name: str) -> LocalFile:
    path = path.expanduser()
    if not path.is_file() or not os.access(path, os.R_OK):
        raise FileError(f"Cannot read {path}: no such file, or it may not be read.")
    return LocalFile(name, guess_content_type(name) or "application/octet-stream", path=path)


def _from_picture(picture: Any) -> LocalFile:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return LocalFile("image.png", "image/png", data=buffer.getvalue())


def _from_array(array: Any) -> LocalFile:
    """Return an array as a PNG: height × width [× 1, 3 or 4], integers 0-255 or floats 0-1."""
    import numpy as np  # noqa: PLC0415 - only for arrays
    from PIL import Image  # noqa: PLC0415

    pixels = np.asarray(array)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim not in {2, 3} or (pixels.ndim == 3 and pixels.shape[2] not in {3, 4}):
        raise FileError(f"An array of shape {pixels.shape} is no picture: give height × width, or × 3, or × 4.")
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = (np.clip(pixels, 0.0, 1.0) * 255).round()
    return _from_picture(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)))


def _from_open_file(file: Any) -> LocalFile:
    data = file.read()
    if isinstance(data, str):
        data = data.encode("utf-8")
    name = Path(str(getattr(file, "name", "") or "data.bin")).name
    return LocalFile(name, guess_content_type(name) or _sniff(data), data=data)


def _sniff(data: bytes) -> str:
    """Return the content type that the first bytes show."""
    heads = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"ID3": "audio/mpeg"}
    for head, content_type in heads.items():
        if data.startswith(head):
            return content_type
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12], "application/octet-stream")
    if data[4:8] == b"ftyp":
        return "video/mp4"
    return "application/octet-stream"
