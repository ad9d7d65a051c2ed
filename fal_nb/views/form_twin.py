"""The static twin of a form and its plain text: the inputs as a table, the cell to copy, the cards of what it ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape as escape_html

from fal_nb.forms.fields import FormField
from fal_nb.plain import one_line, plain_text
from fal_nb.protocol.status import JSON
from fal_nb.schemas.table import text_table
from fal_nb.schemas.types import Missing
from fal_nb.schemas.words import show_value
from fal_nb.views.form_look import FormLook

__all__ = ["form_text", "form_twin"]

_MOST_ROWS = 120
_MOST_PROBLEMS = 20
_WORDS_CHARS = 160
_NAME_CHARS = 40
_LINE_CHARS = 400
_CELL_CHARS = 8_000
_LINE = "rgba(128,128,128,.32)"
_FRAME = (
    f"border:1px solid {_LINE};border-radius:8px;padding:10px 14px;margin:2px 0;max-width:760px;"
    "box-sizing:border-box;font-size:13px;line-height:1.5"
)
_QUIET = "opacity:.68"
_TABLE = "border-collapse:collapse;border:none;margin:8px 0 0;width:100%;font-size:12px"
_ROW = "background:transparent"
_HEAD = f"padding:2px 12px 2px 0;border:none;border-bottom:1px solid {_LINE};text-align:left;font-weight:600"
_CELL = "padding:3px 12px 3px 0;border:none;text-align:left;vertical-align:top;overflow-wrap:anywhere"
_MONO = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px"
_CODE = (
    f"{_MONO};white-space:pre-wrap;overflow-wrap:anywhere;margin-top:10px;padding:6px 10px;border-radius:5px;"
    "background:rgba(128,128,128,.1)"
)
_COLUMNS = ("input", "type", "default", "range or choices", "filled in")


def form_twin(
    endpoint: str,
    fields: Sequence[FormField],
    values: Mapping[str, JSON],
    look: FormLook | None,
    cards: Iterable[str],
) -> str:
    """Return the form as static HTML.

    Parameters
    ----------
    look
        What the values come to; None before anybody has looked.
    cards
        HTML of the cards of what it ran.
    """
    rows = "".join(_row(row) for row in _rows(fields, values))
    head = "".join(f'<th style="{_HEAD}">{column}</th>' for column in _COLUMNS)
    left = len(fields) - _MOST_ROWS
    more = f'<div style="{_QUIET}">and {left} more inputs</div>' if left > 0 else ""
    table = f'<table style="{_TABLE}"><thead><tr style="{_ROW}">{head}</tr></thead><tbody>{rows}</tbody></table>{more}'
    price = f' <span style="{_QUIET}">· {_escape(look.price)}</span>' if look and look.price else ""
    title = f'<div><b>{_escape(endpoint)}</b> <span style="{_QUIET}">· form</span>{price}</div>'
    return f'<div style="{_FRAME}">{title}{table}{_below(look)}</div>{"".join(cards)}'


def form_text(
    endpoint: str,
    fields: Sequence[FormField],
    values: Mapping[str, JSON],
    look: FormLook | None,
    cards: Iterable[str],
) -> str:
    """Return the same as plain text."""
    shown = [[name + (" *" if is_required else ""), *rest] for name, is_required, *rest in _rows(fields, values)]
    parts = [f"{endpoint}  form", text_table(_COLUMNS, shown)]
    if look is not None:
        parts += [one_line(line, _LINE_CHARS) for line in (look.price, *_wrong(look)) if line]
        parts += [f"The same as a cell:\n{_cell(look)}"] if _is_callable(look) else []
    return plain_text("\n".join([*parts, *cards]))


def _rows(fields: Sequence[FormField], values: Mapping[str, JSON]) -> list[tuple[str, bool, str, str, str, str]]:
    return [
        (
            one_line(field.name, _NAME_CHARS),
            field.required,
            one_line(field.type_words, _WORDS_CHARS),
            "" if isinstance(field.default, Missing) else show_value(field.default),
            one_line(field.limits, _WORDS_CHARS),
            show_value(values[field.name]) if field.name in values else "",
        )
        for field in fields[:_MOST_ROWS]
    ]


def _row(row: tuple[str, bool, str, str, str, str]) -> str:
    name, is_required, *rest = row
    mark = f' <span style="{_QUIET}">required</span>' if is_required else ""
    first = f'<td style="{_CELL};{_MONO};white-space:nowrap">{_escape(name)}{mark}</td>'
    return (
        f'<tr style="{_ROW}">{first}' + "".join(f'<td style="{_CELL}">{_escape(cell)}</td>' for cell in rest) + "</tr>"
    )


def _below(look: FormLook | None) -> str:
    if look is None:
        return ""
    problems = "".join(f'<div style="margin-top:6px">{_escape(line)}</div>' for line in _wrong(look))
    cell = f'<div style="{_CODE}">{escape_html(_cell(look), quote=False)}</div>' if _is_callable(look) else ""
    return problems + cell


def _wrong(look: FormLook) -> list[str]:
    return [str(problem) for problem in look.problems[:_MOST_PROBLEMS]] + ([look.error] if look.error else [])


def _is_callable(look: FormLook) -> bool:
    """Return whether there is a cell that would not be refused when it is run."""
    return bool(look.cell) and not look.problems


def _cell(look: FormLook) -> str:
    return plain_text(look.cell.rstrip("\n"), _CELL_CHARS)


def _escape(text: str) -> str:
    return escape_html(one_line(text, _LINE_CHARS), quote=False)
