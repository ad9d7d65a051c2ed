"""What a style does to a painted canvas, to the backdrop at full size, and to the whole picture."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from fal_nb.simulator.media.canvas import Canvas, Floats
from fal_nb.simulator.media.colours import RGB, Palette, blend
from fal_nb.simulator.media.look import Look

__all__ = ["style_backdrop", "style_canvas", "style_picture"]

_PAPER: RGB = (248, 241, 226)
_INK: RGB = (30, 26, 34)


def style_canvas(canvas: Canvas, look: Look) -> None:
    """Change the small canvas: everything that is soft, or flat over large areas."""
    if look.style == "ukiyo-e":
        np.round(canvas.planes / 30, out=canvas.planes)
        canvas.planes *= 30
        canvas.lay(np.full((canvas.h, canvas.w), 0.14, np.float32), _PAPER)
    elif look.style == "watercolor":
        _watercolor(canvas)
    elif look.style == "neon":
        _neon_floor(canvas, look.palette)
    elif look.style == "glass":
        _glass(canvas)
    if look.is_rainy:
        _rain(canvas)
    if look.is_snowy:
        _snowfall(canvas)
    if look.style not in {"ukiyo-e", "watercolor", "bauhaus"} and look.scene != "tiles":
        edge = ((canvas.x / canvas.aspect - 0.5) ** 2 + (canvas.y - 0.5) ** 2) * np.float32(0.75)
        canvas.planes *= 1 - edge


def style_backdrop(picture: Image.Image, look: Look, rng: np.random.Generator) -> None:
    """Change the backdrop before figures stand in front of it."""
    if look.style == "oil":
        _brush(picture, rng)


def style_picture(picture: Image.Image, look: Look) -> Image.Image:
    """Return the whole picture in its style, figures included."""
    if look.style == "pixel":
        cell = max(2, min(picture.size) // 96)
        small = picture.reduce(cell).quantize(40, dither=Image.Dither.NONE).convert("RGB")
        return small.resize((small.width * cell, small.height * cell), Image.Resampling.NEAREST).crop(
            (0, 0, *picture.size)
        )
    if look.style == "noir":
        return ImageOps.colorize(picture.convert("L"), (10, 10, 14), (246, 244, 238), (112, 112, 116))
    if look.style == "vintage":
        return Image.blend(picture, ImageOps.colorize(picture.convert("L"), (48, 32, 20), (250, 236, 206)), 0.55)
    if look.style == "sketch":
        return _sketch(picture)
    if look.style == "ukiyo-e":
        _print_marks(picture, look.palette)
    return picture


def _watercolor(canvas: Canvas) -> None:
    canvas.planes += (canvas.colour(_PAPER) - canvas.planes) * np.float32(0.22)
    canvas.planes += canvas.field(26, waves=28) * np.float32(5.0) + canvas.field(5) * np.float32(6.0)
    border = np.minimum(
        np.minimum(canvas.x, canvas.aspect - canvas.x), np.minimum(canvas.y, 1.02 - canvas.y)
    ) + canvas.field(7, waves=24) * np.float32(0.014)
    canvas.lay(np.clip((0.06 - border) * 26, 0, 1), _PAPER)


def _neon_floor(canvas: Canvas, palette: Palette) -> None:
    horizon = 0.66
    first = canvas.row(horizon)
    rows = canvas.y[first:]
    depth = 1 / (rows - horizon + 0.02)
    across = np.abs((((canvas.x - canvas.aspect / 2) * depth * 0.9) % 1) - 0.5) * 2
    along = np.abs(((depth * 0.55) % 1) - 0.5) * 2
    width = np.float32(0.012) * depth
    lines = np.clip((np.maximum(across, np.broadcast_to(along, across.shape)) - 1 + width) / width, 0, 1)
    canvas.lay(np.full((canvas.h - first, 1), 0.72, np.float32), palette.near, first)
    canvas.lay(lines * np.clip((rows - horizon) * 9, 0, 1), palette.accent, first)
    canvas.glow(canvas.aspect / 2, horizon, 0.35, palette.glow, 0.4)


def _glass(canvas: Canvas) -> None:
    """Cut the canvas into cells of one colour each, with dark lines between them."""
    count = 90
    columns, rows = canvas.rng.random(count) * canvas.aspect, canvas.rng.random(count)
    x, y = canvas.x[0, ::2], canvas.y[::2, 0]
    nearest = np.zeros((y.size, x.size), np.uint8)
    best = np.full((y.size, x.size), np.inf, np.float32)
    for index in range(count):
        distance = ((x - columns[index]) ** 2)[None, :] + ((y - rows[index]) ** 2)[:, None]
        closer = distance < best
        best[closer], nearest[closer] = distance[closer], index
    cells = nearest.ravel()
    weight = np.maximum(np.bincount(cells, minlength=count), 1)
    for plane in canvas.planes:
        mean = np.bincount(cells, plane[::2, ::2].ravel(), count) / weight
        flat = mean.astype(np.float32)[nearest] * (1 + 0.12 * np.sin(nearest * 2.1).astype(np.float32))
        plane[:] = np.repeat(np.repeat(flat, 2, 0), 2, 1)[: canvas.h, : canvas.w]
    edge = np.zeros(nearest.shape, np.float32)
    edge[:, 1:] = nearest[:, 1:] != nearest[:, :-1]
    edge[1:] = np.maximum(edge[1:], nearest[1:] != nearest[:-1])
    canvas.lay(np.repeat(np.repeat(edge, 2, 0), 2, 1)[: canvas.h, : canvas.w] * np.float32(0.7), _INK)


def _rain(canvas: Canvas) -> None:
    streak = canvas.x * np.float32(150) + canvas.y * np.float32(34)
    lanes = (streak % np.float32(1)) < 0.14
    starts = canvas.rng.random(512).astype(np.float32)[streak.astype(int) % 512]
    drops = ((canvas.y * 5 + starts * 7) % 1) < 0.3
    mask: Floats = (lanes & drops).astype(np.float32)
    canvas.lay(mask * np.float32(0.28), (226, 236, 244))


def _snowfall(canvas: Canvas) -> None:
    for _ in range(70):
        radius = float(canvas.rng.uniform(0.002, 0.009))
        x, y = float(canvas.rng.random()) * canvas.aspect, float(canvas.rng.random())
        canvas.disc(x, y, radius, (255, 255, 255), 0.8)


def _brush(picture: Image.Image, rng: np.random.Generator) -> None:
    """Lay short strokes in the colours beneath them."""
    width, height = picture.size
    count = 1100
    points = np.stack([rng.random(count) * width, rng.random(count) * height], 1).astype(int)
    colours = np.asarray(picture)[points[:, 1], points[:, 0]].astype(int) + rng.integers(-14, 15, (count, 1))
    colours = np.clip(colours, 0, 255)
    angles = np.sin(points[:, 0] / width * 5 + points[:, 1] / height * 4) * 0.9
    length, thick = min(width, height) / 24, max(2, min(width, height) // 90)
    reach = np.stack([np.cos(angles), np.sin(angles)], 1) * length * rng.uniform(0.5, 1.2, (count, 1))
    draw = ImageDraw.Draw(picture)
    for point, vector, colour in zip(points, reach, colours, strict=True):
        ends = [(point[0] - vector[0], point[1] - vector[1]), (point[0] + vector[0], point[1] + vector[1])]
        draw.line(ends, fill=(int(colour[0]), int(colour[1]), int(colour[2])), width=thick)


def _sketch(picture: Image.Image) -> Image.Image:
    grey = picture.convert("L")
    soft = ImageOps.invert(grey).filter(ImageFilter.BoxBlur(max(2, min(picture.size) // 120)))
    lines = np.asarray(grey, np.float32) / np.maximum(256 - np.asarray(soft, np.float32), 1) * 255
    shaded = np.clip(lines, 0, 255) * 0.62 + np.asarray(grey, np.float32) * 0.5 - 30
    return ImageOps.colorize(Image.fromarray(shaded.clip(0, 255).astype(np.uint8)), _INK, _PAPER)


def _print_marks(picture: Image.Image, palette: Palette) -> None:
    """Add the margin and the seal of a woodblock print."""
    width, height = picture.size
    unit = max(2, min(width, height) // 100)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width - 1, height - 1), outline=_PAPER, width=unit * 2)
    draw.rectangle(
        (unit * 2, unit * 2, width - 1 - unit * 2, height - 1 - unit * 2), outline=_INK, width=max(1, unit // 3)
    )
    left, top, side = width - unit * 13, unit * 5, unit * 7
    draw.rectangle((left, top, left + side, top + side * 3 // 2), fill=blend(palette.accent, (190, 40, 30), 0.6))
    for row in range(3):
        y = top + side * (1 + row * 2) // 4
        draw.line((left + unit, y, left + side - unit, y), fill=_PAPER, width=max(1, unit // 2))
    draw.line(
        (left + side // 2, top + unit, left + side // 2, top + side * 3 // 2 - unit),
        fill=_PAPER,
        width=max(1, unit // 2),
    )
