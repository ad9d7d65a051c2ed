"""What can be said of one output by itself: functions of its first file or its result, which can be pickled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fal_nb.errors import FileError
from fal_nb.scoring.pixels import Source, grey, rgb

if TYPE_CHECKING:
    from fal_nb.results import Result

__all__ = ["brightness", "colourfulness", "sharpness", "text_length"]

_MOST_TEXT_BYTES = 64 * 1024 * 1024


def sharpness(file: Source) -> float:
    """Return the variance of the Laplacian of the luma (0 to 255), in the picture's own size: 0 is one flat tone.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    luma = grey(file)
    if min(luma.shape) < 3:
        return 0.0
    inner = luma[1:-1, 1:-1]
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * inner
    return float(laplacian.var(dtype="float64"))


def brightness(file: Source) -> float:
    """Return the mean luma: 0 is black, 1 is white."""
    return float(grey(file).mean(dtype="float64")) / 255


def colourfulness(file: Source) -> float:
    """Return how colourful a picture is: 0 is grey, above 80 very colourful.

    Source: Hasler and Süsstrunk, "Measuring colourfulness in natural images", SPIE 5007, 2003.
    """
    pixels = rgb(file)
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    red_green = red - green
    yellow_blue = (red + green) / 2 - blue
    spread = math.hypot(_std(red_green), _std(yellow_blue))
    middle = math.hypot(_mean(red_green), _mean(yellow_blue))
    return spread + 0.3 * middle


def text_length(result: Result) -> int:
    """Return how many characters the text of a result has; where it has none, those of its first text file.

    Raises
    ------
    FileError
        Where there is no text.
    """
    if result.text is not None:
        return len(result.text)
    file = next((file for file in result.files if file.kind == "text"), None)
    if file is None:
        raise FileError("There is no text in this output.")
    if (file.artifact.size_bytes or 0) > _MOST_TEXT_BYTES:
        raise FileError(f"{file.file_name} is too large to be counted.")
    return len(file.bytes().decode("utf-8", "replace"))


def _std(values: Any) -> float:
    return float(values.std(dtype="float64"))


def _mean(values: Any) -> float:
    return float(values.mean(dtype="float64"))
