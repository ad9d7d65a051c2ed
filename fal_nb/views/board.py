"""The sweep board: cells in, commands out. Cells travel as deltas, pictures in batches and only when asked for."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, ClassVar

from fal_nb.plain import plain_text
from fal_nb.states import OPEN_STATES
from fal_nb.views.answers import Answers
from fal_nb.views.board_look import (
    Axis,
    BoardSweep,
    CellArtifact,
    CellLook,
    Placement,
    SweepObserver,
    SweepTotals,
    placement,
)
from fal_nb.views.board_twin import BoardTwin, board_heading, board_text
from fal_nb.views.fitting import trim
from fal_nb.views.media import post_thumbnails, send_original
from fal_nb.views.twin import BlobPath
from fal_nb.views.view import View

__all__ = [
    "Axis",
    "BoardSweep",
    "BoardView",
    "CellArtifact",
    "CellLook",
    "Placement",
    "SweepObserver",
    "SweepTotals",
    "placement",
]

_LABEL_CHARS = 120
_REASON_CHARS = 160
_TEXT_CHARS = 160
_DIGEST_CHARS = 16
_BATCH_CELLS = 50
_ASKED_CELLS = 200
_DETAIL_CELLS = 8


class BoardView(View):
    """A sweep as it is seen in a cell.

    Parameters
    ----------
    blob_path
        Where the bytes of a digest are, for originals shown on demand.
    thumbnail
        Returns the WebP (at most 320 px and 9 kB) of a digest, or None; called in worker threads.
    """

    name: ClassVar[str] = "board"
    sends_deltas: ClassVar[bool] = True

    def __init__(self, sweep: BoardSweep, blob_path: BlobPath, thumbnail: Callable[[str], bytes | None]) -> None:
        super().__init__()
        self._sweep = sweep
        self._blob_path = blob_path
        self._thumbnail = thumbnail
        self._twin = BoardTwin(thumbnail)
        self._axes: Sequence[Axis] = ()
        self._shown_axes: list[dict[str, Any]] = []
        self._keys: list[str] = []
        self._places: dict[str, int] = {}
        self._scores: list[str] = []
        self._rows: dict[str, list[Any]] = {}
        self._answers = Answers("board")
        self._take(sweep.cells)
        self._at_rest = self._is_at_rest()
        sweep.observe(self._observe)

    @property
    def is_settled(self) -> bool:
        """Whether no cell is open."""
        counts = self._sweep.totals.counts
        return not any(counts.get(state) for state in OPEN_STATES)

    def close(self) -> None:
        """Stop following the sweep."""
        super().close()
        self._sweep.unobserve(self._observe)

    def state(self) -> dict[str, Any]:
        """Return what the page needs, without image bytes: one short row a cell, each under a key of its own."""
        sweep, totals = self._sweep, self._sweep.totals
        state: dict[str, Any] = {
            "view": self.id,
            "name": _cut(sweep.name),
            "endpoint": _cut(sweep.endpoint_text, 300),
            "backend": sweep.backend,
            "axes": self._axis_rows(),
            "scores": [_cut(score) for score in self._scores],
            "counts": {name: count for name, count in totals.counts.items() if count},
            "spent": _short(totals.spent),
            "reserved": _short(totals.reserved),
            "budget": totals.budget,
            "currency": totals.currency,
            "seconds_left": None if totals.seconds_left is None else round(totals.seconds_left),
            "is_paused": totals.is_paused,
            "is_at_rest": totals.is_at_rest,
            "count": len(self._keys),
        }
        return state | self._rows

    def _axis_rows(self) -> list[dict[str, Any]]:
        axes = self._sweep.axes
        if axes is not self._axes:  # thousands of labels are not worked out anew ten times a second
            self._axes = axes
            self._shown_axes = [
                {"name": _cut(axis.name), "labels": [_cut(label) for label in axis.labels]} for axis in axes
            ]
        return self._shown_axes

    def twin(self) -> str:
        """Return the board as static HTML of at most 300 kB."""
        return self._twin.html(self._sweep)

    def text(self) -> str:
        """Return the board as an aligned table, a line a cell."""
        return board_text(self._sweep)

    def heading(self) -> str:
        """Return its name, how many cells are where, and what was spent, in one line."""
        return board_heading(self._sweep)

    def receive(self, content: Mapping[str, Any]) -> None:
        """Take in a command or a request for pictures or arguments; anything else is ignored."""
        match content.get("kind"):
            case "pause" | "resume" | "cancel" | "retry" as command:
                getattr(self._sweep, command)()
            case "cancel-cell":
                for key in self._asked([content.get("cell")], 1):
                    self._sweep.cancel_cell(key)
            case "rate":
                self._rate(content)
            case "thumbnails":
                self._answers.start(self._send_thumbnails(self._asked(content.get("cells"), _ASKED_CELLS)))
            case "details":
                self._send_details(self._asked(content.get("cells"), _DETAIL_CELLS))
            case "media":
                self._send_original(content)
            case _:
                pass

    def _rate(self, content: Mapping[str, Any]) -> None:
        rating = content.get("rating")
        is_sound = rating is None or (isinstance(rating, int) and not isinstance(rating, bool) and 1 <= rating <= 5)
        for key in self._asked([content.get("cell")], 1):
            if is_sound:
                self._sweep.rate(key, rating)

    def _asked(self, places: object, most: int) -> list[str]:
        """Return the keys of the cells that the page means by these places."""
        if not isinstance(places, list):
            return []
        count = len(self._keys)
        sound = [each for each in places[:most] if isinstance(each, int) and not isinstance(each, bool)]
        return [self._keys[place] for place in sound if 0 <= place < count]

    # -- cells -------------------------------------------------------------------------------------------

    def _observe(self, changed: AbstractSet[str]) -> None:
        cells = self._sweep.cells
        self._take({key: cells[key] for key in changed if key in cells})
        was_at_rest, self._at_rest = self._at_rest, self._is_at_rest()
        self._changed()
        if self._at_rest and not was_at_rest:
            self._answers.start(self._settle())

    def _is_at_rest(self) -> bool:
        totals = self._sweep.totals
        is_under_way = any(totals.counts.get(state) for state in OPEN_STATES if state != "PREPARED")
        return not is_under_way and (totals.is_paused or totals.is_at_rest or not totals.counts.get("PREPARED"))

    async def _settle(self) -> None:
        """Bring the twin up to date; its small pictures are made in a worker thread first."""
        await asyncio.to_thread(self._twin.prepare, self._sweep)
        self._changed(settled=True)

    def _take(self, cells: Mapping[str, CellLook]) -> None:
        news = {name: None for look in cells.values() for name in look.scores if name not in self._scores}
        self._scores.extend(news)
        for key, look in cells.items():
            if key not in self._places:
                self._places[key] = len(self._keys)
                self._keys.append(key)
            self._rows[f"c{self._places[key]}"] = _row(look, self._scores)

    # -- messages ----------------------------------------------------------------------------------------

    async def _send_thumbnails(self, keys: Sequence[str]) -> None:
        """Answer with a few messages, each with the pictures of up to 50 cells one behind the other."""
        for at in range(0, len(keys), _BATCH_CELLS):
            batch = [look for key in keys[at : at + _BATCH_CELLS] if (look := self._sweep.cells.get(key))]
            pictures = await asyncio.to_thread(self._read_thumbnails, batch)
            post_thumbnails(pictures, self._post)

    def _read_thumbnails(self, looks: Sequence[CellLook]) -> list[tuple[int, str, bytes]]:
        found = []
        for look in looks:
            digest = look.artifact.digest if look.artifact else None
            data = self._thumbnail(digest) if digest else None
            found.append((self._places[look.key], (digest or "")[:_DIGEST_CHARS], data or b""))
        return found

    def _send_original(self, content: Mapping[str, Any]) -> None:
        place = content.get("index")
        for key in self._asked([place], 1):
            artifact = self._sweep.cells[key].artifact
            if content.get("which") != "original" or artifact is None:
                continue
            about = {
                "kind": "media",
                "which": "original",
                "index": place,
                "content_type": _cut(artifact.content_type, 60),
            }
            if artifact.digest is None or artifact.error is not None:
                # A picture that is too large to be looked into here would be unpacked by the browser.
                self._post({**about, "kind": "media-error", "error": _cut(artifact.error or "it was not stored")})
            else:
                self._answers.start(send_original(self._blob_path(artifact.digest), about, self._post))

    def _send_details(self, keys: Sequence[str]) -> None:
        for key in keys:
            look = self._sweep.cells[key]
            details = {
                "cell": self._places[key],
                "arguments": trim(look.arguments),
                "reason": _cut(look.reason, 2000),
                "request_id": _cut(look.request_id) or None,
                "text": _cut(look.artifact.text if look.artifact else None, 2000),
            }
            self._post({"kind": "details", **details})


def _row(look: CellLook, scores: Sequence[str]) -> list[Any]:
    """Return a cell as the page reads it (``CellRow`` in ``js/src/lib/board_messages.ts``), short."""
    row = [
        list(look.coordinates),
        look.state,
        None if look.progress is None else round(min(max(look.progress, 0.0), 1.0), 2),
        _short(look.cost),
        _short(look.estimate),
        None if look.total_s is None else round(look.total_s, 2),
        look.rating,
        1 if look.is_from_memo else 0,
        _score_row(look, scores),
        _artifact_row(look.artifact),
        look.artifact_count,
        look.record_id,
        _cut(look.reason, _REASON_CHARS),
    ]
    while row and not row[-1]:
        row.pop()
    return row


def _score_row(look: CellLook, scores: Sequence[str]) -> list[float | None]:
    if not look.scores:
        return []
    return [_short(look.scores.get(name)) for name in islice(scores, len(scores))]


def _artifact_row(artifact: CellArtifact | None) -> list[Any] | None:
    if artifact is None:
        return None
    return [
        artifact.kind,
        _cut(artifact.content_type, 60),
        (artifact.digest or "")[:_DIGEST_CHARS],
        artifact.width,
        artifact.height,
        None if artifact.duration_s is None else round(artifact.duration_s, 2),
        artifact.size_bytes,
        *([_cut(artifact.text, _TEXT_CHARS)] if artifact.text else []),
    ]


def _short(value: float | None) -> float | None:
    """Return a number with six digits that count; None for what JSON cannot hold."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")


def _cut(text: str | None, most: int = _LABEL_CHARS) -> str:
    """Return text fit to be shown, at most so many characters of it."""
    return plain_text(text or "", most)
