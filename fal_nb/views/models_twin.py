"""The catalogue as static HTML and as plain text: the first models, and how many more there are.

Inline styles only, as in ``twin.py``. Its invariant: at most 60 kB, and it says what it leaves out.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

from fal_nb.catalogue.model import Model
from fal_nb.plain import one_line, plain_text
from fal_nb.views.twin import escape

__all__ = ["TWIN_BYTES", "models_html", "models_text"]

TWIN_BYTES = 60_000
_MOST = 40
_TEXT_ROWS = 60
_PICTURES_BYTES = 30_000
_LINE = "rgba(128,128,128,.32)"
_FRAME = (
    f"border:1px solid {_LINE};border-radius:8px;padding:10px 14px;margin:2px 0;max-width:980px;"
    "box-sizing:border-box;font-size:13px;line-height:1.5;overflow-x:auto"
)
_QUIET = "opacity:.68"
_MONO = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px"
_CELL = f"padding:5px 14px 5px 0;border:none;border-top:1px solid {_LINE};text-align:left;vertical-align:top"
_TABLE = "border-collapse:collapse;border:none;margin:6px 0 0;font-size:12px;width:100%"
_PICTURE = "width:72px;height:54px;object-fit:cover;border-radius:4px;display:block;margin:0"

PictureOf = Callable[[Model], bytes | None]


def models_html(
    models: Sequence[Model],
    *,
    total: int | None = None,
    note: str = "",
    is_simulated: bool = False,
    picture_of: PictureOf = lambda _model: None,
) -> str:
    """Return the first models as static HTML.

    Parameters
    ----------
    total
        How many there are before the search; None where these are all.
    note
        What is to be said of where they come from.
    picture_of
        Returns a model's small picture as WebP, where it is here already.
    """
    head = (
        f'<div style="display:flex;justify-content:space-between;gap:4px 24px;flex-wrap:wrap">'
        f"<b>{escape(_count(len(models), total))}</b>"
        f'<span style="{_QUIET}">{"simulated" if is_simulated else ""}</span></div>'
    )
    said = f'<div style="{_QUIET};overflow-wrap:anywhere">{escape(note, 600)}</div>' if note else ""
    pictures = _pictures(models[:_MOST], picture_of)
    rows, room = [], TWIN_BYTES - _PICTURES_BYTES - 2_000
    for model in models[:_MOST]:
        row = _html_row(model)
        if len(row) > room:
            break
        room -= len(row)
        picture = f'<td style="{_CELL};width:72px">{pictures.get(model.endpoint, "")}</td>' if pictures else ""
        rows.append(f'<tr style="background:transparent">{picture}{row}</tr>')
    table = f'<table style="{_TABLE}">{"".join(rows)}</table>' if rows else ""
    left = len(models) - len(rows)
    more = f'<div style="margin-top:6px;{_QUIET}">and {left:,} more</div>' if left else ""
    return f'<div style="{_FRAME}">{head}{said}{table}{more}</div>'


def models_text(
    models: Sequence[Model], *, total: int | None = None, note: str = "", is_simulated: bool = False
) -> str:
    """Return the first models as an aligned table, a line each."""
    rows = [(model.endpoint, one_line(model.category, 24), _words(model)) for model in models[:_TEXT_ROWS]]
    widths = [min(52, max((len(row[at]) for row in rows), default=0)) for at in range(2)]
    lines = [_count(len(models), total) + (" (simulated)" if is_simulated else "")]
    if note:
        lines.append(one_line(note, 600))
    lines += [f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip() for row in rows]
    if len(models) > len(rows):
        lines.append(f"… and {len(models) - len(rows):,} more")
    return plain_text("\n".join(lines))


def _count(shown: int, total: int | None) -> str:
    if total is None or total == shown:
        return f"{shown:,} {'model' if shown == 1 else 'models'}"
    return f"{shown:,} of {total:,} models"


def _words(model: Model) -> str:
    """Return a model's name, what it is marked with, and what it does, in one line."""
    marks = [mark for mark in (*model.tags[:4], "deprecated" if model.status == "deprecated" else "") if mark]
    shown = f"{model.name} [{', '.join(marks)}]" if marks else model.name
    return one_line(" - ".join(filter(None, (shown, model.description))), 110)


def _html_row(model: Model) -> str:
    marks = list(model.tags[:5]) + ([model.status] if model.status not in {"", "active"} else [])
    badges = "".join(
        f' <span style="border:1px solid {_LINE};border-radius:9px;padding:0 6px;font-size:10px">{escape(mark, 40)}'
        "</span>"
        for mark in marks
    )
    name = f"<b>{escape(model.name, 120)}</b>{badges}"
    text = f'<div style="{_QUIET};overflow-wrap:anywhere">{escape(model.description, 240)}</div>'
    return (
        f'<td style="{_CELL}">{name}<div style="{_MONO};overflow-wrap:anywhere">{escape(model.endpoint)}</div>{text}'
        f'</td><td style="{_CELL};white-space:nowrap">{escape(model.category, 40)}</td>'
    )


def _pictures(models: Sequence[Model], picture_of: PictureOf) -> dict[str, str]:
    """Return endpoint → picture, as many as there is room for."""
    found: dict[str, str] = {}
    room = _PICTURES_BYTES
    for model in models:
        data = picture_of(model)
        if data is None:
            continue
        source = base64.b64encode(data).decode("ascii")
        if len(source) > room:
            break
        room -= len(source)
        found[model.endpoint] = f'<img src="data:image/webp;base64,{source}" alt="" style="{_PICTURE}">'
    return found
