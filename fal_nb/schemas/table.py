"""Small tables as text and as HTML with inline styles, which is all that a stranger's notebook keeps."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from fal_nb.plain import one_line

__all__ = ["html_table", "text_table"]

_WIDEST = 44
_MOST_CHARS = 2_000
_MOST_ROWS = 300
"""Shown; no endpoint of fal has so many inputs."""
_CELL = "padding:2px 12px 2px 0;text-align:left;vertical-align:top"
_LAST = f"{_CELL};min-width:15em"
"""Of more than two columns: a narrow window scrolls the table and does not stack its sentences word on word."""


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under their columns, each cell cut to 44 characters, the last column as it is."""
    last = len(columns) - 1
    shown, rest = _shown(rows)
    cut = [
        [one_line(cell, _MOST_CHARS) if at == last else _cut(cell) for at, cell in enumerate(row)]
        for row in (columns, *shown)
    ]
    widths = [max(len(row[at]) for row in cut) for at in range(len(columns))]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in cut)
    lines = ["  ".join(row).rstrip() for row in padded]
    return "\n".join([*lines, rest] if rest else lines)


def _shown(rows: Sequence[Sequence[str]]) -> tuple[Sequence[Sequence[str]], str]:
    """Return the rows that are shown, and words about the rest."""
    left = len(rows) - _MOST_ROWS
    return rows[:_MOST_ROWS], f"… and {left} more" if left > 0 else ""


def html_table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the same as HTML; every text is escaped."""
    head = "".join(f'<th style="{_CELL};font-weight:600">{escape(column)}</th>' for column in columns)
    shown, rest = _shown(rows)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in shown)
    style = "border-collapse:collapse;font-size:13px;line-height:1.4"
    line = "" if " " in caption else ";white-space:nowrap"
    title = f'<caption style="text-align:left;font-weight:600;padding-bottom:4px{line}">{escape(caption)}</caption>'
    return f'<table style="{style}">{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}'


def _cells(row: Sequence[str]) -> str:
    styles = [_CELL] * (len(row) - 1) + [_LAST if len(row) > 2 else _CELL]
    return "".join(
        f'<td style="{style}">{escape(one_line(cell, _MOST_CHARS))}</td>'
        for style, cell in zip(styles, row, strict=True)
    )


def _cut(cell: str) -> str:
    cell = one_line(cell, _MOST_CHARS)
    return cell if len(cell) <= _WIDEST else cell[: _WIDEST - 1] + "…"
