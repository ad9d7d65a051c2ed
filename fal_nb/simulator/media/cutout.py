"""Figure and ground: what of a picture differs from what is at its edges."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

__all__ = ["foreground_mask"]

_GRID = 256
_EDGE_COLOURS = 6


def foreground_mask(picture: Image.Image, softness: int = 2) -> Image.Image:
    """Return a mask (mode L, the picture's size): white where a pixel is unlike every usual colour of the edges.

    Parameters
    ----------
    softness
        Radius by which its border is blurred, in pixels of a picture 256 wide.
    """
    small = picture.convert("RGB")
    small.thumbnail((_GRID, _GRID))
    cells = np.asarray(small, np.float32)
    edges = np.concatenate([cells[0], cells[-1], cells[:, 0], cells[:, -1]])
    strip = Image.fromarray(edges.astype(np.uint8)[None], "RGB").quantize(_EDGE_COLOURS)
    colours = np.array(strip.getpalette() or [0, 0, 0], np.float32)[: 3 * _EDGE_COLOURS].reshape(-1, 3)
    distance = np.min(np.linalg.norm(cells[:, :, None, :] - colours[None, None], axis=3), axis=2)
    span = max(float(np.percentile(distance, 97)), 8.0)
    mask = Image.fromarray((np.clip(distance / span * 2 - 0.35, 0, 1) * 255).astype(np.uint8), "L")
    mask = mask.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.GaussianBlur(softness))
    return mask.resize(picture.size, Image.Resampling.BILINEAR)
