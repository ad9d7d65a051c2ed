"""Pictures from a prompt and a seed: the same ones give the same picture, other ones plainly another."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageChops, ImageOps

from fal_nb.simulator.media.canvas import Canvas
from fal_nb.simulator.media.caption import write_caption
from fal_nb.simulator.media.colours import RGB, Palette, blend
from fal_nb.simulator.media.figures import FIGURES, stamp_figure
from fal_nb.simulator.media.look import FigureWish, Look, read_look, seeded
from fal_nb.simulator.media.pen import Inks
from fal_nb.simulator.media.scenes import SCENES
from fal_nb.simulator.media.styles import style_backdrop, style_canvas, style_picture
from fal_nb.simulator.media.tiles import draw_tiles

__all__ = [
    "PictureSpec", "Placed", "compose", "finish", "inks_for", "paint", "paint_backdrop", "paint_scene", "place_figures",
]  # fmt: skip

_SIZES = {"bust": 0.8, "ground": 0.52, "water": 0.44, "air": 0.36, "emblem": 0.58}
_ROOM = {1: 1.15, 2: 0.56, 3: 0.4}
_SPREAD = {1: (0.5,), 2: (0.29, 0.71), 3: (0.2, 0.5, 0.8)}


@dataclass(frozen=True, slots=True)
class PictureSpec:
    """What to paint.

    Attributes
    ----------
    width, height
        Pixels; the picture has exactly this size.
    detail
        Inference steps against the usual number: under 1 the picture is unfinished, over 1 finer.
    guidance
        Guidance scale against the usual one: it raises contrast and colour.
    source
        An encoded picture to begin with, or None.
    strength
        How far from that source the picture goes, 0 to 1.
    """

    prompt: str
    seed: int
    width: int
    height: int
    detail: float = 1.0
    guidance: float = 1.0
    negative_prompt: str = ""
    source: bytes | None = None
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A figure and its square in pixels."""

    wish: FigureWish
    left: int
    top: int
    side: int


def paint(spec: PictureSpec) -> Image.Image:
    """Return the picture of a prompt and a seed."""
    return finish(paint_scene(spec), spec)


def paint_scene(spec: PictureSpec) -> Image.Image:
    """Return what the prompt and the seed ask for, without the source, the steps that lack and the caption."""
    look, rng = compose(spec)
    picture, ground = paint_backdrop(spec, look, rng)
    lot = seeded(spec.prompt, "emblem")
    for placed in place_figures(look, spec.width, spec.height, ground, rng):
        box = (placed.left, placed.top, placed.side)
        stamp_figure(picture, placed.wish.name, box, inks_for(placed.wish, look, spec.guidance), lot)
    return style_picture(picture, look)


def finish(picture: Image.Image, spec: PictureSpec) -> Image.Image:
    """Return a scene laid over its source, as far as the steps have brought it, with its caption."""
    look, rng = compose(spec)
    if spec.source is not None:
        picture = _over_source(picture, spec, look.palette)
    picture = _unfinished(picture, spec.detail, rng)
    note = f"seed {spec.seed} · {spec.width}x{spec.height}"
    colour = blend(look.palette.glow, look.palette.accent, 0.35)
    write_caption(picture, spec.prompt, note, colour, solid=spec.source is not None)
    return picture


def compose(spec: PictureSpec) -> tuple[Look, np.random.Generator]:
    """Return the look of a picture, in the colours of its seed, and the lot that decides where things are."""
    look = read_look(spec.prompt)
    rng = seeded(spec.prompt, spec.negative_prompt, spec.seed)
    return replace(look, palette=_tinted(look, rng)), rng


def paint_backdrop(spec: PictureSpec, look: Look, rng: np.random.Generator) -> tuple[Image.Image, float]:
    """Return the scene without figures, and the height (0 to 1) at which things stand in it."""
    canvas = Canvas(spec.width, spec.height, rng)
    ground = SCENES[look.scene](canvas, look)
    style_canvas(canvas, look)
    strength = np.float32(0.62 + 0.38 * min(max(spec.guidance, 0.0), 2.5))
    canvas.planes -= 120
    canvas.planes *= strength
    canvas.planes += 120
    if spec.detail > 1.05:
        canvas.planes += canvas.field(40, waves=32) * np.float32(1.2 * min(spec.detail, 2.0))
    picture = canvas.finish()
    if look.scene == "tiles":
        draw_tiles(picture, look.palette, rng, 4 if look.figures else 5)
    style_backdrop(picture, look, rng)
    return picture, ground


def place_figures(look: Look, width: int, height: int, ground: float, rng: np.random.Generator) -> list[Placed]:
    """Return where the figures of a look stand."""
    placed = []
    count = len(look.figures)
    for wish, share in zip(look.figures, _SPREAD.get(count, ()), strict=True):
        figure = FIGURES.get(wish.name)
        kind = figure.place if figure else "emblem"
        reach = figure.reach if figure else 1.0
        side = round(min(height, width * _ROOM[count]) * _SIZES[kind] * reach * float(rng.uniform(0.86, 1.04)))
        sway = 0.13 if count == 1 else 0.05
        middle = width * (share + float(rng.uniform(-sway, sway)))
        bottom = {
            "bust": height * 1.0,
            "ground": height * ground,
            "water": height * (0.8 if look.scene != "deep" else 0.68),
            "air": height * 0.6,
            "emblem": height * 0.8,
        }[kind] + height * float(rng.uniform(-0.02, 0.02))
        placed.append(Placed(wish, round(middle - side / 2), round(bottom - side), max(8, side)))
    return placed


def inks_for(wish: FigureWish, look: Look, guidance: float) -> Inks:
    """Return the colours of a figure, brought a little towards those of its scene."""
    figure = FIGURES.get(wish.name)
    body: RGB = wish.colour or (figure.colour if figure else look.palette.accent)
    if figure is None and wish.colour is None:
        body = look.palette.far
    dim = 0.2 if look.is_night else 0.07
    body = blend(body, look.palette.high, dim)
    grey = round(sum(body) / 3)
    body = blend((grey, grey, grey), body, 0.6 + 0.4 * min(max(guidance, 0.0), 1.0))
    return Inks.of(body, look.palette.accent if figure is None else blend(look.palette.accent, (244, 180, 60), 0.35))


def _tinted(look: Look, rng: np.random.Generator) -> Palette:
    """Return the palette, turned a little by the seed and tinted by a colour word that belongs to no figure."""
    palette = look.palette if look.style in {"bauhaus", "noir"} else look.palette.turned(float(rng.uniform(-9, 9)))
    if look.tint is None:
        return palette
    return Palette(
        blend(palette.high, look.tint, 0.3),
        blend(palette.low, look.tint, 0.28),
        palette.glow,
        blend(palette.far, look.tint, 0.6),
        blend(palette.near, look.tint, 0.28),
        look.tint,
    )


def _over_source(picture: Image.Image, spec: PictureSpec, palette: Palette) -> Image.Image:
    """Return the source redrawn: its light and dark in the new colours, the new picture showing through."""
    with Image.open(io.BytesIO(spec.source or b"")) as opened:
        source = ImageOps.exif_transpose(opened).convert("RGB").resize(picture.size)
    ramp = ImageOps.colorize(source.convert("L"), palette.near, palette.glow, palette.far)
    redrawn = Image.blend(Image.blend(source, ramp, 0.35 + 0.45 * spec.strength), picture, 0.45 * spec.strength)
    return Image.blend(source, redrawn, min(1.0, 0.15 + 0.95 * spec.strength))


def _unfinished(picture: Image.Image, detail: float, rng: np.random.Generator) -> Image.Image:
    """Return the picture as it is after too few steps: soft, with leftover noise."""
    if detail >= 0.7:
        return picture
    lack = (0.7 - max(detail, 0.0)) / 0.7
    block = max(1, round(min(picture.size) / 100 * lack * 1.5))
    if block > 1:
        picture = picture.reduce(block).resize(picture.size, Image.Resampling.BILINEAR)
    grid = 128 + rng.normal(0, 34 * lack, (picture.height // 6 + 1, picture.width // 6 + 1, 3))
    small = Image.fromarray(np.clip(grid, 0, 255).astype(np.uint8))
    noise = small.resize((small.width * 6, small.height * 6), Image.Resampling.NEAREST)
    return ImageChops.add(picture, noise.crop((0, 0, *picture.size)), 1, -128)
