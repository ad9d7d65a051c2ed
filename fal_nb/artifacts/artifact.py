"""``Artifact``: what is known of one file of a result. Frozen, and light enough to be imported anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from fal_nb.protocol.files import MediaKind

__all__ = ["Artifact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One file of a result.

    Attributes
    ----------
    index
        Its place among the result's files, 0-based.
    where
        Keys and indexes that lead to it from the top of the result.
    kind
        What its bytes are, whatever the server called them; ``file`` for what cannot be shown.
    url
        Where the server put it; empty where the result held the bytes themselves (a data URI).
    file_name
        A safe name with an extension that fits its content; never a path.
    digest
        SHA-256 of its bytes, hexadecimal; None until they are stored.
    thumbnail
        WebP of at most 320 px and 9 kB: the picture, a video's poster, a drawn waveform. None for other kinds.
    text
        The first 2,000 characters of a text file; None for other kinds.
    error
        Why it could not be stored (then `digest` is None) or shown, in one line, or None.
    """

    index: int
    where: tuple[str | int, ...]
    url: str
    kind: MediaKind
    content_type: str
    file_name: str
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    digest: str | None = None
    thumbnail: bytes | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    error: str | None = None
