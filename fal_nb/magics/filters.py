"""Filters as they are written: ``seed=3``, ``cost>=0.02``, ``prompt!="a red fox"`` → name, operator, value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TypeAlias

from fal_nb.magics.quoting import QUOTES, unquote
from fal_nb.protocol.status import JSON

__all__ = ["Filter", "begins_filter", "by_name", "read_filter", "read_rating"]

Filter: TypeAlias = tuple[str, str, JSON]
"""(name, one of ``< <= > >= != =``, value)."""

_FILTER = re.compile(r"([^\s<>=!\"']+)(<=|>=|!=|==|<|>|=)(.*)\Z", re.DOTALL)
_RATING = re.compile(r"(<=|>=|!=|==|<|>|=)?\s*([0-5])\Z")


def begins_filter(raw: str) -> bool:
    """Return whether a word of a line is a filter, as against a word to look for."""
    return _FILTER.match(raw) is not None


def read_filter(text: str) -> Filter | None:
    """Return a filter, or None where the text is none; its value is JSON, else text."""
    found = _FILTER.match(text)
    if found is None or (not found[3] and found[2] not in {"=", "!=", "=="}):
        return None
    return found[1], "=" if found[2] == "==" else found[2], _value(found[3])


def read_rating(text: str) -> tuple[str, int] | None:
    """Return the operator and the number of a rating filter, or None where the text is none."""
    found = _RATING.match(text)
    if found is None:
        return None
    return "=" if found[1] in {None, "=="} else found[1], int(found[2])


def by_name(filters: Iterable[Filter]) -> dict[str, list[tuple[str, JSON]]]:
    """Return filters as the history takes them: name → comparisons that must all hold."""
    found: dict[str, list[tuple[str, JSON]]] = {}
    for name, operator, value in filters:
        found.setdefault(name, []).append((operator, value))
    return found


def _value(text: str) -> JSON:
    if text and text[0] in QUOTES and len(text) > 1 and text.endswith(QUOTES[text[0]]):
        return unquote(text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if value is None or isinstance(value, (str, int, float, dict)) else text
