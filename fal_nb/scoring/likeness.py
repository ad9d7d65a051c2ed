"""How like two pictures are: structural similarity, perceptual hashes, and what tells near-duplicates."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from fal_nb.scoring.pixels import Source, picture_of

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

__all__ = ["HASH_BITS", "Fingerprint", "fingerprint", "hash_of", "phash", "ssim"]

HASH_BITS = 64
_SIDE = 32
_LOW = 8
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_SSIM_SIDE = 256
_FLAT = 1e-2
"""Below this a coefficient is the rounding of a flat picture."""
_COLOUR_GRID = 4


def ssim(file: Source, other: Source) -> float:
    """Return the mean structural similarity of two pictures' luma: 1 is the same, 0 nothing in common.

    Gaussian windows of 11 pixels, σ = 1.5; the second picture is fitted to the size of the first, and both are scaled
    down by the whole number that brings the shorter side nearest to 256, as the authors advise.

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP 2004.
    """
    import numpy as np  # noqa: PLC0415 - only where pictures are looked at

    first, second = picture_of(file).convert("L"), picture_of(other).convert("L")
    factor = max(1, round(min(first.size) / _SSIM_SIDE))
    if second.size != first.size:
        second = second.resize(first.size)
    if factor > 1:
        first, second = first.reduce(factor), second.reduce(factor)
    return _ssim(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))


def _ssim(one: np.ndarray[Any, Any], two: np.ndarray[Any, Any]) -> float:
    mean_1, mean_2 = _blur(one), _blur(two)
    var_1 = _blur(one * one) - mean_1**2
    var_2 = _blur(two * two) - mean_2**2
    both = _blur(one * two) - mean_1 * mean_2
    above = (2 * mean_1 * mean_2 + _C1) * (2 * both + _C2)
    below = (mean_1**2 + mean_2**2 + _C1) * (var_1 + var_2 + _C2)
    return float((above / below).mean())


def _blur(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the Gaussian mean around each pixel that has a whole window; a smaller picture has a smaller window."""
    import numpy as np  # noqa: PLC0415

    for axis in (0, 1):
        width = min(_WINDOW, values.shape[axis] - 1 + values.shape[axis] % 2)
        weights = _weights(max(1, width))
        parts = np.lib.stride_tricks.sliding_window_view(values, len(weights), axis=axis)
        values = parts @ weights
    return values


@functools.cache
def _weights(width: int) -> np.ndarray[Any, Any]:
    import numpy as np  # noqa: PLC0415

    at = np.arange(width) - width // 2
    weights: np.ndarray[Any, Any] = np.exp(-(at**2) / (2 * _SIGMA**2))
    return np.asarray(weights / weights.sum())


def phash(file: Source, other: Source) -> int:
    """Return in how many of 64 bits the perceptual hashes of two pictures differ: 0 looks the same, 32 unlike."""
    return (hash_of(picture_of(file)) ^ hash_of(picture_of(other))).bit_count()


def hash_of(image: Image.Image) -> int:
    """Return the 64-bit perceptual hash of a picture: which of its 8 × 8 lowest frequencies are above their median.

    Source: Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010, section 3.2.1.
    """
    import numpy as np  # noqa: PLC0415
    from PIL import Image as Pillow  # noqa: PLC0415

    small = image.convert("L").resize((_SIDE, _SIDE), Pillow.Resampling.LANCZOS)
    basis = _cosines()
    low = basis @ np.asarray(small, dtype=np.float64) @ basis.T
    low[np.abs(low) < _FLAT] = 0.0
    bits = (low > np.median(low)).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


@functools.cache
def _cosines() -> np.ndarray[Any, Any]:
    """Return the rows of a DCT-II of 32 points for the 8 lowest frequencies."""
    import numpy as np  # noqa: PLC0415

    frequency, place = np.arange(_LOW)[:, None], np.arange(_SIDE)[None, :]
    return np.cos(np.pi * frequency * (2 * place + 1) / (2 * _SIDE))


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What near-duplicates are told by: a perceptual hash, and the mean colours of a grid, for hashes see no colour."""

    COLOUR_STEP: ClassVar[int] = 24
    """How far the mean colours of a sixteenth of two near-duplicates may lie apart, of 255."""

    VERSION: ClassVar[int] = 1
    """Goes up with a change of what `fingerprint` makes of a picture, so that those kept from before are made anew."""

    bits: int
    colours: tuple[int, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> Fingerprint:
        """Return what `to_bytes` was made of."""
        size = HASH_BITS // 8
        return cls(int.from_bytes(data[:size], "big"), tuple(data[size:]))

    def to_bytes(self) -> bytes:
        """Return it as it is kept: the hash, then the colours."""
        return self.bits.to_bytes(HASH_BITS // 8, "big") + bytes(self.colours)

    def distance(self, other: Fingerprint) -> int:
        """Return in how many bits the hashes differ; all of them where the colours lie apart."""
        apart = max(abs(one - two) for one, two in zip(self.colours, other.colours, strict=True))
        return HASH_BITS if apart > self.COLOUR_STEP else (self.bits ^ other.bits).bit_count()


def fingerprint(thumbnail: bytes) -> Fingerprint:
    """Return the fingerprint of one of our thumbnails (WebP)."""
    from PIL import Image as Pillow  # noqa: PLC0415
    from PIL.WebPImagePlugin import WebPImageFile  # noqa: PLC0415

    with WebPImageFile(io.BytesIO(thumbnail)) as image:
        image.load()
        plain = image if image.mode == "RGB" else image.convert("RGBA")
    if plain.mode == "RGBA":
        paper = Pillow.new("RGBA", plain.size, "white")
        plain = Pillow.alpha_composite(paper, plain).convert("RGB")
    grid = plain.resize((_COLOUR_GRID, _COLOUR_GRID), Pillow.Resampling.BOX)
    return Fingerprint(hash_of(plain), tuple(grid.tobytes()))
