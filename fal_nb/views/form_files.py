"""Files that a person picks in the page: they come in parts, bounded, and are kept as inputs by their content."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fal_nb.artifacts.sniff import sniff
from fal_nb.protocol.files import safe_file_name
from fal_nb.views.view import Post

__all__ = ["MOST_BYTES", "PART_BYTES", "IncomingFiles", "small_picture"]

PART_BYTES: Final = 360_000
"""Of the file in one message; as Base64 under the hub's 480 kB."""
MOST_BYTES: Final = 256 * 1024 * 1024
_MOST_AT_ONCE = 8
_NAME_CHARS = 100
_ID_CHARS = 40
_PREVIEW_BYTES = 64 * 1024 * 1024
_log = logging.getLogger("fal_nb")


@dataclass(slots=True)
class _Incoming:
    name: str
    size: int
    temporary: Path
    received: int = 0
    part: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class IncomingFiles:
    """The files under way to one form; on the loop's thread.

    Parameters
    ----------
    folder
        Where they are kept, each in a folder named by its content, so that a file picked again is the same one.
    """

    def __init__(self, folder: Path, post: Post) -> None:
        self._folder = folder
        self._post = post
        self._incoming: dict[str, _Incoming] = {}

    async def receive(self, content: Mapping[str, Any]) -> None:
        """Take in one part, which is hostile until checked, and answer that it has come, or why the file is refused."""
        upload = content.get("upload")
        if not isinstance(upload, str) or not 0 < len(upload) <= _ID_CHARS:
            return
        try:
            file = self._incoming.get(upload) or self._begin(upload, content)
            async with file.lock:
                data = _part_of(file, content)
                await asyncio.to_thread(_append, file, data)
                if file.received < file.size:
                    self._post({"kind": "file-part", "upload": upload, "received": file.received}, None)
                    return
                path = await asyncio.to_thread(self._keep, file)
            del self._incoming[upload]
            self._post({"kind": "file-stored", "upload": upload, "value": f"@{path}"}, None)
        except (OSError, ValueError) as error:
            refused = self._incoming.pop(upload, None)
            if refused is not None:
                refused.temporary.unlink(missing_ok=True)
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            self._post({"kind": "file-error", "upload": upload, "error": why}, None)

    def close(self) -> None:
        """Give up what is under way."""
        for file in self._incoming.values():
            with contextlib.suppress(OSError):
                file.temporary.unlink(missing_ok=True)
        self._incoming.clear()

    def _begin(self, upload: str, content: Mapping[str, Any]) -> _Incoming:
        size, name = content.get("size"), content.get("name")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not isinstance(name, str):
            raise ValueError("its size and name are missing")
        if size > MOST_BYTES:
            raise ValueError(f"over {MOST_BYTES // 2**20} MiB: type its path instead")
        if len(self._incoming) >= _MOST_AT_ONCE:
            raise ValueError("too many files at once")
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".{secrets.token_hex(8)}"
        file = self._incoming[upload] = _Incoming(safe_file_name(name[-_NAME_CHARS:], "file"), size, temporary)
        return file

    def _keep(self, file: _Incoming) -> Path:
        home = self._folder / file.digest.hexdigest()[:12]
        home.mkdir(exist_ok=True)
        path: Path = home / file.name
        os.replace(file.temporary, path)  # noqa: PTH105 - Path.replace would do the same
        return path


def _part_of(file: _Incoming, content: Mapping[str, Any]) -> bytes:
    data = content.get("data")
    if content.get("part") != file.part or not isinstance(data, str) or len(data) > PART_BYTES * 4 // 3 + 8:
        raise ValueError("a part of it was lost on the way: pick it again")
    try:
        piece = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a part of it was damaged on the way: pick it again") from None
    if file.received + len(piece) > file.size or (not piece and file.size):
        raise ValueError("it is not of the size it said: pick it again")
    return piece


def _append(file: _Incoming, data: bytes) -> None:
    with file.temporary.open("ab") as out:
        out.write(data)
    file.digest.update(data)
    file.received += len(data)
    file.part += 1


def small_picture(path: Path) -> bytes | None:
    """Return a WebP of at most 320 px of a picture on this machine; None of anything else."""
    from fal_nb.artifacts.thumbnails import PICTURE_TYPES, preview_picture  # noqa: PLC0415 - loads Pillow

    try:
        path = path.expanduser()
        if not path.is_file() or path.stat().st_size > _PREVIEW_BYTES:
            return None
        with path.open("rb") as file:
            content_type = sniff(file.read(512))
        return preview_picture(path, content_type).thumbnail if content_type in PICTURE_TYPES else None
    except Exception as error:  # noqa: BLE001 - Pillow raises what it likes for a damaged file
        _log.debug("no preview of %s: %s", path.name, type(error).__name__)
        return None
