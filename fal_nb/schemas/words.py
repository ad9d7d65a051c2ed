"""Types, limits and values in a few words, for tables, help and messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from fal_nb.protocol.status import JSON
from fal_nb.schemas.types import (
    Choice,
    Flag,
    InputType,
    ListOf,
    Nothing,
    Number,
    ObjectOf,
    Text,
    options_of,
)

__all__ = ["describe_type", "show_choices", "show_limits", "show_value", "with_article"]

_SHOWN_CHARS = 60
_SHOWN_CHOICES = 6
_PLAIN_WORDS: Mapping[type, str] = {Flag: "true or false", Nothing: "null"}


def describe_type(input_type: InputType) -> str:
    """Return a type in a few words, limits left out: ``integer``, ``text``, ``image``, ``list of texts``."""
    return " or ".join(_distinct(_word_for(option) for option in options_of(input_type)))


def with_article(words: str) -> str:
    """Return words with ``a`` or ``an`` before them, where one belongs there."""
    if words.startswith(("true", "any", "null", '"')):
        return words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def show_value(value: JSON, limit: int = _SHOWN_CHARS) -> str:
    """Return a value as JSON on one line, cut to `limit` characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=lambda other: f"<{type(other).__name__}>")
    except (ValueError, RecursionError):
        text = f"<{type(value).__name__}>"
    text = "".join(char if char.isprintable() else " " for char in text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def show_choices(values: tuple[JSON, ...]) -> str:
    """Return the first few of some values, and how many there are where that is not all."""
    shown = ", ".join(show_value(value) for value in values[:_SHOWN_CHOICES])
    return shown if len(values) <= _SHOWN_CHOICES else f"{shown}, … ({len(values)} in all)"


def show_limits(input_type: InputType) -> str:
    """Return what a value may be, in one short text: ``1–50``, ``"jpeg", "png"``, ``width, height``; else nothing."""
    return "; ".join(filter(None, _distinct(_limits_of(option) for option in options_of(input_type))))


def _word_for(option: InputType) -> str:
    match option:
        case Number(is_integer=is_integer):
            word = "integer" if is_integer else "number"
        case Text(file=kind):
            word = f"{kind} URL" if kind else "text"
        case Choice(values):
            word = "choice" if len(values) > 1 else show_value(values[0])
        case ListOf(item):
            word = f"list of {_plural(item)}"
        case ObjectOf(name=name):
            word = f"{name} object" if name else "object"
        case _:
            word = _PLAIN_WORDS.get(type(option), "any JSON")
    return word


def _limits_of(option: InputType) -> str:
    match option:
        case Number():
            return _range(option)
        case Choice(values):
            return show_choices(values)
        case Text(min_length=low, max_length=high):
            return _count(low, high, "characters")
        case ListOf(item, low, high):
            return ", ".join(filter(None, (_count(low, high, "items"), show_limits(item))))
        case ObjectOf(fields=fields):
            return "{" + ", ".join(inner.name for inner in fields) + "}" if fields else ""
        case _:
            return ""


def _range(number: Number) -> str:
    parts = []
    if number.low is not None and number.high is not None and not (number.low_open or number.high_open):
        parts.append(f"{number.low:g}–{number.high:g}")
    else:
        if number.low is not None:
            parts.append(f"{'>' if number.low_open else '≥'} {number.low:g}")
        if number.high is not None:
            parts.append(f"{'<' if number.high_open else '≤'} {number.high:g}")
    if number.multiple_of is not None:
        parts.append(f"a multiple of {number.multiple_of:g}")
    return ", ".join(parts)


def _count(low: int | None, high: int | None, what: str) -> str:
    if low and high is not None:
        return f"{low}–{high} {what}"
    if high is not None:
        return f"at most {high} {what}"
    return f"at least {low} {what}" if low and low > 1 else ""


def _plural(item: InputType) -> str:
    words = {"text": "texts", "integer": "integers", "number": "numbers", "choice": "choices"}
    text = describe_type(item)
    return words.get(text, f"{text}s" if text.endswith(("URL", "object")) else text)


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
