"""A sweep as one HTML file: its live board over data in the page, which opens from disk and never asks for anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.exports.files import Staged, require_free
from fal_nb.exports.html import DIGEST_CHARS, MB, Originals, bytes_block, data_block, head, tail, write_originals
from fal_nb.views.format import size as size_words

if TYPE_CHECKING:
    from fal_nb.exports.progress import Progress
    from fal_nb.sweeps.sweep import Sweep
    from fal_nb.views.board_look import CellArtifact
    from fal_nb.views.view import View

__all__ = ["MOST_MB", "write_page"]

MOST_MB = 64.0
_DETAIL_CELLS = 8


def write_page(
    sweep: Sweep,
    target: Path,
    *,
    overwrite: bool,
    progress: Progress,
    on_note: Callable[[str], None],
    max_mb: float = MOST_MB,
) -> list[Path]:
    """Write the page and return where it is.

    Parameters
    ----------
    on_note
        Is told before anything is written how many originals are left out for their size.
    max_mb
        Most megabytes of the file; small pictures, texts and arguments are always in it, originals while they fit.
    """
    from fal_nb.shown_sweep import ShownSweep  # noqa: PLC0415 - loaded with the first board
    from fal_nb.views.board import BoardView  # noqa: PLC0415

    if not overwrite:
        require_free([target])
    session = sweep.session
    shown = ShownSweep(sweep)
    view = BoardView(shown, session.artifacts.path, session.history.thumbnail)
    try:
        files = {look.artifact.digest: look.artifact for look in shown.cells.values() if look.artifact is not None}
        known = {digest: file for digest, file in files.items() if digest is not None}
        before, behind = _before(sweep, view, known), tail()
        originals = Originals(max_mb * MB - len(before.encode("utf-8", "replace")) - len(behind))
        originals.choose((digest, session.artifacts.path(digest)) for digest, file in known.items() if _is_shown(file))
        if originals.left:
            count = originals.left + len(originals.chosen)
            on_note(
                f"Left out for size: {originals.left:,} of {count:,} originals ({size_words(originals.left_bytes)}); "
                "their small pictures are in the page. A larger max_mb (--max-mb) takes them in."
            )
        progress.begin(max(1, len(originals.chosen)), "originals into the page")
        with (
            Staged(overwrite=overwrite) as staged,
            staged.path_for(target).open("w", encoding="utf-8", errors="replace") as file,
        ):
            file.write(before)
            write_originals(file, originals.chosen, progress.step)
            file.write(behind)
    finally:
        view.close()
        shown.close()
    return [target]


def _before(sweep: Sweep, view: View, files: Mapping[str, CellArtifact]) -> str:
    """Return the page up to its originals."""
    return "".join([
        head("board", sweep.name, view.twin()),
        data_block("state", view.state() | {"is_export": True}),
        *(data_block(f"details-{each['cell']}", each) for each in _details(view, len(sweep))),
        *_thumbnails(sweep, files),
    ])  # fmt: skip


def _thumbnails(sweep: Sweep, files: Mapping[str, CellArtifact]) -> Iterator[str]:
    for digest in files:
        data = sweep.session.history.thumbnail(digest)
        if data is not None:
            yield bytes_block(f"thumbnail-{digest[:DIGEST_CHARS]}", data)


def _is_shown(file: CellArtifact) -> bool:
    return file.kind in {"image", "video", "audio"} and file.error is None


class _Collector:
    """An outlet that keeps what a view posts."""

    def __init__(self) -> None:
        self.posted: list[Mapping[str, Any]] = []

    def changed(self, view: View, *, settled: bool) -> None:
        """Nobody looks at the view."""

    def post(self, _view: View, content: Mapping[str, Any], _buffer: bytes | None) -> None:
        """Keep a message."""
        self.posted.append(content)

    def frame(self, view: View, content: Mapping[str, Any], buffer: bytes) -> None:
        """Nobody looks at the view."""

    def widget(self, view: View) -> Any:
        """There is none."""
        raise NotImplementedError


def _details(view: View, count: int) -> list[Mapping[str, Any]]:
    """Return what the board would be told of each cell's arguments."""
    collector = view.outlet = _Collector()
    for at in range(0, count, _DETAIL_CELLS):
        view.receive({"kind": "details", "cells": list(range(at, min(count, at + _DETAIL_CELLS)))})
    return collector.posted
