"""A sweep as one HTML file: its live board over data in the page, which opens from disk and never asks for anything.

The page's policy forbids every request and every script but the one it was written with. Texts stand in it as JSON in
which no tag can end, and reach the page as text only.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from fal_nb.exports.files import Staged, require_free
from fal_nb.exports.tables import json_text
from fal_nb.plain import one_line
from fal_nb.views.format import size as size_words
from fal_nb.views.view import bundle_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from fal_nb.exports.progress import Progress
    from fal_nb.sweeps.sweep import Sweep
    from fal_nb.views.board_look import CellArtifact
    from fal_nb.views.view import View

__all__ = ["MOST_MB", "write_page"]

MOST_MB = 64.0
_MB = 1_000_000
_DIGEST_CHARS = 16
_DETAIL_CELLS = 8
_CHUNK = 3 * 256 * 1024
"""A multiple of three bytes, so that pieces of base64 can be put one behind the other."""
_STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;padding:16px;background:Canvas;color:CanvasText;"
    "font-family:system-ui,-apple-system,'Segoe UI',sans-serif}"
)


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
        parts = _Parts(sweep, view, {digest: file for digest, file in files.items() if digest is not None})
        originals = parts.choose_originals(max_mb * _MB, on_note)
        progress.begin(max(1, len(originals)), "originals into the page")
        with (
            Staged(overwrite=overwrite) as staged,
            staged.path_for(target).open("w", encoding="utf-8", errors="replace") as file,
        ):
            file.write(parts.head)
            for digest, path in originals:
                _write_base64(file, f"original-{digest[:_DIGEST_CHARS]}", path)
                progress.step()
            file.write(parts.tail)
    finally:
        view.close()
        shown.close()
    return [target]


class _Parts:
    """The page in parts: what comes before the originals and what comes behind them."""

    def __init__(self, sweep: Sweep, view: View, files: Mapping[str, CellArtifact]) -> None:
        self._sweep = sweep
        self._files = files
        script = bundle_text("page").replace("</script", "<\\/script")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src blob: data:; "
            "media-src blob:; base-uri 'none'; form-action 'none'"
        )
        self.head = "".join([
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="referrer" content="no-referrer">\n',
            f"<title>{escape(one_line(sweep.name, 200))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n",
            f'<main data-fal-nb="board">{view.twin()}</main>\n',
            _data("state", view.state() | {"is_export": True}),
            *(_data(f"details-{each['cell']}", each) for each in _details(view, len(sweep))),
            *self._thumbnails(),
        ])  # fmt: skip
        self.tail = f'<script type="module">{script}</script>\n</body>\n</html>\n'

    def choose_originals(self, room: float, on_note: Callable[[str], None]) -> list[tuple[str, Path]]:
        """Return (digest, path) of the originals that fit, in the order of the plan, and say what does not."""
        room -= len(self.head.encode("utf-8", "replace")) + len(self.tail)
        chosen, left, left_bytes = [], 0, 0
        for digest, file in self._files.items():
            path = self._sweep.session.artifacts.path(digest)
            if file.kind not in {"image", "video", "audio"} or file.error is not None or not path.is_file():
                continue
            length = path.stat().st_size * 4 / 3 + 80
            if length <= room:
                room -= length
                chosen.append((digest, path))
            else:
                left, left_bytes = left + 1, left_bytes + path.stat().st_size
        if left:
            on_note(
                f"Left out for size: {left:,} of {left + len(chosen):,} originals ({size_words(left_bytes)}); their "
                "small pictures are in the page. A larger max_mb (--max-mb) takes them in."
            )
        return chosen

    def _thumbnails(self) -> Iterator[str]:
        for digest in self._files:
            data = self._sweep.session.history.thumbnail(digest)
            if data is not None:
                name = f"thumbnail-{digest[:_DIGEST_CHARS]}"
                yield f'<script type="text/plain" data-fal-nb="{name}">{base64.b64encode(data).decode()}</script>\n'


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


def _data(name: str, value: Any) -> str:
    """Return a block of data; ``<`` is written so that nothing in it can end it or begin a comment."""
    text = json_text(value).replace("<", "\\u003c").encode("utf-8", "replace").decode()
    return f'<script type="application/json" data-fal-nb="{name}">{text}</script>\n'


def _write_base64(file: TextIO, name: str, path: Path) -> None:
    file.write(f'<script type="text/plain" data-fal-nb="{name}">')
    with contextlib.closing(path.open("rb")) as source:
        while piece := source.read(_CHUNK):
            file.write(base64.b64encode(piece).decode())
    file.write("</script>\n")
