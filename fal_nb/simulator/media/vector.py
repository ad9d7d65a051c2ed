"""Pictures as drawings: a painting reduced to a few flat colours, written as SVG."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

__all__ = ["draw_svg"]

_GRID = 220
_COLOURS = 14


def draw_svg(picture: Image.Image) -> bytes:
    """Return an SVG of the picture's own size: one path a colour, made of the runs of each row; no text, no script."""
    shrunk = picture.convert("RGB")
    shrunk.thumbnail((_GRID, _GRID))
    flat = shrunk.quantize(_COLOURS, dither=Image.Dither.NONE)
    palette = (flat.getpalette() or [])[: 3 * _COLOURS]
    index = Image.fromarray(np.asarray(flat), "L").filter(ImageFilter.ModeFilter(5))
    cells = np.asarray(index)
    height, width = cells.shape
    paths: dict[int, list[str]] = {}
    for y, row in enumerate(cells):
        edges = np.flatnonzero(np.diff(row)) + 1
        starts = [0, *edges.tolist()]
        for start, stop in zip(starts, [*edges.tolist(), width], strict=True):
            paths.setdefault(int(row[start]), []).append(f"M{start} {y}h{stop - start}v1h{start - stop}z")
    shapes = []
    for colour, runs in sorted(paths.items()):
        red, green, blue = palette[3 * colour : 3 * colour + 3]
        shapes.append(f'<path fill="#{red:02x}{green:02x}{blue:02x}" d="{"".join(runs)}"/>')
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{picture.width}" height="{picture.height}" '
        f'viewBox="0 0 {width} {height}" preserveAspectRatio="none" shape-rendering="crispEdges">'
    )
    return f"{head}{''.join(shapes)}</svg>\n".encode()
