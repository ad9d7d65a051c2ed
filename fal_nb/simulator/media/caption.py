"""The caption band: the prompt to read, what was asked besides, and the word that says none of it is real."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TypeAlias

from PIL import Image, ImageChops, ImageDraw, ImageFont

from fal_nb.simulator.media.colours import RGB

__all__ = ["LABEL", "write_caption"]

LABEL = "simulated"
_LEAST_FONT_PX = 10
_MOST_LINES = 3
_SHADE: RGB = (77, 77, 77)
_WHITE: RGB = (255, 255, 255)
_GREY: RGB = (200, 200, 205)
_SOLID: RGB = (18, 17, 22)
_WIDE_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf")
_Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


def write_caption(picture: Image.Image, text: str, note: str, colour: RGB, *, solid: bool = False) -> None:
    """Write into the lower edge of a picture; a picture too small to read is left as it is.

    Parameters
    ----------
    text
        Wrapped to at most three lines and cut with an ellipsis.
    note
        A short remark in grey, for example the seed.
    colour
        Of the label.
    solid
        Let nothing show through the band.
    """
    width, height = picture.size
    size = max(_LEAST_FONT_PX, round(min(height * 0.036, width * 0.034)))
    margin = size * 3 // 4
    if width < size * 9 or height < size * 6:
        return
    small = _font(max(_LEAST_FONT_PX - 1, round(size * 0.72)))
    font, text = _legible(" ".join(text.split()) or "(no prompt)", size)
    lines = _wrap(text, font, width - 2 * margin)
    step = round(size * 1.28)
    band = len(lines) * step + round(size * 1.1) + margin * 3 // 2
    top = height - band
    box = (0, top, width, height)
    if solid:
        picture.paste(_SOLID, box)
    else:
        shade = Image.new("RGB", (width, band), _SHADE)
        picture.paste(ImageChops.multiply(picture.crop(box), shade), box)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, top, width, top + max(1, size // 9)), fill=colour)
    for index, line in enumerate(lines):
        draw.text((margin, top + margin * 3 // 4 + index * step), line, font=font, fill=_WHITE)
    foot = height - margin // 2 - round(size * 0.9)
    draw.text((margin, foot), note, font=small, fill=_GREY)
    label = LABEL.upper()
    draw.text((width - margin - small.getlength(label), foot), label, font=small, fill=colour)


def _legible(text: str, size: int) -> tuple[_Font, str]:
    """Return a font and the text in letters it has.

    Pillow's own font knows ASCII only: accents are dropped, and for other scripts a font of the system is taken if
    there is one.
    """
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    if plain.isascii():
        return _font(size), plain
    wide = _wide_font(size)
    if wide is not None:
        return wide, text
    return _font(size), plain.encode("ascii", "replace").decode()


@lru_cache(maxsize=64)
def _wide_font(size: int) -> _Font | None:
    for name in _WIDE_FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return None


@lru_cache(maxsize=64)
def _font(size: int) -> _Font:
    return ImageFont.load_default(size=size)


def _wrap(text: str, font: _Font, width: int) -> list[str]:
    lines: list[str] = []
    rest = text
    while rest and len(lines) < _MOST_LINES:
        fits = _fitting(rest, font, width)
        if fits < len(rest):
            at_space = rest.rfind(" ", 0, fits + 1)
            fits = at_space if at_space > fits // 2 else fits
        lines.append(rest[:fits].rstrip())
        rest = rest[fits:].lstrip()
    if rest:
        last = lines[-1]
        while last and font.getlength(last + "…") > width:
            last = last[:-1]
        lines[-1] = last.rstrip() + "…"
    return lines


def _fitting(text: str, font: _Font, width: int) -> int:
    """Return how many characters fit into a width, by halving."""
    low, high = 1, min(len(text), 400)
    if font.getlength(text[:high]) <= width:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if font.getlength(text[:middle]) <= width:
            low = middle
        else:
            high = middle
    return low
