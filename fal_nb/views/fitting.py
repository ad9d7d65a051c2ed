"""What a view sends of texts and JSON whose size is not its own: fit to be shown, and within one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fal_nb.plain import plain_text
from fal_nb.protocol.status import JSON

__all__ = ["last_lines", "trim"]

_TEXT_CHARS = 500
_NAME_CHARS = 100
_ALL_CHARS = 20_000
_ALL_LOG_CHARS = 50_000
_MOST_PARTS = 50
_DEEPEST = 6
_EXACT_WHOLE = 2**53
_LARGEST = 1e300


def last_lines(lines: Sequence[str]) -> list[str]:
    """Return the last lines, as many as go into 50,000 characters."""
    shown: list[str] = []
    left = _ALL_LOG_CHARS
    for line in reversed(lines):
        words = plain_text(line)
        left -= len(words)
        if left < 0:
            break
        shown.append(words)
    return shown[::-1]


def trim(value: JSON, *, text_chars: int = _TEXT_CHARS, all_chars: int = _ALL_CHARS) -> JSON:
    """Return arguments for showing: long texts (data URIs above all) cut, what is deep or much left out.

    Parameters
    ----------
    text_chars, all_chars
        Most characters of one text, and of all together.
    """
    return _Trimmer(text_chars, all_chars).trim(value, 0)


class _Trimmer:
    def __init__(self, text_chars: int, all_chars: int) -> None:
        self._text_chars = text_chars
        self._left = all_chars

    def trim(self, value: Any, depth: int) -> Any:
        if isinstance(value, (Mapping, list, tuple)) and (depth >= _DEEPEST or self._left <= 0):
            return "…"
        if isinstance(value, Mapping):
            parts = list(value.items())[:_MOST_PARTS]
            return {self._text(str(key), _NAME_CHARS): self.trim(inner, depth + 1) for key, inner in parts}
        if isinstance(value, (list, tuple)):
            return [self.trim(inner, depth + 1) for inner in value[:_MOST_PARTS]]
        if isinstance(value, str):
            return self._text(value, self._text_chars)
        if value is None or isinstance(value, bool):
            return value
        # Numbers as text where a page could not read them.
        return value if _is_read(value) else self._text(repr(value), self._text_chars)

    def _text(self, text: str, limit: int) -> str:
        shown = plain_text(text, max(1, min(limit, self._left)))
        self._left -= len(shown) + 4
        return shown


def _is_read(value: Any) -> bool:
    """Return whether JavaScript reads a number as the same one."""
    if isinstance(value, int):
        return abs(value) <= _EXACT_WHOLE
    return isinstance(value, float) and abs(value) < _LARGEST
