"""Text in pictures: in a font that is always there, in others where it lacks a character, cut to the room there is.

Pillow brings one font (Latin letters only). For what it lacks the fonts of the machine are asked; what none of them
has is spelled out, so that two labels rarely look the same: é as e, an emoji by its name, others by their number.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from typing import TypeAlias

from PIL import ImageDraw, ImageFont

from fal_nb.plain import plain_text

__all__ = ["Lettering"]

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

_OTHERS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansSymbols2-Regular.ttf",
    "wqy-zenhei.ttc",
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "AppleGothic.ttf",
    "segoeui.ttf",
    "msyh.ttc",
    "msgothic.ttc",
    "malgun.ttf",
    "seguisym.ttf",
    "unifont.ttf",
)
"""Common ones of Linux, macOS and Windows; Pillow looks for them where the system keeps its fonts."""
_NEVER = "\U0010fffe"
"""No character ever: what a font draws for it, it draws for everything it lacks."""
_MOST_CHARS = 600
_INVISIBLE = {"Mn", "Me", "Cf", "Cc", "Cs", "Co"}


class Lettering:
    """Draws text of one size.

    Parameters
    ----------
    size
        Height of the letters in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.line_height = round(size * 1.32)
        self._fonts = _fonts(size)
        self._width = functools.lru_cache(4_096)(self._measure)

    def width(self, text: str) -> float:
        """Return how wide a line is in pixels."""
        return self._width(self.spell(text))

    def spell(self, text: str) -> str:
        """Return a text in characters that can be drawn."""
        return "".join(char if _font_of(char, self.size) is not None else _spelled(char) for char in text)

    def lines(self, text: str, width: float, most: int) -> list[str]:
        """Return a text in at most so many lines of at most so many pixels; what is left out shows as an ellipsis."""
        if most < 1:
            return []
        text = self.spell(plain_text(text, _MOST_CHARS))
        lines: list[str] = []
        words = [word for piece in text.split() for word in self._broken(piece, width)]
        while words and len(lines) < most:
            line = words.pop(0)
            while words and self._width(f"{line} {words[0]}") <= width:
                line = f"{line} {words.pop(0)}"
            lines.append(line)
        if words:
            lines[-1] = self._cut(f"{lines[-1]} {' '.join(words[:4])}", width)
        return lines

    def draw(
        self, draw: ImageDraw.ImageDraw, at: tuple[float, float], line: str, fill: str, *, bold: bool = False
    ) -> None:
        """Draw one line of `lines`, its top left corner at a place; bold ones are drawn twice, a pixel apart."""
        x, y = at
        ascent = self.size * 0.98
        for run, font in self._runs(line):
            for shift in (0, 0.6) if bold else (0,):
                _draw_run(draw, (x + shift, y + ascent), run, font, fill)
            x += font.getlength(run)

    def _measure(self, line: str) -> float:
        return sum(font.getlength(run) for run, font in self._runs(line))

    def _runs(self, line: str) -> Iterator[tuple[str, Font]]:
        """Yield the parts of a line that one font draws."""
        run, last = "", 0
        for char in line:
            at = _font_of(char, self.size)
            place = at if at is not None else 0
            if run and place != last:
                yield run, self._fonts[last]
                run = ""
            run, last = run + char, place
        if run:
            yield run, self._fonts[last]

    def _broken(self, word: str, width: float) -> Iterator[str]:
        """Yield a word in pieces that fit into a line."""
        while word and self._width(word) > width:
            fits = self._fitting(word, width)
            yield word[:fits]
            word = word[fits:]
        if word:
            yield word

    def _fitting(self, word: str, width: float) -> int:
        """Return how many of the first characters fit, at least one."""
        low, high = 1, len(word)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._width(word[:middle]) <= width else (low, middle - 1)
        return low

    def _cut(self, line: str, width: float) -> str:
        room = width - self._width("…")
        if self._width(line) > room:
            line = line[: self._fitting(line, room)]
        return line.rstrip() + "…"


def _draw_run(draw: ImageDraw.ImageDraw, at: tuple[float, float], run: str, font: Font, fill: str) -> None:
    if isinstance(font, ImageFont.FreeTypeFont):
        draw.text(at, run, fill=fill, font=font, anchor="ls")
    else:  # Pillow built without FreeType: one size, no anchors
        draw.text((at[0], at[1] - 11), run, fill=fill, font=font)


@functools.lru_cache(16)
def _fonts(size: int) -> tuple[Font, ...]:
    """Return the fonts of a size, Pillow's own first."""
    found: list[Font] = [ImageFont.load_default(size)]
    for name in _OTHERS if isinstance(found[0], ImageFont.FreeTypeFont) else ():
        try:
            found.append(ImageFont.truetype(name, size))
        except OSError:
            continue
    return tuple(found)


@functools.lru_cache(20_000)
def _font_of(char: str, size: int) -> int | None:
    """Return which of the fonts has a character, or None."""
    if char == " ":
        return 0
    for place, font in enumerate(_fonts(size)):
        if not isinstance(font, ImageFont.FreeTypeFont):
            if ord(char) < 256:
                return place
        elif unicodedata.category(char) not in _INVISIBLE and _drawing(font, char) != _drawing(font, _NEVER):
            return place
    return None


def _drawing(font: ImageFont.FreeTypeFont, char: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(char)
    return mask.size, bytes(mask)


def _spelled(char: str) -> str:
    """Return what stands for a character that no font has."""
    category = unicodedata.category(char)
    if category in _INVISIBLE:
        return ""
    if category == "Zs":
        return " "
    plain = "".join(each for each in unicodedata.normalize("NFKD", char) if each.isascii() and each.isprintable())
    if plain:
        return plain
    if category == "So":
        return f"[{unicodedata.name(char, f'U+{ord(char):04X}').lower()}]"
    return f"[{ord(char):04X}]"
