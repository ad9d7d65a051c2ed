"""Options' texts → their values, by the kind the table gives them."""

from __future__ import annotations

import datetime as dt
import keyword
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from fal_nb.magics.filters import read_filter, read_rating
from fal_nb.magics.items import Option, ParsedLine
from fal_nb.magics.options import OptionKind, OptionSpec, find_option
from fal_nb.magics.tokens import NAME
from fal_nb.magics.values import Text
from fal_nb.magics.words import JOB_WORD
from fal_nb.templates.mistakes import Edit, Mistake, nearest, shorten

__all__ = ["option_fields"]

_SECONDS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s?")
_AMOUNT = re.compile(r"\$?([0-9]{0,9}(?:\.[0-9]{1,9})?)")
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_AGE = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NAME = re.compile(NAME)
_LIVES = ("never", "immediate", "1h", "1d", "7d", "30d", "1y")


def option_fields(parsed: ParsedLine) -> dict[str, Any]:
    """Return field → value for the options of ours that a line has.

    Raises
    ------
    Mistake
        Where a value is not of its option's kind.
    """
    fields: dict[str, Any] = {}
    for item in parsed.options:
        spec = find_option(parsed.spec, item.name[0])
        if spec is None:
            continue
        value = True if item.value is None else _convert(spec, item, item.value)
        fields[spec.field] = (*fields.get(spec.field, ()), value) if spec.many else value
    return fields


def _convert(spec: OptionSpec, item: Option, value: object) -> Any:
    text = value.value if isinstance(value, Text) else str(value)
    if spec.kind == "choice":
        return _choice(spec, item, text)
    found = _CONVERTERS[spec.kind](text)
    if found is None:
        written = spec.short if spec.short and item.raw.startswith(spec.short) else spec.spelling
        what = f"{written} takes {_TAKES[spec.kind]}, not {shorten(text)!r}"
        raise Mistake(what, item.value_column)
    return found


def _choice(spec: OptionSpec, item: Option, text: str) -> str:
    by_lower = {choice.lower(): choice for choice in spec.choices}
    found = by_lower.get(text.lower())
    if found is None:
        like = nearest(text, spec.choices)
        end = item.column + len(item.raw)
        edits = [Edit(item.value_column, end, like)] if like else []
        raise Mistake(
            f"{spec.spelling} takes {' or '.join(spec.choices)}, not {shorten(text)!r}", item.value_column, *edits
        )
    return found


def _text(text: str) -> str | None:
    return text or None


def _seconds(text: str) -> float | None:
    found = _SECONDS.fullmatch(text)
    return (float(found[1]) or None) if found else None


def _count(text: str) -> int | None:
    return int(text) if _COUNT.fullmatch(text) else None


def _amount(text: str) -> float | None:
    found = _AMOUNT.fullmatch(text)
    return float(found[1]) if found and found[1] else None


def _length(text: str) -> int | None:
    return 0 if text == "0" else _count(text)


def _life(text: str) -> str | int | None:
    """Return a name of how long a file lives, or seconds."""
    return text if text in _LIVES else _count(text)


def _tags(text: str) -> dict[str, str] | None:
    """Return keys and values; what fal takes of them is checked with the other options of the call."""
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(key.strip() and value.strip() for key, _, value in pairs):
        return None
    tags = {key.strip(): value.strip() for key, _, value in pairs}
    return tags if len(tags) == len(pairs) else None


def _url(text: str) -> str | None:
    return text if text.startswith(("https://", "http://")) else None


def _variable(text: str) -> str | None:
    return text if text.isidentifier() and not text.startswith("_") and not keyword.iskeyword(text) else None


def _input(text: str) -> str | None:
    return text if _NAME.fullmatch(text) else None


def _job(text: str) -> int | str | None:
    found = JOB_WORD.fullmatch(text)
    return None if found is None else int(found[1]) if found[1] else text


def _since(text: str) -> dt.timedelta | dt.datetime | None:
    """Return an age or a moment; a moment without a time zone is local."""
    age = _AGE.fullmatch(text)
    if age:
        return dt.timedelta(**{_UNITS[age[2]]: int(age[1])})
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError, OSError):
        return None


_CONVERTERS: Mapping[OptionKind, Callable[[str], Any]] = MappingProxyType(
    {
        "text": _text,
        "seconds": _seconds,
        "count": _count,
        "amount": _amount,
        "variable": _variable,
        "input": _input,
        "since": _since,
        "length": _length,
        "life": _life,
        "tags": _tags,
        "url": _url,
        "job": _job,
        "filter": read_filter,
        "rating": read_rating,
    }
)
_TAKES: Mapping[OptionKind, str] = MappingProxyType(
    {
        "text": "a text",
        "seconds": "a number of seconds above 0",
        "count": "a whole number from 1",
        "amount": "an amount in US dollars, like 0.05",
        "variable": "the name of a Python variable",
        "input": "the name of an input",
        "job": "a job's number (12 or #12) or a request id",
        "since": "an age (30m, 12h, 7d, 2w) or a date (2026-01-31)",
        "length": "a whole number from 0",
        "life": f"{', '.join(_LIVES)} or a number of seconds",
        "tags": "tags as 'key=value,key=value', each key once",
        "url": "an address that begins with https://",
        "filter": "NAME=VALUE, or NAME and one of != < <= > >= and a value",
        "rating": "a number from 0 to 5, or one of < <= > >= != before it",
    }
)
