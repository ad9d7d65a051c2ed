"""One question for every kind of medium: what is in this file? Asked in this process or in the drawing process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from fal_nb.artifacts.preview import Preview
from fal_nb.artifacts.sniff import kind_of
from fal_nb.plain import one_line

__all__ = ["LookInside", "look_inside"]

LookInside: TypeAlias = Callable[[Path, str], Preview | None]
"""Takes a file and its content type, proven by its first bytes; blocks, in any thread."""

_ERROR_CHARS = 120


def look_inside(path: Path, content_type: str) -> Preview | None:
    """Return the preview of a picture, film, sound or solid; None for what is none of them or cannot be drawn.

    Nothing in a file can make it raise: decoders do, and the preview then says so.
    """
    # Imported here, so that whoever only holds artifacts loads no Pillow and no FFmpeg.
    from fal_nb.artifacts.thumbnails import PICTURE_TYPES, preview_picture  # noqa: PLC0415

    try:
        if content_type in PICTURE_TYPES:
            return preview_picture(path, content_type)
        kind = kind_of(content_type)
        if kind == "mesh":
            from fal_nb.artifacts.posters import SOLID_TYPES, preview_solid  # noqa: PLC0415

            if content_type in SOLID_TYPES:
                return preview_solid(path)
        if kind in {"video", "audio"}:
            from fal_nb.artifacts.films import FILM_TYPES, preview_film  # noqa: PLC0415

            if content_type in FILM_TYPES:
                return preview_film(path, content_type)
    except Exception as error:  # noqa: BLE001 - decoders raise anything for hostile files; the reason is kept
        return damaged(content_type, _line(error))
    return None


def damaged(content_type: str, why: str) -> Preview:
    """Return the preview of a file nobody can look into."""
    return Preview(kind="file", error=f"no preview, its {kind_of(content_type)} data is damaged ({why})")


def _line(error: Exception) -> str:
    return one_line(str(error), _ERROR_CHARS) or type(error).__name__
