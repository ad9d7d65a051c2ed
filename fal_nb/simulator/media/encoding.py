"""Pictures as files."""

from __future__ import annotations

import io

from PIL import Image

__all__ = ["encode_picture"]

_FORMATS = {
    "jpeg": ("JPEG", "image/jpeg", ".jpg"),
    "png": ("PNG", "image/png", ".png"),
    "webp": ("WEBP", "image/webp", ".webp"),
    "gif": ("GIF", "image/gif", ".gif"),
}


def encode_picture(picture: Image.Image, image_format: str, quality: int = 88) -> tuple[bytes, str, str]:
    """Return (bytes, content type, extension) of a picture; the same picture gives the same bytes."""
    name, content_type, extension = _FORMATS[image_format]
    buffer = io.BytesIO()
    options: dict[str, int] = {"PNG": {"compress_level": 1}, "GIF": {}}.get(name, {"quality": quality})
    picture.save(buffer, name, **options)
    return buffer.getvalue(), content_type, extension
