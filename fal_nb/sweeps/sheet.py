"""How large a contact sheet gets, and on how many pages: worked out before a sweep is run, not after.

Limits: Pillow warns of pictures over 89,478,485 pixels as of bombs, WebP ends at 16,383 pixels a side, and viewers
struggle well before; a page stays under all of them. Source: Pillow ``Image.MAX_IMAGE_PIXELS``, WebP container spec.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fal_nb.sweeps.arrange import Arrangement
from fal_nb.sweeps.plan import Dimension

__all__ = [
    "GAP", "HEAD_HEIGHT", "LABEL_HEIGHT", "LABEL_WIDTH", "TITLE_HEIGHT", "Page", "Sheet", "plan_sheet",
]  # fmt: skip

TILE = 256
GAP = 8
TITLE_HEIGHT = 64
LABEL_WIDTH = 160
LABEL_HEIGHT = 28
LEAST_WIDTH = 640
"""So that a title has room."""
HEAD_HEIGHT = TITLE_HEIGHT + 2 * LABEL_HEIGHT
"""Above the tiles: two lines about the sweep, the labels of super-columns, those of columns."""
MOST_SIDE = 16_383
MOST_PIXELS = 32_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes
    ----------
    width, height
        In pixels, labels included.
    rows, columns
        (first, last + 1) of the board's, counted through all super-rows and super-columns.
    picked
        Which combination of the pickers it shows, from 0, the last picker fastest.
    """

    width: int
    height: int
    rows: tuple[int, int]
    columns: tuple[int, int]
    picked: int


@dataclass(frozen=True)
class Sheet:
    """A contact sheet: all tiles of one size, labels above and to the left of every page."""

    tile: int
    pages: int
    width: int
    height: int
    rows_a_page: int
    columns_a_page: int
    rows: int
    columns: int
    boards: int

    def page(self, number: int) -> Page:
        """Return a page, from 0: along the columns first, then down the rows, then through the pickers.

        Raises
        ------
        IndexError
            Where there is none.
        """
        if not 0 <= number < self.pages:
            raise IndexError(f"there is no page {number}")
        across = math.ceil(self.columns / self.columns_a_page)
        down = math.ceil(self.rows / self.rows_a_page)
        board, inner = divmod(number, across * down)
        at_row, at_column = divmod(inner, across)
        rows = (at_row * self.rows_a_page, min(self.rows, (at_row + 1) * self.rows_a_page))
        columns = (at_column * self.columns_a_page, min(self.columns, (at_column + 1) * self.columns_a_page))
        width, height = _extent(self.tile, rows[1] - rows[0], columns[1] - columns[0])
        return Page(width, height, rows, columns, board)

    def __str__(self) -> str:
        pages = f"{self.pages:,} pages of up to" if self.pages > 1 else "1 page of"
        return f"{pages} {self.width} × {self.height} pixels, tiles of {self.tile}"


def plan_sheet(dimensions: Sequence[Dimension], arrangement: Arrangement, tile: int = TILE) -> Sheet:
    """Return the contact sheet of a board; its pages stay within what picture formats and viewers take.

    Parameters
    ----------
    tile
        Side of the square that a picture is fitted into, in pixels.
    """
    sizes = {one.name: len(one) for one in dimensions}
    rows = _count(sizes, arrangement.rows) * _count(sizes, arrangement.super_rows)
    columns = _count(sizes, arrangement.columns) * _count(sizes, arrangement.super_columns)
    boards = math.prod(sizes[name] for name in arrangement.pickers)
    columns_a_page = min(columns, _fitting(tile, MOST_SIDE - LABEL_WIDTH))
    width, _ = _extent(tile, 1, columns_a_page)
    rows_a_page = min(rows, _fitting(tile, min(MOST_SIDE, MOST_PIXELS // width) - HEAD_HEIGHT))
    width, height = _extent(tile, rows_a_page, columns_a_page)
    pages = math.ceil(rows / rows_a_page) * math.ceil(columns / columns_a_page) * boards
    return Sheet(tile, pages, width, height, rows_a_page, columns_a_page, rows, columns, boards)


def _count(sizes: dict[str, int], name: str | None) -> int:
    return 1 if name is None else sizes[name]


def _fitting(tile: int, pixels: int) -> int:
    return max(1, (pixels - GAP) // (tile + GAP))


def _extent(tile: int, rows: int, columns: int) -> tuple[int, int]:
    """Return (width, height) of a page: title and two lines of labels above, one column of labels to the left."""
    return (max(LEAST_WIDTH, LABEL_WIDTH + GAP + columns * (tile + GAP)), HEAD_HEIGHT + GAP + rows * (tile + GAP))
