"""``Preview``: what looking into one file gave."""

from __future__ import annotations

from dataclasses import dataclass

from fal_nb.protocol.files import MediaKind

__all__ = ["Preview"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Size, length and thumbnail of a file, as far as it has them.

    Attributes
    ----------
    kind
        What it turned out to be, where that is not what its content type says.
    width, height
        Pixels, as it is displayed.
    text
        The first 2,000 characters of a text.
    error
        Why there is no thumbnail though there should be one.
    """

    kind: MediaKind | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    thumbnail: bytes | None = None
    text: str | None = None
    error: str | None = None
