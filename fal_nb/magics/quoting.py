r"""Quoted texts: where they end, what they hold, how they are written.

In ``"…"`` and ``“…”`` a backslash escapes the quote, itself and ``n`` and is otherwise a backslash; ``'…'`` has no
escapes.
"""

from __future__ import annotations

import re

__all__ = ["QUOTES", "find_close", "quote_text", "raw_offset", "unescape", "unquote"]

QUOTES = {'"': '"', "'": "'", "“": "”", "”": "”"}
"""Opening quote → closing quote. Some languages' keyboards open and close with the same ”."""

_INSIDE = {
    '"': re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL),
    "'": re.compile(r"[^']*+"),
    "“": re.compile(r"(?:[^”\\]++|\\.)*+", re.DOTALL),
    "”": re.compile(r"(?:[^”\\]++|\\.)*+", re.DOTALL),
}
_ESCAPE = re.compile(r'\\(["“”\\n])')


def find_close(text: str, start: int) -> int | None:
    """Return the index of the quote that closes the one at `start`, or None where there is none."""
    quote = text[start]
    found = _INSIDE[quote].match(text, start + 1)
    end = found.end() if found else start + 1
    return end if text.startswith(QUOTES[quote], end) else None


def unescape(inside: str, quote: str) -> str:
    """Return what the characters between two quotes stand for."""
    if quote == "'" or "\\" not in inside:
        return inside
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], inside)


def unquote(raw: str) -> str:
    """Return the text of a quoted text, quotes included in `raw`."""
    return unescape(raw[1:-1], raw[0])


def raw_offset(raw: str, index: int) -> int:
    """Return where in `raw`, quoted or not, the character number `index` of its text is written."""
    if not raw or raw[0] not in QUOTES:
        return index
    position = 1
    if raw[0] == "'":
        return position + index
    for found in _ESCAPE.finditer(raw, 1):
        if index <= found.start() - position:
            break
        index -= found.start() - position + 1
        position = found.end()
    return position + index


def quote_text(text: str) -> str:
    r"""Return `text` in quotes, on one line where it holds no line break but ``\n``."""
    if ('"' in text or "\\" in text) and "'" not in text and "\n" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
