"""The word that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["nearest"]

_WORD_CHARS = 60
_CUTOFF = 0.6
_PART_CHARS = 4


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice most like `word`, whatever the case and the separators, or None where none is like it."""
    if len(word) > _WORD_CHARS:
        return None
    by_plain = {_plain(choice): choice for choice in choices}
    wanted = _plain(word)
    found = difflib.get_close_matches(wanted, by_plain, n=1, cutoff=_CUTOFF)
    if found:
        return by_plain[found[0]]
    inside = [plain for plain in by_plain if _is_part(wanted, plain) or _is_part(plain, wanted)]
    return by_plain[min(inside, key=len)] if inside else None


def _is_part(part: str, whole: str) -> bool:
    return len(part) >= _PART_CHARS and part in whole


def _plain(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")
