"""How large a picture is that a call is given, as far as this machine knows; nothing is fetched for it."""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from collections.abc import Iterable
from typing import Any

from fal_nb.artifacts import Artifact
from fal_nb.engine.inputs import LocalFile
from fal_nb.results import Result, ResultFile

__all__ = ["picture_size"]

_Size = tuple[int, int]
_MOST_DATA_CHARS = 64 * 1024 * 1024


def picture_size(given: Any, read: Any, known: Iterable[Artifact] = ()) -> _Size | None:
    """Return (width, height) of a picture in pixels, or None where they cannot be told; blocks for a file's head.

    Parameters
    ----------
    given
        The input as the caller gave it.
    read
        The same as `read_inputs` returns it.
    known
        Files whose URL the input may be.
    """
    if isinstance(given, Result):
        given = given.files[0] if given.files else None
    if isinstance(given, ResultFile):
        return _size_of(given.artifact)
    if isinstance(read, LocalFile):
        return _measured(read.path or io.BytesIO(read.data or b""))
    if not isinstance(read, str):
        return None
    if read.startswith("data:"):
        return _measured_data(read)
    return next((size for artifact in known if artifact.url == read and (size := _size_of(artifact))), None)


def _size_of(artifact: Artifact) -> _Size | None:
    if artifact.kind != "image" or not artifact.width or not artifact.height:
        return None
    return artifact.width, artifact.height


def _measured_data(uri: str) -> _Size | None:
    head, _, data = uri.partition(",")
    if not head.endswith(";base64") or len(data) > _MOST_DATA_CHARS:
        return None
    try:
        return _measured(io.BytesIO(base64.b64decode(data)))
    except (binascii.Error, ValueError):
        return None


def _measured(source: Any) -> _Size | None:
    from PIL import Image  # noqa: PLC0415 - only where a picture is measured

    try:
        with warnings.catch_warnings():
            # Only its head is read: a picture that is too large to decode has a size all the same.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(source) as picture:
                return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
