"""What every exported page is made of: a head whose policy lets nothing out, data no tag can end, bytes as base64.

The policy forbids every request and every script but the one the page was written with. Texts stand in the page as JSON
in elements that a browser never runs, and reach what is seen as text only.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, TextIO

from fal_nb.exports.tables import json_text
from fal_nb.plain import one_line
from fal_nb.views.view import bundle_text

__all__ = [
    "DIGEST_CHARS",
    "MB",
    "Originals",
    "block_size",
    "bytes_block",
    "data_block",
    "head",
    "tail",
    "write_originals",
]

MB = 1_000_000
DIGEST_CHARS = 16
_BASE64 = 4 / 3
_AROUND = 80
_CHUNK = 3 * 256 * 1024
"""A multiple of three bytes, so that pieces of base64 can be put one behind the other."""
_STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;padding:16px;background:Canvas;color:CanvasText;"
    "font-family:system-ui,-apple-system,'Segoe UI',sans-serif}"
)
_NEEDS_SCRIPT = "Searching, comparing and the large pictures need JavaScript, which is switched off here."


def head(view: str, title: str, twin: str) -> str:
    """Return the page up to its data; `twin` is ours, and what is seen without JavaScript."""
    digest = base64.b64encode(hashlib.sha256(_script().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src blob: data:; "
        "media-src blob:; base-uri 'none'; form-action 'none'"
    )
    return "".join([
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        '<meta name="referrer" content="no-referrer">\n',
        f"<title>{escape(one_line(title, 200))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n",
        f"<noscript><p>{_NEEDS_SCRIPT}</p></noscript>\n",
        f'<main data-fal-nb="{view}">{twin}</main>\n',
    ])  # fmt: skip


def tail() -> str:
    """Return what comes behind the data: the script."""
    return f'<script type="module">{_script()}</script>\n</body>\n</html>\n'


def data_block(name: str, value: Any) -> str:
    """Return a block of data; ``<`` is written so that nothing in it can end it or begin a comment."""
    text = json_text(value).replace("<", "\\u003c").encode("utf-8", "replace").decode()
    return f'<script type="application/json" data-fal-nb="{name}">{text}</script>\n'


def bytes_block(name: str, data: bytes) -> str:
    """Return a block of bytes."""
    return f'<script type="text/plain" data-fal-nb="{name}">{base64.b64encode(data).decode()}</script>\n'


def block_size(size_bytes: int) -> float:
    """Return how many bytes of the page a file takes."""
    return size_bytes * _BASE64 + _AROUND


@dataclass
class Originals:
    """The files that go into a page whole, in the order in which they are wanted, while there is room for them.

    Attributes
    ----------
    chosen
        Digest and path of each.
    left, left_bytes
        How many have no room, and how large they are together.
    """

    room: float
    chosen: list[tuple[str, Path]] = field(default_factory=list)
    left: int = 0
    left_bytes: int = 0

    def choose(self, files: Iterable[tuple[str, Path]]) -> None:
        """Take in what fits; a file that is gone from the store is neither taken nor counted."""
        for digest, path in files:
            try:
                size_bytes = path.stat().st_size
            except OSError:
                continue
            if block_size(size_bytes) <= self.room:
                self.room -= block_size(size_bytes)
                self.chosen.append((digest, path))
            else:
                self.left += 1
                self.left_bytes += size_bytes


def write_originals(file: TextIO, originals: Sequence[tuple[str, Path]], step: Callable[[], None]) -> None:
    """Write files as blocks, a piece at a time; `step` is called after each."""
    for digest, path in originals:
        file.write(f'<script type="text/plain" data-fal-nb="original-{digest[:DIGEST_CHARS]}">')
        with contextlib.closing(path.open("rb")) as source:
            while piece := source.read(_CHUNK):
                file.write(base64.b64encode(piece).decode())
        file.write("</script>\n")
        step()


def _script() -> str:
    return bundle_text("page").replace("</script", "<\\/script")
