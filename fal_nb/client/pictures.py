"""Bytes, files and pictures as data URIs and as what is uploaded, under the official client's names."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from fal_nb.client.bodies import unreadable
from fal_nb.errors import FileError
from fal_nb.protocol.files import encode_data_uri, guess_content_type

__all__ = ["encode", "encode_file", "encode_image", "encode_picture"]

_ANY_TYPE = "application/octet-stream"


def encode(data: str | bytes, content_type: str) -> str:
    """Return bytes, or a text as UTF-8, as a data URI: for small inputs, instead of an upload.

    Source: fal-client 1.0.3 ``encode``.
    """
    return encode_data_uri(data.encode("utf-8") if isinstance(data, str) else data, content_type)


def encode_file(path: str | os.PathLike[str]) -> str:
    """Return a file as a data URI; its extension tells the content type.

    Raises
    ------
    FileError
        Where it cannot be read.
    """
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise unreadable(file, error) from error
    return encode_data_uri(data, guess_content_type(file.name) or _ANY_TYPE)


def encode_image(image: Any, format: str = "jpeg") -> str:  # noqa: A002 - the official client's argument
    """Return a Pillow picture as a data URI.

    Raises
    ------
    FileError
        Where it cannot be encoded so.
    """
    return encode_data_uri(*encode_picture(image, format))


def encode_picture(image: Any, format: str = "jpeg") -> tuple[bytes, str]:  # noqa: A002 - as above
    """Return (bytes, content type) of a Pillow picture; blocks.

    Raises
    ------
    FileError
        Where it is no picture, or its mode does not go with the format.
    """
    buffer = io.BytesIO()
    if not hasattr(image, "save"):
        raise FileError(
            f"A {type(image).__name__} is no Pillow picture: a file on disk goes up by upload_file(path), an array by "
            "itself as an argument of a call."
        )
    try:
        image.save(buffer, format=format)
    except (KeyError, OSError, TypeError, ValueError) as error:
        raise FileError(f"A {type(image).__name__} cannot be encoded as {str(format)[:20]}: {error}.") from error
    return buffer.getvalue(), f"image/{format.lower()}"
