"""Landscapes and other soft backdrops, painted on the small canvas. Each leaves room in front for figures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fal_nb.simulator.media.canvas import Canvas, Floats
from fal_nb.simulator.media.colours import RGB, Palette, blend
from fal_nb.simulator.media.look import Look

__all__ = ["SCENES"]

_WHITE: RGB = (255, 255, 255)


def _sky(canvas: Canvas, look: Look, horizon: float) -> tuple[float, float]:
    """Paint the sky with sun or moon, stars and clouds; return where the light is."""
    palette, rng = look.palette, canvas.rng
    canvas.fill_gradient(palette.high, palette.low, 0.85, 0.0, min(1.0, horizon + 0.12))
    x, y = float(rng.uniform(0.2, 0.8)) * canvas.aspect, float(rng.uniform(0.14, 0.42)) * min(1.0, horizon / 0.6)
    if palette.is_dark:
        _stars(canvas, horizon, 130)
    if not look.is_rainy:
        canvas.glow(x, y, 0.3, palette.glow, 0.75)
        canvas.disc(x, y, 0.075 if palette.is_dark else 0.095, palette.glow)
        if look.is_night:
            canvas.disc(x + 0.03, y - 0.012, 0.062, blend(palette.high, palette.low, y), 0.93)
    if not look.is_night:
        _clouds(canvas, palette, horizon, 0.5 if look.is_rainy else 0.28)
    return x, y


def _clouds(canvas: Canvas, palette: Palette, horizon: float, strength: float) -> None:
    last = canvas.row(horizon)
    field = canvas.field(3.2, stretch=3.0)[:last]
    fade = np.clip((horizon - canvas.y[:last]) * 4, 0, 1)
    mask = np.clip(field * 0.5 + 0.05, 0, 1) * fade * strength
    canvas.lay(mask, blend(palette.glow, palette.low, 0.25))


def _stars(canvas: Canvas, below: float, count: int) -> None:
    rng = canvas.rng
    rows = (rng.random(count) ** 1.3 * canvas.row(below)).astype(int)
    columns = (rng.random(count) * canvas.w).astype(int)
    light = rng.uniform(60, 230, count).astype(np.float32)
    canvas.planes[:, rows, columns] = np.maximum(canvas.planes[:, rows, columns], light)


def _layers(canvas: Canvas, palette: Palette, first: float, last: float, count: int, scale: float) -> None:
    """Lay hills one before the other, from the colour of the distance to that of the foreground."""
    for index in range(count):
        share = index / max(1, count - 1)
        base = first + (last - first) * share**0.9
        colour = blend(blend(palette.far, palette.low, 0.45 * (1 - share)), palette.near, share)
        mist = blend(colour, palette.low, 0.55 * (1 - share))
        heights = canvas.line(base, 0.09 + 0.05 * (1 - share), scale * (1 + 0.35 * share), 5, 0.48)
        canvas.ridge(heights, colour, mist)


def hills(canvas: Canvas, look: Look) -> float:
    """Paint mountains and hills."""
    palette = look.palette
    _sky(canvas, look, 0.62)
    peaks = canvas.line(0.46, 0.16, 0.8, 6, 0.55)
    canvas.ridge(peaks, blend(palette.far, palette.low, 0.35), blend(palette.far, palette.low, 0.75))
    if look.is_snowy or canvas.rng.random() < 0.5:
        _snow_caps(canvas, peaks, palette)
    _layers(canvas, palette, 0.6, 0.86, 4, 0.7)
    return 0.84


def _snow_caps(canvas: Canvas, peaks: Floats, palette: Palette) -> None:
    first, last = canvas.row(float(peaks.min())), canvas.row(0.52)
    if last <= first:
        return
    depth = canvas.y[first:last] - peaks
    edge = 0.035 + 0.022 * canvas.field(9)[first:last]
    mask = np.clip(depth * canvas.h, 0, 1) * np.clip((edge - depth) * canvas.h * 0.5, 0, 1)
    canvas.lay(mask * np.float32(0.9), blend(_WHITE, palette.glow, 0.25), first)


def forest(canvas: Canvas, look: Look) -> float:
    """Paint rows of firs in the mist."""
    palette = look.palette
    _sky(canvas, look, 0.6)
    for index in range(5):
        share = index / 4
        firs = canvas.aspect * (26 - 4 * index)
        place = canvas.x / canvas.aspect * firs + np.float32(canvas.rng.random())
        tips = canvas.rng.uniform(0.45, 1.0, int(firs) + 3).astype(np.float32)[place.astype(int)]
        profile = (1 - np.abs((place % 1) * 2 - 1)) * tips * (0.1 + 0.07 * share)
        heights = canvas.line(0.5 + 0.36 * share, 0.06, 0.7, 3) - profile
        colour = blend(blend(palette.far, palette.low, 0.6 * (1 - share)), palette.near, share)
        canvas.ridge(heights.astype(np.float32), colour, blend(colour, palette.low, 0.6 * (1 - share)))
    return 0.88


def sea(canvas: Canvas, look: Look) -> float:
    """Paint open water under a wide sky, with the light on it."""
    palette, rng = look.palette, canvas.rng
    horizon = float(rng.uniform(0.46, 0.54))
    x, _ = _sky(canvas, look, horizon)
    if rng.random() < 0.6:
        canvas.ridge(canvas.line(horizon - 0.035, 0.07, 0.9, 4), blend(palette.far, palette.low, 0.4), palette.low)
    first = canvas.row(horizon)
    canvas.fill_gradient(blend(palette.far, palette.low, 0.3), palette.near, 0.75, horizon, 1.0)
    rows = canvas.y[first:]
    depth = 1 / (rows - horizon + 0.035)
    sway = canvas.field(2.4, stretch=2.0)[first:]
    waves = np.sin(depth * np.float32(9.0) + sway * np.float32(1.6) + canvas.x * np.float32(5))
    canvas.lay(np.clip(waves * 0.5 - 0.1, 0, 1) * np.float32(0.35), blend(palette.far, palette.glow, 0.35), first)
    path = np.exp(-(((canvas.x - x) / (0.05 + 0.4 * (rows - horizon))) ** 2))
    canvas.lay(path * np.clip(waves * 0.8 + 0.35, 0, 1) * np.float32(0.75), palette.glow, first)
    return 0.82


def city(canvas: Canvas, look: Look) -> float:
    """Paint a skyline in layers, windows lit when it is dark."""
    palette, rng = look.palette, canvas.rng
    _sky(canvas, look, 0.75)
    for index in range(3):
        share = index / 2
        blocks = int(canvas.aspect * (22 - 5 * index)) + 2
        tops = rng.uniform(0.3 + 0.16 * share, 0.62 + 0.18 * share, blocks).astype(np.float32)
        edges = np.sort(rng.random(blocks - 1)).astype(np.float32) * np.float32(canvas.aspect)
        heights = tops[np.searchsorted(edges, canvas.x[0])][None, :]
        colour = blend(blend(palette.far, palette.low, 0.5 * (1 - share)), palette.near, share)
        canvas.ridge(heights, colour, blend(colour, palette.low, 0.4 * (1 - share)))
        if share:
            _windows(
                canvas, heights, palette.glow if palette.is_dark else palette.low, 0.55 if palette.is_dark else 0.12
            )
    return 0.9


def _windows(canvas: Canvas, heights: Floats, colour: RGB, share: float) -> None:
    across, down = max(3, canvas.h // 70), max(4, canvas.h // 52)
    grid = canvas.rng.random((canvas.h // down + 1, canvas.w // across + 1)) < share
    lit = np.repeat(np.repeat(grid, down, 0), across, 1)[: canvas.h, : canvas.w]
    lit[::down] = lit[:, ::across] = False
    lit[1::down] = False
    mask = (lit & (canvas.y > heights + 0.015)).astype(np.float32)
    canvas.lay(mask * np.float32(0.85), colour)


def space(canvas: Canvas, look: Look) -> float:
    """Paint stars, nebulae and a planet."""
    palette, rng = look.palette, canvas.rng
    canvas.fill_gradient(palette.high, palette.low)
    warp = canvas.field(1.2)
    for colour, strength in ((palette.far, 0.75), (palette.accent, 0.42), (palette.glow, 0.16)):
        cloud = canvas.field(1.6) + 0.6 * warp
        canvas.lay(np.clip(cloud * 0.45 - 0.05, 0, 1) ** 2 * np.float32(strength * 1.6), colour)
    _stars(canvas, 1.0, 700)
    for _ in range(12):
        canvas.glow(float(rng.random()) * canvas.aspect, float(rng.random()), 0.012, palette.glow, 1.0)
    _planet(canvas, palette)
    return 0.86


def _planet(canvas: Canvas, palette: Palette) -> None:
    rng = canvas.rng
    x, y, radius = (
        float(rng.uniform(0.15, 0.85)) * canvas.aspect,
        float(rng.uniform(0.16, 0.5)),
        float(rng.uniform(0.12, 0.24)),
    )
    first, last = canvas.row(y - radius), canvas.row(y + radius) + 1
    dx, dy = (canvas.x - x) / radius, (canvas.y[first:last] - y) / radius
    inside = 1 - dx**2 - dy**2
    mask = np.clip(inside * radius * canvas.h * 0.5, 0, 1)
    bands = 0.5 + 0.5 * np.sin(dy * 11 + 1.2 * canvas.field(2.5, stretch=3)[first:last])
    light = np.clip(0.15 + 0.95 * (-0.6 * dx - 0.5 * dy + 0.62 * np.sqrt(np.clip(inside, 0, 1))), 0.04, 1.15)
    one, two = canvas.colour(palette.accent), canvas.colour(palette.glow)
    canvas.lay(mask, (one + (two - one) * bands) * light, first)


def deep(canvas: Canvas, look: Look) -> float:
    """Paint under water: rays from above, weeds, bubbles."""
    palette, rng = look.palette, canvas.rng
    canvas.fill_gradient(blend(palette.high, palette.glow, 0.2), palette.low)
    slope = canvas.x + canvas.y * np.float32(0.35)
    rays = sum(np.sin(slope * np.float32(rng.uniform(8, 34)) + np.float32(rng.uniform(0, 6))) for _ in range(4))
    canvas.lay(np.clip(rays * 0.22, 0, 1) * (1 - canvas.y) ** 1.4 * np.float32(0.8), palette.glow)
    _layers(canvas, palette, 0.76, 0.92, 3, 0.8)
    for _ in range(7):
        x, reach = float(rng.random()) * canvas.aspect, float(rng.uniform(0.16, 0.42))
        first = canvas.row(1 - reach)
        rows = canvas.y[first:]
        middle = x + 0.02 * np.sin(rows * 22 + x * 9)
        width = 0.012 * (rows - (1 - reach)) / reach + 0.003
        mask = np.clip((width - np.abs(canvas.x - middle)) * canvas.h + 0.5, 0, 1)
        canvas.lay(mask * np.float32(0.9), blend(palette.near, palette.accent, float(rng.uniform(0, 0.5))), first)
    for _ in range(16):
        canvas.disc(
            float(rng.random()) * canvas.aspect,
            float(rng.random()),
            float(rng.uniform(0.004, 0.016)),
            palette.glow,
            0.35,
        )
    return 0.84


def dunes(canvas: Canvas, look: Look) -> float:
    """Paint dunes with one side in shade."""
    palette = look.palette
    _sky(canvas, look, 0.6)
    for index in range(4):
        share = index / 3
        heights = canvas.line(0.56 + 0.26 * share, 0.16, 0.45 + 0.2 * share, 2, 0.35)
        light = blend(blend(palette.far, palette.low, 0.5 * (1 - share)), palette.far, share)
        canvas.ridge(heights, light, blend(light, palette.near, 0.25 + 0.35 * share))
        slope = np.gradient(heights[0])[None, :] * canvas.h
        first = canvas.row(float(heights.min()))
        ripple = 0.8 + 0.2 * np.sin((canvas.y[first:] - heights) * 160)
        shade = np.clip(slope * 1.4, 0, 1) * np.clip((canvas.y[first:] - heights) * canvas.h, 0, 1) * ripple
        canvas.lay((shade * 0.45).astype(np.float32), palette.near, first)
    return 0.86


def swirl(canvas: Canvas, look: Look) -> float:
    """Paint bands of colour that flow into each other."""
    palette = look.palette
    bend = canvas.field(1.1)
    flow = canvas.field(0.9) + np.float32(0.9) * bend
    share = (0.5 + 0.5 * np.sin(flow * np.float32(3.4) + bend * np.float32(1.3))) * 255
    stops = [palette.near, palette.high, palette.far, palette.accent, palette.low, palette.glow]
    ramp = np.stack([np.interp(np.arange(256), np.linspace(0, 255, 6), part) for part in np.array(stops).T])
    canvas.planes[:] = ramp.astype(np.float32)[:, share.astype(np.uint8)]
    light = canvas.field(2.2) * np.float32(0.07) + 1
    canvas.planes *= light
    return 0.9


def studio(canvas: Canvas, look: Look) -> float:
    """Paint a backdrop with a light on it and a table or floor in front."""
    palette, rng = look.palette, canvas.rng
    canvas.fill_gradient(palette.high, blend(palette.high, palette.far, 0.5))
    x = canvas.aspect * float(rng.uniform(0.38, 0.62))
    canvas.glow(x, 0.42, 0.5, palette.low, 0.95)
    canvas.glow(x, 0.4, 0.22, palette.glow, 0.5)
    floor = float(rng.uniform(0.7, 0.76))
    canvas.ridge(
        np.full_like(canvas.x, floor), blend(palette.far, palette.near, 0.25), blend(palette.near, palette.far, 0.25)
    )
    canvas.glow(x, floor + 0.1, 0.4, palette.low, 0.3)
    return 0.88


def garden(canvas: Canvas, look: Look) -> float:
    """Paint blossoms out of focus, over grass."""
    palette, rng = look.palette, canvas.rng
    canvas.fill_gradient(palette.high, palette.low)
    canvas.glow(canvas.aspect * float(rng.random()), 0.12, 0.45, palette.glow, 0.7)
    _layers(canvas, palette, 0.56, 0.8, 3, 0.7)
    for index in range(46):
        share = index / 45
        y = 0.5 + 0.5 * share + float(rng.normal(0, 0.05))
        colour = (palette.accent, palette.glow, look.tint or palette.low, palette.far)[int(rng.integers(4))]
        radius = 0.012 + 0.045 * share * float(rng.uniform(0.5, 1.2))
        canvas.disc(float(rng.random()) * canvas.aspect, y, radius, colour, 0.55 + 0.35 * share)
    return 0.92


def tiles(canvas: Canvas, look: Look) -> float:
    """Paint a plain ground; the shapes are drawn over it at full size."""
    palette = look.palette
    canvas.fill_gradient(palette.high, palette.low)
    return 0.9


SCENES: dict[str, Callable[[Canvas, Look], float]] = {
    "hills": hills,
    "forest": forest,
    "sea": sea,
    "city": city,
    "space": space,
    "deep": deep,
    "dunes": dunes,
    "swirl": swirl,
    "studio": studio,
    "garden": garden,
    "tiles": tiles,
}
"""Scenes by name; each paints the canvas and returns the height at which things stand."""
