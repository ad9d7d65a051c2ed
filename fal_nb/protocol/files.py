"""Files inside arguments and results: which objects are files, of which kind, and data URIs."""

from __future__ import annotations

import base64
import binascii
import math
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from fal_nb.errors import FileError
from fal_nb.protocol.status import JSON

__all__ = [
    "FileRef",
    "MediaKind",
    "decode_data_uri",
    "encode_data_uri",
    "extension_for",
    "find_files",
    "guess_content_type",
    "media_kind",
    "safe_file_name",
    "url_name",
]

MediaKind: TypeAlias = Literal["image", "video", "audio", "mesh", "text", "archive", "file"]

_EXTRA_TYPES = {
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".obj": "model/obj",
    ".fbx": "model/fbx",
    ".ply": "model/ply",
    ".stl": "model/stl",
    ".usdz": "model/vnd.usdz+zip",
    ".splat": "model/splat",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".webm": "video/webm",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".safetensors": "application/x-safetensors",
}
_EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "text/plain": ".txt",
    "application/json": ".json",
    "application/zip": ".zip",
    "audio/aiff": ".aiff",
    "audio/webm": ".webm",
    "video/x-matroska": ".mkv",
} | {content_type: extension for extension, content_type in reversed(_EXTRA_TYPES.items())}
_KEY_WORDS: tuple[tuple[MediaKind, tuple[str, ...]], ...] = (
    ("video", ("video",)),
    ("image", ("image", "mask", "thumbnail", "texture", "_map", "sticker", "spritesheet", "depth")),
    ("audio", ("audio", "vocals", "drums", "bass", "piano", "guitar", "residual", "speech")),
    ("mesh", ("glb", "mesh", "obj", "fbx", "splat", "usdz", "ply")),
    ("archive", ("zip",)),
)
_PLAIN_URL_KEYS = re.compile(r"(?:\A|_)url\Z")
_DEEPEST = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]+")


@dataclass(frozen=True, slots=True)
class FileRef:
    """One file found in a result.

    Attributes
    ----------
    where
        Keys and indexes that lead to it from the top of the result.
    url
        An http(s) URL or a data URI, exactly as the server wrote it; nothing about it is trusted.
    kind
        Judged by content type, then the URL's extension, then the words of its key.
    file_size
        Bytes, where the server says.
    """

    where: tuple[str | int, ...]
    url: str
    kind: MediaKind
    content_type: str | None = None
    file_name: str | None = None
    file_size: int | None = None
    width: int | None = None
    height: int | None = None


def find_files(result: JSON) -> list[FileRef]:
    """Return every file in a decoded result, in the order the server wrote them.

    A file is any object with a text ``url``, or a text that is itself a URL under a key ending in ``url``
    or a data URI anywhere. Nothing is looked for below a hundred levels.
    """
    return list(_walk(result, ()))


def media_kind(content_type: str | None, url: str, where: tuple[str | int, ...] = ()) -> MediaKind:
    """Return the kind of a file from what is known about it, the surest source first."""
    if url.startswith("data:"):
        content_type = content_type or url[5:80].partition(",")[0].partition(";")[0]
    for candidate in (content_type, guess_content_type(url_name(url))):
        kind = _kind_of_type(candidate)
        if kind is not None:
            return kind
    key = next((part for part in reversed(where) if isinstance(part, str) and part != "url"), "").lower()
    for kind, words in _KEY_WORDS:
        if any(word in key for word in words):
            return kind
    return "file"


def guess_content_type(name: str) -> str | None:
    """Return the content type a file name's extension stands for, or None."""
    extension = PurePosixPath(name).suffix.lower()
    return _EXTRA_TYPES.get(extension) or mimetypes.guess_type(f"x{extension}", strict=False)[0]


def extension_for(content_type: str | None, kind: MediaKind = "file") -> str:
    """Return a file extension with its dot for a content type; ``.bin`` where there is none to tell."""
    plain = (content_type or "").partition(";")[0].strip().lower()
    if plain in _EXTENSIONS:
        return _EXTENSIONS[plain]
    return mimetypes.guess_extension(plain) or (".txt" if kind == "text" else ".bin")


def encode_data_uri(data: bytes, content_type: str) -> str:
    """Return ``data:<content type>;base64,…``."""
    return f"data:{content_type};base64,{base64.b64encode(data).decode('ascii')}"


def decode_data_uri(uri: str) -> tuple[bytes, str]:
    """Return (bytes, content type) of a data URI.

    Raises
    ------
    FileError
        Where it is not one.

    Source: RFC 2397.
    """
    head, comma, payload = uri.partition(",")
    if not head.startswith("data:") or not comma:
        raise FileError("That text is not a data URI.")
    content_type, *options = head[5:].split(";")
    if "base64" in options:
        try:
            data = base64.b64decode(unquote(payload), validate=False)
        except (binascii.Error, ValueError) as error:
            raise FileError("A data URI holds broken base64.") from error
    else:
        data = unquote_to_bytes(payload)
    return data, content_type or "text/plain"


def safe_file_name(name: str, fallback: str = "file") -> str:
    """Return a name without folders, control characters, leading dots or hyphens, at most 100 characters."""
    last = re.split(r"[/\\]", name)[-1]
    cleaned = _UNSAFE.sub("_", last)[-100:].strip(" .-")
    return cleaned or fallback


def _walk(value: JSON, where: tuple[str | int, ...]) -> Iterator[FileRef]:
    if len(where) > _DEEPEST:
        return
    if isinstance(value, Mapping):
        url = value.get("url")
        if isinstance(url, str) and _is_url(url):
            yield _from_object(value, url, where)
            return
        for key, inner in value.items():
            yield from _walk(inner, (*where, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(inner, (*where, index))
    elif isinstance(value, str) and where and _is_bare_file(value, where):
        yield FileRef(where, value, media_kind(None, value, where))


def _from_object(value: Mapping[str, JSON], url: str, where: tuple[str | int, ...]) -> FileRef:
    content_type = value.get("content_type")
    content_type = content_type if isinstance(content_type, str) else None
    name = value.get("file_name")
    return FileRef(
        where,
        url,
        media_kind(content_type, url, where),
        content_type,
        name if isinstance(name, str) else None,
        _size(value.get("file_size")),
        _size(value.get("width")),
        _size(value.get("height")),
    )


def _is_url(text: str) -> bool:
    return text.startswith(("https://", "http://", "data:"))


def _is_bare_file(text: str, where: tuple[str | int, ...]) -> bool:
    if text.startswith("data:"):
        return ";base64," in text[:200]
    keys = [part for part in where if isinstance(part, str)]
    return _is_url(text) and bool(keys) and _PLAIN_URL_KEYS.search(keys[-1]) is not None


def url_name(url: str) -> str:
    """Return the last part of a URL's path, decoded and not yet safe; empty for a data URI."""
    if url.startswith("data:"):
        return ""
    try:
        return PurePosixPath(unquote(urlsplit(url).path)).name
    except ValueError:
        return ""


def _kind_of_type(content_type: str | None) -> MediaKind | None:
    plain = (content_type or "").partition(";")[0].strip().lower()
    family = plain.partition("/")[0]
    if family in {"image", "video", "audio", "text"}:
        return family  # type: ignore[return-value]
    if family == "model":
        return "mesh"
    if plain in {"application/zip", "application/x-tar", "application/gzip"}:
        return "archive"
    if plain == "application/json":
        return "text"
    return None


def _size(value: JSON) -> int | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < math.inf else None
