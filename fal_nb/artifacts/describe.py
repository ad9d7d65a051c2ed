"""From a stored file to its `Artifact`: what it is, its size, its thumbnail. Nothing in a file can make this fail."""

from __future__ import annotations

import codecs
from pathlib import Path

from fal_nb.artifacts.artifact import Artifact
from fal_nb.artifacts.media import LookInside, look_inside
from fal_nb.artifacts.naming import name_artifact
from fal_nb.artifacts.preview import Preview
from fal_nb.artifacts.sniff import HEAD_BYTES, kind_of, plain_type, settle_type, sniff
from fal_nb.protocol.files import FileRef, MediaKind, guess_content_type

__all__ = ["TEXT_CHARS", "describe"]

TEXT_CHARS = 2_000
_SHOWN = ("image", "video", "audio")
_DRAWN = (*_SHOWN, "mesh")


def describe(
    path: Path,
    ref: FileRef,
    *,
    index: int,
    digest: str | None = None,
    content_type: str | None = None,
    look: LookInside = look_inside,
) -> Artifact:
    """Return what a file is, judged by its bytes; for worker threads and processes.

    Takes the time of one scaled decoding: some 10 ms for a picture of a megapixel, at most a few seconds.

    Parameters
    ----------
    path
        Where its bytes are.
    index
        Its place among the result's files.
    digest
        Its SHA-256, written into the artifact as it is.
    content_type
        What the answer that brought it called it.
    look
        Looks into pictures, films, sounds and solids.

    Raises
    ------
    OSError
        Where the file cannot be read at all.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    named = guess_content_type(ref.file_name or "") or guess_content_type(_path_of(ref.url))
    claims = [plain_type(claim) for claim in (ref.content_type, content_type, named)]
    claimed = next((claim for claim in claims if claim and claim != "application/octet-stream"), "")
    sniffed = sniff(head)
    settled = settle_type(sniffed, claimed)
    is_text = sniffed == "text/plain" or settled.startswith("text/")
    preview = _look(path, settled, head if is_text else None, ref.kind, look)
    kind = preview.kind or kind_of(settled)
    if kind == "audio" and settled.startswith("video/"):
        settled = settled.replace("video/", "audio/", 1)
    return Artifact(
        index=index,
        where=ref.where,
        url="" if ref.url.startswith("data:") else ref.url,
        kind=kind,
        content_type=settled,
        file_name=name_artifact(ref, settled, index),
        size_bytes=size_bytes,
        width=preview.width,
        height=preview.height,
        duration_s=preview.duration_s,
        digest=digest,
        thumbnail=preview.thumbnail,
        text=preview.text,
        error=preview.error,
    )


def _look(path: Path, content_type: str, text_head: bytes | None, claimed: MediaKind, look: LookInside) -> Preview:
    kind = kind_of(content_type)
    preview = look(path, content_type) if kind in _DRAWN else None
    if preview is not None:
        return preview
    if kind in _SHOWN:
        return Preview(kind="file", error=f"no preview, {content_type} cannot be drawn here")
    error_line = None
    if claimed in _SHOWN and content_type != "image/svg+xml":
        error_line = f"it was to be {claimed}, but is {content_type}"
    if text_head is None or kind == "mesh":
        return Preview(error=error_line)
    return Preview(kind="text", text=_text(path, text_head), error=error_line)


def _text(path: Path, head: bytes) -> str:
    """Return the first characters of a text file."""
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    with path.open("rb") as file:
        data = file.read(4 * TEXT_CHARS + 4)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(data)
    return text.replace("\0", "")[:TEXT_CHARS]


def _path_of(url: str) -> str:
    return "" if url.startswith("data:") else url.partition("?")[0].partition("#")[0]
