"""Compositions of plain shapes on a grid, drawn at full size with smooth edges."""

from __future__ import annotations

import numpy as np
from PIL import Image

from fal_nb.simulator.media.colours import RGB, Palette
from fal_nb.simulator.media.pen import OVERSIZE, Inks, Pen

__all__ = ["draw_tiles"]

_KINDS = 7


def draw_tiles(picture: Image.Image, palette: Palette, rng: np.random.Generator, rows: int) -> None:
    """Cover a picture with square tiles; some stay empty.

    Parameters
    ----------
    rows
        Tiles over the shorter side.
    """
    width, height = picture.size
    side = max(8, -(-min(width, height) // rows))
    inks = Inks.of(palette.far, palette.accent)
    colours = (palette.far, palette.accent, palette.glow, palette.near, palette.high)
    sheets = [_tile(side, kind, colours, inks, rng) for kind in range(_KINDS * 2)]
    for top in range(0, height, side):
        for left in range(0, width, side):
            if rng.random() < 0.85:
                picture.paste(sheets[int(rng.integers(len(sheets)))], (left, top))


def _tile(side: int, kind: int, colours: tuple[RGB, ...], inks: Inks, rng: np.random.Generator) -> Image.Image:
    ground, first, second = (colours[int(index)] for index in rng.permutation(len(colours))[:3])
    sheet = Image.new("RGB", (side * OVERSIZE, side * OVERSIZE), ground)
    pen = Pen(sheet, inks)
    match kind % _KINDS:
        case 0:
            pen.arc(first, 0, 0, 100, 0, 90)
            pen.arc(second, 0, 0, 55, 0, 90)
        case 1:
            pen.oval(first, 50, 50, 42)
            pen.arc(second, 50, 50, 42, 90, 270)
        case 2:
            pen.poly(first, (0, 0), (100, 0), (0, 100))
        case 3:
            for index in range(4):
                pen.box(first, 0, index * 25, 100, index * 25 + 12.5)
        case 4:
            pen.arc(first, 50, 0, 50, 0, 180)
            pen.arc(second, 50, 100, 50, 180, 360)
        case 5:
            pen.oval(first, 50, 50, 46)
            pen.oval(ground, 50, 50, 31)
            pen.oval(second, 50, 50, 16)
        case _:
            pen.poly(first, (50, 4), (96, 50), (50, 96), (4, 50))
            pen.oval(second, 50, 50, 16)
    turned = sheet.reduce(OVERSIZE)
    return turned.rotate(90 * int(rng.integers(4)))
