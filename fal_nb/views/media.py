"""Bytes for the page, on demand: thumbnails whole, originals in chunks, each message under the hub's limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fal_nb.artifacts import Artifact
from fal_nb.plain import plain_text
from fal_nb.views.view import Post

__all__ = ["CHUNK_BYTES", "post_thumbnails", "send_media", "send_original", "send_thumbnail"]

CHUNK_BYTES = 460_000
_NAME_CHARS = 16
_BATCH_PICTURES = 50
_BATCH_BYTES = 400_000
_LARGEST_BYTES = 256 * 1024 * 1024


def send_media(
    artifacts: Sequence[Artifact], content: Mapping[str, Any], blob_path: Callable[[str], Path], post: Post
) -> None:
    """Answer a page's request for the thumbnail or the original of one artifact; on the loop's thread.

    Parameters
    ----------
    content
        ``{"which": "thumbnail" | "original", "index": 0-based}``, hostile until checked.
    """
    which, index = content.get("which"), content.get("index")
    if which not in ("thumbnail", "original") or not isinstance(index, int) or not 0 <= index < len(artifacts):
        return
    artifact = artifacts[index]
    about = {"kind": "media", "which": which, "index": index, "content_type": artifact.content_type}
    if which == "thumbnail":
        send_thumbnail(artifacts, index, about, post)
        return
    if artifact.digest is None or artifact.error is not None:
        # A picture that is too large to be looked into here would be unpacked by the browser.
        post({**about, "kind": "media-error", "error": artifact.error or "it was not stored"}, None)
        return
    task = asyncio.ensure_future(send_original(blob_path(artifact.digest), about, post))
    task.add_done_callback(lambda done: done.cancelled() or done.exception())


def send_thumbnail(artifacts: Sequence[Artifact], place: int, about: Mapping[str, Any], post: Post) -> None:
    """Post a thumbnail, if there is one; `about` is in the message, its ``index`` above all."""
    data = artifacts[place].thumbnail if place < len(artifacts) else None
    if data is None:
        return
    facts = {"content_type": "image/webp", "size_bytes": len(data), "part": 0, "parts": 1}
    post({"kind": "media", "which": "thumbnail", **about, **facts}, data)


def post_thumbnails(pictures: Iterable[tuple[int, str, bytes]], post: Post) -> None:
    """Post pictures, (place, digest, WebP) each, in few messages: one behind the other, up to 50 and 400 kB in one."""
    batch: list[tuple[int, str, bytes]] = []
    size = 0
    for picture in pictures:
        if batch and (size + len(picture[2]) > _BATCH_BYTES or len(batch) == _BATCH_PICTURES):
            _post_batch(batch, post)
            batch, size = [], 0
        batch.append(picture)
        size += len(picture[2])
    if batch:
        _post_batch(batch, post)


def _post_batch(batch: Sequence[tuple[int, str, bytes]], post: Post) -> None:
    about = [[place, digest, len(data)] for place, digest, data in batch]
    post({"kind": "thumbnails", "pictures": about}, b"".join(data for _, _, data in batch))


async def send_original(path: Path, about: Mapping[str, Any], post: Post) -> None:
    """Post a file in parts, or why it cannot be read; `about` says what it is and is in each message."""
    try:
        data = await asyncio.to_thread(_read, path)
    except OSError as error:
        why = f"its file cannot be read: {error.strerror or error}"
        if isinstance(error, FileNotFoundError):
            why = f"its file {plain_text(path.name, _NAME_CHARS)} is not in the store any more"
        post({**about, "kind": "media-error", "error": why}, None)
        return
    parts = max(1, -(-len(data) // CHUNK_BYTES))
    for part in range(parts):
        piece = data[part * CHUNK_BYTES : (part + 1) * CHUNK_BYTES]
        post({**about, "part": part, "parts": parts, "size_bytes": len(data)}, piece)


def _read(path: Path) -> bytes:
    if path.stat().st_size > _LARGEST_BYTES:
        raise OSError(0, f"over {_LARGEST_BYTES // 2**20} MiB; open it from disk")
    return path.read_bytes()
