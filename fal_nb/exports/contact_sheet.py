"""A sweep as a contact sheet: PNG pages with a tile for each combination, of the size its plan has announced."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fal_nb.errors import FileError
from fal_nb.exports.files import Staged, require_free
from fal_nb.exports.sheet_drawing import Head, SheetPage, Tile, draw_page
from fal_nb.plain import plain_text
from fal_nb.results import Result
from fal_nb.sweeps.arrange import Arrangement, Board, CellTable, default_arrangement, labels_of
from fal_nb.sweeps.sheet import TILE, Sheet, plan_sheet
from fal_nb.views.format import STATE_COLOURS, STATE_WORDS, seconds

if TYPE_CHECKING:
    from PIL import Image

    from fal_nb.artifacts import Artifact
    from fal_nb.exports.progress import Progress
    from fal_nb.sweeps.cell_view import CellView
    from fal_nb.sweeps.sweep import Sweep

__all__ = ["MOST_TILE", "SMALLEST_TILE", "write_sheet"]

SMALLEST_TILE, MOST_TILE = 64, 1024
_TEXT_CHARS = 600


def write_sheet(
    sweep: Sweep,
    target: Path,
    *,
    overwrite: bool,
    progress: Progress,
    tile: int = TILE,
    arrangement: Arrangement | None = None,
) -> list[Path]:
    """Write the pages and return where they are: the file itself, or ``-1``, ``-2`` … before its extension.

    Raises
    ------
    FileError
        Where a page is there already or cannot be written, or the tiles are too small or too large.
    """
    if not SMALLEST_TILE <= tile <= MOST_TILE:
        raise FileError(f"A tile of {tile} pixels cannot be drawn: give {SMALLEST_TILE} to {MOST_TILE}.")
    drawer = _Drawer(sweep, tile, arrangement)
    paths = _page_paths(target, drawer.sheet.pages)
    if not overwrite:
        require_free(paths)
    total = drawer.sheet.rows * drawer.sheet.columns * drawer.sheet.boards
    progress.begin(total, f"tiles on {len(paths):,} page{'s' if len(paths) > 1 else ''}")
    with Staged(overwrite=overwrite) as staged:
        for number, path in enumerate(paths):
            page = drawer.page(number, progress.step)
            page.save(staged.path_for(path), "PNG")
    return paths


class _Drawer:
    """Draws the pages of one sweep, one at a time."""

    def __init__(self, sweep: Sweep, tile: int, arrangement: Arrangement | None) -> None:
        self._sweep = sweep
        self._table = CellTable(sweep.cells)
        self._arrangement = arrangement or default_arrangement(self._table.dimensions)
        self.sheet: Sheet = plan_sheet(self._table.dimensions, self._arrangement, tile)

    def page(self, number: int, on_tile: Callable[[], None]) -> Image.Image:
        page = self.sheet.page(number)
        board = Board(self._table, self._arrangement, self._picked(page.picked))
        lines: dict[int, list[Tile]] = {}

        def tile_at(row: int, column: int) -> Tile:
            if row not in lines:  # of a line at a time it is known what its cells are
                lines.clear()
                places = board.line(page.rows[0] + row)[slice(*page.columns)]
                lines[row] = [
                    Tile(title="not in the plan", text=place.reason) if place.key is None else self._tile(place.key)
                    for place in places
                ]
            return lines[row][column]

        content = SheetPage(
            title=self._sweep.name,
            words=self._words(number, board),
            corner=self._corner(),
            rows=_heads(board.labels("rows"), self._groups(board, "super_rows"), page.rows),
            columns=_heads(board.labels("columns"), self._groups(board, "super_columns"), page.columns),
            tile_at=tile_at,
        )
        return draw_page(content, (page.width, page.height), self.sheet.tile, on_tile)

    def _picked(self, number: int) -> dict[str, int]:
        sizes = {one.name: len(one) for one in self._table.dimensions}
        picked = {}
        for name in reversed(self._arrangement.pickers):
            number, picked[name] = divmod(number, sizes[name])
        return picked

    def _words(self, number: int, board: Board) -> str:
        """Return the line under the title: the page, what is the same all over it, endpoints, counts, the backend."""
        parts = [f"page {number + 1} of {self.sheet.pages}"] if self.sheet.pages > 1 else []
        parts += [f"{name}: {self._point(name, at)}" for name, at in board.picked.items()]
        parts += [", ".join(self._sweep.plan.endpoints)]
        parts += [f"{len(self._sweep):,} cells"]
        parts += ["simulated"] if self._sweep.session.settings.backend == "simulator" else []
        return " · ".join(parts)

    def _point(self, name: str, at: int) -> str:
        return labels_of(next(one for one in self._table.dimensions if one.name == name))[at]

    def _corner(self) -> list[str]:
        rows, columns = self._arrangement.rows, self._arrangement.columns
        named = (("across", columns), ("down", rows))
        return [f"{where}: {name}" for where, name in named if name is not None]

    def _groups(self, board: Board, role: Literal["super_rows", "super_columns"]) -> list[str]:
        name = getattr(self._arrangement, role)
        return [""] if name is None else [f"{name}: {label}" for label in board.labels(role)]

    def _tile(self, key: str) -> Tile:
        view = self._sweep[key]
        file = view.artifacts[0] if view.artifacts else None
        text = text_of(view)
        if view.state == "SUCCEEDED" and text is not None:
            return Tile(text=text[:_TEXT_CHARS])
        if view.state != "SUCCEEDED" or file is None:
            return _state_tile(view)
        mark = file.kind if file.kind in {"video", "audio"} else ""
        return Tile(
            picture=lambda side: self._picture(file, side),
            title="no picture of it",
            text=f"{file.file_name} {file.error or ''}",
            mark=mark,
            note=seconds(file.duration_s) if mark else "",
        )

    def _picture(self, file: Artifact, side: int) -> Image.Image | None:
        """Return the original scaled down, else its thumbnail; None where there is neither."""
        from fal_nb.artifacts.thumbnails import PICTURE_TYPES, scaled_picture  # noqa: PLC0415 - loads Pillow's readers

        tries: list[tuple[Path | None, str]] = [(None, "image/webp")]
        store = self._sweep.session.artifacts
        if file.digest is not None and file.content_type in PICTURE_TYPES and file.error is None:
            tries.insert(0, (store.path(file.digest), file.content_type))
        for path, content_type in tries:
            with contextlib.suppress(Exception):  # decoders raise anything for hostile files; the words stay then
                if path is not None:
                    picture = scaled_picture(path, content_type, side)[1]
                else:
                    picture = _of_thumbnail(file.thumbnail, side)
                if picture is not None:
                    return picture
        return None


def text_of(view: CellView) -> str | None:
    """Return the text that a cell's result is or begins with; None where it is a file of another kind."""
    if view.artifacts:
        return view.artifacts[0].text
    return Result(view.result).text


def _of_thumbnail(data: bytes | None, side: int) -> Image.Image | None:
    from PIL import Image  # noqa: PLC0415 - only where a picture is drawn

    if data is None:
        return None
    with Image.open(io.BytesIO(data), formats=["WEBP"]) as picture:
        picture.thumbnail((side, side))
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _state_tile(view: CellView) -> Tile:
    words = "waiting" if view.state == "PREPARED" else STATE_WORDS[view.state]
    if view.state == "SUCCEEDED":
        return Tile(title=words, text="its result has no file", colour=STATE_COLOURS[view.state])
    return Tile(title=words, text=plain_text(view.reason, _TEXT_CHARS), colour=STATE_COLOURS[view.state])


def _heads(labels: list[str], groups: list[str], span: tuple[int, int]) -> list[Head]:
    """Return the labels of some rows or columns, counted through all groups."""
    return [Head(labels[at % len(labels)], groups[at // len(labels)]) for at in range(*span)]


def _page_paths(target: Path, pages: int) -> list[Path]:
    if pages == 1:
        return [target]
    return [target.with_name(f"{target.stem}-{number}{target.suffix}") for number in range(1, pages + 1)]
