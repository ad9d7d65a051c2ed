"""From a file to its pixels: a picture as it is, a film by the frame that its poster shows, both of bearable size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from fal_nb.artifacts.sniff import HEAD_BYTES, sniff
from fal_nb.errors import FileError
from fal_nb.plain import one_line

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from fal_nb.results import ResultFile

__all__ = ["Source", "grey", "picture_of", "rgb"]

Source: TypeAlias = "ResultFile | Path"
_PAPER = (255, 255, 255)
_LUMA = (0.299, 0.587, 0.114)
"""Source: ITU-R BT.601, section 2.5.1."""


def picture_of(source: Source) -> Image.Image:
    """Return a file's picture as RGB, transparency over white; of a film the frame that its poster shows.

    Raises
    ------
    FileError
        Where there is no picture in it, it is damaged, has too many pixels or is not on this machine.
    """
    path = source if isinstance(source, Path) else source.path
    name = one_line(path.name if isinstance(source, Path) else source.file_name, 80)
    try:
        with path.open("rb") as file:
            content_type = sniff(file.read(HEAD_BYTES)) or ""
    except OSError as error:
        raise FileError(f"{name} cannot be read: {error.strerror or type(error).__name__}.") from error
    image = _decoded(path, content_type, name)
    if image.mode == "RGB":
        return image
    from PIL import Image as Pillow  # noqa: PLC0415 - only where a picture is looked at

    paper = Pillow.new("RGBA", image.size, (*_PAPER, 255))
    return Pillow.alpha_composite(paper, image.convert("RGBA")).convert("RGB")


def _decoded(path: Path, content_type: str, name: str) -> Image.Image:
    from fal_nb.artifacts.films import FILM_TYPES, poster_frame  # noqa: PLC0415 - loads FFmpeg's libraries
    from fal_nb.artifacts.thumbnails import PICTURE_TYPES, read_picture  # noqa: PLC0415 - loads Pillow

    try:
        if content_type in PICTURE_TYPES:
            return read_picture(path, content_type)
        frame = poster_frame(path, content_type) if content_type in FILM_TYPES else None
    except Exception as error:  # a damaged file makes the libraries raise anything
        raise FileError(f"{name} cannot be decoded: {one_line(str(error), 200) or type(error).__name__}") from error
    if frame is None:
        raise FileError(f"{name} has no picture that could be looked at ({content_type or 'an unknown type'}).")
    return frame


def rgb(source: Source) -> np.ndarray[Any, Any]:
    """Return the colours of `picture_of`, height × width × 3, 0 to 255, as 32-bit floats. Raises as that."""
    import numpy as np  # noqa: PLC0415 - only where a picture is looked at

    return np.asarray(picture_of(source), dtype=np.float32)


def grey(source: Source) -> np.ndarray[Any, Any]:
    """Return the luma of `picture_of`, height × width, 0 to 255, as 32-bit floats. Raises as that."""
    import numpy as np  # noqa: PLC0415

    return rgb(source) @ np.asarray(_LUMA, dtype=np.float32)
