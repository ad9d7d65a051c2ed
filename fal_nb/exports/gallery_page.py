"""A gallery as one HTML file: the live gallery over data in the page; it opens from disk and asks for nothing.

Everything that can be read is in it; small pictures and then originals are, while they fit. What does not fit is said
before anything is written, and in the page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fal_nb.exports.files import Staged, require_free
from fal_nb.exports.html import (
    DIGEST_CHARS,
    MB,
    Originals,
    block_size,
    bytes_block,
    data_block,
    head,
    tail,
    write_originals,
)
from fal_nb.exports.of_frame import frame_columns
from fal_nb.views.fitting import trim
from fal_nb.views.format import size as size_words
from fal_nb.views.gallery import GalleryView
from fal_nb.views.gallery_rows import cut, facet_rows, item_row, page_value

if TYPE_CHECKING:
    from fal_nb.exports.of_gallery import GallerySource
    from fal_nb.exports.progress import Progress

__all__ = ["write_gallery"]

_TEXT_CHARS = 20_000
_ALL_CHARS = 400_000
_AT_ONCE = 200
_BOUNDLESS_MB = 1e9
_WORDS_BYTES = 1_000
"""Kept for the words about what is left out, which are known last."""
_PLAYED = frozenset({"image", "video", "audio"})


def write_gallery(
    source: GallerySource,
    target: Path,
    *,
    overwrite: bool,
    progress: Progress,
    on_note: Callable[[str], None],
    max_mb: float,
) -> list[Path]:
    """Write the page and return where it is.

    Parameters
    ----------
    on_note
        Is told before anything is written what is left out.
    max_mb
        Most megabytes of the file; texts, arguments and the table are always in it.
    """
    if not overwrite:
        require_free([target])
    parts = _Parts(source, max_mb)
    for line in parts.notes:
        on_note(line)
    originals = parts.originals.chosen
    progress.begin(max(1, len(originals)), "originals into the page")
    with (
        Staged(overwrite=overwrite) as staged,
        staged.path_for(target).open("w", encoding="utf-8", errors="replace") as file,
    ):
        file.writelines(parts.before())
        write_originals(file, originals, progress.step)
        file.write(tail())
    return [target]


class _Parts:
    """What goes into the page, chosen by how much room there is."""

    def __init__(self, source: GallerySource, max_mb: float) -> None:
        self._source = source
        looks = source.outputs.looks(list(source.order))
        places = sorted(looks)
        self._outputs = source.outputs.subset(places)
        self._looks = [looks[place] for place in places]
        self._view = GalleryView(
            self._outputs, source.blob_path, source.frame_of, lambda *_: None, replace(source.query, with_hidden=True)
        )
        self._head = head("gallery", self._outputs.name, self._view.twin())
        self._state = self._first_state()
        self._data = list(self._blocks())
        fixed = [self._head, data_block("state", self._state), *self._data, tail()]
        room = (max_mb if math.isfinite(max_mb) else _BOUNDLESS_MB) * MB - _WORDS_BYTES
        room -= sum(len(block.encode("utf-8", "replace")) for block in fixed)
        self._is_data_too_large = room < 0
        self._small: dict[str, str] = {}
        self._without_small = 0
        self.originals = Originals(self._take_small(room))
        self._gone = 0
        self.originals.choose(self._files())
        self.notes = self._notes()

    def before(self) -> Iterator[str]:
        """Give the page up to its originals."""
        missing = " ".join(self._missing())
        yield self._head
        yield data_block("state", self._state | {"left_out": f"Not in this file: {missing}" if missing else ""})
        yield from self._data
        yield from self._small.values()

    def _first_state(self) -> dict[str, Any]:
        """Return how the page begins: all there is, in the gallery's order, nothing searched or chosen."""
        return self._view.state() | {
            "is_export": True,
            "matching": len(self._looks),
            "words": "",
            "filters": {},
            "facets": facet_rows(self._outputs.facets()),
            "left_out": "",
        }

    def _blocks(self) -> Iterator[str]:
        """Give the texts and numbers: tiles, calls, table."""
        rows = [[place, *item_row(look)] for place, look in enumerate(self._looks)]
        yield data_block("items", {"rows": rows, "ratios": [round(ratio, 3) for ratio in self._outputs.ratios]})
        yield data_block("calls", list(self._calls()))
        texts = {
            str(place): cut(look.artifact.text, _TEXT_CHARS)
            for place, look in enumerate(self._looks)
            if look.artifact.text
        }
        yield data_block("texts", texts)
        yield data_block("table", self._table())

    def _calls(self) -> Iterator[dict[str, Any]]:
        frame = self._source.frame_of(list(dict.fromkeys(look.record for look in self._looks)))
        facts = {
            int(row[0]): (row[1], row[2]) for row in zip(frame.index, frame["backend"], frame["sweep"], strict=True)
        }
        seen = set()
        for place, look in enumerate(self._looks):
            if look.record in seen:
                continue
            seen.add(look.record)
            backend, sweep = facts.get(look.record, ("", ""))
            yield {
                "record": look.record,
                "arguments": _short(dict(look.arguments)),
                "request_id": cut(look.request_id) or None,
                "note": cut(look.note, _TEXT_CHARS),
                "backend": page_value(backend) or "",
                "sweep": page_value(sweep) or "",
                "again": cut(self._outputs.code(place, "again").text, _TEXT_CHARS),
            }

    def _table(self) -> Mapping[str, Any]:
        """Return the rows whose calls are shown, as the page reads them."""
        table = frame_columns(self._source.calls() if self._source.table is None else self._source.table)
        shown = {look.record for look in self._looks}
        rows = [row for row in table if row.get("record") in shown]
        return {
            "columns": [cut(name, _TEXT_CHARS) for name in table.columns],
            "records": [row["record"] for row in rows],
            "rows": [[_short(value) for value in row.values()] for row in rows],
        }

    def _take_small(self, room: float) -> float:
        """Take small pictures while they fit, in the gallery's order; return what room is left."""
        places = range(len(self._looks))
        for at in range(0, len(places), _AT_ONCE):
            for digest, data in self._outputs.thumbnails(places[at : at + _AT_ONCE]).values():
                name = f"thumbnail-{digest[:DIGEST_CHARS]}"
                if name in self._small:
                    continue
                if block_size(len(data)) > room:
                    self._without_small += 1
                    continue
                self._small[name] = bytes_block(name, data)
                room -= block_size(len(data))
        return room

    def _files(self) -> Iterator[tuple[str, Path]]:
        seen = set()
        for look in self._looks:
            digest = look.artifact.digest
            if look.artifact.kind not in _PLAYED or look.artifact.error is not None or digest in seen:
                continue
            path = None if digest is None else self._source.blob_path(digest)
            if digest is None or path is None or not path.is_file():
                self._gone += 1
                continue
            seen.add(digest)
            yield digest, path

    def _missing(self) -> list[str]:
        """Return what is not in the page, a sentence each."""
        originals = self.originals
        said = []
        if originals.left:
            count = originals.left + len(originals.chosen)
            said.append(
                f"{originals.left:,} of {count:,} originals ({size_words(originals.left_bytes)}), for their size."
            )
        if self._without_small:
            count = self._without_small + len(self._small)
            said.append(f"{self._without_small:,} of {count:,} small pictures, for their size.")
        others = sum(look.artifact.kind not in {*_PLAYED, "text"} for look in self._looks)
        if others:
            said.append(f"{others:,} {_plural(others, 'file')} that a page does not show.")
        if self._gone:
            said.append(f"{self._gone:,} {_plural(self._gone, 'original')} that {_are(self._gone)} not in the store.")
        return said

    def _notes(self) -> list[str]:
        said = self._missing()
        notes = [f"Left out of the page: {' '.join(said)}"] if said else []
        if self.originals.left or self._without_small:
            notes[-1] += " A larger max_mb (--max-mb) takes more in."
        if self._is_data_too_large:
            notes.append(
                "The texts and arguments alone are larger than max_mb (--max-mb): they are in the page all the same."
            )
        return notes


def _short(value: Any) -> Any:
    """Return a value as it is, unless it holds a file as text or the like."""
    return trim(value, text_chars=_TEXT_CHARS, all_chars=_ALL_CHARS)


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
