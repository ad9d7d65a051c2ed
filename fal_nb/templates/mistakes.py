"""Mistakes of a line: where each is, what to write instead, and the one line a person reads.

Invariant: a corrected line is shown only after it was parsed and found free of mistakes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fal_nb.errors import GrammarError

__all__ = ["Edit", "Mistake", "explain", "nearest", "one_line", "shorten", "shown_column"]

_LINE_CHARS = 320
_WORD_CHARS = 60
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Edit:
    """One correction: the characters from `start` up to `end` become `text`; 0-based, `end` excluded."""

    start: int
    end: int
    text: str

    def apply(self, line: str) -> str:
        """Return the corrected line."""
        return line[: self.start] + self.text + line[self.end :]


class Mistake(GrammarError):  # noqa: N818 - the word for it, as against the error a person sees
    """A mistake at one place of a line, before it is put into words with the whole line in sight.

    Attributes
    ----------
    edits
        Corrections to try, the likeliest first; they need not be right.
    """

    def __init__(self, what: str, column: int, *edits: Edit) -> None:
        super().__init__(what, column=column)
        self.what = what
        self.at = column
        self.edits = edits

    def moved(self, column: int) -> Mistake:
        """Return the same mistake at another column, its corrections moved along."""
        by = column - self.at
        edits = (Edit(edit.start + by, edit.end + by, edit.text) for edit in self.edits)
        return Mistake(self.what, column, *edits)


def explain(mistake: Mistake, line: str, magic: str, is_correct: Callable[[str], bool]) -> GrammarError:
    """Return the error a person sees: the column, what is wrong and, where one is found, the line that is right.

    Parameters
    ----------
    is_correct
        Tells whether a line parses; called for each of the mistake's edits until one does.
    """
    what = shorten(mistake.what, _LINE_CHARS)
    message = f"column {shown_column(mistake.at, magic)}: {what}{'' if what.endswith('?') else '.'}"
    for edit in mistake.edits:
        suggestion = _suggestion(edit, line, magic, is_correct)
        if suggestion:
            message += suggestion
            break
    return GrammarError(message, column=mistake.at)


def _suggestion(edit: Edit, line: str, magic: str, is_correct: Callable[[str], bool]) -> str | None:
    """Return the corrected line, or only its corrected part where it is long; None where it is wrong or too long."""
    corrected = one_line(edit.apply(line)).strip()
    is_short = len(corrected) <= _LINE_CHARS
    if not is_short and not 0 < len(edit.text) <= _LINE_CHARS:
        return None
    if not is_correct(corrected):
        return None
    shown_magic = "%fal" if corrected.startswith("help") else magic
    return f" Write: {shown_magic} {corrected}" if is_short else f" Write there: {one_line(edit.text)}"


def shown_column(column: int, magic: str) -> int:
    """Return the column as people count: from 1, beginning with the ``%`` of the magic."""
    return column + len(magic) + 2


def one_line(text: str) -> str:
    """Return `text` with each run of control characters made one space, printable everywhere."""
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub(" ", text))


def shorten(text: str, limit: int = _WORD_CHARS) -> str:
    """Return `text` on one line and cut to `limit` characters."""
    text = one_line(text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice most like `word`, or None where none is like it."""
    if len(word) > _WORD_CHARS:
        return None
    by_lower = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[found[0]] if found else None
