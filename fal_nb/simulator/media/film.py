"""Films: a painted scene that glides past, with its figures moving and small things drifting in front."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from threading import Event

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from fal_nb.simulator.media.caption import write_caption
from fal_nb.simulator.media.colours import blend
from fal_nb.simulator.media.figures import cut_out_figure
from fal_nb.simulator.media.look import seeded
from fal_nb.simulator.media.picture import PictureSpec, compose, inks_for, paint_backdrop, place_figures
from fal_nb.simulator.media.recording import FrameRate, encode_film
from fal_nb.simulator.media.sound import Samples, film_sound
from fal_nb.simulator.media.styles import style_picture

__all__ = ["FRAMES_PER_S", "Shot", "make_film", "make_film_from"]

FRAMES_PER_S = 12
_SIZES = {"16:9": (640, 360), "9:16": (360, 640), "1:1": (480, 480)}
_AREA = 640 * 360
"""Pixels of a frame whose proportions a picture gives."""
_MARGIN = 0.18
_DRIFTERS = 26


@dataclass(frozen=True, slots=True)
class Shot:
    """One take: what it shows and for how many seconds."""

    prompt: str
    seconds: int


@dataclass(frozen=True, slots=True)
class _Sprite:
    """A figure by itself and the square it moves about."""

    picture: Image.Image
    left: int
    top: int


def make_film(shots: Sequence[Shot], ratio: str, seed: int, *, with_sound: bool, cancelled: Event) -> bytes:
    """Return an MP4 of all shots; it stops early where `cancelled` is set."""
    width, height = _SIZES[ratio]
    frames = _all_frames(shots, width, height, seed, cancelled)
    return encode_film(frames, FrameRate(FRAMES_PER_S, width, height), _sound(shots, seed, with_sound=with_sound))


def make_film_from(
    first: bytes, last: bytes | None, shots: Sequence[Shot], seed: int, *, with_sound: bool, cancelled: Event
) -> bytes:
    """Return an MP4 that begins with one picture, in whose proportions it is, and ends with another if there is one."""
    opening = _opened(first)
    ratio = min(max(opening.width / opening.height, 0.4), 2.5)
    width = round((_AREA * ratio) ** 0.5) // 2 * 2
    height = round((_AREA / ratio) ** 0.5) // 2 * 2
    ending = None if last is None else _opened(last)
    frames = _frames_between(opening, ending, shots, (width, height), seed, cancelled)
    return encode_film(frames, FrameRate(FRAMES_PER_S, width, height), _sound(shots, seed, with_sound=with_sound))


def _sound(shots: Sequence[Shot], seed: int, *, with_sound: bool) -> Samples | None:
    return np.concatenate([film_sound(shot.prompt, seed, shot.seconds) for shot in shots]) if with_sound else None


def _opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.convert("RGB")


def _frames_between(
    opening: Image.Image,
    ending: Image.Image | None,
    shots: Sequence[Shot],
    size: tuple[int, int],
    seed: int,
    cancelled: Event,
) -> Iterator[Image.Image]:
    """Yield frames that draw near to the picture and, where there is another to end with, dissolve into that one."""
    width, height = size
    start = ImageOps.fit(opening, size)
    stop = None if ending is None else ImageOps.fit(ending, size)
    _, rng = compose(PictureSpec(shots[0].prompt, seed, width, height))
    specks = _specks(rng, 1)
    count = sum(shot.seconds for shot in shots) * FRAMES_PER_S
    for index in range(count):
        if cancelled.is_set():
            return
        share = index / max(1, count - 1)
        inset = 0.12 * (0.5 - 0.5 * cos(pi * share))
        box = (width * inset / 2, height * inset / 2, width * (1 - inset / 2), height * (1 - inset / 2))
        frame = start.resize(size, Image.Resampling.BILINEAR, box)
        if stop is not None:
            frame = Image.blend(frame, stop, min(1.0, max(0.0, share * 1.6 - 0.6)))
        draw = ImageDraw.Draw(frame)
        for x, y, pace, radius in specks if 0 < index < count - 1 else ():
            across = (x + pace * share * 0.6) % 1 * width
            down = (y - pace * share * 0.9) % 1 * height
            draw.ellipse((across - radius, down - radius, across + radius, down + radius), fill=(255, 250, 235))
        yield frame


def _all_frames(shots: Sequence[Shot], width: int, height: int, seed: int, cancelled: Event) -> Iterator[Image.Image]:
    for number, shot in enumerate(shots):
        for frame in _frames(shot, width, height, seed + number):
            if cancelled.is_set():
                return
            yield frame


def _frames(shot: Shot, width: int, height: int, seed: int) -> Iterator[Image.Image]:
    """Yield the frames of a shot: the window glides over a wider painting, figures sway, specks drift."""
    wide = round(width * (1 + _MARGIN)) // 2 * 2
    spec = PictureSpec(shot.prompt, seed, wide, height)
    look, rng = compose(spec)
    backdrop, ground = paint_backdrop(spec, look, rng)
    backdrop = style_picture(backdrop, look)
    lot = seeded(shot.prompt, "emblem")
    sprites = []
    for placed in place_figures(look, width, height, ground, rng):
        picture = cut_out_figure(placed.wish.name, placed.side, inks_for(placed.wish, look, 1.0), lot)
        sprites.append(_Sprite(picture, placed.left, placed.top))
    specks = _specks(rng, -1 if look.is_snowy or look.is_rainy else 1)
    speck_colour = blend(look.palette.glow, (255, 255, 255), 0.3)
    band, band_top = _caption_band(backdrop, shot, look.palette.accent, width, height)
    count = shot.seconds * FRAMES_PER_S
    for index in range(count):
        share = index / max(1, count - 1)
        left = round((wide - width) * (0.5 - 0.5 * cos(pi * share)))
        frame = backdrop.crop((left, 0, left + width, height))
        for number, sprite in enumerate(sprites):
            turn = 2 * pi * (index / FRAMES_PER_S) / (2.6 + 0.4 * number)
            spot = (sprite.left + round(sin(turn) * width * 0.012), sprite.top + round(cos(turn * 2) * height * 0.014))
            frame.paste(sprite.picture, spot, sprite.picture)
        draw = ImageDraw.Draw(frame)
        for x, y, pace, radius in specks:
            across = (x + abs(pace) * share * 0.6) % 1 * width
            down = (y - pace * share * shot.seconds * 0.3 + 0.02 * sin(9 * share + x * 9)) % 1 * height
            draw.ellipse((across - radius, down - radius, across + radius, down + radius), fill=speck_colour)
        frame.paste(band, (0, band_top))
        draw.rectangle((0, height - 4, round(width * share), height), fill=look.palette.accent)
        yield frame


def _specks(rng: np.random.Generator, rise: int) -> list[tuple[float, float, float, float]]:
    """Return place, pace and radius of what drifts past; `rise` is 1 for upwards, -1 for down."""
    rows = rng.random((_DRIFTERS, 4))
    return [
        (float(x), float(y), rise * (0.15 + 0.5 * float(pace)), 0.7 + 1.6 * float(size)) for x, y, pace, size in rows
    ]


def _caption_band(
    backdrop: Image.Image, shot: Shot, colour: tuple[int, int, int], width: int, height: int
) -> tuple[Image.Image, int]:
    """Return the caption, which does not move, and its upper edge."""
    plain = backdrop.crop((0, 0, width, height))
    written = plain.copy()
    write_caption(
        written, shot.prompt, f"{shot.seconds} s · {width}x{height}", blend(colour, (255, 240, 200), 0.5), solid=True
    )
    first_row = np.flatnonzero((np.asarray(plain) != np.asarray(written)).any(axis=(1, 2)))
    top = int(first_row[0]) if first_row.size else height - 1
    return written.crop((0, top, width, height)), top
