"""A form's fields as the page reads them (``js/src/lib/form_messages.ts``): words fit to be shown, values exact.

Exact values travel as JSON in ASCII inside one text, so that nothing on the way changes them. Of numbers that a page
cannot hold exactly the text is sent, which the check takes as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fal_nb.forms.fields import FormField
from fal_nb.plain import one_line
from fal_nb.protocol.status import JSON
from fal_nb.schemas.scalars import Problem
from fal_nb.schemas.types import Missing
from fal_nb.schemas.words import show_value

__all__ = ["VALUES_CHARS", "exact", "fields_state", "problem_state", "sound_values"]

_FIELDS_CHARS = 160_000
VALUES_CHARS = 120_000
"""As exact JSON: with the cell and the fields it is one message of the hub."""
_WORDS_CHARS = 400
_DEFAULT_CHARS = 2_000
_LABEL_CHARS = 80
_SAFE_INTEGER = 2**53 - 1
_DEEPEST = 40


def fields_state(fields: Sequence[FormField]) -> tuple[str, int]:
    """Return the fields as JSON in ASCII of bearable length, and how many inputs it leaves out."""
    for most_words in (_WORDS_CHARS, 0):
        text = exact([_field(field, most_words) for field in fields])
        if len(text) <= _FIELDS_CHARS:
            return text, 0
    parts = [_field(field, 0) for field in fields]
    kept: list[dict[str, Any]] = []
    room = _FIELDS_CHARS
    for part in parts:
        room -= len(exact(part)) + 2
        if room < 0:
            break
        kept.append(part)
    return exact(kept), len(parts) - len(kept)


def exact(value: JSON) -> str:
    """Return JSON in ASCII; big integers as texts."""
    return json.dumps(_held(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def sound_values(content: object) -> dict[str, JSON] | None:
    """Return the values a page has sent, None where they are none, too long or too deep."""
    if not isinstance(content, str) or len(content) > VALUES_CHARS:
        return None
    try:
        values = json.loads(content, parse_constant=_refuse)
        return values if isinstance(values, dict) and _depth(values, 0) <= _DEEPEST else None
    except (ValueError, RecursionError):
        return None


def problem_state(problem: Problem) -> dict[str, Any]:
    """Return a problem as the page reads it."""
    path = [part if isinstance(part, int) else one_line(part, 200) for part in problem.path]
    return {"path": path, "message": one_line(problem.message, _WORDS_CHARS)}


def _refuse(word: str) -> JSON:
    raise ValueError(word)


def _depth(value: JSON, depth: int) -> int:
    if depth > _DEEPEST or not isinstance(value, (dict, list)):
        return depth
    inner = value.values() if isinstance(value, dict) else value
    return max((_depth(each, depth + 1) for each in inner), default=depth)


def _held(value: JSON) -> JSON:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE_INTEGER:
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _held(inner) for key, inner in value.items()}
    return [_held(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _field(field: FormField, most_words: int) -> dict[str, Any]:
    """Return one field; what says nothing is left out."""
    shown: dict[str, Any] = {
        "name": field.name,
        "kind": field.kind,
        "label": one_line(field.label, _LABEL_CHARS),
        "type": one_line(field.type_words, _LABEL_CHARS),
        "limits": one_line(field.limits, _LABEL_CHARS),
        "description": one_line(field.description, most_words) if most_words else "",
        "required": field.required,
        "advanced": field.is_advanced,
        "nullable": field.is_nullable,
        "integer": field.is_integer,
        "low": field.low,
        "high": field.high,
        "step": field.step,
        "max_length": field.max_length,
        "file": field.file_kind,
        "choices": list(field.choices),
        "choice_labels": [one_line(_plain(value), _LABEL_CHARS) for value in field.choices],
        "item": None if field.item is None else _field(field.item, most_words),
        "min_items": field.min_items,
        "max_items": field.max_items,
        "fields": _fields(field.fields, most_words),
        "options": _fields(field.options, most_words),
    }
    kept = {key: value for key, value in shown.items() if value not in (None, "", False, [])}
    return kept | _default(field)


def _fields(fields: Iterable[FormField], most_words: int) -> list[dict[str, Any]]:
    return [_field(each, most_words) for each in fields]


def _default(field: FormField) -> dict[str, Any]:
    if isinstance(field.default, Missing) or field.default is None:
        return {}
    shown = {"default_words": one_line(_plain(field.default), _LABEL_CHARS)}
    is_short = len(show_value(field.default, _DEFAULT_CHARS)) < _DEFAULT_CHARS
    return shown | ({"default": field.default} if is_short else {})


def _plain(value: JSON) -> str:
    """Return a text without quotes, anything else as JSON."""
    return value if isinstance(value, str) else show_value(value, _LABEL_CHARS)
