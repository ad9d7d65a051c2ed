"""What stands for a call's output in a cell of a table: picture, poster or waveform, text, or why there is none."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from fal_nb.plain import one_line
from fal_nb.views.format import STATE_WORDS, seconds
from fal_nb.views.twin import result_text

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.engine.session import Session
    from fal_nb.ledger.records import Record

__all__ = ["pictures_html"]

_PX = 96
_WORDS_PX = 220
_TEXT_CHARS = 200
_MARKS = {"video": "▶", "audio": "♪"}
_QUIET = "font-size:11px;opacity:.75"


def pictures_html(session: Session, ids: Sequence[int | None]) -> list[str]:
    """Return a cell's HTML for each record: its first output that can be seen, everything in it escaped."""
    wanted = [number for number in ids if number is not None]
    records = session.history.get_many(wanted)
    files = session.history.artifacts_of(records)
    cells = {number: _cell(session, record, files.get(number, ())) for number, record in records.items()}
    return ["–" if number is None else cells.get(number, _words("not in this history")) for number in ids]


def _cell(session: Session, record: Record, files: Sequence[Artifact]) -> str:
    seen = next((file for file in files if file.thumbnail), None)
    if seen is not None:
        return _picture(record, seen) + _caption(_facts(session, seen, len(files)))
    file = next(iter(files), None)
    if file is not None and file.error is not None:
        return _words(f"{file.kind}: {file.error}")
    if file is not None and file.text is None:
        return _words(f"{file.kind}: {file.file_name}") + _caption(_facts(session, file, len(files)))
    text = result_text(record.result) if file is None else file.text
    if text:
        return _words(text)
    if record.state == "SUCCEEDED":
        return "–"
    return _words(": ".join(filter(None, (STATE_WORDS[record.state], record.error))))


def _picture(record: Record, file: Artifact) -> str:
    source = base64.b64encode(file.thumbnail or b"").decode("ascii")
    about = escape(
        one_line(f"{file.kind} of #{record.id}: {record.prompt or record.endpoint}", _TEXT_CHARS), quote=True
    )
    style = f"max-width:{_PX}px;max-height:{_PX}px;display:block;margin:0"
    return f'<img src="data:image/webp;base64,{source}" alt="{about}" style="{style}">'


def _facts(session: Session, file: Artifact, count: int) -> list[str]:
    """Return what a small picture does not show: that it plays, that there are more, that the file itself is gone."""
    mark = _MARKS.get(file.kind, "")
    length = seconds(file.duration_s) if mark else ""
    is_gone = file.digest is None or not session.artifacts.path(file.digest).exists()
    more = f"1 of {count}" if count > 1 else ""
    return list(filter(None, (f"{mark} {length}".strip(), more, "file not here" if is_gone else "")))


def _caption(facts: Sequence[str]) -> str:
    return f'<div style="{_QUIET}">{escape(" · ".join(facts))}</div>' if facts else ""


def _words(text: str) -> str:
    words = escape(one_line(text, _TEXT_CHARS))
    return f'<div style="max-width:{_WORDS_PX}px;white-space:normal;overflow-wrap:anywhere">{words}</div>'
