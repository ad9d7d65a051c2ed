"""Draws one page of a contact sheet with Pillow: title, labels, tiles. Knows no sweep; text never leaves its place."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from fal_nb.exports.lettering import Lettering
from fal_nb.sweeps.sheet import GAP, HEAD_HEIGHT, LABEL_HEIGHT, LABEL_WIDTH, TITLE_HEIGHT

__all__ = ["Head", "SheetPage", "Tile", "draw_page"]

_PAPER, _GROUND, _LINE = "#ffffff", "#f3f4f6", "#d0d4da"
_TEXT, _MUTED = "#1f2328", "#656d76"
_PAD = 10
_MARK_SIDE = 26


@dataclass(frozen=True, slots=True)
class Head:
    """The label of a row or column, and of the group it belongs to."""

    label: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile.

    Attributes
    ----------
    picture
        Returns the picture within a square of so many pixels, or None; called when the tile is drawn.
    title, text, colour
        What is there instead of a picture: a state in its colour, and its reason or the text that came out.
    mark
        ``video`` or ``audio`` are marked as such; `note` stands beside the mark.
    """

    picture: Callable[[int], Image.Image | None] | None = None
    title: str = ""
    text: str = ""
    colour: str = _MUTED
    mark: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class SheetPage:
    """What stands on one page.

    Attributes
    ----------
    corner
        Up to two lines above the labels of the rows: names of axes.
    tile_at
        Row and column of this page, from 0 → what is there; called for one at a time.
    """

    title: str
    words: str
    corner: Sequence[str]
    rows: Sequence[Head]
    columns: Sequence[Head]
    tile_at: Callable[[int, int], Tile]


def draw_page(
    page: SheetPage, size: tuple[int, int], side: int, on_tile: Callable[[], None] = lambda: None
) -> Image.Image:
    """Return a page; holds one picture beside it at a time.

    Parameters
    ----------
    size
        Width and height in pixels, as the plan of the sheet has worked them out.
    side
        Of a tile, in pixels.
    on_tile
        Called after each tile.
    """
    drawing = _Drawing(page, size, side)
    drawing.title()
    drawing.column_labels()
    drawing.row_labels()
    for row, column in itertools.product(range(len(page.rows)), range(len(page.columns))):
        drawing.tile(row, column)
        on_tile()
    return drawing.image


class _Drawing:
    def __init__(self, page: SheetPage, size: tuple[int, int], side: int) -> None:
        self._page = page
        self._side = side
        self.image = Image.new("RGB", size, _PAPER)
        self._draw = ImageDraw.Draw(self.image)
        self._large, self._usual, self._small = Lettering(20), Lettering(14), Lettering(12)

    def title(self) -> None:
        width = self.image.width - 2 * GAP
        self._write(self._large, (GAP, 10), self._page.title, width, 1, bold=True)
        self._write(self._usual, (GAP, 38), self._page.words, width, 1, _MUTED)

    def column_labels(self) -> None:
        top = TITLE_HEIGHT
        for at, line in enumerate(self._page.corner[:2], 2 - len(self._page.corner[:2])):
            self._write(self._small, (GAP, top + 7 + at * LABEL_HEIGHT), line, LABEL_WIDTH - GAP, 1, _MUTED)
        place = 0
        for group, heads in itertools.groupby(self._page.columns, key=lambda head: head.group):
            count = len(list(heads))
            left, width = self._left(place), count * (self._side + GAP) - GAP
            if group:
                self._write(self._usual, (left, top + 5), group, width, 1, bold=True)
                self._draw.line((left, top + LABEL_HEIGHT - 1, left + width - 1, top + LABEL_HEIGHT - 1), fill=_LINE)
            place += count
        for at, head in enumerate(self._page.columns):
            self._write(self._usual, (self._left(at), top + LABEL_HEIGHT + 6), head.label, self._side, 1)

    def row_labels(self) -> None:
        last = None
        for at, head in enumerate(self._page.rows):
            y, room = self._top(at), self._side - 4
            if head.group and head.group != last:
                if at:
                    self._draw.line((GAP, y - GAP // 2, self.image.width - GAP, y - GAP // 2), fill=_LINE)
                most = max(1, room // self._usual.line_height // 2)
                used = self._write(self._usual, (GAP, y), head.group, LABEL_WIDTH - GAP, most, bold=True)
                y, room = y + used + 4, room - used - 4
            last = head.group
            most = room // self._usual.line_height
            self._write(self._usual, (GAP, y), head.label, LABEL_WIDTH - GAP, most)

    def tile(self, row: int, column: int) -> None:
        tile = self._page.tile_at(row, column)
        left, top, side = self._left(column), self._top(row), self._side
        picture = tile.picture(side) if tile.picture is not None else None
        if picture is None:
            self._words(tile, left, top)
        else:
            self._draw.rectangle((left, top, left + side - 1, top + side - 1), fill=_GROUND)
            x, y = left + (side - picture.width) // 2, top + (side - picture.height) // 2
            self.image.paste(picture, (x, y), picture if picture.mode == "RGBA" else None)
        if tile.mark:
            self._mark(tile, left, top)

    def _words(self, tile: Tile, left: int, top: int) -> None:
        side, room = self._side, self._side - 2 * _PAD
        self._draw.rectangle((left, top, left + side - 1, top + side - 1), fill=_GROUND, outline=_LINE)
        y = top + _PAD
        if tile.title:
            self._draw.ellipse((left + _PAD, y + 4, left + _PAD + 8, y + 12), fill=tile.colour)
            self._write(self._usual, (left + _PAD + 14, y), tile.title, room - 14, 1)
            y += self._usual.line_height + 4
        most = (top + side - _PAD - y) // self._small.line_height
        self._write(self._small, (left + _PAD, y), tile.text, room, most, _MUTED if tile.title else _TEXT)

    def _mark(self, tile: Tile, left: int, top: int) -> None:
        """Draw a triangle for a film, three bars for a sound, and how long it is."""
        width = _MARK_SIDE + (round(self._small.width(tile.note)) + 8 if tile.note else 0)
        x, y = left + 6, top + self._side - 6 - _MARK_SIDE
        self._draw.rounded_rectangle((x, y, x + width, y + _MARK_SIDE), 6, fill="#20242b")
        if tile.mark == "video":
            self._draw.polygon([(x + 9, y + 7), (x + 9, y + 19), (x + 19, y + 13)], fill=_PAPER)
        else:
            for at, height in enumerate((4, 7, 3)):
                self._draw.line((x + 8 + at * 5, y + 13 - height, x + 8 + at * 5, y + 13 + height), _PAPER, 2)
        if tile.note:
            self._small.draw(self._draw, (x + _MARK_SIDE, y + 6), tile.note, _PAPER)

    def _write(
        self,
        letters: Lettering,
        at: tuple[int, int],
        text: str,
        width: int,
        most: int,
        fill: str = _TEXT,
        *,
        bold: bool = False,
    ) -> int:
        """Write a text within so many pixels and lines, and return how high it is."""
        lines = letters.lines(text, width - (1 if bold else 0), most)
        for number, line in enumerate(lines):
            letters.draw(self._draw, (at[0], at[1] + number * letters.line_height), line, fill, bold=bold)
        return len(lines) * letters.line_height

    def _left(self, column: int) -> int:
        return LABEL_WIDTH + GAP + column * (self._side + GAP)

    def _top(self, row: int) -> int:
        return HEAD_HEIGHT + GAP + row * (self._side + GAP)
