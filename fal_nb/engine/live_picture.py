"""A frame, and the picture in it: raw bytes, a data URI or a URL; and its result as JSON, for the record.

Source: fal-js, demo ``camera-turbo``: realtime results of pictures may hold ``content``, the bytes, in place of a URL.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.artifacts.sniff import sniff
from fal_nb.errors import FalError, ProtocolError
from fal_nb.protocol.files import FileRef, decode_data_uri, encode_data_uri, find_files
from fal_nb.protocol.status import JSON

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "FRAME_BYTES",
    "SHOWN_TYPES",
    "CanvasFrame",
    "as_json",
    "fitted_frame",
    "opened_picture",
    "picture_in",
    "start_picture",
]

FRAME_BYTES = 440_000
"""The most of one frame that goes to the page, so that with its envelope no message is over 512 kB."""
SHOWN_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"})
"""What every browser shows as it is."""
_DEEPEST = 40
_CONTENT = "content"
_STEPS = ((1536, 88), (1024, 80), (768, 70))
_SIDE_STEP = 8


@dataclass(frozen=True, slots=True)
class CanvasFrame:
    """One frame of a canvas.

    Attributes
    ----------
    number
        Counted from 1.
    arguments
        What it was made from, without the drawing.
    drawing
        What was drawn, a JPEG; None where the endpoint takes no picture.
    result
        As JSON; bytes in it are data URIs.
    picture
        Its first picture, as it came.
    round_trip_s
        From this kernel to the endpoint and back.
    """

    number: int
    arguments: Mapping[str, Any]
    drawing: bytes | None
    result: JSON
    picture: bytes
    round_trip_s: float

    def pil(self) -> Image:
        """Return the picture as a PIL image.

        Raises
        ------
        ProtocolError
            Where it is damaged.
        """
        return opened_picture(self.picture)

    def __repr__(self) -> str:
        return f"<frame {self.number}, {len(self.picture):,} bytes, {self.round_trip_s * 1000:.0f} ms>"


async def picture_in(result: Any, read: Callable[[FileRef], Awaitable[bytes]]) -> bytes | None:
    """Return the bytes of the first picture in a result, None where there is none.

    Parameters
    ----------
    read
        Fetches a file that is behind a URL.

    Raises
    ------
    FalError
        Where it cannot be had.
    """
    raw = next(_raw(result, 0), None)
    if raw is not None:
        return raw
    ref = next((ref for ref in find_files(as_json(result)) if ref.kind == "image"), None)
    if ref is None:
        return None
    return decode_data_uri(ref.url)[0] if ref.url.startswith("data:") else await read(ref)


def as_json(result: Any) -> JSON:
    """Return a result in which bytes are data URIs: an object's ``content`` becomes its ``url``, as elsewhere."""
    return _plain(result, 0)


def fitted_frame(data: bytes) -> tuple[bytes, str]:
    """Return a picture as it goes to the page, and its content type: as it came where that is small enough.

    Takes milliseconds where it has to be drawn smaller, so call it in a worker thread.

    Raises
    ------
    ProtocolError
        Where it is no picture, or a damaged one.
    """
    content_type = sniff(data[:4096]) or ""
    if content_type in SHOWN_TYPES and len(data) <= FRAME_BYTES:
        return data, content_type
    for side, quality in _STEPS:
        smaller = _jpeg(_within(opened_picture(data), side), quality)
        if len(smaller) <= FRAME_BYTES:
            return smaller, "image/jpeg"
    return smaller, "image/jpeg"


def start_picture(data: bytes, side: int) -> tuple[bytes, tuple[int, int]]:
    """Return a picture as what one draws on, a JPEG within a square of `side` pixels, and its size.

    Its sides are multiples of eight, as image models want them; on white where it is transparent.

    Raises
    ------
    ProtocolError
        Where it is no picture, or a damaged one.
    """
    from PIL import Image  # noqa: PLC0415 - where there is a picture

    image = opened_picture(data)
    share = min(1.0, side / max(image.size))
    size = tuple(max(_SIDE_STEP, round(length * share / _SIDE_STEP) * _SIDE_STEP) for length in image.size)
    image = image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    return _jpeg(image, 92), (size[0], size[1])


def opened_picture(data: bytes) -> Image:
    """Return a picture of anybody, decoded within bounds.

    Raises
    ------
    ProtocolError
        Where it is no picture, a damaged one, or has too many pixels.
    """
    from fal_nb.artifacts.thumbnails import PICTURE_TYPES, read_picture  # noqa: PLC0415 - loads Pillow

    content_type = sniff(data[:4096]) or ""
    if content_type not in PICTURE_TYPES:
        raise ProtocolError(f"It is {content_type or 'of an unknown type'}, not a picture that can be shown.")
    try:
        with tempfile.NamedTemporaryFile(prefix="fal-nb-", suffix=".picture") as file:
            file.write(data)
            file.flush()
            return read_picture(Path(file.name), content_type)
    except FalError:
        raise
    except Exception as error:
        raise ProtocolError(f"The picture is damaged ({type(error).__name__}).") from error


def _jpeg(image: Image, quality: int) -> bytes:
    from PIL import Image as pillow  # noqa: N813, PLC0415 - where there is a picture

    if image.mode == "RGBA":
        white = pillow.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _within(image: Image, side: int) -> Image:
    image.thumbnail((side, side))
    return image


def _raw(value: Any, depth: int) -> Iterator[bytes]:
    """Yield the bytes of each file that has them in it."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        content = value.get(_CONTENT)
        if isinstance(content, bytes) and (sniff(content[:4096]) or "").startswith("image/"):
            yield content
        for inner in value.values():
            yield from _raw(inner, depth + 1)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _raw(inner, depth + 1)


def _plain(value: Any, depth: int) -> JSON:
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        return encode_data_uri(data, sniff(data[:4096]) or "application/octet-stream")
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        plain = {str(name): _plain(inner, depth + 1) for name, inner in value.items()}
        if isinstance(value.get(_CONTENT), bytes) and not value.get("url"):
            plain["url"] = plain.pop(_CONTENT)
        return plain
    if isinstance(value, (list, tuple)):
        return [_plain(inner, depth + 1) for inner in value]
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)
